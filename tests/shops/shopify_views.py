"""The parts of an order as the Admin GraphQL API words them: addresses, lines, fulfilment orders, what is summed up.

Values only: knows no time that passes, no query and no network.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from connector.testing.shop_double import Draft

View = dict[str, Any]

COUNTRIES: Final = {"NZ": "New Zealand", "AU": "Australia", "GB": "United Kingdom", "US": "United States"}
LOCATIONS: Final = ("Penrose Warehouse", "Addington Store", "Petone Store", "Albany Store")
DONE: Final = ("CLOSED", "CANCELLED", "INCOMPLETE")


class Line(msgspec.Struct, frozen=True):
    """A line as it is placed."""

    sku: str
    quantity: int = 1
    title: str = ""
    requires_shipping: bool = True


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def plain(given: str) -> str:
    return given.rpartition("/")[2].partition("?")[0]


def money(cents: int) -> View:
    amount = {"amount": f"{cents / 100:.1f}" if cents % 10 == 0 else f"{cents / 100:.2f}", "currencyCode": "NZD"}
    return {"shopMoney": amount, "presentmentMoney": amount}


def mailing(draft: Draft, number: int) -> View:
    """An order's address; what the buyer left out is null, as Shopify stores it."""
    first, _, last = draft.name.rpartition(" ")
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", f"{number}?model_name=Address"),
        "address1": draft.line1 or None,
        "address2": draft.line2 or None,
        "city": draft.city or None,
        "company": draft.company or None,
        "coordinatesValidated": False,
        "country": COUNTRIES.get(draft.country, draft.country) or None,
        "countryCodeV2": draft.country or None,
        "firstName": first or None,
        "lastName": last or None,
        "name": draft.name or None,
        "formattedArea": ", ".join(filter(None, (draft.city, COUNTRIES.get(draft.country, "")))) or None,
        "phone": draft.phone or None,
        "province": REGIONS.get(draft.region, draft.region) or None,
        "provinceCode": draft.region or None,
        "timeZone": None,
        "zip": draft.postcode or None,
    }


REGIONS: Final = {"AUK": "Auckland", "WGN": "Wellington", "CAN": "Canterbury", "OTA": "Otago", "WKO": "Waikato"}


def destination(draft: Draft, number: int) -> View:
    """A fulfilment order's destination: it has an e-mail, and no names of countries and no province codes."""
    address = mailing(draft, number)
    shared = ("address1", "address2", "city", "company", "firstName", "lastName", "phone", "province", "zip")
    return {
        "__typename": "FulfillmentOrderDestination",
        "id": gid("FulfillmentOrderDestination", number),
        **{name: address[name] for name in shared},
        "countryCode": address["countryCodeV2"],
        "email": draft.email or None,
    }


def no_destination(number: int) -> View:
    """A pick-up's: an object whose fields are all null (recorded: graphql-pickup-native.jsonc)."""
    return {"__typename": "FulfillmentOrderDestination", "id": gid("FulfillmentOrderDestination", number)}


def customer(draft: Draft, at: datetime, number: int) -> View:
    first, _, last = draft.name.rpartition(" ")
    return {
        "__typename": "Customer",
        "id": gid("Customer", number),
        "legacyResourceId": str(number),
        "displayName": draft.name,
        "firstName": first or None,
        "lastName": last or None,
        "email": draft.email or None,
        "phone": None,
        "createdAt": stamp(at),
        "updatedAt": stamp(at),
    }


def line_view(line: Line, number: int) -> View:
    title = line.title or line.sku.title() or "Gift"
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", number),
        "name": title,
        "title": title,
        "variantTitle": None,
        "sku": line.sku or None,
        "vendor": "Kowhai Pottery",
        "quantity": line.quantity,
        "currentQuantity": line.quantity,
        "unfulfilledQuantity": line.quantity,
        "nonFulfillableQuantity": 0,
        "refundableQuantity": line.quantity,
        "requiresShipping": line.requires_shipping,
        "isGiftCard": False,
        "merchantEditable": True,
        "restockable": True,
        "taxable": True,
        "customAttributes": [],
        "originalUnitPriceSet": money(2900),
        "discountedUnitPriceSet": money(2900),
        "originalTotalSet": money(2900 * line.quantity),
        "product": {
            "__typename": "Product",
            "id": gid("Product", number + 1),
            "title": title,
            "handle": line.sku.lower(),
            "vendor": "Kowhai Pottery",
            "productType": "",
        },
        "variant": {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", number + 2),
            "title": "Default Title",
            "displayName": title,
            "sku": line.sku or None,
            "barcode": None,
        },
    }


def part_line(line: View, quantity: int, number: int) -> View:
    return {
        "__typename": "FulfillmentOrderLineItem",
        "id": gid("FulfillmentOrderLineItem", number),
        "lineItem": line,
        "totalQuantity": quantity,
        "remainingQuantity": quantity,
        "inventoryItemId": gid("InventoryItem", number + 1),
        "productTitle": line["title"],
        "requiresShipping": line["requiresShipping"],
        "sku": line["sku"],
        "variantTitle": None,
        "vendor": line["vendor"],
    }


def part_view(order: View, like: View, lines: list[View], at: datetime, number: int, **fields: Any) -> View:
    """A fulfilment order with these lines; where it goes, how and from where is as in `like`."""
    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", number),
        "orderId": order["id"],
        "orderName": order["name"],
        "orderProcessedAt": order["processedAt"],
        "channelId": None,
        "status": "OPEN",
        "requestStatus": "UNSUBMITTED",
        "createdAt": stamp(at),
        "updatedAt": stamp(at),
        "fulfillAt": None,
        "fulfillBy": None,
        "fulfillmentHolds": [],
        "fulfillments": [],
        "supportedActions": [{"action": "CREATE_FULFILLMENT"}, {"action": "HOLD"}, {"action": "MOVE"}],
        "destination": like["destination"],
        "deliveryMethod": like["deliveryMethod"],
        "assignedLocation": like["assignedLocation"],
        "lineItems": lines,
        **fields,
    }


def fulfilment(part: View, at: datetime, number: int) -> View:
    """A parcel with all that is left of a fulfilment order."""
    return {
        "__typename": "Fulfillment",
        "id": gid("Fulfillment", number),
        "legacyResourceId": str(number),
        "name": f"{part['orderName']}-F{number}",
        "createdAt": stamp(at),
        "updatedAt": stamp(at),
        "deliveredAt": None,
        "status": "SUCCESS",
        "totalQuantity": sum(line["remainingQuantity"] for line in part["lineItems"]),
        "requiresShipping": True,
        "trackingInfo": [],
    }


def shipping_line(number: int, method: str) -> View:
    title = {"PICK_UP": LOCATIONS[0], "LOCAL": "Local Delivery"}.get(method, "Standard")
    return {
        "__typename": "ShippingLine",
        "id": gid("ShippingLine", number),
        "title": title,
        "code": title,
        "source": "shopify",
        "custom": False,
        "isRemoved": False,
        "originalPriceSet": money(700),
        "discountedPriceSet": money(700),
    }


def delivery_method(number: int, method: str, draft: Draft, instructions: str) -> View:
    told = {"instructions": instructions or None, "phone": draft.phone or None}
    return {
        "__typename": "DeliveryMethod",
        "id": gid("DeliveryMethod", number),
        "methodType": method,
        "additionalInformation": told if method in ("LOCAL", "PICKUP_POINT") or instructions else None,
        "presentedName": {"PICK_UP": LOCATIONS[0], "LOCAL": "Local Delivery", "NONE": None}.get(method, "Standard"),
    }


def location(place: int) -> View:
    name = LOCATIONS[place % len(LOCATIONS)]
    number = 64_000_000 + place
    return {
        "__typename": "FulfillmentOrderAssignedLocation",
        "name": name,
        "address1": f"{place + 1} Depot Lane",
        "city": "Auckland",
        "countryCode": "NZ",
        "location": {
            "__typename": "Location",
            "id": gid("Location", number),
            "legacyResourceId": str(number),
            "name": name,
            "isActive": True,
        },
    }


def hold(number: int, reason: str, notes: str) -> View:
    return {
        "__typename": "FulfillmentHold",
        "id": gid("FulfillmentHold", number),
        "reason": reason,
        "reasonNotes": notes or None,
        "displayReason": reason.replace("_", " ").capitalize(),
        "handle": None,
        "heldByRequestingApp": False,
    }


def sum_up(view: View) -> None:
    """The fields that Shopify works out of the others."""
    items = view["lineItems"]
    financial = view["displayFinancialStatus"]
    view["displayFulfillmentStatus"] = fulfilment_status(view)
    view["requiresShipping"] = any(line["requiresShipping"] for line in items)
    view["fulfillable"] = view.get("cancelledAt") is None and any(line["unfulfilledQuantity"] for line in items)
    view["fullyPaid"] = financial in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED")
    view["unpaid"] = financial in ("PENDING", "AUTHORIZED", "PARTIALLY_PAID", "EXPIRED")
    view["subtotalLineItemsQuantity"] = sum(line["quantity"] for line in items)
    view["currentSubtotalLineItemsQuantity"] = sum(line["currentQuantity"] for line in items)
    view["totalPriceSet"] = money(700 + 2900 * view["subtotalLineItemsQuantity"])
    view["currentTotalPriceSet"] = money(700 + 2900 * view["currentSubtotalLineItemsQuantity"])
    view["totalOutstandingSet"] = view["currentTotalPriceSet"] if view["unpaid"] else money(0)
    view["fulfillmentsCount"] = {"count": len(view["fulfillments"]), "precision": "EXACT"}
    view["shippingLine"] = view["shippingLines"][0] if view["shippingLines"] else None


def fulfilment_status(view: View) -> str:
    """OrderDisplayFulfillmentStatus: what is left, and whether all that is left is held or put off."""
    items = view["lineItems"]
    done = any(line["currentQuantity"] > line["unfulfilledQuantity"] for line in items)
    left = any(line["unfulfilledQuantity"] for line in items)
    if done:
        return "PARTIALLY_FULFILLED" if left else "FULFILLED"
    states = {part["status"] for part in view["fulfillmentOrders"] if part["status"] not in DONE}
    if states == {"ON_HOLD"}:
        return "ON_HOLD"
    if states == {"SCHEDULED"}:
        return "SCHEDULED"
    if "IN_PROGRESS" in states:
        return "IN_PROGRESS"
    return "UNFULFILLED"


def facts_of(view: View, updated: datetime, created: datetime, processed: datetime) -> View:
    """What the search index knows of an order (arguments of the `orders` query, its field `query`)."""
    cancelled = view.get("cancelledAt") is not None
    closed = bool(view["closed"])
    shown = view["displayFulfillmentStatus"].lower()
    words = {
        "unfulfilled": ("unfulfilled", "unshipped"),
        "partially_fulfilled": ("partial", "partially_fulfilled", "unfulfilled"),
        "fulfilled": ("fulfilled", "shipped"),
    }.get(shown, (shown, "unfulfilled", "unshipped"))
    return {
        "id": int(view["legacyResourceId"]),
        "name": (view["name"], view["name"].lstrip("#")),
        "updated_at": updated,
        "created_at": created,
        "processed_at": processed,
        "status": ("cancelled",) if cancelled else ("closed",) if closed else ("open", "not_closed"),
        "financial_status": view["displayFinancialStatus"].lower(),
        "fulfillment_status": words,
        "test": view["test"],
        "tag": tuple(view["tags"]),
        "email": view["email"],
        "sku": tuple(line["sku"] for line in view["lineItems"]),
        "source_name": view["sourceName"],
        "delivery_method": tuple(part["deliveryMethod"]["methodType"].lower() for part in view["fulfillmentOrders"]),
        "default": (view["name"], view["name"].lstrip("#"), view["email"] or ""),
    }


def part_facts(part: View) -> View:
    """What the search index knows of a fulfilment order."""
    return {
        "id": int(plain(part["id"])),
        "order_id": int(plain(part["orderId"])),
        "updated_at": datetime.fromisoformat(part["updatedAt"]),
        "created_at": datetime.fromisoformat(part["createdAt"]),
        "fulfill_at": datetime.fromisoformat(part["fulfillAt"]) if part["fulfillAt"] else None,
        "status": part["status"].lower(),
        "request_status": part["requestStatus"].lower(),
        "default": part["orderName"],
    }

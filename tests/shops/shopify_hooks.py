"""The deliveries a Shopify shop sends: what happened, as the REST API words it, signed. Knows no server.

https://shopify.dev/docs/apps/build/webhooks. Bodies of orders have the fields of the recorded
webhook-test-notification.json that an order sync could want. Those of fulfilment orders, and of orders/delete, are as
documented in outline only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from tests.shops.shopify_books import View, plain

TOPICS: Final = {
    "create": "orders/create",
    "updated": "orders/updated",
    "edited": "orders/edited",
    "paid": "orders/paid",
    "cancelled": "orders/cancelled",
    "refunded": "refunds/create",
    "fulfilled": "orders/fulfilled",
    "delete": "orders/delete",
    "routed": "fulfillment_orders/order_routing_complete",
    "placed_on_hold": "fulfillment_orders/placed_on_hold",
    "hold_released": "fulfillment_orders/hold_released",
    "rescheduled": "fulfillment_orders/rescheduled",
    "split": "fulfillment_orders/split",
    "moved": "fulfillment_orders/moved",
}
_PART_TOPICS: Final = ("routed", "placed_on_hold", "hold_released", "rescheduled", "split", "moved")


class Delivery(msgspec.Struct, frozen=True):
    """One thing to deliver. body  as it was when it happened: a retry carries it still (platforms.md 4.1)"""

    topic: str
    order_id: str
    at: datetime
    body: bytes
    webhook_id: str
    event_id: str


class Hooks:
    """What is to be delivered so far, the oldest first; `is_on` False: nothing is kept."""

    def __init__(self, seed: int, domain: str, version: str, zone: ZoneInfo) -> None:
        self.is_on = False
        self.deliveries: list[Delivery] = []
        self._random = random.Random(f"hooks {seed}")
        self._domain = domain
        self._version = version
        self._zone = zone

    def happened(self, why: str, order_id: str, view: View | None, at: datetime) -> None:
        """An order, or one of its fulfilment orders, changed; view None: it is gone."""
        if not self.is_on:
            return
        event = self._uuid()
        topics = (
            [TOPICS[why]] if why in ("create", "updated", "delete", *_PART_TOPICS) else [TOPICS[why], "orders/updated"]
        )
        for topic in topics:
            body = msgspec.json.encode(self._body(topic, order_id, view))
            self.deliveries.append(Delivery(topic, order_id, at, body, self._uuid(), event))

    def signed(self, delivery: Delivery, secret: str) -> tuple[dict[str, str], bytes]:
        """Headers and body as they are sent, on the first attempt and on each retry alike."""
        digest = hmac.new(secret.encode(), delivery.body, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": delivery.topic,
            "X-Shopify-Shop-Domain": self._domain,
            "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
            "X-Shopify-Api-Version": self._version,
            "X-Shopify-Webhook-Id": delivery.webhook_id,
            "X-Shopify-Event-Id": delivery.event_id,
            "X-Shopify-Triggered-At": delivery.at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
        }
        return headers, delivery.body

    def _uuid(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    def _body(self, topic: str, order_id: str, view: View | None) -> Any:
        if view is None:
            return {"id": int(order_id)}
        if topic.startswith("fulfillment_orders/"):
            part = view["fulfillmentOrders"][-1] if view["fulfillmentOrders"] else None
            return {"fulfillment_order": {"id": part and part["id"], "status": part and part["status"].lower()}}
        if topic == "refunds/create":
            return {"id": int(order_id) + 1, "order_id": int(order_id), "refund_line_items": []}
        return rest_order(view, self._zone)


def rest_order(view: View, zone: ZoneInfo) -> dict[str, Any]:
    """The order as the REST API and webhooks word it; times have the shop's offset."""

    def local(text: str | None) -> str | None:
        return datetime.fromisoformat(text).astimezone(zone).isoformat() if text else None

    done = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}
    return {
        "id": int(view["legacyResourceId"]),
        "admin_graphql_api_id": view["id"],
        "name": view["name"],
        "number": view["number"] - 1000,
        "order_number": view["number"],
        "confirmation_number": view["confirmationNumber"],
        "created_at": local(view["createdAt"]),
        "processed_at": local(view["processedAt"]),
        "updated_at": local(view["updatedAt"]),
        "cancelled_at": local(view.get("cancelledAt")),
        "cancel_reason": (view.get("cancelReason") or "").lower() or None,
        "closed_at": local(view.get("closedAt")),
        "financial_status": (view["displayFinancialStatus"] or "").lower(),
        "fulfillment_status": done.get(view["displayFulfillmentStatus"]),
        "test": view["test"],
        "confirmed": view["confirmed"],
        "email": view["email"] or "",
        "contact_email": view["email"],
        "phone": view["phone"],
        "currency": view["currencyCode"],
        "note": view["note"],
        "note_attributes": [{"name": each["key"], "value": each["value"]} for each in view["customAttributes"]],
        "tags": ", ".join(view["tags"]),
        "source_name": view["sourceName"],
        "total_price": view["totalPriceSet"]["shopMoney"]["amount"],
        "shipping_address": _address(view["shippingAddress"]),
        "billing_address": _address(view["billingAddress"]),
        "line_items": [_line(line) for line in view["lineItems"]],
        "shipping_lines": [
            {"id": int(plain(each["id"])), "title": each["title"], "code": each["code"], "source": each["source"]}
            for each in view["shippingLines"]
        ],
        "fulfillments": [],
        "refunds": [],
    }


def _address(view: View | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {
        "first_name": view["firstName"],
        "last_name": view["lastName"],
        "name": view["name"],
        "company": view["company"],
        "address1": view["address1"],
        "address2": view["address2"],
        "city": view["city"],
        "province": view["province"],
        "province_code": view["provinceCode"],
        "zip": view["zip"],
        "country": view["country"],
        "country_code": view["countryCodeV2"],
        "phone": view["phone"],
        "latitude": None,
        "longitude": None,
    }


def _line(view: View) -> dict[str, Any]:
    return {
        "id": int(plain(view["id"])),
        "admin_graphql_api_id": view["id"],
        "name": view["name"],
        "title": view["title"],
        "variant_title": view["variantTitle"],
        "sku": view["sku"],
        "vendor": view["vendor"],
        "quantity": view["quantity"],
        "current_quantity": view["currentQuantity"],
        "fulfillable_quantity": view["unfulfilledQuantity"],
        "fulfillment_status": None if view["unfulfilledQuantity"] else "fulfilled",
        "requires_shipping": view["requiresShipping"],
        "price": view["originalUnitPriceSet"]["shopMoney"]["amount"],
        "properties": [],
    }

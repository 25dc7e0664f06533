"""What a Shopify delivery means: which order to ask for again, or whose data is to go. Knows no HTTP and no signature.

A retry carries the first body (platforms.md 4.1), and topic and shop are headers, which are not signed: the body's
shape decides, and every order named in it is read again, also one said to be deleted.

Bodies: https://shopify.dev/docs/api/webhooks; of data protection:
https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance.
"""

from __future__ import annotations

from typing import Any, Final

from connector.sources.base import Hint
from connector.sources.heard_body import body_of, id_in
from connector.sources.json_body import id_problem, id_text
from connector.sources.shopify_words import TEST_NOTIFICATION_ID

NOTHING: Final = Hint()

OTHER_THINGS: Final = ("variants", "addresses", "inventory_item_id", "inventory_quantity", "plan_name")
"""Fields that a product, a customer, a stock level, the shop itself have, and no order."""

ASKED_FOR: Final = (
    "Shopify passes on that a customer asks for the data kept about them (customers/data_request). Look who asks with "
    "connector inbox show, find what is kept with connector privacy find, and answer within 30 days."
)
SHOP_LEAVES: Final = (
    "Shopify asks that the data of all customers of this shop be erased, 48 hours after the app was removed from it "
    "(shop/redact). If you are leaving Shopify, see that the last parcels are out, then erase with connector privacy "
    "erase; if you are not, install the app again."
)


def hint_of(body: bytes) -> Hint:
    """What a delivery's body means; never raises.

    Orders, refunds, fulfilments, order edits: the order is to be read again. A fulfilment order's delivery mostly names
    no order; the next poll reads it by its change date. A test notification (D11) means nothing.
    """
    found = body_of(body)
    if isinstance(found, str):
        return Hint(fault=found)
    return _of_people(found) or _of_an_order(found)


def _of_people(fields: dict[str, Any]) -> Hint | None:
    """The three topics of data protection; None for any other body."""
    if "orders_to_redact" in fields:
        listed = fields["orders_to_redact"]
        ids = map(id_text, listed) if isinstance(listed, list) else ()
        return Hint(redact=tuple(one for one in ids if one and not id_problem(one)))
    if "data_request" in fields or "orders_requested" in fields:
        return Hint(fault=ASKED_FOR)
    if fields.keys() == {"shop_id", "shop_domain"}:
        return Hint(fault=SHOP_LEAVES)
    return None


def _of_an_order(fields: dict[str, Any]) -> Hint:
    if isinstance(fields.get("order_edit"), dict):
        fields = fields["order_edit"]
    if part := _part_in(fields):
        return id_in(part, "order_id") if "order_id" in part else NOTHING
    if "order_id" in fields:
        return id_in(fields, "order_id")
    if "line_items" not in fields and any(name in fields for name in OTHER_THINGS):
        return NOTHING
    return NOTHING if id_text(fields.get("id")) == TEST_NOTIFICATION_ID else id_in(fields, "id")


def _part_in(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The fulfilment order in the body of fulfillment_orders/*: "fulfillment_order", "moved_fulfillment_order", ..."""
    parts = [value for name, value in fields.items() if name.endswith("fulfillment_order") and isinstance(value, dict)]
    return next((part for part in parts if "order_id" in part), parts[0] if parts else None)

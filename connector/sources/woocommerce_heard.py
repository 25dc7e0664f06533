"""What a WooCommerce delivery means: which order to ask for again. Knows no HTTP and no signature.

A delivery says what the shop was like when its queue ran, not what happened (platforms.md 7, WooCommerce 5): a signed
order.created may show an order in the trash, or an error in place of one. Topic and event are headers, and headers are
not signed. So the body's shape decides, and an order named in it is read again; so is one that is said to be deleted.
"""

from __future__ import annotations

from typing import Any, Final

from connector.sources.base import Hint
from connector.sources.heard_body import body_of, id_in, is_form
from connector.sources.json_body import quoted

NOTHING: Final = Hint()

OTHER_THINGS: Final = (
    frozenset(("sku", "permalink")),
    frozenset(("discount_type", "code")),
    frozenset(("username", "is_paying_customer")),
)
"""Fields that together only a product, a coupon, a customer has; all of them have ids, and none is an order's."""
ERROR: Final = frozenset(("code", "message"))
"""What wc/v3 answers in place of an order that is gone (recorded: 080-order.created, 081-order.updated)."""


def hint_of(body: bytes) -> Hint:
    """What a delivery's body means; never raises.

    An order, an order's id alone (order.deleted), a refund: the order is to be read again. An error, a ping, a product,
    a coupon, a customer: nothing. Anything else is a fault.
    """
    if is_form(body):
        return NOTHING
    found = body_of(body)
    return Hint(fault=found) if isinstance(found, str) else _hint(found)


def _hint(fields: dict[str, Any]) -> Hint:
    if "id" not in fields:
        return NOTHING if fields.keys() >= ERROR else Hint(fault=_without_id(fields))
    if any(fields.keys() >= signs for signs in OTHER_THINGS):
        return NOTHING
    name = "parent_id" if "refunded_by" in fields else "id"
    return id_in(fields, name)


def _without_id(fields: dict[str, Any]) -> str:
    what = f"the event {quoted(fields['action'])}" if isinstance(fields.get("action"), str) else "no order"
    return f"A signed delivery names {what} and has no order id in it. Its webhook is to have a topic of orders."

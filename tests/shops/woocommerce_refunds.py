"""Refunds and notes of an order as WooCommerce's JSON. Knows no HTTP."""

from __future__ import annotations

import html
from typing import Any

from tests.shops import woocommerce_times as times
from tests.shops.woocommerce_bodies import Shop, cents, line_body, order_total
from tests.shops.woocommerce_state import Line, Note, Refund, ShopOrder


def refund_body(refund: Refund, order: ShopOrder, shop: Shop) -> dict[str, Any]:
    """As in GET orders/ID/refunds; quantities are negative (recorded: refunds-list)."""
    here = f"{shop.url}/wp-json/wc/v3/orders/{order.id}"
    kind = "full" if refund.total == order_total(order) else "partial"
    return {
        "id": refund.id,
        "date_created": times.local(refund.at, shop.zone),
        "date_created_gmt": times.gmt(refund.at),
        "amount": f"{refund.total:.2f}",
        "reason": refund.reason,
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [{"id": refund.id * 2, "key": "_refund_type", "value": kind}],
        "line_items": [_returned(refund, line) for line in order.lines if line.id in dict(refund.quantities)],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
        "_links": {
            "self": [{"href": f"{here}/refunds/{refund.id}", "targetHints": {"allow": ["GET", "DELETE"]}}],
            "collection": [{"href": f"{here}/refunds"}],
            "up": [{"href": here}],
        },
    }


def note_body(note: Note, order: ShopOrder, shop: Shop) -> dict[str, Any]:
    """As in GET orders/ID/notes; entity-encoded (recorded: order-notes)."""
    here = f"{shop.url}/wp-json/wc/v3/orders/{order.id}"
    return {
        "id": note.id,
        "author": "WooCommerce",
        "date_created": times.local(note.at, shop.zone),
        "date_created_gmt": times.gmt(note.at),
        "note": html.escape(note.text, quote=False),
        "customer_note": note.to_buyer,
        "_links": {
            "self": [{"href": f"{here}/notes/{note.id}", "targetHints": {"allow": ["GET", "DELETE"]}}],
            "collection": [{"href": f"{here}/notes"}],
            "up": [{"href": here}],
        },
    }


def _returned(refund: Refund, line: Line) -> dict[str, Any]:
    quantity = dict(refund.quantities)[line.id]
    money = f"-{cents(quantity * line.product.price):.2f}"
    meta = {"id": refund.id * 2 + 1, "key": "_refunded_item_id", "value": str(line.id)}
    return line_body(line, None) | {
        "id": refund.id * 10,
        "quantity": -quantity,
        "subtotal": money,
        "total": money,
        "price": float(line.product.price),
        "meta_data": [meta | {"display_key": meta["key"], "display_value": meta["value"]}],
    }

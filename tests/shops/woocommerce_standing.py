"""What the shop itself says of an order now, for whoever compares. Knows no HTTP and no JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from tests.shops.woocommerce_state import ShopOrder


class Standing(msgspec.Struct, frozen=True):
    """One order, as a person in the shop would read it off the screen.

    ships        it is paid for and goes out as a parcel (all money given back is a status of its own)
    line1, city  where to: of billing where shipping is empty
    quantities   by SKU, of the lines; refunds of a part are not taken off
    """

    status: str
    ships: bool
    line1: str
    city: str
    quantities: Mapping[str, int]


def standing(order: ShopOrder) -> Standing:
    parcel = order.method not in ("", "local_pickup") and any(not line.product.downloads for line in order.lines)
    quantities: Counter[str] = Counter()
    for line in order.lines:
        quantities[line.product.sku] += line.quantity
    return Standing(
        status=order.status,
        ships=order.status == "processing" and parcel,
        line1=order.address.line1,
        city=order.address.city,
        quantities=dict(quantities),
    )

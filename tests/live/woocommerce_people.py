"""What happens to the orders of a WooCommerce shop, deed by deed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final

from connector.testing.shop_double import Draft
from tests.live.clock import Clock
from tests.live.people import People
from tests.shops.woocommerce import WooCommerceDouble

OPEN: Final = frozenset({"processing", "on-hold"})
STATUSES: Final[Mapping[str, frozenset[str]]] = {
    "pay": frozenset({"on-hold"}),
    "move_house": OPEN,
    "swap_goods": OPEN,
    "cancel": OPEN,
    "refund": frozenset({"processing"}),
    "refund_part": frozenset({"processing"}),
    "fulfil": frozenset({"processing"}),
    "trash": OPEN,
}
"""The statuses in which a deed can be done; the others can be done in any."""


class WooCommercePeople(People):
    """Of a WooCommerce shop."""

    weights: ClassVar[Mapping[str, int]] = {
        "place": 36, "pay": 10, "move_house": 9, "swap_goods": 7, "touch": 5, "cancel": 5, "refund": 3,
        "refund_part": 3, "fulfil": 6, "trash": 4, "restore": 4, "delete": 2,
    }  # fmt: skip

    def __init__(self, shop: WooCommerceDouble, chance: random.Random, clock: Clock, most: int) -> None:
        super().__init__(chance, clock, most)
        self._shop = shop

    def may(self, deed: str, order_id: str) -> bool:
        if deed == "restore":
            return self._in_the_trash() is not None
        order = self._shop.orders.get(int(order_id))
        if order is None or order.status not in STATUSES.get(deed, {order.status}):
            return False
        if deed in ("trash", "delete"):
            return self._is_young(order_id)
        if deed == "refund_part":
            return not order.refunds and order.lines[0].quantity > 1
        return deed != "swap_goods" or not order.refunds

    def pay(self, order_id: str) -> None:
        self._shop.pay(order_id, self.at)

    def move_house(self, order_id: str) -> None:
        """Another address; of the goods the first line stays."""
        line = self._shop.orders[int(order_id)].lines[0]
        self._shop.edit(order_id, self._draft(sku=line.product.sku, quantity=line.quantity), self.at)

    def swap_goods(self, order_id: str) -> None:
        self._shop.edit(order_id, self._draft(), self.at)

    def touch(self, order_id: str) -> None:
        self._shop.touch(order_id, self.at)

    def cancel(self, order_id: str) -> None:
        self._shop.cancel(order_id, self.at)

    def refund(self, order_id: str) -> None:
        self._shop.refund(order_id, self.at)

    def refund_part(self, order_id: str) -> None:
        """One piece of several."""
        line = self._shop.orders[int(order_id)].lines[0]
        self._shop.refund_part(order_id, self.at, {line.product.sku: 1})

    def fulfil(self, order_id: str) -> None:
        self.left.add((order_id, ""))
        self._shop.fulfil(order_id, self.at)

    def trash(self, order_id: str) -> None:
        self._shop.trash(order_id, self.at)

    def restore(self, order_id: str) -> None:
        """Not this order: what has been longest in the trash."""
        self._shop.restore(str(self._in_the_trash()), self.at)

    def delete(self, order_id: str) -> None:
        self.left.discard((order_id, ""))
        self._shop.delete(order_id)

    def _in_the_trash(self) -> int | None:
        return next((number for number, order in self._shop.orders.items() if order.status == "trash"), None)

    def _placed(self, draft: Draft, *, paid: bool) -> str:
        more = [("GC-50", 1)] if self._chance.random() < 0.2 else []
        return self._shop.place(draft, self.at, paid=paid, more=more)

    def _hide(self, order_id: str, until: datetime) -> None:
        self._shop.hide(order_id, until)

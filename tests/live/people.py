"""Buyers and staff of a shop: what they do next, by lot. They know the shop double, and nothing of the connector."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connector.testing.shop_double import Draft
from tests.live.clock import Clock
from tests.shops.shopify import Line, ShopifyDouble
from tests.shops.woocommerce import WooCommerceDouble

TOWNS = (("Auckland", "AUK", "1010"), ("Hamilton", "WKO", "3204"), ("Wellington", "WGN", "6011"))
STREETS = ("Kowhai Street", "Rata Road", "Totara Lane", "Miro Place")
SKUS = ("MUG-1", "HON-250", "TEE-M")
LATELY = 60
"""So many of the newest orders are the ones that most deeds are about."""
WATCHED = timedelta(days=5)
"""Older orders are not deleted: a label that is a week old is watched no more, nor is its order."""


class People:
    """Does one deed after another until `most` orders were placed; then the others go on.

    deeds   how often each was done
    left    orders, and parts of orders, that were sent by another way: their slips are left alone
    late    chance that a new order is seen by the lists only later, and how much later at the most
    """

    weights: ClassVar[Mapping[str, int]]

    def __init__(self, chance: random.Random, clock: Clock, most: int) -> None:
        self.deeds: Counter[str] = Counter()
        self.left: set[tuple[str, str]] = set()
        self.late_chance = 0.0
        self.latest = timedelta(0)
        self.hidden_until = clock.at
        self._chance = chance
        self._clock = clock
        self._most = most
        self._ids: list[str] = []
        self._placed_at: dict[str, datetime] = {}
        self._names = list(self.weights)
        self._shares = list(self.weights.values())

    @property
    def placed(self) -> int:
        return len(self._ids)

    @property
    def at(self) -> datetime:
        return self._clock.at

    def act(self) -> None:
        """One deed. One that can't be done to the order it fell on is none."""
        [deed] = self._chance.choices(self._names, self._shares)
        if deed == "place" or not self._ids:
            self.place()
        elif getattr(self, deed)(self._some_order()):
            self.deeds[deed] += 1

    def place(self) -> None:
        if self.placed >= self._most:
            return
        order_id = self._placed(self._draft(), paid=self._chance.random() < 0.8)
        self._ids.append(order_id)
        self._placed_at[order_id] = self.at
        self.deeds["place"] += 1
        if self._chance.random() < self.late_chance:
            until = self.at + self.latest * self._chance.random()
            self.hidden_until = max(self.hidden_until, until)
            self._hide(order_id, until)

    def _placed(self, draft: Draft, *, paid: bool) -> str:
        raise NotImplementedError

    def _hide(self, order_id: str, until: datetime) -> None:
        raise NotImplementedError

    def _some_order(self) -> str:
        among = self._ids[-LATELY:] if self._chance.random() < 0.7 else self._ids
        return self._chance.choice(among)

    def _is_young(self, order_id: str) -> bool:
        return self.at - self._placed_at[order_id] < WATCHED

    def _draft(self, *, sku: str = "", quantity: int = 0) -> Draft:
        """An address that no order ever had."""
        city, region, postcode = self._chance.choice(TOWNS)
        return Draft(
            line1=f"{sum(self.deeds.values()) + 1} {self._chance.choice(STREETS)}",
            city=city,
            region=region,
            postcode=postcode,
            sku=sku or self._chance.choice(SKUS),
            quantity=quantity or self._chance.randint(1, 4),
        )


class WooCommercePeople(People):
    """Of a WooCommerce shop."""

    weights = {
        "place": 36, "pay": 10, "move_house": 9, "swap_goods": 7, "touch": 5, "cancel": 5, "refund": 3,
        "refund_part": 3, "fulfil": 6, "trash": 4, "restore": 4, "delete": 2,
    }  # fmt: skip

    def __init__(self, shop: WooCommerceDouble, chance: random.Random, clock: Clock, most: int) -> None:
        super().__init__(chance, clock, most)
        self._shop = shop

    def _placed(self, draft: Draft, *, paid: bool) -> str:
        more = [("GC-50", 1)] if self._chance.random() < 0.2 else []
        return self._shop.place(draft, self.at, paid=paid, more=more)

    def _hide(self, order_id: str, until: datetime) -> None:
        self._shop.hide(order_id, until)

    def _is(self, order_id: str, *statuses: str) -> bool:
        order = self._shop.orders.get(int(order_id))
        return order is not None and order.status in statuses

    def pay(self, order_id: str) -> bool:
        return self._is(order_id, "on-hold") and self._did(self._shop.pay(order_id, self.at))

    def move_house(self, order_id: str) -> bool:
        """Another address, the goods stay."""
        if not self._is(order_id, "processing", "on-hold"):
            return False
        line = self._shop.orders[int(order_id)].lines[0]
        draft = self._draft(sku=line.product.sku, quantity=line.quantity)
        return self._did(self._shop.edit(order_id, draft, self.at))

    def swap_goods(self, order_id: str) -> bool:
        if not self._is(order_id, "processing", "on-hold") or self._shop.orders[int(order_id)].refunds:
            return False
        return self._did(self._shop.edit(order_id, self._draft(), self.at))

    def touch(self, order_id: str) -> bool:
        return int(order_id) in self._shop.orders and self._did(self._shop.touch(order_id, self.at))

    def cancel(self, order_id: str) -> bool:
        return self._is(order_id, "processing", "on-hold") and self._did(self._shop.cancel(order_id, self.at))

    def refund(self, order_id: str) -> bool:
        return self._is(order_id, "processing") and self._did(self._shop.refund(order_id, self.at))

    def refund_part(self, order_id: str) -> bool:
        """One piece of several, once."""
        if not self._is(order_id, "processing") or self._shop.orders[int(order_id)].refunds:
            return False
        line = self._shop.orders[int(order_id)].lines[0]
        return line.quantity > 1 and self._did(self._shop.refund_part(order_id, self.at, {line.product.sku: 1}))

    def fulfil(self, order_id: str) -> bool:
        if not self._is(order_id, "processing"):
            return False
        self.left.add((order_id, ""))
        return self._did(self._shop.fulfil(order_id, self.at))

    def trash(self, order_id: str) -> bool:
        if not (self._is_young(order_id) and self._is(order_id, "processing", "on-hold")):
            return False
        return self._did(self._shop.trash(order_id, self.at))

    def restore(self, order_id: str) -> bool:
        """Who restores looks into the trash."""
        found = next((number for number, order in self._shop.orders.items() if order.status == "trash"), None)
        return found is not None and self._did(self._shop.restore(str(found), self.at))

    def delete(self, order_id: str) -> bool:
        if not self._is_young(order_id) or int(order_id) not in self._shop.orders:
            return False
        self.left.discard((order_id, ""))
        return self._did(self._shop.delete(order_id))

    @staticmethod
    def _did(_: None) -> bool:
        return True


class ShopifyPeople(People):
    """Of a shop at Shopify."""

    weights = {
        "place": 36, "pay": 9, "move_house": 8, "swap_goods": 6, "touch": 5, "cancel": 5, "refund": 3,
        "refund_part": 4, "fulfil": 5, "fulfil_part": 2, "hold": 3, "release": 5, "split": 3, "move": 2, "delete": 2,
    }  # fmt: skip

    def __init__(self, shop: ShopifyDouble, chance: random.Random, clock: Clock, most: int) -> None:
        super().__init__(chance, clock, most)
        self._shop = shop

    def _placed(self, draft: Draft, *, paid: bool) -> str:
        lines = [Line(sku, self._chance.randint(1, 4)) for sku in self._chance.sample(SKUS, self._chance.randint(1, 3))]
        later = self.at + timedelta(hours=self._chance.randint(1, 30)) if self._chance.random() < 0.03 else None
        locations = 2 if self._chance.random() < 0.1 else 1
        return self._shop.place(draft, self.at, paid=paid, lines=lines, locations=locations, fulfil_at=later)

    def _hide(self, order_id: str, until: datetime) -> None:
        self._shop.hide(order_id, until)

    def _view(self, order_id: str) -> dict[str, Any] | None:
        """The order while it is open: not gone, not cancelled, with something left to send."""
        state = self._shop._books.states.get(order_id)  # noqa: SLF001
        if state is None or state.view.get("cancelledAt") is not None:
            return None
        return state.view if _open_parts(state.view) else None

    def pay(self, order_id: str) -> bool:
        view = self._view(order_id)
        if view is None or view["displayFinancialStatus"] != "PENDING":
            return False
        self._shop.pay(order_id, self.at)
        return True

    def move_house(self, order_id: str) -> bool:
        view = self._view(order_id)
        if view is None:
            return False
        line = next(line for line in view["lineItems"] if line["unfulfilledQuantity"])
        return self._edit(order_id, self._draft(sku=line["sku"], quantity=line["currentQuantity"]))

    def swap_goods(self, order_id: str) -> bool:
        return self._view(order_id) is not None and self._edit(order_id, self._draft())

    def _edit(self, order_id: str, draft: Draft) -> bool:
        self._shop.edit(order_id, draft, self.at)
        return True

    def touch(self, order_id: str) -> bool:
        if order_id not in self._shop._books.states:  # noqa: SLF001
            return False
        self._shop.touch(order_id, self.at)
        return True

    def cancel(self, order_id: str) -> bool:
        if self._view(order_id) is None or any(owner == order_id for owner, _ in self.left):
            return False
        self._shop.cancel(order_id, self.at)
        return True

    def refund(self, order_id: str) -> bool:
        view = self._view(order_id)
        if view is None or view["displayFinancialStatus"] == "PENDING" or self._has_left(order_id):
            return False
        self._shop.refund(order_id, self.at)
        return True

    def refund_part(self, order_id: str) -> bool:
        """One piece less of its first line that is left."""
        view = self._view(order_id)
        if view is None or view["displayFinancialStatus"] == "PENDING":
            return False
        line = next(line for line in view["lineItems"] if line["unfulfilledQuantity"])
        line_id = line["id"].rpartition("/")[2]
        self._shop.take_off(order_id, self.at, {line_id: line["currentQuantity"] - 1})
        return True

    def fulfil(self, order_id: str) -> bool:
        view = self._view(order_id)
        if view is None:
            return False
        for part in _open_parts(view):
            self.left.add((order_id, self._part(order_id, part)))
        self._shop.fulfil(order_id, self.at)
        return True

    def fulfil_part(self, order_id: str) -> bool:
        view = self._view(order_id)
        if view is None:
            return False
        part = self._chance.choice(_open_parts(view))
        self.left.add((order_id, self._part(order_id, part)))
        self._shop.fulfil(order_id, self.at, part)
        return True

    def hold(self, order_id: str) -> bool:
        if self._view(order_id) is None:
            return False
        self._shop.hold(order_id, self.at)
        return True

    def release(self, order_id: str) -> bool:
        """Who releases looks for what is held."""
        held = next((one for one in reversed(self._ids) if self._is_held(one)), None)
        if held is None:
            return False
        self._shop.release(held, self.at)
        return True

    def split(self, order_id: str) -> bool:
        view = self._view(order_id)
        if view is None:
            return False
        parts = [part for part in view["fulfillmentOrders"] if _left_of(part) > 1]
        if not parts:
            return False
        self._shop.split(order_id, self.at, parts[0]["id"].rpartition("/")[2])
        return True

    def move(self, order_id: str) -> bool:
        view = self._view(order_id)
        if view is None:
            return False
        self._shop.move(order_id, self.at, self._chance.choice(_open_parts(view)), to=self._chance.randint(0, 2))
        return True

    def delete(self, order_id: str) -> bool:
        if not self._is_young(order_id) or order_id not in self._shop._books.states:  # noqa: SLF001
            return False
        self.left -= {key for key in self.left if key[0] == order_id}
        self._shop.delete(order_id)
        return True

    def _has_left(self, order_id: str) -> bool:
        return any(owner == order_id for owner, _ in self.left)

    def _is_held(self, order_id: str) -> bool:
        view = self._view(order_id)
        return view is not None and any(part["status"] == "ON_HOLD" for part in view["fulfillmentOrders"])

    def _part(self, order_id: str, part: str) -> str:
        """As the shop's standing names it: "" for the oldest."""
        return "" if part == min(self._shop.parts(order_id), key=int) else part


def _open_parts(view: dict[str, Any]) -> list[str]:
    return [part["id"].rpartition("/")[2] for part in view["fulfillmentOrders"] if _left_of(part)]


def _left_of(part: dict[str, Any]) -> int:
    if part["status"] in ("CLOSED", "CANCELLED"):
        return 0
    return sum(line["remainingQuantity"] for line in part["lineItems"])

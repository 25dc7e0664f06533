"""What happens to the orders of a shop at Shopify, deed by deed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connector.testing.shop_double import Draft
from tests.live.clock import Clock
from tests.live.people import SKUS, People
from tests.shops.shopify import Line, ShopifyDouble

View = dict[str, Any]


class ShopifyPeople(People):
    """Of a shop at Shopify."""

    weights: ClassVar[Mapping[str, int]] = {
        "place": 36, "pay": 9, "move_house": 8, "swap_goods": 6, "touch": 5, "cancel": 5, "refund": 3,
        "refund_part": 4, "fulfil": 5, "fulfil_part": 2, "hold": 3, "release": 5, "split": 3, "move": 2, "delete": 2,
    }  # fmt: skip

    def __init__(self, shop: ShopifyDouble, chance: random.Random, clock: Clock, most: int) -> None:
        super().__init__(chance, clock, most)
        self._shop = shop

    def may(self, deed: str, order_id: str) -> bool:
        view = self._view(order_id)
        if deed == "release":
            return self._held() is not None
        if view is None or deed == "touch":
            return view is not None
        if deed == "delete":
            return self._is_young(order_id)
        if not _is_open(view):
            return False
        is_paid = bool(view["displayFinancialStatus"] != "PENDING")
        match deed:
            case "pay":
                return not is_paid
            case "cancel":
                return not self._has_left(order_id)
            case "refund":
                return is_paid and not self._has_left(order_id)
            case "refund_part":
                return is_paid
            case "split":
                return any(_left_of(part) > 1 for part in view["fulfillmentOrders"])
        return True

    def pay(self, order_id: str) -> None:
        self._shop.pay(order_id, self.at)

    def move_house(self, order_id: str) -> None:
        """Another address; of the goods the first line stays."""
        line = _first_line(self._order(order_id))
        self._shop.edit(order_id, self._draft(sku=line["sku"], quantity=line["currentQuantity"]), self.at)

    def swap_goods(self, order_id: str) -> None:
        self._shop.edit(order_id, self._draft(), self.at)

    def touch(self, order_id: str) -> None:
        self._shop.touch(order_id, self.at)

    def cancel(self, order_id: str) -> None:
        self._shop.cancel(order_id, self.at)

    def refund(self, order_id: str) -> None:
        self._shop.refund(order_id, self.at)

    def refund_part(self, order_id: str) -> None:
        """One piece less of its first line."""
        line = _first_line(self._order(order_id))
        self._shop.take_off(order_id, self.at, {_plain(line["id"]): line["currentQuantity"] - 1})

    def fulfil(self, order_id: str) -> None:
        for part in _open_parts(self._order(order_id)):
            self.left.add((order_id, self._part(order_id, part)))
        self._shop.fulfil(order_id, self.at)

    def fulfil_part(self, order_id: str) -> None:
        part = self._chance.choice(_open_parts(self._order(order_id)))
        self.left.add((order_id, self._part(order_id, part)))
        self._shop.fulfil(order_id, self.at, part)

    def hold(self, order_id: str) -> None:
        self._shop.hold(order_id, self.at)

    def release(self, order_id: str) -> None:
        """Not this order: the newest that is held."""
        self._shop.release(self._held() or order_id, self.at)

    def split(self, order_id: str) -> None:
        part = next(part for part in self._order(order_id)["fulfillmentOrders"] if _left_of(part) > 1)
        self._shop.split(order_id, self.at, _plain(part["id"]))

    def move(self, order_id: str) -> None:
        part = self._chance.choice(_open_parts(self._order(order_id)))
        in_place = self._chance.random() < 0.7
        self._shop.move(order_id, self.at, part, to=self._chance.randint(0, 2), in_place=in_place)

    def delete(self, order_id: str) -> None:
        self.left -= {key for key in self.left if key[0] == order_id}
        self._shop.delete(order_id)

    def _placed(self, draft: Draft, *, paid: bool) -> str:
        lines = [Line(sku, self._chance.randint(1, 4)) for sku in self._chance.sample(SKUS, self._chance.randint(1, 3))]
        later = self.at + timedelta(hours=self._chance.randint(1, 30)) if self._chance.random() < 0.03 else None
        locations = 2 if self._chance.random() < 0.1 else 1
        return self._shop.place(draft, self.at, paid=paid, lines=lines, locations=locations, fulfil_at=later)

    def _hide(self, order_id: str, until: datetime) -> None:
        self._shop.hide(order_id, until)

    def _view(self, order_id: str) -> View | None:
        """The order as staff see it; None once it is deleted."""
        state = self._shop._books.states.get(order_id)
        return state.view if state else None

    def _order(self, order_id: str) -> View:
        return self._shop._books.view(order_id)

    def _has_left(self, order_id: str) -> bool:
        return any(owner == order_id for owner, _ in self.left)

    def _held(self) -> str | None:
        return next((one for one in reversed(self._ids) if self._is_held(one)), None)

    def _is_held(self, order_id: str) -> bool:
        view = self._view(order_id)
        if view is None or all(part["status"] != "ON_HOLD" for part in view["fulfillmentOrders"]):
            return False
        return _is_open(view)

    def _part(self, order_id: str, part: str) -> str:
        """As the shop's standing names it: "" for the oldest."""
        return "" if part == min(self._shop.parts(order_id), key=int) else part


def _is_open(view: View) -> bool:
    """Not cancelled, and something is left to send."""
    return view.get("cancelledAt") is None and bool(_open_parts(view))


def _open_parts(view: View) -> list[str]:
    return [_plain(part["id"]) for part in view["fulfillmentOrders"] if _left_of(part)]


def _left_of(part: View) -> int:
    if part["status"] in ("CLOSED", "CANCELLED"):
        return 0
    return sum(line["remainingQuantity"] for line in part["lineItems"])


def _first_line(view: View) -> View:
    line: View = next(line for line in view["lineItems"] if line["unfulfilledQuantity"])
    return line


def _plain(gid: str) -> str:
    return gid.rpartition("/")[2]

"""Buyers and staff of a shop: what they do next, by lot. They know a shop double, and nothing of the connector."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from connector.testing.shop_double import Draft
from tests.live.clock import Clock

TOWNS = (("Auckland", "AUK", "1010"), ("Hamilton", "WKO", "3204"), ("Wellington", "WGN", "6011"))
STREETS = ("Kowhai Street", "Rata Road", "Totara Lane", "Miro Place")
SKUS = ("MUG-1", "HON-250", "TEE-M")
LATELY = 60
"""So many of the newest orders are the ones that most deeds are about."""
WATCHED = timedelta(days=3)
"""Older orders are not deleted: a label that is a week old is watched no more, nor is its order, and the shop may be
out of reach for half of that week."""


class People:
    """Does one deed after another; no more than `most` orders are placed.

    weights  the deeds beside placing, each a method that takes an order's id, and how often each comes
    deeds    how often each was done
    left     orders, and parts of orders, that were sent by another way: their slips are left alone
    late_chance   that the shop's lists show a new order only later, by up to `latest`; hidden_until  when all are shown
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
            return
        order_id = self._some_order()
        if self.may(deed, order_id):
            getattr(self, deed)(order_id)
            self.deeds[deed] += 1

    def may(self, deed: str, order_id: str) -> bool:
        """Whether this can be done to this order, as it is in the shop now."""
        raise NotImplementedError

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

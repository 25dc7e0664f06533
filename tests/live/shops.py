"""Shop doubles in which things happen between any two of their answers: how rows shift while somebody pages."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from connector.sources.base import Source
from connector.sources.shopify import ShopifySource
from connector.sources.woocommerce import WooCommerceSource
from connector.testing.shop_server import Request, Response
from tests.live.clock import Clock
from tests.live.people import People
from tests.live.shopify_people import ShopifyPeople
from tests.live.woocommerce_people import WooCommercePeople
from tests.shops.shopify import ShopifyDouble
from tests.shops.woocommerce import WooCommerceDouble

KINDS: Final = ("before-10.4", "posts", "hpos", "shopify")


def nothing() -> None:
    """What happens while nobody is there."""


class BusyWooCommerce(WooCommerceDouble):
    """meanwhile  is called before each answer; calls  answers so far"""

    def __init__(self, behaviour: str, seed: int) -> None:
        super().__init__(behaviour, seed=seed)
        self.meanwhile: Callable[[], None] = nothing
        self.calls = 0

    def _answer(self, request: Request) -> Response:
        self.calls += 1
        self.meanwhile()
        return super()._answer(request)


class BusyShopify(ShopifyDouble):
    """The same of a shop at Shopify."""

    def __init__(self, seed: int, **habits: Any) -> None:
        super().__init__(seed, **habits)
        self.meanwhile: Callable[[], None] = nothing
        self.calls = 0

    def answer(self, request: Request) -> Response:
        self.calls += 1
        self.meanwhile()
        return super().answer(request)


BusyShop = BusyWooCommerce | BusyShopify


def opened(kind: str, chance: random.Random, clock: Clock, orders: int) -> tuple[BusyShop, People, type[Source]]:
    """A shop of this kind with its habits by lot, its people, and the source that reads it."""
    seed = chance.randrange(1_000_000)
    if kind == "shopify":
        busy = BusyShopify(seed, **shopify_habits(chance))
        return busy, ShopifyPeople(busy, chance, clock, orders), ShopifySource
    shop = BusyWooCommerce(kind, seed)
    return shop, WooCommercePeople(shop, chance, clock, orders), WooCommerceSource


def shopify_habits(chance: random.Random) -> Mapping[str, Any]:
    """Points that run out, an index that is late, pages out of order, rows that come twice."""
    return {
        "throttle": True,
        "bucket": chance.choice((1000.0, 2000.0)),
        "restore_rate": chance.choice((50.0, 100.0)),
        "throttled_status": chance.choice((200, 429)),
        "lag_s": (0.0, float(chance.choice((0, 5, 40, 300)))),
        "stale_rows": chance.random() < 0.5,
        "disorder_s": float(chance.choice((0, 3, 60))),
        "repeats": chance.choice((0, 3)),
        "routed_after_s": float(chance.choice((0, 20))),
        "parts_move_order": chance.random() < 0.5,
        "cursor_life_s": float(chance.choice((0, 0, 120))),
    }

"""A Shopify source on a double of its shop, for tests: the shop's clock is the only one, and waiting moves it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.order import Order
from connector.sources.base import Page, SourceContext
from connector.sources.shopify import ShopifySource
from connector.testing.shop_double import Draft
from tests.shops.shopify import ShopifyDouble

START = datetime(2026, 11, 3, tzinfo=UTC)


def source(double: ShopifyDouble, patch: pytest.MonkeyPatch, *, stops: bool = False, **options: Any) -> ShopifySource:
    """The source for this shop, with small pages, so that lists have edges. stops  its waits say that we are to stop;
    options  over the shop's own table."""
    for name, value in double.environment().items():
        patch.setenv(name, value)
    table = {**double.source_table(), "page_size": 10, **options}
    del table["kind"]

    def wait(seconds: float) -> bool:
        double.set_clock(double.now + timedelta(seconds=seconds))
        return stops

    read = ShopifySource.options().model_validate(table, context={"folder": Path()})
    return ShopifySource(read, SourceContext("kiwi", ".", "Pacific/Auckland", lambda: double.now, wait))


def at(minutes: float = 0) -> datetime:
    return START + timedelta(minutes=minutes)


def placed(shop: ShopifyDouble, number: int, *, every_min: float = 1, start_min: float = 0) -> list[str]:
    """So many orders, one after the other; their ids."""
    return [shop.place(Draft(line1=f"{n + 1} Kowhai Street"), at(start_min + n * every_min)) for n in range(number)]


def orders(pages: Sequence[Page]) -> list[Order]:
    return [order for page in pages for order in page.orders]


def ids(pages: Sequence[Page]) -> set[str]:
    return {order.id for order in orders(pages)}


def walked(reader: ShopifySource, cursor: str = "") -> tuple[list[Page], str]:
    """One run from the cursor: its pages, and the cursor to keep."""
    pages = list(reader.pages(cursor))
    return pages, pages[-1].cursor


def calls(shop: ShopifyDouble) -> int:
    """Questions so far, those that a fault spoiled among them."""
    assert shop.server is not None
    return len(shop.server.heard)

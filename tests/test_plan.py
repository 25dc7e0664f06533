"""The plan of a shop that can be asked: where its lists leave a doubt, the order itself is looked at, as by a sync."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from connector.fetch import Visit
from connector.ledger.connection import Ledger, in_memory
from connector.order import Order
from connector.plan import Action, plan
from connector.report import Hooks, Report
from connector.sources.base import Page
from connector.sync import fetch_store
from tests.ledger.given import DAY, START, open_alerts, rules, sent, state, terms
from tests.road.source import LiveShop, address

NOW = START + DAY
HOOKS = Hooks(now=lambda: NOW, wait=lambda _: None)


class OddLists(LiveShop):
    """A shop whose lists show other things than its orders: in place of an order, or beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.instead: dict[str, Order] = {}
        self.beside: tuple[Order, ...] = ()

    def pages(self, cursor: str) -> Iterator[Page]:
        for page in super().pages(cursor):
            orders = tuple(self.instead.get(order.id, order) for order in page.orders)
            yield msgspec.structs.replace(page, orders=orders + self.beside)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        yield ledger


def planned(ledger: Ledger, shop: LiveShop, *, from_the_start: bool = False) -> dict[str, Action]:
    lines = plan(rules(), terms(), shop, ledger.db, NOW, Report("kiwi"), from_the_start=from_the_start)
    return {line.order: line.action for line in lines}


def fetched(ledger: Ledger, shop: LiveShop, *, from_the_start: bool = False) -> None:
    fetch_store(rules(), terms(), shop, ledger, HOOKS, Visit(from_the_start=from_the_start))


def test_S27_a_list_that_lags_behind_the_order_itself_plans_nothing(ledger: Ledger) -> None:
    shop = OddLists()
    shop.add("A1", "A2")
    yesterday = shop.orders["A1"]
    shop.edit("A1", street="2 New Road")
    fetched(ledger, shop)
    sent(ledger, now=NOW)
    shop.instead = {"A1": yesterday}
    assert planned(ledger, shop, from_the_start=True) == {"A1": Action.UNCHANGED, "A2": Action.UNCHANGED}
    fetched(ledger, shop, from_the_start=True)
    assert sent(ledger, now=NOW + timedelta(hours=1)) == []


def test_S27_an_order_that_a_list_shows_in_two_ways_is_planned_as_the_shop_has_it(ledger: Ledger) -> None:
    shop = OddLists()
    shop.add("A1")
    shop.beside = (msgspec.structs.replace(shop.orders["A1"], ship_to=address("9 Other Road")),)
    assert planned(ledger, shop) == {"A1": Action.CREATE}
    fetched(ledger, shop)
    assert (state(ledger, "A1"), open_alerts(ledger)) == ("owed", [])


def test_S27_an_order_in_doubt_that_the_shop_no_longer_has_is_planned_to_be_withdrawn(ledger: Ledger) -> None:
    shop = OddLists()
    shop.add("A1", "A2")
    fetched(ledger, shop)
    sent(ledger, now=NOW)
    lagging = msgspec.structs.replace(shop.orders["A1"], ship_to=address("9 Other Road"))
    shop.delete("A1")
    shop.beside = (lagging,)
    assert planned(ledger, shop, from_the_start=True) == {"A1": Action.DELETE, "A2": Action.UNCHANGED}


def test_S27_a_change_date_that_went_back_and_changes_nothing_is_not_called_a_wait(ledger: Ledger) -> None:
    shop = LiveShop()
    shop.add("A0", "A1")
    fetched(ledger, shop)
    sent(ledger, now=NOW)
    shop.orders["A1"] = msgspec.structs.replace(shop.orders["A1"], revision="00000000", tags=("gift",))
    assert planned(ledger, shop, from_the_start=True)["A1"] is Action.UNCHANGED

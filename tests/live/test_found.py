"""What the histories brought to light, each in its smallest form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.ledger.connection import Ledger, in_memory
from connector.plan import Action, plan
from connector.report import Report
from connector.sandbox.handle import Sandbox
from connector.sandbox.options import Options
from connector.sandbox.server import running
from connector.sources.base import LiveSource
from connector.testing.shop_double import Draft
from tests.live.clock import START
from tests.live.shops import BusyShopify
from tests.live.world import Case, World
from tests.shops.shopify import Line


@pytest.fixture(scope="module")
def gss() -> Iterator[Sandbox]:
    with running(Options(port=0)) as sandbox:
        yield sandbox


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        yield ledger


def moved(shop: BusyShopify, order_id: str, at: timedelta) -> None:
    shop.move(order_id, START + at)


def refunded(shop: BusyShopify, order_id: str, at: timedelta) -> None:
    shop.refund(order_id, START + at)


@pytest.mark.parametrize("deed", [moved, refunded])
def test_a_fulfilment_order_that_closed_without_being_sent_is_taken_back(
    deed: Callable[[BusyShopify, str, timedelta], None], gss: Sandbox, ledger: Ledger, tmp_path: Path
) -> None:
    """A move may close it, a refund does: "completed and closed" isn't all that CLOSED means
    (https://shopify.dev/docs/api/admin-graphql/latest/payloads/FulfillmentOrderMovePayload)."""
    gss.reset()
    world = World(Case("shopify", 0), gss, tmp_path)
    assert isinstance(world.shop, BusyShopify)
    with world.shop:
        order_id = world.shop.place(Draft(quantity=2), START)
        world.clock.at = START + timedelta(minutes=10)
        world.sync(ledger)
        assert pending(gss) == 1
        deed(world.shop, order_id, timedelta(minutes=20))
        for minutes in (30, 45):
            world.clock.at = START + timedelta(minutes=minutes)
            world.sync(ledger)
        ships = sum(said["ships"] for said in world.shop.now_holds().values())
        world.client.close()
    assert pending(gss) == ships


OTHERS = "read_third_party_fulfillment_orders"


def moved_to_a_service(shop: BusyShopify, order_id: str, at: timedelta) -> None:
    """Whole: it stays the same fulfilment order, which the app sees no more
    (https://shopify.dev/docs/api/admin-graphql/latest/mutations/fulfillmentOrderMove)."""
    shop.move(order_id, START + at, to=2, in_place=True)
    shop.touch(order_id, START + at)


def scope_gained(shop: BusyShopify, order_id: str, at: timedelta) -> None:
    shop.habits.scopes |= {OTHERS}
    shop.touch(order_id, START + at)


def scope_lost(shop: BusyShopify, order_id: str, at: timedelta) -> None:
    shop.habits.scopes -= {OTHERS}
    shop.touch(order_id, START + at)


@pytest.mark.parametrize(
    ("deed", "service"),
    [(moved_to_a_service, "Petone Store"), (scope_gained, "Penrose Warehouse"), (scope_lost, "Penrose Warehouse")],
)
def test_T11_a_fulfilment_order_keeps_its_slip_whichever_others_the_app_may_see(
    deed: Callable[[BusyShopify, str, timedelta], None], service: str, gss: Sandbox, ledger: Ledger, tmp_path: Path
) -> None:
    """The oldest one that is shown has the plain number; another one is the oldest when that one is hidden or shown."""
    gss.reset()
    world = World(Case("shopify", 0), gss, tmp_path)
    shop = world.shop
    assert isinstance(shop, BusyShopify)
    shop.habits.services = frozenset({service})
    shop.habits.scopes -= frozenset() if deed is scope_lost else {OTHERS}
    with shop:
        order_id = shop.place(Draft(), START, lines=(Line("MUG-1"), Line("TEE-M")), locations=2)
        world.clock.at = START + timedelta(minutes=10)
        world.sync(ledger)
        before = {number: goods for number, goods in pending_goods(gss) if "TEE-M" in goods}
        known = {number for number, _ in pending_goods(gss)}
        deed(shop, order_id, timedelta(minutes=20))
        shop.set_clock(START + timedelta(minutes=29))
        planned = to_be_created(world, ledger)
        for minutes in (30, 45, 60):
            world.clock.at = START + timedelta(minutes=minutes)
            world.sync(ledger)
        world.client.close()
    after = pending_goods(gss)
    assert planned == {number for number, _ in after} - known
    assert {number: goods for number, goods in after if "TEE-M" in goods} == before
    assert len(before) == 1
    goods = [sku for _, skus in after for sku in skus]
    assert len(goods) == len(set(goods)), "one parcel on two slips"


def to_be_created(world: World, ledger: Ledger) -> set[str]:
    """The numbers that a dry run would create."""
    source = world._source()
    assert isinstance(source, LiveSource)
    lines = list(plan(world._rules, world._terms, source, ledger.db, world.clock.at, Report("kiwi")))
    source.close()
    return {line.number for line in lines if line.action is Action.CREATE}


def pending_goods(gss: Sandbox) -> list[tuple[str, tuple[str, ...]]]:
    """The number and the goods of each slip that is pending."""
    return [
        (order["number"], tuple(product["productcode"] for product in order["sent"]["products"]))
        for order in gss.orders()
        if order["state"] == "pending"
    ]


@pytest.mark.parametrize("kind", ["before-10.4", "hpos"])
def test_a_run_that_goes_on_with_an_interrupted_walk_shows_what_was_changed_since(
    kind: str, gss: Sandbox, ledger: Ledger, tmp_path: Path
) -> None:
    """A change of an order that the walk had passed comes a run later; if a sweep is due, it counts as missed."""
    gss.reset()
    world = World(Case(kind, 0, sweeps=False), gss, tmp_path)
    world.page_size = 5
    with world.shop:
        ids = [world.shop.place(Draft(), START + timedelta(minutes=minute)) for minute in range(12)]
        world.clock.at = START + timedelta(minutes=30)
        world.sync(ledger)
        for order_id in ids:
            world.shop.touch(order_id, START + timedelta(minutes=50))
        world.clock.at = START + timedelta(hours=1)
        world.sync(ledger, stops_after=1)
        world.shop.edit(ids[0], Draft(line1="7 Miro Place"), START + timedelta(hours=2))
        world.clock.at = START + timedelta(hours=3)
        world.sync(ledger)
        world.client.close()
    assert gss.order(ids[0])["sent"]["address2"] == "7 Miro Place"


def test_P14_what_is_open_at_shopify_goes_out_though_our_clock_is_a_day_behind(
    gss: Sandbox, ledger: Ledger, tmp_path: Path
) -> None:
    """OPEN is "ready for fulfilment"; only SCHEDULED waits for its time
    (https://shopify.dev/docs/api/admin-graphql/latest/enums/FulfillmentOrderStatus)."""
    gss.reset()
    world = World(Case("shopify", 0, clock_off_h=-24), gss, tmp_path)
    with world.shop:
        world.shop.place(Draft(), START)
        world.clock.at = START + timedelta(minutes=10)
        world.sync(ledger)
        world.client.close()
    assert pending(gss) == 1


@pytest.mark.parametrize("hours", [-24, 24])
def test_P14_what_is_scheduled_at_shopify_waits_for_the_shop_s_clock_and_not_for_ours(
    gss: Sandbox, ledger: Ledger, tmp_path: Path, hours: int
) -> None:
    """SCHEDULED "will be ready for fulfillment after the date and time specified in fulfill_at"
    (https://shopify.dev/docs/api/admin-graphql/latest/enums/FulfillmentOrderStatus)."""
    gss.reset()
    world = World(Case("shopify", 0, clock_off_h=hours), gss, tmp_path)
    assert isinstance(world.shop, BusyShopify)
    due = START + timedelta(hours=3)
    there = []
    with world.shop:
        world.shop.place(Draft(), START, fulfil_at=due)
        for minutes in (-170, -90, -1, 1):
            world.clock.at = due + timedelta(minutes=minutes)
            world.sync(ledger, sweep_every=timedelta(0) if minutes > 0 else timedelta(days=1))
            there.append(pending(gss))
        world.client.close()
    assert there == [0, 0, 0, 1]


def test_what_is_scheduled_goes_out_at_its_time_without_a_sweep(gss: Sandbox, ledger: Ledger, tmp_path: Path) -> None:
    """Our clock is ahead: the shop is asked at every visit until its own clock has come there."""
    gss.reset()
    world = World(Case("shopify", 0, clock_off_h=24, sweeps=False), gss, tmp_path)
    assert isinstance(world.shop, BusyShopify)
    there = []
    with world.shop:
        world.shop.place(Draft(), START, fulfil_at=START + timedelta(hours=3))
        for hours in (1, 2, 4):
            world.clock.at = START + timedelta(hours=hours)
            world.sync(ledger)
            there.append(pending(gss))
        world.client.close()
    assert there == [0, 0, 1]


def pending(gss: Sandbox) -> int:
    return sum(order["state"] == "pending" for order in gss.orders())

"""A shop that can be asked: doubts are asked about, deleted orders are withdrawn, and a sweep finds what no cursor
showed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.fetch import Visit
from connector.ledger import people, queries, sweeps
from connector.order import Order
from connector.plan import Action, plan
from connector.report import Report
from connector.sources.base import Unreachable
from tests.road.source import LiveShop, address
from tests.road.world import Road


@pytest.fixture
def live(road: Road) -> LiveShop:
    shop = LiveShop()
    road.shop = shop
    return shop


def swept(road: Road) -> str | None:
    row = road.ledger.db.execute("SELECT swept_at FROM stores").fetchone()
    return row[0] if row else None


def test_an_undated_edit_that_a_page_shows_is_asked_for_and_sent(road: Road, live: LiveShop) -> None:
    """Posts storage of WooCommerce dates no edit of an address; the overlap shows the order again (platforms.md 7)."""
    road.send_and_confirm("A1", "A2")
    live.edit_undated("A1", street="7 Rata Street")
    report = road.sync(road.whole_live_shop())
    assert live.asked == [["A1"]]
    assert (road.stored("A1"), report.changed, report.held) == ("7 rata street", 1, 0)


def test_a_page_is_not_recorded_before_its_doubts_are_answered(road: Road, live: LiveShop) -> None:
    """Else the cursor would pass an edit that nobody took."""
    road.send_and_confirm("A1")
    cursor = live.cursors_asked[-1]
    live.edit_undated("A1", street="7 Rata Street")
    live.add("A2")
    live.fails_when_asked = Unreachable("down")
    report = road.sync(road.whole_live_shop())
    assert (report.problem, road.states("A2")) == ("down", [])
    live.fails_when_asked = None
    road.sync(road.whole_live_shop())
    assert cursor and (road.stored("A1"), road.state("A2")) == ("7 rata street", "accepted")


def test_P16_a_stop_among_the_doubts_of_a_page_lets_none_of_them_go(road: Road, live: LiveShop) -> None:
    """The page is recorded, and its cursor kept, only once every doubt of it is answered."""
    live.page_size = 500
    numbers = live.many(130)
    road.sync()
    road.settle()
    kept = road.ledger.db.execute("SELECT cursor FROM cursors").fetchone()
    for number in numbers:
        live.edit_undated(number, street=f"{number} Rata Street")
    live.add("A1")
    road.sync(road.whole_live_shop(), stopping=lambda: bool(live.asked))
    assert road.ledger.db.execute("SELECT cursor FROM cursors").fetchone() == kept
    assert road.states("A1") == []
    road.sync(road.whole_live_shop())
    assert all(road.stored(number) == f"{number} rata street".lower() for number in numbers)


def test_a_stop_before_the_sweep_asks_the_shop_for_nothing_more(road: Road, live: LiveShop) -> None:
    live.add("A1", hold_until=datetime(2026, 11, 23, 10, 0, tzinfo=UTC))
    road.sync()
    road.clock.at += timedelta(hours=25)
    road.sync(stopping=lambda: bool(live.asked))
    assert (live.asked, live.sweeps) == ([["A1"]], 0)


def test_an_order_that_one_page_shows_twice_differently_is_asked_for(road: Road, live: LiveShop) -> None:
    live.add("A1")
    now = live.orders["A1"]
    live.orders["A1-seen-before"] = type(now)(
        **{name: getattr(now, name) for name in now.__struct_fields__} | {"ship_to": address("1 Old Road")}
    )
    report = road.sync()
    assert (live.asked, report.held) == ([["A1"]], 0)
    assert road.stored("A1") == live.orders["A1"].ship_to.line1.lower()


def test_P22_a_change_date_that_went_back_is_asked_about_taken_and_told(road: Road, live: LiveShop) -> None:
    """A shop restored from a backup: its word now is what counts, and a person hears of it."""
    road.send_and_confirm("A1")
    before = live.orders["A1"]
    live.edit("A1", street="8 Rata Street")
    road.later(minutes=6)
    live.orders["A1"] = before
    road.sync(road.whole_live_shop())
    assert road.stored("A1") == before.ship_to.line1.lower()
    assert "went back" in road.kinds("A1")
    assert "restored from a backup" in road.alerts("A1")["went back"]
    again = road.sync(road.whole_live_shop())
    assert (again.changed, len(live.asked)) == (0, 1), "once is enough"


def test_P17_an_order_gone_from_the_shop_is_withdrawn_by_the_sweep(road: Road, live: LiveShop) -> None:
    road.send_and_confirm("A1", "A2")
    live.delete("A1")
    road.sync()
    assert road.state("A1") == "confirmed", "no cursor tells"
    report = road.later(hours=25)
    assert (report.gone, road.gss.order("A1")["state"]) == (1, "deleted")
    assert (road.reason("A1"), road.state("A2")) == ("", "confirmed")
    assert road.later(hours=25).gone == 0, "it is gone once"


def test_P17_reading_it_all_again_is_no_sweep_for_it_shows_no_order_that_is_gone(road: Road, live: LiveShop) -> None:
    road.send_and_confirm("A1", "A2")
    live.delete("A1")
    for _ in range(2):
        road.clock.at += timedelta(hours=24)
        road.sync(visit=Visit(from_the_start=True))
    assert (live.sweeps, road.gss.order("A1")["state"], road.state("A2")) == (2, "deleted", "confirmed")


def test_P17_an_order_gone_after_its_label_was_printed_calls_a_person(road: Road, live: LiveShop) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    road.later(hours=7)
    live.delete("A1")
    road.later(hours=25)
    assert (road.state("A1"), road.kinds("A1")) == ("late", {"late"})
    assert "deleted in the shop" in road.alerts("A1")["late"]


def in_two_parts(road: Road) -> Order:
    """An order of two slips, both at GSS and confirmed; its second part."""
    road.shop.add("A1")
    road.shop.add("A1b", id="A1", part="2")
    road.sync()
    road.settle()
    assert (road.state("A1"), road.state("A1b")) == ("confirmed", "confirmed")
    return road.shop.orders["A1b"]


def test_X2_P17_a_part_that_is_no_longer_shown_is_taken_back_with_its_cancelled_order(
    road: Road, live: LiveShop
) -> None:
    in_two_parts(road)
    del live.orders["A1b"]
    live.cancel("A1")
    report = road.sync()
    assert (report.withdrawn, live.asked) == (2, [["A1"]])
    assert {road.gss.order(number)["state"] for number in ("A1", "A1b-2")} == {"deleted"}
    road.later(hours=25)
    assert road.alerts_open() == 0


def test_P17_a_part_that_is_no_longer_shown_calls_a_person_once_while_its_order_is_to_ship(
    road: Road, live: LiveShop
) -> None:
    part = in_two_parts(road)
    del live.orders["A1b"]
    live.edit("A1", street="7 Rata Street")
    for _ in range(3):
        road.sync(road.whole_live_shop())
    assert (road.state("A1b"), live.asked) == ("confirmed", [["A1"]])
    assert "no longer shows the part of the order" in road.alerts("A1b")["held"]
    assert "still at GSS" in road.alerts("A1b")["held"]
    live.orders["A1b"] = part
    road.sync(road.whole_live_shop())
    assert (road.kinds("A1b"), road.calls("PUT")[-1]) == (set(), ["A1"])


def test_P17_a_part_that_was_never_sent_is_held_while_it_is_not_shown(road: Road, live: LiveShop) -> None:
    live.add("A1")
    live.add("A1b", id="A1", part="2")
    road.read_the_shop()
    part = live.orders.pop("A1b")
    road.sync(road.whole_live_shop())
    assert (road.state("A1"), road.state("A1b")) == ("accepted", "held")
    live.orders["A1b"] = part
    road.sync(road.whole_live_shop())
    assert (road.state("A1b"), road.alerts_open()) == ("accepted", 0)


def test_P17_a_part_whose_label_is_printed_calls_a_person_when_its_order_is_cancelled(
    road: Road, live: LiveShop
) -> None:
    in_two_parts(road)
    road.gss.ticket("A1b-2")
    road.later(hours=7)
    del live.orders["A1b"]
    live.cancel("A1")
    road.sync()
    assert (road.state("A1b"), road.kinds("A1b")) == ("late", {"late"})


def test_S27_a_plan_names_a_part_that_is_no_longer_shown(road: Road, live: LiveShop) -> None:
    in_two_parts(road)
    del live.orders["A1b"]
    for change, action in ((live.edit, Action.WAIT), (live.cancel, Action.DELETE)):
        change("A1")
        lines = plan(road.rules, road.terms, live, road.ledger.db, road.clock.at, Report("kiwi"))
        assert [line.action for line in lines if line.number == "A1b-2"] == [action]


def test_exports_may_show_the_parts_of_an_order_one_by_one(road: Road) -> None:
    in_two_parts(road)
    del road.shop.orders["A1b"]
    road.shop.cancel("A1")
    road.sync()
    assert (road.gss.order("A1")["state"], road.gss.order("A1b-2")["state"]) == ("deleted", "pending")


def test_P17_an_order_that_waited_and_is_gone_waits_no_more(road: Road, live: LiveShop) -> None:
    live.add("A1", hold_until=datetime(2026, 11, 23, 10, 0, tzinfo=UTC))
    road.sync()
    live.delete("A1")
    road.later(hours=2)
    row = road.ledger.db.execute("SELECT decision, reason FROM passed_over").fetchone()
    assert row == ("skip", "The order was deleted in the shop.")


def test_an_order_that_waits_for_its_time_is_asked_for_then(road: Road, live: LiveShop) -> None:
    """Its change date does not move when the time comes (platforms.md 4.1, fulfillAt)."""
    live.add("A1", hold_until=datetime(2026, 11, 23, 10, 0, tzinfo=UTC))
    road.sync()
    road.later(minutes=50)
    assert (road.states("A1"), live.asked) == ([], [])
    road.later(minutes=11)
    assert (road.states("A1"), live.asked) == (["accepted"], [["A1"]])


def test_P29_the_sweep_finds_what_no_cursor_showed_and_counts_it(road: Road, live: LiveShop) -> None:
    road.send_and_confirm("A1")
    live.unseen.add("A2")
    live.add("A2")
    road.sync()
    assert road.states("A2") == []
    report = road.later(hours=25)
    assert (report.missed, report.new, road.state("A2")) == (1, 1, "accepted")
    assert road.later(hours=25).missed == 0


def test_trap_L3_the_sweep_finds_an_undated_edit_that_no_page_shows(road: Road, live: LiveShop) -> None:
    road.send_and_confirm("A1")
    live.edit_undated("A1", street="9 Rata Street")
    road.sync()
    assert road.stored("A1") != "9 rata street"
    report = road.later(hours=25)
    assert (road.stored("A1"), report.changed) == ("9 rata street", 1)


BROKEN = "exports/the-folder-of-the-shop-in-christchurch/2026-11-{day}.csv: line 1: there are bytes that are no text."


def told(road: Road) -> list[str]:
    """What is open of what the shop's pages told."""
    rows = road.ledger.db.execute("SELECT text FROM alerts WHERE closed_at IS NULL AND kind = 'input' ORDER BY id")
    return [row[0] for row in rows]


def test_trap_L13_C3_each_thing_that_a_page_tells_has_an_alert_of_its_own_whatever_words_it_begins_with(
    road: Road, live: LiveShop
) -> None:
    texts = [BROKEN.format(day=day) for day in (20, 21, 22)]
    live.tells = tuple(texts)
    for _ in range(2):
        road.sync()
        assert told(road) == texts
    assert queries.needs_counted(road.ledger.db) == {"input": 3}
    people.dismiss(road.ledger, queries.needs(road.ledger.db)[0].alert or 0, "jane", "mended", road.clock.at)
    live.tells = (BROKEN.format(day=23),)
    road.sync()
    assert told(road) == [*texts[1:], BROKEN.format(day=23)]


def test_a_first_reading_of_the_whole_shop_needs_no_sweep(road: Road, live: LiveShop) -> None:
    live.add("A1")
    road.sync()
    road.sync()
    assert (live.sweeps, swept(road) is not None) == (0, True)


def test_a_sweep_that_fails_is_tried_again_with_the_next_run(road: Road, live: LiveShop) -> None:
    road.send_and_confirm("A1")
    first = swept(road)
    live.lasts = 0
    assert road.later(hours=25).problem == "it asks us to slow down"
    assert swept(road) == first
    live.lasts = None
    road.sync()
    assert (live.sweeps, swept(road) == first) == (2, False)


def test_trap_L3_P17_a_shop_that_lets_no_sweep_come_to_its_end_hides_nothing_of_what_is_open_at_gss(
    road: Road, live: LiveShop
) -> None:
    road.send_and_confirm("A1", "A2")
    live.edit_undated("A1", street="9 Rata Street")
    live.delete("A2")
    live.lasts = 0
    for _ in range(2):
        assert road.later(hours=25).problem
    assert (road.stored("A1"), road.gss.order("A2")["state"]) == ("9 rata street", "deleted")


def test_a_new_order_waits_for_no_long_sweep(road: Road, live: LiveShop) -> None:
    """A slow shop with many open orders takes hours."""
    live.page_size = 1
    road.send_and_confirm("A1", "A2", "A3", "A4")
    seen: list[list[str]] = []

    def goes_on() -> None:
        road.clock.at += timedelta(minutes=2)
        seen.append(road.states("A5"))
        if len(seen) == 1:
            live.add("A5")

    live.amid_a_sweep = goes_on
    polls = len(live.cursors_asked)
    road.later(hours=25)
    assert [len(states) for states in seen[:2]] == [0, 1]
    assert len(live.cursors_asked) - polls <= 1 + len(seen)


def test_a_stop_in_the_middle_of_a_sweep_leaves_it_due(road: Road, live: LiveShop) -> None:
    road.send_and_confirm("A1")
    first = swept(road)
    road.clock.at += timedelta(hours=25)
    asked = iter((False, True))
    road.sync(stopping=lambda: next(asked, True))
    assert swept(road) == first


def test_open_orders_come_in_lots_each_once(road: Road, live: LiveShop) -> None:
    numbers = live.many(250)
    road.sync()
    live.asked.clear()
    road.later(hours=25)
    assert [len(lot) for lot in live.asked] == [100, 100, 50]
    assert sorted(one for lot in live.asked for one in lot) == sorted(numbers)


def test_a_clock_that_went_back_makes_the_sweep_due() -> None:
    from connector.ledger.connection import in_memory

    now = datetime(2026, 11, 23, tzinfo=UTC)
    with in_memory() as ledger:
        db = ledger.db
        db.execute("INSERT INTO stores VALUES ('kiwi', 'x', '2026-11-24T00:00:00.000Z')")
        assert sweeps.is_due(db, "kiwi", now, timedelta(hours=24))
        db.execute("UPDATE stores SET swept_at = '2026-11-22T12:00:00.000Z'")
        assert not sweeps.is_due(db, "kiwi", now, timedelta(hours=24))
        assert sweeps.is_due(db, "kiwi", now, timedelta(hours=12))
        assert sweeps.is_due(db, "moa", now, timedelta(hours=24))

"""A wish to stop, at any moment: what is under way ends, nothing new begins, the next run goes on."""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path

import pytest

from connector.ledger import intake, people
from connector.lock import Busy, StoreLock
from connector.stopping import stopping_on_signals
from tests.road.world import Road


@pytest.mark.parametrize("in_flight", [1, 3])
@pytest.mark.parametrize("moment", [*range(0, 40, 3), 200])
def test_S26_S28_Z1_a_stop_at_any_moment_leaves_no_call_open_and_the_next_run_goes_on(
    road: Road, moment: int, in_flight: int
) -> None:
    numbers = road.shop.many(9)
    road.change_terms(batch_size=2, in_flight=in_flight)
    asked = count()
    road.sync(stopping=lambda: next(asked) >= moment)
    assert all(outcome is not None for _, _, outcome in road.attempts())
    assert road.standing().keys() <= {"owed", "accepted"}
    stored = {order["number"] for order in road.gss.orders()}
    assert stored == {number for number in numbers if number in road_states(road, "accepted")}
    road.sync()
    assert (road.standing(), road.gss.counts()["orders_created"]) == ({"accepted": 9}, 9)
    assert road.gss.counts()["orders_updated"] == 0


def road_states(road: Road, state: str) -> set[str]:
    """The orders whose newest version stands so."""
    rows = road.ledger.db.execute(
        "SELECT s.order_number FROM versions v JOIN slips s ON s.id = v.slip_id WHERE newest = 1 AND state = ?",
        (state,),
    )
    return {row[0] for row in rows}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_S28_Z1_a_signal_during_a_call_lets_it_end_and_starts_no_other(road: Road, number: signal.Signals) -> None:
    road.shop.add("A1", "A2", "A3")
    road.change_terms(batch_size=1)
    around = road.go_around()
    around.before = lambda: os.kill(os.getpid(), number)
    with stopping_on_signals() as stopping:
        report = road.sync(stopping=stopping)
    assert (road.standing(), report.calls, report.owed) == ({"accepted": 1, "owed": 2}, 1, 2)
    assert len(road.gss.requests()) == 1
    road.sync()
    assert road.standing() == {"accepted": 3}


def test_S28_a_stop_while_the_shop_is_read_keeps_what_was_recorded_and_reads_on_from_there(road: Road) -> None:
    road.shop.many(30)
    road.shop.page_size = 10
    asked = count()
    report = road.sync(stopping=lambda: next(asked) >= 1)
    assert (report.read, intake.cursor_of(road.ledger.db, "kiwi")) == (20, "00000020")
    assert road.sync().read == 10
    assert (road.standing(), road.gss.counts()["orders_created"]) == ({"accepted": 30}, 30)


def test_S26_what_a_person_holds_is_not_sent_until_it_is_released(road: Road) -> None:
    road.shop.add("A1", "A2")
    road.sync(stopping=lambda: True)
    people.hold(road.ledger, "kiwi", "A1", "aroha", "the buyer called", road.clock.at)
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    assert (road.state("A1"), road.calls("PUT")) == ("held", [["A2"]])
    people.release(road.ledger, "kiwi", "A1", "aroha", road.clock.at)
    road.sync()
    assert (road.state("A1"), road.stored("A1")) == ("accepted", "2 new road")


def test_D2_while_one_run_has_a_call_under_way_another_is_refused_and_makes_none(road: Road, tmp_path: Path) -> None:
    road.shop.add("A1")
    around = road.go_around()
    refused = []

    def another_run() -> None:
        with pytest.raises(Busy, match=str(os.getpid())) as caught, StoreLock(tmp_path, "kiwi"):
            road.sync()
        refused.append(caught)

    around.before = another_run
    with StoreLock(tmp_path, "kiwi"):
        road.sync()
    assert (len(refused), road.calls("PUT")) == (1, [["A1"]])

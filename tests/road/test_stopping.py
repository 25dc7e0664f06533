"""A wish to stop, at any moment: what is under way ends, nothing new begins, the next run goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Barrier, Event

import pytest
from msgspec.structs import replace

from connector.gosweetspot.answers import Answer
from connector.gosweetspot.client import Client
from connector.ledger import intake, people
from connector.lock import Busy, StoreLock
from connector.stopping import stopping_on_signals
from connector.sync import send_store
from tests.road.clients import Around
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


class LastOnesWait(Around):
    """All calls of the last flight wait for each other, and the wish to stop comes while they do."""

    def __init__(self, client: Client, in_flight: int) -> None:
        super().__init__(client)
        self.wish = Event()
        self._first = 2 * in_flight
        self._begun = count()
        self._all_fly = Barrier(in_flight, action=self.wish.set)

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        if next(self._begun) >= self._first and not self.wish.is_set():
            self._all_fly.wait(timeout=30)
        return super().put(slips)


@pytest.mark.parametrize("by_itself", [False, True])
@pytest.mark.parametrize("in_flight", [2, 8])
def test_S28_a_stop_or_a_lost_lock_while_calls_are_waited_for_starts_no_other(
    road: Road, in_flight: int, by_itself: bool
) -> None:
    """by_itself: sent beside the reading, as the daemon does."""
    road.sync()
    road.shop.many(4 * in_flight)
    road.read_the_shop()
    road.change_terms(batch_size=1, in_flight=in_flight, read_back=False)
    road.client = client = LastOnesWait(road.new_client(), in_flight)
    if by_itself:
        hooks = replace(road.hooks, stopping=client.wish.is_set)
        report = send_store(road.rules, road.terms, road.ledger, client, hooks)
    else:
        report = road.sync(None, stopping=client.wish.is_set)
    assert (report.calls, report.owed) == (3 * in_flight, in_flight)


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

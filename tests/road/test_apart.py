"""Reading and sending as two jobs, as the daemon runs them: neither touches what is the other's."""

from __future__ import annotations

import pytest

from connector.ledger import outbox
from connector.ledger.states import Op
from connector.sync import WrongDestination, fetch_store, next_call, send_store
from tests.road.source import LiveShop
from tests.road.world import Road


def fetch(road: Road) -> int:
    return fetch_store(road.rules, road.terms, road.shop, road.ledger, road.hooks).read


def test_reading_calls_nobody_and_sending_reads_nothing(road: Road) -> None:
    road.shop.add("A1")
    assert fetch(road) == 1
    assert (road.state("A1"), road.gss.requests()) == ("owed", [])
    asked = len(road.shop.cursors_asked)
    report = send_store(road.rules, road.terms, road.ledger, road.client, road.hooks)
    assert (road.state("A1"), report.calls, report.read_back_calls) == ("accepted", 1, 1)
    assert len(road.shop.cursors_asked) == asked


def test_reading_leaves_an_open_attempt_to_whoever_sends(road: Road) -> None:
    road.shop.add("A1")
    fetch(road)
    with road.ledger.writing() as db:
        attempt = outbox.claim(db, "kiwi", 10, 10, road.clock.at)
    assert attempt is not None
    assert attempt.op is Op.PUT
    road.shop.add("A2")
    fetch(road)
    assert road.state("A1") == "sending"


def test_a_reading_that_finds_nothing_new_writes_nothing(road: Road) -> None:
    road.shop = LiveShop()
    road.shop.add("A1")
    fetch(road)
    before = road.ledger.db.total_changes
    fetch(road)
    assert road.ledger.db.total_changes == before


def test_a_backlog_is_sent_in_slices(road: Road) -> None:
    """So that stores which share a key take turns."""
    road.change_terms(batch_size=10)
    road.shop.many(100)
    fetch(road)
    report = send_store(road.rules, road.terms, road.ledger, road.client, road.hooks, most_calls=3)
    assert (report.calls, report.owed, report.read_back_calls) == (3, 70, 1)
    assert next_call(road.terms, road.ledger, road.clock.at) is not None
    for _ in range(4):
        send_store(road.rules, road.terms, road.ledger, road.client, road.hooks, most_calls=3)
    assert road.standing()["accepted"] == 100


def test_nothing_is_due_once_all_is_proven_for_good(road: Road) -> None:
    assert next_call(road.terms, road.ledger, road.clock.at) is None
    road.shop.add("A1")
    fetch(road)
    assert next_call(road.terms, road.ledger, road.clock.at) == road.clock.at
    send_store(road.rules, road.terms, road.ledger, road.client, road.hooks)
    again = next_call(road.terms, road.ledger, road.clock.at)
    assert again is not None
    assert again > road.clock.at


@pytest.mark.parametrize("job", ["fetch", "send"])
def test_G6_neither_goes_on_for_another_account(road: Road, job: str) -> None:
    road.shop.add("A1")
    fetch(road)
    road.change_terms(destination="https://other.example site 1")
    with pytest.raises(WrongDestination):
        fetch(road) if job == "fetch" else send_store(road.rules, road.terms, road.ledger, road.client, road.hooks)

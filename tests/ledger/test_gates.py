"""The gate before GSS: one budget and one back-off per key, for every process and store that uses it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.gosweetspot.answers import Outcome, Verdict
from connector.ledger import gates
from connector.ledger.connection import Ledger, in_memory, open_ledger
from connector.ledger.gates import Budget, Gate, Trouble, after, wait_for
from connector.sender import Pause, Turn, exchange
from tests.ledger.given import (
    HOUR,
    MINUTE,
    ROOT,
    START,
    an_order,
    answers,
    claimed,
    count,
    fails,
    open_alerts,
    rules,
    sent,
    settled,
    states,
    terms,
    the_shop_shows,
)

SECOND = timedelta(seconds=1)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        the_shop_shows(ledger, *(an_order(str(i)) for i in range(10)))
        yield ledger


def turn(ledger: Ledger, places: int = 4, **more: object) -> Turn:
    now = more.pop("now", START)
    return exchange(ledger, terms(**more), [], places, False, now)  # type: ignore[arg-type]


def shut_for(gate: Gate) -> timedelta:
    return (gate.shut_until or START) - START


def test_the_first_failure_makes_careful_from_the_second_on_the_wait_doubles_up_to_15_minutes() -> None:
    gate, waits = Gate(), []
    for _ in range(8):
        gate = after(gate, Trouble.NO_ANSWER, START, None, "500")
        waits.append(shut_for(gate).total_seconds())
    assert waits == [0, 30, 60, 120, 240, 480, 900, 900]
    assert after(gate, None, START, None, "") == Gate()
    assert shut_for(after(Gate(10_000), Trouble.UNREACHABLE, START, None, "")) == 15 * MINUTE


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (None, MINUTE),
        (timedelta(0), SECOND),
        (-HOUR, SECOND),
        (90 * SECOND, 90 * SECOND),
        (timedelta(days=9), 15 * MINUTE),
    ],
)
def test_a_throttle_waits_as_asked_a_minute_unasked_and_never_past_15_minutes(
    asked: timedelta | None, waits: timedelta
) -> None:
    assert shut_for(after(Gate(), Trouble.THROTTLED, START, asked, "429")) == waits


def test_a_wait_gss_asks_for_with_an_error_is_never_shortened() -> None:
    assert shut_for(after(Gate(), Trouble.NO_ANSWER, START, 2 * MINUTE, "503")) == 2 * MINUTE
    assert shut_for(after(Gate(5), Trouble.NO_ANSWER, START, SECOND, "503")) == 8 * MINUTE


def test_a_clock_set_back_opens_the_gate_that_a_wrong_clock_shut() -> None:
    gate = after(Gate(9), Trouble.UNREACHABLE, START + 9 * HOUR, None, "")
    assert gate.is_shut(START + 9 * HOUR)
    assert not gate.is_shut(START)
    assert not gate.is_shut(START + 10 * HOUR)


def test_S16_a_revoked_key_shuts_the_gate_with_one_probe_every_five_minutes_one_alert_and_no_order_blamed(
    ledger: Ledger,
) -> None:
    for minutes in range(0, 30, 5):
        now = START + minutes * MINUTE
        [attempt] = claimed(ledger, places=4, now=now) if minutes else claimed(ledger, places=1, now=now)
        assert len(attempt.items) == (1 if minutes else 10), "a probe is one slip"
        settled(ledger, attempt, fails(Outcome.UNAUTHORISED, "GSS refuses the access key"), now=now)
        shut = turn(ledger, now=now + 4 * MINUTE)
        assert (shut.attempts, shut.pause) == ((), Pause(now + 5 * MINUTE, "GSS refuses the access key"))
    assert set(states(ledger).values()) == {"owed"}
    assert open_alerts(ledger) == ["unauthorised"]
    assert count(ledger, "versions", "strikes > 0") == 0
    mended = START + 30 * MINUTE
    [attempt] = claimed(ledger, now=mended)
    settled(ledger, attempt, answers(attempt), now=mended)
    assert len(sent(ledger, now=mended)) == 9
    assert open_alerts(ledger) == []


def test_S16_a_revoked_key_stops_its_own_store_and_no_other(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(), by=rules("moa", prefix="M"))
    [attempt] = claimed(ledger)
    settled(ledger, attempt, fails(Outcome.UNAUTHORISED))
    assert claimed(ledger) == ()
    assert sent(ledger, to=terms("moa", gate="another key")) == ["M#1"]


def test_S16_stores_of_one_key_share_the_shut_gate(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(), by=rules("moa", prefix="M"))
    [attempt] = claimed(ledger)
    settled(ledger, attempt, fails(Outcome.UNAUTHORISED))
    assert claimed(ledger, terms("moa")) == ()


def test_S19_in_an_outage_the_load_falls_and_no_order_is_blamed(ledger: Ledger) -> None:
    """Everything answers 500: one batch is halved once, then one slip at a time asks, ever less often."""
    calls, now = [], START
    while now < START + 2 * HOUR:
        for attempt in claimed(ledger, places=4, now=now):
            calls.append(((now - START).total_seconds(), len(attempt.items)))
            settled(ledger, attempt, fails(Outcome.SERVER_ERROR, "500"), now=now)
        now += 10 * SECOND
    assert [slips for _, slips in calls] == [10] + [1] * (len(calls) - 1)
    assert len(calls) <= 16, "in two hours"
    assert set(states(ledger).values()) == {"unclear"}
    assert count(ledger, "versions", "strikes > 0") == 0
    assert open_alerts(ledger) == ["no usable answer"]


def test_S19_when_the_outage_is_over_one_canary_opens_the_gate_for_all(ledger: Ledger) -> None:
    [attempt] = claimed(ledger)
    settled(ledger, attempt, fails(Outcome.SERVER_ERROR, "500"))
    [canary] = claimed(ledger, places=4)
    assert len(canary.items) == 1
    assert exchange(ledger, terms(), [], 3, True, START).attempts == (), "while the canary flies nothing follows"
    settled(ledger, canary, answers(canary))
    assert len(sent(ledger)) == 9


def test_S19_a_poisonous_slip_is_found_while_the_others_pass(ledger: Ledger) -> None:
    """New orders come in while it is tried again: that they pass is what tells it from an outage."""
    now = START
    for minute in range(120):
        if minute % 5 == 0:
            the_shop_shows(ledger, an_order(f"new{minute}"), now=now)
        for attempt in claimed(ledger, now=now):
            bad = any(item.number == "#3" for item in attempt.items)
            settled(ledger, attempt, fails(Outcome.SERVER_ERROR, "500") if bad else answers(attempt), now=now)
        now += MINUTE
    found = states(ledger)
    assert found.pop("3") == "held"
    assert set(found.values()) == {"accepted"}
    assert open_alerts(ledger) == ["poison"]


def test_answers_of_no_use_at_all_count_as_an_outage(ledger: Ledger) -> None:
    [attempt] = claimed(ledger)
    settled(ledger, attempt, answers(attempt, Verdict.UNCLEAR))
    assert gates.gate_of(ledger.db, "a key").failures == 1


def test_S14_no_more_than_the_budget_leaves_in_any_minute_or_hour() -> None:
    budget = Budget(per_minute=3, per_hour=5)
    calls = [START, START + SECOND, START + 2 * SECOND]
    assert wait_for(budget, calls[:2], START + 3 * SECOND) == timedelta(0)
    assert wait_for(budget, calls, START + 3 * SECOND) == 57 * SECOND
    assert wait_for(budget, calls, START + MINUTE) == timedelta(0)
    five = [*calls, START + MINUTE, START + 2 * MINUTE]
    assert wait_for(budget, five, START + 5 * MINUTE) == 55 * MINUTE
    assert wait_for(Budget(0, 0), five * 100, START) == timedelta(0)


def test_S14_a_used_up_budget_is_a_pause_with_its_end_and_the_rest_stays_owed(ledger: Ledger) -> None:
    found = turn(ledger, batch_size=1, budget=Budget(3, 1000))
    assert len(found.attempts) == 3
    assert found.pause == Pause(START + MINUTE, "the call budget of this key is used up", is_budget=True)
    assert sum(state == "owed" for state in states(ledger).values()) == 7
    assert gates.calls_left(ledger.db, "a key", Budget(3, 1000), START) == (0, 997)
    assert gates.calls_left(ledger.db, "a key", Budget(0, 0), START) == (None, None)


def test_S14_a_call_that_can_not_be_made_is_not_counted(ledger: Ledger) -> None:
    budget = Budget(1, 1000)
    with ledger.writing() as db:
        assert gates.take_call(db, "k", budget, START) == timedelta(0)
        for _ in range(9):
            assert gates.take_call(db, "k", budget, START) == MINUTE
        assert gates.take_call(db, "k", budget, START + MINUTE) == timedelta(0)
    assert count(ledger, "calls") == 2


def test_S14_calls_older_than_an_hour_are_forgotten(ledger: Ledger) -> None:
    with ledger.writing() as db:
        for hours in range(5):
            gates.take_call(db, "k", Budget(1, 1000), START + hours * HOUR)
    assert count(ledger, "calls") == 1


TAKE_CALLS = """
import sys
from pathlib import Path
from datetime import timedelta
from connector.ledger import gates
from connector.ledger.connection import open_ledger
from tests.ledger.given import START
taken = 0
with open_ledger(Path(sys.argv[1])) as ledger:
    for _ in range(40):
        with ledger.writing() as db:
            taken += gates.take_call(db, "k", gates.Budget(50, 1000), START) == timedelta(0)
print(taken)
"""


def test_S14_two_processes_share_one_budget_of_a_key(tmp_path: Path) -> None:
    open_ledger(tmp_path).close()
    two = [
        subprocess.Popen([sys.executable, "-c", TAKE_CALLS, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    taken = [int(process.communicate(timeout=60)[0]) for process in two]
    assert [process.returncode for process in two] == [0, 0]
    assert sum(taken) == 50, "of eighty asked for"


@pytest.mark.parametrize(
    ("budget", "to_look"),
    [(Budget(60, 1000), Budget(45, 750)), (Budget(1, 3), Budget(1, 3)), (Budget(0, 0), Budget(0, 0))],
)
def test_looking_may_use_three_quarters_of_the_budget_and_none_stays_none(budget: Budget, to_look: Budget) -> None:
    assert budget.to_look() == to_look

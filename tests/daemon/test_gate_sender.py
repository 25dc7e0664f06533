"""Whose turn it is with a key, and when it is nobody's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from connector.daemon import gate_sender
from connector.daemon.gate_sender import FRUITLESS_AGAIN, GateSender
from connector.daemon.numbers import Tallies
from connector.ledger import gates
from connector.ledger.connection import Ledger, in_memory
from connector.ledger.gates import Budget, Gate, Trouble
from connector.report import Report
from connector.sync import Fenced
from tests.ledger.given import START, terms


class Turns(GateSender):
    """A sender of stores that always have something due; each slice comes to what the test says."""

    def __init__(self, comes_to: Report, most: int, *stores: str) -> None:
        house: Any = SimpleNamespace(sending=None, tell_trouble=None, now=lambda: START, stopping=Event())
        house.tallies = SimpleNamespace(failed=lambda *_: None)
        super().__init__("a key", house)
        self.stores = {name: SimpleNamespace(name=name) for name in stores or ["kiwi"]}  # type: ignore[misc]
        self.slices: list[str] = []
        self._comes_to = comes_to
        self._most = most

    def _slice(self, store: Any, *_: object) -> Report:
        self.slices.append(store.name)
        if len(self.slices) == self._most:
            self._house.stopping.set()
        return self._comes_to


@pytest.fixture(autouse=True)
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.opening.terms_of", lambda *_: None)
    monkeypatch.setattr(gate_sender, "next_call", due_to_be_read_back)


def due_to_be_read_back(_terms: object, _ledger: object, _now: object, look_at: datetime | None = None) -> datetime:
    return look_at or START - timedelta(hours=1)


def test_B8_a_slice_that_asked_and_learnt_nothing_leaves_the_key_to_others_for_a_while() -> None:
    turns = Turns(Report("kiwi", read_back_calls=1, pause="refused", pause_until=START), most=20)
    again = turns._turns(None, None)  # type: ignore[arg-type]
    assert (turns.slices, again) == (["kiwi"], START + FRUITLESS_AGAIN)


@pytest.mark.parametrize("more", [{"calls": 1}, {"states": {"accepted": 50}}])
def test_a_slice_that_came_to_something_is_followed_by_the_next(more: dict[str, Any]) -> None:
    turns = Turns(Report("kiwi", read_back_calls=1, **more), most=20)
    turns._turns(None, None)  # type: ignore[arg-type]
    assert len(turns.slices) == 20


def test_stores_that_share_a_key_take_turns_however_much_each_has() -> None:
    turns = Turns(Report("kiwi", calls=4, owed=1000), 6, "kiwi", "moa", "tui")
    turns._turns(None, None)  # type: ignore[arg-type]
    assert turns.slices == ["kiwi", "moa", "tui"] * 2


def test_S14_where_only_looking_waits_for_the_budget_the_other_stores_of_the_key_still_send() -> None:
    later = START + timedelta(minutes=42)
    turns = Turns(Report("kiwi", read_back_calls=1, states={"confirmed": 50}, look_at=later), 6, "kiwi", "moa")
    again = turns._turns(None, None)  # type: ignore[arg-type]
    assert (turns.slices, again) == (["kiwi", "moa"], later)


def test_where_the_gate_is_shut_no_store_of_the_key_is_served() -> None:
    later = START + timedelta(minutes=5)
    turns = Turns(Report("kiwi", pause="unauthorised", pause_until=later), 6, "kiwi", "moa")
    assert (turns._turns(None, None), turns.slices) == (later, ["kiwi"])  # type: ignore[arg-type]


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        yield ledger


def failures_counted(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, sends: Callable[[Ledger], Report], slices: int = 1
) -> int:
    """What /metrics tells of calls that failed, after slices of one store that came to this."""
    here, nothing = terms(budget=Budget(1, 1000)), SimpleNamespace()
    monkeypatch.setattr("connector.opening.terms_of", lambda *_: here)
    monkeypatch.setattr("connector.opening.rules_of", lambda *_: None)
    monkeypatch.setattr(gate_sender, "send_store", lambda *_: sends(ledger))
    log = SimpleNamespace(info=lambda *_, **__: None, warning=lambda *_, **__: None)
    lock = SimpleNamespace(is_ours=lambda: True, refuse_if_lost=lambda: None)
    locks = SimpleNamespace(held_to_send=lambda _: nullcontext(lock))
    house: Any = SimpleNamespace(
        sending=None, tell_trouble=None, now=lambda: START, stopping=Event(), log=log, locks=locks,
        hooks=lambda *_: nothing, tallies=Tallies(), at=lambda *_: None,
    )  # fmt: skip
    sender = GateSender("a key", house)
    key = SimpleNamespace(resolve=lambda: None)
    store: Any = SimpleNamespace(name="kiwi", gosweetspot=SimpleNamespace(access_key=key))
    sender.stores = {"kiwi": store}
    clients: Any = SimpleNamespace(of=lambda *_: None)
    for _ in range(slices):
        sender._busy_until.clear()
        due = iter([START])
        monkeypatch.setattr(gate_sender, "next_call", lambda *_, due=due: next(due, None))
        sender._turns(ledger, clients)
    return int(house.tallies.failures("kiwi").get("gosweetspot", 0))


def waits_for_its_budget(ledger: Ledger) -> Report:
    with ledger.writing() as db:
        gates.take_call(db, "a key", Budget(1, 1000), START)
    return Report("kiwi", calls=1, pause="the call budget", pause_until=START + timedelta(seconds=30))


def fails_first(ledger: Ledger) -> Report:
    """The first failure makes the gate careful and shuts nothing."""
    with ledger.writing() as db:
        gates.keep_gate(db, "a key", gates.after(Gate(), Trouble.NO_ANSWER, START, None, "503"))
    return Report("kiwi", calls=2)


def fails_behind_the_fence(ledger: Ledger) -> Report:
    fails_first(ledger)
    raise Fenced("503")


@pytest.mark.parametrize(
    ("sends", "failed"), [(waits_for_its_budget, 0), (fails_first, 1), (fails_behind_the_fence, 1)]
)
def test_a_failed_call_is_counted_once_and_waiting_for_the_budget_is_none(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, sends: Callable[[Ledger], Report], failed: int
) -> None:
    assert failures_counted(ledger, monkeypatch, sends) == failed


def test_a_gate_that_stays_shut_counts_no_failure_more(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    fails_first(ledger)
    assert failures_counted(ledger, monkeypatch, waits_for_its_budget, slices=3) == 0

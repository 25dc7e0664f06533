"""Whose turn it is with a key, and when it is nobody's."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from connector.daemon import gate_sender
from connector.daemon.gate_sender import FRUITLESS_AGAIN, GateSender
from connector.report import Report
from tests.ledger.given import START


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

"""The night's housekeeping inside the daemon: what it finds ends the daemon, and its work shows that it moves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from connector import log
from connector.config import load_stores
from connector.daemon import errand
from connector.daemon.connections import Connections
from connector.daemon.held_locks import HeldLocks
from connector.daemon.house import House
from connector.daemon.housekeeper import Housekeeper
from connector.gosweetspot.answers import Outcome
from connector.gosweetspot.client import Recent
from connector.inbox.box import Inbox
from connector.keeping import twin
from connector.ledger.connection import open_ledger
from connector.wire import door
from tests.daemon.running import Place
from tests.keeping.test_tidy import damage


class AtOnce(Executor):
    """Does what it is handed before it returns."""

    def submit(self, do: Any, /, *args: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(do(*args, **named))
        return done


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    state = tmp_path / "state"
    with open_ledger(state) as ledger, Inbox.open(state) as inbox:
        made = House(state, Connections(ledger), HeldLocks(state), inbox, AtOnce(), AtOnce(), log.logger())
        yield made
        made.connections.close()


class Silent:
    """GSS behind a black hole: every call to it takes its whole deadline, by a clock of our own.

    longest_s  how long the errand had given no sign of life, at most, when a call came to its end
    """

    date = ""

    def __init__(self) -> None:
        self.calls = 0
        self.longest_s = 0.0
        self.watched: errand.Errand[None]
        self._now_s = 0.0

    def monotonic(self) -> float:
        return self._now_s

    def recent(self, *_: object) -> Recent:
        self.exchange()
        return Recent(Outcome.UNKNOWN, note="no answer in time")

    def exchange(self, *_: object) -> Silent:
        self.calls += 1
        self._now_s += 30.0
        self.longest_s = max(self.longest_s, self.watched.still_for_s())
        return self

    def close(self) -> None: ...


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Silent:
    made = Silent()
    monkeypatch.setattr(errand, "time", made)
    for room, name in ((twin, "Client"), (door, "Door")):
        monkeypatch.setattr(room, name, lambda *_, **__: made)
    return made


@pytest.fixture
def keeper(house: House, silent: Silent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Housekeeper:
    """Of three stores, each with a key and an address of its own."""
    place = Place(tmp_path, "")
    for number in range(3):
        monkeypatch.setenv(f"KEY_{number}", f"sandbox-key-{number}")
        place.store(f"s{number}", url=f"http://127.0.0.{number + 1}", key=f"KEY_{number}")
    stores = {store.name: store for store in load_stores(place.config)}
    made = Housekeeper(house, stores, house.state / "backups")
    silent.watched = made.errand
    return made


def test_Z5_housekeeping_moves_with_each_call_however_long_all_of_them_take(
    keeper: Housekeeper, silent: Silent
) -> None:
    keeper.look_after()
    assert (silent.calls, silent.longest_s) == (6, 30.0), "each account, and each server for the time"


def test_Z1_housekeeping_makes_no_call_more_once_it_is_to_stop(
    house: House, keeper: Housekeeper, silent: Silent
) -> None:
    house.stopping.set()
    keeper.look_after()
    assert silent.calls == 0


def test_L9_damage_found_at_night_ends_the_daemon(house: House) -> None:
    keeper = Housekeeper(house, {}, house.state / "backups")
    keeper.look_after()
    assert house.fatal == ""
    with house.connections.lent() as ledger:
        damage(ledger)
    keeper.look_after()
    assert "the ledger is damaged" in house.fatal


def test_K10_a_backup_of_a_time_to_come_is_no_reason_to_leave_out_tonights(house: House) -> None:
    keeper = Housekeeper(house, {}, house.state / "backups")
    keeper.look_after()
    assert not keeper.was_missed()
    [made] = (house.state / "backups").iterdir()
    made.rename(made.with_name("ledger-2999-01-01T000000Z.db"))
    assert keeper.was_missed()

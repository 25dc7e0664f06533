"""The night's housekeeping inside the daemon: what it finds ends the daemon, and its work shows that it moves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from connector import log
from connector.daemon.connections import Connections
from connector.daemon.held_locks import HeldLocks
from connector.daemon.house import House
from connector.daemon.housekeeper import Housekeeper
from connector.inbox.box import Inbox
from connector.ledger.connection import open_ledger
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


def test_L9_damage_found_at_night_ends_the_daemon(house: House) -> None:
    keeper = Housekeeper(house, {}, house.state / "backups")
    keeper.look_after()
    assert house.fatal == ""
    with house.connections.lent() as ledger:
        damage(ledger)
    keeper.look_after()
    assert "the ledger is damaged" in house.fatal

"""The web beside a daemon: which stores it has, and whom to wake. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from connector.hearing import look_again
from connector.problem import Problem, rendering
from connector.store import Store

if TYPE_CHECKING:
    from connector.daemon.daemon import Daemon
    from connector.web.numbers import Numbers


class BesideDaemon:
    """A Host (connector.web.server) made of a daemon."""

    def __init__(self, daemon: Daemon, numbers: Numbers | None = None) -> None:
        self._daemon = daemon
        self.numbers = numbers

    @property
    def state(self) -> Path:
        return self._daemon.house.state

    def stands_still(self) -> str:
        return self._daemon.stands_still()

    def stores(self) -> Sequence[Store]:
        return [reader.store for reader in list(self._daemon.roster.readers.values())]

    def heard(self, stores: set[str]) -> None:  # the look at the inbox finds which
        self._daemon.wake()

    def hinted(self, store: str, numbers: tuple[str, ...]) -> None:
        self._daemon.house.reading.submit(self._look_again, store, numbers)

    def _look_again(self, store: str, numbers: tuple[str, ...]) -> None:
        house = self._daemon.house
        try:
            with house.connections.lent() as ledger:
                look_again(ledger, store, numbers, house.now())
        except Exception as err:  # noqa: BLE001  a hint that comes to nothing is told, and no more
            house.tell_trouble(err, store=store)
        self._daemon.roster.poke(store)

    def wrong(self, problems: Sequence[Problem]) -> None:
        self._daemon.house.log.error("secrets of deliveries can't be had", why=list(rendering(problems)))

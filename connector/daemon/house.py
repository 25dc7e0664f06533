"""House: what all jobs of the daemon share. Knows no job."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from connector.daemon.connections import Connections
from connector.daemon.held_locks import HeldLocks
from connector.daemon.numbers import Tallies
from connector.ledger.connection import FILE_NAME
from connector.ledger.errors import LedgerUnfit, as_ledger_error
from connector.report import Hooks

if TYPE_CHECKING:
    from connector.inbox.box import Inbox


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class House:
    """stopping  set once we are to stop: jobs finish the call under way and no more
    fatal  set with the reason when the ledger can't be trusted any more: the process must end and look at it anew
    at  asks to be called at a time (aware): (name of the wish, time, what)
    """

    state: Path
    connections: Connections
    locks: HeldLocks
    inbox: Inbox
    reading: Executor
    sending: Executor
    log: Any
    now: Callable[[], datetime] = _now
    stopping: Event = field(default_factory=Event)
    at: Callable[[str, datetime, Callable[[], object]], None] = lambda _name, _when, _what: None
    fatal: str = ""
    tallies: Tallies = field(default_factory=Tallies)

    def hooks(self, moves: Callable[[], None], holds: Callable[[], bool]) -> Hooks:
        """For one job: its waits end when we are to stop, and it does nothing more once its lock no longer holds.

        moves: called whenever the job asks whether to stop, for who asks is not stuck (failures.md Z5).
        """

        def stopping() -> bool:
            moves()
            return self.stopping.is_set() or not holds()

        return Hooks(self.now, self._wait, stopping)

    def _wait(self, seconds: float) -> bool:
        return self.stopping.wait(seconds)

    def guarded(self, do: Callable[[], object]) -> None:
        """Do it, and whatever comes of it goes no further than the log."""
        try:
            do()
        except Exception as err:  # noqa: BLE001  the loop is what everything hangs on
            self.tell_trouble(err)

    def tell_trouble(self, err: Exception, **bound: Any) -> None:
        """Log what a job met. A ledger that is unfit ends the daemon: the next start checks it whole (failures.md L4,
        L10)."""
        from connector.exit_codes import failure_of

        if isinstance(err, sqlite3.Error):  # of a read: what writes explains itself
            err = as_ledger_error(err, self.state / FILE_NAME)
        if isinstance(err, LedgerUnfit):
            self.fatal = str(err)
        self.log.error("job failed", why=" ".join(failure_of(err).lines), **bound)

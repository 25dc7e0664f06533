"""House: what all jobs of the daemon share. Knows no job."""

from __future__ import annotations

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
from connector.ledger.errors import LedgerDoubtful
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
    reading: Executor
    sending: Executor
    log: Any
    inbox: Inbox | None = None
    now: Callable[[], datetime] = _now
    stopping: Event = field(default_factory=Event)
    at: Callable[[str, datetime, Callable[[], object]], None] = lambda _name, _when, _what: None
    fatal: str = ""
    tallies: Tallies = field(default_factory=Tallies)

    def hooks(self) -> Hooks:
        """For one job: its waits end when we are to stop."""
        return Hooks(self.now, lambda seconds: _waited(self.stopping, seconds), self.stopping.is_set)

    def tell_trouble(self, err: Exception, **bound: Any) -> None:
        """Log what a job met. A ledger in doubt ends the daemon: the next start checks it whole (failures.md L4)."""
        from connector.exit_codes import failure_of

        if isinstance(err, LedgerDoubtful):
            self.fatal = str(err)
        self.log.error("job failed", why=" ".join(failure_of(err).lines), **bound)


def _waited(stopping: Event, seconds: float) -> None:
    stopping.wait(seconds)

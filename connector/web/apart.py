"""The receiver apart: a process, or a user, of its own that takes deliveries and holds no key but theirs (SEC6)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from connector.config import load_stores
from connector.exit_codes import UsageError
from connector.inbox.box import Inbox
from connector.problem import ConfigError, Problem, rendering
from connector.sane_clock import wait_until_set
from connector.store import Store
from connector.web.server import served, taken_at

LOOK_EVERY_S: Final = 0.1


def _now() -> datetime:
    return datetime.now(UTC)


class Apart:
    """A Host (connector.web.server) made of a folder of store files. tell  takes lines for whoever watches."""

    numbers = None

    def __init__(self, config: Path, state: Path, tell: Callable[[str], None]) -> None:
        self.state = state
        self._config = config
        self._tell = tell
        self._stores = load_stores(config, secrets=False)

    def reload(self) -> None:
        """Read the store files and secrets anew; where a file is wrong, all stay as they were."""
        try:
            self._stores = load_stores(self._config, secrets=False)
            self._tell("store files read anew")
        except ConfigError as err:
            for line in rendering(err.problems):
                self._tell(line)

    def stands_still(self) -> str:
        return ""  # it answers, and that is all its work

    def stores(self) -> Sequence[Store]:
        return self._stores

    def heard(self, stores: set[str]) -> None:
        """The daemon looks into the inbox by itself."""

    def hinted(self, store: str, numbers: tuple[str, ...]) -> None:
        """Nobody here to tell: hints are for a receiver beside the daemon."""

    def wrong(self, problems: Sequence[Problem]) -> None:
        with suppress(OSError):
            for line in rendering(problems):
                self._tell(line)


def receive(
    config: Path, state: Path, tell: Callable[[str], None], *, listen: str, hosts: Sequence[str], quota: int
) -> None:
    """Receive deliveries until SIGTERM or SIGINT; SIGHUP reads the store files and their secrets anew.

    tell  takes lines, first of all where it listens. quota  bytes of the inbox
    While the machine's clock was never set it waits: signatures with a time in them can't be judged (failures.md H4).
    Raises ConfigError, UsageError, InboxError.
    """
    os.umask(0o077)
    wait_until_set(_now, time.sleep, tell)
    host = Apart(config, state, tell)
    if not any(store.inbox.secret for store in host.stores()):
        raise UsageError(f"{config}: no store has a secret in [inbox], so there is nothing to receive.")
    inbox = Inbox.open(host.state, quota=quota)
    with _signals() as wishes, served(host, taken_at(listen), hosts=hosts, inbox=inbox) as web:
        tell(f"deliveries are taken at {web.url}/in/STORE")
        while not wishes.stop:
            time.sleep(LOOK_EVERY_S)
            if wishes.reload:
                wishes.reload = False
                host.reload()


class _Wishes:
    """What signals asked for. Looked at now and then: a handler that sets an Event can meet its lock held, by whom it
    interrupted, and wait for ever."""

    def __init__(self) -> None:
        self.stop = False
        self.reload = False

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """A signal came."""
        self.reload |= number == signal.SIGHUP
        self.stop |= number != signal.SIGHUP


@contextmanager
def _signals() -> Iterator[_Wishes]:
    wishes = _Wishes()
    before = {number: signal.signal(number, wishes.hear) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield wishes
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

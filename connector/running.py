"""What `connector run` does: one daemon to a state folder, until it is told to stop. Knows no screen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connector.config import load_stores
from connector.exit_codes import Code, UsageError
from connector.keeping.host import this_host
from connector.ledger import epoch, fence
from connector.ledger.connection import open_ledger
from connector.lock import DAEMON, Busy, StoreLock
from connector.log import finish_now
from connector.sane_clock import wait_until_set

if TYPE_CHECKING:
    from connector.daemon.daemon import Daemon
    from connector.web.server import Taken

TRY_EVERY_S: Final = 0.1


def _now() -> datetime:
    return datetime.now(UTC)


def run(config: Path, state: Path, log: Any, *, listen: str = "", wait_s: float = 0.0) -> Code:
    """Keep all stores in step until SIGTERM or SIGINT; SIGHUP reloads the store files.

    listen  HOST:PORT for deliveries, health and metrics; "" for none
    wait_s  how long to wait for another daemon on the same state folder to end (failures.md D6)
    While the machine's clock was never set it waits, and has opened nothing (failures.md H4).
    Raises ConfigError, UsageError (no store, or it can't listen there), Busy (another daemon), LedgerError.
    """
    wait_until_set(_now, time.sleep, lambda why: log.error("waits for the clock to be set", why=why))
    stores = load_stores(config)
    if not stores:
        raise UsageError(f"{config}: there is no store file. Write one with: connector init NAME")
    with ExitStack() as stack:
        _be_the_only_one(stack, state, wait_s, log)
        taken = stack.enter_context(_taken_at(listen)) if listen else None  # before any work is begun
        ledger = stack.enter_context(open_ledger(state))
        doubt = epoch.begin(ledger, this_host(), _now())
        if (raised := fence.fence_of(ledger.db)).asks:
            log.warning("nothing is sent until a person lifts the fence", why=f"{raised.why} {fence.PERSON}")
        elif doubt:
            log.warning("nothing is sent until shops and GoSweetSpot were asked", why=doubt)
        from connector.daemon.daemon import Daemon

        daemon = Daemon(config, state, ledger, log)
        stack.enter_context(_signals(daemon))
        daemon.begin(stores)
        if taken is not None:
            stack.enter_context(_web(daemon, taken))
        finished = daemon.run()
        code = Code.UNREACHED if daemon.house.fatal else Code.DONE
        if not finished:
            # Calls that nobody answers are left to themselves: their attempts are on disk, and the next start asks what
            # became of them. Waiting for their threads would outlast the ten seconds we are given.
            finish_now()
            os._exit(code)
    return code


def _be_the_only_one(stack: ExitStack, state: Path, wait_s: float, log: Any) -> None:
    """Hold the lock of the daemon of this state folder until the stack is left. Raises Busy."""
    ends = time.monotonic() + wait_s
    waits = False
    while True:
        try:
            stack.enter_context(StoreLock(state, DAEMON))
            return
        except Busy as err:
            if time.monotonic() >= ends:
                raise Busy(
                    f"another daemon keeps {state} already ({err.holder}). Stop it first, or give this one a state "
                    "folder of its own.",
                    err.holder,
                ) from None
            if not waits:
                log.info("waits for another daemon to end", holder=err.holder)
            waits = True
            time.sleep(TRY_EVERY_S)


@contextmanager
def _signals(daemon: Daemon) -> Iterator[None]:
    def handle(do: Callable[[], None]) -> Callable[[int, Any], None]:
        return lambda _number, _frame: do()

    wishes = {
        signal.SIGTERM: daemon.ask_to_stop,
        signal.SIGINT: daemon.ask_to_stop,
        signal.SIGHUP: daemon.ask_to_reload,
    }
    before = {number: signal.signal(number, handle(do)) for number, do in wishes.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _taken_at(listen: str) -> Taken:
    from connector.web.server import taken_at

    return taken_at(listen)


@contextmanager
def _web(daemon: Daemon, taken: Taken) -> Iterator[None]:
    from connector.daemon.numbers import LedgerNumbers
    from connector.web.beside import BesideDaemon
    from connector.web.server import served

    with served(BesideDaemon(daemon, LedgerNumbers(daemon.house, daemon.roster.stores)), taken) as web:
        daemon.house.log.info("listens", url=web.url)
        yield

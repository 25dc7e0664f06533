"""Serves the application by uvicorn: in a thread, beside a daemon or alone, until it is stopped. Knows no path.

A host (a daemon, or the receiver apart) says which stores there are and is told what came in; it is asked once a second
whether its stores are still the same, so that a reload needs no word here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import resource
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import uvicorn

from connector import plain_file
from connector.exit_codes import UsageError
from connector.inbox.box import Inbox
from connector.inbox.doors import doors_of
from connector.inbox.errors import InboxError
from connector.problem import Problem
from connector.store import Store
from connector.web.app import App
from connector.web.hints import Hints
from connector.web.limits import Limits
from connector.web.metrics import page
from connector.web.numbers import Numbers
from connector.web.protocol import BoundedProtocol, cut_overdue
from connector.web.receiver import Receiver
from connector.web.tally import Tally

_BACKLOG: Final = 1024
_OTHER_FILES: Final = 200
"""Open files of the rest of the program: ledgers, journals, calls."""
_LISTEN: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")
_HEAD: Final = 16_384
"""Bytes of a request's head; a shop's has about 700."""


class Host(Protocol):
    """What stands behind the web. Every call but `numbers` comes from the event loop and returns at once.

    state    the state folder
    numbers  None where there are none to show
    """

    @property
    def state(self) -> Path: ...
    @property
    def numbers(self) -> Numbers | None: ...
    def stores(self) -> Sequence[Store]: ...
    def stands_still(self) -> str:
        """Why the work does not go on, though requests are answered; "" where it does."""

    def heard(self, stores: set[str]) -> None:
        """Deliveries of these stores are on disk."""

    def hinted(self, store: str, numbers: tuple[str, ...]) -> None:
        """GoSweetSpot says that something happened to these slips; unsigned."""

    def wrong(self, problems: Sequence[Problem]) -> None:
        """These secrets can't be had; their stores take no deliveries."""


Taken: TypeAlias = socket.socket
"""A socket that listens."""


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def served(
    host: Host,
    taken: Taken,
    *,
    limits: Limits | None = None,
    hosts: Sequence[str] = (),
    inbox: Inbox | None = None,
) -> Iterator[Served]:
    """For the length of a `with`; requests under way are finished at its end, or cut after limits.stop_s.

    taken  where to listen, by `taken_at`; hosts  names that requests may be addressed to; none: any
    Raises InboxError.
    """
    limits = limits or Limits()
    limits = limits._replace(connections=_connections_to_have(limits.connections))
    web = Served(host, taken, limits, frozenset(hosts), inbox)
    web.start()
    try:
        yield web
    finally:
        web.stop()


class Served:
    """A server in a thread. url  where it answers."""

    def __init__(
        self, host: Host, taken: socket.socket, limits: Limits, hosts: frozenset[str], inbox: Inbox | None
    ) -> None:
        self.url = _url(taken)
        self.tally = Tally()
        self._host = host
        self._inbox = inbox or Inbox.open(host.state)
        self._stores: list[Store] = []
        self._receiver = Receiver(self._inbox, {}, self.tally, now, host.heard, limits)
        self._hints = Hints(self.tally, host.hinted, limits)
        app = App(self._receiver, self._hints, self.tally, host.stands_still, self._why_unready, self._metrics, hosts)
        self._server = _Server(app, limits, taken, self._tick)
        self._look()

    def start(self) -> None:
        """Take requests from here on."""
        self._server.start()

    def stop(self) -> None:
        """Take no more, finish those under way, end."""
        self._server.stop()
        self._receiver.close()
        self._inbox.close()

    def _tick(self, cut: int) -> None:
        self.tally.cut += cut
        self._look()

    def _look(self) -> None:
        """Other stores, or store files read anew: look their secrets up again."""
        stores = list(self._host.stores())
        if [id(store) for store in stores] == [id(store) for store in self._stores] and self._stores:
            return
        self._stores = stores
        doors, problems = doors_of(stores)
        self._receiver.doors = doors
        self._hints.stores = frozenset(store.name for store in stores)
        if problems:
            self._host.wrong(problems)

    def _why_unready(self) -> str:
        try:
            self._inbox.refuse_unwritable()
        except InboxError:
            return "the inbox can't be written"
        return "" if _is_ledger_readable(self._host.state) else "the ledger can't be read"

    def _metrics(self) -> bytes:
        return page(self._inbox, self.tally, self._host.numbers, now())


class _Server(uvicorn.Server):
    """uvicorn in a thread, which cuts slow connections once a second."""

    def __init__(self, app: App, limits: Limits, taken: socket.socket, tick: Callable[[int], None]) -> None:
        bounded = type("_Protocol", (BoundedProtocol,), {"limits": limits})
        super().__init__(
            uvicorn.Config(
                app,
                http=bounded,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=max(1, round(limits.idle_s)),
                timeout_graceful_shutdown=max(1, round(limits.stop_s)),
                h11_max_incomplete_event_size=_HEAD,
            )
        )
        self._taken = taken
        self._tick = tick
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._is_up.wait()

    def stop(self) -> None:
        self.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._taken.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._is_up.set()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            self._tick(cut_overdue(self.server_state, asyncio.get_running_loop().time()))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # uvicorn leaves those that never sent a whole request
        await asyncio.sleep(0)

    def _run(self) -> None:
        try:
            asyncio.run(self.serve(sockets=[self._taken]))
        finally:
            self._is_up.set()


def listener(listen: str) -> Taken:
    """A socket that listens at HOST:PORT. Raises UsageError for another text, OSError where it can't be had."""
    parts = _LISTEN.fullmatch(listen)
    if parts is None or int(parts["port"]) > 65_535:
        raise UsageError("--listen takes HOST:PORT, as in 127.0.0.1:8787")
    host = parts["host"].strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off: head and body of an answer are two writes.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, int(parts["port"])))
        taken.listen(_BACKLOG)
    except BaseException:
        taken.close()
        raise
    return taken


def taken_at(listen: str) -> Taken:
    """The same for who typed it. Raises UsageError where it can't be had, too."""
    try:
        return listener(listen)
    except OSError as err:
        raise UsageError(f"{listen} can't be listened at ({plain_file.reason(err)}).") from err


def is_on_loopback(listen: str) -> bool:
    """Whether nobody but this machine reaches HOST:PORT."""
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _connections_to_have(wanted: int) -> int:
    """How many connections may be open at once, having asked the system for as many files as it gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(soft - _OTHER_FILES, 16)
    return wanted


def _is_ledger_readable(state: Path) -> bool:
    from connector.ledger.connection import FILE_NAME
    from connector.ledger.errors import LedgerError
    from connector.ledger.reading import reading

    if not (state / FILE_NAME).exists():
        return True
    try:
        with reading(state) as db:
            db.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except LedgerError:
        return False
    return True


def _url(taken: socket.socket) -> str:
    host, port = taken.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""An HTTP server on loopback for shop doubles: hands each request to the shop, and gets in the way when told to.

Faults are the wire's and the host's, the same for every platform (connector/testing/faults.py); what a platform itself
does wrong is its double's. Plain sockets, since a fault is about bytes.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import responses
from typing import BinaryIO, Final

import msgspec

JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json; charset=UTF-8"}

_PATIENCE_S: Final = 10.0
"""How long a server that is closed waits for its threads."""


class Request(msgspec.Struct, frozen=True):
    """What came in. path is without the query; query is raw, as sent; headers by lower-case name."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Response(msgspec.Struct, frozen=True):
    """What goes out. Content-Length is added; Date only where the shop gives one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = msgspec.field(default_factory=lambda: JSON)


Answer = Callable[[Request], Response]


class Exchange:
    """One request that a fault may spoil. Knows the connection and what the shop would have said.

    request  as it came
    """

    def __init__(self, server: ShopServer, connection: socket.socket, request: Request) -> None:
        self._server = server
        self._connection = connection
        self._released = server.released
        self.request = request

    def response(self) -> Response:
        """What the shop itself says; the shop has then carried the request out."""
        return self._server.answer(self.request)

    def send(self, piece: bytes) -> None:
        """Bytes, as they are. Raises OSError once the caller has hung up."""
        self._connection.sendall(piece)

    def pause(self, seconds: float) -> bool:
        """Wait a moment; False once the server is released or closed, and nobody is to be kept waiting."""
        return not self._released.wait(seconds)


Fault = Callable[[Exchange], Response | None]
"""Does to one request what goes wrong: another response, or None where it sent its bytes itself: then it hangs up."""


class ShopServer:
    """A shop's door on loopback; `with ShopServer(answer) as server`. The shop answers one request at a time.

    url       http://127.0.0.1:PORT
    heard     every request so far, the oldest first, those that a fault spoiled too
    released  set: answers that stall go on
    most      requests after which it hangs up on every one, so that a caller who never ends fails instead of hanging
    """

    most = 20_000

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._skip, self._left = 0, -1
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.heard: list[Request] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def fail(self, fault: Fault, times: int = -1, *, after: int = 0) -> None:
        """From now on, or after some more requests, the next `times` requests meet this fault; -1: until `mend`.

        It takes the place of a fault set before.
        """
        self.mend()
        with self._lock:
            self._fault, self._left, self._skip = fault, times, after

    def refuse(self) -> None:
        """No connection is taken, and those that are open break, until `mend`."""
        self._stop_listening()

    def mend(self) -> None:
        """All is well again; what stalls goes on first."""
        with self._lock:
            self._fault = None
        self.released.set()
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self._port))
            self._start(self._accept, self._listener)
        self.released = threading.Event()

    def answer(self, request: Request) -> Response:
        """What the shop says to a request, whatever fault is set."""
        with self._lock:
            return self._answer(request)

    def __enter__(self) -> ShopServer:
        self._start(self._accept, self._listener)
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._stop_listening()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
        assert not any(thread.is_alive() for thread in self._threads), "a fault still holds a connection"

    def _start(self, target: Callable[[socket.socket], None], one: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(one,), daemon=True)
        self._threads = [*(known for known in self._threads if known.is_alive()), thread]
        thread.start()

    def _stop_listening(self) -> None:
        with self._lock:
            open_now = [self._listener, *self._connections]
        for one in open_now:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
            # OSError: the caller hung up; ValueError: what came is no HTTP
            while (request := _read(stream)) and self._reply(connection, request):
                pass
        with self._lock:
            self._connections.discard(connection)

    def _reply(self, connection: socket.socket, request: Request) -> bool:
        """False: the connection is done with."""
        exchange = Exchange(self, connection, request)
        fault = self._hear(request)
        response = fault(exchange) if fault else exchange.response()
        if response is None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            return False
        connection.sendall(head(response) + response.body)
        return True

    def _hear(self, request: Request) -> Fault | None:
        with self._lock:
            self.heard.append(request)
            if len(self.heard) > self.most:
                return _hang_up
            if not self._fault or self._left == 0:
                return None
            if self._skip:
                self._skip -= 1
                return None
            self._left -= 1
            return self._fault


def _hang_up(_: Exchange) -> None:
    """Nothing is said, and the connection ends."""


def head(response: Response, length: int | None = None) -> bytes:
    """The status line and headers. length  what Content-Length claims, where that isn't the body's own."""
    lines = [f"HTTP/1.1 {response.status} {responses.get(response.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines.append(f"Content-Length: {len(response.body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _read(stream: BinaryIO) -> Request | None:
    """The next request of a connection; None at its end."""
    first = stream.readline().decode("latin-1").split()
    if not first:
        return None
    method, target, _ = first
    headers: dict[str, str] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, stream.read(int(headers.get("content-length", "0"))))

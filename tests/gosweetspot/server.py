"""A server that answers by script, over real sockets on loopback, one reply a request."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, BinaryIO, NamedTuple

from connector.gosweetspot import Client, Destination

Reply = bytes | Callable[["Scripted", socket.socket], None]


class Request(NamedTuple):
    """One request as it came: names of headers in lower case, bodies as they were."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer with its length; `Retry_After="5"` becomes Retry-After."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def reset(server: Scripted, connection: socket.socket) -> None:
    """Hang up with a reset: nothing more is read or written."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def silence(server: Scripted, connection: socket.socket) -> None:
    """Say nothing until the test is over."""
    server.over.wait(10)


def then_close(reply: bytes) -> Reply:
    """Send these bytes and hang up: an answer without a length, or one cut off."""

    def send(server: Scripted, connection: socket.socket) -> None:
        connection.sendall(reply)
        connection.shutdown(socket.SHUT_RDWR)

    return send


def drip(start: bytes, drop: bytes, every_s: float = 0.02) -> Reply:
    """Send the start, then one drop after another for ever, each in time for a socket's own time-out."""

    def send(server: Scripted, connection: socket.socket) -> None:
        connection.sendall(start)
        while not server.over.wait(every_s):
            connection.sendall(drop)

    return send


class Scripted:
    """Answers the n-th request with the n-th reply, and the last one for ever."""

    def __init__(self, replies: tuple[Reply, ...], tls: ssl.SSLContext | None, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._replies = list(replies)
        self._tls = tls
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self.connections = 0
        self.over = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(2)
        assert not any(thread.is_alive() for thread in self._threads), "a client left its connection open"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with suppress(OSError, ValueError), connection:  # ValueError: what came is no HTTP
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while request := _read(stream):
                    reply = self._next(request)
                    if not isinstance(reply, bytes):
                        reply(self, connection)
                        return
                    connection.sendall(reply)

    def _next(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


def _read(stream: BinaryIO) -> Request | None:
    lines: list[bytes] = []
    while line := stream.readline().strip():
        lines.append(line)
    if not lines:
        return None
    method, path, _ = lines[0].decode().split(" ")
    pairs = (line.decode().split(":", 1) for line in lines[1:])
    headers = {name.lower(): value.strip() for name, value in pairs}
    return Request(method, path, headers, stream.read(int(headers.get("content-length", "0"))))


@contextmanager
def serving(*replies: Reply, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Scripted]:
    """A server that runs while the block does."""
    server = Scripted(replies or (answer(b"[]"),), tls, host)
    try:
        yield server
    finally:
        server.stop()


def destination_of(server: Scripted, **options: Any) -> Destination:
    """The destination that reaches this server, with a short time-out."""
    given: dict[str, Any] = {"url": f"http://127.0.0.1:{server.port}", "access_key": "k-canary", "timeout_s": 5.0}
    return Destination(**(given | options))


@contextmanager
def calling(server: Scripted, **options: Any) -> Iterator[Client]:
    """A client of this server, closed at the end."""
    with closing(Client(destination_of(server, **options))) as client:
        yield client

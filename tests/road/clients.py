"""Clients that go wrong on purpose, around the real one: dead in the middle of a call, or overtaken by the shop."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from connector.gosweetspot.answers import Answer
from connector.gosweetspot.client import Client
from connector.gosweetspot.records import ReadBack


class Killed(BaseException):
    """The process dies here; nothing of the program catches it."""


class Around:
    """The real client; each hook is called once, before or after the next call that changes something."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.before: Callable[[], None] | None = None
        self.after: Callable[[], None] | None = None
        self.after_get: Callable[[], None] | None = None

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        return self._call(lambda: self.client.put(slips))

    def delete(self, numbers: Sequence[str]) -> Answer:
        return self._call(lambda: self.client.delete(numbers))

    def get(self, numbers: Sequence[str]) -> ReadBack:
        read = self.client.get(numbers)
        after, self.after_get = self.after_get, None
        if after:
            after()
        return read

    def close(self) -> None:
        self.client.close()

    def _call(self, call: Callable[[], Answer]) -> Answer:
        before, self.before = self.before, None
        if before:
            before()
        answer = call()
        after, self.after = self.after, None
        if after:
            after()
        return answer


def die() -> None:
    raise Killed


def die_in_the_body(url: str, key: str) -> Callable[[], None]:
    """Half a PUT reaches the server, then the process is gone."""

    def half() -> None:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as connection:
            head = f"PUT /api/customerorders HTTP/1.1\r\nHost: {parts.netloc}\r\naccess_key: {key}\r\n"
            connection.sendall(f'{head}Content-Length: 900\r\n\r\n[{{"packingslipno":'.encode())
        raise Killed

    return half

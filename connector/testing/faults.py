"""What goes wrong between a shop and us, as values for `ShopServer.fail`. Knows no platform.

Each is one thing that hosts and wires do (failures.md P1 to P7, P25, P27): `server.fail(cut())`, `server.fail(drip(),
times=1)`. Nothing here sleeps longer than it is told to, and whatever waits ends with `mend` or the server's end.
"""

from __future__ import annotations

import zlib
from typing import Final

from connector.testing.shop_server import JSON, Exchange, Fault, Response, head

HTML: Final = {"Content-Type": "text/html; charset=UTF-8"}

PAGE: Final = b"<!DOCTYPE html><html><head><title>One moment</title></head><body><h1>We'll be back</h1></body></html>"
"""What a host, a cache or a firewall says in a shop's place."""

MEGABYTE: Final = 2**20

GZIP: Final = 31
"""What zlib calls the form of gzip."""


def hang_up() -> Fault:
    """The request is read, and the connection closed without a word."""

    def fault(_: Exchange) -> None:
        return None

    return fault


def cut(at: int | None = None) -> Fault:
    """The shop's answer ends after `at` bytes of its body, half of it if not said, and always too soon."""

    def fault(exchange: Exchange) -> None:
        whole = exchange.response()
        body = whole.body or b"{}"
        exchange.send(head(whole, len(body)) + body[: len(body) // 2 if at is None else min(at, len(body) - 1)])

    return fault


def stall(after: int = 20) -> Fault:
    """`after` bytes of the body, and then nothing until the server is released; then the rest."""

    def fault(exchange: Exchange) -> None:
        whole = exchange.response()
        exchange.send(head(whole) + whole.body[:after])
        while exchange.pause(1):
            pass
        exchange.send(whole.body[after:])

    return fault


def drip(every_s: float = 0.02) -> Fault:
    """One byte after another, each in time for a socket's own time-out."""

    def fault(exchange: Exchange) -> None:
        whole = exchange.response()
        for byte in head(whole) + whole.body:
            exchange.send(bytes([byte]))
            exchange.pause(every_s)

    return fault


def says(status: int, body: bytes = b"", **headers: str) -> Fault:
    """This answer in place of the shop's; `Retry_After="5"` becomes Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def fault(_: Exchange) -> Response:
        return Response(status, body, {**JSON, **named})

    return fault


def throttles(retry_after: str | None = None, date: str = "") -> Fault:
    """429. retry_after  its text, whatever it is; None for none; date  the answer's own Date."""
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    return says(429, b"{}", **headers, **({"Date": date} if date else {}))


def page(status: int = 200) -> Fault:
    """An HTML page where JSON should be."""
    return says(status, PAGE, Content_Type=HTML["Content-Type"])


def nothing() -> Fault:
    """200 with an empty body."""
    return says(200)


def redirects(to: str, status: int = 302) -> Fault:
    """To another address, path and query of the request behind it."""

    def fault(exchange: Exchange) -> Response:
        asked = exchange.request
        return Response(status, PAGE, {**HTML, "Location": f"{to}{asked.path}?{asked.query}"})

    return fault


def huge(megabytes: int = 500, *, of: bytes = b" ") -> Fault:
    """An answer of this size, which begins like the shop's own and goes on with white space, never all in memory."""

    def fault(exchange: Exchange) -> None:
        whole = exchange.response()
        piece = of * (MEGABYTE // len(of))
        exchange.send(head(whole, len(whole.body) + megabytes * len(piece)) + whole.body)
        for _ in range(megabytes):
            exchange.send(piece)

    return fault


def gzip_bomb(megabytes: int = 500) -> Fault:
    """The shop's answer packed with gzip, unasked, and white space behind it that unpacks to this size."""

    def fault(exchange: Exchange) -> Response:
        whole = exchange.response()
        space = zlib.compress(b" " * MEGABYTE, wbits=GZIP)
        packed = zlib.compress(whole.body, wbits=GZIP) + space * megabytes
        return Response(whole.status, packed, {**whole.headers, "Content-Encoding": "gzip"})

    return fault


def not_utf8(word: bytes = b"Aroha") -> Fault:
    """The shop's answer with a byte in it that is no UTF-8: inside `word` wherever that stands, else in the middle."""

    def fault(exchange: Exchange) -> Response:
        whole = exchange.response()
        body = whole.body.replace(word, word[:1] + b"\xff" + word[1:])
        middle = len(body) // 2
        return Response(
            whole.status, body if body != whole.body else body[:middle] + b"\xff" + body[middle:], whole.headers
        )

    return fault


class Stuck:
    """A list whose end never comes: what was said first to a path is said again, whatever is asked of it.

    A few shops answer a page past the end with the last one (platforms.md L12); a broken cache does it with any page.
    After `most` requests it hangs up and `never_ended` is true: the caller would have gone on for ever.
    """

    def __init__(self, most: int = 500) -> None:
        self.never_ended = False
        self._left = most
        self._said: dict[str, Response] = {}

    def __call__(self, exchange: Exchange) -> Response | None:
        self._left -= 1
        if self._left < 0:
            self.never_ended = True
            return None
        path = exchange.request.path
        if path not in self._said:
            self._said[path] = exchange.response()
        return self._said[path]


TROUBLES: Final = (
    says(401, b"{}"),
    says(403),
    throttles("60"),
    page(),
    page(502),
    nothing(),
    hang_up(),
    cut(),
    redirects("http://shop.example"),
    not_utf8(),
)
"""One of each kind, for whatever must survive them all."""

"""Knocks at a receiver from a process of its own: signed orders of 6 kB over keep-alive connections, raw sockets.

Prints one line of JSON: how many were answered 200, in which time, and how long each one waited.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import json
import sys
import time
from collections.abc import Iterator

SIZE = 6000
SECRET = "bench-secret"


def requests(first: int, count: int) -> list[bytes]:
    """Ready to be sent, each another order."""
    return [request(number) for number in range(first, first + count)]


def request(number: int) -> bytes:
    """One signed delivery."""
    start = b'{"id":%d,"status":"processing","note":"' % number
    body = start + b"x" * (SIZE - len(start) - 2) + b'"}'
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256"))
    return (
        b"POST /in/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: WooCommerce/11.0.1 Hookshot (WordPress/7.1)\r\n"
        b"Accept: */*\r\nContent-Type: application/json\r\nX-WC-Webhook-Topic: order.updated\r\n"
        b"X-WC-Webhook-Resource: order\r\nX-WC-Webhook-Event: updated\r\nX-WC-Webhook-ID: 1\r\n"
        b"X-WC-Webhook-Delivery-ID: ef2a334096df52dbbb13ef76a06c1fb0\r\nX-WC-Webhook-Signature: %b\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (signature, len(body), body)
    )


class Caller(asyncio.Protocol):
    """One connection: sends the next request once the last was answered. gap_s  between two of all connections."""

    def __init__(self, todo: Iterator[bytes], finished: asyncio.Future[None]) -> None:
        self.waits: list[float] = []
        self.accepted = 0
        self._todo = todo
        self._finished = finished
        self._transport: asyncio.Transport | None = None
        self._since = 0.0
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self._heard.endswith(b"\r\n\r\n") and b"\r\n\r\n" not in self._heard:
            return
        self.waits.append(time.perf_counter() - self._since)
        self.accepted += self._heard.startswith(b"HTTP/1.1 200")
        self._heard = b""
        self._next()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self._finished.done():
            self._finished.set_result(None)

    def _next(self) -> None:
        assert self._transport is not None
        following = next(self._todo, None)
        if following is None:
            self._transport.close()
            return
        self._since = time.perf_counter()
        self._transport.write(following)


async def flood(port: int, todo: list[bytes], connections: int) -> tuple[float, int, list[float]]:
    """All of them, as fast as they are answered: seconds, accepted, waits."""
    loop = asyncio.get_running_loop()
    waiting = iter(todo)
    ends = [loop.create_future() for _ in range(connections)]
    began = time.perf_counter()
    made = [await loop.create_connection(lambda end=end: Caller(waiting, end), "127.0.0.1", port) for end in ends]  # type: ignore[misc]
    await asyncio.gather(*ends)
    took = time.perf_counter() - began
    callers = [protocol for _, protocol in made]
    return took, sum(one.accepted for one in callers), [wait for one in callers for wait in one.waits]


async def paced(port: int, todo: list[bytes], a_second: float) -> tuple[float, int, list[float]]:
    """Each on its own connection, at a steady rate, whether the ones before were answered or not."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(at: int, what: bytes) -> Caller:
        await asyncio.sleep(began + at / a_second - loop.time())
        end = loop.create_future()
        _, caller = await loop.create_connection(lambda: Caller(iter([what]), end), "127.0.0.1", port)
        await end
        return caller

    callers = await asyncio.gather(*(one(at, what) for at, what in enumerate(todo)))
    return loop.time() - began, sum(each.accepted for each in callers), [wait for one in callers for wait in one.waits]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--a-second", type=float, default=0.0)
    asked = parser.parse_args()
    todo = requests(asked.first, asked.count)
    work = paced(asked.port, todo, asked.a_second) if asked.a_second else flood(asked.port, todo, asked.connections)
    took, accepted, waits = asyncio.run(work)
    waits.sort()
    p99 = waits[min(len(waits) - 1, int(len(waits) * 0.99))] if waits else 0.0
    json.dump({"s": took, "accepted": accepted, "p99_ms": p99 * 1000, "longest_ms": waits[-1] * 1000}, sys.stdout)


if __name__ == "__main__":
    main()

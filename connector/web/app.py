"""The paths, and what answers each: a raw ASGI application. Knows no shop, no signature and no socket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final

from connector.web.asgi import Gone, Receive, Refused, Scope, Send, answer, answer_refused
from connector.web.hints import Hints
from connector.web.receiver import Receiver
from connector.web.tally import Tally

_TO_STORE: Final = re.compile(rb"/(in|gss)/([a-z0-9][a-z0-9-]{0,39})")
"""As it came: an encoded letter, a doubled slash or a dot make another path, of which there is none (W27)."""
_METRICS: Final = ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),)


class App:
    """standing  why the work behind does not go on, or ""
    ready  why deliveries could not be taken now, or "" (may block: called in a thread)
    metrics  the numbers as Prometheus reads them (may block too)
    hosts    names that requests may be addressed to; empty: any. Refuses pages that have their own name point here
    """

    def __init__(
        self,
        receiver: Receiver,
        hints: Hints,
        tally: Tally,
        standing: Callable[[], str],
        ready: Callable[[], str],
        metrics: Callable[[], bytes],
        hosts: frozenset[str] = frozenset(),
    ) -> None:
        self.receiver = receiver
        self.hints = hints
        self._tally = tally
        self._standing = standing
        self._ready = ready
        self._metrics = metrics
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Nothing leaves as an exception, and no answer says where something went wrong (SEC16)."""
        if scope["type"] != "http":
            return
        try:
            await self._answer(scope, receive, send)
            self._tally.answers[200] += 1
        except Refused as refused:
            self._tally.answers[refused.status] += 1
            await answer_refused(send, refused)
        except Gone:
            self._tally.cut += 1
        except Exception:  # noqa: BLE001
            self._tally.faults += 1
            await answer_refused(send, Refused(500, "a fault of the connector", closes=True))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._hosts:
            self._refuse_other_hosts(scope)
        path: bytes = scope["raw_path"]
        if found := _TO_STORE.fullmatch(path):
            _refuse_methods(scope, "POST")
            store = found[2].decode("ascii")
            if found[1] == b"in":
                await self.receiver.deliver(store, scope, receive, send)
            else:
                await self.hints.hint(store, scope, receive, send)
        elif path in (b"/health", b"/ready", b"/metrics"):
            _refuse_methods(scope, "GET", "HEAD")
            await self._look(path, send)
        else:
            raise Refused(404, "nothing here", closes=True)

    async def _look(self, path: bytes, send: Send) -> None:
        if path == b"/health":
            if why := self._standing():
                raise Refused(503, why)
            await answer(send, 200, b"alive\n")
        elif path == b"/metrics":
            await answer(send, 200, await asyncio.to_thread(self._metrics), _METRICS)
        elif why := await asyncio.to_thread(self._ready):
            raise Refused(503, why)
        else:
            await answer(send, 200, b"ready\n")

    def _refuse_other_hosts(self, scope: Scope) -> None:
        named = [value for name, value in scope["headers"] if name == b"host"]
        host = named[0].decode("latin-1").lower() if len(named) == 1 else ""
        if re.sub(r":[0-9]{1,5}$", "", host) not in self._hosts:
            raise Refused(421, "not the host you are looking for", closes=True)


def _refuse_methods(scope: Scope, *allowed: str) -> None:
    if scope["method"] not in allowed:
        raise Refused(405, "not this way", closes=True, headers=((b"allow", ", ".join(allowed).encode()),))

"""Calls to a shop's API: a whole answer, or one of the contract's errors. Knows no shop's words.

Shared by every source that asks over HTTP. What the wire must never do (redirects, proxies, endless answers) is the
door's; here a status becomes the error that says what is to be done.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.sources.base import Malformed, Throttled, TooLarge, TooLate, Unauthorised, Unreachable
from connector.wire.heard import Heard, redirect_host, retry_after_s

TIMEOUT_S: Final = 60.0
"""Of one call, from its first byte to its last: a page of a hundred orders takes small hosts ten seconds and more."""
LARGEST_ANSWER: Final = 32 * 1024 * 1024
"""Bytes, unpacked. A hundred orders of WooCommerce are about half a megabyte, with talkative plug-ins ten."""
LONGEST_PAUSE: Final = timedelta(minutes=15)
"""A shop that asks for more is asked again after this (failures.md P4)."""
USUAL_PAUSE: Final = timedelta(minutes=1)
"""Where a shop asks us to slow down and names no time that can be read."""

_READS: Final = frozenset({*range(200, 300), *range(400, 600)})


class ShopCalls:
    """One shop's API over kept-open connections. url  scheme and host; name  the shop, for messages."""

    def __init__(
        self,
        url: str,
        name: str,
        now: Callable[[], datetime],
        *,
        headers: Mapping[str, str] | None = None,
        verify: str | bool = True,
        timeout_s: float | None = None,
    ) -> None:
        from connector.wire.door import USER_AGENT, Door  # requests takes 0.15 s to import: only who calls pays

        ours = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        self._door = Door(url, {**ours, **(headers or {})}, verify=verify, largest=LARGEST_ANSWER, reads=_READS)
        self._name = name
        self._now = now
        self._timeout_s = TIMEOUT_S if timeout_s is None else timeout_s
        self.made = 0

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Heard:
        """The answer, with its whole body: 2xx, or a 4xx but 401, 403 and 429, which are for the caller to read.

        Raises Unreachable (no whole answer, 5xx), TooLarge, TooLate, Unauthorised, Throttled, Malformed (a redirect).
        """
        return self.judged(self.hear(method, path, body, headers))

    def hear(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Heard:
        """Any whole answer, whatever its status, for shops whose errors say more than a status does.

        Raises Unreachable (no whole answer), TooLarge, TooLate, Malformed (a redirect).
        """
        self.made += 1
        heard = _without_mark(self._door.exchange(method, path, body, self._timeout_s, headers))
        if heard.too_large:
            raise TooLarge(heard.fault)
        if heard.too_late:
            raise TooLate(heard.fault)
        if heard.fault:
            raise Unreachable(heard.fault.removeprefix("Nothing was sent: "))
        if 300 <= heard.status < 400:
            raise Malformed(
                f"{self._name} answered with a redirect (HTTP {heard.status}) to {redirect_host(heard.location)}. It "
                "was not followed, so that the credentials go nowhere else. Correct url in the store file."
            )
        return heard

    def judged(self, heard: Heard) -> Heard:
        """The same answer, where its status lets the caller read it; raises as `ask` does."""
        status = heard.status
        if status in (401, 403):
            raise Unauthorised(
                f"{self._name} refuses the credentials (HTTP {status}). Check them in the shop and in the store file."
            )
        if status == 429 or (status == 503 and heard.retry_after):
            raise Throttled(f"{self._name} asks us to slow down (HTTP {status}).", self._now() + pause_of(heard))
        if status >= 500 or not 200 <= status < 500:
            raise Unreachable(f"{self._name} had an error of its own (HTTP {status}); it is asked again later.")
        return heard

    def close(self) -> None:
        """Close idle connections."""
        self._door.close()


def _without_mark(heard: Heard) -> Heard:
    """A file of a plug-in that was saved with a byte order mark puts it before every answer; JSON begins after it."""
    return msgspec.structs.replace(heard, body=heard.body.removeprefix(BOM_UTF8))


def pause_of(heard: Heard) -> timedelta:
    """How long to leave the shop alone: what it asks for, at least a second, at the most LONGEST_PAUSE."""
    asked = retry_after_s(heard)
    pause = USUAL_PAUSE if asked is None else timedelta(seconds=asked)
    return min(max(pause, timedelta(seconds=1)), LONGEST_PAUSE)

"""The source contract: what comes out, in which order, what may repeat, what may never be skipped, which error means
what.

A source is built from its store's validated options and yields pages from a cursor. A page carries its orders, in any
order, and the cursor that is safe to keep once they are recorded. Reading again from a kept cursor may repeat orders
and must never skip one: equal timestamps, clock skew and edits while paging are the source's to survive. Memory is
bounded by one page, whatever the size of the shop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

import msgspec

from connector.order import Order


class Page(msgspec.Struct, frozen=True):
    """Orders, and the cursor to keep once they are recorded.

    cursor   opaque JSON text of the source's own; "" means from the beginning
    notes    sentences for people about this page as a whole ("orders.csv: still being written, left for the next run")
    alerts   the same, but somebody must act ("orders.csv line 9: unclosed quote; the file was not read")
    scanned  how much of the input this page ends at, and total the whole of it, in any one unit; 0 when unknown
    """

    orders: tuple[Order, ...]
    cursor: str
    notes: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    scanned: int = 0
    total: int = 0


class Source(Protocol):
    """A shop to read. `kind` names it in store files; the class is registered under the entry-point group
    connector.sources."""

    kind: str

    @classmethod
    def options(cls) -> type[Any]:
        """The pydantic model of the store file's [source] table, without `kind`; unknown keys are errors."""
        ...

    def __init__(self, options: Any, context: SourceContext) -> None: ...

    def pages(self, cursor: str) -> Iterator[Page]:
        """All that is new since `cursor`, a page at a time; raises only SourceError."""
        ...


class SourceContext(msgspec.Struct, frozen=True):
    """What a source may know of its house: its store's name, the folder relative paths start from, the zone, the
    time."""

    store: str
    folder: str
    timezone: str
    now: Callable[[], datetime]


class SourceError(Exception):
    """A shop could not be read. The message is for the merchant: what, where, and what to do. Never a secret in it."""


class Unreachable(SourceError):
    """Wait and try again: no connection, a time-out, a 5xx, a page that is no answer."""


class Unauthorised(SourceError):
    """Stop the store and call a person: the shop refuses our credentials."""


class Throttled(SourceError):
    """Wait until `until` (aware, UTC), as the shop asked."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Malformed(SourceError):
    """Stop this input and call a person: what came is not what this shop sends."""

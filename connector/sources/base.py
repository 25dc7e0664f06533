"""The source contract: what comes out, in which order, what may repeat, what may never be skipped, which error means
what.

A source is built from its store's validated options and yields pages from a cursor. A page carries its orders, in any
order, and the cursor that is safe to keep once they are recorded. Reading again from a kept cursor may repeat orders
and must never skip one: equal timestamps, clock skew and edits while paging are the source's to survive. Memory is
bounded by one page, whatever the size of the shop.

A shop that can be asked (`LiveSource`) is also swept once a day, and asked again about single orders wherever its pages
leave a doubt: change dates of shops are hints (platforms.md 7).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import msgspec

from connector.order import Order


class Page(msgspec.Struct, frozen=True):
    """Orders, and the cursor to keep once they are recorded.

    cursor   opaque JSON text of the source's own; "" means from the beginning
    notes    sentences for people about this page as a whole ("orders.csv: still being written, left for the next run")
    alerts   the same, but somebody must act ("orders.csv line 9: unclosed quote; the file was not read"). Each text is
             one alert, so what is told again is told in the same words: no time, no count that moves
    scanned  how much of the input this page ends at, and total the whole of it, in any one unit; 0 when unknown
    gone     ids of orders that the shop, asked for them one by one, no longer has
    """

    orders: tuple[Order, ...]
    cursor: str
    notes: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    scanned: int = 0
    total: int = 0
    gone: tuple[str, ...] = ()


class Source(Protocol):
    """A shop to read. `kind` names it in store files; the class is registered under the entry-point group
    connector.sources."""

    kind: str

    @classmethod
    def options(cls) -> type[Any]:
        """The pydantic model of the store file's [source] table, without `kind`; unknown keys are errors.

        It may have `lacks`, a frozenset: the fields of an order that the source never fills. `connector check` names
        the keys of [select] that look at these.
        """
        ...

    def __init__(self, options: Any, context: SourceContext) -> None: ...

    def pages(self, cursor: str) -> Iterator[Page]:
        """All that is new since `cursor`, a page at a time; raises only SourceError."""
        ...


class Finding(msgspec.Struct, frozen=True):
    """One thing `connector check` looked at in a shop. text  what was found; mend  what to do, "" where all is well."""

    text: str
    mend: str = ""


@runtime_checkable
class LiveSource(Source, Protocol):
    """A shop that can be asked at any time. The caller closes it. A page that shows an order shows all its parts.

    The cursor of `pages` is made of the shop's own times alone, never of our clock (failures.md P14); it lags behind
    the newest change seen by an overlap, so that what becomes visible late is still read.
    """

    def sweep(self) -> Iterator[Page]:
        """Every order that may still become freight or change, and all that changed in the last 48 hours, whatever
        any cursor says. The pages' cursors are "" and are not kept. Raises only SourceError."""
        ...

    def reread(self, ids: Sequence[str]) -> Iterator[Page]:
        """These orders (`Order.id`) as the shop has them now, each asked for by its id; every id is in one page's
        orders or in its `gone`, or named in its alerts where the shop can't be asked for it. The pages' cursors are "".
        Raises only SourceError."""
        ...

    def probe(self) -> Iterator[Finding]:
        """Try everything a sync needs, and tell each as it is found: reachable, signed in, rights, clock, one order
        read. Never raises; ends early where nothing more can be tried."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


class Hint(msgspec.Struct, frozen=True):
    """What a verified delivery says, once its body was looked at.

    ids     orders to be asked for again: bodies may be old, headers are not signed
    orders  the orders themselves, where the body is all there is
    gone    ids of orders that the shop says it deleted
    redact  ids of orders whose personal data is to be forgotten
    fault   why the body can't be used, as a sentence for people; "" for anything else, also what needs nothing done
    """

    ids: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    gone: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    fault: str = ""


@runtime_checkable
class HearsDeliveries(Protocol):
    """A source whose shop also tells by itself, in signed deliveries. A delivery is a hint, never the truth."""

    def heard(self, topic: str, body: bytes) -> Hint:
        """What the delivery means. topic  as its header says, "" where there is none: not signed, so it decides nothing
        that the body can tell. Never raises."""
        ...


def only_tells(source: object) -> bool:
    """Whether a shop can't be asked, so that what it delivered is all that is known of it. source: one, or a class of
    sources."""
    return isinstance(source, HearsDeliveries) and not isinstance(source, LiveSource)


class SourceContext(msgspec.Struct, frozen=True):
    """What a source may know of its house: its store's name, the folder relative paths start from, the zone, the time,
    and how to wait (seconds) where a shop asks for a moment's patience.

    wait  True: it came back early, for we are to stop; then raise Throttled, since to wait on would be a busy loop
    """

    store: str
    folder: str
    timezone: str
    now: Callable[[], datetime]
    wait: Callable[[float], bool | None] = time.sleep


class SourceError(Exception):
    """A shop could not be read. The message is for the merchant: what, where, and what to do. Never a secret in it."""


class Unreachable(SourceError):
    """Wait and try again: no connection, a time-out, a 5xx, a page that is no answer."""


class TooLarge(Unreachable):
    """An answer went on past the limit and was dropped; a smaller page may do (failures.md P25)."""


class TooLate(Unreachable):
    """An answer was not whole when the call's time was over; a smaller page may do, or the shop is down."""


class Unauthorised(SourceError):
    """Stop the store and call a person: the shop refuses our credentials."""


class Throttled(SourceError):
    """Wait until `until` (aware, UTC), as the shop asked."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Malformed(SourceError):
    """Stop this input and call a person: what came is not what this shop sends."""

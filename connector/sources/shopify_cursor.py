"""How far a Shopify has been read, as the cursor's text: made of the shop's own times only. Knows no query, no clock.

The rule that loses nothing: before a walk begins, the newest change is asked for, and becomes the mark only when the
walk has ended. What changes while the walk goes on is newer than that, so the next walk reads it; what the shop's index
shows late is caught by the overlap, up to its length, and past it by the daily sweep (P11, P12, L3).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.sources import json_body

ROWS: Final = 20_000
"""As far as one search is paged: Shopify ends at 25,000, https://shopify.dev/docs/api/usage/limits."""


A_DAY: Final = timedelta(days=1)
"""As often as a shop in which nothing changes moves its cursor."""


class Reach(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one list has been read.

    mark   all that changed up to here is recorded; "" nothing is
    top    the mark to be once this walk has ended
    start  where the walk's search starts, where that is past the mark: a long walk is cut into searches
    after  the page of it to read next, "" its first
    rows   read of this search so far; last  the newest change among them
    done   this list's walk has ended, the other's has not
    """

    mark: str = ""
    top: str = ""
    start: str = ""
    after: str = ""
    rows: int = 0
    last: str = ""
    done: bool = False

    def since(self, overlap: timedelta) -> datetime | None:
        """From when on this list is asked for; None from the beginning."""
        if self.start:
            return json_body.utc(self.start)
        return json_body.utc(self.mark) - overlap if self.mark else None

    def read_to(self) -> str:
        """The change date up to which it has been read, by a walk that is not over too; "" for nothing."""
        return self.top if self.done else max(self.mark, self.start, self.last)

    def begun(self, newest: str) -> Reach:
        """At the start of a walk. newest  change of all; "" where the list is empty: then the mark stays."""
        return Reach(self.mark, newest or self.mark)

    def again(self) -> Reach:
        """The walk from its first page, where the shop no longer takes the page cursor (P9)."""
        return Reach(self.mark, self.top)

    def beyond(self, stamps: list[str], end: str, overlap: timedelta) -> Reach:
        """After a page. stamps  its rows' change dates; end  the next page's cursor, "" where there is none."""
        rows, last = self.rows + len(stamps), max([self.last, *stamps])
        if not end:
            return Reach(self.mark, self.top, done=True)
        if rows >= ROWS and (start := _later(last, self.since(overlap), overlap)):
            return Reach(self.mark, self.top, start)
        return msgspec.structs.replace(self, after=end, rows=rows, last=last)

    def ended(self) -> Reach:
        """After the walk."""
        return Reach(self.top)


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far both lists have been read; walking  a walk is under way.

    seen  the shop's time when it was last read, to a day, where nothing has changed for longer; "" where the marks tell
    """

    orders: Reach = Reach()
    parts: Reach = Reach()
    walking: bool = False
    seen: str = ""

    def read_at(self) -> str:
        """When the shop was last read, by its own time and to a day; "" never."""
        return max(self.orders.read_to(), self.seen)

    def seen_at(self, shop_time: datetime | None, window: timedelta) -> Cursor:
        """The same, read at this time of the shop's, where its walk has ended. What was not read for a whole `window`
        keeps its gap; where `read_at` is not a day old it stays as it is: an idle run has nothing to keep."""
        last = self.read_at()
        if self.walking or shop_time is None or (last and not A_DAY <= shop_time - json_body.utc(last) < window):
            return self
        return msgspec.structs.replace(self, seen=json_body.revision(shop_time))

    def settled(self) -> Cursor:
        """The same, with the walk ended where both lists are done."""
        if not (self.orders.done and self.parts.done):
            return self
        return Cursor(self.orders.ended(), self.parts.ended(), seen=self.seen)


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Cursor).decode


def parse(text: str) -> Cursor:
    """The cursor; the beginning for "" and for text that is none: reading again is always safe."""
    try:
        cursor = _decode(text)
        for reach in (cursor.orders, cursor.parts):
            reach.since(timedelta())
        if cursor.seen:
            json_body.utc(cursor.seen)
    except (msgspec.DecodeError, ValueError):
        return Cursor()
    return cursor


def text_of(cursor: Cursor) -> str:
    """The cursor as text."""
    return _encode(cursor).decode()


def _later(last: str, since: datetime | None, overlap: timedelta) -> str:
    """Where the next search starts: a little before the newest row; "" where that gains nothing."""
    start = json_body.utc(last) - overlap
    return json_body.revision(start) if since is None or start > since else ""

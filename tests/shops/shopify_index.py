"""The lists of a Shopify shop: entries sorted by each key, and pages of them by the values of their last row.

Knows no order: an entry is a name with facts. Rows don't move while nothing changes; a page starts after the values of
the row before it, so what changes while somebody pages is shown again, or later (D1).
"""

from __future__ import annotations

import base64
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

import msgspec

from tests.shops.shopify_graph import bad_cursor

LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Where a time is missing."""

Place = tuple[Any, int, str]
"""Where an entry stands in one order: the sorted value, the number, the name."""


class Entry(msgspec.Struct, frozen=True, eq=False):
    """One thing that lists show. owner  the order it belongs to"""

    name: str
    number: int
    owner: str
    created: datetime
    facts: dict[str, Any]


class Cursor(msgspec.Struct, frozen=True):
    """What a page cursor holds: the row it stands on, the list's order, and when it was given."""

    last_id: int
    last_value: str
    key: str
    at: datetime
    issue: int

    def text(self) -> str:
        return base64.b64encode(msgspec.json.encode(self)).decode()


_cursors: Final = msgspec.json.Decoder(Cursor)


def read_cursor(text: str, key: str) -> Cursor:
    """Raises RefusedError: no cursor, or one of a list in another order."""
    try:
        cursor = _cursors.decode(base64.b64decode(text, validate=True))
    except (ValueError, msgspec.DecodeError):
        raise bad_cursor() from None
    if cursor.key != key:
        raise bad_cursor()
    return cursor


class Index:
    """Entries by name, sorted by each of `keys`. disorder_s  change dates stand up to so much too late"""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.disorder_s = 0.0
        self._entries: dict[str, Entry] = {}
        self._sorted: dict[str, list[Place]] = {key: [] for key in keys}

    def put(self, entry: Entry) -> None:
        self.drop(entry.name)
        self._entries[entry.name] = entry
        for key, places in self._sorted.items():
            insort(places, self._place(entry, key))

    def drop(self, name: str) -> None:
        old = self._entries.pop(name, None)
        if old is None:
            return
        for key, places in self._sorted.items():
            del places[bisect_left(places, self._place(old, key))]

    def rows(
        self,
        key: str,
        after: Place | None,
        is_seen: Callable[[Entry], bool],
        *,
        backwards: bool,
        since: datetime | None = None,
    ) -> Iterator[Place]:
        """The entries that are seen, in order, from the one that follows `after`. since  none is before, for speed"""
        places = self._sorted[key]
        least = bisect_left(places, (since,)) if since else 0
        if backwards:
            start = len(places) if after is None else bisect_left(places, after)
            steps = range(start - 1, least - 1, -1)
        else:
            steps = range(max(least, bisect_right(places, after) if after else 0), len(places))
        for step in steps:
            if is_seen(self._entries[places[step][2]]):
                yield places[step]

    def count(self, is_seen: Callable[[Entry], bool]) -> int:
        return sum(1 for entry in self._entries.values() if is_seen(entry))

    def _place(self, entry: Entry, key: str) -> Place:
        value = entry.facts[key]
        if value is None:
            value = LAST
        if self.disorder_s and isinstance(value, datetime):
            share = crc32(f"{entry.number} {value.timestamp()}".encode()) / 2**32
            value += timedelta(seconds=self.disorder_s * share)
        return value, entry.number, entry.name


def cursor_at(place: Place, key: str, now: datetime, issue: int) -> str:
    value = place[0].isoformat() if isinstance(place[0], datetime) else str(place[0])
    return Cursor(place[1], value, key, now, issue).text()


def place_of(cursor: Cursor, *, backwards: bool) -> Place:
    """Where the cursor stands. The name only makes it come after (or before) the row it stood on."""
    value: Any = datetime.fromisoformat(cursor.last_value) if "T" in cursor.last_value else int(cursor.last_value)
    return value, cursor.last_id, "" if backwards else "\uffff"

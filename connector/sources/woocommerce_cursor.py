"""What a WooCommerce source remembers between two runs, as the cursor's text. Knows no network and no order.

Only the shop's own times are in it (failures.md P14): GMT without a letter, as wc/v3 writes and reads them (L4).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

_STEP: Final = timedelta(seconds=1)
"""modified_after is a strict "later than" on whole seconds (platforms.md L1): one second back makes it "since"."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a walk stands. offset  rows read; last  the highest id among them; seen  how many different orders;
    is_gap  the rows before it are counted and not shown, so that no page joins them."""

    offset: int = 0
    last: int = 0
    seen: int = 0
    is_gap: bool = False


class Walk(msgspec.Struct, frozen=True, omit_defaults=True):
    """A list that is being read, over several pages and perhaps several runs.

    after   its filter, "" for all orders; newest  the newest change when it began: the mark once it is over
    """

    after: str
    newest: str
    place: Place = Place()


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """shop: its address, so that another shop is read from its beginning; mark: the newest change that was seen."""

    shop: str
    mark: str = ""
    walk: Walk | None = None


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Cursor).decode


def parse(text: str, shop: str) -> Cursor:
    """The cursor; an empty one for "", for text that is none, and for another shop's: then all is read again."""
    try:
        cursor = _decode(text)
        walk = cursor.walk or Walk("", "")
        for stamp in filter(None, (cursor.mark, walk.after, walk.newest)):
            datetime.fromisoformat(stamp)
    except (msgspec.DecodeError, ValueError):
        return Cursor(shop)
    return cursor if cursor.shop == shop else Cursor(shop)


def text_of(cursor: Cursor) -> str:
    """The cursor as text."""
    return _encode(cursor).decode()


def earlier(stamp: str, by: timedelta) -> str:
    """modified_after for all that changed at `stamp` less `by`, or later."""
    return (datetime.fromisoformat(stamp) - by - _STEP).isoformat(timespec="seconds")


def mark_of(known: str, newest: str, clock: str) -> str:
    """The mark after a page: the newest change seen, but never past the shop's own clock.

    An order dated in the future (a plug-in, a clock set back) would else hide all that is changed until then.
    clock  the answer's Date, "" where it has none
    """
    mark = max(known, newest)
    return min(mark, clock) if clock else mark

"""Is a whole file sound? Asked before the first order of it is believed. Knows rows and layout, no order.

Two readings with one meaning: `_glance` counts delimiters and quotes of a quarter megabyte at a time and is sure only
of plain files; whatever it doubts, `_strictly` reads row by row, and says which line is wrong and what to do.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from operator import itemgetter
from typing import BinaryIO, Final, NamedTuple

import msgspec

from connector.sources.base import Malformed
from connector.sources.csv_layout import Layout
from connector.sources.csv_reader import Form, rows, texts
from connector.sources.csv_scattered import Seen, counted

SURE: Final = csv.field_size_limit() // 4
"""A part of a cell of at most this length is surely within csv's limit, whatever its neighbours are."""


class Sound(msgspec.Struct, frozen=True):
    """A file whose every row can be read.

    scattered   keys that may stand in several places of the file: all that do, and some few that don't
    has_orders  there is something after the header
    is_ended    the last line has its line end: the file isn't cut
    """

    scattered: frozenset[str]
    has_orders: bool
    is_ended: bool


class Keys(NamedTuple):
    """The keys of some rows, empty where a row belongs to the one before; is_ended: the text so far ends a line."""

    found: list[str]
    is_ended: bool


class _InDoubt(Exception):
    """The quick reading isn't sure of a file."""


def check(stream: BinaryIO, form: Form, layout: Layout) -> Sound:
    """Reads the whole file once. Raises Malformed for anything that makes one of its rows unsure.

    A row with more cells than the header has is left to the reader of orders, which refuses that order alone (C10).
    """
    try:
        return _sound(lambda: _glance(stream, form, layout))
    except _InDoubt:
        return _sound(lambda: _strictly(stream, form, layout))


def _sound(read: Callable[[], Iterator[Keys]]) -> Sound:
    seen, count, is_ended = Seen(), 0, True
    for keys in read():
        seen.note(keys.found)
        count, is_ended = count + len(keys.found), keys.is_ended
    scattered = counted(seen.suspects, (key for keys in read() for key in keys.found))
    return Sound(frozenset(scattered), count > 1, is_ended)


def _strictly(stream: BinaryIO, form: Form, layout: Layout) -> Iterator[Keys]:
    """Row by row. Raises Malformed with the line and what to do."""
    for number, row in enumerate(rows(stream, form), 1):
        if row and len(row) < layout.width:
            raise Malformed(narrow_sentence(number, len(row), layout.width))
        if row:
            yield Keys([row[layout.key].strip()], True)
    yield Keys([], _is_ended(stream, form))


def narrow_sentence(number: int, cells: int, width: int) -> str:
    """What to say of a row that is too short."""
    return (
        f"row {number} has {cells} cells, the header has {width}: the file was cut, or a line broken. "
        "None of it is used; export it again."
    )


def _is_ended(stream: BinaryIO, form: Form) -> bool:
    last = ""
    for text in texts(stream, form):
        last = text
    return last.endswith(("\n", "\r"))


def _glance(stream: BinaryIO, form: Form, layout: Layout) -> Iterator[Keys]:
    """The same verdict for plain files, at less than half the cost. Raises _InDoubt for all others.

    Text between quotes is taken out and one quote left in its place; what remains is split into lines, whose delimiters
    are counted. Sound means: quotes stand only where cells begin and end, and no line is narrower than the header.
    """
    carry, inside = "", False
    for text in texts(stream, form):
        pieces = text.split('"')
        outside, quoted = (pieces[1::2], pieces[0::2]) if inside else (pieces[0::2], pieces[1::2])
        ends_inside = inside ^ (len(pieces) % 2 == 0)
        if _is_odd(outside, inside, ends_inside, form.delimiter) or _longest(quoted, outside, inside) > SURE:
            raise _InDoubt
        plain = carry + '"'.join(["", *outside] if inside else outside)
        inside = ends_inside
        whole = (plain.replace("\r\n", "\n").replace("\r", "\n") if "\r" in plain else plain).split("\n")
        carry = whole.pop()
        yield Keys(_keys(whole, form.delimiter, layout), True)
    if inside:
        raise _InDoubt
    yield Keys(_keys([carry], form.delimiter, layout), not carry)


def _longest(quoted: list[str], outside: list[str], starts_inside: bool) -> int:
    """The longest text between the quotes of a cell; where a quote is doubled, the cell goes on behind it."""
    between = outside if starts_inside else outside[1:]
    if "" not in between:  # nearly always
        return max(map(len, quoted), default=0)
    longest = length = 0
    for text, follows in zip(quoted, chain(between, repeat(".")), strict=False):
        length += len(text)
        longest = max(longest, length)
        length = length if follows == "" else 0
    return longest


def _is_odd(outside: list[str], starts_inside: bool, ends_inside: bool, delimiter: str) -> bool:
    """True where a quote stands elsewhere than next to a delimiter, a line end or another quote."""
    ends = (delimiter, "\n", "\r")
    after_quote = outside if starts_inside else outside[1:]
    before_quote = outside if ends_inside else outside[:-1]
    return not (
        all(map(str.startswith, filter(None, after_quote), repeat(ends)))
        and all(map(str.endswith, filter(None, before_quote), repeat(ends)))
    )


def _keys(whole: list[str], delimiter: str, layout: Layout) -> list[str]:
    """The key of each line. Raises _InDoubt where one is narrower than the header or very long, or a key quoted."""
    lines = [line for line in whole if line]
    if min(map(str.count, lines, repeat(delimiter)), default=layout.width) < layout.width - 1:
        raise _InDoubt
    if max(map(len, lines), default=0) > SURE:
        raise _InDoubt
    cells = map(str.split, lines, repeat(delimiter), repeat(layout.key + 1))
    keys = list(map(str.strip, map(itemgetter(layout.key), cells)))
    if '"' in "".join(keys):
        raise _InDoubt
    return keys

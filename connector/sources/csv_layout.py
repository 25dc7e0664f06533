"""Where each field stands in a file's rows, found once from its header. Knows no bytes and no order.

Cells are then picked by position: a dictionary a row costs more than all the rest of reading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Final

import msgspec

from connector.sources.base import Malformed
from connector.sources.csv_dialects import (
    ADDRESS,
    BILLING,
    DIALECTS,
    HEAD,
    LINE,
    OWN,
    PACKED,
    Columns,
    Dialect,
    recognise,
)
from connector.suggest import near

Cells = Callable[[Sequence[str]], tuple[str, ...]]
"""Picks some cells of a row, in a known order."""

SHOWN: Final = 8
"""How many column names a sentence quotes at most."""


class Layout(msgspec.Struct, frozen=True):
    """Positions for rows that were widened first: an empty cell after the last column, then the joined ones.

    width     columns of the header
    key       the column that groups the rows of an order; key_name  its name
    id_at     the column of the order's own key; another than `key` in exports that give it on the first row only
    joins     columns to be joined with a space, one more cell each
    head, ship, bill, line   the cells of HEAD, ADDRESS, BILLING and LINE
    claims    the cells in which no two rows of an order may say different things; claimed  their columns' names;
              silent  such cells, all empty
    packed    columns that hold whole lines as text
    names     field -> the column it is read from, for people
    blank_address_is_pickup  as the dialect says
    """

    width: int
    key: int
    key_name: str
    id_at: int
    joins: tuple[tuple[int, ...], ...]
    head: Cells
    ship: Cells
    bill: Cells
    line: Cells
    claims: Cells
    claimed: tuple[str, ...]
    silent: tuple[str, ...]
    packed: tuple[int, ...]
    names: Mapping[str, str]
    blank_address_is_pickup: bool


class Wanted(msgspec.Struct, frozen=True):
    """What the store's file says about columns: dialect "" means `own` alone; own fields override single ones."""

    dialect: str = ""
    own: Mapping[str, tuple[str, ...]] = {}


def layout_of(header: Sequence[str], wanted: Wanted, delimiter: str) -> Layout:
    """The layout of a file with this header. Raises Malformed for another delimiter, a doubled or a missing column."""
    names = [name.strip() for name in header]
    _refuse_delimiter(names, delimiter)
    dialect = _dialect(wanted, names)
    columns = _with_identity({**dialect.columns(), **{field: (own,) for field, own in wanted.own.items()}})
    at = {name: position for position, name in enumerate(names)}
    found = {field: found for field, choices in columns.items() if (found := _first_found(field, choices, at))}
    _refuse_missing([*dialect.required, *wanted.own], found, columns, names)
    _refuse_doubled(names)  # after the missing ones: a file without a header would have its customers quoted here
    return _placed(_lines_in_one(found, columns), at, dialect)


def _dialect(wanted: Wanted, names: list[str]) -> Dialect:
    if not wanted.dialect:
        return OWN
    if dialect := recognise(DIALECTS[wanted.dialect], names):
        return dialect
    raise Malformed(
        "the columns are those of no WooCommerce plug-in known here. Say in [source.columns] which column means what."
    )


def _with_identity(columns: Columns) -> Columns:
    """A file with a number only is keyed by it, and one with a key only shows that."""
    id_ = columns.get("id") or columns.get("number")
    number = columns.get("number") or columns.get("id")
    return {**columns, "id": id_, "number": number} if id_ and number else columns


def _first_found(field: str, choices: tuple[tuple[str, ...], ...], at: Mapping[str, int]) -> tuple[str, ...]:
    if field == PACKED:
        return tuple(name for choice in choices for pattern in choice for name in at if _matches(pattern, name))
    return next((choice for choice in choices if all(name in at for name in choice)), ())


def _lines_in_one(found: Mapping[str, tuple[str, ...]], columns: Columns) -> Mapping[str, tuple[str, ...]]:
    """One column for both lines of an address, where line2 found no other than one that is line1's too."""
    found = dict(found)
    for line1, line2 in (("line1", "line2"), ("bill_line1", "bill_line2")):
        if found.get(line2) in columns.get(line1, ()):
            found[line1] = found.pop(line2)
    return found


def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\#", r"\d+"), name) is not None


def _placed(found: Mapping[str, tuple[str, ...]], at: Mapping[str, int], dialect: Dialect) -> Layout:
    width = len(at)
    joins = {names: width + 1 + place for place, names in enumerate(dict.fromkeys(_joined(found)))}

    def place(field: str) -> int:
        names = found.get(field, ())
        return width if not names else at[names[0]] if len(names) == 1 else joins[names]

    def cells(fields: tuple[str, ...]) -> Cells:
        return itemgetter(*map(place, fields))

    claiming = (*ADDRESS, "status", "payment", "fulfilment", "cancelled_at")
    claimed = tuple(dict.fromkeys(name for field in claiming for name in found.get(field, ())))
    return Layout(
        width=width,
        key=at[found[dialect.key][0]],
        key_name=found[dialect.key][0],
        id_at=at[found["id"][0]],
        joins=tuple(tuple(at[name] for name in names) for names in joins),
        head=cells(HEAD),
        ship=cells(ADDRESS),
        bill=cells(BILLING),
        line=cells(LINE),
        claims=itemgetter(*(at[name] for name in claimed)),
        claimed=claimed,
        silent=("",) * len(claimed),
        packed=tuple(at[name] for name in found.get(PACKED, ())),
        names={field: " + ".join(names) for field, names in found.items()},
        blank_address_is_pickup=dialect.blank_address_is_pickup,
    )


def _joined(found: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [names for field, names in found.items() if len(names) > 1 and field != PACKED]


def _refuse_delimiter(names: list[str], delimiter: str) -> None:
    if len(names) > 1:
        return
    other = max((";", "\t", ",", "|"), key=names[0].count)
    if other == delimiter or not names[0].count(other):
        raise Malformed("the first line holds one column only. Is this an export of orders, with its header?")
    shown = {"\t": r"\t"}.get(other, other)
    raise Malformed(
        f'the first line has no "{delimiter}" but {names[0].count(other)} times "{shown}". '
        f'Set delimiter = "{shown}" in [source].'
    )


def _refuse_doubled(names: list[str]) -> None:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise Malformed(
            f"the first line names {_quoted(doubled)} more than once, so that nobody can tell which column counts. "
            "Leave one of them out of the export."
        )


def _refuse_missing(
    required: Sequence[str], found: Mapping[str, tuple[str, ...]], columns: Columns, names: list[str]
) -> None:
    missing = [field for field in dict.fromkeys(required) if field not in found]
    if missing:
        read = {name for names_read in found.values() for name in names_read}
        free = [name for name in names if name not in read]  # no column is guessed at that is something else
        raise Malformed(
            f"columns are missing: {'; '.join(_missing(field, columns, free) for field in missing)}. "
            "Export again with all columns, or say in [source.columns] what they are called here."
        )


def _missing(field: str, columns: Columns, free: list[str]) -> str:
    choices = columns.get(field, ())
    if not choices:
        return f"{field} (no column is given for it)"
    wanted = " or ".join(" + ".join(choice) for choice in choices)
    guess = near(choices[0][0], free)
    return f'{field} ("{wanted}"{f", perhaps now {chr(34)}{guess}{chr(34)}" if guess else ""})'


def _quoted(names: Sequence[str]) -> str:
    """Column names for a sentence: the first few, each shortened, since a header may turn out to be anything."""
    shown = ", ".join(f'"{name[:40]}"' for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown

"""Rows that belong to one order, found and put together. Knows rows and layout, not what the cells mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from connector.sources.base import Malformed
from connector.sources.csv_check import narrow_sentence
from connector.sources.csv_layout import Layout
from connector.sources.csv_reader import Row


class Group(msgspec.Struct, frozen=True, gc=False):
    """The rows of one order that stand together; the one with the order's own id comes first, wherever it stood.

    number  the first row's in the file; key  what it names the order by, "" where it doesn't
    wide    a row with too many cells, or 0
    """

    number: int
    key: str
    rows: list[Row]
    wide: int = 0


def groups(found: Iterable[Row], layout: Layout) -> Iterator[Group]:
    """Rows that follow each other and name the same order; a row without a name goes on with the one before (L20).

    Rows come out widened by the empty cell that `Layout` counts on. Raises Malformed for a row that is too short.
    """
    numbered = enumerate(found, 1)
    next((row for _, row in numbered if row), None)  # the header
    width, key_at, id_at = layout.width, layout.key, layout.id_at
    group: list[Row] = []
    number, wide, key, id_ = 0, 0, "", ""
    for at, row in numbered:
        if not row:
            continue
        if len(row) < width:
            raise Malformed(narrow_sentence(at, len(row), width))
        if is_wide := len(row) > width:
            del row[width:]
        row.append("")
        name, own = row[key_at].strip(), row[id_at].strip()
        if group and (not name or (name == key and (not own or not id_ or own == id_))):
            if own and not id_:  # a file sorted backwards
                group.insert(0, row)
                id_ = own
            else:
                group.append(row)
        elif name or any(row):
            if group:
                yield Group(number, key, group, wide)
            group, number, wide, key, id_ = [row], at, 0, name, own
        if is_wide:
            wide = at
    if group:
        yield Group(number, key, group, wide)


def together(aside: Mapping[str, Sequence[Group]], layout: Layout) -> Iterator[Group]:
    """C14: one group an order, of all its rows; a row that is there twice word for word counts once.

    Two orders may share a shown number (platforms.md D8), so those with different keys of their own stay apart. Rows
    that name none go on with the first that does.
    """
    for found in aside.values():
        by_id: dict[str, list[Group]] = {}
        for group in found:
            by_id.setdefault(group.rows[0][layout.id_at].strip(), []).append(group)
        keyless = by_id.pop("", [])
        first, *others = by_id.values() or ([],)
        yield from (_merged(same) for same in ([*first, *keyless], *others))


def _merged(same: Sequence[Group]) -> Group:
    first, *others = same
    later = [row for group in others for row in group.rows if row not in first.rows]
    return Group(first.number, first.key, [*first.rows, *later], next((group.wide for group in same if group.wide), 0))

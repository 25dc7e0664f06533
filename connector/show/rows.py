"""Rows with named columns: a table for people, a line of JSON each for programs. Knows no meaning of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from connector.show.screen import Screen

AT_ONCE: Final = 500
"""Rows laid out as one table: bounds memory, and the first rows appear before the last are read."""


def show_rows(screen: Screen, rows: Iterable[Mapping[str, Any]]) -> None:
    """All rows, as they come."""
    if screen.as_json:
        for row in rows:
            screen.value(row)
        return
    waiting = iter(rows)
    while some := list(islice(waiting, AT_ONCE)):
        screen.table(tuple(some[0]), ([_shown(value) for value in row.values()] for row in some))


def _shown(value: object) -> str:
    return "" if value is None else str(value)

"""Questions of people's own to the ledger, in SQL, through sqlite-utils. They can only read; knows no screen."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from connector.exit_codes import UsageError
from connector.ledger.reading import reading

_READING: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_SAVEPOINT,  # sqlite-utils puts every query into one
    }
)
"""What SQL may do here. query_only alone would let a query switch query_only off, or attach another file."""


class Table(msgspec.Struct, frozen=True):
    """A table, or the view of all orders, and how many rows it has."""

    name: str
    rows: int


def tables(state: Path) -> list[Table]:
    """The ledger's tables and views by name. Raises LedgerError."""
    from sqlite_utils import Database

    with reading(state) as connection:
        db = Database(connection, recursive_triggers=False, execute_plugins=False)
        names = sorted([*db.table_names(), *db.view_names()])
        return [Table(name, db[name].count) for name in names]


def answers(state: Path, sql: str) -> Iterator[dict[str, Any]]:
    """The rows one SELECT brings, as they come; bytes as hex.

    Raises UsageError for SQL that can't be run or would write, LedgerError where there is no ledger to ask.
    """
    from sqlite_utils import Database

    if not sql.strip():
        raise UsageError("there is no question; it is asked by one SELECT. Its tables: connector ledger tables")
    with reading(state) as connection:
        connection.set_authorizer(_only_reading)
        try:
            for row in Database(connection, recursive_triggers=False, execute_plugins=False).query(sql):
                yield {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
        except (sqlite3.Error, sqlite3.Warning, ValueError) as err:
            raise UsageError(
                f"the ledger can't answer that ({err}); it is asked by one SELECT. Its tables: connector ledger tables"
            ) from None


def _only_reading(deed: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if deed in _READING else sqlite3.SQLITE_DENY

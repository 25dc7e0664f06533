"""Rows carried into a stricter table by a step of the schema; those that don't fit are set aside, and nothing stops for
them (failures.md V9). Knows no table.

For steps of `connector.ledger.schema` that make a table anew with another CHECK. Each row is tried by itself, within
the step's transaction: what was set aside is written together with the upgrade, or not at all.
"""

# ruff: noqa: S608  table and column names are those of our own schema
from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

SET_ASIDE: Final = "rows set aside"
"""The kind of alert, which belongs to no store."""
_NOW: Final = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"


def carry_over(db: sqlite3.Connection, table: str, name: str) -> int:
    """Copy every row of `table` into the table `name`, column by column; how many were set aside.

    A row that a constraint of the new table refuses stands in `set_aside` afterwards, as JSON and with the reason, and
    a person is called. Rows of other tables that point to it must be carried over after it, or the upgrade is refused
    as a whole. A WITHOUT ROWID table is read by its own order.
    """
    cursor = db.execute(f"SELECT * FROM {table}")
    columns = [column[0] for column in cursor.description]
    value = ", ".join("?" * len(columns))
    wanted = ", ".join(columns)
    count = 0
    for row in cursor:
        try:
            db.execute(f"INSERT INTO {name} ({wanted}) VALUES ({value})", row)
        except sqlite3.IntegrityError as err:
            _put_aside(db, table, dict(zip(columns, row, strict=True)), str(err))
            count += 1
    if count:
        _call(db, table, count)
    return count


def _put_aside(db: sqlite3.Connection, table: str, row: dict[str, Any], why: str) -> None:
    """SQLite's words name the constraint, never what stands in the row."""
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
    db.execute(
        "INSERT INTO set_aside (at, source, row, why) VALUES (" + _NOW + ", ?, ?, ?)",
        (table, json.dumps(shown, ensure_ascii=False), why),
    )


def _call(db: sqlite3.Connection, table: str, count: int) -> None:
    rows = "1 row" if count == 1 else f"{count} rows"
    text = (
        f"an upgrade of the ledger could not carry {rows} of table {table} over and set them aside. See them with: "
        "connector ledger query 'SELECT * FROM set_aside'"
    )
    db.execute(
        "INSERT OR IGNORE INTO alerts (store, kind, text, opened_at) VALUES ('', ?, ?, " + _NOW + ")",
        (f"{SET_ASIDE}: {table}", text),
    )

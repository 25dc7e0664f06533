"""Whether a ledger may be sent from: its tables are as we made them, its pages and references whole. Writes one row.

A damaged ledger could double or lose orders, so it is found before anything is sent (failures.md L9, L11, L23, V10).
Its tables are compared at every start. Its pages are read at every start while it is small; a large one's once a day,
and whenever something happened since that could have hurt it: a run that never ended, or another SQLite underneath.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from connector.ledger import schema
from connector.ledger.errors import UNREADABLE, LedgerError, LedgerUnfit
from connector.ledger.times import stamp

SMALL_BYTES: Final = 2 << 20
"""About 2,500 orders: checked in 25 ms. 100,000 orders (70 MB) take 0.9 s."""
CHECKED_EVERY: Final = timedelta(days=1)


def check(db: sqlite3.Connection) -> list[str]:
    """Every problem of pages, indexes and references, as sentences; empty when all is sound."""
    try:
        found = [str(row[0]) for row in db.execute("PRAGMA integrity_check")]
        problems = [] if found == ["ok"] else found
        problems += [
            f"table {row[0]}, row {row[1]}: points to a missing row of {row[2]}"
            for row in db.execute("PRAGMA foreign_key_check")
        ]
    except UNREADABLE as err:
        return [f"the file can't be read as a ledger: {err}"]
    return problems


def refuse_changed_tables(db: sqlite3.Connection, path: Path | None) -> None:
    """Raise LedgerError where tables, indexes, triggers or views are not those of our schema."""
    if schema.fingerprint(db) != schema.expected_fingerprint():
        raise LedgerError(
            f"{path}: its tables are not as this program made them; somebody changed them. Restore a backup of it."
        )


def is_small(db: sqlite3.Connection) -> bool:
    """Whether checking costs so little that nobody need remember when it was done."""
    row = db.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()
    return bool(row[0] <= SMALL_BYTES)


def is_check_due(db: sqlite3.Connection, now: datetime) -> bool:
    """Whether the pages of a ledger that is not small are to be read now."""
    checked = db.execute(
        "SELECT 1 FROM checks WHERE at BETWEEN ? AND ? AND sqlite = ?"
        " AND NOT EXISTS (SELECT 1 FROM runs WHERE ended_at IS NULL AND started_at >= at)",
        (stamp(now - CHECKED_EVERY), stamp(now), sqlite3.sqlite_version),
    ).fetchone()
    return checked is None


def refuse_damaged(db: sqlite3.Connection, path: Path | None) -> None:
    """Read every page. Raises LedgerUnfit with the first problem found."""
    problems = check(db)
    if problems:
        raise LedgerUnfit(
            f"{path}: the ledger is damaged ({problems[0]}); nothing is sent from it. Restore a backup of it."
        )


def keep_check(db: sqlite3.Connection, now: datetime) -> None:
    """Write down that the ledger was sound now, with this SQLite; in the caller's transaction."""
    db.execute("INSERT OR REPLACE INTO checks (id, at, sqlite) VALUES (1, ?, ?)", (stamp(now), sqlite3.sqlite_version))


def forget_check(db: sqlite3.Connection) -> None:
    """Have the next start read every page, whatever the ledger's size; in the caller's transaction."""
    db.execute("DELETE FROM checks")

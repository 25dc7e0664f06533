"""Opens a ledger with a program one schema ahead, says which schema it has then: `-m tests.faults.upgrade FOLDER`."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from connector.ledger import schema
from connector.ledger.connection import LedgerError, open_ledger


def one_more(db: sqlite3.Connection) -> None:
    """A step as a later release may have it: a table made, filled from another and renamed, a column, an index."""
    db.execute("CREATE TABLE new_cursors (store TEXT PRIMARY KEY, cursor TEXT NOT NULL, moved_at TEXT NOT NULL) STRICT")
    db.execute("INSERT INTO new_cursors SELECT store, cursor, moved_at FROM cursors")
    db.execute("DROP TABLE cursors")
    db.execute("ALTER TABLE new_cursors RENAME TO cursors")
    db.execute("ALTER TABLE slips ADD COLUMN note TEXT NOT NULL DEFAULT ''")
    db.execute("UPDATE slips SET note = 'carried over'")
    db.execute("CREATE INDEX slips_by_note ON slips (note)")


if __name__ == "__main__":
    schema.STEPS = (*schema.STEPS, one_more)  # type: ignore[misc]
    schema.CURRENT = len(schema.STEPS)  # type: ignore[misc]
    try:
        with open_ledger(Path(sys.argv[1]) / "state") as ledger:
            os.write(1, f"schema {schema.version_of(ledger.db)}\n".encode())
    except LedgerError as err:
        os.write(1, f"{err}\n".encode())
        sys.exit(3)

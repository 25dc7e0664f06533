"""Opening the ledger to look at it: no folder made, no table upgraded, nothing written. Knows no questions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.ledger import schema
from connector.ledger.connection import BUSY_TIMEOUT_MS, FILE_NAME, LedgerError, as_ledger_error
from connector.ledger.errors import UNREADABLE


@contextmanager
def reading(state: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can't write, for the length of a `with`. Raises LedgerError, also where there is no ledger yet.

    Not SQLite's mode=ro: that one can't roll back what a killed process left half-written, and would refuse to read.
    """
    path = state / FILE_NAME
    if not path.exists():
        raise LedgerError(f"{path}: there is no ledger yet. `connector sync` makes it.")
    with reading_file(path) as db:
        yield db


@contextmanager
def reading_file(path: Path, *, any_schema: bool = False) -> Iterator[sqlite3.Connection]:
    """The same for a ledger under another name, such as a backup. any_schema: an older or newer one too."""
    try:
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000
        )
    except sqlite3.Error as err:
        raise as_ledger_error(err, path) from err
    try:
        db.execute("PRAGMA query_only = on")
        db.execute("PRAGMA trusted_schema = off")
        if not any_schema:
            _refuse_other_schemas(db, path)
        yield db
    except UNREADABLE as err:
        raise as_ledger_error(err, path) from err
    finally:
        db.close()


def _refuse_other_schemas(db: sqlite3.Connection, path: Path) -> None:
    found = schema.version_of(db)
    if found != schema.CURRENT:
        raise LedgerError(
            f"{path}: this ledger has schema {found}, this program reads {schema.CURRENT}. "
            "`connector sync` upgrades an older one; a newer one needs a newer program."
        )

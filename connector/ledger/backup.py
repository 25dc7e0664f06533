"""Backups of the ledger while it is in use, and the check that one can be restored. Knows no slips.

The only supported way to copy a live ledger (failures.md K1). Written beside its final name, synced, checked, renamed.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from connector.ledger.connection import Ledger, LedgerError, as_ledger_error


def back_up(ledger: Ledger, target: Path) -> Path:
    """Write a consistent copy of the ledger to target (0600) and return target.

    An older file of that name stays until the new one is whole and has passed its check. Raises LedgerError.
    """
    partial = target.with_name(target.name + ".tmp")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        copy = sqlite3.connect(partial, isolation_level=None)
        try:
            ledger.db.backup(copy, pages=256, sleep=0.001)
            copy.execute("PRAGMA journal_mode = delete")
        finally:
            copy.close()
        problems = check_file(partial)
        if problems:
            raise LedgerError(f"{target}: the backup did not pass its check ({problems[0]}); the last one was kept.")
        _sync(partial)
        partial.replace(target)
        _sync(target.parent)
    except sqlite3.Error as err:
        raise as_ledger_error(err, target) from err
    except OSError as err:
        raise LedgerError(
            f"{target}: the backup could not be written ({err.strerror}); the last one was kept."
        ) from err
    finally:
        partial.unlink(missing_ok=True)
    return target


def check_file(path: Path) -> list[str]:
    """Every problem SQLite finds in a ledger file; empty when it is sound. Opens it read-only."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return check(db)
    finally:
        db.close()


def check(db: sqlite3.Connection) -> list[str]:
    """integrity_check and foreign_key_check in full, as sentences."""
    try:
        found = [str(row[0]) for row in db.execute("PRAGMA integrity_check")]
        problems = [] if found == ["ok"] else found
        problems += [
            f"table {row[0]}, row {row[1]}: points to a missing row of {row[2]}"
            for row in db.execute("PRAGMA foreign_key_check")
        ]
    except sqlite3.DatabaseError as err:
        return [f"the file can't be read as a ledger: {err}"]
    return problems


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

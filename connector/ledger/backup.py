"""Backups of the ledger while it is in use, and the check that one can be restored. Knows no slips.

The only supported way to copy a live ledger (failures.md K1). Written beside its final name, synced, checked, renamed.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from connector.ledger import folder
from connector.ledger.connection import Ledger, LedgerError, as_ledger_error
from connector.ledger.errors import UNREADABLE
from connector.ledger.soundness import check as check


def back_up(ledger: Ledger, target: Path) -> Path:
    """Write a consistent copy of the ledger to target (0600) and return target.

    An older file of that name stays until the new one is whole and has passed its check. Raises LedgerError.
    """
    partial = target.with_name(target.name + ".tmp")
    try:
        if ledger.path is not None and target.exists() and target.samefile(ledger.path):
            raise LedgerError(f"{target}: this is the ledger itself. Give the backup another name.")
        partial.unlink(missing_ok=True)
        folder.make_private_file(partial)
        _copy(ledger.db, partial)
        problems = check_file(partial)
        if problems:
            raise LedgerError(f"{target}: the backup did not pass its check ({problems[0]}); the last one was kept.")
        folder.sync(partial)
        partial.replace(target)
        folder.sync(target.parent)
    except sqlite3.Error as err:
        raise _not_written(target, str(as_ledger_error(err, partial))) from err
    except OSError as err:
        raise _not_written(target, err.strerror or str(err)) from err
    finally:
        _remove(partial)
    return target


def refuse_to_overwrite(target: Path) -> None:
    """Raises LedgerError where something else than a ledger stands under the name a person gave: a backup may replace
    a backup and nothing else."""
    if not target.exists() or _is_a_ledger(target):
        return
    raise LedgerError(f"{target}: this exists and is no ledger; nothing was written. Give the backup another name.")


def _is_a_ledger(path: Path) -> bool:
    if not path.is_file():
        return False
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db, suppress(*UNREADABLE):
        return bool(db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'slips'").fetchone())
    return False


def _copy(source: sqlite3.Connection, partial: Path) -> None:
    """All pages in one step: in several, each commit of another process would begin the copy anew (failures.md K4)."""
    before = _versions(source)
    copy = sqlite3.connect(partial, isolation_level=None)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = delete")
        if _versions(copy) < before:
            raise LedgerError(f"{partial}: the backup has fewer slips than the ledger had; the last one was kept.")
    finally:
        copy.close()


def _versions(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM versions").fetchone()[0])


COUNTED: Final = ("slips", "versions", "bodies", "passed_over", "cursors", "stores", "actions")


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Rows of the tables that only grow, or shrink by housekeeping."""
    return {name: int(db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]) for name in COUNTED}  # noqa: S608


def _not_written(target: Path, why: str) -> LedgerError:
    return LedgerError(f"{target}: the backup could not be written ({why}); the last one was kept.")


def _remove(partial: Path) -> None:
    for ending in ("", *folder.BESIDE):
        with suppress(OSError):  # of a folder that can't be entered, say: that has been told, or is no harm
            partial.with_name(partial.name + ending).unlink(missing_ok=True)


def check_file(path: Path) -> list[str]:
    """Every problem SQLite finds in a ledger file; empty when it is sound. Opens it read-only."""
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as err:
        return [f"the file can't be read as a ledger: {err}"]
    try:
        return check(db)
    finally:
        db.close()

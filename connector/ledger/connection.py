"""Opening the ledger file so that every commit it answers for survives a power cut. Only this module opens it to write.

The journal mode follows the linked SQLite (failures.md 0.5, 0.6, measured in E3): WAL with synchronous=FULL where WAL
is sound, rollback journal with synchronous=EXTRA where it is not (SQLite 3.7.0 to 3.51.2 but for 3.44.6 and 3.50.7 can
corrupt a WAL database used by several connections).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from connector.ledger import folder, schema, soundness
from connector.ledger.errors import UNREADABLE
from connector.ledger.errors import LedgerBusy as LedgerBusy
from connector.ledger.errors import LedgerDoubtful as LedgerDoubtful
from connector.ledger.errors import LedgerError as LedgerError
from connector.ledger.errors import LedgerFull as LedgerFull
from connector.ledger.errors import LedgerUnfit as LedgerUnfit
from connector.ledger.errors import as_ledger_error as as_ledger_error

FILE_NAME: Final = "ledger.db"
BUSY_TIMEOUT_MS: Final = 10_000


def wal_is_sound(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite is free of the WAL-reset bug [src 22 of failures.md]."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def journal(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> tuple[str, str]:
    """(journal_mode, synchronous) that lose no acknowledged commit with this SQLite."""
    return ("wal", "full") if wal_is_sound(version) else ("delete", "extra")


def open_ledger(state: Path, *, create: bool = True, now: datetime | None = None) -> Ledger:
    """Open, or make, the ledger in the state folder; bring its schema up to date; look whether it is sound.

    now: aware; the clock's unless given. Raises LedgerError where the file is damaged, newer than this program, on a
    network file system, hard-linked, readable by others, or not there although create is False.
    """
    path = state / FILE_NAME
    if not create and not path.exists():
        raise LedgerError(f"{path}: there is no ledger yet. `connector sync` makes it.")
    try:
        _find_or_make(path)
        ledger = Ledger(_connect(path), path)
    except UNREADABLE as err:
        raise as_ledger_error(err, path) from err
    except OSError as err:
        raise LedgerFull(f"{path}: the ledger can't be opened or made here ({err.strerror}).") from err
    try:
        _upgrade(ledger)
        _check(ledger, now or datetime.now(UTC))
    except UNREADABLE as err:
        ledger.close()
        raise as_ledger_error(err, path) from err
    except BaseException:
        ledger.close()
        raise
    return ledger


def in_memory() -> Ledger:
    """A ledger that is gone with the process, for simulations and dry runs from nothing."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _set_pragmas(db)
    ledger = Ledger(db, None)
    _apply_steps(ledger)
    return ledger


class Ledger:
    """An open ledger: one connection, used by one thread at a time."""

    def __init__(self, db: sqlite3.Connection, path: Path | None) -> None:
        self.db = db
        self.path = path
        self._pid = os.getpid()
        self._file = _identity(path) if path else None
        self._doubt = ""

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing, synced when it returns. BEGIN IMMEDIATE: a read-then-write transaction
        would fail at once with SQLITE_BUSY_SNAPSHOT, whatever the time-out (failures.md L6, measured).

        Raises LedgerBusy, LedgerFull, LedgerDoubtful or LedgerError, with nothing written.
        """
        self.refuse_if_moved()
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield self.db
            self.db.execute("COMMIT")
        except BaseException as err:
            found = self._rolled_back(err)
            if isinstance(found, sqlite3.Error):
                raise self._explained(found) from err
            raise

    def _rolled_back(self, err: BaseException) -> BaseException:
        """Undo the transaction. The error to show: err, or what came of undoing it."""
        try:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
        except sqlite3.Error as worse:
            return worse
        return err

    def _explained(self, err: sqlite3.Error) -> LedgerError:
        explained = as_ledger_error(err, self.path)
        if isinstance(explained, LedgerDoubtful):
            self._doubt = str(explained)
        return explained

    def refuse_if_moved(self) -> None:
        """Stop if the file was renamed, deleted or replaced under us, if we are a fork, or if the disk failed under a
        commit of ours (failures.md L10, L14, L4)."""
        if self._doubt:
            raise LedgerDoubtful(self._doubt)
        if self.path is None:
            return
        if os.getpid() != self._pid:
            raise LedgerError("the ledger was opened by another process; open it anew after a fork")
        if _identity(self.path) != self._file:
            raise LedgerUnfit(
                f"{self.path}: the file was moved or replaced while open. Stop, and put the right file back."
            )

    def again(self) -> Ledger:
        """One more connection to the same file, for another thread. It was looked over when this one was opened."""
        assert self.path is not None, "a ledger in memory has one connection"
        self.refuse_if_moved()
        try:
            return Ledger(_connect(self.path), self.path)
        except UNREADABLE as err:
            raise as_ledger_error(err, self.path) from err

    def vacuum(self) -> None:
        """Write the file anew without its empty pages, and empty the log of WAL mode. Others wait meanwhile. Raises
        LedgerError, with nothing changed."""
        self.refuse_if_moved()
        try:
            self.db.execute("VACUUM")
            self.db.execute("PRAGMA wal_checkpoint(truncate)").fetchall()
        except sqlite3.Error as err:
            raise self._explained(err) from err

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _find_or_make(path: Path) -> None:
    """Have a ledger stand at path. A new one is renamed into place whole: half a one is never taken for a ledger."""
    state = path.parent
    folder.make_private(state)
    folder.refuse_network(state)
    if not path.exists():
        with folder.alone(state):
            if not path.exists():
                _make(path)
    folder.refuse_exposed(path)
    folder.refuse_empty(path)


def _make(path: Path) -> None:
    partial = path.with_name(path.name + ".new")
    partial.unlink(missing_ok=True)
    folder.make_private_file(partial)
    with Ledger(_connect(partial), partial) as ledger:
        _apply_steps(ledger)
    partial.rename(path)
    folder.sync(path.parent)


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file that is there (mode=rw makes none). One of a newer program is refused before anything is written."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_MS / 1000,
        check_same_thread=False,
    )
    try:
        _refuse_newer(db, path)
        _set_pragmas(db)
        _set_journal(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _set_pragmas(db: sqlite3.Connection) -> None:
    _, synchronous = journal()
    pragmas = {
        "busy_timeout": BUSY_TIMEOUT_MS,
        "synchronous": synchronous,
        "foreign_keys": "on",
        "trusted_schema": "off",
        "cell_size_check": "on",
        "secure_delete": "on",
        "temp_store": "memory",
        "cache_size": -8000,
    }
    for name, value in pragmas.items():
        db.execute(f"PRAGMA {name} = {value}")
    db.enable_load_extension(False) if hasattr(db, "enable_load_extension") else None


def _set_journal(db: sqlite3.Connection, path: Path) -> None:
    """The pragma answers with the mode that holds: another connection can keep the file in one we must not use (L7)."""
    wanted, _ = journal()
    found = db.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
    if found != wanted:
        raise LedgerBusy(
            f"{path}: another process keeps this ledger in journal mode {found}; SQLite {sqlite3.sqlite_version} needs "
            f"{wanted}. Stop the other process first."
        )


def _refuse_newer(db: sqlite3.Connection, path: Path) -> None:
    found = schema.version_of(db)
    if found > schema.CURRENT:
        raise LedgerError(
            f"{path}: this ledger was written by a newer connector (schema {found}, this program knows "
            f"{schema.CURRENT}). Nothing was touched. "
            "Upgrade the program, or restore the backup made before the upgrade."
        )


def _upgrade(ledger: Ledger) -> None:
    """Apply the steps that are missing, after a backup. Another process doing the same is waited for."""
    found = schema.version_of(ledger.db)
    if found == 0:
        raise LedgerError(f"{ledger.path}: this is no ledger of ours. Restore a backup of it.")
    if ledger.path is None or found == schema.CURRENT:
        return
    from connector.ledger.backup import back_up

    with folder.alone(ledger.path.parent):
        if schema.version_of(ledger.db) < schema.CURRENT:
            back_up(ledger, ledger.path.with_name(f"ledger.before-schema-{schema.CURRENT}.db"))
            _apply_steps(ledger)


def _apply_steps(ledger: Ledger) -> None:
    """All steps in one transaction with their record: a crash leaves the old or the new schema whole."""
    with ledger.writing() as db:
        for number in range(schema.version_of(db), schema.CURRENT):
            schema.apply_step(db, number)
        broken = db.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            raise LedgerError(
                f"{ledger.path}: the upgrade would break table {broken[0]}; the old ledger stays as it was."
            )


def _check(ledger: Ledger, now: datetime) -> None:
    soundness.refuse_changed_tables(ledger.db, ledger.path)
    is_due = soundness.is_check_due(ledger.db, now)
    if is_due or soundness.is_small(ledger.db):
        soundness.refuse_damaged(ledger.db, ledger.path)
    if is_due:
        with suppress(LedgerBusy, LedgerFull), ledger.writing() as db:  # checked it is, kept or not
            soundness.keep_check(db, now)

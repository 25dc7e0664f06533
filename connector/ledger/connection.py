"""Opening the ledger file so that every commit it answers for survives a power cut. The only module that names the path.

The journal mode follows the linked SQLite (failures.md 0.5, 0.6, measured in E3): WAL with synchronous=FULL where WAL is
sound, rollback journal with synchronous=EXTRA where it is not (SQLite 3.7.0 to 3.51.2 but for 3.44.6 and 3.50.7 can corrupt
a WAL database used by several connections).
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from connector.ledger import schema

FILE_NAME: Final = "ledger.db"
BUSY_TIMEOUT_MS: Final = 10_000
_NETWORK_FILE_SYSTEMS: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ncpfs"})


class LedgerError(Exception):
    """The ledger can't be used; the message says why and what to do. Nothing was written."""


class LedgerBusy(LedgerError):
    """Another process is writing and did not finish in time: try again later."""


class LedgerFull(LedgerError):
    """No space, or the file system is read-only: nothing was recorded, and all goes on once there is space."""


def wal_is_sound(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite is free of the WAL-reset bug [src 22 of failures.md]."""
    return (
        version >= (3, 51, 3)
        or version[:2] == (3, 44)
        and version >= (3, 44, 6)
        or version[:2] == (3, 50)
        and version >= (3, 50, 7)
    )


def journal(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> tuple[str, str]:
    """(journal_mode, synchronous) that lose no acknowledged commit with this SQLite."""
    return ("wal", "full") if wal_is_sound(version) else ("delete", "extra")


def open_ledger(state: Path, *, create: bool = True) -> Ledger:
    """Open, or make, the ledger in the state folder; bring its schema up to date; check it.

    Raises LedgerError where the file is damaged, newer than this program, on a network file system, hard-linked,
    readable by others, or not there although create is False.
    """
    if create:
        _make_private_folder(state)
    path = state / FILE_NAME
    is_new = not path.exists()
    if is_new and not create:
        raise LedgerError(f"{path}: there is no ledger yet. `connector sync` makes it.")
    _refuse_network(state)
    if not is_new:
        _refuse_exposed(path)
    old_mask = os.umask(0o077)
    try:
        db = _connect(path)
    except sqlite3.Error as err:
        raise as_ledger_error(err, path) from err
    finally:
        os.umask(old_mask)
    ledger = Ledger(db, path)
    try:
        _bring_up_to_date(ledger, is_new)
        _quick_check(ledger, is_new)
    except sqlite3.Error as err:
        ledger.close()
        raise as_ledger_error(err, path) from err
    except LedgerError:
        ledger.close()
        raise
    return ledger


def in_memory() -> Ledger:
    """A ledger that is gone with the process, for simulations and dry runs from nothing."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _set_pragmas(db)
    ledger = Ledger(db, None)
    _bring_up_to_date(ledger, is_new=True)
    return ledger


class Ledger:
    """An open ledger: one connection, used by one thread at a time."""

    def __init__(self, db: sqlite3.Connection, path: Path | None) -> None:
        self.db = db
        self.path = path
        self._pid = os.getpid()
        self._file = _identity(path) if path else None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing, synced when it returns. BEGIN IMMEDIATE: a read-then-write transaction
        would fail at once with SQLITE_BUSY_SNAPSHOT, whatever the time-out (failures.md L6, measured).

        Raises LedgerBusy, LedgerFull or LedgerError, with nothing written.
        """
        self.refuse_if_moved()
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield self.db
            self.db.execute("COMMIT")
        except BaseException as err:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            if isinstance(err, sqlite3.Error):
                raise as_ledger_error(err, self.path) from err
            raise

    def refuse_if_moved(self) -> None:
        """Stop if the file was renamed, deleted or replaced under us, or we are a fork (failures.md L10, L14)."""
        if self.path is None:
            return
        if os.getpid() != self._pid:
            raise LedgerError("the ledger was opened by another process; open it anew after a fork")
        if _identity(self.path) != self._file:
            raise LedgerError(
                f"{self.path}: the file was moved or replaced while open. Stop, and put the right file back."
            )

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


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000, check_same_thread=False)
    _set_pragmas(db)
    return db


def _set_pragmas(db: sqlite3.Connection) -> None:
    journal_mode, synchronous = journal()
    pragmas = {
        "busy_timeout": BUSY_TIMEOUT_MS,
        "journal_mode": journal_mode,
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


def _bring_up_to_date(ledger: Ledger, is_new: bool) -> None:
    """Apply the steps that are missing, all of them in one transaction; another process doing the same is waited for."""
    found = schema.version_of(ledger.db)
    if found > schema.CURRENT:
        raise LedgerError(
            f"{ledger.path}: this ledger was written by a newer connector (schema {found}, this program knows "
            f"{schema.CURRENT}). Nothing was touched. Upgrade the program, or restore the backup made before the upgrade.",
        )
    if found == schema.CURRENT:
        return
    if not is_new and ledger.path is not None:
        from connector.ledger.backup import back_up

        back_up(ledger, ledger.path.with_name(f"ledger.before-schema-{schema.CURRENT}.db"))
    with ledger.writing() as db:
        for number in range(schema.version_of(db), schema.CURRENT):
            schema.apply_step(db, number)
        broken = db.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            raise LedgerError(
                f"{ledger.path}: the upgrade would break table {broken[0]}; the old ledger stays as it was."
            )


def _quick_check(ledger: Ledger, is_new: bool) -> None:
    """A damaged ledger is never used: sending from it could double or lose orders (failures.md L9, L23)."""
    if is_new:
        return
    if (
        ledger.db.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'versions'").fetchone()[0]
        != 1
    ):
        raise LedgerError(f"{ledger.path}: this is no ledger of ours. Restore a backup (`connector ledger --help`).")
    expected = _expected_schema()
    if schema.fingerprint(ledger.db) != expected:
        raise LedgerError(
            f"{ledger.path}: its tables are not as this program made them; somebody changed them. Restore a backup.",
        )


def _expected_schema() -> str:
    db = sqlite3.connect(":memory:", isolation_level=None)
    for number in range(schema.CURRENT):
        schema.apply_step(db, number)
    found = schema.fingerprint(db)
    db.close()
    return found


def _make_private_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        return
    if stat.S_IMODE(folder.stat().st_mode) & 0o077 and folder.stat().st_uid == os.getuid():
        folder.chmod(0o700)


def _refuse_exposed(path: Path) -> None:
    found = path.stat()
    if found.st_nlink > 1:
        raise LedgerError(
            f"{path}: the file has a second name (hard link); a copy under another name could be written too."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise LedgerError(
            f"{path}: others can read this file, and it holds customers' addresses. Run: chmod 600 {path}"
        )


def file_system_of(folder: Path, mounts: str) -> str:
    """The type of the file system a folder is on, from the text of /proc/self/mounts; "" where it can't be told."""
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split()
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        inside = str(folder) == point or str(folder).startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind


def _refuse_network(folder: Path) -> None:
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    kind = file_system_of(folder.resolve(), mounts)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise LedgerError(
            f"{folder}: this is a network disk ({kind}), where SQLite's locks can't be trusted. Use a local one."
        )


def as_ledger_error(err: sqlite3.Error, path: Path | None) -> LedgerError:
    """An SQLite error in a merchant's words."""
    code = getattr(err, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerBusy(f"{path}: another process is writing to the ledger; nothing was recorded. Try again.")
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return LedgerFull(
            f"{path}: the disk is full or read-only; nothing was recorded and nothing is lost. Make space."
        )
    if code == sqlite3.SQLITE_IOERR:
        return LedgerFull(
            f"{path}: the disk answered with an error ({err}); nothing was recorded. Check the disk, then start again: "
            "the ledger is checked when it is opened.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LedgerError(
            f"{path}: the ledger is damaged; nothing is sent from it. Restore a backup (`connector ledger`)."
        )
    return LedgerError(f"{path}: {err}")

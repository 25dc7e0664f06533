"""The inbox's file: made whole, opened so that every commit survives a power cut, set aside when damaged.

Knows tables, not deliveries' meaning. Journal mode, private folder and network disks: as the ledger has them.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from connector.inbox.errors import (
    UNREADABLE,
    InboxBusy,
    InboxDamaged,
    InboxError,
    InboxFull,
    InboxGone,
    as_inbox_error,
)
from connector.ledger import folder
from connector.ledger.connection import journal
from connector.ledger.errors import LedgerError
from connector.ledger.times import stamp

FOLDER: Final = "inbox"
FILE_NAME: Final = "inbox.sqlite3"
PAGE_SIZE: Final = 8192
"""Most orders of real shops are 2 to 7 kB as a webhook words them: one page each, and no chain of pages."""
BUSY_MS: Final = 3_000
"""A shop waits 5 s for its answer (platforms.md 4.1): who can't write in 3 is told to come again."""

VERSION: Final = 1
APPLICATION: Final = 0x67737369
CHECKED_WHOLE: Final = 64 * 1024 * 1024
"""Files up to this are checked when opened; a larger one when something in it can't be read."""

SCHEMA: Final = """
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT NOT NULL,
    topic TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'quarantined', 'erased')),
    why TEXT NOT NULL DEFAULT '',
    times INTEGER NOT NULL DEFAULT 1,
    handled_at TEXT,
    body BLOB NOT NULL,
    UNIQUE (store, body_hash)
) STRICT;
CREATE INDEX deliveries_by_state ON deliveries (state, store, id);
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    store TEXT NOT NULL,
    text TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    closed_at TEXT
) STRICT;
CREATE UNIQUE INDEX one_open_alert ON alerts (kind, store) WHERE closed_at IS NULL;
"""

_COLUMNS: Final = "store, topic, delivery_id, received_at, body_hash, state, why, times, handled_at, body"
_FROM_THE_FIRST: Final = f"SELECT {_COLUMNS} FROM deliveries ORDER BY id ASC"  # noqa: S608
_FROM_THE_LAST: Final = f"SELECT {_COLUMNS} FROM deliveries ORDER BY id DESC"  # noqa: S608

DAMAGED: Final = "inbox damaged"


def path_of(state: Path) -> Path:
    """Where the inbox of a state folder lies."""
    return state / FOLDER / FILE_NAME


def find_or_make(state: Path) -> Path:
    """The inbox's file in the state folder, made if there is none. Raises InboxError."""
    path = path_of(state)
    try:
        folder.make_private(state)
        folder.make_private(path.parent)
        folder.refuse_network(path.parent)
        with folder.alone(path.parent):
            if not path.exists():
                _make(path)
    except LedgerError as err:  # the folder's own words: they name the path, and fit here
        raise InboxError(str(err)) from err
    except UNREADABLE as err:
        raise as_inbox_error(err, path) from err
    except OSError as err:
        raise InboxFull(f"{path}: the inbox can't be made here ({err.strerror}).") from err
    return path


def open_file(path: Path) -> sqlite3.Connection:
    """Connect to the file that is there; a damaged or empty one is set aside first, and what can be read taken along.

    Raises InboxError: InboxGone where there is none.
    """
    if not path.exists():
        raise InboxGone(f"{path}: there is no inbox here, or its disk is gone. `connector inbox serve` makes one.")
    try:
        folder.refuse_exposed(path)
    except LedgerError as err:
        raise InboxError(str(err)) from err
    except OSError as err:
        raise InboxGone(f"{path}: the inbox can't be reached ({err.strerror}).") from err
    try:
        return _sound(path)
    except InboxDamaged:
        _set_aside(path)
        return _sound(path)


def _sound(path: Path) -> sqlite3.Connection:
    """A connection to a file that was looked at. Raises InboxDamaged, or another InboxError."""
    if path.stat().st_size == 0:
        raise InboxDamaged(f"{path}: the inbox is empty; it was cut to nothing.")
    db = None
    try:
        db = connect(path)
        _look_over(db, path)
    except UNREADABLE as err:
        if db is not None:
            db.close()
        raise as_inbox_error(err, path) from err
    except BaseException:
        if db is not None:
            db.close()
        raise
    return db


def _look_over(db: sqlite3.Connection, path: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise InboxError(f"{path}: this inbox was written by a newer connector. Upgrade this one; nothing was touched.")
    if version != VERSION:
        raise InboxDamaged(f"{path}: this is no inbox of ours.")
    if path.stat().st_size <= CHECKED_WHOLE and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise InboxDamaged(f"{path}: the inbox is damaged.")


def connect(path: Path) -> sqlite3.Connection:
    """A connection that loses no commit it answered for (connector.ledger.connection has the reasons)."""
    wanted, synchronous = journal()
    pragmas = {
        "page_size": PAGE_SIZE,
        "synchronous": synchronous,
        "trusted_schema": "off",
        "cell_size_check": "on",
        "secure_delete": "on",
        "temp_store": "memory",
    }
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=BUSY_MS / 1000,
        check_same_thread=False,
    )
    try:
        for name, value in pragmas.items():
            db.execute(f"PRAGMA {name} = {value}")
        found = db.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
        if found != wanted:
            raise InboxBusy(f"{path}: another process keeps this inbox in journal mode {found}. Stop it first.")
    except BaseException:
        db.close()
        raise
    return db


def _make(path: Path, damaged: Path | None = None) -> None:
    """A new file, renamed into place whole: half a one is never taken for an inbox."""
    partial = path.with_name(path.name + ".new")
    for each in (partial, *_beside(partial)):
        each.unlink(missing_ok=True)
    _moved_aside(path)  # a journal whose file is gone would be played into the new one
    folder.make_private_file(partial)
    with closing(connect(partial)) as db:
        db.executescript(f"BEGIN IMMEDIATE; {SCHEMA}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        if damaged is not None:
            _take_over(db, damaged)
        db.execute("COMMIT")
    folder.sync(partial)
    partial.rename(path)
    folder.sync(path.parent)


def _set_aside(path: Path) -> None:
    """Rename a damaged file and put a new one in its place, with the rows that can be read and an alert."""
    try:
        with folder.alone(path.parent):
            try:
                _sound(path).close()  # another process was faster
            except InboxDamaged:
                _make(path, _moved_aside(path))
    except UNREADABLE as err:
        raise as_inbox_error(err, path) from err
    except OSError as err:
        raise InboxFull(f"{path}: the damaged inbox can't be set aside ({err.strerror}).") from err


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in folder.BESIDE]


def _moved_aside(path: Path) -> Path:
    """Where the file is now, with what SQLite kept beside it; that goes first, lest it meet a new file."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for ending in (*folder.BESIDE, ""):
        if (each := path.with_name(path.name + ending)).exists():
            each.rename(aside.with_name(aside.name + ending))
    return aside


def _take_over(db: sqlite3.Connection, damaged: Path) -> None:
    """Copy the rows that can be read and are whole, from both ends; begin ids anew where no old one can be met."""
    taken = 0
    now = datetime.now(UTC)
    # Whoever still has a delivery of the old file in hand must not close another of the new one: no file ever held as
    # many deliveries as there were seconds since 1970.
    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('deliveries', ?)", (int(now.timestamp()),))
    for row in _rows_left(damaged):
        if isinstance(row[-1], bytes) and (row[5] == "erased" or hashlib.sha256(row[-1]).digest() == row[4]):
            taken += db.execute(
                f"INSERT OR IGNORE INTO deliveries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                row,
            ).rowcount
    text = (
        f"The inbox was damaged and is set aside as {damaged.name}; {taken} deliveries could be taken along. Of a live "
        "shop nothing is lost: it is polled and swept. Have a shop of your own that only delivers send once more what "
        "it sent of late."
    )
    db.execute("INSERT INTO alerts (kind, store, text, opened_at) VALUES (?, '', ?, ?)", (DAMAGED, text, stamp(now)))


def _rows_left(damaged: Path) -> Iterator[tuple[Any, ...]]:
    for question in (_FROM_THE_FIRST, _FROM_THE_LAST):
        try:
            with closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=rw", uri=True)) as db:
                yield from db.execute(question)
        except (*UNREADABLE, OverflowError):
            continue

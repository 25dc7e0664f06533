"""Why the inbox can't be used, in a merchant's words. Knows SQLite's error codes, not what was to be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final


class InboxError(Exception):
    """The inbox can't be used; the message says why and what to do. Nothing was written."""


class InboxBusy(InboxError):
    """Another process is writing and did not finish in time: try again."""


class InboxFull(InboxError):
    """No room: the inbox's own bound, the disk, or a file system that is read-only. All goes on once there is room."""


class InboxGone(InboxError):
    """The file, or its folder, is not where it was. Nothing is made in its place while a program runs (I16)."""


class InboxDamaged(InboxError):
    """The file can't be read. The next use sets it aside, takes what can be read into a new one, and alerts."""


class InboxDoubtful(InboxError):
    """The disk failed under a commit: what stands is known only once the file was opened anew, which the next use does.

    Never tried again on the same connection: after a failed fsync the kernel may have dropped the pages and answer the
    next one with success (failures.md L4).
    """


_FULL: Final = "the disk is full or read-only; the delivery was refused, so that its shop tries again. Make space."
_BUSY: Final = "another process is writing to the inbox and doesn't finish. Nothing was written; try again."
_DAMAGED: Final = "the inbox is damaged; it is set aside with its next use, and what can be read is taken along."
_WORDS: Final[dict[int, tuple[type[InboxError], str]]] = {
    sqlite3.SQLITE_BUSY: (InboxBusy, _BUSY),
    sqlite3.SQLITE_LOCKED: (InboxBusy, _BUSY),
    sqlite3.SQLITE_FULL: (InboxFull, _FULL),
    sqlite3.SQLITE_READONLY: (InboxFull, _FULL),
    sqlite3.SQLITE_IOERR_WRITE: (InboxFull, _FULL),
    sqlite3.SQLITE_NOMEM: (
        InboxFull,
        "there is no memory left; the delivery was refused, so that its shop tries again.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        InboxFull,
        "the inbox, or the journal beside it, can't be opened. Look whether the folder may be written, the disk has "
        "space, and this program may open more files (ulimit -n).",
    ),
    sqlite3.SQLITE_IOERR: (InboxDoubtful, "the disk failed. Check it; the inbox is opened anew with its next use."),
    sqlite3.SQLITE_CORRUPT: (InboxDamaged, _DAMAGED),
    sqlite3.SQLITE_NOTADB: (InboxDamaged, _DAMAGED),
}
"""By extended code where it is here, else by its first byte, the primary code."""

UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)
"""What reading a file can raise. SQLite quotes a damaged schema in its message, and Python can't decode that."""


def as_inbox_error(err: sqlite3.Error | UnicodeDecodeError, path: Path) -> InboxError:
    """An SQLite error in a merchant's words; of one that isn't known its class alone."""
    code = sqlite3.SQLITE_CORRUPT if isinstance(err, UnicodeDecodeError) else getattr(err, "sqlite_errorcode", 0)
    unknown = (InboxError, f"the inbox can't be used ({type(err).__name__}).")
    kind, words = _WORDS.get(code) or _WORDS.get(code & 0xFF) or unknown
    return kind(f"{path}: {words}")

"""Why the ledger can't be used, in a merchant's words. Knows SQLite's error codes, not what was to be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final


class LedgerError(Exception):
    """The ledger can't be used; the message says why and what to do. Nothing was written."""


class LedgerBusy(LedgerError):
    """Another process is writing and did not finish in time: try again later."""


class LedgerFull(LedgerError):
    """No space, or the file system is read-only: nothing was recorded, and all goes on once there is space."""


class LedgerUnfit(LedgerError):
    """The file is damaged, or no longer the one that was opened: whoever has it open is to end, and a person to look.

    Nothing that is read or answered from now on could be written down.
    """


class LedgerDoubtful(LedgerUnfit):
    """The disk failed under a commit: what stands on it is known only once the ledger was reopened and checked.

    Never tried again on the same connection: after a failed fsync the kernel may have dropped the pages and answer the
    next one with success (failures.md L4).
    """


_FULL: Final = "the disk is full or read-only; nothing was recorded and nothing is lost. Make space."
_WORDS: Final[dict[int, tuple[type[LedgerError], str]]] = {
    sqlite3.SQLITE_BUSY: (LedgerBusy, "another process is writing to the ledger; nothing was recorded. Try again."),
    sqlite3.SQLITE_LOCKED: (LedgerBusy, "another process is writing to the ledger; nothing was recorded. Try again."),
    sqlite3.SQLITE_FULL: (LedgerFull, _FULL),
    sqlite3.SQLITE_READONLY: (LedgerFull, _FULL),
    # What a spent quota comes to: SQLite knows a full disk by ENOSPC alone, and EDQUOT is a failed write to it (L24).
    sqlite3.SQLITE_IOERR_WRITE: (
        LedgerFull,
        "the disk took no more: it is full, the quota is used up, or it fails. Nothing was recorded and nothing is "
        "lost. Make space, or check the disk.",
    ),
    # Also what too many open files come to (L17).
    sqlite3.SQLITE_CANTOPEN: (
        LedgerFull,
        "the ledger, or the journal beside it, can't be opened; nothing was recorded and nothing is lost. Look whether "
        "the folder may be written, the disk has space, and this program may open more files (ulimit -n).",
    ),
    sqlite3.SQLITE_IOERR: (
        LedgerDoubtful,
        "the disk failed; nothing more is written. Check the disk, then start again: the ledger is checked when it is "
        "opened.",
    ),
    sqlite3.SQLITE_NOMEM: (LedgerFull, "there is no memory left; nothing was recorded and nothing is lost."),
    sqlite3.SQLITE_CORRUPT: (LedgerUnfit, "the ledger is damaged; nothing is sent from it. Restore a backup of it."),
    sqlite3.SQLITE_NOTADB: (LedgerUnfit, "the ledger is damaged; nothing is sent from it. Restore a backup of it."),
}
"""By extended code where it is here, else by its first byte, the primary code."""


UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)
"""What reading a file can raise. SQLite quotes a damaged schema in its message, and Python can't decode that."""


def as_ledger_error(err: sqlite3.Error | UnicodeDecodeError, path: Path | None) -> LedgerError:
    """An SQLite error in a merchant's words."""
    code = sqlite3.SQLITE_CORRUPT if isinstance(err, UnicodeDecodeError) else getattr(err, "sqlite_errorcode", 0)
    kind, words = _WORDS.get(code) or _WORDS.get(code & 0xFF) or (LedgerError, str(err))
    return kind(f"{path or 'the ledger in memory'}: {words}")

"""Whether this ledger is the one that was used here last, by a mark kept in the ledger and in a file beside it.

The mark goes up with each process that is to send, before it does, and with each backup; first in the ledger, then in
the file STATE/epoch, which also has the ledger's name, its inode and the machine. A ledger that is behind the file, has
another name or another inode was put there by somebody, and may not know what was sent since (failures.md K6, K8). One
ahead of the file is no doubt: the file may have been lost in a power cut. A whole machine put back to yesterday, file
and all, can't be told so.
"""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from connector.ledger import fence, folder
from connector.ledger.connection import Ledger

FILE_NAME: Final = "epoch"


class Epoch(msgspec.Struct, frozen=True):
    """The mark as it was last written beside the ledger. inode  of the ledger's file."""

    epoch: str
    mark: int
    inode: int
    host: str


def begin(ledger: Ledger, host: str, now: datetime) -> str:
    """A process that is to send begins: look whether this is the right ledger, raise the fence where it may not be,
    move the mark.

    host  names this machine (connector.keeping.host). Returns why the fence was raised just now, "" where it wasn't.
    Call it once the ledger is open, before anything is claimed. Raises LedgerError.
    """
    if ledger.path is None:
        return ""
    kept, is_there = _read(ledger.path)  # before the ledger: it is never behind the file
    with ledger.writing() as db:
        doubt = _doubt(db, kept, is_there, host, ledger.path.stat().st_ino)
        if doubt is not None:
            fence.raise_fence(db, doubt.why, now, asks=doubt.asks, adopts=doubt.adopts)
        name, mark = db.execute("SELECT epoch, mark FROM house").fetchone()
    if mark == 0:  # a kill between the mark and its file must not pass for a ledger that was put here
        _write(ledger.path, Epoch(name, 0, ledger.path.stat().st_ino, host))
    advance(ledger, host)
    return doubt.why if doubt else ""


def advance(ledger: Ledger, host: str) -> None:
    """Move the mark on, in the ledger and then beside it: copies of the ledger made before are behind from here on."""
    if ledger.path is None:
        return
    with ledger.writing() as db:
        db.execute("UPDATE house SET mark = mark + 1, host = ?", (host,))
        name, mark = db.execute("SELECT epoch, mark FROM house").fetchone()
    _write(ledger.path, Epoch(name, mark, ledger.path.stat().st_ino, host))


class _Doubt(msgspec.Struct, frozen=True):
    why: str
    asks: bool = False
    adopts: bool = False


def _doubt(db: sqlite3.Connection, kept: Epoch | None, is_there: bool, host: str, inode: int) -> _Doubt | None:
    name, mark, last_host = db.execute("SELECT epoch, mark, host FROM house").fetchone()
    elsewhere = bool(last_host) and last_host != host
    if mark == 0:  # made just now
        lost = "The ledger was begun anew where there had been another: that one is lost."
        return _Doubt(lost, adopts=True) if is_there and (kept is None or kept.epoch != name) else None
    if kept is None:
        return _Doubt("The ledger was put here without the file `epoch` that belongs beside it.", elsewhere)
    if kept.epoch != name or kept.mark > mark:
        return _Doubt(
            "The ledger is not the one that was used here last: an older one was put in its place.", elsewhere
        )
    if kept.inode != inode:
        return _Doubt("The ledger's file was copied or restored since it was used last.", elsewhere)
    if elsewhere and _is_certain(last_host) and _is_certain(host):
        return _Doubt("Another machine used this very ledger last.", asks=True)
    return None


def _is_certain(host: str) -> bool:
    """A container's name changes with each start; a machine's own id doesn't."""
    return host.startswith("machine ")


def _read(ledger: Path) -> tuple[Epoch | None, bool]:
    """(what stands in the file, whether there is a file): one that can't be read says nothing of the ledger's age."""
    try:
        text = ledger.with_name(FILE_NAME).read_bytes()
    except FileNotFoundError:
        return None, False
    try:
        return msgspec.json.decode(text, type=Epoch), True
    except msgspec.DecodeError:
        return None, True


def _write(ledger: Path, epoch: Epoch) -> None:
    """Whole or not at all, and not missed where it can't be written: then the ledger is ahead of it."""
    path = ledger.with_name(FILE_NAME)
    partial = path.with_name(f"{FILE_NAME}.{os.getpid()}.new")
    try:
        partial.unlink(missing_ok=True)
        folder.make_private_file(partial)
        partial.write_bytes(msgspec.json.encode(epoch))
        folder.sync(partial)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)

"""Which files are exports, in which order they were made, and whether one is still being written. Knows no content."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

import msgspec

from connector.sources.base import Unreachable
from connector.sources.csv_stamp import stamp

UNFINISHED: Final = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".swp", "~")
"""How names end while a browser, a copy or an editor is at work."""


class ExportFile(msgspec.Struct, frozen=True):
    """A file as its folder shows it now.

    name   relative to the store's folder: its key in the cursor, and what people are told
    stamp  its place in the sequence of exports; text order is time order
    """

    name: str
    path: str
    size: int
    mtime_ns: int
    inode: int
    stamp: str


def find(pattern: str, folder: str, zone: ZoneInfo) -> list[ExportFile]:
    """The exports that `pattern` names (a file, a glob, or a folder), oldest first. Raises Unreachable for no folder.

    Regular files only, through links too: no pipe or device is ever opened. Hidden and unfinished names are left out.
    """
    paths = (path for path in _candidates(Path(folder), pattern) if _is_named_like_an_export(path.name))
    found = [file for path in paths if (file := _file(path, Path(folder), zone))]
    return sorted(found, key=lambda file: (file.stamp, file.name))


def _candidates(folder: Path, pattern: str) -> list[Path]:
    path = folder / pattern
    try:
        if path.is_dir():
            return list(path.iterdir())
        if any(sign in path.name for sign in "*?["):
            _refuse_missing_folder(path.parent)
            return list(path.parent.glob(path.name))
        _refuse_missing_folder(path.parent)
    except OSError as err:
        raise Unreachable(f'"{pattern}" cannot be read: {err.strerror}. Check the folder and its rights.') from err
    return [path]


def _refuse_missing_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise Unreachable(
            f'there is no folder "{folder}". Make it, or mend path in [source]; is a drive not connected?'
        )


def _is_named_like_an_export(name: str) -> bool:
    return not name.startswith((".", "~")) and not name.lower().endswith(UNFINISHED)


def _file(path: Path, folder: Path, zone: ZoneInfo) -> ExportFile | None:
    try:
        shown = path.stat()
    except OSError:
        return None  # gone between listing and looking, or a link to nowhere
    if not stat.S_ISREG(shown.st_mode):
        return None
    name = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
    return ExportFile(
        name, str(path), shown.st_size, shown.st_mtime_ns, shown.st_ino, stamp(path.name, shown.st_mtime_ns, zone)
    )


@contextmanager
def opened(file: ExportFile) -> Iterator[BinaryIO]:
    """The file, for reading bytes. Without waiting: a pipe put in its place gives nothing instead of hanging."""
    descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


def is_same(file: ExportFile) -> bool:
    """Is the file still the one that was listed: there, not replaced, not written to?"""
    try:
        shown = Path(file.path).stat()
    except OSError:
        return False
    return (shown.st_size, shown.st_mtime_ns, shown.st_ino) == (file.size, file.mtime_ns, file.inode)


def quiet_s(file: ExportFile, now: datetime) -> float:
    """For how many seconds nobody has written to the file; negative where its time lies ahead of our clock."""
    return now.timestamp() - file.mtime_ns / 1e9

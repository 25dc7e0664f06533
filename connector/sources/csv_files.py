"""Which files are exports, in which order they were made, and whether one is still being written. Knows no content."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

import msgspec

from connector.sources.base import Unreachable

UNFINISHED: Final = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".swp", "~")
"""How names end while a browser, a copy or an editor is at work."""

DATE: Final = re.compile(
    r"""(?<!\d) (20\d\d) [-_.]? (0[1-9]|1[0-2]) [-_.]? (0[1-9]|[12]\d|3[01])
    (?: [-_.T\ ]* ([01]\d|2[0-3]) [-_.:h]? ([0-5]\d) (?: [-_.:]? ([0-5]\d) )? )? (?!\d)""",
    re.VERBOSE,
)
"""A date in a name, perhaps with a time: 2026-11-22, 20261122-1530, 2026-11-22_15.30.07."""

COUNTER: Final = re.compile(r"(?<!\d)(\d{1,9})(?!\d)\D*$")
"""The last number of a name."""

COPY: Final = re.compile(r" ?\(\d+\)$")
"""What browsers add when a name is taken: the number counts the folder's copies, not the exports."""

SHOPIFY_PART: Final = re.compile(r"orders_export(_\d+)?")
"""Shopify's own names: the number is that of a part of one export, the same again next time."""


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


def stamp(name: str, mtime_ns: int, zone: ZoneInfo) -> str:
    """Where an export stands in time: 14 digits of the name's own date or number, then its file's time in nanoseconds.

    orders-20261122-1530.csv is "20261122153000 ...", orders-2026-11-22.csv "20261122000000 ...", export_12.csv
    "00000000000012 ..."; a name without either takes its file's time in the store's zone, on the same axis as dates
    but for daylight saving. So a copy that was touched later stays an older export (C15). Name a store's files in one
    way: dates or numbers.
    """
    stem = COPY.sub("", Path(name).stem)
    if found := DATE.search(stem):
        lead = "".join(part or "00" for part in found.groups())
    elif not SHOPIFY_PART.fullmatch(stem) and (found := COUNTER.search(stem)):
        lead = f"{int(found[1]):014}"
    else:
        lead = f"{_standard_time(mtime_ns, zone):%Y%m%d%H%M%S}"
    return f"{lead} {mtime_ns:020}"


def _standard_time(mtime_ns: int, zone: ZoneInfo) -> datetime:
    """The zone's time without daylight saving, with whose end its clocks go back."""
    when = datetime.fromtimestamp(mtime_ns / 1e9, zone)
    return when.replace(tzinfo=None) - (when.dst() or timedelta(0))


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

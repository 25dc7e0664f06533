"""The folder a ledger lies in: private, on a disk of this machine, one name per file. Knows no tables."""

from __future__ import annotations

import fcntl
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from connector.ledger.errors import LedgerError

BESIDE: Final = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a database while it is in use. Part of it: who removes one can damage the ledger."""

_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "ceph", "glusterfs", "lustre"}
)


def make_private(folder: Path) -> None:
    """Make the folder, or close it to others where it is ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # another process may be making it too
    if stat.S_IMODE(folder.stat().st_mode) & 0o077 and folder.stat().st_uid == os.getuid():
        folder.chmod(0o700)


def make_private_file(path: Path) -> None:
    """Make an empty file that only we can read. What SQLite keeps beside a database gets the database's mode."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def sync(path: Path) -> None:
    """Have the disk keep what was written to a file, or which names stand in a folder."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time makes or upgrades the ledger of a folder; others wait here, though never for a dead one."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def refuse_exposed(path: Path) -> None:
    """Raise LedgerError for a ledger with a second name, or one that others can read (failures.md L13, L16)."""
    if path.stat().st_nlink > 1:
        raise LedgerError(
            f"{path}: the file has a second name (hard link); a copy under another name could be written too. "
            f"Find it with: find / -xdev -samefile {shlex.quote(str(path))}"
        )
    for each in (path, *(path.with_name(path.name + ending) for ending in BESIDE)):
        if _mode(each) & 0o077:
            mend = f"Run: chmod 600 {shlex.quote(str(each))}"
            raise LedgerError(f"{each}: others can read this file, and it holds customers' addresses. {mend}")


def _mode(path: Path) -> int:
    """0 for a file that is not there: a journal goes whenever somebody commits."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0


def refuse_empty(path: Path) -> None:
    """Raise LedgerError for a file of no bytes: ours is renamed into place whole, so this one lost what it had."""
    if path.stat().st_size == 0:
        raise LedgerError(
            f"{path}: the ledger is empty; it was cut to nothing, perhaps by a copy that failed. Restore a backup. "
            "Without any, remove the file: every shop is then read from its beginning."
        )


def refuse_network(folder: Path) -> None:
    """Raise LedgerError where the folder is on a network disk: SQLite's locks don't hold there (failures.md L12)."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    kind = file_system_of(folder.resolve(), mounts)
    if is_network(kind):
        raise LedgerError(
            f"{folder}: this is a network disk ({kind}), where SQLite's locks can't be trusted. Use a local one."
        )


def is_network(kind: str) -> bool:
    """Whether a file system of this type is, or may be, on another machine. fuseblk is a local NTFS disk."""
    return kind in _NETWORK or kind.startswith("fuse.")


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

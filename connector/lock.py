"""One run at a time per store: a lock file in the state folder. Knows nobody.

`flock`, not `lockf`: a POSIX record lock is lost when the process closes the same file elsewhere (failures.md D3,
measured). The lock decides, not the pid written in it (D5). The handle is not inheritable (D4, Python's default).
"""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType


class Busy(Exception):
    """Another run holds the store; the message names it."""


class StoreLock:
    """Holds a store from `with` to its end. Raises Busy at once if another run has it."""

    def __init__(self, state: Path, store: str) -> None:
        self._path = state / "locks" / f"{store}.lock"
        self._store = store
        self._handle = -1

    def __enter__(self) -> StoreLock:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(self._handle, 200).decode(errors="replace").strip() or "another process"
                os.close(self._handle)
                raise Busy(f"store {self._store}: another run holds it ({holder}). Wait for it, or stop it.") from None
            if self.is_ours():
                break
            os.close(self._handle)  # a cleaner removed the file between open and flock
        os.ftruncate(self._handle, 0)
        os.write(self._handle, f"pid {os.getpid()} on {socket.gethostname()}\n".encode())
        return self

    def is_ours(self) -> bool:
        """Whether the path still leads to the file we hold (failures.md D7)."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        held = os.fstat(self._handle)
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)

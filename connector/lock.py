"""One run at a time per store: a lock file in the state folder. Knows nobody.

`flock`, not `lockf`: a POSIX record lock is lost when the process closes the same file elsewhere (failures.md D3,
measured). The lock decides, not the pid written in it (D5). The handle is not inheritable (D4, Python's default).
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

DAEMON: Final = ".daemon"
"""The name of the daemon's own lock; no store can have it."""
READS: Final = 25
READ_EVERY_S: Final = 0.02


class Busy(Exception):
    """Another run holds the store; the message names it. holder: which process, on which machine."""

    def __init__(self, message: str, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


class StoreLock:
    """Holds a store from `with` to its end. Raises Busy at once if another run has it."""

    def __init__(self, state: Path, store: str) -> None:
        self._path = state / "locks" / f"{store}.lock"
        self._store = store
        self._handle = -1

    def __enter__(self) -> StoreLock:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while not self._take():
            pass
        with suppress(OSError):  # a full disk takes no name; the lock holds without it
            os.pwrite(self._handle, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        return self

    def _take(self) -> bool:
        """False: a cleaner removed the file between open and flock, and we hold what nobody else will look at."""
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.is_ours():
                os.ftruncate(self._handle, 0)
                return True
        except BlockingIOError:
            holder = _named(self._handle)
            os.close(self._handle)
            raise Busy(self._refusal(holder), holder) from None
        except BaseException:
            os.close(self._handle)
            raise
        os.close(self._handle)
        return False

    def _refusal(self, holder: str) -> str:
        if self._store == DAEMON:
            return f"the daemon runs ({holder}). Stop it first, and start it again afterwards."
        return f"store {self._store}: another run holds it ({holder}). Wait for it, or stop it."

    def is_ours(self) -> bool:
        """Whether the path still leads to the file we hold (failures.md D7)."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        held = os.fstat(self._handle)
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def refuse_if_lost(self) -> None:
        """Raise Busy where the lock file was removed under us, and so protects nothing any more."""
        if not self.is_ours():
            raise Busy(
                f"store {self._store}: its lock file was removed while it was synced, so the run stopped; nothing is "
                "lost. Keep cleaners away from the state folder, then sync again."
            )

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            os.ftruncate(self._handle, 0)  # the next to be refused must not be shown our name
        os.close(self._handle)


def _named(handle: int) -> str:
    """Who wrote its name into a lock file. Who took the lock this instant hasn't yet: it gets a moment."""
    for _ in range(READS):
        found = os.pread(handle, 200, 0).decode(errors="replace").strip()
        if found:
            return found
        time.sleep(READ_EVERY_S)
    return "another process"

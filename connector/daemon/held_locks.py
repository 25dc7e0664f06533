"""A store's lock, held by the daemon while any of its jobs works on the store. Knows no jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from connector.lock import StoreLock


class HeldLocks:
    """The first job of a store takes its lock, the last one gives it back: reading and sending go on side by side, and
    a one-shot keeps out (failures.md D2)."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._lock = Lock()
        self._held: dict[str, tuple[StoreLock, int]] = {}

    @contextmanager
    def held(self, store: str) -> Iterator[StoreLock]:
        """Raises Busy where another process has the store."""
        with self._lock:
            found = self._held.get(store)
            lock = found[0] if found else StoreLock(self._state, store).__enter__()
            self._held[store] = lock, (found[1] if found else 0) + 1
        try:
            yield lock
        finally:
            with self._lock:
                _, users = self._held[store]
                if users > 1:
                    self._held[store] = lock, users - 1
                else:
                    del self._held[store]
                    lock.__exit__(None, None, None)

"""A store's lock, held by the daemon while any of its jobs works on the store. Knows no jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from connector.lock import Busy, StoreLock


class HeldLocks:
    """The first job of a store takes its lock, the last one gives it back: reading and sending go on side by side, and
    a one-shot keeps out (failures.md D2)."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._lock = Lock()
        self._held: dict[str, tuple[StoreLock, int]] = {}
        self._sent_for: set[str] = set()

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

    @contextmanager
    def held_to_send(self, store: str) -> Iterator[StoreLock]:
        """For the one sender of a store. Raises Busy also where another one of this process is still at work: after a
        change of key the store belongs to a new sender, while calls of the old one fly (failures.md S25, G3)."""
        with self._lock:
            if store in self._sent_for:
                raise Busy(f"store {store}: its calls with the key it had before are still under way.")
            self._sent_for.add(store)
        try:
            with self.held(store) as lock:
                yield lock
        finally:
            with self._lock:
                self._sent_for.remove(store)

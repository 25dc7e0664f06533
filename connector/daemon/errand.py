"""Errand: work that is wanted again and again, by whoever, and is done by one thread at a time. Knows nobody."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from threading import Lock
from typing import Generic, Protocol, TypeVar

W = TypeVar("W")


class Work(Protocol):
    """What can be told of any errand, whatever is wanted of it."""

    name: str

    @property
    def is_idle(self) -> bool: ...
    @property
    def is_under_way(self) -> bool: ...
    def still_for_s(self) -> float: ...
    def end(self) -> None: ...


class Errand(Generic[W]):
    """Wanting something while it is under way means once more after that; ten wants are one (failures.md P24).

    do     is handed what was wanted since it began last; it calls `moves` now and then
    faulty is handed what it raises; the errand goes on to be wanted
    """

    def __init__(
        self,
        name: str,
        pool: Executor,
        do: Callable[[frozenset[W]], None],
        faulty: Callable[[Exception], object] = lambda _: None,
    ) -> None:
        self.name = name
        self._pool = pool
        self._do = do
        self._faulty = faulty
        self._lock = Lock()
        self._wanted: set[W] = set()
        self._is_running = False
        self._moved: float | None = None
        self._is_over = False

    def want(self, *what: W) -> None:
        """Have it done soon. Returns at once."""
        with self._lock:
            self._wanted.update(what)
            if self._is_running or self._is_over:
                return
            self._is_running = True
        try:
            self._pool.submit(self._run)
        except RuntimeError:  # the pool is closed: we are stopping
            with self._lock:
                self._is_running = False

    def end(self) -> None:
        """Start nothing more; what is under way goes on to its end."""
        with self._lock:
            self._is_over = True
            self._wanted.clear()

    def revive(self) -> None:
        """After `end`: what is wanted from now on is done again, after what is still under way."""
        with self._lock:
            self._is_over = False

    @property
    def is_idle(self) -> bool:
        with self._lock:
            return not self._is_running

    @property
    def is_under_way(self) -> bool:
        """Begun, and not only wanted."""
        return self._moved is not None

    def moves(self) -> None:
        """A sign of life, from the work under way."""
        self._moved = time.monotonic()

    def still_for_s(self) -> float:
        """How long the work under way has given no sign of life (monotonic seconds); 0 for none."""
        moved = self._moved
        return time.monotonic() - moved if moved is not None else 0.0

    def _run(self) -> None:
        while True:
            with self._lock:
                wanted, self._wanted = frozenset(self._wanted), set()
                if not wanted:
                    self._is_running = False
                    return
            self.moves()
            try:
                self._do(wanted)
            except Exception as err:  # noqa: BLE001  an errand that died would never be done again
                self._faulty(err)
            finally:
                self._moved = None

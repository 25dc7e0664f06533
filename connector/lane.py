"""Calls in flight: a few at a time, in threads, their results taken by the one thread that owns the ledger. Knows no
slips."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")
R = TypeVar("R")


class Lane(Generic[T, R]):
    """Up to `places` calls at once. With one place the call is made in the caller's own thread, at `start`."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._pool: ThreadPoolExecutor | None = None
        self._flying: dict[Future[R], T] = {}
        self._landed: list[tuple[T, R]] = []

    @property
    def free(self) -> int:
        return self.places - len(self._flying) - len(self._landed)

    @property
    def flying(self) -> int:
        return len(self._flying) + len(self._landed)

    @property
    def is_empty(self) -> bool:
        return not self._flying and not self._landed

    def start(self, cargo: T, call: Callable[[T], R]) -> None:
        """Make a call. An exception of `call` comes out of `landed`."""
        if self.places == 1:
            self._landed.append((cargo, call(cargo)))
            return
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self.places, thread_name_prefix="gss")
        self._flying[self._pool.submit(call, cargo)] = cargo

    def landed(self, *, wait: bool) -> list[tuple[T, R]]:
        """The calls that are over, with their results; waits for at least one where asked, if any is under way."""
        found, self._landed = self._landed, []
        if self._flying and not found:
            from concurrent.futures import FIRST_COMPLETED
            from concurrent.futures import wait as wait_for

            done, _ = wait_for(self._flying, None if wait else 0, FIRST_COMPLETED)
            found = [(self._flying.pop(future), future.result()) for future in done]
        return found

    def close(self) -> None:
        """End the threads; calls under way are waited for (each has a total deadline)."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Lane[T, R]:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

"""What was called, newest last, bounded. Knows neither keys nor addresses: numbers only."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

KEPT: Final = 1000
"""Calls remembered; `calls` goes on counting."""

_COUNTERS: Final = {"PUT": "puts", "GET": "gets", "DELETE": "deletes"}


class CallRecord:
    """The last calls, and `calls`: how many PUTs, GETs and DELETEs arrived, refused and broken ones included."""

    def __init__(self) -> None:
        self.calls = dict.fromkeys(_COUNTERS.values(), 0)
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def count(self, method: str) -> None:
        """A call has arrived."""
        if method in _COUNTERS:
            self.calls[_COUNTERS[method]] += 1

    def add(self, at: datetime, method: str, numbers: Sequence[str], status: int | str, fault: str | None) -> None:
        """Remember how a call ended: a status code, or a word where none was sent."""
        self._entries.append(
            {"at": at, "method": method, "orders": len(numbers), "numbers": numbers, "status": status, "fault": fault}
        )

    def entries(self) -> list[dict[str, Any]]:
        """The calls remembered, oldest first: at (UTC), method, orders, numbers, status, fault."""
        return list(self._entries)

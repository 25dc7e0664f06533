"""Wakes: looks whether deliveries have come in, and says which stores they are for. Knows no jobs.

The look is the truth: a receiver in another process tells nobody, and whoever tells may be missed (failures.md I12).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.inbox.box import Inbox


class Wakes:
    """look() calls `wake` with the name of each store that has deliveries waiting, when something was written."""

    def __init__(self, inbox: Inbox, wake: Callable[[str], None]) -> None:
        self._inbox = inbox
        self._wake = wake
        self._seen: int | None = None
        self._looks = 0

    def look(self) -> None:
        """Cheap where nothing came. Now and then it looks whatever the file says: work that failed is tried again."""
        self._looks += 1
        version = self._inbox.data_version()
        if version != self._seen or self._looks % EVERY == 0:
            self._seen = version
            for store in self._inbox.stores_waiting():
                self._wake(store)


EVERY = 50
"""Looks after which waiting deliveries are wished for anew: ten seconds."""

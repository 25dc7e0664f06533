"""Deliveries and inboxes for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def delivery(number: int = 1, store: str = "kiwi", *, body: bytes | None = None, at: datetime = NOW) -> Delivery:
    """A signed order of a shop."""
    return Delivery(store, "order.updated", "d-1", at, b'{"id":%d}' % number if body is None else body)


def opened(state: Path, *, quota: int = 500_000_000, now: Callable[[], datetime] = lambda: NOW) -> Inbox:
    """The inbox of a state folder, with a clock that stands still."""
    return Inbox.open(state, quota=quota, now=now)


def bodies(inbox: Inbox, store: str = "kiwi", most: int = 100) -> list[bytes]:
    """What waits."""
    return [each.body for each in inbox.waiting(store, most)]

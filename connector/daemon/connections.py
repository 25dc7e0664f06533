"""Connections to the ledger, one for each job under way, opened once and used again. Knows no jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from connector.ledger.connection import Ledger, as_ledger_error


class Connections:
    """Handed out one to a job; one that comes back from a failure is closed, not used again."""

    def __init__(self, first: Ledger) -> None:
        self._first = first
        self._lock = Lock()
        self._idle: list[Ledger] = []

    @contextmanager
    def lent(self) -> Iterator[Ledger]:
        """Raises LedgerError, also for what SQLite says to a read."""
        with self._lock:
            ledger = self._idle.pop() if self._idle else None
        ledger = ledger or self._first.again()
        try:
            yield ledger
        except BaseException as err:
            ledger.close()
            if isinstance(err, sqlite3.Error):  # of a read: what writes explains itself
                raise as_ledger_error(err, ledger.path) from err
            raise
        with self._lock:
            self._idle.append(ledger)

    def close(self) -> None:
        with self._lock:
            for ledger in self._idle:
                ledger.close()
            self._idle.clear()

"""Keeps the sandbox's orders in one SQLite file. Knows the shape of an Order, and nothing of calls.

One connection, used by the server's one thread; a rollback journal, since several SQLite versions can spoil a WAL file.
It does not wait for the disk (synchronous=OFF): a power cut may cost a sandbox its orders, a killed process may not.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connector.sandbox.state import Account, Order, State

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (
    serial INTEGER PRIMARY KEY, key TEXT NOT NULL, site TEXT NOT NULL, number TEXT NOT NULL, sent BLOB NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL, state TEXT NOT NULL, ticket TEXT NOT NULL,
    picked TEXT, delivered TEXT, creations INTEGER NOT NULL, updates INTEGER NOT NULL, labels INTEGER NOT NULL,
    edits TEXT
)
"""
_SAVE: Final = "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_APPLICATION_ID: Final = 0x6B697769
"""Marks the file as a sandbox's, so that no other SQLite file is taken for one."""


class StoreError(Exception):
    """The data file cannot be used; the message says why and what to do."""


class Store:
    """The file, or nothing at all when `path` is None: then `save` does nothing and `load` yields nothing."""

    def __init__(self, path: Path | None) -> None:
        self._connection = _open(path) if path else None

    def load(self) -> Iterator[Order]:
        """Every order kept, in order of creation."""
        if self._connection:
            for row in self._connection.execute("SELECT * FROM orders ORDER BY serial"):
                yield _order(row)

    def save(self, orders: Iterable[Order]) -> None:
        """Keep these orders as they are now, all in one transaction."""
        if self._connection:
            with self._connection:
                self._connection.executemany(_SAVE, map(_row, orders))

    def clear(self) -> None:
        """Forget every order."""
        if self._connection:
            with self._connection:
                self._connection.execute("DELETE FROM orders")

    def close(self) -> None:
        if self._connection:
            self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    """Raises StoreError when the file is in use by another sandbox, is no sandbox's, or cannot be made."""
    connection = None
    try:
        # Opened by whoever starts the server's thread, used by that thread alone.
        connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=TRUNCATE")
        connection.execute("PRAGMA synchronous=OFF")
        _claim(connection, path)
    except (sqlite3.Error, StoreError) as error:
        if connection:
            connection.close()
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            f"{path}: {error}. Is another sandbox using it, or is it no sandbox's file? Name another."
        ) from error
    return connection


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    """Make the table in an empty file, recognise our own, refuse any other; takes the lock that lasts until close."""
    with connection:
        connection.execute("BEGIN EXCLUSIVE")
        is_empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        if owner != _APPLICATION_ID and not is_empty:
            raise StoreError(f"{path} belongs to another program. Name another file for the sandbox.")
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        connection.execute(_SCHEMA)


def _row(order: Order) -> tuple[Any, ...]:
    return (
        order.serial,
        order.account.key,
        order.account.site,
        order.number,
        order.sent,
        order.created.isoformat(),
        order.updated.isoformat(),
        order.state.value,
        order.ticket,
        order.picked and order.picked.isoformat(),
        order.delivered and order.delivered.isoformat(),
        order.creations,
        order.updates,
        order.labels,
        json.dumps(order.edits) if order.edits else None,
    )


def _order(row: tuple[Any, ...]) -> Order:
    (serial, key, site, number, sent, created, updated, state, ticket, picked, delivered) = row[:11]
    (creations, updates, labels, edits) = row[11:]
    return Order(
        serial,
        Account(key, site),
        number,
        sent,
        datetime.fromisoformat(created),
        datetime.fromisoformat(updated),
        State(state),
        ticket,
        datetime.fromisoformat(picked) if picked else None,
        datetime.fromisoformat(delivered) if delivered else None,
        creations,
        updates,
        labels,
        json.loads(edits) if edits else None,
    )

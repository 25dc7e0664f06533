"""What a person must look at: one open alert per slip and kind, whatever happens how often; and one for each thing
that a shop's pages tell. Knows no rules.

An alert's text carries order and slip numbers and field names, never what stands in the fields (failures.md SEC47).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Final

EVERYWHERE: Final = ""
"""The store of what is about all of them."""

INPUT: Final = "input"
"""The kind of what a shop's pages tell (a file that can't be read, an order that can't be named): as many alerts as
there are texts. The ledger's index knows this word."""


def open_alert(db: sqlite3.Connection, store: str, slip_id: int | None, kind: str, text: str, at: str) -> None:
    """Open an alert. One of its kind that is open already stays as old as it is, and says what is true now."""
    db.execute(
        "INSERT INTO alerts (store, slip_id, kind, text, opened_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET text = excluded.text WHERE text <> excluded.text",
        (store, slip_id, kind, text, at),
    )


def close_for(db: sqlite3.Connection, slip_ids: str, kinds: Iterable[str], at: str, by: str) -> None:
    """Close the open alerts of these kinds for slips given as a JSON list of ids."""
    db.execute(
        "UPDATE alerts SET closed_at = ?, closed_by = ? WHERE closed_at IS NULL"
        " AND slip_id IN (SELECT value FROM json_each(?)) AND kind IN (SELECT value FROM json_each(?))",
        (at, by, slip_ids, json.dumps(list(kinds))),
    )


def close_kind(db: sqlite3.Connection, store: str, kind: str, at: str, by: str) -> None:
    """Close a store's own alert of this kind (one that belongs to no slip)."""
    db.execute(
        "UPDATE alerts SET closed_at = ?, closed_by = ? WHERE closed_at IS NULL AND store = ? AND kind = ?"
        " AND slip_id IS NULL",
        (at, by, store, kind),
    )

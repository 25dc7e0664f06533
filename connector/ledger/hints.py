"""What others only hint at: slips to be looked at again soon, orders whose data is to be erased. Moves no state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from connector.ledger.times import stamp
from connector.packing_slip import number_key


def read_sooner(db: sqlite3.Connection, store: str, numbers: Sequence[str], at: datetime) -> int:
    """Have the slips of these numbers read back by `at` where GSS is to be asked about them anyway. Returns how many.

    What is asked about before that stays as it is, so that a hint repeated a thousand times is one look.
    """
    keys = json.dumps([number_key(number) for number in numbers])
    return db.execute(
        "UPDATE versions SET read_at = :at WHERE store = :store AND newest = 1 AND read_at > :at AND slip_id IN ("
        " SELECT id FROM slips WHERE store = :store AND number IS NOT NULL"
        " AND number_key IN (SELECT value FROM json_each(:keys)))",
        {"at": stamp(at), "store": store, "keys": keys},
    ).rowcount


def ask_to_erase(db: sqlite3.Connection, store: str, order_ids: Sequence[str], now: datetime) -> list[tuple[int, str]]:
    """Note that the data of these orders is to go as soon as each is over (connector.ledger.retention). Returns those
    whose parcel has not left: (slip id, order number)."""
    wanted = {"store": store, "ids": json.dumps(list(order_ids)), "now": stamp(now)}
    db.execute(
        "UPDATE slips SET erase_at = coalesce(erase_at, :now)"
        " WHERE store = :store AND order_id IN (SELECT value FROM json_each(:ids))",
        wanted,
    )
    rows = db.execute(
        "SELECT s.id, s.order_number FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1"
        " WHERE s.store = :store AND s.order_id IN (SELECT value FROM json_each(:ids))"
        " AND v.state NOT IN ('processed', 'late', 'withdrawn', 'closed') ORDER BY s.id",
        wanted,
    )
    return [(row[0], row[1]) for row in rows]

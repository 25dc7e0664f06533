"""Which orders a shop is asked about whatever its cursor says, and when a sweep was last done. Knows no shop."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from connector.ledger.times import moment, stamp


def is_due(db: sqlite3.Connection, store: str, now: datetime, every: timedelta) -> bool:
    """Whether the last whole sweep was `every` ago or more, or lies ahead of this clock, or never was."""
    row = db.execute("SELECT swept_at FROM stores WHERE store = ?", (store,)).fetchone()
    if row is None or row[0] is None:
        return True
    age = now - moment(row[0])
    return not timedelta(0) <= age < every


def note(db: sqlite3.Connection, store: str, now: datetime) -> None:
    """A sweep came to its end."""
    db.execute("UPDATE stores SET swept_at = ? WHERE store = ?", (stamp(now), store))


def open_orders(db: sqlite3.Connection, store: str, after: int, most: int) -> tuple[list[str], int]:
    """Ids of orders that the shop may still change to some effect: to be sent, held, refused, or still asked about at
    GSS. At most `most`, of slips after `after`; with the slip to go on after."""
    rows = db.execute(
        "SELECT s.id, s.order_id FROM slips s JOIN ("
        " SELECT slip_id FROM versions WHERE store = :store AND read_at IS NOT NULL AND newest = 1 AND slip_id > :after"
        " UNION SELECT slip_id FROM versions WHERE store = :store AND urgency IS NOT NULL AND slip_id > :after"
        " UNION SELECT slip_id FROM versions WHERE store = :store AND newest = 1 AND state IN ('held', 'refused')"
        " AND slip_id > :after"
        " ) open ON open.slip_id = s.id ORDER BY s.id LIMIT :most",
        {"store": store, "after": after, "most": most},
    ).fetchall()
    return list(dict.fromkeys(row[1] for row in rows)), rows[-1][0] if rows else after


def waited_out(db: sqlite3.Connection, store: str, now: datetime, most: int) -> list[str]:
    """Ids of orders passed over until a time that has come, the longest due first."""
    rows = db.execute(
        "SELECT DISTINCT order_id FROM passed_over WHERE store = ? AND until <= ? ORDER BY until LIMIT ?",
        (store, stamp(now), most),
    )
    return [row[0] for row in rows]

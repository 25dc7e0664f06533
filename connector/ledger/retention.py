"""What the ledger forgets in time: bodies, receipts, words about people. Numbers and hashes stay, so that an order that
a shop shows again is known (failures.md R1-R3). Decides nothing about time; every call is one piece, in its caller's
transaction.

An order is over when GSS processed it and nobody watches it any more, when it was withdrawn, or when a person has seen
to a late one. Only then is its slip closed. What waits for a person is not over.
"""

# ruff: noqa: S608  the statements are put together of fragments of our own
from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from connector.ledger.times import stamp

_IS_OVER: Final = (
    " v.newest = 1 AND v.state IN ('processed', 'withdrawn', 'late') AND v.read_at IS NULL AND v.urgency IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM versions o WHERE o.slip_id = v.slip_id AND o.state IN ('sending', 'unclear'))"
)
_NOBODY_IS_CALLED: Final = " NOT EXISTS (SELECT 1 FROM alerts a WHERE a.slip_id = v.slip_id AND a.closed_at IS NULL)"
_IS_PLAIN: Final = " (order_number = order_id OR order_number GLOB '*[0-9]*' AND order_number NOT GLOB '*[@ ]*')"
"""Whether what people call an order looks like a number: some shops let buyers' names or addresses stand there."""
_PLAIN_NUMBER: Final = " order_number = CASE WHEN" + _IS_PLAIN + " THEN order_number ELSE order_id END"


def slips_over(db: sqlite3.Connection, store: str, before: datetime, most: int) -> list[int]:
    """Slips to be closed: over since `before` or earlier, and no alert about them is open."""
    rows = db.execute(
        "SELECT v.slip_id FROM versions v WHERE v.store = ? AND v.changed_at <= ? AND"
        + _IS_OVER + " AND" + _NOBODY_IS_CALLED + " ORDER BY v.changed_at LIMIT ?",
        (store, stamp(before), most),
    )  # fmt: skip
    return [row[0] for row in rows]


def slips_to_erase(db: sqlite3.Connection, store: str) -> list[tuple[int, str, str]]:
    """Slips whose data somebody asked to be erased, and that are over by now: (id, order number, order id)."""
    rows = db.execute(
        "SELECT s.id, s.order_number, s.order_id FROM slips s JOIN versions v ON v.slip_id = s.id"
        " WHERE s.erase_at IS NOT NULL AND s.store = ? AND v.state != 'closed' AND" + _IS_OVER,
        (store,),
    )
    return rows.fetchall()


def is_over(db: sqlite3.Connection, slip_id: int) -> bool:
    """Whether nothing more can happen to a slip's parcel."""
    row = db.execute("SELECT 1 FROM versions v WHERE v.slip_id = ? AND" + _IS_OVER, (slip_id,)).fetchone()
    return row is not None


def close(db: sqlite3.Connection, slip_ids: Sequence[int], now: datetime) -> None:
    """Leave of each slip: store, order id, part, number, last hash, and how it ended. Its alerts go too, open or not.

    What people did stays, without the words they wrote. Attempts stay: they have none about people.
    """
    ids = json.dumps(list(slip_ids))
    for statement in _CLOSE:
        db.execute(statement, {"ids": ids, "now": stamp(now)})


_OF_THESE: Final = " IN (SELECT value FROM json_each(:ids))"
_THEIR_VERSIONS: Final = " IN (SELECT id FROM versions WHERE slip_id" + _OF_THESE + ")"
_CLOSE: Final = (
    "DELETE FROM bodies WHERE version_id" + _THEIR_VERSIONS,
    "DELETE FROM attempt_versions WHERE version_id" + _THEIR_VERSIONS,
    "DELETE FROM versions WHERE newest = 0 AND slip_id" + _OF_THESE,
    "UPDATE versions SET state = 'closed', reason = state, lot = '', send_at = NULL, read_at = NULL, urgency = NULL,"
    " struck_at = NULL, attempt_id = NULL, changed_at = :now WHERE state != 'closed' AND slip_id" + _OF_THESE,
    "UPDATE slips SET origin = '', ticket = NULL, tracking_url = NULL, gss_status = NULL, picked = NULL,"
    " delivered = NULL, erase_at = NULL, stop = NULL, stop_reason = NULL," + _PLAIN_NUMBER + " WHERE id" + _OF_THESE,
    "DELETE FROM alerts WHERE slip_id" + _OF_THESE,
    "UPDATE actions SET reason = '' WHERE reason != '' AND slip_id" + _OF_THESE,
)


def forget_history(db: sqlite3.Connection, store: str, before: datetime, most: int) -> int:
    """Close versions that were superseded before, whatever became of their slips since. Returns how many."""
    found = db.execute(
        "SELECT id FROM versions WHERE store = ? AND newest = 0 AND state = 'superseded' AND changed_at <= ? LIMIT ?",
        (store, stamp(before), most),
    ).fetchall()
    ids = json.dumps([row[0] for row in found])
    db.execute("DELETE FROM bodies WHERE version_id IN (SELECT value FROM json_each(?))", (ids,))
    db.execute(
        "UPDATE attempt_versions SET answer = substr(answer, 1, instr(answer, ': ') - 1)"
        " WHERE instr(answer, ': ') AND version_id IN (SELECT value FROM json_each(?))",
        (ids,),
    )
    db.execute(
        "UPDATE versions SET state = 'closed', reason = state WHERE id IN (SELECT value FROM json_each(?))", (ids,)
    )
    return len(found)


def forget_passed_over(db: sqlite3.Connection, store: str, before: datetime, most: int) -> int:
    """Of orders skipped before, keep only that they were: id, revision, hash, and the decision. Returns how many."""
    return db.execute(
        "UPDATE passed_over SET origin = ''," + _PLAIN_NUMBER + " WHERE (store, order_id, part) IN ("
        " SELECT store, order_id, part FROM passed_over WHERE store = ? AND decision = 'skip'"
        " AND NOT (origin = '' AND" + _IS_PLAIN + ")"
        " AND seen_at <= ? LIMIT ?)",
        (store, stamp(before), most),
    ).rowcount


def forget_alerts(db: sqlite3.Connection, store: str, before: datetime, most: int) -> int:
    """Remove alerts that were closed before."""
    return db.execute(
        "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE store = ? AND closed_at <= ? LIMIT ?)",
        (store, stamp(before), most),
    ).rowcount


def forget_runs(db: sqlite3.Connection, store: str, before: datetime, most: int) -> int:
    """Remove runs that were begun before, but for the last one."""
    return db.execute(
        "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE store = ?1 AND started_at <= ?2"
        " AND id < (SELECT max(id) FROM runs WHERE store = ?1) LIMIT ?3)",
        (store, stamp(before), most),
    ).rowcount


def forget_set_aside(db: sqlite3.Connection, before: datetime, most: int) -> int:
    """Remove rows that an upgrade set aside before."""
    return db.execute(
        "DELETE FROM set_aside WHERE id IN (SELECT id FROM set_aside WHERE at <= ? LIMIT ?)", (stamp(before), most)
    ).rowcount


def slips_open(db: sqlite3.Connection, store: str) -> int:
    """How many slips are not closed."""
    row = db.execute("SELECT count(*) FROM versions WHERE store = ? AND newest = 1 AND state != 'closed'", (store,))
    return int(row.fetchone()[0])


def last_stamp(db: sqlite3.Connection) -> str:
    """The latest time the ledger knows of something that happened; "" for none."""
    row = db.execute(
        "SELECT max(at) FROM (SELECT max(started_at) AS at FROM runs UNION ALL SELECT max(ended_at) FROM runs"
        " UNION ALL SELECT max(moved_at) FROM cursors UNION ALL SELECT max(at) FROM actions)"
    ).fetchone()
    return row[0] or ""

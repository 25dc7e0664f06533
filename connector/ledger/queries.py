"""The ledger's read queries, each named as its question; times are the ledger's stamps. They decide nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec

from connector.ledger import reached
from connector.ledger.alerts import EVERYWHERE
from connector.ledger.intake import HELD_BY_A_PERSON


class Need(msgspec.Struct, frozen=True):
    """Something that waits for a person.

    alert   its number, None for a slip that is held or refused and was acknowledged already, and for the fence
    store   "" where it is about all of them: such a need is found whichever store is asked for
    name    how to name it to a command: the slip number, or the order's number where it has none; "" for a store's own
    kind    of alert (connector.ledger.machine.Alarm, or a store's own); "fenced": only a person can lift the fence
    state   of the slip's newest version, "" without a slip
    sendable  it is held with a valid slip and a number that is free: a person may let it go
    """

    alert: int | None
    store: str
    order: str
    name: str
    kind: str
    state: str
    text: str
    since: str
    sendable: bool = False


FENCED: Final = "fenced"

_SENDABLE = """v.state = 'held' AND v.hash IS NOT NULL AND (s.number IS NOT NULL OR NOT EXISTS (SELECT 1 FROM slips o
    WHERE o.destination = s.destination AND o.number_key = s.number_key AND o.number IS NOT NULL))"""

_AND_SENT = f"rtrim(v.reason, '.') || '. {reached.SENT_BEFORE}'"
_MAY_BE_SENT = f"v.state = 'held' AND v.reason != '' AND {reached.SLIP_MAY_BE_THERE}"
_OPENLY_HELD = f"""CASE WHEN a.text LIKE '%{reached.SENT_BEFORE}'
    OR v.reason LIKE '{HELD_BY_A_PERSON}%' AND {_MAY_BE_SENT} THEN {_AND_SENT} ELSE v.reason END"""
"""Why a slip is held whose alert is open: as it is now, and that something of it may be at GSS all the same. The alert
knows whether that was looked up since; a person who holds a slip opens none."""
_SEEN_AND_HELD = f"CASE WHEN {_MAY_BE_SENT} THEN {_AND_SENT} ELSE v.reason END"

_NEEDS = f"""
SELECT a.id AS alert, a.store, coalesce(s.order_number, '') AS "order", coalesce(s.number, s.order_number, '') AS name,
       a.kind, coalesce(v.state, '') AS state,
       CASE WHEN a.kind = 'held' AND v.state = 'held' THEN {_OPENLY_HELD} ELSE a.text END AS text, a.opened_at AS since,
       coalesce({_SENDABLE}, 0) AS sendable
FROM alerts a LEFT JOIN slips s ON s.id = a.slip_id LEFT JOIN versions v ON v.slip_id = s.id AND v.newest = 1
WHERE a.closed_at IS NULL AND (:store IS NULL OR a.store = :store)
UNION ALL
SELECT NULL, v.store, s.order_number, coalesce(s.number, s.order_number), v.state, v.state, {_SEEN_AND_HELD},
       v.changed_at, {_SENDABLE}
FROM versions v INDEXED BY versions_waiting JOIN slips s ON s.id = v.slip_id
WHERE v.newest = 1 AND (v.state = 'held' OR v.state = 'refused' OR v.state = 'late') -- spelt as the index is
AND v.state != 'late' AND (:store IS NULL OR v.store = :store)
AND v.slip_id NOT IN (SELECT slip_id FROM alerts WHERE closed_at IS NULL AND slip_id IS NOT NULL)
UNION ALL
SELECT NULL, '{EVERYWHERE}', '', '', '{FENCED}', '', why || ' Nothing is sent, for any store.', raised_at, 0
FROM house WHERE asks = 1
"""  # noqa: S608


def needs(db: sqlite3.Connection, store: str | None = None, most: int = 100) -> list[Need]:
    """What waits for a person, the most dangerous first (a parcel may be leaving), then the oldest."""
    rows = db.execute(
        f"SELECT * FROM ({_NEEDS}) ORDER BY kind != 'late', kind = 'held', since LIMIT :most",  # noqa: S608
        {"store": store, "most": most},
    )
    return [Need(*(*row[:-1], bool(row[-1]))) for row in rows]


def needs_counted(db: sqlite3.Connection, store: str | None = None) -> dict[str, int]:
    """How much waits for a person, by kind."""
    rows = db.execute(f"SELECT kind, count(*) FROM ({_NEEDS}) GROUP BY kind ORDER BY kind", {"store": store})  # noqa: S608
    return dict(rows.fetchall())


def states_counted(db: sqlite3.Connection, store: str) -> dict[str, int]:
    """How many slips stand in which state, by their newest version."""
    rows = db.execute(
        "SELECT state, count(*) FROM versions WHERE store = ? AND newest = 1 GROUP BY state ORDER BY state", (store,)
    )
    return dict(rows.fetchall())


def passed_over_counted(db: sqlite3.Connection, store: str) -> dict[str, int]:
    """How many orders were read and are not for freight now, by decision (wait, skip)."""
    rows = db.execute("SELECT decision, count(*) FROM passed_over WHERE store = ? GROUP BY decision", (store,))
    return dict(rows.fetchall())


def passed_over(db: sqlite3.Connection, store: str) -> list[tuple[str, str, str]]:
    """The orders that are not for freight now: (order number, decision, reason), by number."""
    rows = db.execute(
        "SELECT order_number, decision, reason FROM passed_over WHERE store = ? ORDER BY order_number, part", (store,)
    )
    return rows.fetchall()


def receipts_of_newest(db: sqlite3.Connection, store: str) -> dict[str, str]:
    """The receipts (JSON) of each order's newest version, by order number; orders without any are not in it."""
    rows = db.execute(
        "SELECT s.order_number, b.receipts FROM versions v JOIN slips s ON s.id = v.slip_id"
        " JOIN bodies b ON b.version_id = v.id WHERE v.store = ? AND v.newest = 1 AND b.receipts IS NOT NULL",
        (store,),
    )
    return dict(rows.fetchall())


class Owed(msgspec.Struct, frozen=True):
    """What is to be sent: due now, due later, and since when the oldest of it has been waiting ("" for nothing)."""

    now: int
    later: int
    oldest: str


def owed(db: sqlite3.Connection, store: str, now: str) -> Owed:
    """What GSS is owed, as of `now`, a stamp."""
    row = db.execute(
        "SELECT coalesce(sum(send_at <= ?1), 0), coalesce(sum(send_at > ?1), 0), coalesce(min(created_at), '')"
        " FROM versions WHERE store = ?2 AND urgency IS NOT NULL",
        (now, store),
    ).fetchone()
    return Owed(*row)


def answered_since(db: sqlite3.Connection, store: str, attempt: int) -> list[tuple[int, str, str]]:
    """The slips that calls after this one carried and GSS answered: (attempt, the shop's change date, the answer's)."""
    rows = db.execute(
        "SELECT a.id, v.revision, a.ended_at FROM attempts a JOIN attempt_versions c ON c.attempt_id = a.id"
        " JOIN versions v ON v.id = c.version_id"
        " WHERE a.id > ? AND a.store = ? AND a.outcome = 'answered' ORDER BY a.id",
        (attempt, store),
    )
    return rows.fetchall()


def last_attempt(db: sqlite3.Connection) -> int:
    """The newest call's id; 0 before the first."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM attempts").fetchone()[0])


class Run(msgspec.Struct, frozen=True):
    """One run of a store; ended_at is "" while it goes on, or where it was killed."""

    started_at: str
    ended_at: str
    counts: dict[str, int]
    problem: str


def last_run(db: sqlite3.Connection, store: str) -> Run | None:
    """The run begun last."""
    row = db.execute(
        "SELECT started_at, coalesce(ended_at, ''), counts, coalesce(problem, '') FROM runs"
        " WHERE store = ? ORDER BY id DESC LIMIT 1",
        (store,),
    ).fetchone()
    return Run(row[0], row[1], json.loads(row[2]), row[3]) if row else None


def cursor_moved_at(db: sqlite3.Connection, store: str) -> str:
    """When a poll of the shop last brought something new; "" for never."""
    row = db.execute("SELECT moved_at FROM cursors WHERE store = ?", (store,)).fetchone()
    return row[0] if row else ""


def stores_known(db: sqlite3.Connection) -> list[str]:
    """Every store that ever had a run."""
    return [row[0] for row in db.execute("SELECT store FROM stores ORDER BY store")]


class SlipLine(msgspec.Struct, frozen=True):
    """A slip in a list. name: how to name it to a command; number: "" for a held slip that has none."""

    store: str
    order: str
    name: str
    version: int
    op: str
    state: str
    reason: str
    ticket: str
    changed_at: str
    number: str


def slips(
    db: sqlite3.Connection, store: str | None = None, states: Iterable[str] = (), most: int = 100
) -> list[SlipLine]:
    """Slips by their newest version, the one changed last first. states: all, or these."""
    rows = db.execute(
        "SELECT s.store, s.order_number, coalesce(s.number, s.order_number), v.seq, v.op, v.state, v.reason,"
        " coalesce(s.ticket, ''), v.changed_at, coalesce(s.number, '') FROM versions v JOIN slips s ON s.id = v.slip_id"
        " WHERE v.newest = 1 AND (:store IS NULL OR v.store = :store)"
        " AND (:states = '[]' OR v.state IN (SELECT value FROM json_each(:states)))"
        " ORDER BY v.changed_at DESC, v.id DESC LIMIT :most",
        {"store": store, "states": json.dumps(list(states)), "most": most},
    )
    return [SlipLine(*row) for row in rows]


def accepted_bodies(db: sqlite3.Connection, slip_ids: Iterable[int]) -> dict[int, str]:
    """What GSS should have of these slips: the body sent last that may have got there and was not refused. Slips never
    sent, or deleted there, are not in it."""
    rows = db.execute(
        "SELECT v.slip_id, CASE v.op WHEN 'put' THEN b.body END"  # noqa: S608
        " FROM versions v LEFT JOIN bodies b ON b.version_id = v.id"
        " WHERE v.state NOT IN ('refused', 'sending') AND v.slip_id IN (SELECT value FROM json_each(?))"
        " AND " + reached.VERSION_MAY_BE_THERE + " ORDER BY v.slip_id, v.seq",
        (json.dumps(list(slip_ids)),),
    )
    return {slip_id: body for slip_id, body in dict(rows.fetchall()).items() if body is not None}

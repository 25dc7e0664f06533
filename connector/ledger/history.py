"""The history of one order in the ledger: slip, versions, calls, alerts, what people did. Reads; knows no screen."""

from __future__ import annotations

import sqlite3

import msgspec

from connector.ledger.naming import called


class Slip(msgspec.Struct, frozen=True):
    """A slip's identity, and what GSS last showed of it ("" for nothing).

    stop_reason  why the shop wants it sent no more, while GSS may have it and keeps it
    """

    id: int
    store: str
    order_id: str
    part: str
    order: str
    number: str
    destination: str
    origin: str
    created_at: str
    ticket: str
    tracking_url: str
    gss_status: str
    picked: str
    delivered: str
    stop_reason: str = ""

    @property
    def name(self) -> str:
        """How to name it to a command."""
        return self.number or self.order


def slips_named(db: sqlite3.Connection, name: str, store: str | None = None) -> list[Slip]:
    """The slips that a person may mean (connector.ledger.naming), the oldest first."""
    found = []
    for one in called(db, name, store):
        found += db.execute(
            "SELECT id, store, order_id, part, order_number, coalesce(number, ''), destination, origin, created_at,"
            " coalesce(ticket, ''), coalesce(tracking_url, ''), coalesce(gss_status, ''), coalesce(picked, ''),"
            " coalesce(delivered, ''), coalesce(stop_reason, '')"
            " FROM slips WHERE store = ? AND order_id = ? AND part = ?",
            (one.store, one.order_id, one.part),
        ).fetchall()
    return [Slip(*row) for row in sorted(found)]


class Passed(msgspec.Struct, frozen=True):
    """An order that was read and got no slip."""

    store: str
    order_id: str
    part: str
    order: str
    decision: str
    reason: str
    until: str
    origin: str
    seen_at: str


def passed_over_named(db: sqlite3.Connection, name: str, store: str | None = None) -> list[Passed]:
    """The orders that a person may mean (connector.ledger.naming) and that were passed over, by store and id."""
    found = []
    for one in called(db, name, store):
        found += db.execute(
            "SELECT store, order_id, part, order_number, decision, reason, coalesce(until, ''), origin, seen_at"
            " FROM passed_over WHERE store = ? AND order_id = ? AND part = ?",
            (one.store, one.order_id, one.part),
        ).fetchall()
    return [Passed(*row) for row in found]


class VersionLine(msgspec.Struct, frozen=True):
    """One version of a slip. body: the JSON for GSS, None for a delete and where none could be made; so receipts."""

    id: int
    seq: int
    newest: bool
    op: str
    state: str
    reason: str
    body: str | None
    receipts: str | None
    send_at: str
    read_at: str
    tries: int
    created_at: str
    changed_at: str


def versions_of(db: sqlite3.Connection, slip_id: int) -> list[VersionLine]:
    """A slip's versions, oldest first."""
    rows = db.execute(
        "SELECT id, seq, newest, op, state, reason, body, receipts, CASE WHEN urgency IS NULL THEN '' ELSE send_at END,"
        " coalesce(read_at, ''), tries, created_at, changed_at FROM versions LEFT JOIN bodies ON version_id = id"
        " WHERE slip_id = ? ORDER BY seq",
        (slip_id,),
    )
    return [VersionLine(row[0], row[1], bool(row[2]), *row[3:]) for row in rows]


class AttemptLine(msgspec.Struct, frozen=True):
    """One call that carried a version of a slip; answer is this version's own, "" where the outcome says it all."""

    id: int
    seq: int
    op: str
    slips: int
    started_at: str
    ended_at: str
    outcome: str
    http_status: int
    note: str
    answer: str


def attempts_of(db: sqlite3.Connection, slip_id: int) -> list[AttemptLine]:
    """The calls that carried a slip, oldest first."""
    rows = db.execute(
        "SELECT a.id, v.seq, a.op, a.slips, a.started_at, coalesce(a.ended_at, ''), coalesce(a.outcome, ''),"
        " coalesce(a.http_status, 0), a.note, coalesce(av.answer, '') FROM versions v"
        " JOIN attempt_versions av ON av.version_id = v.id JOIN attempts a ON a.id = av.attempt_id"
        " WHERE v.slip_id = ? ORDER BY a.id, v.seq",
        (slip_id,),
    )
    return [AttemptLine(*row) for row in rows]


class AlertLine(msgspec.Struct, frozen=True):
    """One alert of a slip; closed_at and closed_by are "" while it is open."""

    id: int
    kind: str
    text: str
    opened_at: str
    closed_at: str
    closed_by: str


def alerts_of(db: sqlite3.Connection, slip_id: int) -> list[AlertLine]:
    """A slip's alerts, open and closed, oldest first."""
    rows = db.execute(
        "SELECT id, kind, text, opened_at, coalesce(closed_at, ''), coalesce(closed_by, '') FROM alerts"
        " WHERE slip_id = ? ORDER BY id",
        (slip_id,),
    )
    return [AlertLine(*row) for row in rows]


class ActionLine(msgspec.Struct, frozen=True):
    """What a person did to a slip."""

    at: str
    who: str
    what: str
    reason: str


def actions_of(db: sqlite3.Connection, slip_id: int) -> list[ActionLine]:
    """What people did to a slip, oldest first."""
    rows = db.execute("SELECT at, who, what, reason FROM actions WHERE slip_id = ? ORDER BY id", (slip_id,))
    return [ActionLine(*row) for row in rows]


class History(msgspec.Struct, frozen=True):
    """All that the ledger has of one slip; versions has one at least, everything oldest first."""

    slip: Slip
    versions: list[VersionLine]
    attempts: list[AttemptLine]
    alerts: list[AlertLine]
    actions: list[ActionLine]

    @property
    def newest(self) -> VersionLine:
        """The version that counts."""
        return self.versions[-1]


def histories(db: sqlite3.Connection, name: str, store: str | None = None) -> list[History]:
    """The history of each slip that a person may mean by this name."""
    return [
        History(
            slip,
            versions_of(db, slip.id),
            attempts_of(db, slip.id),
            alerts_of(db, slip.id),
            actions_of(db, slip.id),
        )
        for slip in slips_named(db, name, store)
    ]

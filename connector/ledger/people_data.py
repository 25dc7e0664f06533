"""Where the ledger has data about people, and the marks and the erasing that a person asked for. Decides nothing.

Searching reads every row with words in it: questions of this kind are rare, and an index of names would be one more
place where they lie.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from connector.ledger import retention
from connector.ledger.times import stamp


class Place(msgspec.Struct, frozen=True):
    """Somewhere data about somebody was found. where: in words; order "" where it is about none; since: a stamp."""

    where: str
    store: str
    order: str
    since: str


_PLACES: Final = (
    (
        "a slip's body, version {}",
        "SELECT v.seq, s.store, s.order_number, v.created_at, coalesce(b.body, '') || coalesce(b.receipts, '')"
        " FROM bodies b JOIN versions v ON v.id = b.version_id JOIN slips s ON s.id = v.slip_id"
        " WHERE b.body IS NOT NULL OR b.receipts IS NOT NULL",
    ),
    (
        "why version {} stands as it does",
        "SELECT v.seq, s.store, s.order_number, v.changed_at, v.reason FROM versions v"
        " JOIN slips s ON s.id = v.slip_id WHERE v.reason != ''",
    ),
    (
        "a slip's order",
        "SELECT 0, store, order_number, created_at, order_number || char(10) || order_id || char(10)"
        " || coalesce(number, '') || char(10) || coalesce(gss_status, '') || char(10)"
        " || coalesce(stop_reason, '') || char(10) || origin FROM slips",
    ),
    (
        "GoSweetSpot's answer to call {}",
        "SELECT a.attempt_id, s.store, s.order_number, t.started_at, a.answer FROM attempt_versions a"
        " JOIN attempts t ON t.id = a.attempt_id JOIN versions v ON v.id = a.version_id"
        " JOIN slips s ON s.id = v.slip_id WHERE a.answer IS NOT NULL",
    ),
    (
        "an order that got no slip",
        "SELECT 0, store, order_number, seen_at, order_number || char(10) || order_id || char(10) || reason || char(10)"
        " || origin FROM passed_over",
    ),
    (
        "alert {}",
        "SELECT a.id, a.store, coalesce(s.order_number, ''), a.opened_at, a.text FROM alerts a"
        " LEFT JOIN slips s ON s.id = a.slip_id",
    ),
    (
        "what somebody wrote, action {}",
        "SELECT a.id, coalesce(s.store, ''), coalesce(s.order_number, ''), a.at, a.reason FROM actions a"
        " LEFT JOIN slips s ON s.id = a.slip_id WHERE a.reason != ''",
    ),
    ("what stopped run {}", "SELECT id, store, '', started_at, problem FROM runs WHERE problem IS NOT NULL"),
    ("a row set aside by an upgrade, {}", "SELECT id, '', '', at, row FROM set_aside"),
)
"""Each: words, and a question for (number in the words, store, order, since, text)."""


def search(db: sqlite3.Connection, matches: Callable[[str], bool]) -> Iterator[Place]:
    """Every place whose text matches, as they stand."""
    for where, question in _PLACES:
        for number, store, order, since, text in db.execute(question):
            if matches(text):
                yield Place(where.format(number), store, order, since)


class Asked(msgspec.Struct, frozen=True):
    """An order whose data is to be erased. is_over: nothing more can happen to its parcel; state "" without a slip."""

    slip_id: int | None
    store: str
    order: str
    order_id: str
    state: str
    is_over: bool


def orders_named(db: sqlite3.Connection, name: str, store: str | None) -> list[Asked]:
    """The orders of this number, id or slip number, with and without a slip."""
    from connector.ledger.history import passed_over_named, slips_named

    found = []
    for slip in slips_named(db, name, store):
        state = db.execute("SELECT state FROM versions WHERE slip_id = ? AND newest = 1", (slip.id,)).fetchone()[0]
        over = state == "closed" or retention.is_over(db, slip.id)
        found.append(Asked(slip.id, slip.store, slip.order, slip.order_id, state, over))
    passed = {(one.store, one.order, one.order_id) for one in passed_over_named(db, name, store)}
    return found + [Asked(None, *one, "", True) for one in sorted(passed)]


def erase(db: sqlite3.Connection, asked: Asked, now: datetime) -> None:
    """Take out all that is about people, where the order is over; else mark it, so that it is done when it is."""
    if asked.slip_id is None:
        db.execute(
            "UPDATE passed_over SET origin = '', reason = '', order_number = order_id WHERE store = ? AND order_id = ?",
            (asked.store, asked.order_id),
        )
    elif asked.is_over:
        retention.close(db, [asked.slip_id], now)
    else:
        db.execute("UPDATE slips SET erase_at = coalesce(erase_at, ?) WHERE id = ?", (stamp(now), asked.slip_id))


def write_down(db: sqlite3.Connection, who: str, what: str, slip_id: int | None, now: datetime) -> None:
    """What a person did, without the data it was about."""
    db.execute("INSERT INTO actions (at, who, what, slip_id) VALUES (?, ?, ?, ?)", (stamp(now), who, what, slip_id))


class Held(msgspec.Struct, frozen=True):
    """How much of one kind of data about people is held, and since when ("" for none)."""

    what: str
    rows: int
    since: str


_HELD: Final = (
    ("slips with names and addresses", "SELECT count(*), min(v.created_at) FROM bodies b JOIN versions v"
     " ON v.id = b.version_id"),
    ("orders that got no slip", "SELECT count(*), min(seen_at) FROM passed_over"),
    ("orders whose data is gone, numbers kept", "SELECT count(*), min(changed_at) FROM versions WHERE newest = 1"
     " AND state = 'closed'"),
    ("orders to be erased once they are over", "SELECT count(*), min(erase_at) FROM slips WHERE erase_at IS NOT NULL"),
    ("orders that are over and kept because an alert is open",
     "SELECT count(*), min(v.changed_at) FROM versions v WHERE v.newest = 1"
     " AND v.state IN ('processed', 'withdrawn', 'late') AND EXISTS (SELECT 1 FROM alerts a WHERE a.closed_at IS NULL"
     " AND a.slip_id = v.slip_id)"),
    ("rows set aside by an upgrade", "SELECT count(*), min(at) FROM set_aside"),
)  # fmt: skip


def held(db: sqlite3.Connection) -> list[Held]:
    """What is held, by kind."""
    rows = [(what, *db.execute(question).fetchone()) for what, question in _HELD]
    return [Held(what, count, since or "") for what, count, since in rows]

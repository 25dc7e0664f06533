"""The ledger's side of the way through the fence: what GSS must be asked about, and what is made of its answer.

Asks nobody. `connector.keeping.comparing` does, and decides.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from connector.ledger import alerts, reached
from connector.ledger.machine import NOW, Alarm, Move
from connector.ledger.outbox import apply_move
from connector.ledger.proofs import Asked, sent_before
from connector.ledger.states import Op, State
from connector.ledger.times import stamp

LEFT_STANDING: Final = "left standing"
"""The kind of alert about a slip that GSS has for an order that is not to be shipped, or not yet."""


class Standing(msgspec.Struct, frozen=True):
    """A slip to be compared. was_sent: a call that this ledger knows of may have brought one of its versions there."""

    asked: Asked
    was_sent: bool


class Passed(msgspec.Struct, frozen=True):
    """An order that got no slip; number is what people call it."""

    order_id: str
    part: str
    number: str
    reason: str


def to_compare(db: sqlite3.Connection, store: str, after: int, most: int) -> list[Standing]:
    """Slips whose newest version is to be sent or not yet proven, of slips after `after`, by slip."""
    rows = db.execute(
        "SELECT v.id, v.slip_id, v.seq, s.number, v.op, v.state, b.body, v.hash, v.attempt_id, v.ghosts, "  # noqa: S608
        + reached.SLIP_MAY_BE_THERE
        + " FROM versions v JOIN slips s ON s.id = v.slip_id LEFT JOIN bodies b ON b.version_id = v.id"
        " WHERE v.store = ? AND v.newest = 1 AND v.state IN ('owed', 'unclear', 'accepted') AND s.number IS NOT NULL"
        " AND v.slip_id > ? ORDER BY v.slip_id LIMIT ?",
        (store, after, most),
    ).fetchall()
    return [
        Standing(
            Asked(
                row[0], row[1], row[2], row[3], Op(row[4]), State(row[5]),
                row[6].encode() if row[6] is not None else None, row[7], row[8], None, row[9],
            ),
            bool(row[10]),
        )
        for row in rows
    ]  # fmt: skip


def bodies_sent(db: sqlite3.Connection, slip_id: int) -> list[tuple[str, bytes]]:
    """The older versions of a slip that were sent: (hash, body)."""
    return sent_before(db, [slip_id]).get(slip_id, [])


def hold(db: sqlite3.Connection, store: str, asked: Asked, adopts: bool, now: datetime) -> None:
    """Keep a slip that GSS doesn't have from being made there (again) until a person lets it go."""
    reason = _NEVER_KNOWN if adopts else _GONE
    attempt = asked.attempt_id
    if asked.state is State.ACCEPTED:
        apply_move(db, [asked.version_id], State.ACCEPTED, attempt, Move(State.OWED), now)
    source = State.OWED if asked.state is State.ACCEPTED else asked.state
    if apply_move(db, [asked.version_id], source, attempt, Move(State.HELD), now, reason=reason):
        alerts.open_alert(db, store, asked.slip_id, Alarm.HELD, f"slip {asked.number}: {reason}", stamp(now))


_GONE: Final = (
    "It was sent before the ledger was restored, and GoSweetSpot has it no more: somebody may have deleted it there. "
    "If it should ship, release it."
)
_NEVER_KNOWN: Final = (
    "The ledger was begun anew, and GoSweetSpot has no such slip: it was never sent, or somebody deleted it there. If "
    "it should ship, release it."
)


class _Terms(Protocol):
    @property
    def store(self) -> str: ...


def take_as_sent(db: sqlite3.Connection, terms: _Terms, asked: Asked, is_ticketed: bool, now: datetime) -> None:
    """GSS has it already, by a call that this ledger doesn't know of: written down as an attempt found there, so that
    its proof begins now."""
    attempt = db.execute(
        "INSERT INTO attempts (store, op, slips, started_at, ended_at, outcome, note)"
        " VALUES (?, 'put', 1, ?, ?, 'found at GSS', 'a ledger before this one sent it')",
        (terms.store, stamp(now), stamp(now)),
    ).lastrowid
    claimed = db.execute(
        "UPDATE versions SET state = 'sending', urgency = NULL, tries = tries + 1, attempt_id = ?"
        " WHERE id = ? AND state = 'owed' AND newest = 1",
        (attempt, asked.version_id),
    ).rowcount
    if claimed:
        db.execute("INSERT INTO attempt_versions (attempt_id, version_id) VALUES (?, ?)", (attempt, asked.version_id))
        state = State.TICKETED if is_ticketed else State.ACCEPTED
        apply_move(db, [asked.version_id], State.SENDING, attempt, Move(state, read_in=NOW), now)


def passed_over(db: sqlite3.Connection, store: str, since: str, after: tuple[str, str], most: int) -> list[Passed]:
    """Orders skipped or to wait, read since (a stamp), of ids and parts after `after`."""
    rows = db.execute(
        "SELECT order_id, part, order_number, reason FROM passed_over WHERE store = ?"
        " AND seen_at >= ? AND (order_id, part) > (?, ?) ORDER BY order_id, part LIMIT ?",
        (store, since, *after, most),
    )
    return [Passed(*row) for row in rows]


def is_a_slip_s(db: sqlite3.Connection, destination: str, key: str) -> bool:
    """Whether a number is a known slip's."""
    row = db.execute(
        "SELECT 1 FROM slips WHERE destination = ? AND number_key = ? AND number IS NOT NULL", (destination, key)
    ).fetchone()
    return row is not None


def call_about(db: sqlite3.Connection, store: str, number: str, order: Passed, now: datetime) -> None:
    """Call a person about a slip that GSS has for an order that got none here."""
    text = (
        f"GoSweetSpot has slip {number} pending, but order {order.number} is not to be shipped now: {order.reason} "
        "Delete it in GoSweetSpot unless it is somebody else's"
    )
    alerts.open_alert(db, store, None, f"{LEFT_STANDING} {number}", text, stamp(now))


def read_all_back(db: sqlite3.Connection, store: str, now: datetime) -> None:
    """Have every slip that was sent and is not over read back with the next read-back, processed ones of late too."""
    db.execute(
        "UPDATE versions SET read_at = ? WHERE store = ? AND newest = 1 AND attempt_id IS NOT NULL AND (state IN"
        " ('unclear', 'accepted', 'confirmed', 'ticketed') OR (state = 'late' AND read_at IS NOT NULL)"
        " OR (state IN ('processed', 'withdrawn') AND changed_at >= ?))",
        (stamp(now), store, stamp(now - LATELY)),
    )


LATELY: Final = timedelta(days=7)
"""As long as a processed slip is read back anyway (connector.ledger.machine.WATCH)."""

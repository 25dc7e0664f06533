"""What GSS really has, as read back: which versions to ask about, and what the answer makes of them. Knows no HTTP.

The answer counts only for a version that is still as it was when GSS was asked: compare-and-set on its state and
attempt.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.ledger import alerts, machine, reached
from connector.ledger.machine import Alarm, Move, Shown, Standing
from connector.ledger.outbox import apply_move, first_of
from connector.ledger.states import Op, State
from connector.ledger.times import moment, stamp


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A newest version whose slip GSS is to be asked about. body is None for a delete.

    labelled_at  when it was found processed, if it was
    """

    version_id: int
    slip_id: int
    seq: int
    number: str
    op: Op
    state: State
    body: bytes | None
    hash: str | None
    attempt_id: int | None
    ended_at: datetime | None
    ghosts: int
    labelled_at: datetime | None = None


class Sight(msgspec.Struct, frozen=True, gc=False):
    """What GSS showed for one slip.

    ticketed  a consignment stands on it; doubled  GSS showed more than one record for the number
    proven    false when another version of ours that was sent would look the same
    """

    shown: Shown
    ticketed: bool = False
    proven: bool = True
    doubled: bool = False
    ticket: str = ""
    tracking_url: str = ""
    status: str = ""
    picked: str = ""
    delivered: str = ""


LONGEST_WAIT: Final = machine.CYCLE
"""Nothing waits longer to be read back: a time further off is one of a clock that was set back since."""

_OPS = {op.value: op for op in Op}
_STATES = {state.value: state for state in State}


def due(db: sqlite3.Connection, store: str, most: int, now: datetime) -> list[Asked]:
    """The versions to read back now, longest due first."""
    rows = db.execute(
        "SELECT v.id, v.slip_id, v.seq, s.number, v.op, v.state, b.body, v.hash, v.attempt_id, a.ended_at, v.ghosts,"
        " iif(v.state = 'processed', v.changed_at, NULL)"
        " FROM versions v JOIN slips s ON s.id = v.slip_id LEFT JOIN bodies b ON b.version_id = v.id"
        " LEFT JOIN attempts a ON a.id = v.attempt_id"
        " WHERE v.store = ? AND v.read_at <= ? AND v.newest = 1 AND s.number IS NOT NULL ORDER BY v.read_at LIMIT ?",
        (store, stamp(now), most),
    )
    times: dict[str | None, datetime | None] = {None: None}
    found = []
    for row in rows:
        for time in (row[9], row[11]):
            if time not in times:
                times[time] = moment(time)
        body = row[6].encode() if row[6] is not None else None
        found.append(
            Asked(
                row[0],
                row[1],
                row[2],
                row[3],
                _OPS[row[4]],
                _STATES[row[5]],
                body,
                row[7],
                row[8],
                times[row[9]],
                row[10],
                times[row[11]],
            )
        )
    return found


def due_again(db: sqlite3.Connection, store: str, now: datetime) -> datetime | None:
    """When GSS is to be asked next about something of this store."""
    some = "FROM versions WHERE store = ?1 AND read_at IS NOT NULL)"
    times = f"SELECT (SELECT min(read_at) {some}, (SELECT max(read_at) {some}"
    return first_of(db.execute(times, (store,)).fetchone(), now, LONGEST_WAIT)


def put_off(db: sqlite3.Connection, asked: Sequence[Asked], now: datetime, wait: timedelta) -> None:
    """Ask about these again after `wait`: nothing could be learnt about them now."""
    db.execute(
        "UPDATE versions SET read_at = ? WHERE read_at IS NOT NULL AND newest = 1"
        " AND id IN (SELECT value FROM json_each(?))",
        (stamp(now + wait), json.dumps([one.version_id for one in asked])),
    )


def put_off_all(db: sqlite3.Connection, store: str, now: datetime, wait: timedelta) -> None:
    """Ask about all of a store's that are due again after `wait`."""
    db.execute(
        "UPDATE versions SET read_at = ? WHERE store = ? AND read_at <= ? AND newest = 1",
        (stamp(now + wait), store, stamp(now)),
    )


def sent_before(db: sqlite3.Connection, slip_ids: Sequence[int]) -> dict[int, list[tuple[str, bytes]]]:
    """The older versions of these slips that a call may have brought to GSS: slip id -> (hash, body), newest first."""
    rows = db.execute(
        "SELECT v.slip_id, v.hash, b.body FROM versions v JOIN bodies b ON b.version_id = v.id"  # noqa: S608
        " WHERE v.newest = 0 AND v.hash IS NOT NULL AND v.slip_id IN (SELECT value FROM json_each(?)) AND "
        + reached.VERSION_MAY_BE_THERE
        + " ORDER BY v.slip_id, v.seq DESC",
        (json.dumps(slip_ids),),
    )
    found: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for slip_id, digest, body in rows:
        found[slip_id].append((digest, body.encode()))
    return found


def wait_no_longer(db: sqlite3.Connection, store: str, now: datetime) -> None:
    """Have what waits for a time that no wait reaches read back now."""
    db.execute(
        "UPDATE versions SET read_at = ? WHERE store = ? AND read_at > ?",
        (stamp(now), store, stamp(now + LONGEST_WAIT)),
    )


def close_windows(db: sqlite3.Connection, store: str, now: datetime) -> int:
    """28: older versions whose last call can no longer arrive are superseded. Returns how many."""
    return db.execute(
        "UPDATE versions SET state = 'superseded', read_at = NULL, changed_at = ?"
        " WHERE store = ? AND read_at <= ? AND newest = 0",
        (stamp(now), store, stamp(now)),
    ).rowcount


def learn(
    db: sqlite3.Connection,
    store: str,
    sights: Sequence[tuple[Asked, Sight]],
    now: datetime,
    ghost_window: timedelta,
    asked_at: datetime | None = None,
) -> dict[State, int]:
    """Move each version by what GSS showed of it, all that are alike at once. Returns how many came to which state.

    asked_at  when GSS was asked, if that was not just now: only what it had once the ghost window was over is a proof
    """
    stops = _stops(db, [asked.slip_id for asked, _ in sights])
    alike: dict[tuple[object, ...], list[tuple[Asked, Sight]]] = defaultdict(list)
    for asked, sight in sights:
        alike[
            asked.state, asked.op, asked.attempt_id, asked.ghosts, sight.shown, sight.ticketed, sight.proven,
            bool(sight.picked or sight.delivered), asked.labelled_at, stops.get(asked.slip_id, ""),
        ].append((asked, sight))  # fmt: skip
    counts: dict[State, int] = defaultdict(int)
    for group in alike.values():
        asked, sight = group[0]
        standing = _standing(asked, sight, asked_at or now, ghost_window, stops.get(asked.slip_id, ""))
        move = machine.after_read_back(standing, sight.shown, sight.ticketed, ghost_window)
        counts[move.state] += _move(db, store, [one for one, _ in group], move, sight.shown, now)
    with_record = [
        (asked, sight)
        for asked, sight in sights
        if sight.ticket or sight.picked or sight.delivered or sight.doubled or asked.state in _WAS_TICKETED
    ]
    _keep_records(db, store, with_record, now)
    return counts


_WAS_TICKETED = (State.TICKETED, State.PROCESSED, State.LATE)


def _stops(db: sqlite3.Connection, slip_ids: Sequence[int]) -> dict[int, str]:
    """Which of these slips the shop wants no more by now, and how: it may have said so after GSS was asked."""
    rows = db.execute(
        "SELECT id, stop FROM slips WHERE stop IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(slip_ids),),
    )
    return dict(rows.fetchall())


def _standing(asked: Asked, sight: Sight, asked_at: datetime, ghost_window: timedelta, stop: str) -> Standing:
    never = timedelta.max if asked.attempt_id is None else timedelta(0)  # its last call is not over
    age = asked_at - asked.ended_at if asked.ended_at else never
    return Standing(
        asked.state,
        asked.op,
        quiet=age >= ghost_window,
        proven=sight.proven,
        ghosts=asked.ghosts,
        age=age,
        labelled=asked_at - asked.labelled_at if asked.labelled_at else timedelta(0),
        watched=bool(sight.picked or sight.delivered),
        stop=stop,
    )


def _move(
    db: sqlite3.Connection,
    store: str,
    group: list[Asked],
    move: Move,
    shown: Shown,
    now: datetime,
) -> int:
    """Move versions that stand alike, and tell of it or take back what was told."""
    ids = [asked.version_id for asked in group]
    reason = _REASONS.get(move.state, "")
    first = group[0]
    ids_moved = apply_move(db, ids, first.state, first.attempt_id, move, now, reason=reason, newest_only=True)
    moved = [asked for asked in group if asked.version_id in ids_moved]
    if move.state is State.SUPERSEDED:
        _stop(db, store, moved, now)
    if (move.state, shown) in _AS_IT_SHOULD_BE:
        slip_ids, over = json.dumps([asked.slip_id for asked in moved]), _AS_IT_SHOULD_BE[move.state, shown]
        alerts.close_for(db, slip_ids, over, stamp(now), _GSS_SHOWS)
    if move.alarm:
        _alarm(db, store, moved, move.alarm, now)
    return len(moved)


_GSS_SHOWS = "GoSweetSpot shows it as it should be"
_AMISS = (Alarm.VANISHED, Alarm.CHANGED, Alarm.GHOST)
_AS_IT_SHOULD_BE = {
    (State.CONFIRMED, Shown.NEWEST): _AMISS,
    (State.PROCESSED, Shown.NEWEST): (*_AMISS, Alarm.LABEL_DELETED),
    (State.WITHDRAWN, Shown.NOTHING): (*_AMISS, Alarm.LABEL_DELETED),
    (State.SUPERSEDED, Shown.NOTHING): (*_AMISS, Alarm.LABEL_DELETED),
}
"""What a person need not look at any more, once GSS shows this and the version stands so."""


def _alarm(db: sqlite3.Connection, store: str, moved: list[Asked], alarm: Alarm, now: datetime) -> None:
    is_found_at_each_look = alarm in (Alarm.VANISHED, Alarm.CHANGED)
    known = told(db, [asked.slip_id for asked in moved], alarm) if is_found_at_each_look else ()
    for asked in moved:
        if asked.slip_id not in known:
            vanished = alarm is Alarm.VANISHED
            words = _LABEL_GONE if asked.state is State.TICKETED and vanished else _ALARM_TEXTS[alarm]
            alerts.open_alert(db, store, asked.slip_id, alarm.value, f"slip {asked.number} {words}", stamp(now))


def told(db: sqlite3.Connection, slip_ids: Sequence[int], alarm: Alarm) -> frozenset[int]:
    """Of these slips, those of which a person was told this since their last call: it is open, or a person closed it.
    The same finding calls nobody twice."""
    rows = db.execute(
        "SELECT a.slip_id FROM alerts a JOIN versions v ON v.slip_id = a.slip_id AND v.newest = 1"
        " LEFT JOIN attempts t ON t.id = v.attempt_id"
        " WHERE a.kind = ? AND a.slip_id IN (SELECT value FROM json_each(?))"
        " AND (a.closed_at IS NULL OR a.closed_by <> ? AND a.closed_at > coalesce(t.ended_at, ''))",
        (alarm.value, json.dumps(list(slip_ids)), _GSS_SHOWS),
    )
    return frozenset(row[0] for row in rows)


def _stop(db: sqlite3.Connection, store: str, group: list[Asked], now: datetime) -> None:
    """2, 29: GSS has nothing of them, and the shop wants them no more. A version that says so is the newest now: held
    until the shop lets it go, or withdrawn."""
    at, ids = stamp(now), json.dumps([asked.slip_id for asked in group])
    db.execute(
        "UPDATE versions SET newest = 0 WHERE newest = 1 AND slip_id IN (SELECT value FROM json_each(?))", (ids,)
    )
    db.execute(_PUT_IN_ITS_PLACE, {"ids": ids, "at": at, "read_at": stamp(now + machine.CYCLE)})
    for asked in group:
        stop, reason, order = db.execute(
            "SELECT stop, stop_reason, order_number FROM slips WHERE id = ?", (asked.slip_id,)
        ).fetchone()
        if stop == "wait":
            alerts.open_alert(db, store, asked.slip_id, Alarm.HELD.value, f"order {order}: {reason}", at)
    db.execute("UPDATE slips SET stop = NULL, stop_reason = NULL WHERE id IN (SELECT value FROM json_each(?))", (ids,))


_PUT_IN_ITS_PLACE = (
    "INSERT INTO versions (slip_id, seq, store, op, state, reason, revision, read_at, attempt_id, created_at,"
    " changed_at) SELECT v.slip_id, v.seq + 1, v.store, iif(s.stop = 'wait', 'put', 'delete'),"
    " iif(s.stop = 'wait', 'held', 'withdrawn'), s.stop_reason, s.revision, :read_at, v.attempt_id, :at, :at"
    " FROM versions v JOIN slips s ON s.id = v.slip_id WHERE s.id IN (SELECT value FROM json_each(:ids))"
    " AND v.seq = (SELECT max(w.seq) FROM versions w WHERE w.slip_id = s.id)"
)

_REASONS = {State.LATE: "GSS ticketed something else than the newest version"}

_LABEL_GONE = "is processed, as GSS says, but GSS shows it no more: look for its label there. It is not sent again"

_ALARM_TEXTS = {
    Alarm.LATE: "was ticketed with something else than the shop says now: look at the parcel before it leaves",
    Alarm.GHOST: "was sent, and GSS keeps showing older data or none; it is sent again, ever more rarely."
    " Look at it in GSS",
    Alarm.VANISHED: "is no longer at GSS although it was there. Somebody may have deleted it there; it is not sent"
    " again by itself (`connector slips retry` sends it)",
    Alarm.CHANGED: "was changed inside GSS by hand; it is left as it is there",
    Alarm.LABEL_DELETED: "had its label deleted at GSS and is pending there again",
}


def _keep_records(db: sqlite3.Connection, store: str, records: Sequence[tuple[Asked, Sight]], now: datetime) -> None:
    db.executemany(
        "UPDATE slips SET ticket = ?, tracking_url = ?, gss_status = ?, picked = ?, delivered = ? WHERE id = ?",
        [
            (
                s.ticket or None,
                s.tracking_url or None,
                s.status or None,
                s.picked or None,
                s.delivered or None,
                asked.slip_id,
            )
            for asked, s in records
            if s.shown is not Shown.NOTHING
        ],
    )
    for asked, sight in records:
        if sight.doubled:
            text = f"slip {asked.number} stands more than once at GSS: only one parcel may leave. Look at it in GSS"
            alerts.open_alert(db, store, asked.slip_id, Alarm.DOUBLED.value, text, stamp(now))

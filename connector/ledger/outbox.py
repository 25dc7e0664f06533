"""What is owed to GSS: claimed in batches before a call, settled after it. Knows no HTTP.

An attempt is written and synced before its first byte leaves; only its answer settles it. A process that dies in
between leaves it open, and the next one to hold the store finds it and calls its versions unclear (failures.md 3.4,
3, 16).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.ledger import alerts, fence, machine, reached
from connector.ledger.errors import LedgerError
from connector.ledger.machine import Alarm, Event, Move, Standing
from connector.ledger.states import MOVES, Op, State
from connector.ledger.times import moment, stamp
from connector.packing_slip import body_hash


class Item(msgspec.Struct, frozen=True, gc=False):
    """One version in an attempt. body is None for a delete."""

    version_id: int
    number: str
    body: bytes | None


class Attempt(msgspec.Struct, frozen=True):
    """One call to be made, already on disk."""

    id: int
    op: Op
    items: tuple[Item, ...]


LONGEST_WAIT: Final = timedelta(hours=1)
"""Nothing waits longer to be sent (machine.backoff): a time further off is one of a clock that was set back since."""

_CLAIMABLE = (
    " FROM versions v JOIN slips s ON s.id = v.slip_id LEFT JOIN bodies b ON b.version_id = v.id"  # noqa: S608
    " WHERE v.store = ?1 AND v.urgency IS NOT NULL AND (v.send_at <= ?2 OR v.send_at > ?3) AND s.number IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM versions o WHERE o.slip_id = v.slip_id AND o.state = 'sending')"
    " AND NOT " + fence.STANDS
)


_MOST_URGENT = " ORDER BY v.urgency, v.id LIMIT ?"
_LEAST_TRIED = " ORDER BY v.tries, v.urgency, v.id LIMIT ?"


def claim(
    db: sqlite3.Connection, store: str, most: int, most_deletes: int, now: datetime, *, is_probe: bool = False
) -> Attempt | None:
    """Open an attempt for the most urgent versions owed (cancels, then changes, then new ones), at most `most`
    (`most_deletes` where it is a delete). A probe takes what was tried least: one slip that never gets through must not
    keep all others waiting behind it.

    In the caller's transaction, which must be committed and synced before the call is made. None: nothing is due.
    Raises LedgerError for a damaged ledger.
    """
    at, far, order = stamp(now), stamp(now + LONGEST_WAIT), _LEAST_TRIED if is_probe else _MOST_URGENT
    first = db.execute(
        "SELECT v.op, v.lot" + _CLAIMABLE + order,
        (store, at, far, 1),
    ).fetchone()
    if first is None:
        return None
    op, lot = first
    rows = db.execute(
        "SELECT v.id, s.number, b.body, v.hash" + _CLAIMABLE + " AND v.op = ? AND v.lot = ?" + order,
        (store, at, far, op, lot, most_deletes if op == "delete" else most),
    ).fetchall()
    attempt_id = _open_attempt(db, store, op, len(rows), at)
    ids = json.dumps([row[0] for row in rows])
    claimed = db.execute(
        "UPDATE versions SET state = 'sending', urgency = NULL, read_at = NULL, tries = tries + 1, attempt_id = ?,"
        " changed_at = ? WHERE state IN ('owed', 'unclear') AND newest = 1 AND id IN (SELECT value FROM json_each(?))",
        (attempt_id, at, ids),
    ).rowcount
    if claimed != len(rows):
        raise AssertionError(f"attempt {attempt_id}: {claimed} of {len(rows)} versions could be claimed")
    db.execute(
        "INSERT INTO attempt_versions (attempt_id, version_id) SELECT ?, value FROM json_each(?)", (attempt_id, ids)
    )
    return Attempt(attempt_id, Op(op), tuple(_item(*row) for row in rows))


def _item(version_id: int, number: str, body: str | None, digest: str | None) -> Item:
    """Raises LedgerError for a body that is not the one recorded: no check of SQLite sees a bit that flipped in a
    text."""
    sent = body.encode() if body is not None else None
    if (sent is None) != (digest is None) or (sent is not None and body_hash(sent) != digest):
        raise LedgerError(
            f"the ledger is damaged: the slip {number} is not as it was recorded. Nothing is sent; restore a backup."
        )
    return Item(version_id, number, sent)


def _open_attempt(db: sqlite3.Connection, store: str, op: str, slips: int, at: str) -> int:
    cursor = db.execute(
        "INSERT INTO attempts (store, op, slips, started_at) VALUES (?, ?, ?, ?)", (store, op, slips, at)
    )
    return int(cursor.lastrowid or 0)


class Heard(msgspec.Struct, frozen=True):
    """What a call came to: its outcome in a word, and what it told of each version it carried.

    events  by version id; every version of the attempt is in it
    words   by version id: what GSS said, where it said something
    """

    outcome: str
    events: Mapping[int, Event]
    words: Mapping[int, str] = {}
    http_status: int = 0
    note: str = ""
    others_pass: bool = True


def settle(db: sqlite3.Connection, attempt: Attempt, heard: Heard, now: datetime, ghost_window: timedelta) -> bool:
    """Close an attempt and move each of its versions by its own event. False: it had been closed already, nothing
    moved.

    Compare-and-set on the open attempt: a thread that comes late with an answer can't overwrite what was decided since.
    """
    at = stamp(now)
    closed = db.execute(
        "UPDATE attempts SET ended_at = ?, outcome = ?, http_status = ?, note = ? WHERE id = ? AND outcome IS NULL",
        (at, heard.outcome, heard.http_status or None, heard.note, attempt.id),
    ).rowcount
    if not closed:
        return False
    usual = _usual(db, attempt, heard)
    if usual:
        apply_move(db, usual, State.SENDING, attempt.id, Move(State.ACCEPTED, read_in=machine.NOW), now)
    unusual = [version_id for version_id in heard.events if version_id not in usual]
    for row in _standings(db, attempt.id, unusual, heard.others_pass, now):
        version_id, slip_id, store, number, standing = row
        event = heard.events[version_id]
        move = machine.after_call(standing, event, ghost_window)
        words = heard.words.get(version_id, "")
        apply_move(db, {version_id}, State.SENDING, attempt.id, move, now, reason=_reason(event, words, heard.note))
        if move.alarm:
            text = _alarm_text(move.alarm, number, words, pending=standing.pending)
            alerts.open_alert(db, store, slip_id, move.alarm.value, text, at)
    _keep_answers(db, attempt.id, heard, usual)
    if any(heard.events[item.version_id] in _SPLITS for item in attempt.items):
        _split(db, attempt)
    return True


_SPLITS = (Event.BATCH_REJECTED, Event.BATCH_FAILED)


def _usual(db: sqlite3.Connection, attempt: Attempt, heard: Heard) -> set[int]:
    """The versions whose move needs no thought: taken, and still the newest. One statement moves them all."""
    taken = [version_id for version_id, event in heard.events.items() if event is Event.TAKEN]
    rows = db.execute(
        "SELECT id FROM versions WHERE attempt_id = ? AND state = 'sending' AND newest = 1"
        " AND id IN (SELECT value FROM json_each(?))",
        (attempt.id, json.dumps(taken)),
    )
    return {row[0] for row in rows}


def _standings(
    db: sqlite3.Connection, attempt_id: int, ids: list[int], others_pass: bool, now: datetime
) -> list[tuple[int, int, str, str, Standing]]:
    if not ids:
        return []
    rows = db.execute(
        "SELECT v.id, v.slip_id, v.store, s.number, v.op, v.newest, v.tries, v.strikes, v.struck_at,"  # noqa: S608
        " coalesce(s.stop, ''), " + reached.SENT_EARLIER + " FROM versions v JOIN slips s ON s.id = v.slip_id"
        " WHERE v.attempt_id = ? AND v.state = 'sending' AND v.id IN (SELECT value FROM json_each(?))",
        (attempt_id, json.dumps(ids)),
    ).fetchall()
    return [
        (
            row[0], row[1], row[2], row[3],
            Standing(
                State.SENDING, Op(row[4]), newest=bool(row[5]), tries=row[6], strikes=row[7],
                struck=now - moment(row[8]) if row[8] else timedelta(0), others_pass=others_pass, stop=row[9],
                pending=bool(row[10]),
            ),
        )
        for row in rows
    ]  # fmt: skip


MOVE = (
    "UPDATE versions SET state = :state, reason = iif(state = :state, reason, :reason),"
    " changed_at = iif(state = :state AND :read_at IS NOT NULL, changed_at, :now),"
    " send_at = :send_at, read_at = :read_at,"
    " urgency = CASE WHEN :send_at IS NULL OR newest = 0 THEN NULL WHEN op = 'delete' THEN 0 WHEN seq > 1 THEN 1 ELSE 2"
    " END, strikes = max(strikes, :strikes), ghosts = max(ghosts, :ghosts),"
    " struck_at = CASE WHEN :strikes > 0 THEN coalesce(struck_at, :now) ELSE struck_at END"
    " WHERE id IN (SELECT value FROM json_each(:ids)) AND state = :source AND attempt_id IS :attempt_id"
    " AND newest >= :newest RETURNING id"
)
"""Carries out a Move for versions that still stand where they stood when it was decided. changed_at: since when they
stand so, however often that was seen again; and once they are looked at no more, since when (retention counts it)."""


def apply_move(
    db: sqlite3.Connection,
    ids: Iterable[int],
    source: State,
    attempt_id: int | None,
    move: Move,
    now: datetime,
    *,
    reason: str = "",
    newest_only: bool = False,
) -> set[int]:
    """Move versions from `source`, all by one Move; returns those that still stood there, and so were moved."""
    if move.state is not source and move.state not in MOVES[source]:
        raise AssertionError(f"no move from {source} to {move.state}")
    values = {
        "state": move.state.value,
        "reason": reason,
        "now": stamp(now),
        "send_at": _later(now, move.send_in, LONGEST_WAIT),
        "read_at": _later(now, move.read_in, machine.CYCLE),
        "strikes": move.strikes,
        "ghosts": move.ghosts,
        "ids": json.dumps(sorted(ids)),
        "source": source.value,
        "attempt_id": attempt_id,
        "newest": int(newest_only),
    }
    return {row[0] for row in db.execute(MOVE, values)}


def _later(now: datetime, wait: timedelta | None, longest: timedelta) -> str | None:
    """A wait that was reckoned from a time ahead of this clock has no end."""
    return None if wait is None else stamp(now + min(wait, longest))


def _reason(event: Event, words: str, note: str) -> str:
    match event:
        case Event.TAKEN | Event.GONE | Event.PROCESSED:
            return ""
        case Event.REFUSED:
            return f"GSS refused it: {words}"
        case Event.REJECTED_ALONE | Event.FAILED_ALONE:
            return f"GSS rejected it although it stood alone in its batch. {words or note}".strip()
        case _:
            return words or note


_ALARM_TEXTS = {
    Alarm.LATE: "was cancelled, but GSS had already ticketed it: stop the parcel, or call the buyer.",
    Alarm.REFUSED: "was refused by GSS: {words}. Correct the order in the shop, or send it once more.",
    Alarm.POISON: "is rejected by GSS even alone in its batch. Correct the order in the shop, or send it once more.",
}


def _alarm_text(alarm: Alarm, number: str, words: str, *, pending: bool) -> str:
    text = f"slip {number} " + _ALARM_TEXTS[alarm].replace("{words}", words.rstrip("."))
    return f"{text} {reached.SENT_BEFORE}" if pending and alarm is not Alarm.LATE else text


def _keep_answers(db: sqlite3.Connection, attempt_id: int, heard: Heard, usual: set[int]) -> None:
    """The answer of each slip, where it differs from the plain yes that `answered` stands for."""
    rows = [
        (
            f"{event.value}: {heard.words[version_id]}" if heard.words.get(version_id) else event.value,
            attempt_id,
            version_id,
        )
        for version_id, event in heard.events.items()
        if version_id not in usual
    ]
    db.executemany("UPDATE attempt_versions SET answer = ? WHERE attempt_id = ? AND version_id = ?", rows)


def _split(db: sqlite3.Connection, attempt: Attempt) -> None:
    """Halve a batch that GSS rejected or left unanswered as a whole; each half goes by itself until the bad slip stands
    alone (S17)."""
    ids = [item.version_id for item in attempt.items]
    middle = len(ids) // 2
    for half, name in ((ids[:middle], "a"), (ids[middle:], "b")):
        db.execute(
            "UPDATE versions SET lot = ? WHERE attempt_id = ? AND id IN (SELECT value FROM json_each(?))",
            (f"{attempt.id}{name}", attempt.id, json.dumps(half)),
        )


def recover(db: sqlite3.Connection, store: str, now: datetime, ghost_window: timedelta) -> int:
    """Close the attempts a dead process left open: their versions are unclear (16). Call it once, holding the store.

    Returns how many versions were found in them.
    """
    found = 0
    open_attempts = db.execute("SELECT id, op FROM attempts WHERE store = ? AND outcome IS NULL", (store,)).fetchall()
    for attempt_id, op in open_attempts:
        rows = db.execute("SELECT version_id FROM attempt_versions WHERE attempt_id = ?", (attempt_id,)).fetchall()
        attempt = Attempt(attempt_id, Op(op), tuple(Item(row[0], "", None) for row in rows))
        events = {row[0]: Event.CRASHED for row in rows}
        note = "the program was interrupted; whether GSS took it is not known"
        settle(db, attempt, Heard("interrupted", events, note=note), now, ghost_window)
        found += len(rows)
    return found


def next_due(db: sqlite3.Connection, store: str, now: datetime) -> datetime | None:
    """When something of this store is to be sent next; None when nothing is owed."""
    times = "SELECT min(send_at), max(send_at) FROM versions WHERE store = ? AND urgency IS NOT NULL"
    return first_of(db.execute(times, (store,)).fetchone(), now, LONGEST_WAIT)


def first_of(ends: tuple[str | None, str | None], now: datetime, longest: timedelta) -> datetime | None:
    """The first of some times, None of none. ends: the first and the last of them, as stamps.

    One further off than the longest wait was made by a clock that was set back since: what waits for it waits no
    longer.
    """
    first, last = ends
    if first is None or last is None:
        return None
    return now if moment(last) > now + longest else moment(first)


def owed(db: sqlite3.Connection, store: str) -> int:
    """How many versions are to be sent, now or later."""
    row = db.execute("SELECT count(*) FROM versions WHERE store = ? AND urgency IS NOT NULL", (store,)).fetchone()
    return int(row[0])


def is_owed_at(db: sqlite3.Connection, destination: str) -> bool:
    """Whether any store has something to be sent there, now or later, that no fence keeps back."""
    stores = db.execute(
        "SELECT t.store FROM stores t WHERE t.destination = ?"
        " AND EXISTS (SELECT 1 FROM versions v WHERE v.store = t.store AND v.urgency IS NOT NULL)",
        (destination,),
    ).fetchall()
    return any(not fence.stands(db, store) for (store,) in stores)


def is_due(db: sqlite3.Connection, store: str, now: datetime) -> bool:
    """Whether something is to be sent now."""
    row = db.execute("SELECT 1" + _CLAIMABLE + " LIMIT 1", (store, stamp(now), stamp(now + LONGEST_WAIT))).fetchone()
    return row is not None

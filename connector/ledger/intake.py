"""Recording what a shop said: a page of changes becomes slips and versions in the caller's transaction. Knows no shop.

The accept rule and the moves are `connector.ledger.machine`'s; here they are applied, a page at a time, in set-wise
SQL.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from connector.ledger import alerts, clashes, reached, renamed
from connector.ledger.known import Key, Known
from connector.ledger.machine import GHOST_WINDOW, Alarm
from connector.ledger.states import Op, State
from connector.ledger.times import stamp
from connector.packing_slip import clash_key, number_key

HELD_BY_A_PERSON = "held by "
UNTIL_RELEASED = (HELD_BY_A_PERSON, renamed.ANOTHER_HAS_IT)
"""How the reasons begin of what stays held, whatever the shop changes, until a person releases it."""
CHANGED_AFTER_ITS_END = "changed after its end"
"""The kind of alert about an order that a shop changes when its data was removed long since."""
_AND_NOW = "; and now: "
_CHANGED_LATE = "the order was changed after GSS had ticketed it: look at the parcel before it leaves"
_STANDS = "The slip was sent before that and is still at GSS."
_MAY_STAND = "Its slip may have got to GSS before that: what is there stays, and what is not there is not sent."
_TOO_LATE = (
    "order {before.order_number}: the shop changed it, but it is over ({before.reason}) and its data was removed in "
    "time. Nothing is sent. If another parcel must go, make it in GoSweetSpot"
)


class Kind(StrEnum):
    """What was decided about an order. HELD: no slip can be made of it. DOUBT: what the shop says can't be believed, so
    that not even a cancel is taken from it."""

    SHIP = "ship"
    HELD = "held"
    DOUBT = "doubt"
    WAIT = "wait"
    SKIP = "skip"
    WITHDRAW = "withdraw"


class Change(msgspec.Struct, frozen=True, gc=False):
    """One order as decided: what the ledger is asked to record.

    number, body, hash, receipts  of the slip made (SHIP); number alone may be known when HELD
    keeps_slip  a SKIP that leaves alone what GSS already has (the order was fulfilled)
    content     hash of what the shop said; revision  its place in the shop's order of time
    shipment    the shop's key of what this part ships; "" leaves the one that is known
    """

    order_id: str
    part: str
    order_number: str
    revision: str
    content: bytes
    origin: str
    kind: Kind
    number: str | None = None
    body: str | None = None
    hash: str | None = None
    receipts: str | None = None
    reason: str = ""
    until: str | None = None
    keeps_slip: bool = False
    shipment: str = ""


def record(
    db: sqlite3.Connection,
    store: str,
    destination: str,
    changes: Iterable[tuple[Change, Known | None, bool]],
    now: datetime,
    ghost_window: timedelta = GHOST_WINDOW,
) -> None:
    """Record changes that the accept rule took: (change, what was known, whether it was passed over before)."""
    page = _Page(db, store, destination, now, ghost_window)
    for change, before, was_passed_over in changes:
        page.take(change, before, was_passed_over)
    page.write()


def note_same(db: sqlite3.Connection, seen: Sequence[tuple[str, str, str, str, str]]) -> None:
    """Orders read again with nothing new: (revision, origin, store, order id, part). Their revision moves on, for slips
    and for orders passed over alike: an older change that arrives late must be seen to be stale."""
    for table in ("slips", "passed_over"):
        db.executemany(
            f"UPDATE {table} SET revision = ?1, origin = ?2"  # noqa: S608
            " WHERE store = ?3 AND order_id = ?4 AND part = ?5 AND revision < ?1",
            seen,
        )


def keep_cursor(db: sqlite3.Connection, store: str, cursor: str, now: datetime) -> None:
    """Move the store's cursor, in the transaction that recorded what lies before it. One that stays is not written."""
    db.execute(
        "INSERT INTO cursors VALUES (?, ?, ?)"
        " ON CONFLICT (store) DO UPDATE SET cursor = excluded.cursor, moved_at = excluded.moved_at"
        " WHERE cursor <> excluded.cursor",
        (store, cursor, stamp(now)),
    )


def cursor_of(db: sqlite3.Connection, store: str) -> str:
    """Where the store was read up to; "" before the first page."""
    row = db.execute("SELECT cursor FROM cursors WHERE store = ?", (store,)).fetchone()
    return row[0] if row else ""


class _Page:
    """Collects a page's rows and writes them in a few set-wise statements."""

    def __init__(
        self, db: sqlite3.Connection, store: str, destination: str, now: datetime, ghost_window: timedelta
    ) -> None:
        self.db = db
        self.store = store
        self.destination = destination
        self.now = stamp(now)
        self.ghosts_over = stamp(now + ghost_window)
        self.next_slip = _next_id(db, "slips")
        self.slips: list[tuple[object, ...]] = []
        self.next_version = _next_id(db, "versions")
        self.versions: list[tuple[object, ...]] = []
        self.bodies: list[tuple[int, str | None, str | None]] = []
        self.replaced: list[int] = []
        self.updated: list[tuple[object, ...]] = []
        self.passed: list[tuple[object, ...]] = []
        self.unpassed: list[tuple[str, str, str]] = []
        self.released: list[int] = []
        self.decided: list[int] = []
        self.stopped: list[tuple[str, str, int]] = []
        self.noted: list[tuple[str, int]] = []
        self.alerts: list[tuple[int | None, str, str]] = []
        self.begun: dict[Key, tuple[int, bytes]] = {}
        self.wanted: dict[str, list[int]] = {}
        self.numbers: list[tuple[str, str, str, int]] = []
        self.may_free_a_number = False

    def take(self, change: Change, before: Known | None, was_passed_over: bool) -> None:
        if before is not None:
            self._follow(change, before)
        elif change.kind in (Kind.SHIP, Kind.HELD, Kind.DOUBT):
            self._begin(change)
            if was_passed_over:
                self.unpassed.append((self.store, change.order_id, change.part))
        else:
            self._pass_over(change)

    def _begin(self, change: Change) -> None:
        slip_id = self.next_slip
        self.next_slip += 1
        key = number_key(change.number or "")
        clash = clash_key(key)
        given = None
        if change.kind is Kind.SHIP:
            given = change.number
            self.begun[change.order_id, change.part] = slip_id, change.content
        if change.number:
            self.wanted.setdefault(clash, []).append(slip_id)
        self.slips.append(
            (slip_id, self.store, change.order_id, change.part, change.order_number, given, key, clash,
             self.destination, change.revision, change.content, change.origin, self.now, change.shipment),
        )  # fmt: skip
        state = State.OWED if change.kind is Kind.SHIP else State.HELD
        self._version(slip_id, 1, Op.PUT, state, change, urgency=2)
        if state is State.HELD:
            self._alarm(slip_id, Alarm.HELD, change, change.reason)

    def _pass_over(self, change: Change) -> None:
        decision = "wait" if change.kind is Kind.WAIT else "skip"
        self.passed.append(
            (self.store, change.order_id, change.part, change.order_number, decision, change.reason, change.until,
             change.revision, change.content, change.origin, self.now, change.shipment),
        )  # fmt: skip

    def _follow(self, change: Change, before: Known) -> None:
        """A newer change of an order that has a slip."""
        if before.state is State.CLOSED:
            self._after_the_end(change, before)
            return
        self.updated.append(
            (change.revision, change.content, change.origin, change.order_number, change.shipment,
             change.kind is Kind.DOUBT, before.slip_id),
        )  # fmt: skip
        self.may_free_a_number |= before.number is None
        if change.kind in (Kind.SKIP, Kind.WAIT, Kind.WITHDRAW):
            self._stop(change, before)
        elif change.kind is Kind.DOUBT:
            self._doubt(change, before)
        elif change.kind is Kind.HELD:
            self._hold(change, before, change.reason)
        elif _stays_held(before):
            self._hold(change, before, "")
        elif before.op is Op.PUT and before.hash == change.hash and before.state is not State.HELD:
            self.released.append(before.slip_id)  # nothing that freight sees has changed (U9)
        elif _is_over(before.state):
            self._late(change, before, Op.PUT, _CHANGED_LATE)
        else:
            self._replace(change, before, Op.PUT, State.OWED, urgency=1)
            if before.number is None and change.number:
                key = number_key(change.number)
                self.wanted.setdefault(clash_key(key), []).append(before.slip_id)
                self.numbers.append((change.number, key, clash_key(key), before.slip_id))

    def _after_the_end(self, change: Change, before: Known) -> None:
        """R2: the order is over and its data gone. It never gets a second slip; what would change its parcel is told,
        once, by its numbers alone."""
        self.db.execute(
            "UPDATE slips SET revision = ?, content = ? WHERE id = ?", (change.revision, change.content, before.slip_id)
        )
        if change.kind in (Kind.SHIP, Kind.HELD) and (before.op is Op.DELETE or before.hash != change.hash):
            self.alerts.append((before.slip_id, CHANGED_AFTER_ITS_END, _TOO_LATE.format(before=before)))

    def _hold(self, change: Change, before: Known, reason: str) -> None:
        if _is_over(before.state):
            self._late(change, before, Op.PUT, f"{_CHANGED_LATE}. No slip could be made of it now: {reason}")
            return
        reason = _still_held(before, reason)
        was_sent = self._was_sent(before.slip_id)
        self._replace(change, before, Op.PUT, State.HELD, reason=reason, is_watched=was_sent)
        pending = f" {reached.SENT_BEFORE}" if was_sent else ""
        self._alarm(before.slip_id, Alarm.HELD, change, reason + pending)

    def _doubt(self, change: Change, before: Known) -> None:
        """What the shop says now can't be believed: what was sent stays as it is, and nothing else goes out."""
        if _is_over(before.state) or self._was_sent(before.slip_id):
            self._alarm(before.slip_id, Alarm.HELD, change, f"{change.reason} What was sent before that stays.")
        else:
            self._hold(change, before, change.reason)

    def _stop(self, change: Change, before: Known) -> None:
        """The order is no longer to be shipped: cancelled, refunded, collected, fulfilled otherwise, or put on hold."""
        if change.kind is not Kind.WAIT and before.state is not State.HELD:
            self.decided.append(before.slip_id)
        if before.op is Op.DELETE:
            return
        waits = change.kind is Kind.WAIT
        if _is_over(before.state):
            if not change.keeps_slip and not waits:
                self._stop_too_late(change, before)
        elif self._was_sent(before.slip_id):
            if waits or change.keeps_slip:
                self._leave_standing(change, before)
            else:
                self._replace(change, before, Op.DELETE, State.OWED, urgency=0, reason=change.reason)
        elif waits:
            reason = _still_held(before, change.reason)
            self._replace(change, before, Op.PUT, State.HELD, reason=reason)
            self._alarm(before.slip_id, Alarm.HELD, change, reason)
        else:
            self._replace(change, before, Op.DELETE, State.WITHDRAWN, reason=change.reason)  # 29, X1: no call

    def _stop_too_late(self, change: Change, before: Known) -> None:
        """25; but of what GSS showed delivered there is no parcel to stop any more: that is noted, and calls nobody."""
        if before.is_delivered:
            self.noted.append((f"{change.reason} GSS had shown it delivered before that.", before.slip_id))
        else:
            too_late = f"{change.reason} But GSS had already ticketed it: stop the parcel, or call the buyer"
            self._late(change, before, Op.DELETE, too_late)

    def _leave_standing(self, change: Change, before: Known) -> None:
        """What GSS has of it stays as it is there; what it hasn't is not made there. Which of the two, GSS is asked."""
        waits = change.kind is Kind.WAIT
        self.stopped.append(("wait" if waits else "skip", change.reason, before.slip_id))
        if waits:
            is_there = before.state in (State.ACCEPTED, State.CONFIRMED)
            self._alarm(before.slip_id, Alarm.HELD, change, f"{change.reason} {_STANDS if is_there else _MAY_STAND}")

    def _late(self, change: Change, before: Known, op: Op, reason: str) -> None:
        """25: no call is made, it would be ignored; the alert is the effect."""
        self._replace(change, before, op, State.LATE, reason=reason)
        self._alarm(before.slip_id, Alarm.LATE, change, reason)

    def _replace(
        self,
        change: Change,
        before: Known,
        op: Op,
        state: State,
        *,
        urgency: int | None = None,
        reason: str | None = None,
        is_watched: bool = False,
    ) -> None:
        self.replaced.append(before.slip_id)
        self._version(
            before.slip_id, before.seq + 1, op, state, change, urgency=urgency, reason=reason, is_watched=is_watched
        )

    def _version(
        self,
        slip_id: int,
        seq: int,
        op: Op,
        state: State,
        change: Change,
        *,
        urgency: int | None = None,
        reason: str | None = None,
        is_watched: bool = False,
    ) -> None:
        version_id = self.next_version
        self.next_version += 1
        is_put = op is Op.PUT
        if is_put and (change.body or change.receipts):
            self.bodies.append((version_id, change.body, change.receipts))
        owed = state is State.OWED
        self.versions.append(
            (version_id, slip_id, seq, self.store, op.value, state.value, change.reason if reason is None else reason,
             change.hash if is_put else None, change.revision, urgency if owed else None, self.now if owed else None,
             self.now if state is State.LATE or is_watched else None, self.now, self.now),
        )  # fmt: skip

    def _alarm(self, slip_id: int, alarm: Alarm, change: Change, text: str) -> None:
        self.alerts.append((slip_id, alarm.value, f"order {change.order_number}: {text}"))

    def _was_sent(self, slip_id: int) -> bool:
        """Whether a call may have brought a version of this slip to GSS, or may yet."""
        row = self.db.execute(
            "SELECT 1 FROM versions v WHERE v.slip_id = ? AND "  # noqa: S608
            + reached.VERSION_MAY_BE_THERE
            + " LIMIT 1",
            (slip_id,),
        ).fetchone()
        return row is not None

    def write(self) -> None:
        db = self.db
        if self.replaced:
            self._supersede()
        same = renamed.found(db, self.store, self.begun) if self.begun else {}
        clashing = self._clashing(same) if self.wanted else {}
        if self.slips:
            nameless = same.keys() | clashing.keys()
            slips = (
                [_without_number(row) if row[0] in nameless else row for row in self.slips] if nameless else self.slips
            )
            db.executemany(
                "INSERT INTO slips (id, store, order_id, part, order_number, number, number_key, clash_key,"
                " destination, revision, content, origin, created_at, shipment)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                slips,
            )
        db.executemany(
            "UPDATE slips SET number = ?, number_key = ?, clash_key = ? WHERE id = ?",
            [row for row in self.numbers if row[3] not in clashing],
        )
        db.executemany(
            "INSERT INTO versions (id, slip_id, seq, store, op, state, reason, hash, revision, urgency, send_at,"
            " read_at, created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.versions,
        )
        db.executemany("INSERT INTO bodies VALUES (?, ?, ?)", self.bodies)
        clashes.hold(db, self.store, clashing, self.now)
        renamed.hold(db, self.store, same, self.now)
        if self.may_free_a_number:
            clashes.free_first_holders(db, self.now)
        self._write_the_rest()

    def _clashing(self, same: Mapping[int, str]) -> dict[int, str]:
        """Slips of this page whose number another order wants too: slip id -> whose. same  those whose very order
        another store has: they want none before they are released."""
        names = {row[0]: row[4] for row in self.slips}
        wanted = self.wanted
        if same:
            wanted = {key: rest for key, ids in wanted.items() if (rest := [one for one in ids if one not in same])}
        return clashes.found(self.db, self.destination, wanted, names, self.now)

    def _write_the_rest(self) -> None:
        db = self.db
        db.executemany(
            "UPDATE slips SET revision = ?, content = ?, origin = ?, order_number = ?,"
            " shipment = coalesce(nullif(?, ''), shipment), (stop, stop_reason) = (SELECT stop, stop_reason WHERE ?)"
            " WHERE id = ?",
            self.updated,
        )
        if self.stopped:
            self._stop_sending()
        db.executemany(
            "UPDATE versions SET reason = ? WHERE newest = 1 AND state = 'processed' AND slip_id = ?", self.noted
        )
        db.executemany("DELETE FROM passed_over WHERE store = ? AND order_id = ? AND part = ?", self.unpassed)
        db.executemany(
            "INSERT OR REPLACE INTO passed_over (store, order_id, part, order_number, decision, reason, until,"
            " revision, content, origin, seen_at, shipment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.passed,
        )
        if self.decided:  # what waited after it was sent, or was in doubt, is to be neither now
            alerts.close_for(db, json.dumps(self.decided), (Alarm.HELD,), self.now, "the shop says what it is")
        if self.released:
            self._go_on()
        for slip_id, kind, text in self.alerts:
            alerts.open_alert(db, self.store, slip_id, kind, text, self.now)

    def _stop_sending(self) -> None:
        """What was to be sent is looked up at GSS instead: with its last call's end, whatever version that carried."""
        self.db.executemany("UPDATE slips SET stop = ?, stop_reason = ? WHERE id = ?", self.stopped)
        self.db.execute(
            "UPDATE versions SET state = 'unclear', urgency = NULL, send_at = NULL, read_at = ?, changed_at = ?,"
            " attempt_id = (SELECT max(w.attempt_id) FROM versions w WHERE w.slip_id = versions.slip_id)"
            " WHERE newest = 1 AND state IN ('owed', 'unclear') AND slip_id IN (SELECT value FROM json_each(?))",
            (self.now, self.now, json.dumps([slip_id for _, _, slip_id in self.stopped])),
        )

    def _go_on(self) -> None:
        """What waited after it was sent waits no longer; what was stopped before it was known to be there is sent."""
        ids = json.dumps(self.released)
        alerts.close_for(self.db, ids, (Alarm.HELD,), self.now, "the shop let it go")
        self.db.execute(
            "UPDATE versions SET send_at = ?, urgency = CASE WHEN seq > 1 THEN 1 ELSE 2 END"
            " WHERE newest = 1 AND state = 'unclear' AND urgency IS NULL"
            " AND slip_id IN (SELECT value FROM json_each(?))",
            (self.now, ids),
        )

    def _supersede(self) -> None:
        """27, 28: what is in flight stays until its call is over; what was processed stays true; the rest is
        superseded."""
        ids = json.dumps(self.replaced)
        alerts.close_for(self.db, ids, (Alarm.HELD, Alarm.REFUSED, Alarm.POISON), self.now, "a newer version")
        self.db.execute(
            "UPDATE versions SET newest = 0, urgency = NULL, send_at = NULL, changed_at = ?,"
            " read_at = CASE WHEN state = 'unclear' THEN ? END,"
            " state = CASE WHEN state IN ('sending', 'unclear', 'processed') THEN state ELSE 'superseded' END"
            " WHERE newest = 1 AND slip_id IN (SELECT value FROM json_each(?))",
            (self.now, self.ghosts_over, ids),
        )


def _is_over(state: State) -> bool:
    """GSS has ticketed the slip: a PUT would be ignored and a DELETE refused."""
    return state in (State.TICKETED, State.PROCESSED, State.LATE)


def _stays_held(before: Known) -> bool:
    return before.state is State.HELD and before.reason.startswith(UNTIL_RELEASED)


def _still_held(before: Known, reason: str) -> str:
    """Why the next version is held. What is held until it is released stays so, whatever else is wrong."""
    if not _stays_held(before):
        return reason
    first = before.reason.partition(_AND_NOW)[0]
    return f"{first}{_AND_NOW}{reason}" if reason else first


def _without_number(row: tuple[object, ...]) -> tuple[object, ...]:
    return (*row[:5], None, *row[6:])


def _next_id(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])  # noqa: S608

"""What people do by hand: hold, release, retry, acknowledge. Each is one transaction with a line in `actions`. Knows
no screen."""

from __future__ import annotations

import json
import shlex
import sqlite3
from datetime import datetime
from typing import Final

from connector.ledger import alerts, reached
from connector.ledger.connection import Ledger, LedgerError
from connector.ledger.history import passed_over_named, slips_named
from connector.ledger.intake import HELD_BY_A_PERSON
from connector.ledger.machine import Alarm
from connector.ledger.naming import ID
from connector.ledger.states import State
from connector.ledger.times import stamp
from connector.packing_slip import clash_key, number_key

_NO_VALID_SLIP: Final = (
    "{number} has no valid slip yet. Correct the order in the shop or the store file, then: connector sync --from-start"
)


class Refused(LedgerError):
    """What was asked for can't be done in the state the slip is in; the message says what can."""


def hold(ledger: Ledger, store: str | None, name: str, who: str, reason: str, now: datetime) -> str:
    """Keep a slip from being sent until it is released. name: slip number, order number or order id
    (connector.ledger.naming). Returns a sentence; it tells where something of it may be at GSS, which is looked at
    from then on."""
    with ledger.writing() as db:
        slip_id, number, state, sendable = _find(db, store, name)
        if state is State.HELD and not sendable:
            raise Refused(
                f"{number} is held already: it has no valid slip, so it can't be sent before it is corrected."
            )
        if state not in (State.OWED, State.UNCLEAR, State.HELD):
            raise Refused(f"{number} is {state}: it is at GSS already. Cancel it in the shop, or delete it in GSS.")
        _set(db, slip_id, State.HELD, f"{HELD_BY_A_PERSON}{who}: {reason}", now)
        is_watched = _watch(db, slip_id, now)
        _write_down(db, who, "hold", slip_id, reason, now)
    said = f"{number} is held. {_let_go(name, store)}"
    return f"{said} {reached.SENT_BEFORE}" if is_watched else said


def release(ledger: Ledger, store: str | None, name: str, who: str, now: datetime) -> str:
    """Let a held slip be sent. Raises Refused where there is no valid slip to send."""
    with ledger.writing() as db:
        slip_id, number, state, sendable = _find(db, store, name)
        if state is not State.HELD:
            raise Refused(f"{number} is {state}, not held.")
        if not sendable:
            raise Refused(_NO_VALID_SLIP.format(number=number))
        _give_number(db, slip_id)
        _owe(db, slip_id, now, who)
        _write_down(db, who, "release", slip_id, "", now)
    return f"{number} is owed again and goes out with the next sync."


def retry(ledger: Ledger, store: str | None, name: str, who: str, now: datetime) -> str:
    """Send a refused, waiting or vanished slip again with the next sync."""
    with ledger.writing() as db:
        slip_id, number, state, sendable = _find(db, store, name)
        if state is State.HELD and not sendable:
            raise Refused(_NO_VALID_SLIP.format(number=number))
        if state not in (State.REFUSED, State.UNCLEAR, State.OWED, State.CONFIRMED, State.ACCEPTED):
            follows = f": {_let_go(name, store)}" if state is State.HELD else "; there is nothing to send again."
            raise Refused(f"{number} is {state}{follows}")
        if not sendable:
            raise Refused(f"{number} has nothing to send.")
        _owe(db, slip_id, now, who)
        _write_down(db, who, "retry", slip_id, "", now)
    return f"{number} is owed again and goes out with the next sync."


def acknowledge(ledger: Ledger, store: str | None, name: str, who: str, reason: str, now: datetime) -> str:
    """Close the alerts of a slip: a person has seen to it. A late slip is over with that."""
    with ledger.writing() as db:
        slip_id, number, state, _ = _find(db, store, name)
        closed = db.execute(
            "UPDATE alerts SET closed_at = ?, closed_by = ? WHERE slip_id = ? AND closed_at IS NULL",
            (stamp(now), who, slip_id),
        ).rowcount
        if not closed:
            raise Refused(f"{number} has no open alert.")
        if state is State.LATE:
            db.execute(
                "UPDATE versions SET read_at = NULL, changed_at = ? WHERE slip_id = ? AND newest = 1",
                (stamp(now), slip_id),
            )
        _write_down(db, who, "acknowledge", slip_id, reason, now)
    return f"{number}: {closed} alert{'s' if closed > 1 else ''} closed."


def dismiss(ledger: Ledger, alert: int, who: str, reason: str, now: datetime) -> str:
    """Close an alert that belongs to no slip, by its number: a file that couldn't be read, an odd answer of GSS."""
    with ledger.writing() as db:
        row = db.execute(
            "SELECT a.slip_id, s.number, s.order_number FROM alerts a LEFT JOIN slips s ON s.id = a.slip_id"
            " WHERE a.id = ? AND a.closed_at IS NULL",
            (alert,),
        ).fetchone()
        if row is None:
            raise Refused(f"there is no open alert {alert}. `connector status` lists them.")
        if row[0] is not None:
            raise Refused(f"alert {alert} is about {row[1] or row[2]}: `connector slips acknowledge` closes it.")
        db.execute("UPDATE alerts SET closed_at = ?, closed_by = ? WHERE id = ?", (stamp(now), who, alert))
        db.execute(
            "INSERT INTO actions (at, who, what, reason) VALUES (?, ?, ?, ?)",
            (stamp(now), who, f"dismiss alert {alert}", reason),
        )
    return f"alert {alert} is closed."


def _let_go(name: str, store: str | None) -> str:
    of_store = f" --store {shlex.quote(store)}" if store else ""
    return f"`connector slips release {shlex.quote(name)}{of_store}` lets it go."


def no_slip(db: sqlite3.Connection, store: str | None, name: str) -> str:
    """Why there is no slip of this name, and what to ask instead."""
    if passed_over_named(db, name, store):
        of_store = f" --store {shlex.quote(store)}" if store else ""
        return f"{name!r} is an order that got no slip. Why: connector explain {shlex.quote(name)}{of_store}"
    return f"no slip is known by {name!r}. `connector slips list` lists them."


def _find(db: sqlite3.Connection, store: str | None, name: str) -> tuple[int, str, State, bool]:
    """(id, how to name it, state, whether there is something to send). Raises Refused for none and for several."""
    found = slips_named(db, name, store)
    if not found:
        raise Refused(no_slip(db, store, name))
    if len(found) > 1:
        stores = sorted({one.store for one in found})
        ask_store = "the store with --store, " if len(stores) > 1 else ""
        each = ", ".join(f"{one.name} is {ID}{one.order_id} of {one.store}" for one in found)
        raise Refused(
            f"{name!r} names {len(found)} slips (stores: {', '.join(stores)}). Name {ask_store}the slip number, or the "
            f"id: {each}."
        )
    state, sendable = db.execute(
        "SELECT v.state, v.hash IS NOT NULL OR (v.op = 'delete' AND s.number IS NOT NULL)"
        " FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1 WHERE s.id = ?",
        (found[0].id,),
    ).fetchone()
    return found[0].id, found[0].name, State(state), bool(sendable)


def _give_number(db: sqlite3.Connection, slip_id: int) -> None:
    """Give a slip the number it was made with, where two orders wanted it (T6). Raises Refused where it is taken."""
    destination, given, body = db.execute(
        "SELECT s.destination, s.number, b.body FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1"
        " LEFT JOIN bodies b ON b.version_id = v.id WHERE s.id = ?",
        (slip_id,),
    ).fetchone()
    if given is not None:
        return
    number = json.loads(body)["packingslipno"]
    taken = db.execute(
        "SELECT order_number, store FROM slips WHERE destination = ? AND number_key = ? AND number IS NOT NULL",
        (destination, number_key(number)),
    ).fetchone()
    if taken:
        raise Refused(
            f"order {taken[0]} of store {taken[1]} has the packing slip number {number}. Give this store another "
            "prefix or number template in [slip], or rename one of the orders."
        )
    db.execute(
        "UPDATE slips SET number = ?, number_key = ?, clash_key = ? WHERE id = ?",
        (number, number_key(number), clash_key(number_key(number)), slip_id),
    )


def _owe(db: sqlite3.Connection, slip_id: int, now: datetime, who: str) -> None:
    _set(db, slip_id, State.OWED, "", now)
    db.execute("UPDATE slips SET stop = NULL, stop_reason = NULL WHERE id = ?", (slip_id,))
    db.execute(
        "UPDATE versions SET send_at = ?, lot = '', strikes = 0, struck_at = NULL, ghosts = 0,"
        " urgency = CASE WHEN op = 'delete' THEN 0 WHEN seq > 1 THEN 1 ELSE 2 END WHERE slip_id = ? AND newest = 1",
        (stamp(now), slip_id),
    )
    kinds = (Alarm.HELD, Alarm.REFUSED, Alarm.POISON, Alarm.VANISHED, Alarm.GHOST)
    alerts.close_for(db, f"[{slip_id:d}]", kinds, stamp(now), who)


def _set(db: sqlite3.Connection, slip_id: int, state: State, reason: str, now: datetime) -> None:
    db.execute(
        "UPDATE versions SET state = ?, reason = ?, changed_at = ?, urgency = NULL, send_at = NULL, read_at = NULL"
        " WHERE slip_id = ? AND newest = 1",
        (state.value, reason, stamp(now), slip_id),
    )


def _watch(db: sqlite3.Connection, slip_id: int, now: datetime) -> bool:
    """Have a slip that is held read back where something of it may be at GSS; whether that is so."""
    return bool(
        db.execute(
            "UPDATE versions AS v SET read_at = ? WHERE v.slip_id = ? AND v.newest = 1 AND "  # noqa: S608
            + reached.SLIP_MAY_BE_THERE,
            (stamp(now), slip_id),
        ).rowcount
    )


def _write_down(db: sqlite3.Connection, who: str, what: str, slip_id: int, reason: str, now: datetime) -> None:
    db.execute(
        "INSERT INTO actions (at, who, what, slip_id, reason) VALUES (?, ?, ?, ?, ?)",
        (stamp(now), who, what, slip_id, reason),
    )

"""Two orders that want one packing slip number (failures.md T6): neither is sent while a person can still choose."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Final

from connector.ledger import alerts, reached
from connector.ledger.machine import Alarm

_FIRST: Final = "another order wants the same packing slip number"
"""How the reason begins why the order that had the number first is held."""


def found(
    db: sqlite3.Connection, destination: str, wanted: Mapping[str, list[int]], names: Mapping[object, object], now: str
) -> dict[int, str]:
    """Of new slips those whose number another order wants too: slip id -> whose. The others are held, if they may be.

    wanted  clash key -> the new slips that want it; names  slip id -> the number people call its order by
    """
    others = db.execute(
        "SELECT clash_key, number_key, id, order_number, store FROM slips"
        " WHERE destination = ? AND clash_key IN (SELECT value FROM json_each(?))",
        (destination, json.dumps(list(wanted))),
    ).fetchall()
    whose: dict[int, str] = {}
    for clash, key, slip_id, order_number, store in others:
        mine = [own for own in wanted[clash] if own != slip_id]
        for own in mine:
            whose[own] = f"Order {order_number} of store {store}"
        if mine:
            _hold_first(db, slip_id, store, key, now)
    for own_ids in wanted.values():
        if len(own_ids) > 1:
            for own in own_ids:
                other = next(one for one in own_ids if one != own)
                whose.setdefault(own, f"Order {names.get(other, 'read before')}")
    return whose


def hold(db: sqlite3.Connection, store: str, whose: Mapping[int, str], now: str) -> None:
    """Hold a store's new slips that clash, once they are written."""
    for slip_id, other in whose.items():
        reason = (
            f"{other} wants the same packing slip number (zeros in front make no difference). Give this store"
            " another prefix or number template in [slip], or rename one of the orders."
        )
        db.execute(
            "UPDATE versions SET state = 'held', reason = ?, urgency = NULL, send_at = NULL"
            " WHERE slip_id = ? AND newest = 1 AND state = 'owed'",
            (reason, slip_id),
        )
        alerts.open_alert(db, store, slip_id, Alarm.HELD.value, reason, now)


def _hold_first(db: sqlite3.Connection, slip_id: int, store: str, key: str, now: str) -> None:
    """The order that had the number first is held too, unless it was sent already: then it is too late to choose."""
    reason = f"{_FIRST} ({key}). Give one of them another number."
    changed = db.execute(
        "UPDATE versions AS v SET state = 'held', reason = ?, urgency = NULL, send_at = NULL, changed_at = ?"  # noqa: S608
        " WHERE v.slip_id = ? AND v.newest = 1 AND v.state = 'owed' AND NOT " + reached.SLIP_MAY_BE_THERE,
        (reason, now, slip_id),
    ).rowcount
    if changed:
        alerts.open_alert(db, store, slip_id, Alarm.HELD.value, f"slip {key}: {reason}", now)


def free_first_holders(db: sqlite3.Connection, now: str) -> None:
    """Let orders go that had their number first and were held for it, and whose number no other wants any more."""
    freed = db.execute(
        "UPDATE versions AS v INDEXED BY versions_waiting SET state = 'owed', reason = '', changed_at = ?1,"
        " send_at = ?1, urgency = iif(seq > 1, 1, 2) WHERE v.newest = 1"
        " AND (v.state = 'held' OR v.state = 'refused' OR v.state = 'late') AND v.state = 'held'"
        " AND substr(v.reason, 1, ?2) = ?3 AND NOT EXISTS (SELECT 1 FROM slips s JOIN slips o"
        " ON o.destination = s.destination AND o.clash_key = s.clash_key AND o.id != s.id"
        " JOIN versions w ON w.slip_id = o.id AND w.newest = 1 WHERE s.id = v.slip_id AND w.op = 'put')"
        " RETURNING slip_id",
        (now, len(_FIRST), _FIRST),
    ).fetchall()
    if freed:
        ids = json.dumps([row[0] for row in freed])
        alerts.close_for(db, ids, (Alarm.HELD,), now, "no other order wants its number")

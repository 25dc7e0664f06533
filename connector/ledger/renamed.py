"""An order that another store has already: a store under a new name must not send its shop's orders once more.

The number of a slip may have the store's name in it, or its prefix; so it is the order itself that tells.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from connector.ledger import alerts
from connector.ledger.known import Key, of_orders
from connector.ledger.machine import Alarm

ANOTHER_HAS_IT: Final = "another store has this very order"
"""How the reason begins. No change in the shop lets such an order go: only a person can."""


def found(db: sqlite3.Connection, store: str, begun: Mapping[Key, tuple[int, bytes]]) -> dict[int, str]:
    """Of new slips those whose order another store of the same account has a slip of, by the same id and saying the
    very same: slip id -> why it is held. What that store withdrew is nobody's.

    begun  order and part -> the new slip, and the hash of what the shop said. Two shops that count alike share ids, but
           no order with its address, goods and time (connector.order.content_hash).
    """
    rows = of_orders(
        db,
        "SELECT s.order_id, s.part, s.content, s.store, coalesce('slip ' || s.number, 'order ' || s.order_number)"
        " FROM stores here CROSS JOIN stores other CROSS JOIN slips s CROSS JOIN versions v"  # in this order
        " WHERE here.store = ? AND other.destination = here.destination AND other.store <> here.store"
        " AND s.store = other.store AND v.slip_id = s.id AND v.newest = 1 AND v.state <> 'withdrawn'"
        " AND s.order_id IN ",
        store,
        list({order_id for order_id, _ in begun}),
    )
    return {
        begun[order_id, part][0]: _reason(store, other, name)
        for order_id, part, content, other, name in rows
        if (order_id, part) in begun and begun[order_id, part][1] == content
    }


def _reason(store: str, other: str, name: str) -> str:
    return (
        f"{ANOTHER_HAS_IT}: {other}, as {name}. If {store} is {other} under a new name, give its file the old name"
        " back. If the order must go out once more, release it."
    )


def hold(db: sqlite3.Connection, store: str, same: Mapping[int, str], now: str) -> None:
    """Hold new slips of such orders, once they are written."""
    db.executemany(
        "UPDATE versions SET state = 'held', reason = ?, urgency = NULL, send_at = NULL WHERE slip_id = ?",
        [(reason, slip_id) for slip_id, reason in same.items()],
    )
    for slip_id, reason in same.items():
        alerts.open_alert(db, store, slip_id, Alarm.HELD.value, reason, now)

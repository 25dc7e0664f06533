"""The fence: nothing is sent from a ledger that may not know what was sent since. Knows no shop, no GSS and no file.

It is raised when a ledger was restored, was put back by hand, came from another machine, or was begun anew in the place
of one that is lost (failures.md K6, K7, K8). It stands for each store until the store's shop was read to its end and
swept, and GSS was asked about every slip that is not over; where another machine may be sending, a person must say
first that it is not. `connector.ledger.outbox` claims nothing behind it: the rule is part of the claim itself.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

import msgspec

from connector.ledger.times import stamp

STANDS: Final = (
    "EXISTS (SELECT 1 FROM house h LEFT JOIN passes p ON p.store = ?1 WHERE h.fence > coalesce(p.passed, 0))"
)
"""Whether a store, the first parameter, may not send."""

PERSON: Final = (
    "Nothing is sent until a person has made sure that no other machine sends, and says so: "
    "connector ledger lift-fence --reason '...'"
)
SYNC: Final = "The next sync reads the shop, asks GoSweetSpot, and lets them pass."
"""What leads a store through: a person's word first where one must be given, then a sync."""


class Fence(msgspec.Struct, frozen=True):
    """The fence as it was raised last. number  0 where it never was; asks  a person must lift it first; adopts  the
    ledger was begun in the place of a lost one (whether a store is still to be adopted: `adopts`)."""

    number: int
    raised_at: str
    why: str
    asks: bool
    adopts: bool


def fence_of(db: sqlite3.Connection) -> Fence:
    """The fence, whichever stores have passed it."""
    row = db.execute("SELECT fence, coalesce(raised_at, ''), why, asks, adopts FROM house").fetchone()
    return Fence(row[0], row[1], row[2], bool(row[3]), bool(row[4]))


def stands(db: sqlite3.Connection, store: str) -> bool:
    """Whether nothing may be sent for this store."""
    return bool(db.execute("SELECT " + STANDS, (store,)).fetchone()[0])


def leads_through(db: sqlite3.Connection, store: str) -> str:
    """What must happen before anything is sent for this store, a sentence; "" where the fence doesn't stand for it."""
    if not stands(db, store):
        return ""
    return PERSON if fence_of(db).asks else SYNC


def adopts(db: sqlite3.Connection, store: str) -> bool:
    """Whether the store passes by taking what GSS has as known: the ledger began with nothing, and this store has
    passed no fence since, however often it was raised."""
    row = db.execute(
        "SELECT adopts AND NOT EXISTS (SELECT 1 FROM passes WHERE store = ? AND passed > 0) FROM house", (store,)
    ).fetchone()
    return bool(row[0])


def raise_fence(db: sqlite3.Connection, why: str, now: datetime, *, asks: bool = False, adopts: bool = False) -> None:
    """Fence all stores off, those not known yet too. A person's word stays due until it is given, an adoption of each
    store until that has passed."""
    if adopts:
        db.execute("DELETE FROM passes")  # with nothing in the ledger, say
    db.execute(
        "UPDATE house SET fence = fence + 1, epoch = lower(hex(randomblob(16))), raised_at = ?, why = ?,"
        " asks = max(asks, ?), adopts = max(adopts, ?)",
        (stamp(now), why, int(asks), int(adopts)),
    )


def confirm(db: sqlite3.Connection, who: str, reason: str, now: datetime) -> bool:
    """A person says that no other machine sends. False: nobody asked. The stores still find their own way."""
    if not db.execute("UPDATE house SET asks = 0 WHERE asks = 1").rowcount:
        return False
    db.execute(
        "INSERT INTO actions (at, who, what, reason) VALUES (?, ?, 'lift the fence', ?)", (stamp(now), who, reason)
    )
    return True


def was_polled(db: sqlite3.Connection, store: str) -> bool:
    """Whether the store's shop was read and swept since the fence was raised."""
    row = db.execute("SELECT 1 FROM passes p JOIN house h ON p.polled = h.fence WHERE p.store = ?", (store,)).fetchone()
    return row is not None


def note_polled(db: sqlite3.Connection, store: str) -> None:
    """The store's shop was read to its end, and swept where it can be."""
    db.execute(
        "INSERT INTO passes (store, polled) SELECT ?, fence FROM house WHERE true"
        " ON CONFLICT (store) DO UPDATE SET polled = excluded.polled",
        (store,),
    )


class AskedUpTo(msgspec.Struct, frozen=True):
    """How far GSS was asked about a store behind this fence: its slips up to slip_id, then the orders that got none, up
    to order_id and part."""

    slip_id: int = 0
    order_id: str = ""
    part: str = ""


def asked_up_to(db: sqlite3.Connection, store: str) -> AskedUpTo:
    """Where the comparison goes on that an earlier run began; at its beginning behind a fence raised since."""
    row = db.execute(
        "SELECT p.slip_id, p.order_id, p.part FROM passes p JOIN house h ON p.asked = h.fence WHERE p.store = ?",
        (store,),
    ).fetchone()
    return AskedUpTo(*row) if row else AskedUpTo()


def note_asked(db: sqlite3.Connection, store: str, asked: AskedUpTo) -> None:
    """Remember how far GSS was asked, in the transaction that made of its answer what it says."""
    db.execute(
        "INSERT INTO passes (store, asked, slip_id, order_id, part) SELECT ?, fence, ?, ?, ? FROM house WHERE true"
        " ON CONFLICT (store) DO UPDATE SET asked = excluded.asked, slip_id = excluded.slip_id,"
        " order_id = excluded.order_id, part = excluded.part",
        (store, asked.slip_id, asked.order_id, asked.part),
    )


def let_pass(db: sqlite3.Connection, store: str) -> None:
    """The store may send again: its shop was read, and GSS was asked about all its slips."""
    db.execute(
        "INSERT INTO passes (store, polled, passed) SELECT ?, fence, fence FROM house WHERE true"
        " ON CONFLICT (store) DO UPDATE SET passed = excluded.passed",
        (store,),
    )

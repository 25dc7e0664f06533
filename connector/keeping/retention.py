"""Removes what has been kept long enough, piece by piece, and never more than a little in one run. Knows no network.

After [keep] retention an order that is over loses its data and keeps its numbers and hashes (connector.ledger.retention
says what that is). What isn't over is never touched, however old.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.keeping import clock
from connector.ledger import retention
from connector.ledger.connection import Ledger
from connector.ledger.times import moment

PIECE: Final = 200
"""Rows removed in one transaction: a hold of the ledger no sync would notice."""
MOST_PER_RUN: Final = 0.05
"""Of a store's slips. A store in balance loses about a hundredth a day; more at once is a first run, or a wrong
clock, which then does little harm before somebody sees it (failures.md R4)."""
LEAST_PER_RUN: Final = PIECE
"""However few the store has."""
MOST_TO_VACUUM: Final = 256 << 20
"""Bytes. SQLite builds the new file in memory here (temp_store), lest addresses lie in a folder for all."""


class Pruned(msgspec.Struct, frozen=True):
    """What was removed from one store: slips closed, older versions and orders passed over stripped, alerts and runs
    removed. note: why it was less than might have been, "" for all."""

    store: str
    slips: int = 0
    versions: int = 0
    passed_over: int = 0
    alerts: int = 0
    runs: int = 0
    note: str = ""


Wipe = Callable[[str, Sequence[str]], bool]
"""Takes out what a store's deliveries say of these orders (numbers and ids). False: it can't be done now."""


def prune(
    ledger: Ledger,
    store: str,
    kept_for: timedelta,
    now: datetime,
    told: datetime | None,
    piece: int = PIECE,
    wipe: Wipe = lambda _store, _orders: True,
) -> Pruned:
    """Remove what is over and older than `kept_for`. told: the time by a server (connector.keeping.clock).

    Safe to be killed anywhere: each piece is whole. Raises LedgerError.
    """
    erased = erase_what_is_over(ledger, store, now, piece, wipe)
    last = retention.last_stamp(ledger.db)
    doubt = clock.doubt(now, told, moment(last) if last else None)
    if doubt:
        return Pruned(store, erased, note=doubt)
    before = now - kept_for
    most = max(int(retention.slips_open(ledger.db, store) * MOST_PER_RUN), LEAST_PER_RUN)
    closed = _close(ledger, store, before, most, now, piece)
    note = "the rest waits for the next time" if retention.slips_over(ledger.db, store, before, 1) else ""
    with ledger.writing() as db:
        retention.forget_set_aside(db, before, piece)
    return Pruned(
        store,
        erased + closed,
        _in_pieces(lambda: _piece(ledger, retention.forget_history, store, before, piece), most),
        _in_pieces(lambda: _piece(ledger, retention.forget_passed_over, store, before, piece), most),
        _in_pieces(lambda: _piece(ledger, retention.forget_alerts, store, before, piece), most),
        _in_pieces(lambda: _piece(ledger, retention.forget_runs, store, before, piece), most * 10),
        note,
    )


def erase_what_is_over(
    ledger: Ledger, store: str, now: datetime, piece: int = PIECE, wipe: Wipe = lambda _store, _orders: True
) -> int:
    """Close the slips whose data somebody asked to be erased, now that they are over, whatever their age (R6). Their
    deliveries go first: a kill in between has both done again."""
    waiting = retention.slips_to_erase(ledger.db, store)
    if not waiting or not wipe(store, [name for _, number, order_id in waiting for name in (number, order_id)]):
        return 0
    for first in range(0, len(waiting), piece):
        with ledger.writing() as db:
            retention.close(db, [slip_id for slip_id, *_ in waiting[first : first + piece]], now)
    return len(waiting)


def _close(ledger: Ledger, store: str, before: datetime, most: int, now: datetime, piece: int) -> int:
    def one_piece() -> int:
        with ledger.writing() as db:
            found = retention.slips_over(db, store, before, piece)
            retention.close(db, found, now)
            return len(found)

    return _in_pieces(one_piece, most)


_Forget = Callable[..., int]


def _piece(ledger: Ledger, forget: _Forget, store: str, before: datetime, piece: int) -> int:
    with ledger.writing() as db:
        return forget(db, store, before, piece)


def _in_pieces(one_piece: Callable[[], int], most: int) -> int:
    removed = 0
    while removed < most and (found := one_piece()):
        removed += found
    return removed


def give_back_space(ledger: Ledger, free: Callable[[str], int] | None = None) -> str:
    """Make the file smaller where a quarter of it is empty. A sentence on why not, "" where it was done or needless.

    free: bytes free on the disk of a folder. VACUUM needs the file's size twice over (failures.md R7). Empty pages hold
    nothing: secure_delete has overwritten them. In WAL mode the log is emptied too.
    """
    pages, size, empty = (_pragma(ledger, name) for name in ("page_count", "page_size", "freelist_count"))
    if ledger.path is None or empty * 4 < pages:
        return ""
    if pages * size > MOST_TO_VACUUM:
        return "the ledger is large, so its empty space was not given back to the disk"
    left = (free or (lambda folder: shutil.disk_usage(folder).free))(str(ledger.path.parent))
    if left < 2 * pages * size:
        return "the disk has too little space to make the ledger smaller; nothing is wrong with it"
    ledger.vacuum()
    return ""


def _pragma(ledger: Ledger, name: str) -> int:
    return int(ledger.db.execute(f"PRAGMA {name}").fetchone()[0])

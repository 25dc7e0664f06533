"""A page of a shop, taken into the ledger: orders, versions and the cursor together, or nothing. Reads no shop."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from connector.consider import (
    DOUBTED_CONTENT,
    Considered,
    Rules,
    consider,
    consider_gone,
    consider_identified,
    consider_not_shown,
)
from connector.ledger import alerts, intake
from connector.ledger.connection import Ledger
from connector.ledger.intake import Change, Kind
from connector.ledger.known import Key, Known, PassedOver, held_under_numbers, orders_passed_over, slips_known
from connector.ledger.machine import Accept
from connector.ledger.times import stamp
from connector.order import Order, content_hash
from connector.report import Report
from connector.sender import Terms
from connector.shipments import settled
from connector.sources.base import Page

if TYPE_CHECKING:
    import sqlite3

CONTRADICTION: Final = (
    "The shop shows this order twice with different contents. Correct it in the shop, then export again."
)
LONG_AGO: Final = timedelta(minutes=30)
"""An order changed before this, and new to us in a sweep, was missed: an overlap of 10 minutes, and two clocks that are
10 minutes apart, are past by then."""
WENT_BACK: Final = (
    "order {number}: the shop's change date went back, from {before} to {after}. What the shop shows now was taken. "
    "If it was restored from a backup, look at the orders of that time."
)


class Reading(msgspec.Struct, frozen=True):
    """What a page's orders are worth, by how they were read.

    decides    each order was asked for by its id just now: it is the shop's last word, whatever the change dates say
    may_doubt  an order whose change date says too little can be asked for again, so it is left out and returned
    is_sweep   the page is a sweep's
    """

    decides: bool = False
    may_doubt: bool = False
    is_sweep: bool = False


EXPORT: Final = Reading()
BY_ID: Final = Reading(decides=True)


class Doubt(Exception):
    """Orders of this page must be asked for by their id before it can be recorded; nothing was."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(f"{len(ids)} orders")
        self.ids = ids


def record_page(
    rules: Rules,
    terms: Terms,
    page: Page,
    ledger: Ledger,
    report: Report,
    now: datetime,
    reading: Reading = EXPORT,
) -> None:
    """Take a page into the ledger in one transaction. Raises Doubt where `may_doubt`, and LedgerError.

    The cursor is kept but for sweeps and orders asked for by id, which have none.
    """
    counted = Report(rules.store)
    with ledger.writing() as db:
        shown = settled(db, terms.store, page.orders)
        orders, contradictory = _newest_of_each(shown, hold=not reading.may_doubt)
        recorder = _Recorder(db, rules, terms, now, reading, counted, doubtful=contradictory)
        recorder.take(orders, page.gone)
        if recorder.doubtful:
            raise Doubt(sorted(recorder.doubtful))
        recorder.write()
        for text in page.alerts:
            alerts.open_alert(db, terms.store, None, alerts.INPUT, text, stamp(now))
        if not (reading.is_sweep or reading.decides):
            intake.keep_cursor(db, terms.store, page.cursor, now)
    _add(report, counted)
    report.read += len(page.orders)
    report.stale += len(page.orders) - len(orders)
    if page.total:
        report.scanned, report.total = page.scanned, page.total
    report.notes.extend(page.notes)
    report.alerts.extend(page.alerts)


class _Recorder:
    """Considers each order of a page and collects what the ledger is told."""

    def __init__(
        self,
        db: sqlite3.Connection,
        rules: Rules,
        terms: Terms,
        now: datetime,
        reading: Reading,
        report: Report,
        doubtful: set[str],
    ) -> None:
        self.doubtful = doubtful
        self._db = db
        self._rules = rules
        self._terms = terms
        self._now = now
        self._reading = reading
        self._report = report
        self._changes: list[tuple[Change, Known | None, bool]] = []
        self._same: list[tuple[str, str, str, str, str]] = []
        self._went_back: list[tuple[Order, Known]] = []

    def take(self, orders: list[Order], gone: tuple[str, ...]) -> None:
        ids = [*(order.id for order in orders), *gone]
        known = slips_known(self._db, self._terms.store, ids) if ids else {}
        passed = orders_passed_over(self._db, self._terms.store, ids) if ids else {}
        for order in orders:
            self._order(order, known.get((order.id, order.part)), passed.get((order.id, order.part)))
        if self._reading.decides or self._reading.may_doubt:  # a shop that can be asked shows an order whole
            self._not_shown(orders, known)
        if gone:
            self._gone(set(gone), known, passed)
        self._identified({order.number for order in orders if order.id != order.number and not order.doubtful})

    def _order(self, order: Order, before: Known | None, over: PassedOver | None) -> None:
        considered = consider(order, before, over, self._rules, self._now, decides=self._reading.decides)
        word = considered.accept
        if self._reading.may_doubt and (word is Accept.TIE or word is Accept.STALE):
            self.doubtful.add(order.id)
            return
        _count(self._report, considered, before, over)
        if considered.change is not None:
            self._changes.append((considered.change, before, over is not None))
            if before is not None and considered.change.revision < before.revision:
                self._went_back.append((order, before))
            if self._reading.is_sweep and (word is Accept.NEW or word is Accept.NEWER):
                self._report.missed += _was_long_ago(order, self._now)
        elif word is Accept.SAME:
            self._same.append((order.revision, order.origin, self._terms.store, order.id, order.part))

    def _not_shown(self, orders: list[Order], known: dict[Key, Known]) -> None:
        keys = {(order.id, order.part) for order in orders}
        for order_id, part in (key for key in known if key not in keys):
            before = known[order_id, part]
            shown = [order for order in orders if order.id == order_id]
            change = consider_not_shown(shown, part, before, self._rules, self._now) if shown else None
            if change is not None and self._reading.may_doubt:
                self.doubtful.add(order_id)
            elif change is not None:
                _count(self._report, Considered(Accept.NEWER, change), before, None)
                self._changes.append((change, before, False))

    def _gone(self, ids: set[str], known: dict[Key, Known], passed: dict[Key, PassedOver]) -> None:
        for of_what in (known, passed):
            for (order_id, part), before in of_what.items():
                if order_id in ids and (change := consider_gone(order_id, part, before)) is not None:
                    slip = before if isinstance(before, Known) else None
                    self._changes.append((change, slip, slip is None))
                    self._report.gone += 1

    def _identified(self, numbers: set[str]) -> None:
        """An order held under its number, since its id could not be read, is known by its id from now on."""
        held = held_under_numbers(self._db, self._terms.store, DOUBTED_CONTENT) if numbers else []
        for before in slips_known(self._db, self._terms.store, [one for one in held if one in numbers]).values():
            self._changes.append((consider_identified(before), before, False))

    def write(self) -> None:
        db, terms, now = self._db, self._terms, self._now
        intake.record(db, terms.store, terms.destination, self._changes, now, terms.ghost_window)
        intake.note_same(db, self._same)
        for order, before in self._went_back:
            text = WENT_BACK.format(number=order.number, before=before.revision, after=order.revision)
            alerts.open_alert(db, terms.store, before.slip_id, "went back", text, stamp(now))


def _was_long_ago(order: Order, now: datetime) -> bool:
    """By the shop's change date; one that is no time (an export's place in a sequence) is not."""
    return order.revision[:1].isdigit() and order.revision < stamp(now - LONG_AGO)


def _add(report: Report, counted: Report) -> None:
    for name in ("new", "changed", "held", "waiting", "skipped", "withdrawn", "unchanged", "stale", "missed", "gone"):
        setattr(report, name, getattr(report, name) + getattr(counted, name))


def _newest_of_each(orders: tuple[Order, ...], *, hold: bool) -> tuple[list[Order], set[str]]:
    """A page may show an order twice: the newest revision counts, and a repeat of it is dropped.

    Two contents under one revision are a contradiction: neither is chosen by luck, the order is held (failures.md C14)
    or, where the shop can be asked, its id returned.
    """
    newest: dict[Key, Order] = {}
    contradictory: set[str] = set()
    for order in orders:
        key = (order.id, order.part)
        other = newest.get(key)
        if other is None or other.revision < order.revision:
            newest[key] = order
        elif other.revision == order.revision and content_hash(other) != content_hash(order):
            if hold:
                newest[key] = msgspec.structs.replace(other, problems=(*other.problems, CONTRADICTION), doubtful=True)
            else:
                contradictory.add(order.id)
    return list(newest.values()), contradictory


_COUNTED = {
    Kind.SHIP: "new",
    Kind.HELD: "held",
    Kind.DOUBT: "held",
    Kind.WAIT: "waiting",
    Kind.SKIP: "skipped",
    Kind.WITHDRAW: "withdrawn",
}


def _count(report: Report, considered: Considered, before: Known | None, over: PassedOver | None) -> None:
    change = considered.change
    if considered.accept is Accept.STALE:
        name = "stale"
    elif change is None:
        name = "unchanged"
    elif change.kind is Kind.SHIP and considered.accept is not Accept.NEW and over is None:
        name = "changed"
    elif change.kind is Kind.WITHDRAW and before is None:
        name = "skipped"  # it never had a slip to be taken back
    else:
        name = _COUNTED[change.kind]
    setattr(report, name, getattr(report, name) + 1)

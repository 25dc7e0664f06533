"""Reads a store's shop: what is new since the cursor, what leaves a doubt, and once a day every open order.

Each page is in the ledger before the next one is read, and whatever is owed by then goes out meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

import msgspec

from connector.consider import Rules
from connector.ledger import alerts, fence, intake, sweeps
from connector.ledger.connection import Ledger
from connector.ledger.times import stamp
from connector.record import BY_ID, Doubt, Reading, record_page
from connector.report import Hooks, Report
from connector.sender import Terms
from connector.sources.base import LiveSource, Malformed, Page, Source, SourceError, Throttled, only_tells

AT_ONCE: Final = 100
"""Orders asked for by their id in one call to a shop."""
MOST_WAITED_OUT: Final = 100
"""Orders whose time has come that one run asks for again; the rest comes with the next."""

POLL_AMID: Final = timedelta(minutes=2)
"""How long a sweep goes on until the shop is polled in the midst of it."""

DOWN: Final = "shop"
THROTTLES: Final = "shop throttles"
"""Kinds of alerts: the shop can't be read and a person may have to act; it asks for patience."""


class Visit(msgspec.Struct, frozen=True):
    """How a shop is read in this run.

    from_the_start  whatever the cursor says: what is known already is recognised, never doubled
    sweep_every     how long after a sweep over the open orders the next one is due; 0 is now
    """

    from_the_start: bool = False
    sweep_every: timedelta = timedelta(hours=24)


USUAL: Final = Visit()


@dataclass(frozen=True)
class Fetch:
    """One store's shop, read once. The caller holds the store's lock. between: called after each page."""

    rules: Rules
    terms: Terms
    source: Source
    ledger: Ledger
    report: Report
    hooks: Hooks
    visit: Visit = USUAL
    between: Callable[[], object] = lambda: None

    def run(self) -> None:
        """Read the shop to its end. A SourceError ends up in the report and in an alert. Raises LedgerError."""
        try:
            was_read = self._pages()
            if isinstance(self.source, LiveSource):
                was_read = was_read and self._ask_whose_time_has_come(self.source) and self._sweep_if_due(self.source)
            if was_read:
                self._note_that_it_was_read()
        except SourceError as err:
            note_trouble(err, self.report, self.ledger, self.hooks)

    def _note_that_it_was_read(self) -> None:
        """Nothing is written, and so nothing synced, where no alert is open and no fence stands."""
        with self.ledger.writing() as db:
            if fence.stands(db, self.terms.store) and not only_tells(self.source):  # that one was read by hearing it
                fence.note_polled(db, self.terms.store)
            for kind in (DOWN, THROTTLES):
                alerts.close_kind(db, self.terms.store, kind, stamp(self.hooks.now()), "the shop was read again")

    def _pages(self) -> bool:
        """Everything since the cursor. False: we are to stop."""
        kept = intake.cursor_of(self.ledger.db, self.terms.store)
        if not self._read_since("" if self.visit.from_the_start else kept):
            return False
        if not kept and isinstance(self.source, LiveSource):  # it was read whole, and nothing known before can be gone
            self._note_sweep()
        return True

    def _read_since(self, cursor: str) -> bool:
        reading = Reading(may_doubt=isinstance(self.source, LiveSource))
        return all(self._take(page, reading) for page in guarded(self.source.kind, lambda: self.source.pages(cursor)))

    def _take(self, page: Page, reading: Reading) -> bool:
        """Record a page, and ask first about the orders in it that leave a doubt: change dates are hints (platforms.md
        7), the order itself is not. False: we are to stop."""
        try:
            self._record(page, reading)
        except Doubt as doubt:
            assert isinstance(self.source, LiveSource), "only who can ask may doubt"
            if not self._reread(self.source, doubt.ids):
                return False  # the page comes again: with its cursor kept, its other doubts would be lost
            self._record(without(page, doubt.ids), reading)
        self.hooks.progress(self.report)
        if self.hooks.stopping():
            return False
        self.between()
        return True

    def _record(self, page: Page, reading: Reading) -> None:
        record_page(self.rules, self.terms, page, self.ledger, self.report, self.hooks.now(), reading)

    def _reread(self, source: LiveSource, ids: list[str]) -> bool:
        """False: we are to stop."""
        return all(self._take(page, BY_ID) for page in by_id(source, ids))

    def _ask_whose_time_has_come(self, source: LiveSource) -> bool:
        """Orders passed over until a time that has come: the shop's change date does not move for it. False: we are to
        stop."""
        due = sweeps.waited_out(self.ledger.db, self.terms.store, self.hooks.now(), MOST_WAITED_OUT)
        return self._reread(source, due)

    def _sweep_if_due(self, source: LiveSource) -> bool:
        """False: we are to stop. Behind the fence it is always due.

        What is open at GSS comes first: a list of thousands of orders may never come to its end in one run, and these
        are the orders that a parcel hangs on.
        """
        db, store = self.ledger.db, self.terms.store
        if not (
            sweeps.is_due(db, store, self.hooks.now(), self.visit.sweep_every)
            or (fence.stands(db, store) and not fence.was_polled(db, store))
        ):
            return True
        if not all(step() for step in self._with_polls(self._steps_of_a_sweep(source))):
            return False
        self._note_sweep()
        return True

    def _steps_of_a_sweep(self, source: LiveSource) -> Iterator[Callable[[], bool]]:
        for ids in self._open_orders():
            yield partial(self._reread, source, ids)
        reading = Reading(may_doubt=True, is_sweep=True)
        for page in guarded(source.kind, source.sweep):
            yield partial(self._take, page, reading)

    def _with_polls(self, steps: Iterator[Callable[[], bool]]) -> Iterator[Callable[[], bool]]:
        """The steps, with a poll among them whenever they took long: no new order waits for a sweep's end."""
        polled_at = self.hooks.now()
        for step in steps:
            yield step
            if abs(self.hooks.now() - polled_at) >= POLL_AMID:
                yield lambda: self._read_since(intake.cursor_of(self.ledger.db, self.terms.store))
                polled_at = self.hooks.now()

    def _open_orders(self) -> Iterator[list[str]]:
        after = 0
        while True:
            ids, after = sweeps.open_orders(self.ledger.db, self.terms.store, after, AT_ONCE)
            if not ids:
                return
            yield ids

    def _note_sweep(self) -> None:
        with self.ledger.writing() as db:
            sweeps.note(db, self.terms.store, self.hooks.now())


def note_trouble(err: SourceError, report: Report, ledger: Ledger, hooks: Hooks) -> None:
    """A shop could not be read: into the report, and into an alert."""
    report.problem = str(err)
    kind = DOWN
    if isinstance(err, Throttled):
        kind, report.shop_until = THROTTLES, err.until
    with ledger.writing() as db:
        alerts.open_alert(db, report.store, None, kind, str(err), stamp(hooks.now()))


def by_id(source: LiveSource, ids: list[str]) -> Iterator[Page]:
    """The orders of these ids as the shop shows them now. Raises SourceError."""
    for first in range(0, len(ids), AT_ONCE):
        yield from guarded(source.kind, partial(source.reread, ids[first : first + AT_ONCE]))


def without(page: Page, ids: list[str]) -> Page:
    """A page without the orders of these ids."""
    left_out = frozenset(ids)
    return msgspec.structs.replace(page, orders=tuple(order for order in page.orders if order.id not in left_out))


def guarded(kind: str, pages: Callable[[], Iterable[Page]]) -> Iterator[Page]:
    """A source's pages; an error that is none of the contract's is one more reason why the shop can't be read, and
    keeps nothing that is owed from being sent."""
    try:
        yield from pages()
    except SourceError:
        raise
    except Exception as err:
        raise Malformed(
            f"the shop could not be read further: the {kind} source met something it does not know "
            f"({type(err).__name__}). What was read before is kept. Please report it."
        ) from err

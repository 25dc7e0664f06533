"""What a store's shop told by itself, taken into the ledger: lot by lot, read again where a delivery is only a hint.

A delivery is done with once the ledger has what it told: after a kill in between it is heard again, to no effect
(failures.md I9). Of a shop that can't be asked, deliveries are all there is: behind the fence those that are kept are
heard once more, for the ledger may be older than they are (K6). Knows no shop's bodies, no signatures and no GSS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from connector.consider import Rules
from connector.fetch import guarded, note_trouble
from connector.inbox.delivery import State
from connector.ledger import alerts, fence, hints, intake
from connector.ledger.connection import Ledger
from connector.ledger.times import stamp
from connector.record import BY_ID, EXPORT, Reading, record_page
from connector.report import HOOKS, Hooks, Report
from connector.sender import Terms
from connector.sources.base import HearsDeliveries, Hint, LiveSource, Page, Source, SourceError, only_tells
from connector.sync import know_store

if TYPE_CHECKING:
    from connector.inbox.box import Inbox
    from connector.inbox.delivery import Delivery

LOT: Final = 100
"""Deliveries taken at once: their orders are one call to a shop."""
SOON: Final = timedelta(seconds=10)
"""How soon a slip is read back that somebody gave a hint about: many hints in that time are one look."""

UNUSABLE: Final = "delivery quarantined"
"""Kind of alert: a signed delivery that nothing could be made of. The inbox has an alert of its own of this kind."""
TO_FORGET: Final = "to be forgotten"
"""Kind of alert: an order whose buyer is to be forgotten, and whose parcel has not left."""
SILENT: Final = "to be told again"
"""Kind of alert: nothing is sent for a shop that can't be asked, and of which no delivery is kept."""

DEAF: Final = (
    "A delivery came for this store, but a source of kind {kind} hears none. Remove [inbox] from the store file, and "
    "the webhook in the shop."
)
MUTE: Final = "A delivery names an order, but a source of kind {kind} can't be asked for one. Please report it."
UNKNOWN: Final = "The {kind} source met something in a delivery that it does not know ({error}). Please report it."
LOOK: Final = "Look at it with: connector inbox list quarantined --store {store}"
TELL_AGAIN: Final = (
    "The ledger may not know what this shop told last. The shop can't be asked, and no delivery of it is kept: have it "
    "post its orders again. Until then nothing is sent for it."
)
STILL_NEEDED: Final = (
    "order {number}: the shop asks that its buyer be forgotten, but its parcel has not left. Its data is erased once "
    "it has; to send nothing, cancel the order in the shop."
)


def hear_store(
    rules: Rules,
    terms: Terms,
    source: Source,
    ledger: Ledger,
    inbox: Inbox,
    hooks: Hooks = HOOKS,
    between: Callable[[], object] = lambda: None,
) -> Report:
    """Take all that waits in the inbox for one store into its ledger; behind the fence, and where the shop can't be
    asked, all that is kept. The caller holds the store's lock.

    between: called after each lot. A SourceError ends up in the report and in an alert; the deliveries wait for the
    next call, which is the caller's to put off. Raises LedgerError and InboxError; nothing is lost by either.
    """
    report = Report(rules.store)
    with ledger.writing() as db:
        know_store(db, terms)
    hearing = _Hearing(rules, terms, source, ledger, inbox, hooks, report)
    is_unread = only_tells(source) and _is_unread(ledger, terms.store)
    lots = chain(_looked_at(inbox, terms.store) if is_unread else (), _waiting(inbox, terms.store))
    try:
        if hearing.take_all(lots, between) and is_unread:
            hearing.note_that_it_was_read()
    except SourceError as err:
        note_trouble(err, report, ledger, hooks)
    return report


def _is_unread(ledger: Ledger, store: str) -> bool:
    """Whether the store stands behind a fence, and its shop was not read to its end since."""
    return fence.stands(ledger.db, store) and not fence.was_polled(ledger.db, store)


def _looked_at(inbox: Inbox, store: str) -> Iterator[Sequence[Delivery]]:
    after = 0
    while lot := inbox.looked_at(store, after, LOT):
        yield lot
        after = lot[-1].id


def _waiting(inbox: Inbox, store: str) -> Iterator[Sequence[Delivery]]:
    while lot := inbox.waiting(store, LOT):
        yield lot


def look_again(ledger: Ledger, store: str, numbers: Sequence[str], now: datetime) -> int:
    """Somebody says that something happened to these slips at GSS, and can't prove it (failures.md W30): GSS itself is
    asked about them soon. Moves no state; numbers that are none of the store's change nothing. Returns how many slips
    are looked at sooner. Raises LedgerError."""
    with ledger.writing() as db:
        return hints.read_sooner(db, store, numbers, now + SOON)


@dataclass(frozen=True)
class _Hearing:
    rules: Rules
    terms: Terms
    source: Source
    ledger: Ledger
    inbox: Inbox
    hooks: Hooks
    report: Report

    def take_all(self, lots: Iterable[Sequence[Delivery]], between: Callable[[], object]) -> bool:
        """Lot by lot. False: we are to stop."""
        for lot in lots:
            if self.hooks.stopping() or not self.take(lot):
                return False
            self.hooks.progress(self.report)
            between()
        return True

    def note_that_it_was_read(self) -> None:
        """All that is kept was heard. Where that is nothing, the inbox is not the one that the ledger had."""
        store, at = self.terms.store, stamp(self.hooks.now())
        with self.ledger.writing() as db:
            if self.report.read:
                fence.note_polled(db, store)
                alerts.close_kind(db, store, SILENT, at, "the shop has posted again")
            else:
                alerts.open_alert(db, store, None, SILENT, TELL_AGAIN, at)

    def take(self, lot: Sequence[Delivery]) -> bool:
        """One lot into the ledger; only then the inbox is done with it. False: we are to stop."""
        meant = [(each, self._meaning(each)) for each in lot]
        usable = [hint for _, hint in meant if not hint.fault]
        self._record(Page(_all(usable, "orders"), self._cursor()), EXPORT)
        ids = tuple(dict.fromkeys(_all(usable, "ids")))
        if ids and not self._read_again(ids):
            return False
        asked = frozenset(ids)
        self._record(Page((), "", gone=tuple(one for one in _all(usable, "gone") if one not in asked)), BY_ID)
        self._forget(_all(usable, "redact"))
        for each, hint in meant:
            if hint.fault:
                self._set_aside(each, hint.fault)
        looked_at = [each for each, hint in meant if not hint.fault and each.state is State.WAITING]
        self.inbox.done([each.id for each in looked_at], {each.id: each.times for each in looked_at})
        return True

    def _meaning(self, delivery: Delivery) -> Hint:
        kind = self.source.kind
        if not isinstance(self.source, HearsDeliveries):
            return Hint(fault=DEAF.format(kind=kind))
        try:
            hint = self.source.heard(delivery.topic, delivery.body)
        except Exception as err:  # noqa: BLE001  another's source may break its promise; its shop's others go on
            return Hint(fault=UNKNOWN.format(kind=kind, error=type(err).__name__))
        return Hint(fault=MUTE.format(kind=kind)) if hint.ids and not _can_be_asked(self.source) else hint

    def _read_again(self, ids: Sequence[str]) -> bool:
        """False: we are to stop."""
        assert isinstance(self.source, LiveSource), "who can't be asked has no ids here"
        for page in guarded(self.source.kind, partial(self.source.reread, ids)):
            self._record(page, BY_ID)
            if self.hooks.stopping():
                return False
        return True

    def _cursor(self) -> str:
        """Deliveries move no cursor."""
        return intake.cursor_of(self.ledger.db, self.terms.store)

    def _record(self, page: Page, reading: Reading) -> None:
        if page.orders or page.gone or page.alerts:
            record_page(self.rules, self.terms, page, self.ledger, self.report, self.hooks.now(), reading)

    def _forget(self, order_ids: tuple[str, ...]) -> None:
        """W31: what is over is erased by the next housekeeping; what is not is named to a person."""
        if not order_ids:
            return
        now = self.hooks.now()
        with self.ledger.writing() as db:
            for slip_id, number in hints.ask_to_erase(db, self.terms.store, order_ids, now):
                text = STILL_NEEDED.format(number=number)
                alerts.open_alert(db, self.terms.store, slip_id, TO_FORGET, text, stamp(now))

    def _set_aside(self, delivery: Delivery, why: str) -> None:
        """The alert first: a kill in between repeats both, and neither is doubled."""
        self._alert(UNUSABLE, f"{why} {LOOK.format(store=self.terms.store)}")
        self.report.alerts.append(why)
        self.inbox.quarantine(delivery.id, why)

    def _alert(self, kind: str, text: str) -> None:
        with self.ledger.writing() as db:
            alerts.open_alert(db, self.terms.store, None, kind, text, stamp(self.hooks.now()))


def _can_be_asked(source: object) -> bool:
    return isinstance(source, LiveSource)


def _all(meant: Sequence[Hint], name: str) -> tuple[Any, ...]:
    return tuple(one for hint in meant for one in getattr(hint, name))

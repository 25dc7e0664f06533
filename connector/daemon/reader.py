"""Reader: one store's shop, read on its rhythm and when a delivery says so; one reading at a time. Sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from connector import opening
from connector.daemon.errand import Errand
from connector.daemon.house import House
from connector.hearing import hear_store
from connector.ledger.connection import Ledger
from connector.lock import Busy, StoreLock
from connector.report import Hooks, Report
from connector.sources.base import Source, only_tells
from connector.store import Store
from connector.sync import fetch_store

LONGEST_PAUSE: Final = timedelta(minutes=15)
"""Between two tries at a shop that can't be read (failures.md P1, P4)."""
BUSY_AGAIN: Final = timedelta(seconds=5)
TOLD: Final = ("read", "new", "changed", "held", "waiting", "skipped", "withdrawn", "unchanged", "missed", "gone")


class Want(Enum):
    """What a reading is for: the rhythm came round, or a delivery waits in the inbox."""

    POLL = auto()
    HEAR = auto()


class Reader:
    """poke: called when something may be owed to GSS."""

    def __init__(self, store: Store, house: House, poke: Callable[[], None]) -> None:
        self.store = store
        self.failures = 0
        self._house = house
        self._poke = poke
        self._not_before = 0.0
        self.errand: Errand[Want] = Errand(f"read {store.name}", house.reading, self._read, house.tell_trouble)

    def poll(self) -> None:
        """The rhythm came round. A shop in trouble is left alone until its pause is over."""
        if time.monotonic() >= self._not_before:
            self.errand.want(Want.POLL)

    def hear(self) -> None:
        """A delivery waits. It is wished for again every few seconds, so a shop in trouble can be left alone too."""
        if time.monotonic() >= self._not_before:
            self.errand.want(Want.HEAR)

    def _read(self, wants: frozenset[Want]) -> None:
        store, house = self.store, self._house  # the store as it is now: a reload changes the next reading (G7)
        log = house.log.bind(store=store.name)
        began = time.monotonic()
        try:
            with house.locks.held(store.name) as lock, house.connections.lent() as ledger:
                report = self._once(store, wants, ledger, lock)
                lock.refuse_if_lost()
        except Busy as err:
            log.info("waits", why=str(err))
            self._later(BUSY_AGAIN)
            return
        except Exception as err:  # noqa: BLE001  the other stores have done nothing wrong
            self._after_trouble(None)
            house.tell_trouble(err, store=store.name)
            return
        if report.problem:
            self._after_trouble(report)
            log.warning("shop not read", why=report.problem, failures=self.failures)
        else:
            self.failures = 0
        if report.read:
            log.info("read", ms=round((time.monotonic() - began) * 1000), **_counts(report))
        self._poke()

    def _once(self, store: Store, wants: frozenset[Want], ledger: Ledger, lock: StoreLock) -> Report:
        hooks = self._house.hooks(self.errand.moves, lock.is_ours)
        rules, terms = opening.rules_of(store), opening.terms_of(store, None)
        with opening.source_of(store, hooks.now, hooks.wait) as source:
            is_heard = Want.HEAR in wants or only_tells(source)
            report = self._heard(store, source, ledger, hooks) if is_heard else Report(store.name)
            if Want.POLL in wants and not report.problem:
                report = fetch_store(rules, terms, source, ledger, hooks, opening.visit_of(store), report)
        return report

    def _heard(self, store: Store, source: Source, ledger: Ledger, hooks: Hooks) -> Report:
        rules, terms = opening.rules_of(store), opening.terms_of(store, None)
        return hear_store(rules, terms, source, ledger, self._house.inbox, hooks, self._poke)

    def _after_trouble(self, report: Report | None) -> None:
        """Longer with each failure; as long as the shop asks for where it does."""
        self.failures += 1
        self._house.tallies.failed(self.store.name, "shop")
        every = self.store.schedule.every or timedelta(minutes=2)
        pause = min(every * (1 << min(self.failures - 1, 10)), LONGEST_PAUSE)
        if report and report.shop_until:
            pause = max(min(report.shop_until - self._house.now(), LONGEST_PAUSE), timedelta(seconds=1))
        self._later(pause)

    def _later(self, pause: timedelta) -> None:
        self._not_before = time.monotonic() + pause.total_seconds() - 0.5
        self._house.at(f"read {self.store.name} again", self._house.now() + pause, self.poll)


def _counts(report: Report) -> dict[str, int]:
    return {name: getattr(report, name) for name in TOLD if getattr(report, name)}

"""What /metrics shows of the stores: counted by jobs as they go, and asked of the ledger when somebody looks."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

from connector import opening
from connector.ledger import gates, queries
from connector.ledger.connection import Ledger
from connector.ledger.times import moment, stamp
from connector.secret import SecretError
from connector.web.numbers import Spread, StoreNumbers

if TYPE_CHECKING:
    from connector.daemon.house import House
    from connector.store import Store

BOUNDS: Final = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
"""Seconds from the shop's change to GSS's answer: by webhook one, by poll two minutes, past a dead night a day."""


class Times:
    """How long things took, in a few numbers whatever their count. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum_s = 0.0

    def add(self, seconds: float) -> None:
        with self._lock:
            self._counts[bisect_left(BOUNDS, seconds)] += 1
            self._sum_s += seconds

    def spread(self) -> Spread | None:
        with self._lock:
            counts, total = list(self._counts), self._sum_s
        if not any(counts):
            return None
        up_to, so_far = {}, 0
        for bound, count in zip(BOUNDS, counts, strict=False):
            so_far += count
            up_to[bound] = so_far
        return Spread(up_to, sum(counts), total)


class Tallies:
    """What the jobs count, by store."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures: dict[str, Counter[str]] = {}
        self._times: dict[str, Times] = {}

    def failed(self, store: str, kind: str) -> None:
        with self._lock:
            self._failures.setdefault(store, Counter())[kind] += 1

    def took(self, store: str) -> Times:
        with self._lock:
            return self._times.setdefault(store, Times())

    def failures(self, store: str) -> dict[str, int]:
        with self._lock:
            return dict(self._failures.get(store, {}))


class LedgerNumbers:
    """Numbers of connector.web: asked in a thread of the web's, with a connection of its own."""

    def __init__(self, house: House, stores: dict[str, Store]) -> None:
        self._house = house
        self._stores = stores

    def numbers(self) -> Iterator[StoreNumbers]:
        with self._house.connections.lent() as ledger:
            for store in list(self._stores.values()):
                yield self._of(store, ledger)

    def _of(self, store: Store, ledger: Ledger) -> StoreNumbers:
        now = self._house.now()
        return StoreNumbers(
            store.name,
            slips=queries.states_counted(ledger.db, store.name),
            oldest_owed_s=_age(queries.owed(ledger.db, store.name, stamp(now)).oldest, now),
            shop_to_gss=self._house.tallies.took(store.name).spread(),
            calls_left=_calls_left(store, ledger, now),
            failures=self._house.tallies.failures(store.name),
        )


def _age(since: str, now: datetime) -> float | None:
    return max((now - moment(since)).total_seconds(), 0.0) if since else None


def _calls_left(store: Store, ledger: Ledger, now: datetime) -> dict[str, int]:
    try:
        terms = opening.terms_of(store, store.gosweetspot.access_key.resolve())
    except SecretError:
        return {}
    minute, hour = gates.calls_left(ledger.db, terms.gate, terms.budget, now)
    return {name: left for name, left in (("minute", minute), ("hour", hour)) if left is not None}

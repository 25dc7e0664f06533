"""A shop that lives for days while the real program syncs it, over real HTTP and in virtual time, badly at times.

One seed makes one history: what people do between any two answers of the shop, how many orders come on a page, which
calls fail, when the process dies. GSS is the sandbox.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from connector.consider import Rules
from connector.fetch import Visit
from connector.gosweetspot.answers import Answer
from connector.gosweetspot.destination import Destination
from connector.gosweetspot.records import ReadBack
from connector.late_client import LateClient
from connector.ledger.connection import Ledger, in_memory
from connector.ledger.gates import Budget
from connector.report import Hooks, Report
from connector.sandbox.handle import OperatorError, Sandbox
from connector.selection import SelectRules
from connector.sender import Terms
from connector.slip import SlipRules
from connector.sources.base import LiveSource, Source, SourceContext
from connector.sync import sync_store
from connector.testing import faults as wire
from tests.live import truth
from tests.live.clock import Clock, Killed, OurClock
from tests.live.shops import BusyShopify, opened

PAGE_SIZES: Final = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
OVERLAP: Final = timedelta(minutes=10)
"""Of both sources, where a store file says nothing."""
DAY: Final = timedelta(hours=24)
NEVER: Final = timedelta(days=10_000)
LOST_ITS_PLACE: Final = "no longer takes the cursor"
"""What we say of a shop at Shopify whose page cursors expire time after time in one run: that one is a habit."""
TROUBLES: Final = (
    wire.says(403),
    wire.throttles("60"),
    wire.throttles(),
    wire.page(),
    wire.page(502),
    wire.says(500, b"{}"),
    wire.nothing(),
    wire.hang_up(),
    wire.cut(),
)


class Case(msgspec.Struct, frozen=True):
    """What is played.

    kind     of shop, shops.KINDS; orders  placed in all
    sweeps   once a day, and at the end; else never
    source   in place of the shop's own; overlap_s  where it isn't ten minutes (less than a minute no store file takes)
    clock_off_h  so wrong is our clock; None: by minutes, by lot
    late     share of new orders that lists show only later
    """

    kind: str
    seed: int
    orders: int = 2000
    sweeps: bool = True
    source: type[Source] | None = None
    overlap_s: int | None = None
    clock_off_h: int | None = None
    late: float = 0.02


class Outcome(msgspec.Struct):
    """What came of it.

    missed  orders that sweeps found and no cursor had shown
    unfounded  problems told of a shop that nothing was wrong with
    calls   to the shop; gss_calls  to GSS
    hides_for_hours  some new orders were in no list for longer than the overlap, so that only a sweep can find them
    """

    case: Case
    faults: truth.Faults
    deeds: Counter[str]
    events: Counter[str]
    calls: int
    gss_calls: int
    missed: int
    unfounded: list[str]
    page_size: int
    hides_for_hours: bool
    took_s: float

    def line(self) -> str:
        """One line to print."""
        wrong = ", ".join(f"{count} {name}" for name, count in self.faults.count().items())
        return (
            f"{self.case.kind} seed {self.case.seed}: {self.deeds['place']} orders, pages of {self.page_size}, "
            f"{self.deeds.total()} deeds, {self.events['sync']} syncs, {self.events['killed']} killed, {self.calls} "
            f"calls; {wrong}; found by sweeps only {self.missed}; {self.took_s:.1f} s"
        )


class Watched:
    """The client, and which numbers went out: an operator tickets some of them."""

    def __init__(self, client: LateClient) -> None:
        self.numbers: dict[str, None] = {}
        self.calls = 0
        self._client = client

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        self.calls += 1
        self.numbers.update((number, None) for number, _ in slips)
        return self._client.put(slips)

    def delete(self, numbers: Sequence[str]) -> Answer:
        self.calls += 1
        return self._client.delete(numbers)

    def get(self, numbers: Sequence[str]) -> ReadBack:
        self.calls += 1
        return self._client.get(numbers)


def play(case: Case, gss: Sandbox, folder: Path) -> Outcome:
    """One history, to its end. folder  for secrets named by a relative path; the sandbox is emptied first."""
    began = time.perf_counter()
    gss.reset()
    world = World(case, gss, folder)
    with world.shop, in_memory() as ledger:
        world.live(ledger)
        world.rest(ledger)
        found = truth.faults(world.shop, gss.orders(), world.people.left, ledger)
    world.client.close()
    took_s = time.perf_counter() - began
    return Outcome(
        case,
        found,
        world.people.deeds,
        world.events,
        world.shop.calls,
        world.gss_calls,
        world.missed,
        world.unfounded,
        world.page_size,
        world.people.latest > OVERLAP,
        took_s,
    )


class World:
    """Everything of one history but its ledger."""

    def __init__(self, case: Case, gss: Sandbox, folder: Path) -> None:
        self.chance = random.Random(f"{case.kind} {case.seed}")
        self.case = case
        self.gss = gss
        self.clock = Clock()
        self.shop, self.people, its_source = opened(case.kind, self.chance, self.clock, case.orders)
        self.source_class = case.source or its_source
        self.page_size = self.chance.choice(PAGE_SIZES)
        self.events: Counter[str] = Counter()
        self.missed = 0
        self.unfounded: list[str] = []
        self._is_spoiled = False
        self.client = LateClient(Destination(gss.url, gss.key, timeout_s=10), sends_products=True)
        self._watched = Watched(self.client)
        wrong_by = timedelta(minutes=self.chance.choice((0, 0, 0, -9, 9)))
        if case.clock_off_h is not None:
            wrong_by = timedelta(hours=case.clock_off_h)
        self._ours = OurClock(self.clock, wrong_by)
        self._folder = folder
        self._busy = self.chance.choice((0.1, 0.3, 0.6))
        self._rules = Rules("kiwi", SelectRules(), SlipRules(products=True, delvref=truth.REFERENCE))
        self._terms = Terms("kiwi", gss.url, "key", in_flight=1, budget=Budget(0, 0))
        self.people.late_chance = case.late
        self.people.latest = timedelta(minutes=9) if case.seed % 4 else timedelta(hours=30)

    @property
    def gss_calls(self) -> int:
        return self._watched.calls

    # Days pass

    def live(self, ledger: Ledger) -> None:
        """Until all orders are placed: time passes, people act, and now and then the program runs."""
        self.shop.meanwhile = self._meanwhile
        while self.people.placed < self.case.orders:
            self._pass_time(ledger)
            self._operator()
            self._spoil_something()
            self.sync(ledger, stops_after=self._some_stop())
            self._mend()

    def rest(self, ledger: Ledger) -> None:
        """Nobody acts any more, and nothing fails: a few syncs, one of them with a sweep over all."""
        self.shop.meanwhile = self._only_time
        self.clock.at = max(self.clock.at, self.people.hidden_until) + timedelta(minutes=15)
        for minutes in (0, 6, 70):
            self.clock.at += timedelta(minutes=minutes)
            self.sync(ledger)
        if self.case.sweeps:
            self.sync(ledger, sweep_every=timedelta(0))
        for minutes in (6, 70, 400):
            self.clock.at += timedelta(minutes=minutes)
            self.sync(ledger)
        self._ours.catch_up()
        self.sync(ledger)

    def _pass_time(self, ledger: Ledger) -> None:
        """Minutes, a burst of orders in a few seconds, hours, or days in which the shop can't be reached."""
        luck = self.chance.random()
        if luck < 0.60:
            self._days_go_by(timedelta(minutes=self.chance.randint(1, 12)), self.chance.randint(0, 12))
        elif luck < 0.75:
            self._days_go_by(timedelta(seconds=self.chance.randint(0, 3)), self.chance.randint(30, 150))
        elif luck < 0.96:
            self._days_go_by(timedelta(hours=self.chance.randint(1, 5)), self.chance.randint(20, 120))
        else:
            self._outage(ledger)

    def _days_go_by(self, span: timedelta, deeds: int) -> None:
        """So many deeds over this time, several of them in one second where there is no time for more."""
        for _ in range(deeds):
            self.clock.wait(span.total_seconds() / deeds * self.chance.random() * 2 - 0.5)
            self.people.act()

    def _outage(self, ledger: Ledger) -> None:
        self.events["outage"] += 1
        server = self.shop.server
        assert server is not None
        server.refuse()
        self._is_spoiled = True
        for _ in range(self.chance.randint(1, 4)):
            self._days_go_by(timedelta(hours=self.chance.randint(4, 20)), self.chance.randint(20, 80))
            self.sync(ledger)
        self._mend()

    def _meanwhile(self) -> None:
        """Between two answers of the shop."""
        if self.chance.random() < self._busy:
            for _ in range(self.chance.randint(1, 4)):
                self.people.act()
                self.clock.at += timedelta(seconds=self.chance.choice((0, 0, 0, 1)))
        self._only_time()
        if isinstance(self.shop, BusyShopify) and self.chance.random() < 0.004:
            self.shop.expire_cursors()
        if isinstance(self.shop, BusyShopify) and self.chance.random() < 0.01:
            self.shop.habits.empty_pages = self.chance.randint(1, 3)

    def _only_time(self) -> None:
        self.clock.at += timedelta(seconds=self.chance.choice((0, 0, 1)))
        self.shop.set_clock(self.clock.at)

    def _operator(self) -> None:
        """Labels are printed for some of what went out, the newest rather."""
        numbers = list(self._watched.numbers)[-40:]
        for _ in range(self.chance.choice((0, 0, 1, 3))):
            if numbers:
                try:
                    self.gss.ticket(self.chance.choice(numbers))
                    self.events["ticket"] += 1
                except OperatorError:
                    self.events["no ticket"] += 1  # withdrawn, or ticketed before

    def _spoil_something(self) -> None:
        """A fault of the shop's wire, of GSS, or a death, for the sync to come."""
        server = self.shop.server
        assert server is not None
        if self.chance.random() < 0.15:
            self.events["wire fault"] += 1
            self._is_spoiled = True
            server.fail(self.chance.choice(TROUBLES), self.chance.randint(1, 3), after=self.chance.randint(0, 8))
        if self.chance.random() < 0.08:
            self.events["GSS fault"] += 1
            self.gss.fault(self.chance.choice(("lost", "store_then_timeout")), after=self.chance.randint(0, 2))
        if self.chance.random() < 0.15:
            self._ours.looks_left = self.chance.randint(2, 60)

    def _some_stop(self) -> int | None:
        return self.chance.randint(1, 10) if self.chance.random() < 0.05 else None

    def _mend(self) -> None:
        assert self.shop.server is not None
        self.shop.server.mend()
        self.shop.server.heard.clear()
        self.gss.clear_faults()
        self._is_spoiled = False

    # The program

    def sync(self, ledger: Ledger, *, sweep_every: timedelta = DAY, stops_after: int | None = None) -> None:
        """One run of it, which may die. stops_after  so many times that it asks whether to stop"""
        self.events["sync"] += 1
        self.shop.set_clock(self.clock.at)
        source = self._source()
        visit = Visit(sweep_every=sweep_every if self.case.sweeps else NEVER)
        hooks = Hooks(self._ours.now, self.clock.wait, _Stop(stops_after).stopping)
        try:
            report = sync_store(self._rules, self._terms, source, ledger, self._watched, hooks, visit)
            self._note(report)
        except Killed:
            self.events["killed"] += 1
            if ledger.db.in_transaction:  # what a dead process leaves behind is rolled back
                ledger.db.execute("ROLLBACK")
        finally:
            self._ours.looks_left = None
            if isinstance(source, LiveSource):
                source.close()

    def _note(self, report: Report) -> None:
        self.missed += report.missed
        self.events["problem"] += bool(report.problem)
        asks_for_patience = report.shop_until is not None or LOST_ITS_PLACE in report.problem
        if report.problem and not self._is_spoiled and not asks_for_patience:
            self.unfounded.append(report.problem)
        self.events["read"] += report.read

    def _source(self) -> Source:
        table = {**self.shop.source_table(), "page_size": self.page_size}
        if isinstance(self.shop, BusyShopify):
            token = self._folder / "token"
            token.touch(0o600)
            token.write_text(self.shop.token)
            table["access_token"] = f"file:{token}"
        del table["kind"]
        options: Any = self.source_class.options().model_validate_json(
            json.dumps(table), strict=True, context={"folder": self._folder, "secrets": True}
        )
        if self.case.overlap_s is not None:
            options = options.model_copy(update={"overlap": timedelta(seconds=self.case.overlap_s)})
        context = SourceContext("kiwi", str(self._folder), "Pacific/Auckland", self._ours.now, self.clock.wait)
        return self.source_class(options, context)


class _Stop:
    """A wish to stop, after so many times that it was asked for; None: never."""

    def __init__(self, after: int | None) -> None:
        self._left = after

    def stopping(self) -> bool:
        if self._left is None:
            return False
        self._left -= 1
        return self._left <= 0

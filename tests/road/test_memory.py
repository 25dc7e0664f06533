"""Memory is bounded by a page, however many orders a shop has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from connector.consider import Rules
from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.gosweetspot.records import ReadBack, Record, proof_of
from connector.ledger.connection import open_ledger
from connector.ledger.gates import Budget
from connector.order import Order
from connector.packing_slip import number_key
from connector.report import Hooks
from connector.selection import SelectRules
from connector.sender import Terms
from connector.slip import Made, SlipRules, make
from connector.sources.base import Page, SourceContext
from connector.sync import sync_store
from tests.road.source import address
from tests.road.world import Clock

PAGE = 250
MANY = 10_000
FEW = 1_000
SQLITE_CACHE = 8_192_000
"""What the ledger's connection may hold (its cache_size); so few orders don't fill it."""
RULES = Rules("long", SelectRules(), SlipRules())


class LongShop:
    """`count` orders that come into being as they are read."""

    kind = "long"

    def __init__(self, options: Any, context: SourceContext | None = None) -> None:
        self._count = int(options)

    @classmethod
    def options(cls) -> type[Any]:
        return int

    def pages(self, cursor: str) -> Iterator[Page]:
        for start in range(0, self._count, PAGE):
            yield Page(tuple(order_of(number) for number in range(start, start + PAGE)), cursor=str(start))


def order_of(number: int) -> Order:
    return Order(f"{number}", f"#{number}", f"{number:08d}", ship_to=address(f"{number} Kowhai Road"))


class Forgetful:
    """A GSS that takes everything and keeps nothing: what it shows is made anew of the number."""

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        return Answer(Outcome.ANSWERED, 200, {number: Row(Verdict.TAKEN) for number, _ in slips})

    def delete(self, numbers: Sequence[str]) -> Answer:
        raise AssertionError("nothing was cancelled")

    def get(self, numbers: Sequence[str]) -> ReadBack:
        return ReadBack(Outcome.ANSWERED, 200, {number: (self._record(number),) for number in numbers})

    def _record(self, number: str) -> Record:
        made = make(order_of(int(number.removeprefix("#"))), RULES.slip, store=RULES.store)
        assert isinstance(made, Made)
        return Record(number, number_key(number), "PENDING", "", "", "", "", proof_of(made.body))


def in_memory_now() -> int:
    """Bytes of this process that are in memory, SQLite's included (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_of(orders: int, state: Path) -> int:
    """Bytes in memory at most, looked at after every page and every call, while so many orders go all the way."""
    clock = Clock()
    seen = [in_memory_now()]
    hooks = Hooks(now=clock.now, wait=clock.wait, progress=lambda _: seen.append(in_memory_now()))
    terms = Terms("long", "there", "key", in_flight=1, budget=Budget(0, 0))
    with open_ledger(state) as ledger:
        report = sync_store(RULES, terms, LongShop(orders), ledger, Forgetful(), hooks)
    assert (report.new, report.owed, report.states) == (orders, 0, {"accepted": orders})
    assert len(seen) > orders / PAGE
    return max(seen)


@pytest.mark.no_cover
def test_ten_times_the_orders_take_no_more_memory(tmp_path: Path) -> None:
    few, many = peak_of(FEW, tmp_path / "few"), peak_of(MANY, tmp_path / "many")
    assert many - few < SQLITE_CACHE + 4_000_000

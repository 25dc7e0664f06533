"""The plans of several stores, one after the other, with the ledger opened for reading. Knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

import msgspec

from connector import opening
from connector.ledger import outbox
from connector.ledger.connection import FILE_NAME
from connector.ledger.reading import reading
from connector.plan import PlanLine, plan
from connector.report import Report
from connector.store import Store


class PlanEnd(msgspec.Struct, frozen=True):
    """The end of a store's plan. owed: what earlier runs left to be sent; a sync would send that too."""

    store: str
    report: Report
    owed: int


def dry_run(
    stores: Iterable[Store], state: Path, now: Callable[[], datetime], *, from_the_start: bool = False
) -> Iterator[PlanLine | PlanEnd]:
    """What a sync of these stores would do, order by order, each store closed by its PlanEnd. Raises LedgerError."""
    has_ledger = (state / FILE_NAME).exists()
    with reading(state) if has_ledger else nullcontext() as known:
        for store in stores:
            report = Report(store.name)
            rules, terms = opening.rules_of(store), opening.terms_of(store, None)
            with opening.source_of(store, now) as source:
                yield from plan(rules, terms, source, known, now(), report, from_the_start=from_the_start)
            yield PlanEnd(store.name, report, outbox.owed(known, store.name) if known is not None else 0)

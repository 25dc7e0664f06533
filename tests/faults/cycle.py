"""One small run of one store, to be killed or starved at any system call: `python -m tests.faults.cycle FOLDER`.

The shop shows two pages: four new orders, then an edit, a cancel and two more. GSS is a file beside the state folder,
so that what it was told outlives a kill. Everything else is the program as it ships.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.gosweetspot.records import ReadBack, Record, proof_of
from connector.ledger.connection import LedgerError, open_ledger
from connector.ledger.gates import Budget
from connector.lock import StoreLock
from connector.order import Order
from connector.packing_slip import number_key
from connector.report import Hooks, Report
from connector.sources.base import Page
from connector.sync import sync_store
from tests.ledger.given import START, an_order, rules, terms

FIRST = tuple(an_order(str(i)) for i in range(4))
SECOND = (an_order("0", "2", "2 Rata Street"), an_order("1", "2", cancelled=True), an_order("4"), an_order("5"))
AT_REST = {
    "#0": "2 Rata Street",
    "#2": "1 Kowhai Road",
    "#3": "1 Kowhai Road",
    "#4": "1 Kowhai Road",
    "#5": "1 Kowhai Road",
}
"""What GSS must have in the end: number and street."""


class Shop:
    """Two pages; the cursor is how many of them were recorded."""

    kind = "test"
    pages_shown: tuple[tuple[Order, ...], ...] = (FIRST, SECOND)

    def pages(self, cursor: str) -> Iterator[Page]:
        for number in range(int(cursor or 0), len(self.pages_shown)):
            yield Page(self.pages_shown[number], str(number + 1))


class GssFile:
    """GSS as a file of lines, one for each slip it was told of: what was told last counts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        return self._told([(number, body.decode()) for number, body in slips])

    def delete(self, numbers: Sequence[str]) -> Answer:
        return self._told([(number, None) for number in numbers])

    def _told(self, slips: Sequence[tuple[str, str | None]]) -> Answer:
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(slip) + "\n" for slip in slips))
        return Answer(Outcome.ANSWERED, 200, {number: Row(Verdict.TAKEN, "") for number, _ in slips}, "", None, 0)

    def get(self, numbers: Sequence[str]) -> ReadBack:
        pending = self.pending()
        records = {number: self._record(number, pending.get(number)) for number in numbers}
        return ReadBack(Outcome.ANSWERED, 200, records, "", None)

    def _record(self, number: str, body: str | None) -> tuple[Record, ...]:
        if body is None:
            return ()
        return (Record(number, number_key(number), "", "", "", "", "", proof_of(body.encode())),)

    def told(self) -> list[tuple[str, str | None]]:
        if not self.path.exists():
            return []
        return [tuple(json.loads(line)) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def pending(self) -> dict[str, str]:
        return {number: body for number, body in dict(self.told()).items() if body is not None}


def run(folder: Path) -> Report:
    """Sync once. Says on stdout how many orders were recorded, once they surely are."""
    state, client, shop = folder / "state", GssFile(folder / "gss"), Shop()
    own_terms = terms(in_flight=1, batch_size=2, budget=Budget(60, 1000))

    def said(report: Report) -> None:
        os.write(1, f"recorded {report.read}\n".encode())

    with open_ledger(state, now=START) as ledger, StoreLock(state, "kiwi"):
        hooks = Hooks(now=lambda: START, wait=lambda _: None, progress=said)
        source: Any = shop
        return sync_store(rules(), own_terms, source, ledger, client, hooks)


if __name__ == "__main__":
    try:
        run(Path(sys.argv[1]))
    except LedgerError as err:
        os.write(1, f"{type(err).__name__}: {err}\n".encode())
        sys.exit(3)

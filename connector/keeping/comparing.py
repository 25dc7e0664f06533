"""What GSS has, held against a ledger that may not know it all: the way of a store through the fence. Sends nothing.

After the shop was read and swept, GSS is asked about every slip that is to be sent or that is not over, and about the
orders the shop does not want shipped (failures.md K6, K7). Deciding is `after_restore`, pure; then only newest versions
go, and nothing that somebody deleted inside GSS is made again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from connector.consider import Rules
from connector.gosweetspot.answers import Outcome
from connector.gosweetspot.client import pieces
from connector.gosweetspot.records import ReadBack, Record
from connector.ledger import comparison, fence, gates, outbox
from connector.ledger.comparison import Passed, Standing
from connector.ledger.connection import Ledger
from connector.ledger.fence import AskedUpTo
from connector.ledger.machine import Shown
from connector.ledger.states import Op, State
from connector.order import Order
from connector.packing_slip import number_key
from connector.readback import Reads, sight
from connector.sender import Terms, keep_gate, trouble_of
from connector.slip_number import number_of

LONGEST_WAIT: Final = timedelta(seconds=61)
AT_ONCE: Final = 500
"""Slips, or orders passed over, looked at before the ledger is asked for more: bounds memory."""


class Verdict(StrEnum):
    """What is done with a slip when GSS was asked about it."""

    LEAVE = "leave"
    KNOWN = "known"
    TICKETED = "ticketed"
    HOLD = "hold"


def after_restore(state: State, op: Op, was_sent: bool, shown: Shown, ticketed: bool, adopts: bool) -> Verdict:
    """What a slip's newest version becomes. was_sent: by what this ledger knows; adopts: it began with nothing.

    HOLD where GSS has nothing of what was sent once, or, with a ledger begun anew, of what may have been: somebody may
    have deleted it there. KNOWN and TICKETED save a call that would bring nothing. The rest goes the usual way: a
    cancel is sent, an older content is replaced, and what was accepted is read back by the next read-back.
    """
    if op is Op.DELETE or state not in (State.OWED, State.UNCLEAR, State.ACCEPTED):
        return Verdict.LEAVE
    if shown is Shown.NOTHING:
        return Verdict.HOLD if was_sent or adopts else Verdict.LEAVE
    if state is not State.OWED:
        return Verdict.LEAVE
    if ticketed:
        return Verdict.TICKETED
    return Verdict.KNOWN if shown is Shown.NEWEST else Verdict.LEAVE


class Compared(msgspec.Struct):
    """What the comparison came to. left_standing: slips GSS has for orders that are not to be shipped, or not yet;
    problem: why it did not come to its end, "" where it did and the store may send again."""

    calls: int = 0
    held: int = 0
    known: int = 0
    left_standing: int = 0
    problem: str = ""


def pass_fence(
    rules: Rules,
    terms: Terms,
    ledger: Ledger,
    client: Reads,
    clock: Callable[[], datetime],
    wait: Callable[[float], object],
    stopping: Callable[[], bool] = lambda: False,
) -> Compared:
    """Lead a store through the fence. The caller holds the store's lock, and has read and swept its shop (noted by
    `fence.note_polled`). Where it can't come to its end the fence stands, and the next run goes on where this one
    ended: a shop may need more calls than an hour has.

    Raises LedgerError.
    """
    raised = fence.fence_of(ledger.db)
    if raised.asks:
        return Compared(problem=f"{raised.why} {fence.PERSON}")
    if not fence.was_polled(ledger.db, terms.store):
        return Compared(problem=f"{raised.why} {POLL}")
    adopts = fence.adopts(ledger.db, terms.store)
    at = fence.asked_up_to(ledger.db, terms.store)
    asking = _Asking(rules, terms, ledger, client, clock, wait, stopping, adopts, at)
    compared = asking.compare(raised.raised_at)
    if not compared.problem:
        with ledger.writing() as db:
            comparison.read_all_back(db, terms.store, clock())
            fence.let_pass(db, terms.store)
    return compared


POLL: Final = "Nothing is sent until the shop was read to its end."


@dataclass
class _Asking:
    """One comparison under way. at  how far it has come."""

    rules: Rules
    terms: Terms
    ledger: Ledger
    client: Reads
    clock: Callable[[], datetime]
    wait: Callable[[float], object]
    stopping: Callable[[], bool]
    adopts: bool
    at: AskedUpTo
    found: Compared = field(default_factory=Compared)

    def compare(self, raised_at: str) -> Compared:
        self._slips()
        if not self.found.problem:
            self._passed_over(raised_at)
        return self.found

    def _slips(self) -> None:
        """From where an earlier run ended; what became a slip since comes after it."""
        while some := comparison.to_compare(self.ledger.db, self.terms.store, self.at.slip_id, AT_ONCE):
            by_number = {one.asked.number: one for one in some}
            for records in self._records(by_number):
                with self.ledger.writing() as db:
                    for number, shown in records.items():
                        self._settle(db, by_number[number], shown)
                    self._note(db, slip_id=max(by_number[number].asked.slip_id for number in records))
            if self.found.problem:
                return

    def _settle(self, db: sqlite3.Connection, one: Standing, records: Sequence[Record]) -> None:
        asked = one.asked
        seen = sight(asked, records, comparison.bodies_sent(db, asked.slip_id))
        verdict = after_restore(asked.state, asked.op, one.was_sent, seen.shown, seen.ticketed, self.adopts)
        if verdict is Verdict.HOLD:
            comparison.hold(db, self.terms.store, asked, self.adopts, self.clock())
            self.found.held += 1
        elif verdict is not Verdict.LEAVE:
            comparison.take_as_sent(db, self.terms, asked, verdict is Verdict.TICKETED, self.clock())
            self.found.known += 1

    def _passed_over(self, raised_at: str) -> None:
        """Orders that got no slip, but may have had one by a call this ledger doesn't know of. All of them where the
        ledger began with nothing, else those read since the fence was raised."""
        since = "" if self.adopts else raised_at
        while some := comparison.passed_over(self.ledger.db, self.terms.store, since, self._passed_up_to(), AT_ONCE):
            by_number = self._by_number(some)
            for records in self._records(by_number):
                with self.ledger.writing() as db:
                    for number, shown in records.items():
                        if any(not record.ticket for record in shown) and not _is_known(db, self.terms, number):
                            comparison.call_about(db, self.terms.store, number, by_number[number], self.clock())
                            self.found.left_standing += 1
                    last = max((by_number[number].order_id, by_number[number].part) for number in records)
                    self._note(db, order_id=last[0], part=last[1])
            if self.found.problem:
                return
            self.at = msgspec.structs.replace(self.at, order_id=some[-1].order_id, part=some[-1].part)

    def _passed_up_to(self) -> tuple[str, str]:
        return self.at.order_id, self.at.part

    def _by_number(self, orders: Iterable[Passed]) -> dict[str, Passed]:
        """The first order of each number, in their order: so that those up to the last one asked about were asked."""
        first: dict[str, Passed] = {}
        for one in orders:
            if number := self._number(one.order_id, one.number, one.part):
                first.setdefault(number, one)
        return first

    def _note(self, db: sqlite3.Connection, **up_to: Any) -> None:
        self.at = msgspec.structs.replace(self.at, **up_to)
        fence.note_asked(db, self.terms.store, self.at)

    def _number(self, order_id: str, number: str, part: str) -> str:
        order = Order(order_id, number, "", part=part)
        return number_of(order, self.rules.slip.number, self.rules.slip.prefix, self.rules.store)

    def _records(self, numbers: Iterable[str]) -> Iterator[dict[str, tuple[Record, ...]]]:
        """What GSS has for each number, a call at a time; ends early, with the problem noted, where a call fails."""
        for piece in pieces(numbers):
            if not self._may_call():
                return
            self.found.calls += 1
            answer = self.client.get(piece)
            self._keep_gate(answer)
            if answer.outcome is not Outcome.ANSWERED:
                self.found.problem = answer.note
                return
            yield dict(answer.records)

    def _keep_gate(self, answer: ReadBack) -> None:
        """As after any call (failures.md S15, S16). While another store of this account owes something, only a call
        that takes it shows that GSS takes orders again (`connector.readback`)."""
        trouble = trouble_of(answer)
        if trouble is None and not gates.gate_of(self.ledger.db, self.terms.gate).failures:
            return
        with self.ledger.writing() as db:
            gate = gates.gate_of(db, self.terms.gate)
            if trouble or (gate.failures and not outbox.is_owed_at(db, self.terms.destination)):
                keep_gate(db, self.terms, gate, trouble, answer, self.clock())

    def _may_call(self) -> bool:
        """Take one call from the key's budget, waiting for this minute's; not while the gate is shut."""
        while not self.stopping():
            gate = gates.gate_of(self.ledger.db, self.terms.gate)
            if gate.is_shut(self.clock()):
                self.found.problem = gate.reason
                return False
            with self.ledger.writing() as db:
                length = gates.take_call(db, self.terms.gate, self.terms.budget, self.clock())
            if length <= timedelta(0):
                return True
            if length > LONGEST_WAIT:
                self.found.problem = "the call budget of this key is used up; the next run goes on from there"
                return False
            self.wait(length.total_seconds())
        self.found.problem = "the run was stopped"
        return False


def _is_known(db: sqlite3.Connection, terms: Terms, number: str) -> bool:
    return comparison.is_a_slip_s(db, terms.destination, number_key(number))

"""Reads back what GSS really has, fifty slips a call, and lets the ledger learn from it. Changes nothing at GSS."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from connector.gosweetspot.answers import Outcome
from connector.gosweetspot.client import MOST_NUMBERS, pieces
from connector.gosweetspot.records import Proof, ReadBack, Record, proof_of, shows
from connector.lane import Lane
from connector.ledger import alerts, gates, outbox, proofs
from connector.ledger.connection import Ledger
from connector.ledger.machine import CYCLE, Alarm, Shown
from connector.ledger.proofs import Asked, Sight
from connector.ledger.states import Op, State
from connector.ledger.times import stamp
from connector.sender import Pause, Terms, keep_gate, trouble_of

if TYPE_CHECKING:
    import sqlite3

LEARN_AT_ONCE = 40
"""Answers taken into the ledger in one transaction: a synced commit costs as much as a call."""
MOST_AT_ONCE = 4000
"""Versions looked at before the ledger is asked again what is due: bounds memory."""
REFUSED_ALONE = 3
"""Numbers that GSS refuses to be asked about alone, while it answers for none: then it refuses every one."""
ALL_AGAIN = timedelta(hours=1)
"""When the others are asked about again then."""
REFUSED = "read-back refused"
"""The kind of the alert."""


class Reads(Protocol):
    """What read-back needs of a GSS client; the call raises for nothing the network or GSS does."""

    def get(self, numbers: Sequence[str]) -> ReadBack: ...


class Findings(msgspec.Struct):
    """What a read-back came to: calls made, how many versions came to stand in which state, what stopped it."""

    calls: int = 0
    states: Counter[State] = msgspec.field(default_factory=Counter)
    pause: Pause | None = None


_WAS_THERE = (State.CONFIRMED, State.TICKETED)

Piece = tuple[Asked, ...]
Call = tuple[Piece, datetime]
"""What GSS is asked about, and when."""
Heard = tuple[Call, ReadBack]


def read_back(
    ledger: Ledger,
    client: Reads,
    terms: Terms,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
    most_calls: float = math.inf,
) -> Findings:
    """Ask GSS about every version that is due, once. Stops where a call brings no answer, or nothing new is learnt.

    most_calls: the rest stays due.
    """
    with ledger.writing() as db:
        proofs.wait_no_longer(db, terms.store, clock())
        proofs.close_windows(db, terms.store, clock())
    with Lane[Call, ReadBack](terms.in_flight) as lane:
        reading = _Reading(ledger, client, terms, clock, stopping, lane, Findings())
        before = -1
        while not stopping() and not reading.findings.pause and reading.findings.states.total() > before:
            before = reading.findings.states.total()
            left = most_calls - reading.findings.calls
            most = int(min(MOST_AT_ONCE, max(left, 0) * MOST_NUMBERS))
            reading.ask(_pieces(proofs.due(ledger.db, terms.store, most, clock())), left)
    return reading.findings


def _pieces(due: Sequence[Asked]) -> list[Piece]:
    by_number = {asked.number: asked for asked in due}
    return [tuple(by_number[number] for number in piece) for piece in pieces(by_number)][::-1]


@dataclass(frozen=True)
class _Reading:
    """One read-back under way; what it found is in `findings`."""

    ledger: Ledger
    client: Reads
    terms: Terms
    clock: Callable[[], datetime]
    stopping: Callable[[], bool]
    lane: Lane[Call, ReadBack]
    findings: Findings

    def ask(self, waiting: list[Piece], most: float) -> None:
        """Make at most so many calls for these pieces, a few in flight, and learn from their answers a good many at a
        time. What is not asked about stays due.

        A call that GSS refuses as it is (too long, or one number in it) is made again in halves (failures.md B9), but
        not for every number there is where none is answered for. The halves are not counted: they must come to an end.
        A slip that may be gone is asked for once more, alone, before anybody is alarmed (B2).
        """
        heard: list[Heard] = []
        while waiting or not self.lane.is_empty:
            while waiting and most > 0 and self.lane.free and self._may_call():
                most -= 1
                self.lane.start((waiting.pop(), self.clock()), self._call)
            for (piece, asked_at), answer in self.lane.landed(wait=True):
                if answer.outcome is Outcome.REJECTED and len(piece) > 1:
                    waiting += (piece[len(piece) // 2 :], piece[: len(piece) // 2])
                    most += 2
                else:
                    alone = self._to_ask_alone(piece, answer)
                    waiting += ((asked,) for asked in reversed(alone))
                    heard.append(((tuple(asked for asked in piece if asked not in alone), asked_at), answer))
            if most <= 0 or self.stopping() or self._is_in_vain(heard):
                waiting.clear()
            if len(heard) >= LEARN_AT_ONCE:
                self._learn(heard)
                heard.clear()
        self._learn(heard)

    def _call(self, call: Call) -> ReadBack:
        piece, _ = call
        return self.client.get([asked.number for asked in piece])

    def _may_call(self) -> bool:
        """Take one call from the key's budget; where that can't be, remember why."""
        gate = gates.gate_of(self.ledger.db, self.terms.gate)
        now = self.clock()
        if gate.is_shut(now):
            self.findings.pause = Pause(gate.shut_until or now, gate.reason)
            return False
        budget = self.terms.budget.to_look()
        if budget.per_minute or budget.per_hour:
            with self.ledger.writing() as db:
                wait = gates.take_call(db, self.terms.gate, budget, now)
            if wait > timedelta(0):
                self.findings.pause = Pause(now + wait, "the call budget of this key is used up", is_budget=True)
                return False
        self.findings.calls += 1
        return True

    def _learn(self, heard: Sequence[Heard]) -> None:
        """Let the ledger learn from answers, in one transaction. Without a usable one no state changes (B8).

        They prove what GSS had when it was asked, however long ago that was.
        """
        sights = [
            found
            for (piece, _), answer in heard
            if answer.outcome is Outcome.ANSWERED
            for found in self._seen(piece, answer)
        ]
        with self.ledger.writing() as db:
            if sights:
                first = min(asked_at for (_, asked_at), _ in heard)
                self.findings.states.update(
                    proofs.learn(db, self.terms.store, sights, self.clock(), self.terms.ghost_window, first)
                )
            for (piece, _), answer in heard:
                self._note(db, piece, answer)
            if self._is_every_one_refused(heard):
                proofs.put_off_all(db, self.terms.store, self.clock(), ALL_AGAIN)

    def _note(self, db: sqlite3.Connection, piece: Piece, answer: ReadBack) -> None:
        """What an answer says of GSS, and of a number it will not be asked about: that one waits for a cycle."""
        self._keep_gate(db, answer)
        if answer.outcome is Outcome.REJECTED:
            proofs.put_off(db, piece, self.clock(), CYCLE)
            text = f"GSS refuses to be asked about slip {piece[0].number}, so it can't be confirmed: {answer.note}"
            alerts.open_alert(db, self.terms.store, None, REFUSED, text, stamp(self.clock()))
        if answer.outcome is not Outcome.ANSWERED:
            self.findings.pause = self.findings.pause or Pause(self.clock(), answer.note)

    def _is_in_vain(self, heard: Sequence[Heard]) -> bool:
        """Whether more calls would come to nothing."""
        trouble = any(trouble_of(answer) for _, answer in heard)
        return self.findings.pause is not None or trouble or self._is_every_one_refused(heard)

    def _is_every_one_refused(self, heard: Sequence[Heard]) -> bool:
        refused = [answer for _, answer in heard if answer.outcome is Outcome.REJECTED]
        return not self.findings.states and len(heard) == len(refused) >= REFUSED_ALONE

    def _keep_gate(self, db: sqlite3.Connection, answer: ReadBack) -> None:
        """While something is owed, only a call that takes it shows that GSS takes orders again: a GET that works must
        not pass for the canary, or slips are blamed for an outage of PUTs alone (failures.md 3.4, 13). That is so
        whichever store owes it: the gate is shared."""
        trouble = trouble_of(answer)
        gate = gates.gate_of(db, self.terms.gate)
        if trouble is not None or (gate.failures and not outbox.is_owed_at(db, self.terms.destination)):
            keep_gate(db, self.terms, gate, trouble, answer, self.clock())

    def _seen(self, piece: Piece, answer: ReadBack) -> Iterator[tuple[Asked, Sight]]:
        older = _older(self.ledger, piece)
        for asked in piece:
            yield asked, sight(asked, answer.records[asked.number], older.get(asked.slip_id, ()))

    def _to_ask_alone(self, piece: Piece, answer: ReadBack) -> list[Asked]:
        """What GSS had and does not show among others; not what a person was told of already."""
        if answer.outcome is not Outcome.ANSWERED or len(piece) == 1:
            return []
        missing = [asked for asked in piece if asked.state in _WAS_THERE and not answer.records[asked.number]]
        told = proofs.told(self.ledger.db, [asked.slip_id for asked in missing], Alarm.VANISHED) if missing else ()
        return [asked for asked in missing if asked.slip_id not in told]


def _older(ledger: Ledger, piece: Piece) -> dict[int, list[tuple[str, bytes]]]:
    several = [asked.slip_id for asked in piece if asked.seq > 1]
    return proofs.sent_before(ledger.db, several) if several else {}


def sight(asked: Asked, records: Sequence[Record], older: Sequence[tuple[str, bytes]]) -> Sight:
    """What GSS's records for one slip say, held against the versions we know. records: none, one, or (alarming)
    more."""
    if not records:
        return Sight(Shown.NOTHING)
    record = records[0] if len(records) == 1 else max(records, key=lambda one: bool(one.ticket))
    newest = proof_of(asked.body) if asked.body is not None else None
    shown, proven = _shown(asked, record, newest, older)
    return Sight(
        shown,
        ticketed=bool(record.ticket),
        proven=proven,
        doubled=len(records) > 1,
        ticket=record.ticket,
        tracking_url=record.tracking_url,
        status=record.status,
        picked=record.picked,
        delivered=record.delivered,
    )


def _shown(
    asked: Asked, record: Record, newest: Proof | None, older: Sequence[tuple[str, bytes]]
) -> tuple[Shown, bool]:
    """(what the record shows, whether it can be told from every older version we sent)."""
    looks_older = [digest for digest, body in older if shows(record, proof_of(body))]
    if asked.op is Op.PUT and newest is not None and shows(record, newest):
        return Shown.NEWEST, all(digest == asked.hash for digest in looks_older)
    return (Shown.OLDER if looks_older else Shown.FOREIGN), True

"""Reads back what GSS really has, fifty slips a call, and lets the ledger learn from it. Changes nothing at GSS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from connector.gosweetspot.answers import Outcome
from connector.gosweetspot.client import pieces
from connector.gosweetspot.records import Proof, ReadBack, Record, proof_of, shows
from connector.lane import Lane
from connector.ledger import gates, proofs
from connector.ledger.connection import Ledger
from connector.ledger.machine import Shown
from connector.ledger.proofs import Asked, Sight
from connector.ledger.states import Op, State
from connector.sender import Pause, Terms, keep_gate, trouble_of

MOST_AT_ONCE = 2000
"""Versions looked at before the ledger is asked again what is due: bounds memory."""


class Reads(Protocol):
    """What read-back needs of a GSS client; the call raises for nothing the network or GSS does."""

    def get(self, numbers: Sequence[str]) -> ReadBack: ...


class Findings(msgspec.Struct):
    """What a read-back came to: calls made, how many versions came to stand in which state, what stopped it."""

    calls: int = 0
    states: Counter[State] = msgspec.field(default_factory=Counter)
    pause: Pause | None = None


Piece = tuple[Asked, ...]


def read_back(
    ledger: Ledger,
    client: Reads,
    terms: Terms,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
) -> Findings:
    """Ask GSS about every version that is due, once. Stops at the first call that brings no answer."""
    findings = Findings()
    with ledger.writing() as db:
        proofs.close_windows(db, terms.store, clock())
    with Lane[Piece, ReadBack](terms.in_flight) as lane:
        while not stopping() and not findings.pause:
            due = proofs.due(ledger.db, terms.store, MOST_AT_ONCE, clock())
            if not due:
                break
            waiting = _pieces(due)
            while waiting or not lane.is_empty:
                _start(ledger, client, terms, lane, waiting, findings, clock)
                for piece, answer in lane.landed(wait=True):
                    _learn(ledger, client, terms, piece, answer, findings, clock)
                if findings.pause:
                    waiting.clear()
    return findings


def _pieces(due: Sequence[Asked]) -> list[Piece]:
    by_number = {asked.number: asked for asked in due}
    return [tuple(by_number[number] for number in piece) for piece in pieces(by_number)][::-1]


def _start(
    ledger: Ledger,
    client: Reads,
    terms: Terms,
    lane: Lane[Piece, ReadBack],
    waiting: list[Piece],
    findings: Findings,
    clock: Callable[[], datetime],
) -> None:
    while waiting and lane.free:
        findings.pause = _take_call(ledger, terms, clock())
        if findings.pause:
            return
        findings.calls += 1
        lane.start(waiting.pop(), lambda piece: client.get([asked.number for asked in piece]))


def _take_call(ledger: Ledger, terms: Terms, now: datetime) -> Pause | None:
    gate = gates.gate_of(ledger.db, terms.gate)
    if gate.is_shut(now):
        return Pause(gate.shut_until or now, gate.reason)
    if not (terms.budget.per_minute or terms.budget.per_hour):
        return None
    with ledger.writing() as db:
        wait = gates.take_call(db, terms.gate, terms.budget, now)
    return Pause(now + wait, "the call budget of this key is used up", is_budget=True) if wait > timedelta(0) else None


def _learn(
    ledger: Ledger,
    client: Reads,
    terms: Terms,
    piece: Piece,
    answer: ReadBack,
    findings: Findings,
    clock: Callable[[], datetime],
) -> None:
    """Let the ledger learn from one answer. Without a usable one no state changes (failures.md B8)."""
    trouble = trouble_of(answer)
    records = answer.records
    if answer.outcome is Outcome.ANSWERED:
        records = _checked_alone(ledger, client, terms, piece, records, findings, clock)
    with ledger.writing() as db:
        gate = gates.gate_of(db, terms.gate)
        keep_gate(db, terms, gate, trouble, answer, clock())
        if answer.outcome is Outcome.ANSWERED:
            older = _older(ledger, piece)
            sights = [
                (asked, sight(asked, records[asked.number], older.get(asked.slip_id, ())))
                for asked in piece
                if asked.number in records
            ]
            findings.states.update(proofs.learn(db, terms.store, sights, clock(), terms.ghost_window))
    if answer.outcome is not Outcome.ANSWERED:
        findings.pause = findings.pause or Pause(clock(), answer.note)


def _checked_alone(
    ledger: Ledger,
    client: Reads,
    terms: Terms,
    piece: Piece,
    records: Mapping[str, tuple[Record, ...]],
    findings: Findings,
    clock: Callable[[], datetime],
) -> Mapping[str, tuple[Record, ...]]:
    """A confirmed slip that is missing is asked for once more, alone, before anybody is alarmed (failures.md B2).

    Where that can't be done now, the slip is left out: nothing was learnt about it.
    """
    missing = [asked.number for asked in piece if asked.state is State.CONFIRMED and not records[asked.number]]
    if not missing or len(piece) == 1:
        return records
    checked = dict(records)
    for number in missing:
        del checked[number]
        if _take_call(ledger, terms, clock()) is None:
            findings.calls += 1
            again = client.get([number])
            if again.outcome is Outcome.ANSWERED:
                checked[number] = again.records[number]
    return checked


def _older(ledger: Ledger, piece: Piece) -> dict[int, list[tuple[str, bytes]]]:
    several = [asked.slip_id for asked in piece if asked.seq > 1]
    return proofs.sent_before(ledger.db, several) if several else {}


def sight(asked: Asked, records: Sequence[Record], older: Sequence[tuple[str, bytes]]) -> Sight:
    """What GSS's records for one slip say, held against the versions we know. records: none, one, or (alarming) more."""
    if not records:
        return Sight(Shown.NOTHING)
    record = max(records, key=lambda one: bool(one.ticket))
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

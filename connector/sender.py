"""Sends what a store owes: claim, call, settle, several batches in flight. Decides nothing about a slip: the machine
does.

One commit per turn: it settles the answers that came and writes down the attempts that go next, before they go.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from connector.gosweetspot.answers import Answer, Outcome, Verdict
from connector.lane import Lane
from connector.ledger import alerts, gates, outbox
from connector.ledger.connection import Ledger
from connector.ledger.gates import Budget, Gate, Trouble
from connector.ledger.machine import GHOST_WINDOW, Event
from connector.ledger.outbox import Attempt, Heard
from connector.ledger.states import Op
from connector.ledger.times import stamp

if TYPE_CHECKING:
    import sqlite3

MOST_PER_DELETE = 24
"""GSS answers 409 above 50 (gosweetspot-api.md 1.5); 24 of the longest, percent-encoded, keep the URL under 1,500."""
AHEAD = 3
"""Attempts written down at once, as a multiple of the calls in flight."""


class Sends(Protocol):
    """What the sender needs of a GSS client; neither call raises for anything the network or GSS does."""

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer: ...

    def delete(self, numbers: Sequence[str]) -> Answer: ...


class Terms(msgspec.Struct, frozen=True):
    """How one store sends: to where, how much at once, how often.

    gate  names the key: all stores with one key share its budget and its back-off
    """

    store: str
    destination: str
    gate: str
    batch_size: int = 50
    in_flight: int = 8
    budget: Budget = Budget(60, 1000)
    ghost_window: timedelta = GHOST_WINDOW
    read_back: bool = True


class Pause(msgspec.Struct, frozen=True):
    """Nothing may be called before `until` (aware, UTC), and why. is_budget: only the call budget is in the way."""

    until: datetime
    reason: str
    is_budget: bool = False


class Turn(msgspec.Struct, frozen=True):
    """What one turn did: attempts to be called now, how many versions were settled, and what stands in the way of
    more."""

    attempts: tuple[Attempt, ...] = ()
    settled: int = 0
    pause: Pause | None = None


class Sender:
    """The sending side of one store, driven turn by turn by whoever holds the store's lock.

    Attempts are written down a few more than fly at once, so that one synced commit serves several calls.
    most_calls: the rest stays owed.
    """

    def __init__(
        self,
        ledger: Ledger,
        client: Sends,
        terms: Terms,
        clock: Callable[[], datetime],
        most_calls: float = math.inf,
    ) -> None:
        self.pause: Pause | None = None
        self.calls = 0
        self.settled = 0
        self._ledger = ledger
        self._client = client
        self._terms = terms
        self._clock = clock
        self._most_calls = most_calls
        self._lane: Lane[Attempt, Answer] = Lane(terms.in_flight)
        self._next: deque[Attempt] = deque()
        self._heard: list[tuple[Attempt, Answer]] = []
        self._is_dry = False

    def turn(self, *, wait: bool, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Start what was written down, hear what was answered, and settle and claim when it is time.

        wait: block until an answer comes, if a call is under way; else something may be owed that was not before.
        stopping: asked right before anything new starts; a wait for an answer may have been long. Returns True while
        there is something to wait for.
        """
        self._is_dry = self._is_dry and wait
        self._start(stopping)
        self._heard += self._lane.landed(wait=wait)
        if self._is_time(more := not stopping()):
            self._exchange(more)
            self._start(stopping)
        return bool(self._next or self._heard or not self._lane.is_empty)

    def _start(self, stopping: Callable[[], bool]) -> None:
        while self._next and self._lane.free and not stopping():
            self.calls += 1
            self._lane.start(self._next.popleft(), lambda attempt: call(self._client, attempt))

    def _is_time(self, more: bool) -> bool:
        """Settle at once what went wrong; else only when the next calls must be written down anyway."""
        if not more or any(trouble_of(answer) for _, answer in self._heard):
            return True
        if self._next:
            return False
        return self._lane.is_empty if self._is_dry else self._lane.free > 0

    def _exchange(self, more: bool) -> None:
        heard, self._heard = self._heard, []
        untried = self._next if not more or any(trouble_of(answer) for _, answer in heard) else ()
        self._next = deque() if untried else self._next
        places = self._places() if more else 0
        if not (heard or untried or places):
            return
        turn = exchange(
            self._ledger, self._terms, heard, places, self._lane.flying > 0, self._clock(), untried=tuple(untried)
        )
        self.pause = turn.pause
        self.settled += turn.settled
        self._next.extend(turn.attempts)
        self._is_dry = not turn.attempts

    def _places(self) -> int:
        """How many attempts may be written down now."""
        left = self._most_calls - self.calls - len(self._next)
        return int(max(min(AHEAD * self._terms.in_flight - self._lane.flying, left), 0))

    def close(self) -> None:
        self._lane.close()


def call(client: Sends, attempt: Attempt) -> Answer:
    """Make the one call of an attempt."""
    if attempt.op is Op.DELETE:
        return client.delete([item.number for item in attempt.items])
    return client.put([(item.number, item.body or b"") for item in attempt.items])


def exchange(
    ledger: Ledger,
    terms: Terms,
    landed: Sequence[tuple[Attempt, Answer]],
    places: int,
    is_flying: bool,
    now: datetime,
    untried: Sequence[Attempt] = (),
) -> Turn:
    """Settle answers and claim up to `places` new attempts, in one synced transaction.

    untried: attempts that were written down and will not be made; their versions are owed as before.
    """
    with ledger.writing() as db:
        settled = 0
        for attempt in untried:
            events = dict.fromkeys((item.version_id for item in attempt.items), Event.NOT_TRIED)
            outbox.settle(db, attempt, Heard("not tried", events), now, terms.ghost_window)
        for attempt, answer in landed:
            settled += _settle(db, terms, attempt, answer, now)
        attempts, pause = _claim(db, terms, places, is_flying, now)
    return Turn(tuple(attempts), settled, pause)


def _settle(db: sqlite3.Connection, terms: Terms, attempt: Attempt, answer: Answer, now: datetime) -> int:
    gate = gates.gate_of(db, terms.gate)
    heard = understand(attempt, answer, others_pass=gate.failures == 0)
    if not outbox.settle(db, attempt, heard, now, terms.ghost_window):
        return 0
    keep_gate(db, terms, gate, _trouble_with(gate, answer), answer, now)
    for number, words in _not_understood(answer):
        text = f'GSS said of slip {number}: "{words}". What that means is not known: look at it in GSS'
        alerts.open_alert(db, terms.store, None, "not understood", text, stamp(now))
    if answer.strangers:
        text = f"GSS answered for {answer.strangers} slip(s) that were not in the call; they were ignored"
        alerts.open_alert(db, terms.store, None, "strangers", text, stamp(now))
    return len(attempt.items)


def _trouble_with(gate: Gate, answer: Answer) -> Trouble | None:
    """As `trouble_of`, but what GSS answers about one slip alone is that slip's affair while all others pass."""
    is_about_one = answer.outcome is Outcome.ANSWERED and len(answer.rows) == 1
    return None if is_about_one and gate.failures == 0 else trouble_of(answer)


def _not_understood(answer: Answer) -> Iterator[tuple[str, str]]:
    """The slips of which GSS says something that we know no meaning of, and its words (gosweetspot-api.md 1.10, 4)."""
    for number, row in answer.rows.items():
        if row.verdict is Verdict.UNCLEAR and row.msg.strip():
            yield number, row.msg


def keep_gate(
    db: sqlite3.Connection, terms: Terms, gate: Gate, trouble: Trouble | None, answer: AnyAnswer, now: datetime
) -> None:
    """Shut or open the gate after a call, with one alert while GSS refuses the key or keeps failing."""
    if trouble is None and gate.failures == 0:
        return
    asked = None if answer.retry_after_s is None else timedelta(seconds=answer.retry_after_s)
    after = gates.after(gate, trouble, now, asked, answer.note)
    gates.keep_gate(db, terms.gate, after)
    if trouble is None:
        close_gate_alerts(db, terms, now)
    elif trouble is Trouble.UNAUTHORISED:
        alerts.open_alert(db, terms.store, None, trouble.value, answer.note, stamp(now))
    elif after.failures >= 3:
        alerts.open_alert(db, terms.store, None, Trouble.NO_ANSWER.value, answer.note, stamp(now))


def close_gate_alerts(db: sqlite3.Connection, terms: Terms, now: datetime) -> None:
    """Close what was said of GSS once it answers again, whichever store that shares the key found it out."""
    if gates.gate_of(db, terms.gate).failures == 0:
        for kind in (Trouble.UNAUTHORISED, Trouble.NO_ANSWER):
            alerts.close_kind(db, terms.store, kind.value, stamp(now), "GSS answers again")


class AnyAnswer(Protocol):
    """What an Answer and a ReadBack have in common."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def note(self) -> str: ...
    @property
    def retry_after_s(self) -> float | None: ...


def _claim(
    db: sqlite3.Connection, terms: Terms, places: int, is_flying: bool, now: datetime
) -> tuple[list[Attempt], Pause | None]:
    attempts: list[Attempt] = []
    for _ in range(places):
        gate = gates.gate_of(db, terms.gate)
        if gate.is_shut(now):
            return attempts, Pause(gate.shut_until or now, gate.reason)
        if gate.is_careful() and (is_flying or attempts):
            return attempts, None
        if not outbox.is_due(db, terms.store, now):
            return attempts, None
        wait = gates.take_call(db, terms.gate, terms.budget, now)
        if wait > timedelta(0):
            return attempts, Pause(now + wait, "the call budget of this key is used up", is_budget=True)
        if gate.is_careful():
            attempt = outbox.claim(db, terms.store, 1, 1, now, is_probe=True)
        else:
            attempt = outbox.claim(db, terms.store, terms.batch_size, min(terms.batch_size, MOST_PER_DELETE), now)
        if attempt is None:
            return attempts, None
        attempts.append(attempt)
    return attempts, None


_EVENTS = {
    Verdict.TAKEN: Event.TAKEN,
    Verdict.PROCESSED: Event.PROCESSED,
    Verdict.GONE: Event.GONE,
    Verdict.REFUSED: Event.REFUSED,
    Verdict.UNCLEAR: Event.UNKNOWN,
}

_WHOLE_CALL = {
    Outcome.NOT_SENT: (Event.NOT_SENT, Event.NOT_SENT),
    Outcome.UNKNOWN: (Event.UNKNOWN, Event.BATCH_FAILED),
    Outcome.SERVER_ERROR: (Event.FAILED_ALONE, Event.BATCH_FAILED),
    Outcome.REJECTED: (Event.REJECTED_ALONE, Event.BATCH_REJECTED),
    Outcome.UNAUTHORISED: (Event.UNAUTHORISED, Event.UNAUTHORISED),
    Outcome.THROTTLED: (Event.THROTTLED, Event.THROTTLED),
}
"""What a call without rows means for each slip it carried: alone, and among others."""


def understand(attempt: Attempt, answer: Answer, *, others_pass: bool) -> Heard:
    """An answer in the ledger's words: what it says of each version of the attempt."""
    if answer.outcome is Outcome.ANSWERED:
        rows = answer.rows
        events = {item.version_id: _EVENTS[rows[item.number].verdict] for item in attempt.items}
        words = {item.version_id: rows[item.number].msg for item in attempt.items if rows[item.number].msg}
    else:
        alone, among_others = _WHOLE_CALL[answer.outcome]
        event = alone if len(attempt.items) == 1 else among_others
        events, words = dict.fromkeys((item.version_id for item in attempt.items), event), {}
    return Heard(answer.outcome.value, events, words, answer.status, answer.note, others_pass)


def trouble_of(answer: AnyAnswer) -> Trouble | None:
    """What an answer says about GSS as a whole; None when it works. A rejected batch is the batch's fault, not
    GSS's."""
    match answer.outcome:
        case Outcome.ANSWERED:
            rows = getattr(answer, "rows", None)
            no_use = rows is not None and all(row.verdict is Verdict.UNCLEAR for row in rows.values())
            return Trouble.NO_ANSWER if no_use else None
        case Outcome.REJECTED:
            return None
        case Outcome.NOT_SENT:
            return Trouble.UNREACHABLE
        case Outcome.UNAUTHORISED:
            return Trouble.UNAUTHORISED
        case Outcome.THROTTLED:
            return Trouble.THROTTLED
        case Outcome.UNKNOWN | Outcome.SERVER_ERROR:
            return Trouble.NO_ANSWER

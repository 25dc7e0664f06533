"""The gate before GSS, one per key: shut after trouble, and counting calls, for all processes that share it.

Everything is in the ledger, so a daemon and a one-shot share one budget and one back-off (failures.md S14, S16, S19).
Pure decisions first (`wait_for`, `after`), then the SQL that reads and keeps them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from connector.ledger.times import moment, stamp

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
PROBE_EVERY: Final = timedelta(minutes=5)
LONGEST_SHUT: Final = timedelta(minutes=15)


class Trouble(StrEnum):
    """Why a call left the gate worse than it was."""

    UNREACHABLE = "unreachable"
    NO_ANSWER = "no usable answer"
    UNAUTHORISED = "unauthorised"
    THROTTLED = "throttled"


class Gate(msgspec.Struct, frozen=True):
    """failures: calls in a row that went wrong; shut_until: aware, UTC. Open while shut_until is past."""

    failures: int = 0
    shut_until: datetime | None = None
    reason: str = ""

    def is_shut(self, now: datetime) -> bool:
        """A time further off than any wait is one of a clock that was set back since."""
        return self.shut_until is not None and now < self.shut_until <= now + LONGEST_SHUT

    def is_careful(self) -> bool:
        """After a failure one small batch goes first; the others follow when it was answered (S19, the canary)."""
        return self.failures > 0


class Budget(msgspec.Struct, frozen=True):
    """Calls allowed per minute and per hour; 0 is no limit (loopback only)."""

    per_minute: int
    per_hour: int

    def to_look(self) -> Budget:
        """What may be used up by looking: a quarter is kept for sending, which must not wait for it."""
        return Budget(self.per_minute - self.per_minute // 4, self.per_hour - self.per_hour // 4)


def after(gate: Gate, trouble: Trouble | None, now: datetime, asked: timedelta | None, reason: str) -> Gate:
    """The gate after a call. asked: the wait GSS asked for, obeyed up to 15 minutes and never shortened below it.

    The first failure doesn't shut the gate, it makes it careful; from the second on the wait doubles from 30 s.
    """
    if trouble is None:
        return Gate()
    failures = gate.failures + 1
    match trouble:
        case Trouble.UNAUTHORISED:
            wait = PROBE_EVERY
        case Trouble.THROTTLED:
            wait = min(max(MINUTE if asked is None else asked, timedelta(seconds=1)), LONGEST_SHUT)
        case _:
            wait = _pause(failures) if asked is None else min(max(asked, _pause(failures)), LONGEST_SHUT)
    return Gate(failures, now + wait, reason)


def _pause(failures: int) -> timedelta:
    """Nothing after the first failure (the canary goes at once), then 30 s, doubling up to 15 minutes."""
    if failures == 1:
        return timedelta(0)
    return min(timedelta(seconds=30) * (1 << min(failures - 2, 10)), LONGEST_SHUT)


def wait_for(budget: Budget, calls: Sequence[datetime], now: datetime) -> timedelta:
    """How long until the budget lets one more call go; zero for now. calls: of the last hour, oldest first."""
    waits = [timedelta(0)]
    for limit, span in ((budget.per_minute, MINUTE), (budget.per_hour, HOUR)):
        recent = [at for at in calls if now - span < at <= now]
        if limit and len(recent) >= limit:
            waits.append(recent[-limit] + span - now)
    return max(waits)


def gate_of(db: sqlite3.Connection, name: str) -> Gate:
    row = db.execute("SELECT failures, shut_until, reason FROM gates WHERE gate = ?", (name,)).fetchone()
    return Gate(row[0], moment(row[1]) if row[1] else None, row[2]) if row else Gate()


def keep_gate(db: sqlite3.Connection, name: str, gate: Gate) -> None:
    db.execute(
        "INSERT INTO gates VALUES (?, ?, ?, ?) ON CONFLICT (gate) DO UPDATE SET failures = excluded.failures,"
        " shut_until = excluded.shut_until, reason = excluded.reason",
        (name, gate.failures, stamp(gate.shut_until) if gate.shut_until else None, gate.reason),
    )


def take_call(db: sqlite3.Connection, name: str, budget: Budget, now: datetime) -> timedelta:
    """Take one call from the budget, within the caller's transaction, or say how long to wait (then none was taken)."""
    if not (budget.per_minute or budget.per_hour):
        return timedelta(0)
    db.execute("DELETE FROM calls WHERE gate = ? AND at <= ?", (name, stamp(now - HOUR)))
    rows = db.execute("SELECT at FROM calls WHERE gate = ? ORDER BY at", (name,)).fetchall()
    wait = wait_for(budget, [moment(row[0]) for row in rows], now)
    if wait <= timedelta(0):
        db.execute("INSERT INTO calls VALUES (?, ?)", (name, stamp(now)))
    return wait


def calls_left(db: sqlite3.Connection, name: str, budget: Budget, now: datetime) -> tuple[int | None, int | None]:
    """(left this minute, left this hour); None where there is no limit."""
    rows = [moment(row[0]) for row in db.execute("SELECT at FROM calls WHERE gate = ?", (name,))]

    def left(limit: int, span: timedelta) -> int | None:
        return max(limit - sum(now - span < at <= now for at in rows), 0) if limit else None

    return left(budget.per_minute, MINUTE), left(budget.per_hour, HOUR)

"""The state machine: what becomes of a version after a call's answer or a read-back. Pure; knows no clock, database
or HTTP.

failures.md 3.4 as code; the numbers in the comments are that table's. `connector.ledger.outbox` and `.proofs` apply
the moves.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec

from connector.ledger.states import Op, State


class Event(StrEnum):
    """What a call told us about one version it carried."""

    NOT_TRIED = "not tried"
    NOT_SENT = "not sent"
    UNKNOWN = "no usable answer"
    TAKEN = "taken"
    GONE = "gone"
    PROCESSED = "already processed"
    REFUSED = "refused"
    BATCH_REJECTED = "batch rejected"
    BATCH_FAILED = "batch failed"
    REJECTED_ALONE = "rejected alone"
    FAILED_ALONE = "failed alone"
    UNAUTHORISED = "unauthorised"
    THROTTLED = "throttled"
    CRASHED = "interrupted"


class Shown(StrEnum):
    """What a read-back showed for a slip, against the versions we know."""

    NOTHING = "nothing"
    NEWEST = "newest"
    OLDER = "older"
    FOREIGN = "foreign"


class Alarm(StrEnum):
    """Why a person is called."""

    HELD = "held"
    REFUSED = "refused"
    POISON = "poison"
    LATE = "late"
    GHOST = "ghost"
    VANISHED = "vanished"
    CHANGED = "changed at GSS"
    LABEL_DELETED = "label deleted"
    DOUBLED = "shown twice"


class Standing(msgspec.Struct, frozen=True):
    """What is known of a version when something happens to it.

    newest    no later version of its slip exists
    tries     calls that carried it; strikes  of those, the ones GSS rejected although it stood alone
    struck    time since the first strike; others_pass  GSS took something else since the last failure (the canary)
    quiet     no call of ours for this slip can still arrive: the last one ended a ghost window ago or more
    proven    a read-back can tell this version from all earlier ones that were sent
    ghosts    read-backs that showed older data than sent; age  time since the last attempt's end
    labelled  time since it was found processed
    pending   an earlier call may have brought something of its slip to GSS
    stop      the shop wants it no more ("skip": fulfilled otherwise; "wait": on hold), yet what GSS has of it stays: it
              is not made there again
    """

    state: State
    op: Op
    newest: bool = True
    tries: int = 1
    strikes: int = 0
    struck: timedelta = timedelta(0)
    others_pass: bool = True
    quiet: bool = False
    proven: bool = True
    ghosts: int = 0
    age: timedelta = timedelta(0)
    labelled: timedelta = timedelta(0)
    watched: bool = False
    pending: bool = False
    stop: str = ""


class Move(msgspec.Struct, frozen=True):
    """Where a version goes: its next state, when it is sent or read next (None: not), and what else changes."""

    state: State
    send_in: timedelta | None = None
    read_in: timedelta | None = None
    alarm: Alarm | None = None
    strikes: int = 0
    ghosts: int = 0
    split: bool = False


NOW: Final = timedelta(0)
GHOST_WINDOW: Final = timedelta(minutes=5)
"""G: the longest time a call we gave up on may still be applied (failures.md 3.1, question N13)."""
LINE_AGAIN: Final = timedelta(minutes=1)
"""The longest a slip waits of itself that found no connection."""
STRIKES: Final = 3
STRIKES_OVER: Final = timedelta(minutes=15)
ROUNDS: Final = 4
"""How often older data than sent was shown before a person is called."""
CYCLE: Final = timedelta(hours=6)
"""GSS's own advice for reading states back (gosweetspot-api.md 1.1)."""
WATCH: Final = timedelta(days=7)
"""How long a slip that was found processed is read back while it is neither picked up nor delivered."""


def backoff(tries: int) -> timedelta:
    """The wait before a version is sent again: doubles from 30 s up to 1 h. tries is 1 after the first call."""
    return min(timedelta(seconds=30) * (1 << min(tries - 1, 10)), timedelta(hours=1))


def after_call(standing: Standing, event: Event, ghost_window: timedelta) -> Move:
    """The move of a version in `sending` once its call is over."""
    if not standing.newest:
        return _older_after_call(event, ghost_window)
    move = _newest_after_call(standing, event)
    if standing.stop and move.send_in is not None:  # X1: what did not get there stays away; GSS is asked first
        return Move(State.UNCLEAR, read_in=NOW, strikes=move.strikes)
    if standing.pending and move.state in (State.REFUSED, State.HELD):
        return msgspec.structs.replace(move, read_in=NOW)
    return move


def _newest_after_call(standing: Standing, event: Event) -> Move:
    match event:
        case Event.TAKEN | Event.GONE:  # 6; "already deleted" is proven like any other deletion, by reading back
            return Move(State.ACCEPTED, read_in=NOW)
        case Event.PROCESSED if standing.op is Op.DELETE:  # 8, 24
            return Move(State.LATE, read_in=NOW, alarm=Alarm.LATE)
        case Event.PROCESSED:  # 8
            return Move(State.TICKETED, read_in=NOW)
        case Event.REFUSED:  # 9
            return Move(State.REFUSED, alarm=Alarm.REFUSED)
        case Event.NOT_SENT:  # 4: the line is down for all; the gate backs off, and opens for all again
            return Move(State.OWED, send_in=min(backoff(standing.tries), LINE_AGAIN))
        case Event.UNAUTHORISED | Event.THROTTLED | Event.NOT_TRIED:  # 14, 15: the destination waits, not the slip
            return Move(State.OWED, send_in=NOW)
        case Event.BATCH_REJECTED:  # 11
            return Move(State.OWED, send_in=NOW, split=True)
        case Event.BATCH_FAILED:  # 11: part may be stored
            return Move(State.UNCLEAR, send_in=NOW, read_in=NOW, split=True)
        case Event.REJECTED_ALONE:  # 12
            return _strike(standing, State.OWED, Move(State.REFUSED, alarm=Alarm.POISON))
        case Event.FAILED_ALONE if standing.others_pass:  # 13
            return _strike(standing, State.UNCLEAR, Move(State.HELD, alarm=Alarm.POISON))
        case Event.CRASHED:  # 16, 17
            return Move(State.UNCLEAR, send_in=NOW, read_in=NOW)
        case Event.UNKNOWN | Event.FAILED_ALONE:  # 5, 7, 10  # pragma: no branch: no other event is left
            return Move(State.UNCLEAR, send_in=backoff(standing.tries), read_in=NOW)


def _older_after_call(event: Event, ghost_window: timedelta) -> Move:
    """28: a newer version waits; this one is over, or over once its call can no longer arrive."""
    unsure = (Event.UNKNOWN, Event.BATCH_FAILED, Event.FAILED_ALONE, Event.CRASHED)
    return Move(State.UNCLEAR, read_in=ghost_window) if event in unsure else Move(State.SUPERSEDED)


def _strike(standing: Standing, again: State, out: Move) -> Move:
    """Count a rejection of a slip that stood alone; out after STRIKES of them spread over STRIKES_OVER."""
    strikes = standing.strikes + 1
    if strikes >= STRIKES and standing.struck >= STRIKES_OVER:
        return msgspec.structs.replace(out, strikes=strikes)
    return Move(again, send_in=STRIKES_OVER / (STRIKES - 1), strikes=strikes)


def after_read_back(standing: Standing, shown: Shown, ticketed: bool, ghost_window: timedelta) -> Move:
    """The move of a newest version once GSS was asked what it has.

    ticketed: the record carries a consignment. Raises nothing: every state a read-back may find is answered.
    """
    if standing.state in (State.HELD, State.REFUSED):
        return _kept_back(standing, ticketed)
    if ticketed:
        return _ticketed(standing, shown)
    if shown is Shown.NOTHING:
        return _absent(standing, ghost_window)
    if standing.op is Op.DELETE:  # 20, 26: something stands where nothing should
        again = _send_again(standing)
        return msgspec.structs.replace(again, alarm=Alarm.LABEL_DELETED) if standing.state is State.LATE else again
    return _pending(standing, shown, ghost_window)


def _kept_back(standing: Standing, ticketed: bool) -> Move:
    """Nothing is sent while it is held or refused, yet what was sent before is watched: a label of that goes out."""
    if ticketed:
        return Move(State.LATE, read_in=CYCLE, alarm=Alarm.LATE)
    return Move(standing.state, read_in=CYCLE)


def _ticketed(standing: Standing, shown: Shown) -> Move:
    """22-24: processed when it is exactly the newest version, else late. What was decided once stays decided."""
    if standing.state in (State.PROCESSED, State.LATE):
        return Move(standing.state, read_in=_watch(standing))
    if standing.op is Op.PUT and shown is Shown.NEWEST:
        return Move(State.PROCESSED, read_in=CYCLE)
    return Move(State.LATE, read_in=CYCLE, alarm=Alarm.LATE)


def _absent(standing: Standing, ghost_window: timedelta) -> Move:
    if standing.state in (State.PROCESSED, State.LATE):  # GSS forgets in time (B13)
        return Move(standing.state, read_in=_watch(standing))
    if standing.state is State.TICKETED:
        return Move(State.TICKETED, read_in=timedelta(hours=1), alarm=Alarm.VANISHED)
    if standing.op is Op.DELETE:
        return _settled(standing, State.WITHDRAWN, ghost_window)
    if standing.state is State.CONFIRMED and standing.stop != "skip":  # 20a: an operator may have deleted it
        return Move(State.CONFIRMED, read_in=CYCLE, alarm=Alarm.VANISHED)
    if standing.stop:
        return _stay_away(standing, ghost_window)
    return _send_again(standing)  # 20


def _stay_away(standing: Standing, ghost_window: timedelta) -> Move:
    """2, 29: it is not there, and the shop wants it no more. Once no call can still arrive, the version that says so
    takes its place."""
    if standing.quiet:
        return Move(State.SUPERSEDED)
    return Move(standing.state, read_in=max(ghost_window - standing.age, NOW))


def _pending(standing: Standing, shown: Shown, ghost_window: timedelta) -> Move:
    reopened = standing.state in (State.PROCESSED, State.LATE)
    alarm = Alarm.LABEL_DELETED if reopened else None  # 26
    if shown is Shown.NEWEST:
        move = _settled(standing, State.CONFIRMED, ghost_window)
        return msgspec.structs.replace(move, alarm=alarm)
    if shown is Shown.FOREIGN and standing.state in (State.CONFIRMED, State.ACCEPTED):  # 21: a person's edit at GSS
        return Move(standing.state, read_in=CYCLE, alarm=Alarm.CHANGED)
    if reopened:
        return Move(State.OWED, send_in=NOW, alarm=alarm)
    return _send_again(standing)  # 20


def _settled(standing: Standing, proof: State, ghost_window: timedelta) -> Move:
    """18, 19: as it should be; for good only once no older call can still arrive, and only if the proof is exact.

    What was proven once stays so while GSS goes on showing it, whatever became of the clock, the window in the store
    file, or how much of the record GSS echoes.
    """
    if standing.state is proof:
        return Move(proof, read_in=_next_look(standing, proof))
    if not standing.quiet:
        return Move(State.ACCEPTED, read_in=max(ghost_window - standing.age, NOW))
    if not standing.proven:
        return Move(State.ACCEPTED, read_in=CYCLE)
    return Move(proof, read_in=_next_look(standing, proof))


def _next_look(standing: Standing, proof: State) -> timedelta | None:
    """Read-backs go on after 1 h and each cycle, and once more 24 h after the last attempt (failures.md 3.4, end)."""
    if standing.age < timedelta(hours=1):
        return timedelta(hours=1) - standing.age
    over = proof is State.WITHDRAWN and standing.age >= timedelta(hours=24)
    return None if over else CYCLE


def _watch(standing: Standing) -> timedelta | None:
    """A processed slip is read until it is picked up or a week has passed; a late one until a person closes it."""
    if standing.state is State.LATE:
        return CYCLE
    return None if standing.watched or standing.labelled >= WATCH else CYCLE


def _send_again(standing: Standing) -> Move:
    """20: older data, or none, or something after a delete: an older call arrived late. It is sent ever more rarely:
    GSS may never show it.

    The table calls a person after two such rounds. The first two may be a second apart, and GSS may be half a minute
    late to show what it took: a person is called once the rounds are spread over minutes.
    """
    ghosts = standing.ghosts + 1
    wait = NOW if ghosts == 1 else backoff(ghosts)
    return Move(State.OWED, send_in=wait, ghosts=ghosts, alarm=Alarm.GHOST if ghosts >= ROUNDS else None)


class Accept(StrEnum):
    """What the accept rule says of a change (failures.md 3.2)."""

    NEW = "new"
    NEWER = "newer"
    SAME = "same"
    STALE = "stale"
    TIE = "tie"


def accept(known: tuple[str, bytes] | None, revision: str, content: bytes, *, decides: bool = False) -> Accept:
    """Whether a change is the newest. known: (revision, content hash) of the newest change recorded, None for none.

    Order comes from the shop's revision alone: never our clock, never the order of arrival. Where that leaves a doubt,
    the shop is asked for the order itself, after all that was recorded: that answer `decides`, whatever its date.
    """
    if known is None:
        return Accept.NEW
    if decides:
        return Accept.SAME if content == known[1] else Accept.NEWER
    revision_known, content_known = known
    if revision < revision_known:
        return Accept.STALE if content != content_known else Accept.SAME
    if content == content_known:
        return Accept.SAME
    return Accept.NEWER if revision > revision_known else Accept.TIE

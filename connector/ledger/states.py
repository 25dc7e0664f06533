"""The states of a version, one sentence each, and the moves allowed between them. Knows nobody.

The moves are failures.md 3.4, by its numbers. `ticketed` is not in design.md's table but in failures.md's: between "GSS
says already processed" and knowing which version it processed there is a time, and a state must not claim more than its
proof.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a version stands."""

    HELD = "held"
    OWED = "owed"
    SENDING = "sending"
    UNCLEAR = "unclear"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    TICKETED = "ticketed"
    PROCESSED = "processed"
    LATE = "late"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    CLOSED = "closed"


class Op(StrEnum):
    """What GSS should have after this version: the slip (put), or nothing (delete)."""

    PUT = "put"
    DELETE = "delete"


MEANING: Final[dict[State, str]] = {
    State.HELD: "no valid slip can be made, a rule or a person holds it, or two orders want one number",
    State.OWED: "newest, ready to be sent",
    State.SENDING: "in an open attempt",
    State.UNCLEAR: "whether GSS has it is not known: a call ended without a usable answer, or the shop stopped it",
    State.ACCEPTED: "GSS answered that it took it; not yet read back for good",
    State.CONFIRMED: "read back from GSS as it should be, and no older call of ours can still arrive",
    State.TICKETED: "GSS has processed this slip; which version it was is being read back",
    State.PROCESSED: "GSS ticketed exactly this version",
    State.LATE: "GSS ticketed something else than the newest version: a person must look now",
    State.REFUSED: "GSS refuses this very slip",
    State.WITHDRAWN: "cancelled before it was processed, and gone from GSS or never sent",
    State.SUPERSEDED: "a newer version took its place",
    State.CLOSED: "over; personal data gone, the number and hash stay",
}

_S = State
MOVES: Final[dict[State, frozenset[State]]] = {
    _S.HELD: frozenset({_S.OWED, _S.LATE, _S.SUPERSEDED, _S.CLOSED}),
    _S.OWED: frozenset({_S.SENDING, _S.UNCLEAR, _S.HELD, _S.SUPERSEDED}),
    _S.SENDING: frozenset(
        {_S.OWED, _S.UNCLEAR, _S.ACCEPTED, _S.TICKETED, _S.LATE, _S.REFUSED, _S.HELD, _S.SUPERSEDED},
    ),
    _S.UNCLEAR: frozenset(
        {_S.SENDING, _S.OWED, _S.HELD, _S.ACCEPTED, _S.CONFIRMED, _S.WITHDRAWN, _S.PROCESSED, _S.LATE, _S.SUPERSEDED},
    ),
    _S.ACCEPTED: frozenset({_S.OWED, _S.CONFIRMED, _S.WITHDRAWN, _S.PROCESSED, _S.LATE, _S.SUPERSEDED}),
    _S.CONFIRMED: frozenset({_S.OWED, _S.PROCESSED, _S.LATE, _S.SUPERSEDED}),
    _S.TICKETED: frozenset({_S.ACCEPTED, _S.CONFIRMED, _S.OWED, _S.PROCESSED, _S.LATE, _S.SUPERSEDED}),
    _S.PROCESSED: frozenset({_S.ACCEPTED, _S.CONFIRMED, _S.OWED, _S.LATE, _S.SUPERSEDED, _S.CLOSED}),
    _S.LATE: frozenset({_S.ACCEPTED, _S.CONFIRMED, _S.OWED, _S.SUPERSEDED, _S.CLOSED}),
    _S.REFUSED: frozenset({_S.OWED, _S.LATE, _S.SUPERSEDED, _S.CLOSED}),
    _S.WITHDRAWN: frozenset({_S.OWED, _S.LATE, _S.SUPERSEDED, _S.CLOSED}),
    _S.SUPERSEDED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
}
"""Which state may follow which; the ledger refuses every other move."""


WAITS_FOR_A_PERSON: Final = frozenset({_S.HELD, _S.REFUSED, _S.LATE})
"""Nothing moves these by itself, except a newer version from the shop."""

OVER: Final = frozenset({_S.PROCESSED, _S.WITHDRAWN, _S.SUPERSEDED, _S.CLOSED})
"""States after which nothing more is sent or asked about."""

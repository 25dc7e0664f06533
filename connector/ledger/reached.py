"""Whether GSS may have been reached: the one place that says that something of a slip was sent. SQL fragments; writes
nothing.

A claim sends nothing yet: a call that was never tried, found no connection, or was turned away for its key, its number
or its contents left nothing at GSS (failures.md S4, 14, 15). Every other call may have, and one still open may yet.
"""

from __future__ import annotations

from typing import Final

from connector.ledger.machine import Event

_LEFT_NOTHING: Final = (
    Event.NOT_TRIED,
    Event.NOT_SENT,
    Event.UNAUTHORISED,
    Event.THROTTLED,
    Event.REFUSED,
    Event.REJECTED_ALONE,
)
_NAMES: Final = ", ".join(f"'{event.value}'" for event in _LEFT_NOTHING)
MAY_HAVE: Final = f"(c.answer IS NULL OR substr(c.answer, 1, instr(c.answer || ': ', ': ') - 1) NOT IN ({_NAMES}))"
"""Of a row `c` of attempt_versions: its call may have brought the version to GSS."""

VERSION_MAY_BE_THERE: Final = (
    "EXISTS (SELECT 1 FROM attempt_versions c WHERE c.version_id = v.id AND " + MAY_HAVE + ")"  # noqa: S608
)
"""Of a row `v` of versions."""

SLIP_MAY_BE_THERE: Final = (
    "EXISTS (SELECT 1 FROM versions w JOIN attempt_versions c ON c.version_id = w.id"  # noqa: S608
    " WHERE w.slip_id = v.slip_id AND " + MAY_HAVE + ")"
)
"""Of a row `v` of versions: any version of its slip."""

SENT_EARLIER: Final = (
    "EXISTS (SELECT 1 FROM versions w JOIN attempt_versions c ON c.version_id = w.id"  # noqa: S608
    " WHERE w.slip_id = v.slip_id AND c.attempt_id != v.attempt_id AND " + MAY_HAVE + ")"
)
"""Of a row `v` of versions: any version of its slip, by another call than the one that carries this version now."""

SENT_BEFORE: Final = "What was sent of it before may be pending at GSS."

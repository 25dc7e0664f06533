"""Whether this machine's clock may be believed when data is to be removed by its age (failures.md R4).

Removing can't be undone, and a clock that jumps ten years ahead makes everything old. So two others are asked: the
ledger, which must not know of anything later than now, and a server, by the Date of its answer (RFC 9110 6.6.1).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from connector.wire.heard import http_date

MOST_APART: Final = timedelta(hours=1)
"""What a removal after weeks can bear, and no clock that runs at all is off by."""
TIMEOUT_S: Final = 10.0


def doubt(now: datetime, told: datetime | None, last: datetime | None) -> str:
    """Why nothing may be removed by age now; "" where the clock is confirmed.

    told  the time by a server, None where none was heard; last  the latest thing the ledger knows of, None for nothing
    """
    if told is None:
        return "no server told the time, so it is tried again; nothing was removed by age"
    if abs(told - now) > MOST_APART:
        return f"this machine's clock says {_shown(now)}, a server says {_shown(told)}; nothing was removed by age"
    if last is not None and last - now > MOST_APART:
        return f"the ledger knows of things at {_shown(last)}, after this machine's time; nothing was removed by age"
    return ""


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def time_told_by(url: str) -> datetime | None:
    """The time by the server at this address, over TLS but for this machine; None where none is heard. Sends no key."""
    from connector.wire.door import Door  # requests takes 0.15 s to import: only who calls pays

    door = Door(url, {}, largest=1, reads=())
    try:
        return http_date(door.exchange("GET", "/", None, TIMEOUT_S).date)
    finally:
        door.close()

"""Whether this machine's clock has been set at all since it started (failures.md H4). Knows no command.

A machine without a clock of its own boots at 1970, or where it was switched off, until it hears the time. Then every
certificate is "not yet valid", signatures with a time in them are refused, and the ledger's times would be nonsense.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

MADE: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""This program is not older: whatever clock shows an earlier time has not been set."""
LOOK_EVERY_S: Final = 1.0


def doubt(now: datetime) -> str:
    """Why this clock can't be right, and what to do; "" where it may be. now  aware."""
    if now >= MADE:
        return ""
    return (
        f"this machine's clock says {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC, which is before this program was made. "
        "Set it, or let it be set (timedatectl set-ntp true)."
    )


def wait_until_set(now: Callable[[], datetime], wait: Callable[[float], None], tell: Callable[[str], object]) -> None:
    """Return once the clock may be right. wait  takes seconds; tell  is told once why nothing happens."""
    if why := doubt(now()):
        tell(f"{why} Until then nothing is read, sent or believed.")
        while doubt(now()):
            wait(LOOK_EVERY_S)

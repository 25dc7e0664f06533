"""What one run of one store did, and what the outside world gives it. Knows nobody."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec


class Report(msgspec.Struct):
    """What one run of one store did. Every order read is in exactly one of the counts from `new` to `stale`.

    missed     of those, found by a sweep although the shop had changed them long before: no cursor showed them
    gone       orders the shop no longer has
    problem    why the shop could not be read to its end; shop_until  when it asks to be asked again (aware, UTC)
    pause      why nothing more may be sent now, and until when (aware, UTC)
    look_at    when reading back may go on (aware, UTC), where it alone waits
    """

    store: str
    read: int = 0
    new: int = 0
    changed: int = 0
    held: int = 0
    waiting: int = 0
    skipped: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    stale: int = 0
    missed: int = 0
    gone: int = 0
    calls: int = 0
    read_back_calls: int = 0
    owed: int = 0
    states: dict[str, int] = msgspec.field(default_factory=dict)
    notes: list[str] = msgspec.field(default_factory=list)
    alerts: list[str] = msgspec.field(default_factory=list)
    problem: str = ""
    shop_until: datetime | None = None
    pause: str = ""
    pause_until: datetime | None = None
    look_at: datetime | None = None
    scanned: int = 0
    total: int = 0


class Hooks(msgspec.Struct, frozen=True):
    """What the outside world gives a run: the time, a way to wait (True: we are to stop), a wish to stop, and somebody
    who watches."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    wait: Callable[[float], bool | None] = time.sleep
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[Report], None] = lambda _: None


HOOKS = Hooks()

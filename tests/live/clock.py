"""One time for a shop and for us, that passes when it is told to; and a process that dies looking at its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process dies here; nothing of the program catches it."""


class Clock:
    """What time it truly is; whole seconds, as shops have them."""

    def __init__(self) -> None:
        self.at = START

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=round(seconds + 0.5))


class OurClock:
    """The connector's own, which may be wrong. looks_left  after so many looks its process is dead; None: it lives."""

    def __init__(self, clock: Clock, wrong_by: timedelta) -> None:
        self.looks_left: int | None = None
        self._clock = clock
        self._wrong_by = wrong_by

    def catch_up(self) -> None:
        """Somebody sets a clock that is slow: what is due by the shop's is due by ours."""
        self._wrong_by = max(self._wrong_by, timedelta(0))

    def now(self) -> datetime:
        if self.looks_left is not None:
            self.looks_left -= 1
            if self.looks_left <= 0:
                raise Killed
        return self._clock.at + self._wrong_by

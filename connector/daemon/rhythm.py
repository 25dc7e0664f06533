"""When a job runs next: triggers for APScheduler that no clock can fool. Know no jobs.

APScheduler goes by the wall clock and lists every run it missed: a clock set ten years ahead made it list millions
(failures.md 0.7, H1). These triggers never look further back than one run.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim

FAR_BEHIND = timedelta(hours=1)


class Rhythm(BaseTrigger):  # type: ignore[misc]
    """Every so often, so that stores spread out.

    first   the first time is at a random moment within this (the interval unless given)
    jitter  each wait is up to this part longer or shorter
    """

    def __init__(self, every: timedelta, *, first: timedelta | None = None, jitter: float = 0.1) -> None:
        self._every = every
        self._first = every if first is None else min(first, every)
        self._jitter = jitter

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        if previous is None:
            return now + self._first * random.random()  # noqa: S311  no secret
        wait = self._every * (1 + self._jitter * random.uniform(-1, 1))  # noqa: S311
        return max(previous + wait, now)


class Cron(BaseTrigger):  # type: ignore[misc]
    """A cron line by local time, as Debian's cron keeps it through clock changes: what falls into the hour that is left
    out runs right after it, what falls into the hour that comes twice runs once, and what runs every few minutes goes
    on by real time. Missed runs are one.

    APScheduler's own cron trigger leaves out the night after daylight saving begins (measured: two years of
    Pacific/Auckland, 0:00 and 0:30), so `cronsim` says when.
    """

    def __init__(self, line: str, timezone: str) -> None:
        self._line = line
        self._zone = ZoneInfo(timezone)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        since = previous if previous is not None and timedelta(0) <= now - previous <= FAR_BEHIND else now
        return next(CronSim(self._line, since.astimezone(self._zone)), None)

"""When a job runs next: triggers for APScheduler that no clock can fool. Know no jobs.

APScheduler goes by the wall clock and lists every run it missed: a clock set ten years ahead made it list millions
(failures.md 0.7, H1). These triggers never look further back than one run.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

FAR_BEHIND = timedelta(hours=1)


class Rhythm(BaseTrigger):  # type: ignore[misc]
    """Every so often, the first time at a random moment within the interval, so that stores spread out.

    jitter: each wait is up to this part longer or shorter.
    """

    def __init__(self, every: timedelta, *, jitter: float = 0.1) -> None:
        self._every = every
        self._jitter = jitter

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        if previous is None:
            return now + self._every * random.random()  # noqa: S311  no secret
        wait = self._every * (1 + self._jitter * random.uniform(-1, 1))  # noqa: S311
        return max(previous + wait, now)


class Daily(BaseTrigger):  # type: ignore[misc]
    """A cron line by local time; each local moment once, also where the clock is put back; missed runs are one."""

    def __init__(self, cron: CronTrigger) -> None:
        self._cron = cron

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        if previous is not None and not timedelta(0) <= now - previous <= FAR_BEHIND:
            previous = None  # after a suspend or a step of the clock: from now on, not through all that was missed
        following: datetime | None = self._cron.get_next_fire_time(previous, now)
        if previous is not None and following is not None and _is_same_moment(previous, following):
            return self._cron.get_next_fire_time(following, following)  # type: ignore[no-any-return]
        return following


def _is_same_moment(one: datetime, other: datetime) -> bool:
    """The same time on the wall, an hour later: the clock was put back between them."""
    return one.replace(tzinfo=None) == other.replace(tzinfo=None)

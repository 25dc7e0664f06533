"""Clockwork: APScheduler, with its teeth drawn. Says when; what is called only wishes for work, so nothing takes long.

failures.md 0.7: no run is dropped for being late, missed ones are one, and a clock that is set moves nothing: `look`
notices it (monotonic against wall time) and winds every job anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger

from connector.daemon.rhythm import Cron, Rhythm
from connector.store import Schedule

STEP: Final = timedelta(seconds=5)
"""A wall clock that moves this much against the monotonic one was set; NTP slews far less between two looks."""


class Clockwork:
    """Started once; jobs come and go by name."""

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._offset = self._measure()
        # Jobs only set a wish, so they run in the scheduler's own thread (apscheduler calls that executor "debug").
        self._scheduler = BackgroundScheduler(
            executors={"default": DebugExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def repeat(self, name: str, schedule: Schedule, do: Callable[[], object], first: timedelta | None = None) -> None:
        """Call on a store's rhythm, in place of an earlier job of that name. first: as Rhythm has it."""
        self._add(name, trigger_of(schedule, first), do)

    def daily(self, name: str, cron: str, timezone: str, do: Callable[[], object]) -> None:
        """Call by a cron line in local time."""
        self._add(name, Cron(cron, timezone), do)

    def at(self, name: str, when: datetime, do: Callable[[], object]) -> None:
        """Call once, at an aware time; a later wish of the same name takes its place."""
        self._add(name, DateTrigger(max(when, self._now())), do)

    def forget(self, name: str) -> None:
        with suppress(JobLookupError):
            self._scheduler.remove_job(name)

    def look(self) -> bool:
        """Whether the clock was set since the last look, or the machine slept; then every job is wound anew."""
        offset = self._measure()
        stepped = abs(offset - self._offset) > STEP
        self._offset = offset
        if stepped:
            now = self._now()
            for job in self._scheduler.get_jobs():
                with suppress(JobLookupError):  # it was called meanwhile, and is over
                    job.modify(next_run_time=_anew(job.trigger, job.next_run_time, now))
        return stepped

    def _measure(self) -> timedelta:
        return self._now() - datetime(1970, 1, 1, tzinfo=UTC) - timedelta(seconds=self._monotonic())

    def _add(self, name: str, trigger: BaseTrigger, do: Callable[[], object]) -> None:
        self._scheduler.add_job(do, trigger, id=name, name=name, replace_existing=True)


def _anew(trigger: BaseTrigger, was_due: datetime, now: datetime) -> datetime | None:
    """When a job is called next after the clock was set. A rhythm runs on from now, each store's at its own moment.
    What waited for a time that may never come is called at once, and so is a cron line's run whose time was passed
    over: for all that this clock tells, it was missed (failures.md H3)."""
    is_missed = isinstance(trigger, Cron) and was_due <= now
    if is_missed or isinstance(trigger, DateTrigger):
        return now
    following: datetime | None = trigger.get_next_fire_time(None, now)
    return following


def trigger_of(schedule: Schedule, first: timedelta | None = None) -> BaseTrigger:
    """When a store's shop is read."""
    if schedule.cron:
        return Cron(schedule.cron, schedule.timezone)
    return Rhythm(schedule.every or timedelta(minutes=2), first=first)

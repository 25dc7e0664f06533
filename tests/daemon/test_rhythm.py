"""When jobs run: by clocks that are set, put forward and back, and stopped for a night."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from connector.daemon.clockwork import Clockwork, trigger_of
from connector.daemon.rhythm import Cron, Rhythm
from connector.store import Schedule

START = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)
AUCKLAND = ZoneInfo("Pacific/Auckland")
DAY = timedelta(days=1)


def runs(trigger: BaseTrigger, until: datetime, step: timedelta, since: datetime = START) -> list[datetime]:
    """When APScheduler would run a job of this trigger, looked at every `step`, by its own way of counting."""
    job = Job(BackgroundScheduler(), id="x", func=lambda: None, trigger=trigger, executor="default", args=(), kwargs={},
              name="x", misfire_grace_time=None, coalesce=True, max_instances=1,
              next_run_time=trigger.get_next_fire_time(None, since))  # fmt: skip
    now, found = since, []
    while now < until:
        now += step
        due = job._get_run_times(now)
        if due:
            found.append(due[-1].astimezone(UTC))
            job._modify(next_run_time=trigger.get_next_fire_time(due[-1], now))
    return found


@pytest.mark.parametrize("at", [f"{minute} {hour}" for hour in range(5) for minute in (0, 30)])
def test_H2_two_years_of_clock_changes_and_each_daily_job_once_a_local_day(at: str) -> None:
    trigger = Cron(f"{at} * * *", "Pacific/Auckland")
    until = START + timedelta(days=731)
    days = Counter(run.astimezone(AUCKLAND).date() for run in runs(trigger, until, timedelta(minutes=10)))
    first, last = date(2026, 1, 2), date(2028, 1, 1)
    every_day = {first + timedelta(days=number) for number in range((last - first).days)}
    assert {day for day in every_day if days[day] != 1} == set()


def clock_changes(until: date) -> list[datetime]:
    """The UTC midnights in whose day Auckland's clock changes."""
    days = [START + timedelta(days=number) for number in range((until - START.date()).days)]
    return [day for day in days if day.astimezone(AUCKLAND).utcoffset() != (day + DAY).astimezone(AUCKLAND).utcoffset()]


@pytest.mark.parametrize("day", clock_changes(date(2032, 1, 1)), ids=lambda day: f"{day:%Y-%m-%d}")
@pytest.mark.parametrize(("line", "bound"), [("*/5 * * * *", 5), ("0 * * * *", 120)])
def test_H2_a_job_of_every_few_minutes_goes_on_through_a_clock_change(line: str, bound: int, day: datetime) -> None:
    """One of every hour runs once in the hour that comes twice."""
    found = runs(Cron(line, "Pacific/Auckland"), day + 2 * DAY, timedelta(minutes=5), since=day - DAY)
    assert found[0] < day - DAY + timedelta(minutes=bound + 60)
    assert found[-1] > day + 2 * DAY - timedelta(minutes=bound)
    longest = max(later - earlier for earlier, later in pairwise(found))
    assert longest <= timedelta(minutes=bound)


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=3650), timedelta(hours=8)])
@pytest.mark.parametrize(
    "trigger", [Rhythm(timedelta(minutes=2)), Cron("*/5 * * * *", "Pacific/Auckland")], ids=["rhythm", "cron"]
)
def test_H1_H3_a_jump_ahead_is_one_run_and_no_list_of_all_that_was_missed(
    trigger: BaseTrigger, jump: timedelta
) -> None:
    """APScheduler lists every missed run before it makes one of them: ten years of two minutes are 2.6 million."""
    job = Job(BackgroundScheduler(), id="x", func=lambda: None, trigger=trigger, executor="default", args=(), kwargs={},
              name="x", misfire_grace_time=None, coalesce=True, max_instances=1, next_run_time=START)  # fmt: skip
    assert 1 <= len(job._get_run_times(START + jump)) <= 14


def test_stores_begin_at_different_moments_and_keep_their_rhythm() -> None:
    firsts = {Rhythm(timedelta(minutes=2)).get_next_fire_time(None, START) for _ in range(50)}
    assert len(firsts) > 40
    assert all(START <= first <= START + timedelta(minutes=2) for first in firsts)
    soon = {Rhythm(timedelta(minutes=2), first=timedelta(seconds=1)).get_next_fire_time(None, START) for _ in range(9)}
    assert max(soon) <= START + timedelta(seconds=1)
    found = runs(Rhythm(timedelta(minutes=2)), START + timedelta(hours=10), timedelta(seconds=1))
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert all(timedelta(seconds=107) <= gap <= timedelta(seconds=133) for gap in gaps)
    assert 290 <= len(found) <= 310


class Clock:
    def __init__(self) -> None:
        self.wall, self.mono = START, 1000.0

    def pass_(self, seconds: float, step: timedelta = timedelta(0)) -> None:
        self.mono += seconds
        self.wall += timedelta(seconds=seconds) + step


@pytest.mark.parametrize("step", [timedelta(days=-365), timedelta(hours=-1), timedelta(hours=1), timedelta(days=3650)])
def test_H1_a_clock_that_was_set_stops_no_rhythm(step: timedelta) -> None:
    clock = Clock()
    works = Clockwork(lambda: clock.wall, lambda: clock.mono)
    works._scheduler.start(paused=True)
    try:
        works.repeat("read kiwi", Schedule(), lambda: None)
        works.at("send", clock.wall + timedelta(minutes=5), lambda: None)
        clock.pass_(1)
        assert not works.look()
        clock.pass_(1, step)
        assert works.look()
        due = {job.id: job.next_run_time for job in works._scheduler.get_jobs()}
        assert clock.wall <= due["read kiwi"] <= clock.wall + timedelta(minutes=2)
        assert due["send"] == clock.wall, "better too early than never: what is not due is left"
        clock.pass_(1)
        assert not works.look()
    finally:
        works.stop()


def test_H1_H3_a_daily_job_whose_time_passed_while_the_machine_slept_runs_once() -> None:
    """Eight hours over both times, in which the monotonic clock stands still; and a clock that goes ahead and back."""
    clock = Clock()
    works = Clockwork(lambda: clock.wall, lambda: clock.mono)
    works._scheduler.start(paused=True)

    def due() -> dict[str, datetime]:
        return {job.id: job.next_run_time for job in works._scheduler.get_jobs()}

    try:
        works.daily("keep house", "23 3 * * *", "UTC", lambda: None)
        works.repeat("read kiwi", Schedule(cron="0 7 * * *", timezone="UTC", every=None), lambda: None)
        works.repeat("read moa", Schedule(cron="0 9 * * *", timezone="UTC", every=None), lambda: None)
        clock.pass_(1, -DAY)
        assert works.look()
        times = {"keep house": time(3, 23), "read kiwi": time(7), "read moa": time(9)}
        coming = {name: datetime.combine(START - DAY, at, UTC) for name, at in times.items()}
        assert due() == coming
        clock.pass_(1, timedelta(hours=8))
        assert works.look()
        assert due() == coming | {"keep house": clock.wall, "read kiwi": clock.wall}
        clock.pass_(1, timedelta(hours=-8))
        assert works.look()
        assert due() == coming, "by the right clock none of them was missed"
    finally:
        works.stop()


def test_the_schedule_of_a_store_file_is_the_trigger() -> None:
    assert isinstance(trigger_of(Schedule()), Rhythm)
    cron = trigger_of(Schedule(cron="30 4 * * *", timezone="Australia/Sydney", every=None))
    assert isinstance(cron, Cron)
    fires = cron.get_next_fire_time(None, START)
    assert fires is not None
    assert (fires.astimezone(ZoneInfo("Australia/Sydney")).hour, fires.minute) == (4, 30)

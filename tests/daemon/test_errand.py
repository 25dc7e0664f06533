"""Errands: wanted by many, done by one thread at a time, and never forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

import pytest

from connector.daemon.errand import Errand


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def test_P24_a_poll_that_outlasts_its_interval_is_followed_by_one_more(pool: ThreadPoolExecutor) -> None:
    begun, go_on, over = Event(), Event(), Event()
    done: list[frozenset[str]] = []

    def do(wanted: frozenset[str]) -> None:
        done.append(wanted)
        begun.set()
        assert go_on.wait(5)
        if len(done) == 2:
            over.set()

    errand = Errand("read", pool, do)
    errand.want("poll")
    assert begun.wait(5)
    for _ in range(10):
        errand.want("poll")
    errand.want("hear")
    go_on.set()
    assert over.wait(5)
    assert done == [frozenset({"poll"}), frozenset({"poll", "hear"})]


def test_D10_what_is_wanted_while_it_is_done_is_done_after_that_by_one_thread(pool: ThreadPoolExecutor) -> None:
    begun, end = Event(), Event()
    done: list[frozenset[int]] = []

    def do(wanted: frozenset[int]) -> None:
        begun.set()
        assert end.wait(5)
        done.append(wanted)

    errand = Errand("send", pool, do)
    errand.want(1)
    assert begun.wait(5)
    errand.want(2)
    others = Barrier(3, timeout=2)
    for one in [pool.submit(others.wait) for _ in range(3)]:
        one.result(5)  # all threads but one are free to meet
    end.set()
    pool.shutdown(wait=True)
    assert done == [{1}, {2}]


def test_H6_D10_one_thread_at_a_time_whoever_wants_it(pool: ThreadPoolExecutor) -> None:
    inside, most, lock = 0, 0, Lock()
    count = 0

    def do(_wanted: frozenset[int]) -> None:
        nonlocal inside, most, count
        with lock:
            inside += 1
            most = max(most, inside)
            count += 1
        with lock:
            inside -= 1

    errand = Errand("send", pool, do)
    together = Barrier(4)

    def want() -> None:
        together.wait(5)
        for number in range(500):
            errand.want(number)

    with ThreadPoolExecutor(4) as wanters:
        for wish in [wanters.submit(want) for _ in range(4)]:
            wish.result(20)
    pool.shutdown(wait=True)
    assert (most, errand.is_idle) == (1, True)
    assert count >= 1


def test_what_is_wanted_as_the_work_ends_is_not_lost(pool: ThreadPoolExecutor) -> None:
    """A wish that falls between the last look and the end would wait for the next one, perhaps for ever."""
    seen: set[int] = set()
    errand = Errand("read", pool, seen.update)
    for number in range(2000):
        errand.want(number)
    pool.shutdown(wait=True)
    assert seen == set(range(2000))


def test_an_errand_that_ended_begins_no_more(pool: ThreadPoolExecutor) -> None:
    done: list[frozenset[str]] = []
    errand = Errand("read", pool, done.append)
    errand.end()
    errand.want("poll")
    pool.shutdown(wait=True)
    assert (done, errand.is_idle) == ([], True)


def test_a_closed_pool_is_no_error(pool: ThreadPoolExecutor) -> None:
    errand: Errand[str] = Errand("read", pool, lambda _: None)
    pool.shutdown(wait=True)
    errand.want("poll")
    assert errand.is_idle


def test_Z5_how_long_the_work_under_way_has_not_moved_can_be_told(pool: ThreadPoolExecutor) -> None:
    begun, move, moved, go_on = Event(), Event(), Event(), Event()

    def do(_wanted: frozenset[str]) -> None:
        begun.set()
        assert move.wait(5)
        errand.moves()
        moved.set()
        assert go_on.wait(5)

    errand = Errand("read", pool, do)
    assert (errand.still_for_s(), errand.is_under_way) == (0, False)
    errand.want("poll")
    assert begun.wait(5)
    assert errand.is_under_way
    while (long := errand.still_for_s()) < 0.3:
        pass
    move.set()
    assert moved.wait(5)
    assert errand.still_for_s() < long
    assert not errand.is_idle
    go_on.set()
    pool.shutdown(wait=True)
    assert (errand.still_for_s(), errand.is_under_way) == (0, False)


def test_Z5_an_errand_that_failed_is_told_and_done_again(pool: ThreadPoolExecutor) -> None:
    told: list[Exception] = []
    done: list[frozenset[str]] = []

    def do(wanted: frozenset[str]) -> None:
        done.append(wanted)
        if len(done) == 1:
            raise ValueError("once")

    errand = Errand("read", pool, do, told.append)
    errand.want("poll")
    while not errand.is_idle:
        pass
    errand.want("poll")
    pool.shutdown(wait=True)
    assert ([type(err) for err in told], len(done), errand.is_idle) == ([ValueError], 2, True)

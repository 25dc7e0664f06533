"""Promises about shops over HTTP: whatever the wire and the host do, the right error is raised and nothing is lost."""
# ruff: noqa: N802  names carry rows of the failure list

from __future__ import annotations

import logging
import threading
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from typing import Final

import pytest

from connector.sources.base import Malformed, SourceError, Throttled, Unauthorised, Unreachable
from connector.testing import faults
from connector.testing.promise import Need, Promises, promise
from connector.testing.promises_of_orders import done
from connector.testing.shop_server import Fault, Response, ShopServer
from connector.testing.visit import NOW, Reading, Visit

NO_ANSWER: Final = (Unreachable, Malformed)
"""What came is no answer of this shop: wait, or call a person. Never "no orders"."""

LONGEST_PAUSE: Final = timedelta(minutes=15)
MOST_BYTES: Final = 128 * faults.MEGABYTE
HANGS_S: Final = 8.0


class WirePromises(Promises):
    @promise(Need.WIRE)
    def test_P1_a_shop_that_can_not_be_reached_is_unreachable(self, visit: Visit) -> None:
        """Connection refused, or closed without a word: Unreachable, and the cursor kept before loses nothing."""
        placed = set(visit.place(9))
        told = done(visit.read())
        visit.server.refuse()
        for refused in all_ways(visit, told):
            assert isinstance(refused.error, Unreachable), refused.error
        visit.server.mend()
        assert done(visit.read()).ids == placed
        Meeting(visit).everywhere(faults.hang_up(), Unreachable)

    @promise(Need.WIRE)
    def test_P2_an_answer_that_is_cut_is_thrown_away_whole(self, visit: Visit) -> None:
        """The connection breaks in an answer, at any place: Unreachable; nothing of half a page counts."""
        visit.place(9)
        meeting = Meeting(visit)
        for at in (0, 1, 100, None):
            meeting.everywhere(faults.cut(at), Unreachable)

    @promise(Need.WIRE)
    def test_P3_an_answer_that_stalls_or_drips_ends_at_the_deadline(self, visit: Visit) -> None:
        """One deadline for a whole call: a silent shop, and one that sends a byte now and then, are given up."""
        visit.place(9)
        for fault in (faults.stall(), faults.stall(0), faults.drip()):
            with self.short_deadline(), unless_it_hangs(visit):
                visit.server.fail(fault)
                told = visit.read()
            visit.server.mend()
            assert isinstance(told.error, Unreachable), told.error or "it waited for the whole answer"

    @promise(Need.WIRE)
    def test_P4_a_shop_that_asks_for_patience_gets_it(self, visit: Visit) -> None:
        """429: Throttled until the time asked for, never before now, never later than in a quarter of an hour."""
        visit.place(9)
        date = format_datetime(NOW, usegmt=True)
        later = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
        exact = {"120": 120, "1": 1, later: 90}
        meeting = Meeting(visit)
        for asked in ("120", "1", later, None, "-5", "0", "soon", "1e3", "1000000000", " ", "12h"):
            meet = meeting.everywhere if asked == "120" else meeting.at_once
            for told in meet(faults.throttles(asked, date), Throttled):
                assert isinstance(told.error, Throttled)
                pause = told.error.until - told.ended
                assert timedelta() < pause <= LONGEST_PAUSE, (asked, pause)
                if asked in exact:
                    assert abs(pause - timedelta(seconds=exact[asked])) <= timedelta(seconds=2), (asked, pause)

    @promise(Need.WIRE)
    def test_P6_refused_credentials_stop_the_store(self, visit: Visit) -> None:
        """401 and 403, JSON or not: Unauthorised, at the first call and at any later one."""
        visit.place(9)
        meeting = Meeting(visit)
        for fault in (faults.says(401, b"{}"), faults.page(403)):
            meeting.everywhere(fault, Unauthorised)
        for fault in (faults.says(403, b""), faults.page(401)):
            meeting.at_once(fault, Unauthorised)

    @promise(Need.WIRE)
    def test_P7_an_error_of_the_host_is_never_no_orders(self, visit: Visit) -> None:
        """5xx, an HTML page or an empty answer with 200: an error, never an empty list."""
        visit.place(9)
        meeting = Meeting(visit)
        meeting.everywhere(faults.page(500), Unreachable)
        meeting.everywhere(faults.page(404), SourceError)
        for fault in (faults.page(), faults.nothing(), *(faults.says(200, body) for body in NO_LISTS)):
            meeting.everywhere(fault, *NO_ANSWER)
        for fault in (*map(faults.page, (502, 503, 504)), faults.says(500, b'{"errors":"oh"}')):
            meeting.at_once(fault, Unreachable)
        meeting.at_once(faults.page(400), SourceError)
        for body in NO_JSON:
            meeting.at_once(faults.says(200, body), *NO_ANSWER)

    @promise(Need.WIRE)
    def test_P10_P27_a_redirect_is_not_followed(self, visit: Visit) -> None:
        """A redirect is refused: the other host hears nothing, so that credentials go nowhere else."""
        visit.place(9)
        with ShopServer(lambda _: Response(200, b"{}")) as other:
            meeting = Meeting(visit)
            meeting.everywhere(faults.redirects(other.url, 301), SourceError)
            meeting.everywhere(faults.redirects(visit.server.url, 302), SourceError)
            for status in (301, 302, 303, 307, 308):
                for target in (other.url, visit.server.url):
                    meeting.at_once(faults.redirects(target, status), SourceError)
            assert other.heard == []

    @promise(Need.WIRE)
    def test_P25_an_endless_answer_or_a_gzip_bomb_is_cut_off_in_flat_memory(self, visit: Visit) -> None:
        """An answer of 500 MB, plain or packed, is dropped at a limit, and is an error."""
        visit.place(9)
        for fault in (faults.huge(), faults.gzip_bomb()):
            tracemalloc.start()
            try:
                visit.server.fail(fault)
                told = visit.read()
                height = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            visit.server.mend()
            assert isinstance(told.error, NO_ANSWER), told.error
            assert height < MOST_BYTES, f"{height // faults.MEGABYTE} MB"

    @promise(Need.WIRE)
    def test_P26_text_that_is_no_utf8_is_never_quietly_mended(self, visit: Visit) -> None:
        """Bytes that are no UTF-8 make an error or a held order, never a name with a hole in it."""
        visit.place(3)
        visit.server.fail(faults.not_utf8())
        told = visit.read()
        assert told.error is None or isinstance(told.error, NO_ANSWER)
        assert told.error or told.alerts or told.held == told.ids != set()

    @promise(Need.WIRE)
    def test_P28_the_environment_leads_nobody_astray(self, visit: Visit) -> None:
        """Proxies and bundles of the environment are not used: the shop is called, and no one else."""
        placed = set(visit.place(3))
        with ShopServer(lambda _: Response(200, b"{}")) as other, pytest.MonkeyPatch.context() as patch:
            for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
                patch.setenv(name, other.url)
            for name in ("NO_PROXY", "no_proxy"):
                patch.setenv(name, "")
            patch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
            assert done(visit.read()).ids == placed
            assert other.heard == []

    @promise(Need.WIRE)
    def test_trap_L12_a_list_that_never_ends_is_left(self, visit: Visit) -> None:
        """A shop that gives the same page for ever ends in an error or an end, and what it hid is read later."""
        placed = set(visit.place(23))
        stuck = faults.Stuck()
        visit.server.fail(stuck)
        told = visit.read()
        visit.server.mend()
        assert not stuck.never_ended, "the same page was read again and again"
        assert told.ids | done(visit.read_on(told.cursor)).ids == placed

    @promise(Need.WIRE)
    def test_errors_are_passing_and_the_next_run_sees_all(self, visit: Visit) -> None:
        """One bad moment in a run, at any call: whether the source tries again or raises, nothing is lost."""
        placed = set(visit.place(9))
        for fault in (faults.page(503), faults.hang_up(), faults.throttles("2"), faults.page(), faults.cut()):
            for after in range(calls_of(visit)):
                visit.server.fail(fault, times=1, after=after)
                told = visit.read()
                visit.server.mend()
                assert told.ids | done(visit.read(told.cursor)).ids == placed

    @promise(Need.WIRE)
    def test_no_secret_is_written_anywhere(self, visit: Visit) -> None:
        """Not in an error, not in a log line at its chattiest, whatever fault comes."""
        visit.place(5)
        assert visit.secrets, "the shop double names no credentials by reference (env:NAME or file:PATH)"
        good = done(visit.read())
        with listening() as lines:
            for fault in faults.TROUBLES:
                visit.server.fail(fault)
                for _ in all_ways(visit, good):
                    pass
        visit.refuse_secrets(*lines)


WAYS: Final = ("pages", "sweep", "reread")

NO_LISTS: Final = (b"null", b"{}", b'""', b"0", b"true", b"[[]]", b"[null]", b'{"message":"maintenance"}')
"""Bodies with 200 that are JSON and no list of orders. `[]` may be one."""

NO_JSON: Final = (b"{", b"\x00", b"[" * 200_000, b'{"a":' * 100_000)
"""Bodies with 200 that are no JSON, the last two too deep for any reader."""


class Meeting:
    """A shop that was read in peace, and what its source makes of faults from then on.

    good   what the reading in peace told
    calls  how many calls such a reading takes
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.good = done(visit.read())
        self.calls = calls_of(visit)

    def everywhere(self, fault: Fault, *errors: type[SourceError]) -> list[Reading]:
        """Every way of reading meets this fault, at its first call and later ones, with one of these errors, and loses
        nothing by it."""
        met: list[Reading] = []
        for after in sorted({0, self.calls // 2, self.calls - 1}):
            told = self._read(fault, after)
            met.append(raised(told, errors, f"call {after + 1} of {self.calls}"))
            assert told.ids | done(self._visit.read(told.cursor)).ids == self.good.ids, "an order was lost by an error"
        self._visit.server.fail(fault)
        met += [raised(told, errors, way) for way, told in zip(WAYS, all_ways(self._visit, self.good), strict=False)]
        self._visit.server.mend()
        return met

    def at_once(self, fault: Fault, *errors: type[SourceError]) -> list[Reading]:
        """The first call of a reading meets this fault, with one of these errors. For faults that are read as one that
        was met everywhere is."""
        return [raised(self._read(fault, 0), errors, "call 1")]

    def _read(self, fault: Fault, after: int) -> Reading:
        self._visit.server.fail(fault, after=after)
        told = self._visit.read()
        self._visit.server.mend()
        return told


def all_ways(visit: Visit, good: Reading) -> Iterator[Reading]:
    """Each way of reading a shop, once, for a shop that was read before."""
    yield visit.read(good.cursor)
    if visit.is_live:
        yield visit.sweep()
        yield visit.reread(sorted(good.ids))


def raised(told: Reading, errors: Iterable[type[SourceError]], where: str) -> Reading:
    names = " or ".join(error.__name__ for error in errors)
    assert told.error, f"{where}: no error but {len(told.ids)} orders, gone {sorted(told.gone)}; expected {names}"
    assert isinstance(told.error, tuple(errors)), (
        f"{where}: {type(told.error).__name__}, expected {names}: {told.error}"
    )
    return told


def calls_of(visit: Visit) -> int:
    """How many calls a whole reading takes."""
    before = len(visit.server.heard)
    done(visit.read())
    return len(visit.server.heard) - before


@contextmanager
def unless_it_hangs(visit: Visit) -> Iterator[None]:
    """Lets a shop go on that a source would wait for without end; its promise then fails by what it read."""
    began = time.monotonic()
    timer = threading.Timer(HANGS_S, visit.server.mend)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
    assert time.monotonic() - began < HANGS_S, "the call had no deadline"


@contextmanager
def listening() -> Iterator[list[str]]:
    """Every line logged meanwhile, by anyone, at any level."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    listener, root = Listener(), logging.getLogger()
    before = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(before)
        root.removeHandler(listener)

"""What is stuck and what only takes long: a job that shows signs of life is not to be ended by whoever watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connector import log, opening
from connector.config import load_stores
from connector.daemon import daemon as room
from connector.daemon.daemon import Daemon
from connector.ledger.connection import open_ledger
from connector.sandbox.handle import Sandbox
from connector.sources.base import Page
from tests.daemon.running import Place, until
from tests.daemon.test_daemon import gss as gss
from tests.daemon.test_daemon import has
from tests.daemon.test_daemon import one_sandbox as one_sandbox
from tests.daemon.test_daemon import place as place

STEP_S = 0.25
STEPS = 12
STUCK_AFTER_S = 1.5
"""Half of what all steps take, and six times what one takes."""


@contextmanager
def daemon_in(place: Place) -> Iterator[Daemon]:
    with open_ledger(place.state) as ledger:
        made = Daemon(place.config, place.state, ledger, log.logger())
        try:
            made.begin(load_stores(place.config))
            yield made
        finally:
            assert made._stop()


@pytest.fixture(autouse=True)
def impatient(place: Place, gss: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "STUCK_AFTER_S", STUCK_AFTER_S)
    monkeypatch.setenv("GSS_KEY", gss.key)
    monkeypatch.chdir(place.folder)
    place.store("kiwi")


class SlowShop:
    """Reads page after page, each after a while. silent: only the first page ever comes."""

    kind = "csv"

    def __init__(self, *, silent: bool = False) -> None:
        self._step_s = STEP_S * STEPS if silent else STEP_S
        self._steps = 1 if silent else STEPS
        self.is_over = False

    def pages(self, _cursor: str) -> Iterator[Page]:
        for _ in range(self._steps):
            time.sleep(self._step_s)
            yield Page((), "")
        self.is_over = True


def stuck_meanwhile(daemon: Daemon, shop: SlowShop) -> set[str]:
    seen: set[str] = set()
    while not shop.is_over:
        seen.update(daemon.stuck())
        time.sleep(0.02)
    return seen


@pytest.mark.parametrize(("silent", "stuck"), [(False, set()), (True, {"read kiwi"})])
def test_Z5_a_long_reading_is_stuck_only_when_no_page_comes(
    place: Place, monkeypatch: pytest.MonkeyPatch, *, silent: bool, stuck: set[str]
) -> None:
    shop = SlowShop(silent=silent)

    @contextmanager
    def source_of(*_: object) -> Iterator[SlowShop]:
        yield shop

    monkeypatch.setattr(opening, "source_of", source_of)
    with daemon_in(place) as daemon:
        daemon.roster.readers["kiwi"].poll()
        assert stuck_meanwhile(daemon, shop) == stuck


def test_Z5_a_long_backlog_is_not_stuck_while_calls_are_answered(place: Place, gss: Sandbox) -> None:
    """A hundred and twenty orders in calls of ten, a quarter of a second each."""
    place.export("kiwi", *range(1, 10 * STEPS + 1))
    gss.fault("slow", seconds=STEP_S, times=None)
    with daemon_in(place) as daemon:
        daemon.roster.readers["kiwi"].poll()
        seen: set[str] = set()

        def all_sent() -> bool:
            seen.update(daemon.stuck())
            return len(gss.orders()) == 10 * STEPS

        until(all_sent, "the backlog at GSS")
        assert seen == set()
    assert has(gss, "KIWI-#1")


def test_Z5_no_sign_of_life_goes_out_while_a_job_is_stuck(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    with daemon_in(place) as daemon:
        monkeypatch.setattr(daemon._notify, "alive", lambda: told.append("alive"))
        monkeypatch.setattr(daemon, "stuck", lambda: ["read kiwi"])
        daemon._look(1)
        assert told == []
        monkeypatch.setattr(daemon, "stuck", list)
        daemon._look(2)
    assert told == ["alive"]

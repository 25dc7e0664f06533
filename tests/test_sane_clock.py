"""A clock that was never set: nothing is signed, believed or opened by it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector import running, sane_clock
from connector.check import clock
from connector.exit_codes import Code
from connector.web import apart
from tests.store_files import GOOD

BOOT = datetime(1970, 1, 1, 0, 0, 40, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class StillUnset(Exception):
    """Whoever waits for the clock has waited once more."""


class Log:
    def __init__(self) -> None:
        self.told: list[str] = []

    def error(self, event: str, *, why: str) -> None:
        self.told.append(why)


def test_H4_it_waits_until_the_clock_is_set_and_says_so_once() -> None:
    times = iter([BOOT, BOOT, BOOT + timedelta(seconds=1), NOW])
    waits: list[float] = []
    told: list[str] = []
    sane_clock.wait_until_set(lambda: next(times), waits.append, told.append)
    assert waits == [1.0, 1.0]
    [why] = told
    assert why.startswith(
        "this machine's clock says 1970-01-01 00:00 UTC, which is before this program was made. Set it"
    )


def test_H4_a_clock_that_is_set_is_waited_for_by_nobody() -> None:
    sane_clock.wait_until_set(lambda: NOW, lambda _: pytest.fail("it waited"), lambda _: pytest.fail("it complained"))


def test_H4_a_daemon_that_boots_at_1970_opens_nothing_before_the_clock_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    monkeypatch.setattr(running, "_now", lambda: BOOT)
    monkeypatch.setattr(time, "sleep", stop)
    with pytest.raises(StillUnset):
        running.run(one_store_in(tmp_path), tmp_path / "state", log)
    assert len(log.told) == 1
    assert not (tmp_path / "state").exists()


def test_H4_nor_does_a_receiver_apart_which_could_judge_no_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(apart, "_now", lambda: BOOT)
    monkeypatch.setattr(time, "sleep", stop)
    with pytest.raises(StillUnset):
        apart.receive(one_store_in(tmp_path), tmp_path / "state", told.append, listen="", hosts=(), quota=1)
    assert len(told) == 1
    assert not (tmp_path / "state").exists()


def test_H4_check_names_it_and_what_it_leads_to() -> None:
    [found] = clock(BOOT)
    assert found.code is Code.UNREACHED
    assert "certificates seem not valid yet" in found.mend
    assert list(clock(NOW)) == []


def stop(_: float) -> None:
    raise StillUnset


def one_store_in(folder: Path) -> Path:
    config = folder / "config"
    config.mkdir()
    (config / "kiwi.toml").write_text(GOOD)
    return config

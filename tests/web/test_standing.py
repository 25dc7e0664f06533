"""A monitor outside asks /health: it is told when the work behind the answers no longer goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import log
from connector.daemon import daemon as room
from connector.daemon.daemon import Daemon
from connector.ledger.connection import open_ledger
from connector.web.beside import BesideDaemon
from connector.web.server import listener, served
from tests.web.knocking import Answer, Door, Host, config_in


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """One without stores, whose loop is turned by hand."""
    with open_ledger(tmp_path / "state") as ledger:
        made = Daemon(tmp_path / "config", tmp_path / "state", ledger, log.logger())
        yield made
        made._stop()


def health(daemon: Daemon, folder: Path) -> Answer:
    with served(BesideDaemon(daemon), listener("127.0.0.1:0")) as web:
        return Door(web, Host(folder / "config", folder / "state")).ask("/health")


def test_Z11_health_is_an_error_once_the_loop_no_longer_looks_around(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_in(tmp_path)
    daemon._look(1)
    assert health(daemon, tmp_path).status == 200
    monkeypatch.setattr(room, "STANDS_STILL_AFTER_S", 0.01)
    time.sleep(0.02)
    answer = health(daemon, tmp_path)
    assert (answer.status, answer.body) == (503, b"the daemon no longer looks around\n")
    monkeypatch.setattr(room, "STANDS_STILL_AFTER_S", 60.0)
    daemon._look(2)
    assert health(daemon, tmp_path).status == 200


def test_Z11_health_is_an_error_while_a_job_hangs(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_in(tmp_path)
    daemon._look(1)
    monkeypatch.setattr(daemon, "stuck", lambda: ["read kiwi"])
    answer = health(daemon, tmp_path)
    assert (answer.status, answer.body) == (503, b"a job no longer moves\n"), "and no store is named"

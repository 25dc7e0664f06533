"""How the daemon's process ends: what the system that keeps it running is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connector import running
from connector.daemon.daemon import Daemon
from connector.exit_codes import Code
from connector.log import logger
from tests.daemon.running import Place


@pytest.mark.parametrize(("fatal", "code"), [("the ledger is damaged", Code.UNREACHED), ("", Code.DONE)])
def test_L4_L10_a_call_that_nobody_answers_hides_no_unfit_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal: str, code: Code
) -> None:
    """The process leaves without waiting for that call's thread. After an end with 0 nobody would start it again."""

    def cut_short(daemon: Daemon) -> bool:
        daemon.house.fatal = fatal
        daemon._stop()
        return False

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(Daemon, "begin", lambda *_: None)
    monkeypatch.setattr(Daemon, "run", cut_short)
    monkeypatch.setattr(os, "_exit", leave)
    place = Place(tmp_path, "http://127.0.0.1:9")
    place.store("kiwi")
    monkeypatch.setenv("GSS_KEY", "key")
    with pytest.raises(SystemExit) as left:
        running.run(place.config, place.state, logger())
    assert left.value.code == code

"""What a job of the daemon is given of the outside world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connector.daemon.house import House


def test_S28_a_job_that_waits_is_told_when_we_are_to_stop() -> None:
    nobody: Any = None
    house = House(Path(), nobody, nobody, nobody, nobody, nobody, nobody)
    hooks = house.hooks(lambda: None, lambda: True)
    assert not hooks.wait(0)
    house.stopping.set()
    assert hooks.wait(60)

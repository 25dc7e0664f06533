"""What a job of the daemon is given of the outside world."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from connector.daemon.house import House


def test_S28_a_job_that_waits_is_told_when_we_are_to_stop() -> None:
    nobody: Any = None
    house = House(Path(), nobody, nobody, nobody, nobody, nobody, nobody)
    hooks = house.hooks(lambda: None, lambda: True)
    assert not hooks.wait(0)
    house.stopping.set()
    assert hooks.wait(60)


def test_L4_damage_that_a_read_meets_is_told_as_that_and_ends_the_daemon(tmp_path: Path) -> None:
    (tmp_path / "damaged.db").write_bytes(b"no database at all" * 100)
    told: list[str] = []
    nobody: Any = None
    log: Any = SimpleNamespace(error=lambda _what, why: told.append(why))
    house = House(tmp_path, nobody, nobody, nobody, nobody, nobody, log)

    def read() -> None:
        with closing(sqlite3.connect(tmp_path / "damaged.db")) as db:
            db.execute("SELECT 1 FROM sqlite_schema")

    house.guarded(read)
    assert "damaged" in house.fatal
    assert told == [house.fatal]

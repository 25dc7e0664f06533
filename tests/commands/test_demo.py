"""`connector demo`: everything it promises is kept, and it says so only when it is."""

from __future__ import annotations

from connector import demo
from connector.exit_codes import Code
from tests.commands.desk import Desk


def test_every_promise_is_kept_and_shown(desk: Desk) -> None:
    said = desk("demo")
    assert (said.code, said.err) == (0, "")
    kept = [line for line in said.out.splitlines() if line.startswith("ok: ")]
    assert kept == [
        "ok: 49 orders read, 30 slips at GoSweetSpot, each made once",
        "ok: 0 PUTs and DELETEs in this run",
        "ok: #1003 has its new address at GoSweetSpot, and is still one order",
        "ok: #1005 is gone from GoSweetSpot",
        "ok: #1016 and #1030 are there",
        "ok: #1002 is late, and a person is told",
    ]
    assert " things wait for a person:" in said.out
    for words in ("held", "skip", "wait", "confirmed", "withdrawn", 'The country "Atlantis" is not known', "What next"):
        assert words in said.out


def test_a_promise_that_breaks_ends_with_1(desk: Desk, monkeypatch: object) -> None:
    import pytest

    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    monkeypatch.setattr(demo, "TICKETED", "#1001")
    said = desk("demo")
    assert said.code == Code.WAITS
    assert "BROKEN: #1001 is late" in said.out


def test_a_kept_folder_can_be_looked_at_with_the_other_commands(desk: Desk) -> None:
    assert desk("demo", "--keep", "kept").code == 0
    where = ("--config", "kept/config", "--state", "kept/state")
    assert "late" in desk("explain", "#1002", *where).out
    assert desk("status", *where).code == 1
    assert (desk.folder / "kept" / "sandbox.db").exists()
    said = desk("demo", "--keep", "kept")
    assert (said.code, "kept is not empty" in said.err) == (2, True)


def test_it_leaves_nothing_behind(desk: Desk) -> None:
    desk("demo")
    assert sorted(path.name for path in desk.folder.iterdir()) == ["config"]

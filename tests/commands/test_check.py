"""`connector check`: every problem at once, each with its mend; and that it changes nothing."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from connector.check import disk, how_it_is_kept, ledger
from connector.exit_codes import Code
from connector.ledger import connection
from connector.sandbox.handle import Sandbox
from tests.commands.desk import Desk, order


def test_all_is_well(kiwi: Desk) -> None:
    kiwi("sync")
    before = kiwi.fingerprint()
    said = kiwi("check")
    assert said.code == 0
    assert {line[:7] for line in said.out.splitlines()} == {"ok     "}
    assert "the shop can be read: 2 orders on its first page, first #1001" in said.out
    assert "takes the key" in said.out
    assert kiwi.fingerprint() == before


def test_before_the_first_sync_it_makes_no_ledger(kiwi: Desk) -> None:
    assert kiwi("check").code == 0
    assert not (kiwi.folder / "state").exists()


def test_every_problem_is_told_at_once(desk: Desk) -> None:
    desk.store("kiwi", prefix="K-", key="NOT_SET")
    desk.store("moa", prefix="M-", more="prefixx = 1")
    desk.store("tui", prefix="T-")
    (desk.folder / "exports" / "tui").rmdir()
    said = desk("check")
    assert said.code == 2
    problems = [line for line in said.out.splitlines() if line.startswith("problem")]
    assert [
        any(word in line for line in problems)
        for word in ("config/moa.toml: 1 problem", "env:NOT_SET is not set", "there is no folder")
    ] == [True] * 3
    assert "         Set it for the service, or use file:PATH." in said.out


def test_a_wrong_key_is_told_and_offline_it_is_not_asked_for(
    kiwi: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_KEY", "not-the-key")
    said = kiwi("check")
    assert (said.code, "does not accept the key" in said.out) == (3, True)
    calls = len(sandbox.requests())
    assert kiwi("check", "--offline").code == 0
    assert len(sandbox.requests()) == calls


def test_stores_that_share_a_key_ask_once(desk: Desk, sandbox: Sandbox) -> None:
    desk.store("kiwi", prefix="K-")
    desk.store("moa", prefix="M-")
    desk("check")
    assert sandbox.counts()["gets"] == 1


def test_an_export_that_cannot_be_read_is_a_problem(kiwi: Desk) -> None:
    (kiwi.folder / "exports" / "kiwi" / "orders_2026-11-01.csv").write_text('Id,Number\n1,"#1\n')
    assert kiwi("check").code == 2


def test_a_damaged_ledger_is_told(kiwi: Desk) -> None:
    kiwi("sync")
    (kiwi.folder / "state" / "ledger.db").write_bytes(b"no ledger at all" * 100)
    said = kiwi("check")
    assert (said.code, "the ledger is damaged" in said.out) == (3, True)
    assert kiwi("ledger", "check").code == 3


def test_a_clock_before_the_last_run_is_told(kiwi: Desk) -> None:
    kiwi("sync")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    findings = list(ledger(kiwi.folder / "state", yesterday))
    assert [finding.code for finding in findings if finding.about == "clock"] == [Code.UNREACHED]


def test_a_full_disk_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000_000))
    [finding] = disk(tmp_path / "not" / "there")
    assert (finding.code, "Make space" in finding.mend) == (Code.UNREACHED, True)


def test_SEC43_it_says_which_journal_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "journal" in how_it_is_kept()
    monkeypatch.setattr(connection, "wal_is_sound", lambda: True)
    monkeypatch.setattr(connection, "journal", lambda: ("wal", "full"))
    assert how_it_is_kept().endswith("journal wal, synchronous full, since its WAL is sound")
    monkeypatch.setattr(connection, "wal_is_sound", lambda: False)
    monkeypatch.setattr(connection, "journal", lambda: ("delete", "extra"))
    assert how_it_is_kept().endswith("since WAL of this version can corrupt a file used by several connections")


def test_findings_are_json_lines_too(desk: Desk) -> None:
    desk.store()
    desk.export(order(1))
    assert {finding["code"] for finding in desk("check", "--json").values} == {0}

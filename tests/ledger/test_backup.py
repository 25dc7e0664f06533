"""Backups: always whole or not there, private, and never in the place of the last good one before they are proven."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.ledger import backup
from connector.ledger.backup import back_up, check_file
from connector.ledger.connection import Ledger, LedgerError, open_ledger
from tests.faults.strace import KILLED, needs_strace, under_strace
from tests.ledger.given import an_order, sent, states, the_shop_shows

PROGRAM = "tests.faults.backup"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "state") as ledger:
        the_shop_shows(ledger, *(an_order(str(i)) for i in range(20)))
        yield ledger


def orders_in(path: Path) -> int:
    db = sqlite3.connect(path)
    found = int(db.execute("SELECT count(*) FROM slips").fetchone()[0])
    db.close()
    return found


def test_a_backup_put_in_the_place_of_the_ledger_goes_on_where_it_was(tmp_path: Path, ledger: Ledger) -> None:
    sent(ledger)
    copy = back_up(ledger, tmp_path / "copy.db")
    restored = tmp_path / "other"
    restored.mkdir(mode=0o700)
    copy.rename(restored / "ledger.db")
    with open_ledger(restored) as again:
        assert states(again) == states(ledger)
        assert sent(again) == []


def test_a_backup_is_ours_alone_and_leaves_nothing_beside_it(tmp_path: Path, ledger: Ledger) -> None:
    target = back_up(ledger, tmp_path / "copy.db")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "state"]


def test_a_place_that_cannot_even_be_looked_at_is_told_as_any_other(tmp_path: Path, ledger: Ledger) -> None:
    """A folder of root's, for one; a name that is too long fails alike, for root too."""
    with pytest.raises(LedgerError, match="the backup could not be written"):
        back_up(ledger, tmp_path / ("x" * 300))


def test_K5_a_backup_that_does_not_pass_its_check_never_replaces_the_last_one(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = back_up(ledger, tmp_path / "copy.db")
    good = target.read_bytes()

    def damaging(source: sqlite3.Connection, partial: Path) -> None:
        whole = good
        partial.write_bytes(whole[: len(whole) // 2] + b"noise" * 900 + whole[len(whole) // 2 + 4500 :])

    monkeypatch.setattr(backup, "_copy", damaging)
    with pytest.raises(LedgerError, match=r"copy\.db: the backup did not pass its check .*the last one was kept"):
        back_up(ledger, target)
    assert target.read_bytes() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "state"]


def test_K5_a_copy_with_fewer_slips_than_the_ledger_is_no_backup(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_ledger(tmp_path / "empty") as empty:
        monkeypatch.setattr(backup, "_versions", lambda db: 0 if db is not ledger.db else 20)
        with pytest.raises(LedgerError, match="fewer slips"):
            back_up(ledger, tmp_path / "copy.db")
        assert not (tmp_path / "copy.db").exists()
        back_up(empty, tmp_path / "copy.db")


@pytest.mark.parametrize("what", ["truncated", "noise", "missing", "text"])
def test_K5_a_damaged_backup_is_told_by_its_check(tmp_path: Path, ledger: Ledger, what: str) -> None:
    target = back_up(ledger, tmp_path / "copy.db")
    whole = target.read_bytes()
    assert check_file(target) == []
    if what == "missing":
        target.unlink()
    else:
        damaged = {"truncated": whole[:-4096], "noise": whole[:4096] + b"noise" * 820 + whole[8196:], "text": b"text"}
        target.write_bytes(damaged[what])
    assert check_file(target) != []


def test_K4_a_backup_taken_while_others_write_is_a_moment_of_theirs_and_comes_to_an_end(
    tmp_path: Path, ledger: Ledger
) -> None:
    """Each page holds two orders and its cursor: a copy with half a page, or a cursor beyond it, would show."""
    stop = threading.Event()

    def write_on() -> None:
        with open_ledger(tmp_path / "state") as own:
            number = 100
            while not stop.is_set():
                the_shop_shows(own, an_order(str(number)), an_order(str(number + 1)), cursor=str(number + 1))
                number += 2

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        for _ in range(5):
            target = back_up(ledger, tmp_path / "copy.db")
            db = sqlite3.connect(target)
            [cursor], [newest], [count] = db.execute(
                "SELECT cursor FROM cursors UNION ALL SELECT max(CAST(order_id AS INTEGER)) FROM slips"
                " UNION ALL SELECT count(*) FROM slips"
            ).fetchall()
            db.close()
            assert int(count) % 2 == 0
            assert cursor == "read" or int(cursor) == newest
    finally:
        stop.set()
        writer.join()


def test_the_ledger_is_no_backup_of_itself(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="this is the ledger itself"):
        back_up(ledger, tmp_path / "state" / ".." / "state" / "ledger.db")
    assert len(states(ledger)) == 20


def test_a_backup_to_a_folder_that_is_not_there_says_so(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match=r"could not be written \(No such file or directory\)"):
        back_up(ledger, tmp_path / "nowhere" / "copy.db")


def with_an_old_backup(folder: Path) -> bytes:
    """A ledger of 30 orders, and a backup made when it had 10."""
    with open_ledger(folder / "state") as ledger:
        the_shop_shows(ledger, *(an_order(str(i)) for i in range(10)))
        back_up(ledger, folder / "backup.db")
        the_shop_shows(ledger, *(an_order(str(i)) for i in range(10, 30)))
    return (folder / "backup.db").read_bytes()


def killed_while_backing_up(call: str, calls: range, tmp_path: Path) -> int:
    for kills, number in enumerate(calls):
        folder = tmp_path / f"{call}-{number}"
        folder.mkdir()
        old = with_an_old_backup(folder)
        ran = under_strace(PROGRAM, folder, f"{call}:signal=SIGKILL:when={number}")
        target = folder / "backup.db"
        if ran.returncode == 0:
            return kills
        assert ran.returncode == KILLED, ran.stderr
        assert target.read_bytes() == old or orders_in(target) == 30
        assert check_file(target) == []
        with open_ledger(folder / "state") as ledger:
            back_up(ledger, target)
        assert sorted(path.name for path in folder.iterdir()) == ["backup.db", "state"]
        assert orders_in(target) == 30
    return len(calls)


@needs_strace
@pytest.mark.parametrize(
    ("call", "first", "step"), [("pwrite64", 3, 17), ("fdatasync", 1, 2), ("fsync", 1, 1), ("rename", 1, 1)]
)
def test_K2_a_backup_killed_at_any_call_is_the_old_one_or_the_new_one_whole(
    tmp_path: Path, call: str, first: int, step: int
) -> None:
    assert killed_while_backing_up(call, range(first, 500, step), tmp_path) >= 1


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync", "rename", "unlink", "openat"])
def test_K2_a_backup_killed_at_every_single_call(tmp_path: Path, call: str) -> None:
    assert killed_while_backing_up(call, range(1, 800), tmp_path) >= 1


@needs_strace
@pytest.mark.parametrize("fault", ["pwrite64:error=ENOSPC:when=5+", "pwrite64:error=EDQUOT:when=9", "fsync:error=EIO"])
def test_K3_on_a_full_disk_the_old_backup_stays_and_it_is_said(tmp_path: Path, fault: str) -> None:
    old = with_an_old_backup(tmp_path)
    ran = under_strace(PROGRAM, tmp_path, fault)
    assert ran.returncode == 3, ran.stderr
    assert "the backup could not be written" in ran.stdout
    assert "the last one was kept" in ran.stdout
    assert (tmp_path / "backup.db").read_bytes() == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.db", "state"]


@needs_strace
def test_K2_a_backup_is_on_the_disk_before_it_takes_its_name_and_its_name_before_it_is_reported(tmp_path: Path) -> None:
    with_an_old_backup(tmp_path)
    log = tmp_path / "calls"
    ran = under_strace(PROGRAM, tmp_path, trace="pwrite64,fdatasync,fsync,rename", log=log, decoded=True)
    assert ran.returncode == 0, ran.stderr
    calls = [line.split(maxsplit=1)[1] for line in log.read_text(encoding="utf-8").splitlines() if "(" in line]
    renamed = next(number for number, call in enumerate(calls) if call.startswith("rename("))
    assert "fsync" in calls[renamed - 1]
    assert "backup.db.tmp>" in calls[renamed - 1]
    assert [call for call in calls[renamed:] if "backup.db" in call] == [calls[renamed]], "nothing written after it"
    assert calls[renamed + 1].startswith("fsync")
    assert f"<{tmp_path}>" in calls[renamed + 1]

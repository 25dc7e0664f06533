"""Backups that can be restored, a restore that hurts nothing, and a drill that proves both."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.keeping import backups, restore
from connector.keeping.backups import backups_in, call_if_old, keep_backups
from connector.keeping.restore import drill
from connector.ledger import fence
from connector.ledger.backup import back_up, check_file
from connector.ledger.connection import Ledger, LedgerError, LedgerFull, open_ledger
from connector.lock import Busy, StoreLock
from tests.faults.strace import KILLED, needs_strace, under_strace
from tests.ledger.given import DAY, HOUR, START, an_order, open_alerts, states, the_shop_shows


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "state", now=START) as ledger:
        the_shop_shows(ledger, *(an_order(str(number)) for number in range(5)))
        yield ledger


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_K9_SEC17_a_backup_is_private_and_its_name_tells_only_when(ledger: Ledger, place: Path) -> None:
    kept = keep_backups(ledger, place, 3, START)
    assert kept.file.endswith("/ledger-2026-05-04T000000Z.db")
    assert stat.S_IMODE(Path(kept.file).stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert names(place) == ["ledger-2026-05-04T000000Z.db"]


def test_only_the_newest_stay_and_strangers_are_left_alone(ledger: Ledger, place: Path) -> None:
    place.mkdir()
    for stranger in ("ledger-monday.db", "ledger-2026-05-04T000000Z.db.txt"):
        (place / stranger).touch()
    removed = [keep_backups(ledger, place, 3, START + day * DAY).removed for day in range(5)]
    assert removed == [0, 0, 0, 1, 1]
    assert [made for made, _ in backups_in(place)] == [START + day * DAY for day in (2, 3, 4)]
    assert len(names(place)) == 5


def test_K5_every_backup_is_opened_and_counted_before_an_old_one_goes(
    ledger: Ledger, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_backups(ledger, place, 1, START)

    def losing(source: Ledger, target: Path) -> Path:
        back_up(source, target)
        db = sqlite3.connect(target, isolation_level=None)
        db.execute("DELETE FROM bodies WHERE version_id = 1")
        db.close()
        return target

    monkeypatch.setattr(backups, "back_up", losing)
    kept = keep_backups(ledger, place, 1, START + DAY)
    assert "fewer rows of bodies than the ledger" in kept.problem
    assert names(place) == ["ledger-2026-05-04T000000Z.db"]
    assert open_alerts(ledger) == ["backup failed"]
    monkeypatch.undo()
    keep_backups(ledger, place, 1, START + 2 * DAY)
    assert (open_alerts(ledger), names(place)) == ([], ["ledger-2026-05-06T000000Z.db"])


def test_K3_where_the_disk_is_full_the_old_backup_stays_and_a_person_is_called(
    ledger: Ledger, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_backups(ledger, place, 1, START)

    def full(source: Ledger, target: Path) -> Path:
        raise LedgerFull("the disk is full")

    monkeypatch.setattr(backups, "back_up", full)
    assert keep_backups(ledger, place, 1, START + DAY).problem == "the disk is full"
    assert names(place) == ["ledger-2026-05-04T000000Z.db"]
    assert open_alerts(ledger) == ["backup failed"]


def test_K3_a_folder_that_can_not_be_made_is_told_and_raises_nothing(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "no backup could be made" in keep_backups(ledger, tmp_path / "file" / "backups", 1, START).problem


def test_K10_a_newest_backup_that_is_too_old_or_missing_calls_a_person(ledger: Ledger, place: Path) -> None:
    oldest = timedelta(hours=26)
    assert "is missing" in call_if_old(ledger, place, oldest, START)
    keep_backups(ledger, place, 3, START)
    assert open_alerts(ledger) == []
    assert call_if_old(ledger, place, oldest, START + 26 * HOUR) == ""
    assert "is of 2026-05-04 00:00 UTC" in call_if_old(ledger, place, oldest, START + 27 * HOUR)
    assert open_alerts(ledger) == ["backup is old"]


def test_K10_a_backup_of_a_time_to_come_stands_for_no_other_and_goes_once_there_are_enough(
    ledger: Ledger, place: Path
) -> None:
    """The clock was ten years ahead for a night."""
    keep_backups(ledger, place, 2, START + 3650 * DAY)
    assert "is missing" in call_if_old(ledger, place, DAY, START)
    assert drill(place, START).problem.endswith("there is no backup to try.")
    assert keep_backups(ledger, place, 2, START).removed == 0
    assert "is of 2026-05-04 00:00 UTC" in call_if_old(ledger, place, DAY, START + 2 * DAY)
    assert drill(place, START + DAY).backup.endswith("/ledger-2026-05-04T000000Z.db")
    assert keep_backups(ledger, place, 2, START + DAY).removed == 1
    assert [made for made, _ in backups_in(place)] == [START, START + DAY]


def restored(place: Path, state: Path, **more: object) -> restore.Restored:
    [*_, (_, newest)] = backups_in(place)
    return restore.restore(newest, state, START + DAY, **more)  # type: ignore[arg-type]


def test_a_restore_puts_the_backup_in_its_place_behind_the_fence_and_keeps_the_old_ledger(
    ledger: Ledger, place: Path, tmp_path: Path
) -> None:
    keep_backups(ledger, place, 3, START)
    the_shop_shows(ledger, an_order("9"))
    ledger.close()
    done = restored(place, tmp_path / "state", stores=["kiwi"])
    assert (done.slips, Path(done.aside).name) == (5, "ledger.before-restore-2026-05-05T000000Z.db")
    assert check_file(Path(done.aside)) == []
    assert stat.S_IMODE(Path(done.aside).stat().st_mode) == 0o600
    with open_ledger(tmp_path / "state") as again:
        assert len(states(again)) == 5
        assert fence.stands(again.db, "kiwi")
    assert names(tmp_path / "state") == ["epoch", "ledger.before-restore-2026-05-05T000000Z.db", "ledger.db", "locks"]


def test_a_restore_waits_for_nobody_who_holds_a_store(ledger: Ledger, place: Path, tmp_path: Path) -> None:
    with ledger.writing() as db:
        db.execute("INSERT INTO stores (store, destination) VALUES ('moa', 'x')")
    keep_backups(ledger, place, 3, START)
    before = (tmp_path / "state" / "ledger.db").stat().st_ino
    with StoreLock(tmp_path / "state", "moa"), pytest.raises(Busy, match="store moa"):
        restored(place, tmp_path / "state")
    assert (tmp_path / "state" / "ledger.db").stat().st_ino == before
    assert not [name for name in names(tmp_path / "state") if "restor" in name]


@pytest.mark.parametrize("ending", ["-journal", "-wal"])
def test_K11_a_journal_beside_the_backup_is_refused(ledger: Ledger, place: Path, tmp_path: Path, ending: str) -> None:
    file = keep_backups(ledger, place, 3, START).file
    Path(f"{file}{ending}").write_bytes(b"of another file")
    with pytest.raises(LedgerError, match="stands beside the backup"):
        restored(place, tmp_path / "state")


@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm"])
def test_K11_a_journal_left_beside_the_old_ledger_goes_aside_with_it(
    ledger: Ledger, place: Path, tmp_path: Path, ending: str
) -> None:
    keep_backups(ledger, place, 3, START)
    ledger.close()
    state = tmp_path / "state"
    (state / "ledger.db").write_bytes(b"damaged" * 1000)
    foreign = state / f"ledger.db{ending}"
    foreign.touch(0o600)
    foreign.write_bytes(b"of the damaged one" * 100)
    done = restored(place, state)
    assert not foreign.exists()
    assert Path(f"{done.aside}{ending}").read_bytes() == b"of the damaged one" * 100
    with open_ledger(state) as again:
        assert len(states(again)) == 5


@pytest.mark.parametrize("damage", ["cut", "text", "missing"])
def test_a_backup_that_is_damaged_changes_nothing(ledger: Ledger, place: Path, tmp_path: Path, damage: str) -> None:
    file = Path(keep_backups(ledger, place, 3, START).file)
    the_shop_shows(ledger, an_order("9"))
    ledger.close()
    whole = file.read_bytes()
    file.write_bytes(whole[:-4096] if damage == "cut" else b"text")
    if damage == "missing":
        file.unlink()
    with pytest.raises(LedgerError):
        restore.restore(file, tmp_path / "state", START)
    with open_ledger(tmp_path / "state") as still:
        assert len(states(still)) == 6
        assert not fence.stands(still.db, "kiwi")


def test_K5_a_drill_restores_the_newest_backup_elsewhere_and_leaves_nothing(
    ledger: Ledger, place: Path, tmp_path: Path
) -> None:
    assert "no backup to try" in drill(place, START).problem
    keep_backups(ledger, place, 3, START)
    before = (tmp_path / "state" / "ledger.db").read_bytes()
    done = drill(place, START)
    assert (done.problem, done.slips) == ("", 5)
    Path(done.backup).write_bytes(Path(done.backup).read_bytes()[:-8192])
    assert "can't be restored" in drill(place, START).problem
    assert names(place) == ["ledger-2026-05-04T000000Z.db"]
    assert (tmp_path / "state" / "ledger.db").read_bytes() == before


PROGRAM = "tests.faults.restore"


@needs_strace
@pytest.mark.parametrize(("call", "first", "step"), [("rename", 1, 1), ("unlink", 1, 1), ("fsync", 1, 1)])
def test_K11_a_restore_killed_at_any_call_leaves_one_of_the_two_ledgers_whole(
    tmp_path: Path, call: str, first: int, step: int
) -> None:
    for number in range(first, 60, step):
        folder = tmp_path / f"{call}-{number}"
        with open_ledger(folder / "state", now=START) as ledger:
            the_shop_shows(ledger, *(an_order(str(one)) for one in range(5)))
            keep_backups(ledger, folder / "backups", 3, START)
            the_shop_shows(ledger, an_order("9"))
        ran = under_strace(PROGRAM, folder, f"{call}:signal=SIGKILL:when={number}")
        with open_ledger(folder / "state", create=False) as found:
            whole = len(states(found))
            assert whole in (5, 6)
            assert fence.stands(found.db, "kiwi") == (whole == 5)
        if ran.returncode == 0:
            assert (whole, number > first) == (5, True)
            return
        assert ran.returncode == KILLED, ran.stderr
        shutil.rmtree(folder)
    pytest.fail("it never ended unharmed")

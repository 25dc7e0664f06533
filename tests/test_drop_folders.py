"""Folders that others write into, and files we put in place: what is no export, what may not be read, two disks."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.inbox.box import Inbox
from connector.keeping.backups import keep_backups
from connector.keeping.restore import drill, restore
from connector.ledger.connection import open_ledger
from tests.ledger.given import START, an_order, count, the_shop_shows
from tests.sources.csv_shop import Shop, order

OTHER_DISK = Path("/dev/shm")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, path="in")


def test_I4_an_export_that_may_not_be_read_is_an_alert_and_the_others_go_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's refusal is played, since root may read everything."""
    for number, name in enumerate(("a.csv", "locked.csv", "z.csv"), 1):
        shop.drop([order(number)], f"in/{name}")
    real = os.open

    def refusing(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if str(path).endswith("locked.csv"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refusing)
    pages = shop.pages()
    assert [one.number for page in pages for one in page.orders] == ["#1", "#3"]
    [alert] = [alert for page in pages for alert in page.alerts]
    assert alert == "in/locked.csv: it cannot be read: Permission denied. Give the connector the right to read it."
    monkeypatch.setattr(os, "open", real)
    assert [one.number for one in shop.orders(pages[-1].cursor)] == ["#2"], "read once it may be"


def test_I5_what_is_no_file_is_never_opened_and_holds_up_no_export(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe nobody writes to would hang the reader, a device never end."""
    shop.options["settle"] = 0
    shop.drop([order(1)], "in/orders.csv")
    opened = opens(monkeypatch)
    folder = shop.folder / "in"
    os.mkfifo(folder / "pipe.csv")
    (folder / "folder.csv").mkdir()
    (folder / "nowhere.csv").symlink_to("gone.csv")
    (folder / "round.csv").symlink_to("round.csv")
    (folder / "device.csv").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s.csv"))
        for name in ("pipe.csv", "folder.csv", "s.csv"):
            shop.touch(folder / name, age=60)
        assert [one.number for one in shop.orders()] == ["#1"]
    assert {Path(each).name for each in opened} & {each.name for each in folder.iterdir()} == {"orders.csv"}


def opens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are opened from here on."""
    real, seen = os.open, list[str]()

    def watching(path: Any, *rest: Any, **more: Any) -> int:
        seen.append(str(path))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", watching)
    return seen


def test_I5_a_pipe_put_in_the_place_of_an_export_after_it_was_seen_does_not_hang(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = shop.drop([order(1)], "in/orders.csv")
    real = os.open

    def swapping(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if str(path) == str(export) and export.is_file():
            export.unlink()
            os.mkfifo(export)
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", swapping)
    assert [one for page in shop.pages() for one in page.orders] == []


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Path]]:
    """Every rename of this process from here on, (from, to); each stays on its file system."""
    seen: list[tuple[Path, Path]] = []

    def watching(real: Callable[..., None]) -> Callable[..., None]:
        def move(source: Any, target: Any, **more: Any) -> None:
            here, there = Path(source), Path(target)
            assert here.stat().st_dev == there.parent.stat().st_dev, f"{here} to {there}"
            seen.append((here, there))
            real(source, target, **more)

        return move

    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, watching(getattr(os, name)))
    return seen


def test_I2_a_file_is_renamed_into_place_from_its_own_folder(tmp_path: Path, moves: list[tuple[Path, Path]]) -> None:
    """A rename across file systems is no single step, or none at all: nothing of ours ever needs one."""
    Inbox.open(tmp_path / "state").close()
    with open_ledger(tmp_path / "state", now=START) as ledger:
        the_shop_shows(ledger, an_order())
        keep_backups(ledger, tmp_path / "backups", 3, START)
    assert {target.name.partition("-20")[0] for _, target in moves} >= {"inbox.sqlite3", "ledger.db", "ledger"}
    assert [(source, target) for source, target in moves if source.parent != target.parent] == []


def test_I2_a_backup_kept_on_another_disk_is_made_tried_and_restored(
    tmp_path: Path, moves: list[tuple[Path, Path]], request: pytest.FixtureRequest
) -> None:
    if not OTHER_DISK.is_dir() or OTHER_DISK.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one file system only")
    place = OTHER_DISK / f"connector-test-{os.getpid()}"
    request.addfinalizer(lambda: remove(place))
    with open_ledger(tmp_path / "state", now=START) as ledger:
        the_shop_shows(ledger, an_order())
        kept = keep_backups(ledger, place, 3, START)
    assert drill(place, START).slips == 1
    restore(Path(kept.file), tmp_path / "state", START)
    with open_ledger(tmp_path / "state", now=START) as ledger:
        assert count(ledger, "slips") == 1
    assert moves


def remove(folder: Path) -> None:
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()

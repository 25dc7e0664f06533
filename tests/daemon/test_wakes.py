"""The look at the inbox is the truth: no word from the system or a receiver is needed for a delivery to be found."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import connector
from connector.daemon import wakes
from connector.daemon.wakes import Wakes
from connector.inbox.box import Inbox
from tests.inbox.given import delivery, opened


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    with opened(tmp_path) as inbox:
        yield inbox


def test_I12_a_delivery_nobody_told_of_is_found_by_the_next_look(inbox: Inbox, tmp_path: Path) -> None:
    """Another process takes it, and every notice of it is lost."""
    woken: list[str] = []
    look = Wakes(inbox, woken.append).look
    look()
    assert woken == []
    with opened(tmp_path) as receiver:
        receiver.add([delivery(1), delivery(2, "moa")])
    look()
    assert sorted(woken) == ["kiwi", "moa"]
    look()
    assert len(woken) == 2, "a look where nothing was written is cheap, and wakes nobody"


def test_I12_what_still_waits_is_wished_for_again_though_nothing_is_written(inbox: Inbox, tmp_path: Path) -> None:
    """A wake that came to nothing (a shop in trouble, a thread that was full) loses no delivery."""
    with opened(tmp_path) as receiver:
        receiver.add([delivery(1)])
    woken: list[str] = []
    looks = Wakes(inbox, woken.append)
    for _ in range(wakes.EVERY + 1):
        looks.look()
    assert woken == ["kiwi", "kiwi"]
    inbox.done([one.id for one in inbox.waiting("kiwi", 10)])
    for _ in range(wakes.EVERY * 2):
        looks.look()
    assert woken == ["kiwi", "kiwi"]


def test_I12_nothing_in_the_program_asks_the_system_to_tell_of_files() -> None:
    """So there is no notice that could overflow or be missing, as on disks that have none."""
    imported = set()
    for file in Path(connector.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    assert "sqlite3" in imported
    assert imported & {"inotify", "inotify_simple", "pyinotify", "watchdog", "watchfiles"} == set()

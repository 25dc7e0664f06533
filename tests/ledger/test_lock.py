"""One run at a time per store: who is refused, how fast, and what the lock survives."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connector import lock
from connector.lock import DAEMON, Busy, StoreLock
from tests.ledger.given import ROOT

RACE = """
import sys
from pathlib import Path
from connector.lock import Busy, StoreLock
state, wins = Path(sys.argv[1]), 0
for line in sys.stdin:
    try:
        with StoreLock(state, "kiwi"):
            print("won", flush=True)
            sys.stdin.readline()
    except Busy as err:
        print(err, flush=True)
        sys.stdin.readline()
"""
RACES = 100


def racer(state: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RACE, str(state)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_D1_of_two_that_start_at_once_one_gets_the_store_and_the_other_is_told_who_has_it(tmp_path: Path) -> None:
    """Both are told to start in one breath, a hundred times; the slowest refusal counts."""
    two = [racer(tmp_path), racer(tmp_path)]
    slowest = 0.0
    for number in range(RACES):
        order = two if number % 2 else two[::-1]
        begun = time.monotonic()
        for process in order:
            tell(process)
        heard = [hear(process) for process in two]
        slowest = max(slowest, time.monotonic() - begun)
        winner = two[heard.index("won")]
        assert heard.count("won") == 1
        [refused] = [text for text in heard if text != "won"]
        assert refused == (
            f"store kiwi: another run holds it (pid {winner.pid} on {socket.gethostname()}). Wait for it, or stop it."
        )
        for process in two:
            tell(process)
    for process in two:
        process.communicate(timeout=30)
    assert slowest < 1


def test_who_needs_the_daemon_gone_is_told_that_it_runs(tmp_path: Path) -> None:
    with StoreLock(tmp_path, DAEMON), pytest.raises(Busy, match=r"^the daemon runs \(pid \d+ on .+\)\. Stop it first"):
        StoreLock(tmp_path, DAEMON).__enter__()


def test_D1_two_stores_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with StoreLock(tmp_path, "kiwi"), StoreLock(tmp_path, "moa"):
        pass


def test_D3_the_lock_outlives_the_closing_of_another_handle_on_its_file(tmp_path: Path) -> None:
    """A POSIX record lock would be lost here."""
    with StoreLock(tmp_path, "kiwi"):
        (tmp_path / "locks/kiwi.lock").read_text(encoding="utf-8")
        with pytest.raises(Busy), StoreLock(tmp_path, "kiwi"):
            pass


def test_D4_a_child_that_outlives_its_parent_s_run_does_not_keep_the_store(tmp_path: Path) -> None:
    with StoreLock(tmp_path, "kiwi"):
        child = subprocess.Popen(["sleep", "60"])
    try:
        with StoreLock(tmp_path, "kiwi"):
            pass
    finally:
        child.kill()
        child.wait()


def test_D5_a_pid_left_in_the_file_by_a_killed_run_keeps_nobody_out(tmp_path: Path) -> None:
    """Even where the pid lives again: it is our own parent's here."""
    with StoreLock(tmp_path, "kiwi"):
        pass
    (tmp_path / "locks/kiwi.lock").write_text(f"pid {os.getppid()} on {socket.gethostname()}\n", encoding="utf-8")
    with StoreLock(tmp_path, "kiwi"):
        found = (tmp_path / "locks/kiwi.lock").read_text(encoding="utf-8")
    assert found == f"pid {os.getpid()} on {socket.gethostname()}\n"


def test_D5_who_left_is_named_no_more(tmp_path: Path) -> None:
    with StoreLock(tmp_path, "kiwi"):
        pass
    assert (tmp_path / "locks/kiwi.lock").read_text(encoding="utf-8") == ""


def test_D6_the_next_container_gets_the_store_the_moment_the_last_one_is_gone(tmp_path: Path) -> None:
    """Killed, not asked: no file has to be tidied away first."""
    old = racer(tmp_path)
    tell(old)
    assert hear(old) == "won"
    with pytest.raises(Busy, match=rf"pid {old.pid} on"), StoreLock(tmp_path, "kiwi"):
        pass
    old.kill()
    old.communicate()
    with StoreLock(tmp_path, "kiwi"):
        pass


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_D7_a_lock_file_taken_away_by_a_cleaner_is_noticed(tmp_path: Path, what: str) -> None:
    with StoreLock(tmp_path, "kiwi") as held:
        assert held.is_ours()
        path = tmp_path / "locks/kiwi.lock"
        path.unlink()
        if what == "replaced":
            path.touch()
        assert not held.is_ours()


def test_D7_a_file_removed_between_opening_and_locking_is_not_held_on_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two would hold the store, each its own file."""
    flock = fcntl.flock
    removed: list[Path] = []

    def cleaned_before(handle: int, how: int) -> None:
        if not removed:
            removed.append(tmp_path / "locks/kiwi.lock")
            removed[0].unlink()
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", cleaned_before)
    with StoreLock(tmp_path, "kiwi") as held:
        assert removed
        assert held.is_ours()
        with pytest.raises(Busy), StoreLock(tmp_path, "kiwi"):
            pass


def test_a_full_disk_takes_no_name_but_the_lock_holds_and_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handle left open here kept the store busy until the daemon was started anew."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lock, "READ_EVERY_S", 0)
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with StoreLock(tmp_path, "kiwi"), pytest.raises(Busy, match="another process"), StoreLock(tmp_path, "kiwi"):
            pass
    with StoreLock(tmp_path, "kiwi"):
        pass


def test_an_error_while_taking_the_lock_leaves_no_handle_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = len(list(Path("/proc/self/fd").iterdir()))
    with monkeypatch.context() as disk:
        disk.setattr(os, "ftruncate", failing)
        with pytest.raises(OSError, match="Input/output"), StoreLock(tmp_path, "kiwi"):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with StoreLock(tmp_path, "kiwi"):
        pass


def test_a_symbolic_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/kiwi.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.ELOOP))), StoreLock(tmp_path, "kiwi"):
        pass
    assert not (tmp_path / "elsewhere").exists()

"""The daemon as a process: it keeps stores in step, reloads, makes way, and leaves in time."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import le
from pathlib import Path

import pytest

from connector import log
from connector.exit_codes import UsageError
from connector.ledger import fence
from connector.ledger.connection import open_ledger
from connector.running import run
from connector.sandbox.handle import Sandbox
from connector.sandbox.options import Options
from connector.sandbox.server import running as sandbox_running
from tests.daemon.running import BIN, Place, Running, running, until


@pytest.fixture(scope="module")
def one_sandbox() -> Iterator[Sandbox]:
    with sandbox_running(Options(port=0)) as sandbox:
        yield sandbox


@pytest.fixture
def gss(one_sandbox: Sandbox) -> Sandbox:
    one_sandbox.reset()
    return one_sandbox


@pytest.fixture
def place(tmp_path: Path, gss: Sandbox) -> Place:
    return Place(tmp_path, gss.url)


def has(gss: Sandbox, number: str) -> bool:
    return any(order["number"] == number for order in gss.orders())


def states(place: Place) -> list[str]:
    db = sqlite3.connect(place.state / "ledger.db")
    try:
        return [row[0] for row in db.execute("SELECT state FROM versions WHERE newest = 1 ORDER BY id")]
    finally:
        db.close()


def test_an_export_that_is_dropped_reaches_gss_and_is_read_back(place: Place, gss: Sandbox) -> None:
    place.store("kiwi")
    place.export("kiwi", 1, 2)
    with running(place) as daemon:
        daemon.wait_for("sent", store="kiwi")
        assert has(gss, "KIWI-#1")
        until(lambda: states(place) == ["confirmed", "confirmed"], "both confirmed")
        place.export("kiwi", 3, file="more.csv")
        until(lambda: has(gss, "KIWI-#3"), "the second export at GSS")
        code, took = daemon.stop()
    assert (code, took < 10) == (0, True)
    assert daemon.told("job failed") == []


def test_D1_a_second_daemon_refuses_at_once_and_names_the_first(place: Place) -> None:
    place.store("kiwi")
    with running(place) as daemon:
        daemon.wait_for("started")
        began = time.monotonic()
        said = place.command("run")
        assert said.returncode == 75
        assert f"pid {daemon.process.pid}" in said.stderr
        assert time.monotonic() - began < 15, "the start of the program on a busy machine included"


def test_D6_one_that_is_told_to_wait_takes_over_when_the_first_is_gone(place: Place) -> None:
    place.store("kiwi")
    with running(place) as first:
        first.wait_for("started")
        with running(place, "--wait", "20") as second:
            second.wait_for("waits for another daemon to end")
            assert second.told("started") == []
            assert first.stop()[0] == 0
            second.wait_for("started")
            assert second.stop()[0] == 0


def test_D2_a_one_shot_beside_the_daemon_sends_nothing_twice(place: Place, gss: Sandbox) -> None:
    place.store("kiwi")
    with running(place) as daemon:
        daemon.wait_for("started")
        place.export("kiwi", *range(1, 60))
        codes = {place.command("sync").returncode for _ in range(3)}
        until(lambda: len(gss.orders()) == 59, "all at GSS")
        until(lambda: set(states(place)) == {"confirmed"}, "all confirmed")
        assert codes <= {0, 75}
    puts = [number for one in gss.requests() if one["method"] == "PUT" for number in one["numbers"]]
    assert len(puts) == len(set(puts)) == 59


def test_Z1_a_stalled_call_does_not_keep_the_daemon_past_ten_seconds(place: Place) -> None:
    """Its attempt stays open on disk; the next start finds it and asks what became of it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.store("kiwi", url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        place.export("kiwi", 1)
        with running(place) as daemon:
            until(lambda: (place.state / "ledger.db").exists() and states(place) == ["sending"], "the call under way")
            code, took = daemon.stop()
    assert (code, took < 10) == (0, True), took
    assert states(place) == ["sending"]
    assert "stopped with calls under way" in " ".join(daemon.lines)


def test_G1_G7_a_store_file_that_changed_is_reloaded_and_a_wrong_one_changes_nothing(place: Place) -> None:
    file = place.store("kiwi")
    good = file.read_text()
    with running(place) as daemon:
        daemon.wait_for("started", stores=1)
        place.store("moa")
        daemon.wait_for("reloaded", stores=2)
        partial = file.with_suffix(".tmp")
        partial.write_text(good.replace("batch_size = 10", "batch_sise = 10"))
        partial.chmod(0o600)
        partial.rename(file)
        wrong = daemon.wait_for("store files not reloaded; the old ones hold")
        assert "batch_size" in str(wrong["why"])
        place.export("kiwi", 1)
        daemon.wait_for("read", store="kiwi")
        assert daemon.stop()[0] == 0


def held_by(daemon: Running) -> tuple[int, int]:
    """How many threads and how many open files it has."""
    about = Path("/proc", str(daemon.process.pid))
    return len(list((about / "task").iterdir())), len(list((about / "fd").iterdir()))


def test_G8_a_thousand_wishes_to_reload_are_a_few_reloads(place: Place) -> None:
    place.store("kiwi")
    with running(place) as daemon:
        daemon.wait_for("started")
        place.export("kiwi", 1)
        until(lambda: states(place) == ["confirmed"], "all of it has been at work once")
        before = held_by(daemon)
        for _ in range(1000):
            daemon.signal(signal.SIGHUP)
        daemon.wait_for("reloaded")
        place.export("kiwi", 2, file="later.csv")
        until(lambda: states(place) == ["confirmed"] * 2, "it goes on")
        assert 1 <= len(daemon.told("reloaded")) < 100
        until(lambda: all(map(le, held_by(daemon), before)), f"no more threads and open files than {before}")
        assert daemon.stop()[0] == 0


def test_G5_a_store_whose_file_is_removed_is_seen_to_its_end(place: Place, gss: Sandbox) -> None:
    place.store("kiwi")
    place.store("moa")
    with running(place) as daemon:
        daemon.wait_for("started", stores=2)
        place.export("moa", 1)
        daemon.wait_for("sent", store="moa")
        (place.config / "moa.toml").unlink()
        daemon.wait_for("store file removed; its shop is no longer read", store="moa")
        until(lambda: set(states(place)) == {"confirmed"}, "what was sent is proven")
        place.export("moa", 2, file="later.csv")
        place.export("kiwi", 1)
        daemon.wait_for("sent", store="kiwi")
        assert not has(gss, "MOA-#2")
        said = place.command("status", "moa").stdout
        assert "connector slips list --store moa" in " ".join(said.split())


def test_G3_a_rotated_key_is_in_use_from_the_next_call_on(place: Place, gss: Sandbox) -> None:
    key = place.folder / "gss.key"
    key.write_text("of-yesterday")
    key.chmod(0o600)
    file = place.store("kiwi")
    file.write_text(file.read_text().replace("env:GSS_KEY", f"file:{key}"))
    place.export("kiwi", 1)
    with running(place) as daemon:
        refused = daemon.wait_for("sent", store="kiwi")
        assert "does not accept the key" in refused["pause"]
        key.write_text("sandbox-key")
        # The gate of the old key is shut for five minutes; the new key has one of its own.
        daemon.signal(signal.SIGHUP)
        until(lambda: has(gss, "KIWI-#1"), "the order at GSS")


def test_one_broken_shop_and_one_dead_gss_hurt_nobody_else(place: Place, gss: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.store("dead", url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        place.export("dead", 1)
        place.store("kiwi")
        place.store("gone")
        (place.folder / "exports" / "gone").parent.mkdir(exist_ok=True)
        file = place.config / "gone.toml"
        file.write_text(file.read_text().replace('path = "exports/gone/*.csv"', 'path = "nowhere/at/all/*.csv"'))
        with running(place) as daemon:
            daemon.wait_for("started", stores=3)
            for number in range(1, 3):
                place.export("kiwi", number, file=f"{number}.csv")
                until(lambda number=number: has(gss, f"KIWI-#{number}"), f"order {number}")  # type: ignore[misc]


def test_stores_that_share_a_key_take_turns(place: Place, gss: Sandbox) -> None:
    """One with a backlog of hundreds keeps nobody waiting; whose turn it is, test_gate_sender.py holds."""
    place.store("backlog")
    place.store("small")
    place.export("backlog", *range(1, 801))
    with running(place) as daemon:
        daemon.wait_for("started", stores=2)
        until(lambda: len(gss.orders()) > 30, "the backlog on its way")
        place.export("small", 1)
        until(lambda: has(gss, "SMALL-#1"), "the small store's order")
        numbers = [one["numbers"] for one in gss.requests() if one["method"] == "PUT"]
        assert ["SMALL-#1"] in numbers


def test_Z5_the_watchdog_is_told_only_while_jobs_move(place: Place, tmp_path: Path) -> None:
    place.store("kiwi")
    address = tmp_path / "notify"
    told: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(20)
        place.env |= {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "20000000"}

        def listen() -> None:
            while "STOPPING=1" not in told:
                told.append(listener.recv(1000).decode())

        ears = threading.Thread(target=listen)
        ears.start()
        with running(place) as daemon:
            until(lambda: told.count("WATCHDOG=1") > 3, "signs of life")
            daemon.signal(signal.SIGHUP)
            until(lambda: told.count("READY=1") == 2, "ready again")
            daemon.stop()
        ears.join(20)
    assert told[0] == "READY=1"
    assert any(one.startswith("RELOADING=1\nMONOTONIC_USEC=") for one in told)


def test_S28_Z1_a_one_shot_leaves_a_stalled_call_within_ten_seconds(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.store("kiwi", url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        place.export("kiwi", 1)
        line = [str(BIN), "sync", "--config", str(place.config), "--state", str(place.state)]
        process = subprocess.Popen(line, cwd=place.folder, env=place.env, stderr=subprocess.PIPE, text=True)
        try:
            until(lambda: (place.state / "ledger.db").exists() and states(place) == ["sending"], "the call under way")
            began = time.monotonic()
            process.terminate()
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
        assert (process.returncode, time.monotonic() - began < 10) == (3, True)
    assert "a call under way is not answered; left it" in err
    assert states(place) == ["sending"], "the next run finds the attempt"


def test_K6_a_fenced_store_is_read_at_once_whatever_its_rhythm(place: Place, gss: Sandbox) -> None:
    file = place.store("kiwi")
    file.write_text(file.read_text().replace('every = "10s"', 'every = "24h"'))
    place.export("kiwi", 1)
    assert place.command("sync").returncode == 0
    (place.state / "epoch").unlink()
    place.export("kiwi", 2, file="more.csv")
    with running(place) as daemon:
        daemon.wait_for("nothing is sent until shops and GoSweetSpot were asked")
        until(lambda: has(gss, "KIWI-#2"), "the second order at GSS")
        assert daemon.stop()[0] == 0


def test_K8_a_fence_that_only_a_person_lifts_is_a_warning_and_says_so(place: Place) -> None:
    place.store("kiwi")
    place.export("kiwi", 1)
    with open_ledger(place.state) as ledger, ledger.writing() as db:
        fence.raise_fence(db, "It came from elsewhere.", datetime.now(UTC), asks=True)
    with running(place) as daemon:
        told = daemon.wait_for("nothing is sent until a person lifts the fence")
        waits = daemon.wait_for("waits", store="kiwi")
        assert daemon.stop()[0] == 0
    assert (told["level"], waits["level"]) == ("warning", "warning")
    assert "connector ledger lift-fence" in told["why"]


def test_a_port_that_is_taken_is_told_before_any_work_is_begun(
    place: Place, gss: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSS_KEY", gss.key)
    place.store("kiwi")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UsageError, match=rf"^{listen} can't be listened at \(address already in use\)\.$"):
            run(place.config, place.state, log.logger(), listen=listen)
    assert not (place.state / "ledger.db").exists()


def test_D7_a_store_whose_lock_file_is_taken_away_is_let_go_and_taken_again(place: Place, gss: Sandbox) -> None:
    """Between the two another process could have it: nothing more is sent on the lost lock, and nobody spins."""
    place.store("kiwi")
    place.export("kiwi", *range(1, 101))
    gss.fault("slow", seconds=0.2, times=None)
    with running(place) as daemon:
        until(lambda: len(gss.orders()) >= 10, "the first call")
        (place.state / "locks" / "kiwi.lock").unlink()
        lost = daemon.wait_for("waits", store="kiwi")
        assert "its lock file was removed" in lost["why"]
        sent_then = len(gss.orders())
        assert sent_then < 100
        until(lambda: len(gss.orders()) == 100, "the rest, once the store was taken again")
        assert 1 <= len(daemon.told("waits")) < 5
        assert daemon.stop()[0] == 0
    assert {order["creations"] for order in gss.orders()} == {1}


def test_L10_a_ledger_moved_away_under_the_daemon_ends_it(place: Place) -> None:
    """What is read and answered from then on would be written nowhere. Who starts it again finds no ledger, and the
    fence that goes with that."""
    place.store("kiwi")
    place.export("kiwi", 1)
    with running(place) as daemon:
        until(lambda: (place.state / "ledger.db").exists() and states(place) == ["confirmed"], "confirmed")
        (place.state / "ledger.db").rename(place.state / "elsewhere.db")
        place.export("kiwi", 2, file="more.csv")
        assert daemon.process.wait(20) == 3
        assert "was moved or replaced while open" in str(daemon.wait_for("job failed")["why"])


def test_L4_a_ledger_damaged_under_the_daemon_ends_it(place: Place) -> None:
    place.store("kiwi")
    place.export("kiwi", 1)
    with running(place) as daemon:
        until(lambda: (place.state / "ledger.db").exists() and states(place) == ["confirmed"], "confirmed")
        with (place.state / "ledger.db").open("r+b") as file:
            file.write(b"no database any more" * 10)  # its change counter too, by which SQLite sees that it changed
        place.export("kiwi", 2, file="more.csv")
        assert daemon.process.wait(20) == 3
        assert "damaged" in str(daemon.wait_for("job failed")["why"])


def test_K6_a_store_behind_the_fence_keeps_no_other_store_of_its_key_waiting(place: Place, gss: Sandbox) -> None:
    """Its shop can't be read, so it stays fenced; the other one is read, compared and served."""
    place.store("kiwi")
    broken = place.store("aaa")
    for name in ("aaa", "kiwi"):
        place.export(name, 1)
    assert place.command("sync").returncode == 0
    assert place.command("slips", "retry", "AAA-#1").returncode == 0, "something to send for the store that may not"
    (place.state / "epoch").unlink()
    broken.write_text(broken.read_text().replace('path = "exports/aaa/*.csv"', 'path = "nowhere/at/all/*.csv"'))
    with running(place) as daemon:
        daemon.wait_for("waits", store="aaa")
        for number in range(2, 5):
            place.export("kiwi", number, file=f"{number}.csv")
            place.command("sync", "kiwi")
            until(lambda number=number: has(gss, f"KIWI-#{number}"), f"order {number}")  # type: ignore[misc]
        assert daemon.told("shop not read")
        assert "aaa" not in {one["store"] for one in daemon.told("read")}, "nothing was read of it"
        assert daemon.stop()[0] == 0

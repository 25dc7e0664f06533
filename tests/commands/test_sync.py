"""`connector sync`: what is read, sent and read back, what it ends with, and what stops which store."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connector import sender
from connector.gosweetspot.answers import Answer
from connector.ledger.outbox import Attempt
from connector.lock import StoreLock
from connector.sandbox.handle import Sandbox
from connector.sender import Sends
from tests.commands.desk import Desk, order


def test_orders_become_slips_and_a_second_run_sends_nothing(kiwi: Desk, sandbox: Sandbox) -> None:
    first = kiwi("sync")
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines() == [
        "kiwi: 2 orders read: 2 new",
        "  GSS: 1 call to send, 1 to read back; read back: 2 confirmed",
    ]
    assert {one["number"]: one["sent"]["address2"] for one in sandbox.orders()} == {
        "#1001": "1001 Kowhai Road",
        "#1002": "1002 Kowhai Road",
    }
    second = kiwi("sync")
    assert (second.code, second.out.splitlines()[0]) == (0, "kiwi: 0 orders read")
    assert sandbox.counts()["puts"] == 1


def test_json_is_the_same_report_a_line_a_store(kiwi: Desk) -> None:
    outcome = kiwi("sync", "--json").value
    assert (outcome["store"], outcome["code"], outcome["waits"]) == ("kiwi", 0, {})
    assert (outcome["report"]["new"], outcome["report"]["states"]) == (2, {"confirmed": 2})


def test_an_edit_updates_and_a_cancel_withdraws(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi("sync")
    kiwi.export(order(1001, Street="7 Rata Street"), order(1002, Status="cancelled"))
    said = kiwi("sync")
    assert said.code == 0
    assert "2 orders read: 1 changed, 1 withdrawn" in said.out
    assert sandbox.order("#1001")["sent"]["address2"] == "7 Rata Street"
    assert sandbox.order("#1002")["state"] == "deleted"
    assert [one["creations"] for one in sandbox.orders()] == [1, 1]


def test_Z10_a_held_order_ends_with_1_and_names_the_command_that_shows_it(desk: Desk, sandbox: Sandbox) -> None:
    desk.store()
    desk.export(order(1), order(2, Country="Atlantis"))
    said = desk("sync")
    assert said.code == 1
    assert said.out.splitlines()[-1] == "  waits for a person: 1 held. See: connector status kiwi"
    assert len(sandbox.orders()) == 1
    assert desk("sync").code == 1, "it still waits, though nothing was read"


def test_Z10_a_late_order_ends_with_1_until_it_is_acknowledged(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi("sync")
    sandbox.ticket("#1001")
    kiwi.export(order(1001, Street="7 Rata Street"))
    said = kiwi("sync")
    assert (said.code, "1 late" in said.out) == (1, True)
    assert kiwi("slips", "acknowledge", "#1001", "--reason", "called the buyer").code == 0
    assert kiwi("sync").code == 0


def test_Z10_an_unreachable_gosweetspot_ends_with_3_and_loses_nothing(desk: Desk, sandbox: Sandbox) -> None:
    desk.store(url="http://127.0.0.1:9")
    desk.export(order(1))
    said = desk("sync")
    assert said.code == 3
    assert "1 still owed" in said.out


def test_Z10_why_gosweetspot_could_not_be_reached_is_told_each_time(desk: Desk) -> None:
    desk.store(url="http://127.0.0.1:9")
    desk.export(order(1))
    for _ in range(2):
        said = desk("sync")
        assert said.code == 3
        assert "Nothing was sent: 127.0.0.1 could not be reached (connection refused)" in said.err
        assert "What is owed stays owed" in said.err


def test_Z10_a_wrong_key_ends_with_3_and_says_what_to_look_at(kiwi: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "not-the-key")
    said = kiwi("sync")
    assert said.code == 3
    assert "does not accept the key" in said.err
    assert "not-the-key" not in said.out + said.err


def test_Z10_a_shop_that_cannot_be_read_ends_with_3(kiwi: Desk) -> None:
    (kiwi.folder / "exports" / "kiwi" / "orders_2026-11-01.csv").unlink()
    (kiwi.folder / "exports" / "kiwi").rmdir()
    said = kiwi("sync")
    assert said.code == 3
    assert "there is no folder" in said.err


def test_Z10_no_ledger_to_use_ends_with_3(kiwi: Desk) -> None:
    kiwi("sync")
    (kiwi.folder / "state" / "ledger.db").chmod(0o644)
    said = kiwi("sync")
    assert (said.code, "chmod 600" in said.err) == (3, True)


def test_Z10_a_held_store_ends_with_75_and_the_others_run(desk: Desk, sandbox: Sandbox) -> None:
    for name, prefix in (("kiwi", "K-"), ("moa", "M-")):
        desk.store(name, prefix=prefix)
        desk.export(order(1), store=name)
    with StoreLock(desk.folder / "state", "kiwi"):
        said = desk("sync")
    assert said.code == 75
    assert "store kiwi: another run holds it" in said.err
    assert [one["number"] for one in sandbox.orders()] == ["M-#1"]


def test_Z10_a_broken_store_file_ends_with_2_and_the_others_run(desk: Desk, sandbox: Sandbox) -> None:
    desk.store("kiwi", prefix="K-")
    desk.export(order(1))
    desk.store("moa", prefix="M-", more="prefixx = 1")
    said = desk("sync")
    assert said.code == 2
    assert "config/moa.toml: 1 problem" in said.err
    assert 'no such key. Did you mean "prefix"?' in said.err
    assert [one["number"] for one in sandbox.orders()] == ["K-#1"]


def test_Z10_an_unset_key_ends_with_2_and_names_the_line(desk: Desk) -> None:
    desk.store(key="NOT_SET")
    said = desk("sync")
    assert said.code == 2
    assert "[gosweetspot] access_key: env:NOT_SET is not set." in said.err


def test_Z10_a_moved_store_ends_with_2_and_nothing_is_doubled(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi("sync")
    kiwi.store(url=sandbox.url.replace("127.0.0.1", "localhost"))
    said = kiwi("sync")
    assert said.code == 2
    assert "its slips belong to" in said.err


def test_no_store_file_at_all_says_how_to_get_one(desk: Desk) -> None:
    said = desk("sync")
    assert (said.code, said.err) == (
        2,
        "connector: config: there is no store file. Write one with: connector init NAME\n",
    )


def test_a_store_that_is_named_is_the_only_one_that_runs(desk: Desk, sandbox: Sandbox) -> None:
    for name, prefix in (("kiwi", "K-"), ("moa", "M-")):
        desk.store(name, prefix=prefix)
        desk.export(order(1), store=name)
    assert desk("sync", "moa").code == 0
    assert [one["number"] for one in sandbox.orders()] == ["M-#1"]
    assert 'Did you mean "kiwi"?' in desk("sync", "kiwy").err


def test_a_mended_store_file_frees_held_orders_when_read_from_the_start(desk: Desk, sandbox: Sandbox) -> None:
    desk.store()
    desk.export(order(1, Country=""))
    assert desk("sync").code == 1
    desk.store(more='default_country = "NZ"')
    said = desk("sync", "--from-start")
    assert said.code == 0
    assert sandbox.order("#1")["sent"]["country"] == "NZ"
    assert desk("sync", "--from-start").out.splitlines()[0] == "kiwi: 1 order read: 1 unchanged"
    assert sandbox.counts()["puts"] == 1


def test_a_refused_export_ends_with_1_until_it_is_dismissed(kiwi: Desk) -> None:
    broken = kiwi.folder / "exports" / "kiwi" / "orders_2026-12-01.csv"
    broken.write_text('Id,Number\n1,"#1\n')
    said = kiwi("sync")
    assert said.code == 1
    needs = kiwi("status", "--json").value["needs"]
    alert = needs[0]["need"]["alert"]
    assert needs[0]["mend"] == f"Once seen to: connector slips dismiss {alert} --reason '...'"
    broken.unlink()
    assert kiwi("slips", "dismiss", str(alert), "--reason", "exported it again").out == f"alert {alert} is closed.\n"
    assert kiwi("sync").code == 0


def test_Z1_sigterm_finishes_the_call_under_way_and_the_rest_stays_owed(desk: Desk, sandbox: Sandbox) -> None:
    desk.store(batch_size=1)
    desk.export(*(order(number) for number in range(30)))
    sandbox.fault("slow", seconds=0.1, times=None)
    command = [str(Path(sys.executable).with_name("connector")), "sync", "--json"]
    with subprocess.Popen(command, cwd=desk.folder, env=os.environ, stdout=subprocess.PIPE, text=True) as process:
        _wait_for(lambda: sandbox.counts()["puts"] >= 1)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    sandbox.clear_faults()
    assert '"owed":' in out
    assert process.returncode in (0, 1)
    open_attempts = desk("ledger", "query", "SELECT count(*) AS n FROM attempts WHERE outcome IS NULL", "--json").value
    assert open_attempts == {"n": 0}
    assert 0 < len(sandbox.orders()) < 30
    assert desk("sync").code == 0
    assert len(sandbox.orders()) == 30
    assert {one["creations"] for one in sandbox.orders()} == {1}


def test_Z1_a_second_ctrl_c_ends_a_run_at_once_though_calls_are_under_way(desk: Desk, sandbox: Sandbox) -> None:
    desk.store()
    desk.export(order(1))
    sandbox.fault("slow", method="PUT", seconds=8)
    command = [str(Path(sys.executable).with_name("connector")), "sync"]
    with subprocess.Popen(command, cwd=desk.folder, env=os.environ, stdout=subprocess.PIPE) as process:
        _wait_for(lambda: any(one["method"] == "PUT" for one in sandbox.requests()))
        process.send_signal(signal.SIGTERM)
        _wait_for(lambda: _has_taken_its_signals(process))  # of two at once, one may go to a thread that wakes nobody
        process.send_signal(signal.SIGINT)  # not the same one: two that are alike may be heard as one
        assert process.wait(timeout=6) == 130
    sandbox.clear_faults()
    assert desk("sync").code == 0
    assert [one["creations"] for one in sandbox.orders()] == [1]


def _has_taken_its_signals(process: subprocess.Popen[bytes]) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return all(int(mask, 16) == 0 for mask in re.findall(r"^(?:Sig|Shd)Pnd:\s+(\w+)", status, re.MULTILINE))


def _wait_for(truth: object, seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not truth():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_run_with_nothing_to_send_imports_no_http(kiwi: Desk) -> None:
    """Most runs of a schedule are such runs; requests would be half of them."""
    kiwi("sync")
    script = "import sys; from connector.cli import main; code = main(['sync']); print(code, 'requests' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=kiwi.folder, env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 False"


def test_no_other_package_is_run_beside_our_keys_by_way_of_pydantic(kiwi: Desk, tmp_path: Path) -> None:
    """pydantic loads the plugins of whatever is installed, which costs a tenth of a short run beside."""
    (tmp_path / "stranger.py").write_text("import pathlib; pathlib.Path(__file__).with_name('ran').touch(); plugin = 1")
    told = tmp_path / "stranger-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[pydantic]\nstranger = stranger:plugin\n")
    script = "from connector.cli import main; raise SystemExit(main(['sync', '--dry-run']))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for more, has_run in (({}, False), ({"PYDANTIC_DISABLE_PLUGINS": ""}, True)):
        subprocess.run([sys.executable, "-c", script], cwd=kiwi.folder, env=environment | more, capture_output=True)
        assert (tmp_path / "ran").exists() is has_run


def test_D7_a_run_whose_lock_file_is_taken_away_stops_and_says_so(
    kiwi: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = StoreLock.__enter__

    def cleaned(lock: StoreLock) -> StoreLock:
        held(lock)
        (kiwi.folder / "state/locks/kiwi.lock").unlink()
        return lock

    monkeypatch.setattr(StoreLock, "__enter__", cleaned)
    said = kiwi("sync")
    assert said.code == 75
    assert "its lock file was removed while it was synced" in said.err
    assert sandbox.counts()["puts"] == 0, "another run may hold the store by now"


def test_D7_nor_does_it_go_on_once_its_lock_file_is_gone_between_two_calls(
    desk: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call under way, and the one that was begun with it, are finished; the rest is owed, and sent once by the
    next run."""
    file = desk.store(batch_size=2)
    file.write_text(file.read_text().replace("ghost_window", "in_flight = 1\nghost_window"))
    desk.export(*(order(number) for number in range(1001, 1041)))
    calling = sender.call

    def cleaned(client: Sends, attempt: Attempt) -> Answer:
        answer = calling(client, attempt)
        (desk.folder / "state/locks/kiwi.lock").unlink(missing_ok=True)
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(sender, "call", cleaned)
        said = desk("sync")
    assert said.code == 75
    assert "its lock file was removed while it was synced" in said.err
    assert 1 <= sandbox.counts()["puts"] <= 2
    assert desk("sync").code == 0
    assert [one["creations"] for one in sandbox.orders()] == [1] * 40

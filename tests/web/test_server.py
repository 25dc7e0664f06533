"""It starts, is reloaded and stops as told; slow disks and groups of deliveries are answered in time and truly."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from connector.config import load_stores
from connector.exit_codes import UsageError
from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery
from connector.inbox.errors import InboxBusy, InboxError
from connector.web import group_commit
from connector.web.group_commit import GroupCommit
from connector.web.server import is_on_loopback, listener
from tests.inbox.given import delivery
from tests.proofs.inbox_kill import CONNECTOR, Receiver, deliver_until_dead, lost
from tests.web.knocking import SECRET, SECRETS, WOO, Door, config_in, receiving, sign


@pytest.mark.parametrize(
    "listen", ["8787", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", ":80", "a b:80", "http://x:1"]
)
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(UsageError, match="HOST:PORT"):
        listener(listen)


def test_only_this_machine_is_loopback() -> None:
    assert [is_on_loopback(f"{host}:1") for host in ("127.0.0.1", "[::1]", "localhost", "0.0.0.0", "10.0.0.1")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_a_port_that_is_taken_is_told(door: Door) -> None:
    with pytest.raises(OSError):
        listener(f"127.0.0.1:{door.port}")


def test_new_store_files_and_secrets_hold_within_a_second_or_two(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert door.deliver(b'{"id":1}', "/in/tui").status == 401
    file = door.host.config / "tui.toml"
    file.write_text(file.read_text() + WOO.replace("KIWI", "TUI"))
    monkeypatch.setenv("TUI_HOOK", SECRET)
    door.host.now_stores = load_stores(door.host.config, secrets=False)
    ends = time.monotonic() + 10
    while door.deliver(b'{"id":1}', "/in/tui").status != 200:
        assert time.monotonic() < ends
    assert len(door.kept("tui")) == 1


def test_deliveries_of_one_turn_are_one_commit(tmp_path: Path) -> None:
    class Counting(Inbox):
        groups: list[int]

        def add(self, deliveries: Iterable[Delivery]) -> int:
            group = list(deliveries)
            self.groups.append(len(group))
            return super().add(group)

    inbox = Counting.open(tmp_path)
    assert isinstance(inbox, Counting)
    inbox.groups = []
    told: list[set[str]] = []

    async def run() -> list[InboxError | None]:
        commit = GroupCommit(inbox, told.append)
        many = [delivery(number, "kiwi" if number % 2 else "moa") for number in range(50)]
        return await asyncio.gather(*(commit.store(each) for each in many))

    assert asyncio.run(run()) == [None] * 50
    assert inbox.groups == [50]
    assert told == [{"kiwi", "moa"}]
    inbox.close()


class Slow(Inbox):
    """A disk that takes its time: `held` is when it goes on."""

    def slowly(self) -> Slow:
        self.held = threading.Event()
        return self

    def add(self, deliveries: Iterable[Delivery]) -> int:
        group = list(deliveries)
        if not self.held.wait(0.6):
            time.sleep(0)
        return super().add(group)


def test_W18_on_a_slow_disk_who_waits_is_told_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "ANSWER_S", 0.05)
    opened_slow = Slow.open(tmp_path)
    assert isinstance(opened_slow, Slow)
    inbox = opened_slow.slowly()

    async def run() -> tuple[InboxError | None, InboxError | None, InboxError | None]:
        commit = GroupCommit(inbox, lambda _: None)
        first = await commit.store(delivery(1))  # seen to be slow: from here on a thread writes
        second = await commit.store(delivery(2))
        inbox.held.set()
        monkeypatch.setattr(group_commit, "ANSWER_S", 10.0)
        third = await commit.store(delivery(3))
        commit.close()
        return first, second, third

    first, second, third = asyncio.run(run())
    assert first is None
    assert isinstance(second, InboxBusy)
    assert third is None
    assert len(inbox.waiting("kiwi", 9)) == 3
    inbox.close()


def test_W19_a_burst_of_many_callers_at_once_loses_nothing(door: Door) -> None:
    answers: list[int] = []

    def call(first: int) -> None:
        answers.extend(door.deliver(b'{"id":%d}' % number).status for number in range(first, first + 15))

    threads = [threading.Thread(target=call, args=(first * 100,)) for first in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 300
    assert len(door.kept()) == 300


def test_two_receivers_on_one_inbox_lose_nothing(tmp_path: Path) -> None:
    with receiving(tmp_path / "one") as one:
        with receiving(tmp_path / "two", inbox=Inbox.open(tmp_path / "one" / "state")) as two:
            for number in range(20):
                assert (one if number % 2 else two).deliver(b'{"id":%d}' % number).status == 200
        assert len(one.kept()) == 20


# The receiver as a process of its own


def test_W16_whatever_was_answered_is_there_after_kill_9(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    answered: list[int] = []
    for turn in range(6):
        with Receiver(config, tmp_path / "state", SECRETS) as receiver:
            answered += deliver_until_dead(receiver, SECRET, first=turn * 10_000, after=15 + 7 * turn)
    assert len(answered) >= 100
    assert lost(tmp_path / "state", answered) == []


def test_W33_sigterm_ends_it_in_time_and_what_was_answered_is_there(tmp_path: Path) -> None:
    with Receiver(config_in(tmp_path), tmp_path / "state", SECRETS) as receiver:
        assert receiver.deliver(b'{"id":1}', sign(b'{"id":1}')) == 200
        knock = receiver.connect()
        knock.sendall(b"POST /in/kiwi HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert receiver.stop() == 0
        assert knock.recv(1000) == b""
        knock.close()
    assert lost(tmp_path / "state", [1]) == []


def test_SEC6_the_receiver_apart_needs_no_other_key_and_makes_no_ledger(tmp_path: Path) -> None:
    with Receiver(config_in(tmp_path), tmp_path / "state", SECRETS) as receiver:
        assert receiver.deliver(b'{"id":1}', sign(b'{"id":1}')) == 200
        environment = Path(f"/proc/{receiver.process.pid}/environ").read_bytes()
        assert b"GSS_KEY" not in environment
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["inbox"]


def test_SEC17_the_receivers_files_are_its_own(tmp_path: Path) -> None:
    with Receiver(config_in(tmp_path), tmp_path / "state", SECRETS) as receiver:
        assert receiver.deliver(b'{"id":1}', sign(b'{"id":1}')) == 200
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "state").rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "state", tmp_path / "state" / "inbox")} == {0o700}


def test_a_folder_without_any_secret_is_told(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    for name in ("kiwi", "moa"):
        (config / f"{name}.toml").unlink()
    command = [*CONNECTOR, "--config", str(config), "--state", str(tmp_path / "state"), "inbox", "serve"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert ran.returncode == 2
    assert "no store has a secret in [inbox]" in ran.stderr

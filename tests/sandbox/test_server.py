"""How the sandbox starts, where it listens, what it keeps, and how it stops."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message

from connector.sandbox.__main__ import main
from connector.sandbox.handle import Sandbox
from connector.sandbox.options import DEFAULT_KEY, NotLoopbackError, Options
from connector.sandbox.server import create_app, introduction, running
from connector.sandbox.store import StoreError
from tests.sandbox.conftest import Caller, slip, until


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "example.com", "api.gosweetspot.com", "", "127.0.0.1.nip.io"]
)
def test_SEC45_the_sandbox_binds_to_loopback_only(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotLoopbackError, match="this machine only"):
        Options(host=host)
    assert main(["--host", host]) == 2
    assert "Use 127.0.0.1, ::1 or localhost." in capsys.readouterr().err


def test_SEC45_no_option_names_another_server() -> None:
    assert set(Options.__struct_fields__) == {"host", "port", "data", "keys", "tidy", "latency_s"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_listens_on_loopback_by_number_or_name(host: str) -> None:
    with running(Options(host=host, port=0)) as sandbox:
        assert Caller(sandbox.url, sandbox.key).put("#1").status == 200


def test_two_sandboxes_beside_each_other_know_nothing_of_each_other() -> None:
    with running() as one, running() as other:
        Caller(one.url, one.key).put("#1")
        assert (len(one.orders()), len(other.orders())) == (1, 0)


def test_orders_are_kept_over_a_restart_in_every_detail(tmp_path: Path) -> None:
    options = Options(port=0, data=tmp_path / "sandbox.sqlite")
    with running(options) as sandbox:
        caller = Caller(sandbox.url, sandbox.key)
        caller.put("#1", "#2", "#3", "#4")
        caller.put("#2")
        sandbox.ticket("#1")
        sandbox.deliver("#1")
        caller.delete("#3")
        sandbox.edit("#4", city="Nelson")
        before = sandbox.orders()
    with running(options) as sandbox:
        assert sandbox.orders() == before
        caller = Caller(sandbox.url, sandbox.key)
        assert caller.put("#1").json[0]["msg"] == "already processed"
        assert caller.delete("#3").json["#3"] == "Cannot be deleted. Already deleted."
        caller.put("#5")
        assert sandbox.order("#5")["serial"] == 5
        sandbox.reset()
    with running(options) as sandbox:
        assert sandbox.orders() == []


def test_a_data_file_serves_one_sandbox_at_a_time(tmp_path: Path) -> None:
    options = Options(port=0, data=tmp_path / "sandbox.sqlite")
    with running(options), pytest.raises(StoreError, match="another sandbox"), running(options):
        pass


def test_the_data_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE slips (number)")
    other.close()
    with pytest.raises(StoreError, match="belongs to another program"), running(Options(port=0, data=path)):
        pass
    (tmp_path / "text").write_text("not SQLite at all, " * 99)
    with pytest.raises(StoreError, match="Name another"), running(Options(port=0, data=tmp_path / "text")):
        pass


def test_latency_delays_every_call() -> None:
    with running(Options(port=0, latency_s=0.05)) as sandbox:
        begun = time.monotonic()
        Caller(sandbox.url, sandbox.key).put("#1")
        assert time.monotonic() - begun >= 0.05


def test_many_callers_at_once_double_nothing(sandbox: Sandbox) -> None:
    numbers = [f"#{i}" for i in range(20)]
    threads = [
        threading.Thread(target=Caller(sandbox.url, sandbox.key).put, args=tuple(numbers), daemon=True)
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(order["creations"], order["updates"]) for order in sandbox.orders()] == [(1, 7)] * 20


def test_it_stops_at_once_while_callers_wait_for_an_answer(sandbox: Sandbox) -> None:
    with running() as waiting:
        waiting.fault("lost", seconds=600)
        caller = threading.Thread(target=_put_ignoring_errors, args=(waiting,), daemon=True)
        caller.start()
        until(waiting.requests)
        begun = time.monotonic()
    caller.join(timeout=5)
    assert not caller.is_alive()
    assert time.monotonic() - begun < 2


def _put_ignoring_errors(sandbox: Sandbox) -> None:
    with pytest.raises((OSError, HTTPException)):
        Caller(sandbox.url, sandbox.key).put("#1")


def test_a_body_without_end_is_refused(sandbox: Sandbox, caller: Caller) -> None:
    answer = caller.put_body(b"[" + b" " * (16 * 1024 * 1024) + b"]")
    assert answer.status == 413
    assert sandbox.orders() == []


def test_as_an_app_it_answers_and_says_that_it_cannot_cut_connections() -> None:
    app = create_app()
    assert asyncio.run(_put(app, "#1"))[0]["status"] == 200
    arm = json.dumps({"kind": "lost"}).encode()
    asyncio.run(_send(app, "POST", "/operator/faults", arm, [(b"content-type", b"application/json")]))
    with pytest.raises(RuntimeError, match="start it by serve or running"):
        asyncio.run(_put(app, "#1"))


async def _put(app: ASGIApp, number: str) -> list[Message]:
    body = json.dumps([slip(number)]).encode()
    return await _send(app, "PUT", "/api/customerorders", body, [(b"access_key", DEFAULT_KEY.encode())])


async def _send(app: ASGIApp, method: str, path: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> list[Message]:
    """One call by hand, and what the app sent: Starlette's own test client needs a package we do without."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), *headers]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return sent


def test_the_introduction_names_url_key_and_the_lines_of_a_store_file() -> None:
    words = introduction("http://127.0.0.1:8750", "sandbox-key")
    assert 'url = "http://127.0.0.1:8750"' in words
    assert 'access_key = "env:SANDBOX_KEY"    # export SANDBOX_KEY=sandbox-key' in words


@contextmanager
def process(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Sandbox]]:
    port_file = tmp_path / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "connector.sandbox", "--port", "0", "--port-file", str(port_file), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        try:
            until(lambda: port_file.exists() or started.poll() is not None)
            yield started, Sandbox(f"http://127.0.0.1:{int(port_file.read_text())}", DEFAULT_KEY)
        finally:
            started.kill()


def test_as_a_process_it_prints_where_it_is_and_stops_on_sigterm(tmp_path: Path) -> None:
    with process(tmp_path) as (started, sandbox):
        assert Caller(sandbox.url, sandbox.key).put("#1").status == 200
        started.send_signal(signal.SIGTERM)
        words, _ = started.communicate(timeout=10)
        assert started.returncode == 0
    assert sandbox.url in words


def test_a_killed_process_keeps_every_order_it_answered_for(tmp_path: Path) -> None:
    data = str(tmp_path / "sandbox.sqlite")
    with process(tmp_path, "--data", data) as (started, sandbox):
        caller = Caller(sandbox.url, sandbox.key)
        for i in range(20):
            caller.put(f"#{i}")
        started.kill()
    with process(tmp_path, "--data", data) as (_, sandbox):
        assert len(sandbox.orders()) == 20


def test_a_port_in_use_is_told_in_one_line(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    port = sandbox.url.rpartition(":")[2]
    assert main(["--port", port]) == 2
    assert f"Port {port} cannot be used" in capsys.readouterr().err


def test_keys_and_sites_are_read_from_the_command_line(tmp_path: Path) -> None:
    with process(tmp_path, "--key", "one", "--key", "two=4180,4181", "--untidy", "--latency-ms", "1") as (_, sandbox):
        assert Caller(sandbox.url, "one").put("#1").status == 200
        assert Caller(sandbox.url, "two").put("#1").status == 401
        assert Caller(sandbox.url, "two", "4180").put("#1").status == 200
        assert Caller(sandbox.url, DEFAULT_KEY).put("#1").status == 401
        assert sandbox.orders()[0]["stored"]["consignee"] == "Aroha Ngata"

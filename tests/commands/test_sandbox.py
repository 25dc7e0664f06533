"""`connector sandbox`: a GoSweetSpot of one's own, in the foreground."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from connector.sandbox.handle import Sandbox
from tests.commands.desk import Desk


def test_it_says_where_it_is_and_ends_on_sigterm(desk: Desk) -> None:
    command = [str(Path(sys.executable).with_name("connector")), "sandbox", "--port", "0", "--data", "sandbox.db"]
    with subprocess.Popen(command, cwd=desk.folder, env=os.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        introduction, _, url = process.stdout.readline().strip().rpartition(" ")
        assert introduction == "The sandbox stands in for GoSweetSpot at"
        assert Sandbox(url, "sandbox-key").orders() == []
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_taken_port_is_told_with_the_way_out(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = desk("sandbox", "--port", str(taken.getsockname()[1]))
    assert (said.code, "--port 0 takes any free one" in said.err) == (2, True)


def test_data_that_is_not_the_sandboxes_is_left_alone(desk: Desk) -> None:
    (desk.folder / "notes.txt").write_text("mine" * 1000)
    said = desk("sandbox", "--port", "0", "--data", "notes.txt")
    assert said.code == 2
    assert (desk.folder / "notes.txt").read_text() == "mine" * 1000

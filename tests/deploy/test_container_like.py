"""What deploy/Dockerfile and compose.yaml promise, by their own steps without an engine (scripts/container_like.sh)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands.desk import Desk

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not here")


@contextmanager
def contained(desk: Desk, keys: Path) -> Iterator[tuple[str, int]]:
    """A daemon, process 1 of its own little world: (its address, its process's number out here)."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    env = {"PATH": os.environ["PATH"], "CONTAINER_LISTEN": f"127.0.0.1:{port}", "KIWI_GSS_KEY": "hush"}
    folders = [str(desk.folder / "config"), str(keys), str(desk.folder / "state")]
    command = [str(ROOT / "scripts" / "container_like.sh"), sys.executable, *folders]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as ran:
        try:
            assert ran.stderr is not None
            for line in ran.stderr:
                if '"started"' in line:
                    break
            else:
                pytest.fail("it did not start")
            (inside,) = Path(f"/proc/{ran.pid}/task/{ran.pid}/children").read_text().split()
            yield f"http://127.0.0.1:{port}", int(inside)
            os.kill(int(inside), signal.SIGTERM)
            assert ran.wait(20) == 0
        finally:
            ran.kill()


def test_Z8_Z9_SEC33_H5_it_runs_as_process_1_of_user_10001_on_a_read_only_root_and_leaves_on_sigterm(
    desk: Desk, tmp_path: Path
) -> None:
    """Without the system's time zones, a shell, or an environment; SEC34 and SEC35: no core, no second process."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "kiwi").write_text("sandbox-key")
    (keys / "kiwi").chmod(0o600)
    (tmp_path / "state").mkdir()
    desk.store("kiwi", prefix="K-")
    file = tmp_path / "config" / "kiwi.toml"
    file.write_text(file.read_text().replace("env:DESK_KEY", "file:/run/keys/kiwi"))
    with contained(desk, keys) as (url, inside):
        with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
            assert answer.status == 200
        status = Path(f"/proc/{inside}/status").read_text()
        assert status.split("NSpid:")[1].splitlines()[0].split()[-1] == "1"
        assert "NoNewPrivs:\t1" in status
        assert "CapEff:\t0000000000000000" in status
        assert Path(f"/proc/{inside}/task/{inside}/children").read_text() == ""
        assert b"hush" not in Path(f"/proc/{inside}/environ").read_bytes()
    assert (tmp_path / "state" / "ledger.db").exists()

"""A fresh sandbox in a process of its own, for the length of one measurement."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEY = "sandbox-key"
START_S = 20


class SandboxError(Exception):
    """The sandbox did not start."""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: where it answers."""

    url: str

    def counts(self) -> dict[str, int]:
        """What it was asked so far: puts, gets, deletes, orders_created, orders_updated."""
        with urllib.request.urlopen(f"{self.url}/operator/counts", timeout=30) as answer:
            counted: dict[str, int] = json.load(answer)
        return counted


@contextmanager
def sandbox(folder: Path, environment: Mapping[str, str], latency_ms: int = 0) -> Iterator[Sandbox]:
    """Starts a sandbox with no orders, its data in `folder`; every call takes at least `latency_ms`."""
    port_file = folder / "port"
    command = [sys.executable, "-m", "connector.sandbox", "--port", "0"]
    command += ["--data", str(folder / "sandbox.db"), "--port-file", str(port_file), "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield Sandbox(f"http://127.0.0.1:{_port(port_file, process)}")
    finally:
        process.terminate()
        process.wait()


def _port(port_file: Path, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if port_file.exists() and (text := port_file.read_text().strip()):
            return int(text)
        if process.poll() is not None:
            raise SandboxError(f"The sandbox ended with {process.returncode} before it answered.")
        time.sleep(0.02)
    raise SandboxError(f"The sandbox wrote no port within {START_S} s.")

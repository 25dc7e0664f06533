"""A real `connector run` in a folder of its own, beside a real sandbox, and what its log says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.commands.desk import COLUMNS, order

KEY = "sandbox-key"
BIN = Path(sys.executable).parent / "connector"
PATIENCE_S = 20.0

STORE = """\
[source]
kind = "csv"
path = "exports/{name}/*.csv"
settle = 0

[source.columns]
id = "Id"
number = "Number"
name = "Name"
line1 = "Street"
city = "City"
postcode = "Postcode"
country = "Country"
payment = "Payment"
status = "Status"
buyer_note = "Note"

[gosweetspot]
url = "{url}"
access_key = "env:{key}"
ghost_window = "0s"
calls_per_minute = {per_minute}
calls_per_hour = 0
in_flight = 1
batch_size = 10

[schedule]
every = "10s"

[slip]
prefix = "{prefix}"
"""


class Place:
    """A folder with store files and exports. env: what the daemon sees."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.config = folder / "config"
        self.state = folder / "state"
        self.config.mkdir(mode=0o700)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TZ": "UTC", "GSS_KEY": KEY}

    def store(self, name: str, **changes: Any) -> Path:
        """Write a store's file."""
        values = {"name": name, "url": self.url, "key": "GSS_KEY", "per_minute": 0, "prefix": f"{name.upper()}-"}
        file = self.config / f"{name}.toml"
        partial = file.with_suffix(".tmp")
        partial.write_text(STORE.format(**values | changes))
        partial.chmod(0o600)
        partial.rename(file)
        return file

    def export(self, name: str, *numbers: int, file: str = "orders.csv", **changes: str) -> None:
        """Drop an export of these orders into the store's folder."""
        folder = self.folder / "exports" / name
        folder.mkdir(parents=True, exist_ok=True)
        whose = {"Name": f"Aroha of {name.title()}"} | changes  # no two shops have an order in common
        rows = [",".join(COLUMNS), *(",".join(order(number, **whose).values()) for number in numbers)]
        partial = folder / f".{file}.tmp"
        partial.write_text("\n".join(rows) + "\n")
        partial.rename(folder / file)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command beside the daemon."""
        line = [str(BIN), *words, "--config", str(self.config), "--state", str(self.state)]
        return subprocess.run(line, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)


class Running:
    """A daemon under way: its process, and its log as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self._heard = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._heard:
                self.lines.append(line)
                if line.startswith("{"):
                    self.events.append(json.loads(line))
                self._heard.notify_all()

    def wait_for(self, event: str, **wanted: Any) -> dict[str, Any]:
        """The first such event of the log, past or to come."""

        def found() -> dict[str, Any] | None:
            for one in self.events:
                if one["event"] == event and all(one.get(name) == value for name, value in wanted.items()):
                    return one
            return None

        with self._heard:
            assert self._heard.wait_for(found, PATIENCE_S), f"{event} {wanted} never came: {self.lines}"
            result = found()
            assert result is not None
            return result

    def told(self, event: str) -> list[dict[str, Any]]:
        with self._heard:
            return [one for one in self.events if one["event"] == event]

    def close(self) -> None:
        """Once the process is over."""
        self._reader.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit code, and how long it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        code = self.process.wait(30)
        took = time.monotonic() - began
        self._reader.join(5)
        return code, took


@contextmanager
def running(place: Place, *options: str) -> Iterator[Running]:
    """`connector run` for the length of a `with`; killed at its end if it still runs."""
    line = [str(BIN), "run", "--config", str(place.config), "--state", str(place.state), *options]
    process = subprocess.Popen(line, cwd=place.folder, env=place.env, stderr=subprocess.PIPE, text=True)
    daemon = Running(process)
    try:
        yield daemon
    finally:
        process.kill()
        process.wait(10)
        daemon.close()


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.02)

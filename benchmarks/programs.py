"""The two programs that are measured, each as a whole process with a state of its own: our connector and the script."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.bench_sandbox import KEY

BIN = Path(sys.executable).parent
SCRIPT = Path(__file__).with_name("script.py")

STORE = """\
[source]
kind = "csv"
path = "{export}"
dialect = "shopify"

[gosweetspot]
url = "{url}"
access_key = "env:GSS_KEY"
batch_size = 100
# Loopback only: no call budget, and read back in the same run, so that our time includes the proof.
calls_per_minute = "none"
calls_per_hour = "none"
in_flight = 16
ghost_window = "0s"

[schedule]
every = "2m"
timezone = "Pacific/Auckland"
"""


def environment(folder: Path) -> dict[str, str]:
    """What measured programs see: nothing of the caller's settings, the sandbox's key, a home below `folder`."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TZ": "UTC", "GSS_KEY": KEY}


def script(folder: Path, export: Path, url: str) -> Sequence[str]:
    """The command of the hand-written script; its table of sent numbers stays in `folder`."""
    return [sys.executable, str(SCRIPT), str(export), url, str(folder / "sent.db")]


def connector(folder: Path, export: Path, url: str) -> Sequence[str]:
    """The command of one `connector sync`; its store file and its ledger stay in `folder`."""
    config = folder / "config"
    config.mkdir(mode=0o700, exist_ok=True)
    store = config / "bench.toml"
    store.write_text(STORE.format(export=export, url=url), encoding="utf-8")
    store.chmod(0o600)
    return [str(BIN / "connector"), "sync", "--config", str(config), "--state", str(folder / "state"), "bench"]


Program = Callable[[Path, Path, str], Sequence[str]]
"""(its folder, the export, the sandbox's address) -> the command to run; called again, the same state is met again."""

"""The receiver beside a bare ASGI app on the same uvicorn: deliveries a second, verified and on disk before the answer.

    python -m benchmarks.receiver            the ratio, the 99th of a hundred waits at 50 a second, a burst of 1,000

Both run in processes of their own and take turns; the ratio is the median of the pairs. The client is a third process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.receiver_client import SECRET
from connector.inbox.box import Inbox

PAIRS = 5
COUNT = 4000
LEAST_RATIO = 0.6
MOST_P99_MS = 250.0
STORE = """\
[source]
kind = "csv"
path = "none/*.csv"
dialect = "woocommerce"

[gosweetspot]
access_key = "env:BENCH_GSS_KEY"

[inbox]
secret = "env:BENCH_SECRET"
scheme = "woocommerce"
"""


class Answered(NamedTuple):
    """What a client saw."""

    a_second: float
    accepted: int
    p99_ms: float
    longest_ms: float


@contextmanager
def ours(folder: Path) -> Iterator[int]:
    """`connector inbox serve` in a process; its port."""
    config = folder / "config"
    config.mkdir()
    (config / "bench.toml").write_text(STORE)
    command = [str(Path(sys.executable).parent / "connector"), "--config", str(config), "--state", str(folder)]
    command += ["inbox", "serve", "--listen", "127.0.0.1:0"]
    with _process(command, {"BENCH_SECRET": SECRET}) as said:
        yield int(said.rpartition(":")[2].partition("/")[0])


@contextmanager
def bare(folder: Path) -> Iterator[int]:
    """The peer in a process; its port."""
    with _process([sys.executable, "-m", "benchmarks.receiver_bare", str(folder)], {}) as said:
        yield int(said)


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    root = str(Path(__file__).parent.parent)
    process = subprocess.Popen(
        command, cwd=root, env={"PYTHONPATH": root, **environment}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def knock(port: int, first: int, count: int, *more: str) -> Answered:
    """A client's run."""
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-m", "benchmarks.receiver_client", str(port), str(first), str(count), *more]
    seen: dict[str, Any] = json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)
    return Answered(seen["accepted"] / seen["s"], seen["accepted"], seen["p99_ms"], seen["longest_ms"])


def main() -> int:
    """Print the figures; 1 where one is missed."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        folder = Path(name)
        with ours(folder) as our_port, bare(folder) as bare_port:
            pairs = []
            for turn in range(PAIRS):
                mine = knock(our_port, turn * COUNT, COUNT)
                peer = knock(bare_port, turn * COUNT, COUNT)
                pairs.append((mine.a_second, peer.a_second))
                print(
                    f"pair {turn + 1}: ours {mine.a_second:.0f}/s (p99 {mine.p99_ms:.0f} ms), bare {peer.a_second:.0f}"
                )
            steady = knock(our_port, 10_000_000, 500, "--a-second", "50")
            burst = knock(our_port, 20_000_000, 1000, "--a-second", "100000")
        with Inbox.open(folder, create=False) as inbox:
            kept = sum(sum(states.values()) for states in inbox.counts().values())
    ratio = median(mine / peer for mine, peer in pairs)
    lost = PAIRS * COUNT + steady.accepted + burst.accepted - kept
    print(f"ratio {ratio:.2f} (at least {LEAST_RATIO}); p99 at 50/s {steady.p99_ms:.1f} ms (under {MOST_P99_MS:.0f})")
    print(f"burst: {burst.accepted} of 1000 accepted, longest wait {burst.longest_ms:.0f} ms; lost: {lost}")
    return int(ratio < LEAST_RATIO or steady.p99_ms >= MOST_P99_MS or lost != 0 or burst.accepted < 1000)


if __name__ == "__main__":
    sys.exit(main())

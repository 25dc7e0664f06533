"""How fast `connector sync` is beside a hand-written script: whole processes, the same work, in alternation.

Run as `python -m benchmarks.run [--quick | --million] [--json]`. The shop is a generated export, GoSweetSpot the
sandbox in a process of its own. Ratios count, absolute times belong to the machine. Exit code 0 when every bound holds,
else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import programs
from benchmarks.bench_sandbox import Sandbox, sandbox
from benchmarks.measure import Run, measure
from benchmarks.verdict import Comparison, Finding, as_json, memory_limits, table

FIRST_BOUND = 0.9
AGAIN_BOUND = 0.2
LATENCY_BOUND = 0.3
HELP_BOUND = 1.5

AGE_S = 3600
"""An export is made to look this old, for the connector leaves a file alone that may still be growing."""


class ComparisonError(Exception):
    """The two programs did not do the same, so their times can't be compared."""


def make_export(folder: Path, orders: int) -> Path:
    """Writes an export of `orders` orders by a process of its own (see measure.measure)."""
    path = folder / f"orders_export_{orders}.csv"
    with path.open("wb") as out:
        subprocess.run([sys.executable, "-m", "benchmarks.make_export", str(orders)], stdout=out, check=True)
    past = time.time() - AGE_S
    os.utime(path, (past, past))
    return path


def first_and_again(program: programs.Program, export: Path, latency_ms: int = 0) -> tuple[Run, Run, int]:
    """A first run and a second one of the same program on the same file; and how many orders the first one made.

    Fresh state, fresh sandbox. ComparisonError when the second run sends anything.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        environment = programs.environment(folder)
        with sandbox(folder, environment, latency_ms) as gss:
            command = program(folder, export, gss.url)
            first = measure(command, environment)
            after_first = gss.counts()
            again = measure(command, environment)
            expect_no_puts_since(after_first, gss)
            return first, again, after_first["orders_created"]


def expect_no_puts_since(before: dict[str, int], gss: Sandbox) -> None:
    more = gss.counts()["puts"] - before["puts"]
    if more:
        raise ComparisonError(f"The second run on an unchanged file sent {more} batches.")


def compare(export: Path, first: Comparison, again: Comparison, pairs: int, latency_ms: int = 0) -> None:
    """Fills both comparisons with `pairs` pairs; who begins takes turns."""
    for number in range(pairs):
        say(f"{first.name}: pair {number + 1} of {pairs}")
        turns = [(programs.script, "peer"), (programs.connector, "ours")]
        made = set()
        for program, side in turns if number % 2 == 0 else reversed(turns):
            one, two, orders = first_and_again(program, export, latency_ms)
            getattr(first, side).append(one)
            getattr(again, side).append(two)
            made.add(orders)
        if len(made) > 1:
            raise ComparisonError(f"The programs sent different numbers of orders: {sorted(made)}.")


def speed(folder: Path, orders: int, pairs: int, again_bound: float | None) -> list[Finding]:
    """First run and second run on one file of `orders` orders."""
    first = Comparison(f"{orders:,} orders, first run", FIRST_BOUND)
    again = Comparison(f"{orders:,} orders, the same file again", again_bound)
    compare(make_export(folder, orders), first, again, pairs)
    return [first, again]


def latency(folder: Path, orders: int, latency_ms: int, pairs: int) -> list[Finding]:
    """A first run where every call takes `latency_ms`, as over a real network."""
    first = Comparison(f"{orders:,} orders at {latency_ms} ms a call", LATENCY_BOUND)
    again = Comparison("", None)
    compare(make_export(folder, orders), first, again, pairs, latency_ms)
    return [first]


def start_up(folder: Path, pairs: int) -> list[Finding]:
    """How soon `connector --help` is there, beside a Python that imports requests and does nothing."""
    environment = programs.environment(folder)
    comparison = Comparison("connector --help | import requests", HELP_BOUND)
    for _ in range(pairs):
        comparison.peer.append(measure([sys.executable, "-c", "import requests"], environment))
        comparison.ours.append(measure([str(programs.BIN / "connector"), "--help"], environment))
    return [comparison]


def memory(folder: Path) -> list[Finding]:
    """Peak memory of a first run at 10,000 and at a million orders."""
    say("10,000 orders")
    small, _, _ = first_and_again(programs.connector, make_export(folder, 10_000))
    say("1,000,000 orders: some minutes, and a few gigabytes of temporary files")
    large, _, _ = first_and_again(programs.connector, make_export(folder, 1_000_000))
    return [*memory_limits(small, large)]


def say(line: str) -> None:
    """Progress, beside the result."""
    print(line, file=sys.stderr, flush=True)


def findings(folder: Path, *, quick: bool, million: bool) -> list[Finding]:
    """What was asked for. The bound of a second run is asked of 100,000 orders; 10,000 are mostly Python starting."""
    if million:
        return memory(folder)
    found = start_up(folder, 11) + speed(folder, 10_000, 3 if quick else 5, None)
    if not quick:
        found += speed(folder, 100_000, 3, AGAIN_BOUND)
    return found + latency(folder, 10_000, 50, 1 if quick else 3)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="How fast, beside a hand-written script."
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="10,000 orders only; a minute or two")
    size.add_argument("--million", action="store_true", help="only memory, at 10,000 and at a million orders")
    parser.add_argument("--json", action="store_true", help="every run as JSON instead of the table")
    parsed = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        found = findings(Path(name), quick=parsed.quick, million=parsed.million)
    print(json.dumps(as_json(found), indent=2) if parsed.json else table(found))
    return 1 if any(finding.holds() is False for finding in found) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""From a signed webhook to the PUT at GSS: a real daemon that listens, 20 orders a second for half a minute.

    python -m benchmarks.webhook             median and 99th of a hundred, and whether both are in bounds
    python -m benchmarks.webhook --apart     the same, the receiver in a process of its own

The daemon and the sandbox are processes of their own; the WooCommerce shop is a double in this one. Each order's time
runs from the start of its POST to the sandbox having read its PUT; both clocks are this machine's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from benchmarks.bench_sandbox import KEY
from benchmarks.bench_sandbox import sandbox as sandbox_process
from benchmarks.programs import BIN
from connector.sandbox.handle import Sandbox
from connector.testing.shop_double import Draft
from tests.shops.woocommerce import WooCommerceDouble
from tests.shops.woocommerce_hooks import SECRET

LISTEN = ("--listen", "127.0.0.1:0")
A_SECOND = 20
SECONDS = 30
WARM = 20
"""Orders before those that count: the first of a daemon's life loads what the others use."""
MOST_MEDIAN_S = 0.5
MOST_P99_S = 1.5
PATIENCE_S = 30.0

STORE = """\
[source]
{source}

[inbox]
secret = "env:WOO_SECRET"

[gosweetspot]
url = "{url}"
access_key = "env:GSS_KEY"
calls_per_minute = "none"
calls_per_hour = "none"

[schedule]
every = "24h"
"""
"""No call budget, which is GSS's and not ours; the shop is asked because of deliveries only."""


ASK_EVERY = 100
"""Orders between two looks at the sandbox's calls: it keeps the last thousand, and an order makes two or three."""


class Timing(NamedTuple):
    """Of one order, in seconds: from its POST's start to its answer, and to its PUT; None where it never came."""

    answer_s: float
    put_s: float | None


@contextmanager
def running(folder: Path, environment: Mapping[str, str], *, is_apart: bool) -> Iterator[str]:
    """A daemon that listens, or one beside a receiver that does; where deliveries are taken."""
    with ExitStack() as stack:
        run = ("run", "--json", *(() if is_apart else LISTEN))
        daemon = stack.enter_context(_process(folder, "daemon", run, environment))
        if not is_apart:
            yield daemon.said(r'"url": "(http://[^"]+)"')
            return
        receiver = stack.enter_context(_process(folder, "receiver", ("inbox", "serve", *LISTEN), environment))
        daemon.said(r'"event": "(started)"')
        yield receiver.said(r"taken at (http://[^/]+)/in/")


class Process(NamedTuple):
    """A command under way, and where its words go."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self, pattern: str) -> str:
        """The group of a pattern in what it says, once it says it."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends and self.process.poll() is None:
            if found := re.search(pattern, self.log.read_text()):
                return found[1]
            time.sleep(0.02)
        raise SystemExit(f"It never said {pattern}: {self.log.read_text()}")


@contextmanager
def _process(folder: Path, name: str, words: Sequence[str], environment: Mapping[str, str]) -> Iterator[Process]:
    command = [str(BIN / "connector"), *words, "--config", str(folder / "config"), "--state", str(folder / "state")]
    log = folder / f"{name}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=said, stderr=said)
    try:
        yield Process(process, log)
    finally:
        process.terminate()
        process.wait(30)


class Shop:
    """Places orders and posts their deliveries, each over a connection of its own as WordPress does."""

    def __init__(self, double: WooCommerceDouble, url: str) -> None:
        self._double = double
        self._host = urlsplit(url).netloc

    def order(self, house: int) -> tuple[str, float, float]:
        """One order: its number, when its POST began (seconds since 1970), and how long the answer took."""
        with self._double.server._lock:  # no request is answered in the middle of a change
            at = datetime.now(UTC)
            number = self._double.place(Draft(line1=f"{house} Kowhai Street"), at)
            delivery = self._double.deliveries(at)[0]
        began = time.time()
        with closing(http.client.HTTPConnection(self._host, timeout=PATIENCE_S)) as connection:
            connection.request("POST", "/in/kiwi", delivery.body, delivery.headers)
            status = connection.getresponse().status
        if status != 200:
            raise SystemExit(f"order {number}: its delivery was answered {status}")
        return number, began, time.time() - began


def measured(shop: Shop, gss: Sandbox, a_second: float, seconds: float) -> list[Timing]:
    """Post at an even pace, wait until GSS has all, and say how long each order took."""
    with ThreadPoolExecutor(16) as posting:
        list(posting.map(shop.order, range(WARM)))
        _wait_for(gss, WARM)
        began = time.monotonic()
        todo = []
        arrived: dict[str, float] = {}
        for order in range(round(a_second * seconds)):
            time.sleep(max(began + order / a_second - time.monotonic(), 0.0))
            todo.append(posting.submit(shop.order, WARM + order))
            if order % ASK_EVERY == 0:
                _note_arrivals(gss, arrived)
        posted = [each.result() for each in todo]
    _wait_for(gss, WARM + len(posted))
    _note_arrivals(gss, arrived)
    return [Timing(took, arrived[number] - began if number in arrived else None) for number, began, took in posted]


def _wait_for(gss: Sandbox, orders: int) -> None:
    ends = time.monotonic() + PATIENCE_S
    while gss.counts()["orders_created"] < orders and time.monotonic() < ends:
        time.sleep(0.2)


def _note_arrivals(gss: Sandbox, found: dict[str, float]) -> None:
    """When each slip's first PUT had been read, in seconds since 1970."""
    for call in gss.requests():
        if call["method"] == "PUT":
            for number in call["numbers"]:
                found.setdefault(number, datetime.fromisoformat(call["at"]).timestamp())


def part(values: list[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def figures(timings: list[Timing]) -> tuple[dict[str, Any], bool]:
    """What was measured, in milliseconds, and whether it is in bounds: every order came, and in time."""
    puts = [timing.put_s for timing in timings if timing.put_s is not None]
    missing = len(timings) - len(puts)
    if not puts:
        return {"orders": len(timings), "missing": missing}, False
    median, p99 = part(puts, 0.5), part(puts, 0.99)
    found = {
        "orders": len(timings), "missing": missing, "put_median_ms": median, "put_p99_ms": p99,
        "put_longest_ms": max(puts), "answer_median_ms": part([timing.answer_s for timing in timings], 0.5),
        "answer_p99_ms": part([timing.answer_s for timing in timings], 0.99),
    }  # fmt: skip
    shown = {name: round(value * 1000) if name.endswith("_ms") else value for name, value in found.items()}
    return shown, not missing and median < MOST_MEDIAN_S and p99 < MOST_P99_S


def main(arguments: list[str]) -> int:
    """Print the figures; 1 where a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhook", description="From a webhook to its PUT.")
    parser.add_argument("--a-second", type=float, default=A_SECOND)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--apart", action="store_true", help="the receiver in a process of its own")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        environment = {"PATH": os.environ["PATH"], "HOME": name, "TZ": "UTC", "GSS_KEY": KEY, "WOO_SECRET": SECRET}
        with WooCommerceDouble() as double, sandbox_process(folder, environment) as process:
            _write_store(folder, double, process.url)
            with running(folder, environment, is_apart=asked.apart) as url:
                timings = measured(Shop(double, url), Sandbox(process.url, KEY), asked.a_second, asked.seconds)
    found, sound = figures(timings)
    print(json.dumps(found))
    print(
        f"median {found.get('put_median_ms')} ms (under {MOST_MEDIAN_S * 1000:.0f}), 99th of a hundred "
        f"{found.get('put_p99_ms')} ms (under {MOST_P99_S * 1000:.0f}): {'PASS' if sound else 'MISS'}"
    )
    return 0 if sound else 1


def _write_store(folder: Path, double: WooCommerceDouble, url: str) -> None:
    config = folder / "config"
    config.mkdir(mode=0o700)
    source = "\n".join(f"{name} = {json.dumps(value)}" for name, value in double.source_table().items())
    store = config / "kiwi.toml"
    store.write_text(STORE.format(source=source, url=url), encoding="utf-8")
    store.chmod(0o600)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Two hundred stores on one daemon for half an hour: does each keep its rhythm, and what does that cost?

Run as `python -m tests.proofs.soak [--minutes 30] [--stores 200]`. The daemon is the real command in a process of its
own; its shops are doubles and GSS is the sandbox, over loopback, in this process. Among them are a shop that is broken,
one that is slow, and a store whose key GSS refuses. For the first part of the time orders are placed, edited and
cancelled; in the rest nothing happens, and the daemon's idling is measured. Exit code 0 when every bound holds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from connector.sandbox.handle import Sandbox
from connector.sandbox.options import Options
from connector.sandbox.server import running
from connector.testing.shop_double import Draft
from connector.testing.shop_server import Request, Response
from tests.shops.shopify import ShopifyDouble
from tests.shops.woocommerce import WooCommerceDouble

LATE_S = 5.0
"""A poll this long after its time keeps the rhythm: jitter is a tenth, and a poll itself takes a moment."""
CPU_BOUND = 0.02
MEMORY_BOUND = 200 * 1024 * 1024
GROWTH_BOUND = 1.05
KEYS = 40
BROKEN, SLOW, REVOKED = "broken", "slow", "revoked"
BIN = Path(sys.executable).parent / "connector"


@dataclass
class Shop:
    """One store's shop, and when it was asked (monotonic seconds)."""

    name: str
    double: Any
    asked: list[float] = field(default_factory=list)
    orders: dict[str, bool] = field(default_factory=dict)

    def watch(self, delay_s: float = 0.0) -> None:
        """Note each call, and take so long over it."""
        server = self.double.server
        answer = server._answer

        def noted(request: Request) -> Response:
            self.asked.append(time.monotonic())
            if delay_s:
                time.sleep(delay_s)
            response: Response = answer(request)
            return response

        server._answer = noted

    def polls(self) -> list[float]:
        """When readings began: calls with five seconds and more before them."""
        return [at for before, at in pairwise([0.0, *self.asked]) if at - before > 5.0]


def toml(value: Any) -> str:
    return json.dumps(value)


def secret(folder: Path, name: str, text: str) -> str:
    """A reference to a file that holds it."""
    file = folder / "keys" / name
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text(text)
    file.chmod(0o600)
    return f"file:{file}"


def write_store(folder: Path, shop: Shop, gss: Sandbox, key: str, every_s: float) -> None:
    table = shop.double.source_table()
    if isinstance(shop.double, ShopifyDouble):
        table["access_token"] = secret(folder, f"{shop.name}.token", shop.double.token)
    source = "\n".join(f"{name} = {toml(value)}" for name, value in table.items())
    text = (
        f'[source]\n{source}\n\n[gosweetspot]\nurl = "{gss.url}"\naccess_key = "{secret(folder, key, key)}"\n'
        f'ghost_window = "30s"\n\n[schedule]\nevery = "{every_s:.0f}s"\n\n[slip]\nprefix = "{shop.name.upper()}-"\n'
    )
    file = folder / "config" / f"{shop.name}.toml"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_text(text)
    file.chmod(0o600)


def make_shops(stack: ExitStack, stores: int) -> list[Shop]:
    shops = []
    for number in range(stores):
        double: Any = ShopifyDouble(seed=number) if number % 4 == 3 else WooCommerceDouble(seed=number)
        stack.enter_context(double)
        name = {0: BROKEN, 1: SLOW, 2: REVOKED}.get(number, f"s{number:03d}")
        shops.append(Shop(name, double))
        shops[-1].watch(delay_s=20.0 if name == SLOW else 0.0)
    return shops


class People:
    """Buyers and staff of all shops: about one change a second."""

    def __init__(self, shops: list[Shop], seed: int) -> None:
        self._shops = [shop for shop in shops if shop.name not in (BROKEN, REVOKED)]
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self.changes = 0
        self._thread = threading.Thread(target=self._live, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)

    def _live(self) -> None:
        while not self._stop.wait(self._chance.expovariate(1.0)):
            shop = self._chance.choice(self._shops)
            with shop.double.server._lock:  # no request is answered in the middle of a change
                self._change(shop)
            self.changes += 1

    def _change(self, shop: Shop) -> None:
        at = datetime.now(UTC).replace(microsecond=0)
        shop.double.set_clock(at)
        ready = [one for one, ships in shop.orders.items() if ships]
        deed = self._chance.random()
        if deed < 0.6 or not ready:
            shop.orders[shop.double.place(Draft(line1=f"{self.changes + 1} Kowhai Street"), at)] = True
        elif deed < 0.85:
            shop.double.edit(self._chance.choice(ready), Draft(line1=f"{self.changes + 1} Rata Street"), at)
        else:
            order = self._chance.choice(ready)
            shop.double.cancel(order, at)
            shop.orders[order] = False


@dataclass
class Sample:
    at: float
    cpu_s: float
    rss: int


def sample(pid: int) -> Sample:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    ticks = os.sysconf("SC_CLK_TCK")
    return Sample(time.monotonic(), (int(words[11]) + int(words[12])) / ticks, pages * os.sysconf("SC_PAGE_SIZE"))


@contextmanager
def daemon(folder: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(BIN), "run", "--config", str(folder / "config"), "--state", str(folder / "state"), "--json",
             "--listen", "127.0.0.1:0"],
            cwd=folder, env=env, stderr=log,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def clocks(shops: list[Shop], stop: threading.Event) -> None:
    """The doubles' clocks go with ours."""
    while not stop.wait(0.5):
        now = datetime.now(UTC).replace(microsecond=0)
        for shop in shops:
            with shop.double.server._lock:
                shop.double.set_clock(now)


def verdict(
    shops: list[Shop], gss: Sandbox, samples: list[Sample], idle_from: float, log: Path, every_s: float
) -> tuple[dict[str, Any], bool]:
    healthy = [shop for shop in shops if shop.name not in (BROKEN, SLOW, REVOKED)]
    gaps = {shop.name: [later - one for one, later in pairwise(shop.polls())] for shop in healthy}
    late = {name: round(max(each), 1) for name, each in gaps.items() if each and max(each) > every_s * 1.1 + LATE_S}
    unread = [shop.name for shop in healthy if len(shop.polls()) < 2]
    idle = [one for one in samples if one.at >= idle_from]
    cpu = (idle[-1].cpu_s - idle[0].cpu_s) / (idle[-1].at - idle[0].at)
    third = max(len(idle) // 3, 1)
    growth = statistics.median(one.rss for one in idle[-third:]) / statistics.median(one.rss for one in idle[:third])
    at_gss = {order["number"]: order for order in gss.orders()}
    wrong = misplaced(healthy, at_gss)
    found = {
        "stores": len(shops),
        "polls": sum(len(shop.polls()) for shop in healthy),
        "longest gap between polls (s)": round(max(max(each) for each in gaps.values() if each), 1),
        "stores off their rhythm": late,
        "stores not read": unread,
        "orders": sum(len(shop.orders) for shop in healthy),
        "orders not as the shop says": wrong,
        "idle cpu of one core": round(cpu, 4),
        "memory (MB)": round(max(one.rss for one in samples) / 1e6, 1),
        "memory growth while idle": round(growth, 3),
        "log": dict(events(log)),
    }
    sound = not (late or unread or wrong) and cpu < CPU_BOUND and growth < GROWTH_BOUND
    return found, sound and max(one.rss for one in samples) < MEMORY_BOUND


def misplaced(shops: list[Shop], at_gss: dict[str, Any]) -> list[str]:
    """Orders that GSS does not hold as their shop says."""
    wrong = []
    for shop in shops:
        pending = {number: order for number, order in at_gss.items() if number.startswith(shop.name.upper() + "-")}
        standing = sum(order["state"] == "pending" for order in pending.values())
        ships = sum(shop.orders.values())
        if standing != ships:
            wrong.append(f"{shop.name}: {ships} to ship, {standing} pending at GSS")
    return wrong


def events(log: Path) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            counts[json.loads(line)["event"]] += 1
    return counts


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.soak", description="Two hundred stores, one daemon.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--stores", type=int, default=200)
    parser.add_argument("--busy", type=float, default=0.5, help="the part of the time in which things happen")
    parser.add_argument("--every", type=float, default=120.0, help="seconds; the default of store files")
    asked = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        keys = {f"key-{number:02d}": () for number in range(KEYS)}
        gss = stack.enter_context(running(Options(port=0, keys=keys)))
        shops = make_shops(stack, asked.stores)
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TZ": "UTC"}
        for number, shop in enumerate(shops):
            key = "revoked-key" if shop.name == REVOKED else f"key-{number % KEYS:02d}"
            write_store(folder, shop, gss, key, asked.every)
        next(shop for shop in shops if shop.name == BROKEN).double.server.fail(_broken(), times=10**9)
        stop = threading.Event()
        threading.Thread(target=clocks, args=(shops, stop), daemon=True).start()
        people = People(shops, seed=1)
        process = stack.enter_context(daemon(folder, env))
        began = time.monotonic()
        people.start()
        samples, idle_from = [], began + asked.minutes * 60 * asked.busy + 2 * asked.every
        while (now := time.monotonic()) < began + asked.minutes * 60:
            if now > began + asked.minutes * 60 * asked.busy:
                people.stop()
            samples.append(sample(process.pid))
            print(f"{now - began:6.0f} s  {samples[-1].rss / 1e6:6.1f} MB  {samples[-1].cpu_s:7.2f} s", flush=True)
            time.sleep(10.0)
        found, sound = verdict(shops, gss, samples, idle_from, folder / "log", asked.every)
        stop.set()
    print(json.dumps(found | {"changes": people.changes, "sound": sound}, indent=2))
    return 0 if sound else 1


def _broken() -> Any:
    from connector.testing import faults

    return faults.says(500)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

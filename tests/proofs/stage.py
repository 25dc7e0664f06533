"""One round of the kill proof: fresh state, a fresh and faulty sandbox, `connector sync` killed again and again.

Each run starts two minutes after the one before, by a clock set ahead (ahead.py): as a schedule would start it, so that
a gate that shuts for 30 s and more stalls a run and not the proof. Everything else is real: the command, the
processes, the kills, the disk, the wire.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.bench_sandbox import KEY
from benchmarks.bench_sandbox import sandbox as sandbox_process
from connector.sandbox.handle import Sandbox
from tests.proofs import truth
from tests.proofs.shop import Shop, export
from tests.proofs.truth import Wreck

ROOT = Path(__file__).resolve().parents[2]

EVERY_S = 120
"""Between the starts of two runs, by the program's clock; as design.md's schedule has it."""
LATER_S = 360
"""The same once the faults are over: more than a ghost window, so that each run can prove what the last one sent."""
CYCLE_S = 7 * 3600
"""More than the six hours after which a confirmed slip is read back again: that is when a label is noticed."""
MOST_CLEAN_RUNS = 12
LONGEST_RUN_S = 120.0
LATENCY_MS = 10
"""What a call takes at least, so that a fair share of a run is calls, as over a real network."""
LABELS = 3
"""Labels that GSS's people print between two runs."""

STORE = """\
[source]
kind = "csv"
path = "exports/*.csv"
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

[gosweetspot]
url = "{url}"
access_key = "env:GSS_KEY"
batch_size = {batch_size}
calls_per_minute = "none"
calls_per_hour = "none"
timeout = "5s"

[schedule]
timezone = "Pacific/Auckland"
"""
"""Budgets apart, which would make it a proof of patience, all is as it ships: the ghost window is five minutes."""

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "store_then_timeout", "method": "PUT", "seconds": 0.05, "probability": 0.01},
    {"kind": "lost", "method": "PUT", "seconds": 0.05, "probability": 0.005},
    {"kind": "apply_later", "method": "PUT", "seconds": 0.3, "probability": 0.005},
    {"kind": "apply_later", "method": "PUT", "probability": 0.01},
    {"kind": "html", "method": "PUT", "stores": 20, "probability": 0.005},
    {"kind": "html", "method": "PUT", "status": 200, "stores": 50, "probability": 0.003},
    {"kind": "cut", "method": "PUT", "at": 700, "probability": 0.005},
    {"kind": "cut", "method": "PUT", "at": 700, "declared": False, "probability": 0.003},
    {"kind": "status", "status": 429, "retry_after": 1, "method": "PUT", "probability": 0.002},
    {"kind": "status", "status": 503, "method": "PUT", "probability": 0.002},
    {"kind": "lie", "probability": 0.005},
    {"kind": "missing_rows", "rows": 7, "probability": 0.02},
    {"kind": "opposite_rows", "probability": 0.01},
    {"kind": "reversed_rows", "method": "PUT", "probability": 0.02},
    {"kind": "hang_up", "probability": 0.02},
    {"kind": "store_then_timeout", "method": "DELETE", "seconds": 0.05, "probability": 0.05},
    {"kind": "apply_later", "method": "DELETE", "probability": 0.03},
    {"kind": "lost", "method": "DELETE", "probability": 0.02},
    {"kind": "cut", "method": "GET", "at": 2000, "probability": 0.002},
    {"kind": "status", "status": 503, "method": "GET", "probability": 0.002},
)
"""What may befall a call, each with its chance; apply_later without seconds is a ghost that comes between two runs.

One PUT in 20 gets no usable answer. More would test the gate only: two failures in a row end a run.
"""


@dataclass
class Round:
    """A shop, a sandbox and a state folder, from the first run to the last."""

    folder: Path
    shop: Shop
    gss: Sandbox
    environment: dict[str, str]
    chance: Random
    wrecks: list[Wreck] = field(default_factory=list)
    clock_s: int = 0
    exports: int = 0
    is_a_ghost_out: bool = False

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def show_more(self) -> None:
        """The shop's next export, the first one or the newer one."""
        streets = self.shop.later if self.exports else self.shop.first
        self.exports += 1
        export(self.folder / "exports", self.exports, streets)

    @property
    def has_shown_all(self) -> bool:
        """Whether the newer export is there."""
        return self.exports == 2

    def run(self, kill_after_s: float | None = None) -> dict[str, Any] | None:
        """Sync once; its report. None: it was killed. AssertionError where it ended by itself and badly."""
        with (self.folder / "said").open("w+b") as said:
            command = [sys.executable, "-m", "tests.proofs.ahead", str(self.clock_s), "sync", "--json"]
            folders = ["--config", str(self.folder / "config"), "--state", str(self.state)]
            process = subprocess.Popen(
                [*command, *folders], cwd=ROOT, env=self.environment, stdout=said, stderr=subprocess.STDOUT
            )
            try:
                process.wait(LONGEST_RUN_S if kill_after_s is None else kill_after_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                assert kill_after_s is not None, "a run doesn't come to its end"
                return None
            said.seek(0)
            return _report(process.returncode, said.read().decode())

    def run_and_kill(self, length_s: float) -> bool:
        """Sync, killed at a random moment of `length_s`, and look at what is left.

        False: it ended before, with nothing owed. Where GSS failed it too often it ends with something owed.
        """
        runs_before = truth.runs_of(self.state)
        report = self.run(self.chance.uniform(0, length_s))
        if report is None:
            self.wrecks.append(truth.after_a_kill(self.state, runs_before, self.exports, self.orders()))
        return report is None or report["owed"] > 0

    def between_runs(self) -> None:
        """Two minutes pass: people print labels, and a call that was given up on arrives, now or the next time."""
        self.clock_s += EVERY_S
        pending = [number for number, order in self.orders().items() if order["state"] == "pending"]
        for number in self.chance.sample(pending, min(LABELS, len(pending))):
            self.gss.ticket(number)
        if self.is_a_ghost_out or self.chance.random() < 0.5:
            self.gss.apply_held()
            self.is_a_ghost_out = False
        else:
            self.is_a_ghost_out = True

    def end_the_faults(self) -> None:
        """GSS works again, and the last ghost has arrived."""
        self.gss.clear_faults()
        self.gss.apply_held()

    def come_to_rest(self, wait_s: int) -> None:
        """Sync that much later, and again until nothing moves. AssertionError where it never comes to rest."""
        self.clock_s += wait_s
        for _ in range(MOST_CLEAN_RUNS):
            assert self.run()
            states = truth.states_of(self.state)
            if set(states.values()) <= truth.AT_REST:
                return
            self.clock_s += LATER_S
        unrest = {number: state for number, state in states.items() if state not in truth.AT_REST}
        raise AssertionError(f"after {MOST_CLEAN_RUNS} unharmed runs {len(unrest)} slips have no end: {unrest}"[:2000])

    def orders(self) -> dict[str, dict[str, Any]]:
        """What GSS truly has, by number."""
        found = self.gss.orders()
        assert len({order["number"] for order in found}) == len(found), "one number stands twice at GSS"
        return {order["number"]: order for order in found}


def _report(code: int, said: str) -> dict[str, Any]:
    """0 done, 1 somebody is to look, 3 GSS failed too often in a row: all else, and no report, is a defect."""
    assert code in (0, 1, 3), f"a run ended with {code}: {said}"
    outcome = json.loads(said.splitlines()[-1])
    assert outcome["report"] and not outcome["failure"], f"a run ended with {code}: {said}"
    report: dict[str, Any] = outcome["report"]
    return report


@contextmanager
def a_round(folder: Path, orders: int, batch_size: int, seed: int, *, faulty: bool = True) -> Iterator[Round]:
    """A fresh round whose shop shows its first export. Without faults: to learn how long an unharmed run takes."""
    for name in ("config", "exports"):
        (folder / name).mkdir(parents=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TZ": "UTC", "GSS_KEY": KEY}
    chance = Random(seed)
    with sandbox_process(folder, environment, LATENCY_MS) as process:
        gss = Sandbox(process.url, KEY)
        store = folder / "config" / "kiwi.toml"
        store.write_text(STORE.format(url=process.url, batch_size=batch_size), encoding="utf-8")
        store.chmod(0o600)
        for number, fault in enumerate(FAULTS if faulty else ()):
            gss.fault(**fault, times=None, seed=seed * 100 + number)
        stage = Round(folder, Shop.of(orders, chance), gss, environment, chance)
        stage.show_more()
        yield stage


def length_of_a_run(folder: Path, orders: int, batch_size: int) -> float:
    """How many seconds an unharmed first run takes here."""
    with a_round(folder, orders, batch_size, 0, faulty=False) as stage:
        started = time.monotonic()
        assert stage.run()
        return time.monotonic() - started

"""One round of the daemon's kill proof: fresh shops, a fresh sandbox, a receiver and a daemon killed again and again.

Deliveries are posted all the while, each until it is answered 2xx, by clients that write down what was. Shops are asked
on a rhythm of a day, so what is at GSS in the end came by deliveries, or from the exports. All is real but the shops.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from connector.sandbox.handle import OperatorError, Sandbox
from connector.sandbox.options import Options
from connector.sandbox.server import running
from tests.proofs import daemon_truth as truth
from tests.proofs.daemon_shops import OWN_SECRET, Exporting, Own, Post, Shop, Woo
from tests.shops.woocommerce import WooCommerceDouble
from tests.shops.woocommerce_hooks import SECRET

CONNECTOR = (sys.executable, "-c", "import sys; from connector.cli import main; sys.exit(main())")
ROOT = Path(__file__).resolve().parents[2]
KEYS = ("key-one", "key-two")
CLIENTS = 4
DEEDS_A_SECOND = 15
EXPORT_EVERY = 20
"""Deeds of the exporting shop between two of its exports."""
LABELS = 2
"""Labels that GSS's people print after a kill of the daemon."""
REST_S = 90.0
GHOST_S = 3

STORE = """\
[source]
{source}

[gosweetspot]
url = "{url}"
access_key = "env:{key}"
ghost_window = "{ghost_s}s"
calls_per_minute = "none"
calls_per_hour = "none"
timeout = "5s"
batch_size = 20

[schedule]
every = "{every}"

[slip]
prefix = "{prefix}"
"""

EXPORT = """\
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
"""

OWN = """\
kind = "inbox"
id = "id"
revision = "revision"
revision_is = "counter"
status = "status"
name = "name"
line1 = "street"
city = "city"
postcode = "postcode"
country = "country"

[source.status_map]
ok = "paid"
off = "cancelled"
"""

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "store_then_timeout", "method": "PUT", "seconds": 0.05, "probability": 0.01},
    {"kind": "lost", "method": "PUT", "seconds": 0.05, "probability": 0.01},
    {"kind": "apply_later", "method": "PUT", "seconds": 0.5, "probability": 0.01},
    {"kind": "cut", "method": "PUT", "at": 700, "probability": 0.005},
    {"kind": "status", "status": 503, "method": "PUT", "probability": 0.003},
    {"kind": "missing_rows", "rows": 2, "probability": 0.01},
    {"kind": "hang_up", "probability": 0.02},
    {"kind": "lost", "method": "DELETE", "probability": 0.02},
    {"kind": "cut", "method": "GET", "at": 2000, "probability": 0.003},
)
"""What may befall a call, each with its chance. Every ghost comes well within the ghost window."""


class Kills(msgspec.Struct):
    """How often each was killed, and how often both at once; of the daemon also amid calls."""

    receiver: int = 0
    daemon: int = 0
    both: int = 0
    amid_calls: int = 0

    @property
    def all(self) -> int:
        """A moment at which both were killed is one."""
        return self.receiver + self.daemon + self.both

    def add(self, other: Kills) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Life(NamedTuple):
    """seconds  from the start to the kill, or from when it says that it is up: however slow the machine is"""

    seconds: float
    once_up: bool


class Process:
    """A command that is started, killed and started again. It must not end by itself. is_up_when  it says this"""

    def __init__(
        self, folder: Path, name: str, words: tuple[str, ...], secrets: Mapping[str, str], is_up_when: bytes
    ) -> None:
        self.said = folder / f"{name}.log"
        self._life = Life(0.0, once_up=False)
        self._counts_from: float | None = 0.0
        self._said_before = 0
        self._is_up_when = is_up_when
        self._line = [*CONNECTOR, *words, "--config", str(folder / "config"), "--state", str(folder / "state")]
        self._folder = folder
        self._env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TZ": "UTC", "PYTHONPATH": str(ROOT), **secrets}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, life: Life) -> None:
        self._life, self._counts_from = life, None if life.once_up else time.monotonic()
        with self.said.open("ab") as said:
            self._said_before = said.tell()
            self._process = subprocess.Popen(
                self._line, cwd=self._folder, env=self._env, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    @property
    def is_due(self) -> bool:
        """Whether its time has come."""
        assert self._process is not None
        assert self._process.poll() is None, f"it ended by itself with {self._process.returncode}: {self.tail()}"
        if self._counts_from is None and self._is_up:
            self._counts_from = time.monotonic()
        return self._counts_from is not None and time.monotonic() >= self._counts_from + self._life.seconds

    @property
    def _is_up(self) -> bool:
        with self.said.open("rb") as said:
            said.seek(self._said_before)
            return self._is_up_when in said.read()

    def kill(self) -> None:
        """As a power cut would, but for the disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(30)
        assert code == 0, f"it stopped with {code}: {self.tail()}"

    def tail(self) -> str:
        return self.said.read_text(errors="replace")[-2000:]


class Clients:
    """Post what they are given until it is answered 2xx. answered  (store, body) of each that was."""

    def __init__(self, port: int) -> None:
        self.answered: set[tuple[str, bytes]] = set()
        self.refused: Counter[int] = Counter()
        self._port = port
        self._open = 0
        self._lock = threading.Lock()
        self._posts: SimpleQueue[Post] = SimpleQueue()
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def post(self, posts: list[Post]) -> None:
        with self._lock:
            self._open += len(posts)
        for each in posts:
            self._posts.put(each)

    @property
    def have_all(self) -> bool:
        with self._lock:
            return self._open == 0

    def end(self) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(30)

    def _call(self) -> None:
        while not self._ends.is_set():
            try:
                each = self._posts.get(timeout=0.2)
            except Empty:
                continue
            status = self._posted(each)
            if 200 <= status < 300:
                with self._lock:
                    self.answered.add((each.store, each.body))
                    self._open -= 1
                continue
            self.refused[status] += 1
            self._posts.put(each)
            self._ends.wait(0.05)

    def _posted(self, each: Post) -> int:
        """The status; 0 for no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("POST", f"/in/{each.store}", each.body, dict(each.headers()))
            return connection.getresponse().status
        return 0


@dataclass
class Round:
    """Shops, a sandbox, a receiver and a daemon, from the first kill to the rest at the end."""

    folder: Path
    chance: Random
    shops: list[Shop]
    gss: Sandbox
    receiver: Process
    daemon: Process
    clients: Clients
    kills: Kills = field(default_factory=Kills)
    deeds: int = 0

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def play(self, kills: int) -> None:
        """Kill so often, let all come to rest, and look at everything."""
        quiet = threading.Event()
        people = threading.Thread(target=self._live, args=(quiet,), daemon=True)
        people.start()
        try:
            self._kill(kills)
        finally:
            quiet.set()
            people.join(10)
        self.gss.clear_faults()
        for shop in self.shops:
            if isinstance(shop, Exporting):
                shop.export()
        self._come_to_rest()

    def _live(self, quiet: threading.Event) -> None:
        """Buyers and staff."""
        while not quiet.wait(self.chance.expovariate(DEEDS_A_SECOND)):
            shop = self.chance.choice(self.shops)
            self.clients.post(shop.act())
            self.deeds += 1
            if isinstance(shop, Exporting) and self.deeds % EXPORT_EVERY == 0:
                shop.export()

    def _kill(self, kills: int) -> None:
        chance = Random(self.chance.random())
        self.receiver.start(_life(chance))
        self.daemon.start(_life(chance))
        while self.kills.all < kills:
            time.sleep(0.01)  # between two looks; the moments themselves are random
            due = [one for one in (self.receiver, self.daemon) if one.is_due]
            if not due:
                continue
            if chance.random() < 0.2:
                due = [self.receiver, self.daemon]
            for one in due:
                one.kill()
            self._look(due)
            for one in due:
                one.start(_life(chance))

    def _look(self, killed: list[Process]) -> None:
        """Count, and where the daemon is dead, look at what it left."""
        if len(killed) == 2:
            self.kills.both += 1
        elif self.daemon in killed:
            self.kills.daemon += 1
        else:
            self.kills.receiver += 1
        if self.daemon in killed:
            orders = self.gss.orders()
            self.kills.amid_calls += truth.after_a_kill(self.state, orders) > 0
            self._print_labels([order["number"] for order in orders if order["state"] == "pending"])

    def _print_labels(self, pending: list[str]) -> None:
        """People at GSS print some; what changes in the shop after that is late, with an alert."""
        for number in self.chance.sample(pending, min(LABELS, len(pending))):
            with suppress(OperatorError):  # the last calls of the dead daemon may still be carried out
                self.gss.ticket(number)

    def _come_to_rest(self) -> None:
        """Both live on until nothing moves. AssertionError where something never comes to rest."""
        self.receiver.kill()
        self.daemon.kill()
        self.receiver.start(FOR_GOOD)
        self.daemon.start(FOR_GOOD)
        ends = time.monotonic() + REST_S
        while unrest := self._unrest():
            assert not (self.receiver.is_due and self.daemon.is_due and time.monotonic() > ends), (
                f"no rest after {REST_S:g} s: {unrest}; {self.daemon.tail()}"
            )
            time.sleep(0.3)
        self.receiver.stop()
        self.daemon.stop()
        if wrong := self.all_wrong():
            raise AssertionError(f"{len(wrong)} things are not as they should be\n" + "\n".join(wrong[:20]))

    def _unrest(self) -> str:
        """What is still to come; "" for nothing."""
        if not self.clients.have_all:
            return f"deliveries are still refused: {dict(self.clients.refused)}"
        if waiting := truth.waiting(self.state):
            return f"{waiting} deliveries wait in the inbox"
        if moving := truth.moving(self.state):
            return f"slips that move: {moving[:5]}"
        exporting = {number for shop in self.shops if isinstance(shop, Exporting) for number in shop.wants}
        if unread := truth.unlike(self.state, {number: self.wants[number] for number in exporting}):
            return f"exports are not read: {unread[:5]}"
        return ""

    @property
    def wants(self) -> dict[str, str | None]:
        return {number: street for shop in self.shops for number, street in shop.wants.items()}

    def all_wrong(self) -> list[str]:
        answered = {(store, sha256(body).digest()) for store, body in self.clients.answered}
        orders = self.gss.orders()
        return [
            *truth.lost_deliveries(self.state, answered),
            *truth.all_wrong(self.state, self.wants, {order["number"]: order for order in orders}),
            *(f"{number} stands twice at GSS" for number, n in _numbers(orders).items() if n > 1),
        ]


def _numbers(orders: list[dict[str, Any]]) -> Counter[str]:
    return Counter(order["number"] for order in orders)


def _life(chance: Random) -> Life:
    """A quarter die within their first moments, the others at work."""
    starts = chance.random() < 0.25
    return Life(chance.uniform(0.05, 1.0), once_up=False) if starts else Life(chance.uniform(0, 2.0), once_up=True)


FOR_GOOD: Final = Life(0.0, once_up=False)


@contextmanager
def a_round(folder: Path, seed: int, *, has_exports: bool = True) -> Iterator[Round]:
    """A fresh round. Without exports it is at rest sooner: they are looked for every ten seconds."""
    (folder / "config").mkdir(mode=0o700, parents=True)
    chance = Random(seed)
    with (
        WooCommerceDouble("hpos", seed=seed) as one,
        WooCommerceDouble("posts", seed=seed + 1) as two,
        running(Options(port=0, keys=dict.fromkeys(KEYS, ()), latency_s=0.04)) as gss,
    ):
        tables = {"kiwi": one.source_table(), "moa": two.source_table()}
        secrets = {"KEY_ONE": KEYS[0], "KEY_TWO": KEYS[1], "WOO_SECRET": SECRET, "OWN_SECRET": OWN_SECRET}
        woo = '\n[inbox]\nsecret = "env:WOO_SECRET"\n'
        for name, double in tables.items():
            table = "\n".join(f'{key} = "{value}"' for key, value in double.items())
            _write(folder, name, gss, table, "KEY_ONE", "24h", woo)
        _write(folder, "own", gss, OWN, "KEY_TWO", "24h", '\n[inbox]\nsecret = "env:OWN_SECRET"\n')
        shops: list[Shop] = [
            Woo("kiwi", Random(chance.random()), one),
            Woo("moa", Random(chance.random()), two),
            Own("own", Random(chance.random())),
        ]
        if has_exports:
            _write(folder, "tui", gss, EXPORT, "KEY_TWO", "10s", "")
            shops.append(Exporting("tui", Random(chance.random()), folder / "exports"))
        for number, fault in enumerate(FAULTS):
            gss.fault(**fault, times=None, seed=seed * 100 + number)
        port = _free_port()
        receiver = Process(
            folder, "receiver", ("inbox", "serve", "--listen", f"127.0.0.1:{port}"), secrets, b"are taken at"
        )
        daemon = Process(folder, "daemon", ("run",), secrets, b'"event": "started"')
        clients = Clients(port)
        try:
            yield Round(folder, chance, shops, gss, receiver, daemon, clients)
        finally:
            receiver.kill()
            daemon.kill()
            clients.end()


def _write(folder: Path, name: str, gss: Sandbox, source: str, key: str, every: str, more: str) -> None:
    text = STORE.format(source=source, url=gss.url, key=key, every=every, prefix=f"{name.upper()}-", ghost_s=GHOST_S)
    file = folder / "config" / f"{name}.toml"
    file.write_text(text + more, encoding="utf-8")
    file.chmod(0o600)


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port

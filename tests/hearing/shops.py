"""A shop, its source, an inbox and a ledger for tests of hearing; GSS is a sandbox where one is given."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connector.consider import Rules
from connector.fetch import Visit
from connector.gosweetspot.destination import Destination
from connector.hearing import hear_store
from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery, State
from connector.late_client import LateClient
from connector.ledger.connection import Ledger, in_memory
from connector.ledger.gates import Budget
from connector.report import Hooks, Report
from connector.sandbox.handle import Sandbox
from connector.selection import SelectRules
from connector.sender import Terms
from connector.slip import SlipRules
from connector.sources.base import Source, SourceContext
from connector.store import Store
from connector.sync import fetch_store, send_store

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
STORE = "kiwi"
NO_SWEEP = Visit(sweep_every=timedelta(days=10_000))
SWEEP = Visit(sweep_every=timedelta(0))


class Ear:
    """now  our clock; source  the shop's"""

    def __init__(self, source: Source, inbox: Inbox, ledger: Ledger, gss: Sandbox | None = None) -> None:
        self.now = NOW
        self.source = source
        self.inbox = inbox
        self.ledger = ledger
        self.rules = Rules(STORE, SelectRules(), SlipRules(products=True, delvref="{id}"))
        self.terms = Terms(
            STORE, gss.url if gss else "https://gss.example.test", "key", in_flight=1, budget=Budget(0, 0),
            ghost_window=timedelta(0),
        )  # fmt: skip
        self._gss = gss

    def hooks(self, **more: Any) -> Hooks:
        return Hooks(now=lambda: self.now, wait=lambda _seconds: None, **more)

    def told(self, *bodies: bytes, topic: str = "", store: str = STORE) -> int:
        """Deliveries whose signatures were good; how many had not come before."""
        return self.inbox.add(Delivery(store, topic, "", NOW, body) for body in bodies)

    def hear(self, **hooks: Any) -> Report:
        return hear_store(self.rules, self.terms, self.source, self.ledger, self.inbox, self.hooks(**hooks))

    def poll(self, visit: Visit = NO_SWEEP) -> Report:
        return fetch_store(self.rules, self.terms, self.source, self.ledger, self.hooks(), visit)

    def send(self) -> None:
        """All that is owed, to the sandbox, and read back."""
        assert self._gss is not None
        with client_of(self._gss) as client:
            for _ in range(2):
                send_store(self.rules, self.terms, self.ledger, client, self.hooks())
                self.now += timedelta(minutes=10)

    def waiting(self) -> int:
        return self.counts().get(State.WAITING, 0)

    def counts(self) -> dict[State, int]:
        return self.inbox.counts().get(STORE, {})

    def slips(self) -> dict[str, str]:
        """State of each order's newest version, by its id; what was passed over by its decision."""
        db = self.ledger.db
        found = dict(
            db.execute(
                "SELECT s.order_id, v.state FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1"
                " WHERE v.op = 'put'"
            ).fetchall()
        )
        found |= dict(
            db.execute(
                "SELECT s.order_id, 'cancel ' || v.state FROM slips s JOIN versions v ON v.slip_id = s.id"
                " AND v.newest = 1 WHERE v.op = 'delete'"
            ).fetchall()
        )
        return found | dict(db.execute("SELECT order_id, decision FROM passed_over").fetchall())

    def versions(self) -> int:
        return int(self.ledger.db.execute("SELECT count(*) FROM versions").fetchone()[0])

    def bodies(self) -> list[str]:
        """What is to be sent, newest versions only."""
        rows = self.ledger.db.execute(
            "SELECT b.body FROM versions v JOIN bodies b ON b.version_id = v.id WHERE v.newest = 1 ORDER BY v.slip_id"
        )
        return [row[0] for row in rows]

    def alerts(self) -> dict[str, str]:
        return dict(self.ledger.db.execute("SELECT kind, text FROM alerts WHERE closed_at IS NULL").fetchall())


class Receiving:
    """A receiver beside nothing: it only keeps."""

    numbers = None

    def __init__(self, stores: Sequence[Store], state: Path) -> None:
        self.state = state
        self._stores = stores

    def stores(self) -> Sequence[Store]:
        return self._stores

    def heard(self, stores: set[str]) -> None: ...

    def hinted(self, store: str, numbers: tuple[str, ...]) -> None: ...

    def stands_still(self) -> str:
        return ""

    def wrong(self, problems: Sequence[Any]) -> None:
        raise AssertionError(problems)


@contextmanager
def client_of(gss: Sandbox) -> Iterator[LateClient]:
    client = LateClient(Destination(gss.url, gss.key, timeout_s=10), sends_products=True)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def listening(source: Source, folder: Path, gss: Sandbox | None = None) -> Iterator[Ear]:
    with Inbox.open(folder / "state", now=lambda: NOW) as inbox, in_memory() as ledger:
        yield Ear(source, inbox, ledger, gss)


def context(folder: Path) -> SourceContext:
    return SourceContext(STORE, str(folder), "Pacific/Auckland", lambda: NOW, lambda _seconds: None)


def shaken(bodies: Sequence[bytes], chance: random.Random) -> list[bytes]:
    """As they come in a bad week: a fifth never, a fifth twice, in any order."""
    kept = [body for body in bodies if chance.random() >= 0.2]
    again = [body for body in kept if chance.random() < 0.2]
    together = [*kept, *again]
    chance.shuffle(together)
    return together


def in_lots(bodies: Iterable[bytes], chance: random.Random) -> Iterator[list[bytes]]:
    """A few at a time."""
    lot: list[bytes] = []
    for body in bodies:
        lot.append(body)
        if chance.random() < 0.2:
            yield lot
            lot = []
    yield lot

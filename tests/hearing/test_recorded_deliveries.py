"""The recorded deliveries of a real shop, posted as they are, shuffled, doubled and a fifth of them dropped, with the
poll beside them: GSS ends as the shop does. The recordings lie in a folder beside the project."""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connector import opening, selection, slip
from connector.config import load_store
from connector.fetch import Visit
from connector.hearing import hear_store
from connector.inbox.box import Inbox
from connector.inbox.delivery import State
from connector.ledger.connection import in_memory
from connector.order import Order
from connector.report import Hooks
from connector.sandbox.handle import Sandbox
from connector.secret import Secret
from connector.selection import Ship, Skip
from connector.sources.base import Source
from connector.sources.woocommerce_order import order_from_woocommerce
from connector.store import Store
from connector.sync import fetch_store, send_store
from connector.web.server import Host, listener, served
from tests.hearing import recorded
from tests.hearing.recorded import Told
from tests.hearing.shops import NO_SWEEP, SWEEP, Receiving, client_of
from tests.shops.woocommerce import WooCommerceDouble

pytestmark = pytest.mark.skipif(not recorded.FOLDER.is_dir(), reason="the shared samples are not beside this project")

STORE = """\
[source]
{source}

[inbox]
secret = "env:KIWI_HOOKS"

[gosweetspot]
url = "{gss}"
access_key = "env:KIWI_GSS_KEY"
ghost_window = "0s"
calls_per_minute = 0
calls_per_hour = 0

[slip]
products = true
"""


class Played:
    """One history: the recorded shop, what of it reaches us and when, and the program."""

    def __init__(self, store: Store, shop: WooCommerceDouble, gss: Sandbox, inbox: Inbox, seed: int) -> None:
        self.shop = shop
        self.inbox = inbox
        self.posted = 0
        self.heard = 0
        self._store = store
        self._gss = gss
        self._chance = random.Random(seed)
        self._rules = opening.rules_of(store)
        self._terms = opening.terms_of(store, Secret(gss.key))
        self._passed = timedelta(0)
        self._ledger = in_memory()

    def live(self, url: str, *, times: Sequence[int], polls: bool) -> None:
        """What is told comes after a while, this or that many times; now and then the program does something."""
        coming: list[tuple[int, int, Told]] = []
        doings = (self.hear, self.hear, self.send, *([self.poll] if polls else []))
        for step, told in enumerate(recorded.deliveries()):
            recorded.follow(self.shop, told)
            for again in range(self._chance.choice(times)):
                heapq.heappush(coming, (step + self._chance.randrange(80), 10 * step + again, told))
            while coming and coming[0][0] <= step:
                self._post(url, heapq.heappop(coming)[-1])
            if self._chance.random() < 0.2:
                self._chance.choice(doings)()
        while coming:
            self._post(url, heapq.heappop(coming)[-1])
        self.hear()

    def rest(self) -> None:
        """Nobody does anything any more: a poll, a sweep."""
        self.poll()
        self.poll(SWEEP)

    def all_sent(self) -> None:
        for _ in range(3):
            self._passed += timedelta(hours=1)
            self.send()

    def hear(self) -> None:
        with self._source() as source:
            report = hear_store(self._rules, self._terms, source, self._ledger, self.inbox, self._hooks)
        assert report.problem == ""
        self.heard += report.read

    def poll(self, visit: Visit = NO_SWEEP) -> None:
        with self._source() as source:
            report = fetch_store(self._rules, self._terms, source, self._ledger, self._hooks, visit)
        assert report.problem == ""

    def send(self) -> None:
        with client_of(self._gss) as client:
            send_store(self._rules, self._terms, self._ledger, client, self._hooks)

    def ends(self, order: Order) -> tuple[str, dict[str, Any] | None]:
        """What GSS should have of an order: its number, and the slip; None where there should be nothing, or where
        what was sent before stays."""
        made = slip.make(order, self._rules.slip, store=self._store.name)
        number = made.number if isinstance(made, slip.Made) else order.number
        if isinstance(selection.decide(order, self._rules.select, self._now()), Ship) and isinstance(made, slip.Made):
            return number, json.loads(made.body)
        return number, None

    def keeps_slip(self, order: Order) -> bool:
        decision = selection.decide(order, self._rules.select, self._now())
        return isinstance(decision, Skip) and decision.keeps_slip

    def close(self) -> None:
        self._ledger.close()

    def _post(self, url: str, told: Told) -> None:
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as wire:
            wire.request("POST", f"/in/{self._store.name}", told.body, told.headers)
            assert wire.getresponse().status == 200, told.name
        self.posted += 1

    def _now(self) -> datetime:
        return self.shop.now() + self._passed

    @property
    def _hooks(self) -> Hooks:
        return Hooks(now=self._now, wait=lambda _seconds: None)

    def _source(self) -> AbstractContextManager[Source]:
        return opening.source_of(self._store, self._now, lambda _seconds: None)


@pytest.fixture
def shop() -> Iterator[WooCommerceDouble]:
    with WooCommerceDouble("hpos") as shop:
        yield shop


@pytest.fixture
def store(shop: WooCommerceDouble, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("KIWI_GSS_KEY", sandbox.key)
    monkeypatch.setenv("KIWI_HOOKS", recorded.SECRET)
    source = "\n".join(f"{key} = {json.dumps(value)}" for key, value in shop.source_table().items())
    (tmp_path / "kiwi.toml").write_text(STORE.format(source=source, gss=sandbox.url))
    return load_store(tmp_path, "kiwi")


@contextmanager
def playing(
    seed: int, store: Store, shop: WooCommerceDouble, gss: Sandbox, state: Path
) -> Iterator[tuple[Played, str]]:
    host: Host = Receiving([store], state)
    with Inbox.open(state) as inbox, served(host, listener("127.0.0.1:0"), inbox=inbox) as web:
        played = Played(store, shop, gss, inbox, seed)
        yield played, web.url
        played.close()
        counts = inbox.counts()["kiwi"]
        assert (counts.get(State.WAITING, 0), counts.get(State.QUARANTINED, 0)) == (0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_recorded_deliveries_shaken_beside_the_poll_end_as_the_shop_does(
    seed: int, store: Store, shop: WooCommerceDouble, sandbox: Sandbox, tmp_path: Path
) -> None:
    with playing(seed, store, shop, sandbox, tmp_path / "state") as (played, url):
        played.live(url, times=(0, 1, 1, 1, 2), polls=True)
        played.rest()
        played.all_sent()
        assert played.posted > 150
        assert played.heard > 50, "most orders were told of"
        assert different(played, sandbox) == set()


@pytest.mark.parametrize("seed", range(2))
def test_without_any_poll_they_end_so_too_but_for_what_nobody_told(
    seed: int, store: Store, shop: WooCommerceDouble, sandbox: Sandbox, tmp_path: Path
) -> None:
    with playing(seed, store, shop, sandbox, tmp_path / "state") as (played, url):
        played.live(url, times=(1, 1, 2), polls=False)
        played.all_sent()
        assert different(played, sandbox) <= {"41"}, "deleted by force, and no webhook is sent for that"


def different(played: Played, sandbox: Sandbox) -> set[str]:
    """The numbers of which GSS has something else than the shop's last word makes."""
    at_gss: dict[str, list[dict[str, Any]]] = {}
    for record in sandbox.orders():
        if record["state"] != "deleted":
            at_gss.setdefault(record["number"], []).append(record["sent"])
    expected: dict[str, list[dict[str, Any]]] = {}
    for told in played.shop.orders.values():
        order = order_from_woocommerce(told.rendered)
        assert isinstance(order, Order)
        number, wanted = played.ends(order)
        if wanted is not None:
            expected[number] = [wanted]
        elif played.keeps_slip(order):
            at_gss.pop(number, None)
    assert len(expected) > 70
    return {number for number in at_gss.keys() | expected.keys() if at_gss.get(number) != expected.get(number)}

"""A shop of one's own, from its signed post to GSS: with the store file that docs/webhooks.md shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from connector import opening
from connector.config import load_stores
from connector.hearing import hear_store
from connector.inbox.box import Inbox
from connector.ledger.connection import Ledger, in_memory
from connector.sandbox.handle import Sandbox
from connector.secret import Secret
from connector.store import Store
from connector.sync import send_store
from connector.web.server import Host, listener, served
from tests.hearing.shops import Receiving, client_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
SECRETS = {"own": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "two": "whsec_c2VjcmV0IG9mIGFub3RoZXIgc2hvcCE="}
SANDBOX = """\
url = "{url}"
ghost_window = "0s"
calls_per_minute = 0
calls_per_hour = 0

[slip]
prefix = "{prefix}"
products = true
"""


def body(revision: str, **more: Any) -> bytes:
    order = {
        "id": 42,
        "number": "42",
        "updated_at": revision,
        "status": "ok",
        "to": {
            "first": "Aroha",
            "last": "Ngata",
            "street": ["12 Kowhai Street"],
            "city": "Hamilton",
            "postcode": "3200",
            "country": "NZ",
        },
        "items": [{"sku": "MUG-1", "qty": 2, "title": "Mug"}],
    }
    return json.dumps({"order": order | more}).encode()


class Own:
    """Two such shops, the receiver, and what is sent."""

    def __init__(self, stores: list[Store], url: str, inbox: Inbox, ledger: Ledger, gss: Sandbox) -> None:
        self._stores = {store.name: store for store in stores}
        self._url = url
        self._inbox = inbox
        self._ledger = ledger
        self._gss = gss

    def post(self, raw: bytes, to: str = "own", signed_as: str = "own") -> int:
        at = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(SECRETS[signed_as]).sign("msg_1", at, raw.decode()),
        }
        with closing(HTTPConnection(urlsplit(self._url).netloc, timeout=10)) as wire:
            wire.request("POST", f"/in/{to}", raw, headers)
            return wire.getresponse().status

    def work(self) -> dict[str, Any]:
        """Hear, and send; what GSS has then, by number."""
        for store in self._stores.values():
            rules, terms = opening.rules_of(store), opening.terms_of(store, Secret(self._gss.key))
            with opening.source_of(store, lambda: datetime.now(UTC)) as source:
                assert hear_store(rules, terms, source, self._ledger, self._inbox).problem == ""
            with client_of(self._gss) as client:
                send_store(rules, terms, self._ledger, client)
        return {each["number"]: each["sent"] for each in self._gss.orders() if each["state"] != "deleted"}


@pytest.fixture
def own(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Own]:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for name in SECRETS:
        upper = name.upper()
        monkeypatch.setenv(f"{upper}_GSS_KEY", sandbox.key)
        monkeypatch.setenv(f"{upper}_WEBHOOK_SECRET", SECRETS[name])
        more = SANDBOX.format(url=sandbox.url, prefix=f"{upper}-")
        (tmp_path / f"{name}.toml").write_text(text.replace("env:OWN_", f"env:{upper}_") + more)
    stores = load_stores(tmp_path)
    host: Host = Receiving(stores, tmp_path / "state")
    with (
        Inbox.open(tmp_path / "state") as inbox,
        in_memory() as ledger,
        served(host, listener("127.0.0.1:0"), inbox=inbox) as web,
    ):
        yield Own(stores, web.url, inbox, ledger, sandbox)


def test_an_order_that_is_posted_is_at_gss(own: Own) -> None:
    assert own.post(body("2026-11-23T10:00:00Z")) == 200
    [(number, sent)] = own.work().items()
    assert number == "OWN-42"
    assert (sent["consignee"], sent["city"], sent["postcode"]) == ("Aroha Ngata", "Hamilton", "3200")
    assert [(line["productcode"], line["units"]) for line in sent["products"]] == [("MUG-1", 2)]


def test_W10_a_change_and_then_the_cancel_reach_gss_and_what_is_old_does_not(own: Own) -> None:
    own.post(body("2026-11-23T10:00:00Z"))
    own.work()
    own.post(body("2026-11-23T10:05:00Z", comment="Ring twice"))
    own.post(body("2026-11-23T10:04:00Z", comment="Never mind"))
    assert own.work()["OWN-42"]["delvinstructions"] == "Ring twice"
    own.post(body("2026-11-23T10:06:00Z", status="off"))
    own.post(body("2026-11-23T10:03:00Z"))
    assert own.work() == {}


def test_W5_what_one_shop_signed_is_refused_at_anothers_address(own: Own) -> None:
    assert own.post(body("2026-11-23T10:00:00Z"), to="two", signed_as="own") == 401
    assert own.work() == {}
    assert own.post(body("2026-11-23T10:00:00Z"), to="two", signed_as="two") == 200
    assert list(own.work()) == ["TWO-42"]

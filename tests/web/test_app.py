"""The paths there are, those there are not, and what they tell whom."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from connector.ledger.connection import open_ledger
from connector.ledger.errors import LedgerError
from connector.web.app import App
from connector.web.numbers import Spread, StoreNumbers
from tests.web.knocking import Door, head, receiving, sign, status

PATHS = [
    b"/", b"//in/kiwi", b"/in//kiwi", b"/in/kiwi/", b"/in/%6biwi", b"/in/%2e%2e/kiwi", b"/in/../in/kiwi", b"/IN/kiwi",
    b"/in/Kiwi",    b"/in/", b"/in", b"/in/..", b"/in/kiwi%00", b"/in/" + b"a" * 41, b"/health/", b"//health", b"/docs",
    b"/gss/%2f", b"/static/x",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_W27_there_is_nothing_at_another_path(door: Door, path: bytes) -> None:
    body = b'{"id":1}'
    answer = door.raw(head(len(body), body).replace(b"/in/kiwi", path) + body)
    assert status(answer) == 404
    assert b"Traceback" not in answer
    assert door.all() == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/in/kiwi"), ("PUT", "/in/kiwi"), ("DELETE", "/gss/kiwi")])
def test_W27_another_method_is_405(door: Door, method: str, path: str) -> None:
    answer = door.ask(path, b"{}" if method == "PUT" else None, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert door.ask("/health", b"x").status == 405


def test_W27_SEC5_nothing_is_written_outside_the_inbox(door: Door) -> None:
    before = {str(path) for path in door.host.state.parent.rglob("*")}
    for path in PATHS:
        door.raw(head(2, b"{}", "X-WC-Webhook-Topic: ../../x").replace(b"/in/kiwi", path) + b"{}")
    door.deliver(b"{}", **{"X-WC-Webhook-Topic": "../../../etc/x", "X-WC-Webhook-Delivery-ID": "/etc/passwd"})
    assert {str(path) for path in door.host.state.parent.rglob("*")} == before


def test_health_says_alive_and_ready_says_so_of_inbox_and_ledger(door: Door) -> None:
    assert (door.ask("/health").status, door.ask("/health").body) == (200, b"alive\n")
    assert door.ask("/ready").status == 200  # a receiver apart has no ledger
    open_ledger(door.host.state).close()
    assert door.ask("/ready").status == 200
    (door.host.state / "ledger.db").write_bytes(b"nonsense" * 1000)
    answer = door.ask("/ready")
    assert (answer.status, answer.body) == (503, b"the ledger can't be read\n")
    assert door.ask("/health").status == 200


def test_a_head_request_has_no_body(door: Door) -> None:
    answer = door.ask("/health", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


class Known:
    def numbers(self) -> Iterable[StoreNumbers]:
        yield StoreNumbers("kiwi", {"owed": 3}, 12.5, Spread({1.0: 2, 60.0: 5}, 6, 99.0), {"minute": 7}, {"shop": 2})


class Damaged:
    def numbers(self) -> Iterable[StoreNumbers]:
        raise LedgerError("no")


def shown(door: Door) -> dict[str, float]:
    text = door.ask("/metrics").body.decode()
    return {name: float(value) for name, value in re.findall(r"^(connector.+) (\S+)$", text, re.MULTILINE)}


def test_metrics_show_the_stores_the_inbox_and_the_receiver(door: Door) -> None:
    door.host.numbers = Known()
    door.deliver(b'{"id":1}')
    door.deliver(b"[]")
    door.deliver(b"{}", secret="wrong")
    found = shown(door)
    for name, value in {
        'connector_slips{state="owed",store="kiwi"}': 3,
        'connector_oldest_owed_seconds{store="kiwi"}': 12.5,
        'connector_calls_left{store="kiwi",window="minute"}': 7,
        'connector_failures_total{kind="shop",store="kiwi"}': 2,
        'connector_shop_to_gosweetspot_seconds_bucket{le="60.0",store="kiwi"}': 5,
        'connector_shop_to_gosweetspot_seconds_bucket{le="+Inf",store="kiwi"}': 6,
        'connector_shop_to_gosweetspot_seconds_sum{store="kiwi"}': 99,
        'connector_inbox_deliveries{state="waiting",store="kiwi"}': 1,
        'connector_inbox_deliveries{state="quarantined",store="kiwi"}': 1,
        'connector_deliveries_total{store="kiwi"}': 2,
        'connector_deliveries_refused_total{why="wrong signature"}': 1,
        'connector_http_answers_total{status="401"}': 1,
        "connector_faults_total": 0,
        "connector_ledger_readable": 1,
        "connector_inbox_readable": 1,
    }.items():
        assert found[name] == value, name
    assert found["connector_inbox_bytes"] > 0


def test_metrics_show_the_receiver_where_the_ledger_cannot_be_read(door: Door) -> None:
    door.host.numbers = Damaged()
    found = shown(door)
    assert found["connector_ledger_readable"] == 0
    assert "connector_pings_total" in found


def test_metrics_show_stores_and_receiver_where_the_inbox_is_gone(door: Door) -> None:
    door.host.numbers = Known()
    (door.host.state / "inbox").rename(door.host.state / "elsewhere")
    found = shown(door)
    assert found["connector_inbox_readable"] == 0
    assert found['connector_slips{state="owed",store="kiwi"}'] == 3
    assert "connector_pings_total" in found


def test_SEC27_a_host_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with receiving(tmp_path, hosts=("hooks.kiwi.example", "127.0.0.1")) as door:
        assert door.ask("/health").status == 200
        for name, wanted in (
            ("HOOKS.kiwi.example:8787", 200),
            ("evil.example", 421),
            ("", 421),
            ("127.0.0.1.evil", 421),
        ):
            answer = door.raw(f"GET /metrics HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            assert status(answer) == wanted, name
        signed = {"X-WC-Webhook-Signature": sign(b"{}"), "Host": "evil.example"}
        assert door.ask("/in/kiwi", b"{}", signed).status == 421
        assert door.all() == []


def test_no_page_may_read_an_answer_from_elsewhere(door: Door) -> None:
    answer = door.ask("/metrics", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("err", [RuntimeError("CANARY in a message"), sqlite3.OperationalError("CANARY")])
def test_SEC16_a_fault_of_our_own_says_nothing(door: Door, monkeypatch: pytest.MonkeyPatch, err: Exception) -> None:
    async def break_down(*_: object) -> None:
        raise err

    monkeypatch.setattr(App, "_answer", break_down)
    answer = door.deliver(b"{}")
    assert (answer.status, answer.body) == (500, b"a fault of the connector\n")
    assert door.web.tally.faults == 1

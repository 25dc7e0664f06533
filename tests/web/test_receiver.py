"""What is answered 200 is verified and on disk; what is not believed leaves no trace but a count."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.inbox.box import Inbox
from connector.inbox.delivery import State
from connector.web import receiver
from connector.web.hints import slip_numbers
from tests.web.knocking import SECRETS, Door, receiving, sign


def test_a_signed_delivery_is_on_disk_before_it_is_answered(door: Door) -> None:
    answer = door.deliver(b'{"id":1}', **{"X-WC-Webhook-Delivery-ID": "abc-1"})
    assert (answer.status, answer.body) == (200, b"")
    [kept] = door.kept()
    assert (kept.store, kept.topic, kept.delivery_id, kept.body) == ("kiwi", "order.updated", "abc-1", b'{"id":1}')
    assert kept.received_at.utcoffset() is not None
    assert door.host.stored == [{"kiwi"}]


def test_W1_a_wrong_signature_is_401_counted_and_stored_nowhere(door: Door) -> None:
    assert door.deliver(b'{"id":1}', secret="another").status == 401
    assert door.ask("/in/kiwi", b'{"id":1}').status == 401
    assert door.all() == []
    assert door.web.tally.refused == {"wrong signature": 1, "no signature": 1}


@pytest.mark.parametrize("value", ["", "A" * 10_000, "é" * 22])
def test_W2_W3_an_odd_signature_is_401_and_no_error(door: Door, value: str) -> None:
    head = b"POST /in/kiwi HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nX-WC-Webhook-Signature: "
    assert door.raw(head + value.encode() + b"\r\n\r\n{}").startswith(b"HTTP/1.1 401 ")
    twice = f"\r\nX-WC-Webhook-Signature: {sign(b'{}')}".encode()
    assert door.raw(head + sign(b"{}").encode() + twice + b"\r\n\r\n{}").startswith(b"HTTP/1.1 401 ")
    assert door.web.tally.faults == 0


def test_W4_a_body_of_odd_spacing_and_escapes_is_kept_as_it_came(door: Door) -> None:
    body = b'{ "id" :\t1.0,\n"note": "\\u00e9 \xc3\xa9 \\/" }\n'
    assert door.deliver(body).status == 200
    assert door.kept()[0].body == body


def test_W5_SEC2_another_stores_signature_is_401(door: Door) -> None:
    assert door.deliver(b'{"id":1}', "/in/moa").status == 401
    headers = {"X-Shopify-Hmac-Sha256": sign(b'{"id":1}', SECRETS["MOA_HOOK"])}
    assert door.ask("/in/kiwi", b'{"id":1}', headers).status == 401
    assert door.ask("/in/moa", b'{"id":1}', headers).status == 200


def test_W5_a_store_without_a_secret_and_one_there_is_not_answer_alike(door: Door) -> None:
    answers = {(a.status, a.body) for a in (door.deliver(b"{}", f"/in/{name}") for name in ("tui", "nobody", "moa"))}
    assert len(answers) == 1
    assert door.all() == []


def test_W6_headers_that_no_signature_covers_decide_nothing(door: Door) -> None:
    more = {"X-WC-Webhook-Topic": "order.deleted", "X-WC-Webhook-Source": "https://moa.example", "X-Shopify-Topic": "x"}
    assert door.deliver(b'{"id":1}', **more).status == 200
    assert door.deliver(b'{"id":1}').status == 200
    [kept] = door.kept()
    assert (kept.store, kept.times) == ("kiwi", 2)


def test_W7_SEC3_a_thousand_replays_with_new_ids_are_one_row(door: Door) -> None:
    for number in range(100):
        assert door.deliver(b'{"id":1}', **{"X-WC-Webhook-Delivery-ID": f"new-{number}"}).status == 200
    [kept] = door.all()
    assert kept.times == 100


def test_W8_W9_the_same_twice_is_one_row_and_two_orders_with_one_id_are_two(door: Door) -> None:
    for body in (b'{"id":1}', b'{"id":1}', b'{"id":2}'):
        assert door.deliver(body, **{"X-WC-Webhook-Delivery-ID": "same"}).status == 200
    assert [each.body for each in door.kept()] == [b'{"id":1}', b'{"id":2}']


@pytest.mark.parametrize("body", [b"[1]", b'"id"', b"nonsense", b"7", b'{"id":1} more', b'{"id":NaN}', b"\x00" * 40])
def test_W20_signed_and_no_json_object_is_quarantined_with_an_alert_and_200(door: Door, body: bytes) -> None:
    assert door.deliver(body).status == 200
    [kept] = door.all()
    assert (kept.state, kept.body) == (State.QUARANTINED, body)
    with Inbox.open(door.host.state) as inbox:
        assert [alert.store for alert in inbox.alerts()] == ["kiwi"]


def test_W20_a_body_of_a_million_brackets_is_quarantined(door: Door) -> None:
    assert door.deliver(b'{"a":' + b"[" * 1_000_000).status == 200
    assert door.all()[0].state is State.QUARANTINED


@pytest.mark.parametrize("path", ["/in/kiwi", "/in/moa", "/in/nobody"])
def test_W21_woocommerces_unsigned_ping_is_200_and_stored_nowhere(door: Door, path: str) -> None:
    answer = door.ask(path, b"webhook_id=7", {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200
    assert door.all() == []
    assert door.web.tally.pings == 1


@pytest.mark.parametrize("body", [b"webhook_id=7&id=1", b"webhook_id=", b"webhook_id=x", b'webhook_id=7\n{"id":1}'])
def test_W21_nothing_else_passes_for_a_ping(door: Door, body: bytes) -> None:
    assert door.ask("/in/kiwi", body).status == 401


def test_W24_while_shopify_rotates_its_secret_both_are_taken(door: Door) -> None:
    for number, name in enumerate(("MOA_HOOK", "MOA_OLD_HOOK")):
        body = b'{"id":%d}' % number
        assert door.ask("/in/moa", body, {"X-Shopify-Hmac-Sha256": sign(body, SECRETS[name])}).status == 200
    assert len(door.kept("moa")) == 2


@pytest.mark.parametrize("body", [b'\xef\xbb\xbf{"id":1}', b'{"note":"\xff"}', '{"id":"é"}'.encode("utf-16")])
def test_W32_what_is_not_utf8_is_kept_raw_and_quarantined(door: Door, body: bytes) -> None:
    assert door.deliver(body, **{"Content-Type": "application/json; charset=latin-1"}).status == 200
    [kept] = door.all()
    assert (kept.state, kept.body) == (State.QUARANTINED, body)


def test_W34_what_else_a_request_carries_is_kept_nowhere(door: Door) -> None:
    more = {"Cookie": "session=CANARY1", "access_key": "CANARY2", "Authorization": "Bearer CANARY3"}
    assert (
        door.deliver(b'{"id":1}', "/in/kiwi?token=CANARY4", **more, **{"X-WC-Webhook-Topic": "CANARY 5\t!"}).status
        == 200
    )
    held = b"".join(path.read_bytes() for path in (door.host.state / "inbox").iterdir())
    assert b"CANARY" not in held
    assert door.kept()[0].topic == ""
    assert b"CANARY" not in door.ask("/metrics").body


def test_W15_a_full_inbox_is_503_with_when_to_come_again_and_never_2xx(tmp_path: Path) -> None:
    with receiving(tmp_path, inbox=Inbox.open(tmp_path / "state", quota=200_000)) as door:
        statuses = [door.deliver(b'{"id":%d}' % n + b" " * 20_000) for n in range(20)]
        refused = [answer for answer in statuses if answer.status != 200]
        assert {answer.status for answer in refused} == {503}
        assert refused[0].headers["retry-after"] == "30"
        assert len(door.kept()) == 20 - len(refused) > 0
        assert door.web.tally.not_stored == {"no room": len(refused)}
        assert door.ask("/ready").status in (200, 503)


def test_W15_I16_an_inbox_that_is_gone_is_503_until_it_is_back(door: Door) -> None:
    away = (door.host.state / "inbox").rename(door.host.state / "away")
    assert door.deliver(b'{"id":1}').status == 503
    assert door.ask("/ready").status == 503
    assert not (door.host.state / "inbox").exists()
    away.rename(door.host.state / "inbox")
    assert door.deliver(b'{"id":1}').status == 200
    assert door.ask("/ready").status == 200


def test_gosweetspots_webhooks_are_hints_and_are_stored_nowhere(door: Door) -> None:
    body = b'[{"PackingSlipNo":"#1001","Status":"delivered"},{"PackingSlipNo":null},{"Other":1}]'
    assert door.ask("/gss/kiwi", body).status == 200
    assert door.host.hints == [("kiwi", ("#1001",))]
    assert door.all() == []
    assert door.ask("/gss/nobody", body).status == 200
    assert door.ask("/gss/kiwi", b"x" * 70_000).status == 413


def test_gosweetspots_webhooks_of_one_store_are_passed_on_once_in_a_while(door: Door) -> None:
    for number in range(50):
        assert door.ask("/gss/kiwi", b'[{"PackingSlipNo":"#%d"}]' % number).status == 200
    assert door.host.hints == [("kiwi", ("#0",))]
    assert door.web.tally.hints == {"kiwi": 50}


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        (b'{"PackingSlipNo":"A"}', ("A",)),
        (b'"[{\\"PackingSlipNo\\":\\"A\\"}]"', ("A",)),
        (b'[{"PackingSlipNo":"' + b"A" * 51 + b'"}]', ()),
        (b'[{"PackingSlipNo":7}]', ()),
        (b"nonsense", ()),
        (b'"\xff', ()),
    ],
)
def test_slip_numbers_are_read_from_both_kinds_of_body(body: bytes, numbers: tuple[str, ...]) -> None:
    assert slip_numbers(body) == numbers


def test_a_secret_that_cannot_be_had_closes_its_store_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIWI_HOOK")
    with receiving(tmp_path) as door:
        assert [problem.key for problem in door.host.problems] == ["[inbox] secret"]
        assert door.deliver(b"{}").status == 401
        assert door.ask("/in/moa", b"{}", {"X-Shopify-Hmac-Sha256": sign(b"{}", SECRETS["MOA_HOOK"])}).status == 200


def test_what_is_raised_carries_no_growing_trace() -> None:
    assert not [name for name, value in vars(receiver).items() if isinstance(value, Exception)]

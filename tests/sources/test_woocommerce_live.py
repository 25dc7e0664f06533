"""Orders that a real WooCommerce 11.0.1 sent, as answers and as webhooks: each becomes its slip or says why not.

The golden pairs are those bodies with other people in them. The recordings themselves lie beside the project and are
never copied into it; where they are, nothing personal of theirs may stand in a pair.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.sources.json_body import NotAnOrder
from connector.sources.woocommerce_order import order_from_woocommerce
from tests.sources import golden

KIND = "woocommerce-live"
RECORDED = Path(__file__).resolve().parents[2] / "../shared/samples/woocommerce-live"

beside_the_recordings = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not beside this project")

Body = dict[str, Any]


def orders_in(told: Any) -> Iterator[Body]:
    """Every object that is an order, however deep in an answer."""
    if isinstance(told, dict) and isinstance(told.get("billing"), dict) and isinstance(told.get("id"), int):
        yield told
        return
    for inner in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from orders_in(inner)


def recorded(folder: str) -> Iterator[Body]:
    for path in sorted((RECORDED / folder).glob("*.body")):
        try:
            told = json.loads(path.read_bytes())
        except ValueError:
            continue  # a ping, an answer without a body
        yield from orders_in(told)


def told_of(body: Body) -> dict[str, Any]:
    """What becomes of it. Whatever is not sent says why, in sentences; whatever is sent says where to."""
    told = golden.outcome(order_from_woocommerce(json.dumps(body).encode()))
    if told["outcome"] == "made":
        sent = told["slip"]
        assert sent["consignee"] and sent["country"] and (sent["address1"] or sent["address2"])
        assert sent["city"] or sent["suburb"]
    else:
        reasons = told.get("reasons") or [told["reason"]]
        assert all(reason.endswith(".") and "Internal error" not in reason for reason in reasons)
    return told


def counted(bodies: Iterator[Body]) -> dict[str, int]:
    return dict(Counter(f"{body['status']} {told_of(body)['outcome']}" for body in bodies))


@pytest.mark.parametrize("name", golden.bodies(KIND))
def test_what_the_shop_sent_becomes_what_is_expected(name: str) -> None:
    golden.check(KIND, name, [order_from_woocommerce(golden.body(KIND, name))])


@pytest.mark.parametrize("name", golden.bodies(KIND))
def test_every_pair_goes_somewhere_or_says_why_not(name: str) -> None:
    body = json.loads(golden.body(KIND, name))
    if "billing" in body:
        told_of(body)
    else:
        assert isinstance(order_from_woocommerce(body), NotAnOrder)


@beside_the_recordings
def test_every_order_of_every_answer_has_an_outcome() -> None:
    assert counted(recorded(".")) == {
        "cancelled withdraw": 12,
        "checkout-draft skip": 1,
        "completed skip": 30,
        "failed withdraw": 11,
        "on-hold wait": 3,
        "pending wait": 1,
        "processing held": 11,
        "processing made": 294,
        "processing skip": 15,
        "refunded withdraw": 12,
        "trash withdraw": 3,
    }


@beside_the_recordings
def test_every_order_of_every_webhook_has_an_outcome() -> None:
    assert counted(recorded("webhooks")) == {
        "cancelled withdraw": 1,
        "completed skip": 4,
        "failed withdraw": 1,
        "on-hold wait": 4,
        "pending wait": 2,
        "processing held": 11,
        "processing made": 198,
        "processing skip": 6,
        "refunded withdraw": 1,
        "trash withdraw": 2,
    }


@beside_the_recordings
def test_every_kind_of_recorded_body_has_its_pair() -> None:
    """Keys, types, status and what is empty: none was left out when the people were changed."""
    pairs = {likeness(body) for name in golden.bodies(KIND) for body in orders_in(json.loads(golden.body(KIND, name)))}
    assert {likeness(body) for folder in (".", "webhooks") for body in recorded(folder)} <= pairs


def likeness(body: Body) -> str:
    """An order without its words: two with one likeness differ in people, places, times and ids alone."""
    return json.dumps([body["status"], bare(body)], sort_keys=True)


def bare(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: bare(inner) for key, inner in told.items()}
    if isinstance(told, list):
        return [bare(inner) for inner in told]
    return [type(told).__name__, bool(told)]


@beside_the_recordings
def test_no_recorded_person_is_in_a_pair() -> None:
    words = {word for folder in (".", "webhooks") for body in recorded(folder) for word in personal(body)}
    assert len(words) > 100
    pairs = [golden.body(KIND, name).decode() for name in golden.bodies(KIND)]
    pairs += [path.read_text(encoding="utf-8") for path in (golden.FOLDER / KIND).glob("*.expected.json")]
    for text in pairs:
        plain = "\n".join(strings(json.loads(text)))
        assert [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", plain)] == []


def strings(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    for inner in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from strings(inner)


def personal(body: Body) -> Iterator[str]:
    """What tells who and where. A letter or two, and the word "Test", tell nobody."""
    keys = ("first_name", "last_name", "company", "address_1", "address_2", "email", "phone")
    told = [block.get(key, "") for block in (body["billing"], body["shipping"]) for key in keys]
    for word in (*told, body["customer_note"]):
        if word != "Test" and (len(word) > 2 or not word.isascii()) and len(word) > 1:
            yield word

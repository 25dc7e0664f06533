"""Every order body that other shops' people wrote becomes a slip, or is held, skipped, left waiting or withdrawn with a
sentence. The samples lie in a folder beside the project and are never copied into it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import selection, slip
from connector.order import Order
from connector.selection import SelectRules, Ship
from connector.slip import Made, SlipRules
from connector.sources.json_body import NotAnOrder
from connector.sources.shopify_graphql_order import orders_from_shopify_graphql
from connector.sources.shopify_order import order_from_shopify_rest, orders_from_shopify_rest
from connector.sources.woocommerce_order import order_from_woocommerce, orders_from_woocommerce
from tests.sources import golden

SAMPLES = Path(__file__).resolve().parents[1] / "../shared/samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared samples are not beside this project")

Found = Order | NotAnOrder


def result(order: Found) -> str:
    """What becomes of it. Whatever is not sent has a sentence; whatever is sent has a place to go to."""
    if isinstance(order, NotAnOrder):
        assert order.reason.endswith(".")
        return "not an order"
    decision = selection.decide(order, SelectRules(), golden.NOW)
    if not isinstance(decision, Ship):
        assert decision.reason.endswith(".")
        return type(decision).__name__.lower()
    made = slip.make(order, SlipRules(), store="kiwi")
    if not isinstance(made, Made):
        assert made.reasons
        assert all(reason.endswith(".") and "Internal error" not in reason for reason in made.reasons)
        return "held"
    sent = json.loads(made.body)
    assert sent["consignee"] and sent["country"]
    assert sent["address1"] or sent["address2"]
    assert sent["city"] or sent["suburb"]
    return "made"


def counts(found: Iterable[Found]) -> dict[str, int]:
    """How many of each result, printed for whoever runs with -s; none is lost between reading and counting."""
    orders = list(found)
    counted = Counter(map(result, orders))
    print(f"read {len(orders)}:", ", ".join(f"{word} {number}" for word, number in sorted(counted.items())))
    assert sum(counted.values()) == len(orders)
    return dict(counted)


def woo_fixtures() -> Iterator[Found]:
    """Bodies of the apps' tests, some wrapped in {"data"}, one in a WireMock mapping, one of them a list."""
    for path in sorted((SAMPLES / "woocommerce").glob("*.json")):
        told = json.loads(path.read_bytes())
        told = told.get("response", {}).get("jsonBody", told)
        told = told.get("data", told)
        yield from orders_from_woocommerce(json.dumps(told if isinstance(told, list) else [told]).encode())


def woo_answers() -> Iterator[Found]:
    """All answers of a live shop's API: orders, lists of orders, errors, settings, products, refunds."""
    for path in sorted((SAMPLES / "woocommerce-live").glob("*.body")):
        body = path.read_bytes()
        if body.lstrip()[:1] == b"[":
            yield from orders_from_woocommerce(body)
        else:
            yield order_from_woocommerce(body)


def shopify_rest() -> Iterator[dict[str, Any]]:
    """Every object that looks like an order, however deep in its file."""
    for path in sorted((SAMPLES / "shopify").glob("*.json")):
        yield from objects_with(json.loads(path.read_bytes()), "financial_status")


def objects_with(told: Any, key: str) -> Iterator[dict[str, Any]]:
    if isinstance(told, dict) and key in told:
        yield told
        return
    for inner in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from objects_with(inner, key)


def test_every_woocommerce_fixture_has_an_answer() -> None:
    assert counts(woo_fixtures()) == {"made": 6, "held": 2, "skip": 3, "wait": 1}


def test_every_answer_of_a_live_woocommerce_has_an_answer() -> None:
    assert counts(woo_answers()) == {
        "made": 291,
        "held": 11,
        "skip": 45,
        "wait": 4,
        "withdraw": 38,
        "not an order": 104,
    }


def test_every_webhook_of_a_live_woocommerce_has_an_answer() -> None:
    paths = sorted((SAMPLES / "woocommerce-live" / "webhooks").glob("*.body"))
    found = (order_from_woocommerce(path.read_bytes()) for path in paths)
    assert counts(found) == {"made": 198, "held": 11, "skip": 10, "wait": 6, "withdraw": 5, "not an order": 9}


def test_every_shopify_rest_order_has_an_answer() -> None:
    assert counts(map(order_from_shopify_rest, shopify_rest())) == {
        "made": 2,
        "held": 1,
        "skip": 1,
        "wait": 2,
        "withdraw": 3,
    }


def test_every_shopify_fulfilment_order_has_an_answer() -> None:
    """Laid over its own order, and over any order where its own is not among the samples."""
    orders = {str(body["id"]): body for body in shopify_rest() if not body["cancelled_at"]}
    anyone = orders["450789469"]
    found: list[Found] = []
    for path in sorted((SAMPLES / "shopify").glob("*fulfillment-order*.json")):
        for part in objects_with(json.loads(path.read_bytes()), "assigned_location_id"):
            found += orders_from_shopify_rest(orders.get(str(part["order_id"]), anyone), [part])
    assert counts(found) == {"made": 1, "skip": 2, "wait": 2}


def test_every_shopify_fragment_has_an_answer_within_an_order() -> None:
    """The native pick-up and local delivery are pieces of a GraphQL order: they are laid into one of ours."""
    found: list[Found] = []
    for path in sorted((SAMPLES / "shopify").glob("*.jsonc")):
        piece = json.loads(re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8")))
        whole = json.loads(golden.body("shopify", "graphql_open"))["data"]["order"]
        known = whole["fulfillmentOrders"]["nodes"][0]
        piece["fulfillmentOrders"] = [
            known | part | {"destination": known["destination"] | part["destination"]}
            for part in piece["fulfillmentOrders"]
        ]
        found += orders_from_shopify_graphql(whole | piece)
    assert counts(found) == {"skip": 2}

"""The WooCommerce double answers as a real 11.0.1 was recorded to: every query, every refusal, every field of an order.

What other versions were measured to do is in test_woocommerce_habits.py; who gets in, and webhooks' signatures, in
test_woocommerce_door.py.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote

import pytest

from connector.testing.shop_double import Draft
from connector.testing.shop_server import Request, Response
from tests.shops import woocommerce_recorded as recorded
from tests.shops.woocommerce import WooCommerceDouble
from tests.shops.woocommerce_api import WooCommerceApi
from tests.shops.woocommerce_auth import Gate, Key
from tests.shops.woocommerce_bodies import Shop
from tests.shops.woocommerce_prepared import ZONE, at, prepared
from tests.shops.woocommerce_recorded import RECORDED, Exchange
from tests.shops.woocommerce_shop import WooCommerceShop
from tests.shops.woocommerce_state import BEHAVIOURS, Setup
from tests.sources import golden

NOON: Final = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
DIGITS: Final = "0123456789abcdef0123456789abcdef01234567"
KEYS: Final = (
    Key(f"ck_{DIGITS}", f"cs_{DIGITS}", may_write=True),
    Key(f"ck_aaaa{DIGITS[4:]}", f"cs_aaaa{DIGITS[4:]}"),
)
"""The recorded shop's; it was made for the recording and is gone."""

TRAFFIC: Final = recorded.traffic()
LIVE: Final = "woocommerce-live"
ORDERS: Final = [name for name in golden.bodies(LIVE) if b'"billing"' in golden.body(LIVE, name)]
LATER: Final = ("095", "097", "099", "101")

beside_the_recordings = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not beside this project")


class Recorded:
    """The double in the state that the real shop was in, at the real shop's address."""

    def __init__(self, host: str) -> None:
        tls = host.endswith(":8441")
        face = Shop(f"{'https' if tls else 'http'}://{host}", ZONE, BEHAVIOURS["hpos"])
        self.shop = WooCommerceShop(face, Setup())
        for number, status, created, modified in TRAFFIC.orders:
            self.shop.place(Draft(), at(created), status=status, order_id=number)
            self.shop.orders[number].modified = at(modified)
        gate = Gate({key.key: key for key in KEYS}, trusts_basic=tls)
        self._api = WooCommerceApi(self.shop, gate, seed=0, statuses=())

    def answer(self, exchange: Exchange) -> Response:
        self.shop.set_clock(parsedate_to_datetime(exchange.date))
        path, _, query = exchange.target.partition("?")
        headers = {"authorization": exchange.authorization} if exchange.authorization else {}
        return self._api.answer(Request(exchange.method, path, query, headers, b""))


def exchange(name: str) -> Exchange:
    return next(each for each in TRAFFIC.exchanges if each.name == name)


@beside_the_recordings
def test_the_table_of_exchanges_is_the_recording() -> None:
    taken = recorded.take(RECORDED)
    if os.environ.get("GOLDEN_REWRITE") == "1":
        recorded.write(taken)
    assert recorded.traffic() == taken


@pytest.mark.parametrize("name", [each.name for each in TRAFFIC.exchanges])
def test_the_double_answers_as_the_shop_did(name: str) -> None:
    asked = exchange(name)
    shop = Recorded(asked.host)
    if name == "oauth1-nonce-replayed":
        shop.answer(exchange("oauth1-nonce-first"))
    found = shop.answer(asked)
    told = json.loads(found.body) if found.body else None
    assert found.status == asked.status
    assert (found.headers.get("X-WP-Total", ""), found.headers.get("X-WP-TotalPages", "")) == (asked.total, asked.pages)
    assert links(found.headers["Link"]) == links(asked.link)
    assert found.headers["Date"] == asked.date
    if asked.ids is not None:
        assert shown(told) == asked.ids
    if asked.told is not None or asked.ids is None:
        assert told == asked.told


def shown(told: Any) -> list[int]:
    return [each["id"] for each in (told if isinstance(told, list) else [told])]


def links(header: str) -> dict[str, tuple[str, list[str]]]:
    """Where each leads, by its rel; the real shop encodes a "+" of a signature in two ways, which says nothing."""
    found = re.findall(r'<([^>]*)>; rel="([^"]*)"', header)
    return {rel: (url.partition("?")[0], parameters(url)) for url, rel in found}


def parameters(url: str) -> list[str]:
    pairs = unquote(url.partition("?")[2]).split("&")
    return [pair for pair in pairs if not pair.startswith("oauth_signature=")]


BEYOND: Final = {
    "after-refund-partial-get": "a refund of a part, which the shop here makes by itself",
    "create-de": "euros",
    "create-fee-coupon-meta": "a fee and a coupon",
    "create-fraction-prices": "a price written by hand",
    "create-sg": "two given names: the double takes the first word for the given name",
    "create-two-shipping-lines": "two shipping lines",
    "create-us-apo": "a choice without a capital letter",
    "create-us-long": "dollars",
    "dp": "six decimals, as asked for",
    "get-trashed": "two given names",
    "list-any-with-draft-49": "two deleted products, one of them for nothing",
    "webhook-223-order.updated": "dollars",
    **dict.fromkeys(
        (
            "list-any-with-draft-59",
            "webhook-092-order.updated",
            "webhook-093-order.updated",
            "webhook-094-order.updated",
        ),
        "an engraving added to a line later",
    ),
    **dict.fromkeys(
        (*(f"list-any-with-draft-6{last}" for last in "1234"), *(f"webhook-{last}-order.updated" for last in LATER)),
        "meta data in another sequence, or with a note for debugging",
    ),
}
"""Recorded bodies that the double can't make, and why; their keys and types are compared all the same."""


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_is_shown_as_the_shop_showed_it(name: str) -> None:
    """Every field with its value, the sequence of keys and the types of numbers included."""
    body = json.loads(golden.body(LIVE, name))
    shop, order = prepared(body)
    same = dumped(shop.rendered(order)) == dumped(json.dumps(body))
    assert same is (name not in BEYOND), BEYOND.get(name)


def dumped(body: bytes | str) -> str:
    """Without what differs between any two orders."""
    return json.dumps(masked(json.loads(body)), indent=1, ensure_ascii=False)


MASKED: Final = frozenset(
    {"id", "order_key", "payment_url", "cart_hash", "customer_user_agent", "transaction_id", "href"}
    | {"payment_method", "payment_method_title"}
)


def masked(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: type(inner).__name__ if key in MASKED else masked(inner) for key, inner in told.items()}
    return [masked(inner) for inner in told] if isinstance(told, list) else told


def test_every_field_has_a_type_that_the_shop_was_seen_to_send() -> None:
    seen: dict[str, set[str]] = {}
    for name in ORDERS:
        for path, kind in kinds(json.loads(golden.body(LIVE, name))):
            seen.setdefault(path, set()).add(kind)
    with WooCommerceDouble() as shop:
        for draft in (Draft(), Draft(country="AU", sku="TEE-M", quantity=3), Draft(sku="PDF-1", note="Kia ora")):
            for via in ("rest-api", "store-api", "checkout"):
                order_id = shop.place(draft, NOON, via=via)
                shop.refund_part(order_id, NOON, {draft.sku: 1})
        for order in shop.orders.values():
            for path, kind in kinds(json.loads(shop.rendered(order))):
                assert kind in seen[path], f"{path} is {kind}, and was only {seen[path]}"


def kinds(told: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each field's path, without places in lists, and its JSON type."""
    yield path, "number" if isinstance(told, int | float) and not isinstance(told, bool) else type(told).__name__
    if path.endswith("meta_data/value"):
        return  # plug-ins own it
    for key, inner in told.items() if isinstance(told, dict) else ():
        yield from kinds(inner, f"{path}/{key}")
    for inner in told if isinstance(told, list) else ():
        yield from kinds(inner, path)

"""Who gets into the WooCommerce double, over real HTTP, signed by a library that the double doesn't know."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import requests
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client

from connector.testing.shop_double import Draft
from tests.shops.woocommerce import WooCommerceDouble
from tests.shops.woocommerce_hooks import SECRET, Delivery
from tests.shops.woocommerce_recorded import RECORDED

NOW: Final = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
ORDERS: Final = "/wp-json/wc/v3/orders"


@pytest.fixture
def shop() -> Iterator[WooCommerceDouble]:
    with WooCommerceDouble() as double:
        double.set_clock(NOW)
        double.place(Draft(), NOW)
        yield double


def client(shop: WooCommerceDouble, **changes: str) -> Client:
    """A signer. changes  of key, secret, nonce, timestamp, signature_method, signature_type"""
    given = {
        "client_key": shop.key.key,
        "client_secret": shop.key.secret,
        "signature_method": SIGNATURE_HMAC_SHA256,
        "signature_type": SIGNATURE_TYPE_QUERY,
        "timestamp": str(int(NOW.timestamp())),
        **changes,
    }
    return Client(**given)


def told(answer: requests.Response) -> str:
    """The status, and the message of a refusal."""
    return f"{answer.status_code} {'' if answer.ok else answer.json()['message']}".strip()


def ask(shop: WooCommerceDouble, signer: Client, query: str = "per_page=5&status=any,trash") -> requests.Response:
    url, headers, _ = signer.sign(f"{shop.server.url}{ORDERS}?{query}")
    return requests.get(url, headers=headers, timeout=5)


@pytest.mark.parametrize("method", [SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256])
@pytest.mark.parametrize("place", ["QUERY", "AUTH_HEADER"])
@pytest.mark.parametrize("query", ["per_page=5", "modified_after=2026-11-23T05%3A00%3A00%2B00%3A00&status=any%2Ctrash"])
def test_a_signed_call_gets_in(shop: WooCommerceDouble, method: str, place: str, query: str) -> None:
    answer = ask(shop, client(shop, signature_method=method, signature_type=place), query)
    assert told(answer) == "200"
    assert answer.headers["X-WP-Total"] == "1"
    assert answer.headers["Date"] == "Mon, 23 Nov 2026 06:00:00 GMT"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_key": "ck_unknown"}, "Consumer key is invalid."),
        ({"client_secret": "cs_wrong"}, "Invalid signature - provided signature does not match."),
        ({"signature_method": "PLAINTEXT"}, "Invalid signature - signature method is invalid."),
        ({"timestamp": str(int((NOW - timedelta(minutes=16)).timestamp()))}, "Invalid timestamp."),
        ({"timestamp": str(int((NOW + timedelta(minutes=16)).timestamp()))}, "Invalid timestamp."),
    ],
)
def test_a_call_that_is_signed_wrong_is_told_why(
    shop: WooCommerceDouble, changes: dict[str, str], message: str
) -> None:
    assert told(ask(shop, client(shop, **changes))) == f"401 {message}"


def test_a_nonce_is_good_once(shop: WooCommerceDouble) -> None:
    signer = client(shop, nonce="once")
    assert [told(ask(shop, signer))[:3] for _ in range(2)] == ["200", "401"]


def test_a_query_changed_on_the_way_is_refused(shop: WooCommerceDouble) -> None:
    url, _, _ = client(shop).sign(f"{shop.server.url}{ORDERS}?per_page=5")
    assert requests.get(url.replace("per_page=5", "per_page=9"), timeout=5).status_code == 401


def test_half_of_a_signature_names_what_is_missing(shop: WooCommerceDouble) -> None:
    answer = requests.get(f"{shop.server.url}{ORDERS}?oauth_consumer_key={shop.key.key}&oauth_nonce=1", timeout=5)
    assert told(answer) == "401 Missing OAuth parameters oauth_timestamp, oauth_signature, oauth_signature_method"


@pytest.mark.parametrize("trusts", [False, True])
def test_basic_is_looked_at_behind_tls_alone(trusts: bool) -> None:
    with WooCommerceDouble(trusts_basic=trusts) as shop:
        url = shop.server.url + ORDERS
        answer = requests.get(url, auth=(shop.key.key, shop.key.secret), timeout=5)
        assert told(answer) == ("200" if trusts else "401 Sorry, you cannot list resources.")
        number = shop.place(Draft(), NOW)
        alone = requests.get(f"{url}/{number}", timeout=5)
        assert told(alone) == "401 Sorry, you cannot view this resource."
        other = requests.get(f"{url}?rest_route=/wc/v3/orders", auth=(shop.key.key, shop.key.secret), timeout=5)
        assert told(other) == "401 Sorry, you cannot list resources."


def test_the_keys_lie_in_files_that_nobody_else_can_read(shop: WooCommerceDouble) -> None:
    table = shop.source_table()
    for name, text in (("consumer_key", shop.key.key), ("consumer_secret", shop.key.secret)):
        path = Path(table[name].removeprefix("file:"))
        assert path.read_text(encoding="utf-8") == text
        assert path.stat().st_mode & 0o777 == 0o600


# Webhooks are signed as the real shop's were.

beside_the_recordings = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not beside this project")


def test_a_delivery_is_signed_over_its_bytes(shop: WooCommerceDouble) -> None:
    for sent in shop.deliveries(NOW):
        assert sent.headers["X-WC-Webhook-Signature"] == signature(sent.body)
    assert "X-WC-Webhook-Signature" not in shop.hooks.ping().headers


@beside_the_recordings
def test_every_recorded_delivery_is_signed_as_the_double_signs() -> None:
    signed = 0
    for path in sorted((RECORDED / "webhooks").glob("*.headers")):
        headers = recorded_headers(path)
        body = path.with_suffix(".body").read_bytes()
        if "X-WC-Webhook-Signature" in headers:
            signed += 1
            assert headers["X-WC-Webhook-Signature"] == signature(body)
    assert signed == 235


@beside_the_recordings
def test_a_delivery_and_a_ping_have_the_recorded_headers() -> None:
    with WooCommerceDouble() as shop:
        shop.place(Draft(), NOW)
        sent, *_ = shop.deliveries(NOW)
        assert likeness(sent) == likeness_of("005-order.created")
        assert likeness(shop.hooks.ping()) == likeness_of("001-ping")


def signature(body: bytes) -> str:
    return base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()


def recorded_headers(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+): (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))


OF_THE_WIRE: Final = {"Host", "Connection", "Content-Length"}
ITS_OWN: Final = {"X-WC-Webhook-Source", "X-WC-Webhook-Signature", "X-WC-Webhook-Delivery-ID"}


def likeness_of(name: str) -> list[tuple[str, str]]:
    return likeness(Delivery(recorded_headers(RECORDED / "webhooks" / f"{name}.headers"), b""))


def likeness(sent: Delivery) -> list[tuple[str, str]]:
    """The headers in sequence, without what the connection adds; of those that are each shop's own, the length."""
    return [
        (name, "" if name == "X-WC-Webhook-Source" else f"{len(value)} long" if name in ITS_OWN else value)
        for name, value in sent.headers.items()
        if name not in OF_THE_WIRE
    ]

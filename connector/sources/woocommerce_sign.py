"""How a call shows WooCommerce who asks: a header, the query, or a signature. Knows no order and opens nothing.

https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication: Basic over https; where a host keeps the header
from WordPress, both halves of the key in the query; over http OAuth 1.0a with one leg (recorded: oauth1-sha256-ok).
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote, urlencode

Signed = tuple[str, Mapping[str, str]]
"""A path with its query, as it goes out, and the headers that go with it."""

Sign = Callable[[str], Signed]


def basic(key: str, secret: str) -> Sign:
    """For https."""
    packed = base64.b64encode(f"{key}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {packed}"}
    return lambda path: (path, headers)


def in_query(key: str, secret: str) -> Sign:
    """For https hosts that strip the header (recorded: auth-query-string)."""
    _keep_out_of_logs()
    both = query_text({"consumer_key": key, "consumer_secret": secret})
    return lambda path: (f"{path}{'&' if '?' in path else '?'}{both}", {})


def oauth(key: str, secret: str, home: str, now: Callable[[], datetime]) -> Sign:
    """For http. home  scheme and host; now  the time, within 15 minutes of the shop's (oauth1-clock-16min-off)."""
    from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client  # only http shops pay for it

    _keep_out_of_logs()

    def sign(path: str) -> Signed:
        client = Client(
            key,
            client_secret=secret,
            signature_method=SIGNATURE_HMAC_SHA256,
            signature_type=SIGNATURE_TYPE_QUERY,
            timestamp=str(int(now().timestamp())),
        )
        uri, _, _ = client.sign(home + path)
        return str(uri)[len(home) :], {}

    return sign


def _keep_out_of_logs() -> None:
    """At DEBUG these write whole addresses, and what they sign (failures.md 0.9)."""
    for name in ("urllib3", "oauthlib"):
        logging.getLogger(name).setLevel(logging.INFO)


def query_text(query: Mapping[str, str]) -> str:
    """The query, percent-encoded throughout: that is the form which both OAuth and PHP read alike."""
    return urlencode(query, quote_via=quote, safe="")

"""How a call shows WooCommerce who asks: a header, the query, or a signature. Knows no order and opens nothing.

https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication: Basic over https; where a host keeps the header
from WordPress, both halves of the key in the query; over http OAuth 1.0a with one leg (recorded: oauth1-sha256-ok).
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

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
    """For http. home  scheme and host; now  the time, within 15 minutes of the shop's (oauth1-clock-16min-off).

    oauthlib's own steps (RFC 5849, 3.4), one after the other: its client, which takes any request there is, renders the
    address twice and reads it three times, which costs more than reading the answer of a small page.
    """
    from oauthlib.common import generate_nonce  # only http shops pay for it
    from oauthlib.oauth1 import Client
    from oauthlib.oauth1.rfc5849 import signature

    _keep_out_of_logs()
    client = Client(key, client_secret=secret)
    steps: Any = signature  # its published types ask for a dict where it reads pairs

    def sign(path: str) -> Signed:
        place, _, query = path.partition("?")
        told = {
            "oauth_consumer_key": key,
            "oauth_nonce": generate_nonce(),
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_timestamp": str(int(now().timestamp())),
            "oauth_version": "1.0",
        }
        every = steps.normalize_parameters([*parse_qsl(query, keep_blank_values=True), *told.items()])
        base = steps.signature_base_string("GET", steps.base_string_uri(home + place), every)
        told["oauth_signature"] = steps.sign_hmac_sha256_with_client(base, client)
        return f"{place}?{query}{'&' if query else ''}{query_text(told)}", {}

    return sign


def _keep_out_of_logs() -> None:
    """At DEBUG these write whole addresses, and what they sign (failures.md 0.9)."""
    for name in ("urllib3", "oauthlib"):
        logging.getLogger(name).setLevel(logging.INFO)


def query_text(query: Mapping[str, str]) -> str:
    """The query, percent-encoded throughout: that is the form which both OAuth and PHP read alike."""
    return urlencode(query, quote_via=quote, safe="")

"""Who asks: WooCommerce's Basic and OAuth 1.0a, computed by hand. Knows no order and no code of ours.

https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication, class-wc-rest-authentication.php; messages and
codes as recorded (auth-*, oauth1-*).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from connector.testing.shop_server import Request
from tests.shops.woocommerce_answers import Refusal, unauthenticated

WINDOW_S: Final = 15 * 60
NEEDED: Final = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")


class Key(msgspec.Struct, frozen=True):
    """A consumer key. may_write False: read only."""

    key: str
    secret: str
    may_write: bool = False


class Gate:
    """Lets callers in, or not.

    keys          by consumer key
    trusts_basic  as behind TLS: Basic, and keys in the query, are looked at; over plain http they are not
    """

    def __init__(self, keys: Mapping[str, Key], *, trusts_basic: bool) -> None:
        self._keys = keys
        self._trusts_basic = trusts_basic
        self._nonces: dict[int, str] = {}

    def caller(self, request: Request, home: str, now: int) -> Key | None:
        """Who asks; None without credentials, or with some that aren't looked at. Raises Refusal.

        home  the shop's own address; now  the shop's clock, seconds since 1970
        """
        given = dict(parse_qsl(request.query, keep_blank_values=True))
        header = request.headers.get("authorization", "")
        if self._trusts_basic and (known := self._basic(given, header)):
            return known
        signed = {**given, **_oauth_header(header)}
        missing = [name for name in NEEDED if not signed.get(name)]
        if len(missing) == len(NEEDED):
            return None
        if missing:
            names = ", ".join(missing)
            word = "parameter" if len(missing) == 1 else "parameters"
            raise Refusal("woocommerce_rest_authentication_missing_parameter", f"Missing OAuth {word} {names}", 401)
        return self._oauth(request, signed, home, now)

    def _basic(self, given: Mapping[str, str], header: str) -> Key | None:
        name, secret = given.get("consumer_key", ""), given.get("consumer_secret", "")
        if not (name and secret):
            name, secret = _user(header)
        known = self._keys.get(name)
        if known and not hmac.compare_digest(known.secret.encode(), secret.encode()):
            raise unauthenticated("Consumer secret is invalid.")
        return known

    def _oauth(self, request: Request, signed: Mapping[str, str], home: str, now: int) -> Key:
        known = self._keys.get(signed["oauth_consumer_key"])
        if not known:
            raise unauthenticated("Consumer key is invalid.")
        told = unquote(signed["oauth_signature"].replace(" ", "+"))
        if not hmac.compare_digest(signature(request.method, home + request.path, signed, known.secret), told):
            raise unauthenticated("Invalid signature - provided signature does not match.")
        self._take(signed["oauth_timestamp"], signed["oauth_nonce"], now)
        return known

    def _take(self, stamp: str, nonce: str, now: int) -> None:
        """Of one second, the real shop too remembers the last nonce alone (class-wc-rest-authentication.php)."""
        if not stamp.isdigit() or abs(int(stamp) - now) > WINDOW_S:
            raise unauthenticated("Invalid timestamp.")
        if nonce in self._nonces.values():
            raise unauthenticated("Invalid nonce - nonce has already been used.")
        self._nonces = {second: used for second, used in self._nonces.items() if second >= now - WINDOW_S}
        self._nonces[int(stamp)] = nonce


def signature(method: str, url: str, given: Mapping[str, str], secret: str) -> str:
    """The signature of a request (RFC 5849, 3.4), base64. given  query and OAuth parameters, decoded."""
    digest = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}.get(given["oauth_signature_method"])
    if not digest:
        raise unauthenticated("Invalid signature - signature method is invalid.")
    pairs = sorted((_escape(key), _escape(value)) for key, value in given.items() if key != "oauth_signature")
    base = "&".join(map(_escape, (method, url, "&".join(f"{key}={value}" for key, value in pairs))))
    return base64.b64encode(hmac.digest(f"{_escape(secret)}&".encode(), base.encode(), digest)).decode()


def _escape(text: str) -> str:
    return quote(text, safe="-._~")


def _user(header: str) -> tuple[str, str]:
    scheme, _, packed = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _oauth_header(header: str) -> dict[str, str]:
    if not header.startswith("OAuth "):
        return {}
    return {name: unquote(value) for name, value in re.findall(r'(oauth_[a-z_-]+)="([^"]*)"', header)}

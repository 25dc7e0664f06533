"""The tokens of a Shopify shop's one app: for ever, or asked for and good for a day. Knows no order.

https://shopify.dev/docs/apps/build/authentication-authorization/client-credentials-grant
"""

from __future__ import annotations

import random
import secrets
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from connector.testing.shop_server import Request

LIFE: Final = timedelta(seconds=86_399)


class Tokens:
    """`permanent` is "" for an app from the Dev Dashboard; `given` are the tokens it asked for, and until when."""

    def __init__(self, seed: int, *, permanent: bool) -> None:
        self._random = random.Random(f"tokens {seed}")
        self.client_id = f"{self._random.getrandbits(128):032x}"
        self.client_secret = f"shpss_{self._random.getrandbits(128):032x}"
        self.permanent = f"shpat_{self._random.getrandbits(128):032x}" if permanent else ""
        self.given: dict[str, datetime] = {}

    def is_known(self, token: str, now: datetime) -> bool:
        if self.permanent and secrets.compare_digest(token.encode(), self.permanent.encode()):
            return True
        until = self.given.get(token)
        return until is not None and now < until

    def revoke(self) -> None:
        """No token given so far is good any more."""
        self.given.clear()
        if self.permanent:
            self.permanent = f"shpat_{self._random.getrandbits(128):032x}"

    def grant(self, request: Request, scopes: frozenset[str], now: datetime) -> tuple[int, dict[str, Any]]:
        """A further token for the app's own credentials; the ones before it live on."""
        asked = _fields(request)
        if asked.get("grant_type") != "client_credentials":
            return 400, _refused("unsupported_grant_type", "The grant type is not supported.")
        if (asked.get("client_id"), asked.get("client_secret")) != (self.client_id, self.client_secret):
            return 400, _refused("invalid_client", "Client authentication failed.")
        token = f"shpat_{self._random.getrandbits(128):032x}"
        self.given[token] = now + LIFE
        life_s = int(LIFE.total_seconds())
        return 200, {"access_token": token, "scope": ",".join(sorted(scopes)), "expires_in": life_s}


def _fields(request: Request) -> dict[str, Any]:
    if "json" not in request.headers.get("content-type", ""):
        return {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _refused(error: str, told: str) -> dict[str, Any]:
    return {"error": error, "error_description": told}

"""Tokens for Shopify's Admin API: a permanent one, or one got for the app's own id and secret. Knows no query.

Permanent tokens ("shpat_...") belong to apps made in a shop's admin before 2026. Newer apps of one's own get a token
for a day by the client credentials grant,
https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlencode

import msgspec

from connector.secret import SecretError, SecretReference
from connector.sources.base import Malformed, Unauthorised, Unreachable
from connector.sources.shop_calls import ShopCalls

PATH: Final = "/admin/oauth/access_token"
LIFE: Final = timedelta(hours=24)
"""Of a granted token, where the answer names none."""
EARLY: Final = timedelta(hours=1)
"""A token is renewed so long before its end, so that none ends while a page is read."""

_TOKEN: Final = re.compile(r"[!-~]{1,4096}")
"""What a header can carry."""

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class Token(Protocol):
    """What signs a call."""

    def text(self) -> str:
        """The token now. Raises SourceError where none can be had."""
        ...

    def can_be_renewed(self) -> bool:
        """The shop refused the token: True when the next one is another one."""
        ...


class PermanentToken:
    """A token that stays until somebody takes it back; read anew for each source, so that a changed one is used."""

    def __init__(self, reference: SecretReference) -> None:
        self._reference = reference
        self._text = ""

    def text(self) -> str:
        self._text = self._text or revealed(self._reference)
        return self._text

    def can_be_renewed(self) -> bool:
        return False


class Granted(NamedTuple):
    """A token, and until when it is used (aware)."""

    text: str
    until: datetime


granted: Final[dict[bytes, Granted]] = {}
"""The tokens this process got, by whose they are: a source lives for one run, its token for a day. In memory only."""


class GrantedToken:
    """A token for a day, shared by all sources of this process that have the same shop, id and secret.

    url  of the shop; calls  go without a token; now  for its end, which our clock may judge: it is a length
    """

    def __init__(
        self, url: str, calls: ShopCalls, client_id: str, secret: SecretReference, now: Callable[[], datetime]
    ) -> None:
        self._url = url
        self._calls = calls
        self._client_id = client_id
        self._secret = secret
        self._now = now
        self._owner = b""

    def text(self) -> str:
        self._owner = self._owner or self._fingerprint()
        token = granted.get(self._owner)
        if token is None or self._now() >= token.until:
            token = granted[self._owner] = self._got()
        return token.text

    def can_be_renewed(self) -> bool:
        granted.pop(self._owner, None)
        return True

    def _fingerprint(self) -> bytes:
        """Whose the token is. With a secret that was changed another one is asked for."""
        return hashlib.sha256("\n".join((self._url, self._client_id, revealed(self._secret))).encode()).digest()

    def _got(self) -> Granted:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": revealed(self._secret),
        }
        heard = self._calls.ask("POST", PATH, urlencode(form).encode(), _FORM)
        if heard.status >= 400:
            raise Unauthorised(
                f"Shopify gives no token for this client_id and client_secret (HTTP {heard.status}). Check both in the "
                "Dev Dashboard (your app, Settings), and that the app is installed in this shop."
            )
        answer = _decoded(heard.body)
        life = timedelta(seconds=answer.expires_in) if answer.expires_in > 0 else LIFE
        return Granted(answer.access_token, self._now() + life - min(EARLY, life / 10))


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = 0.0


def _decoded(body: bytes) -> _Answer:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.ValidationError as error:
        raise Malformed("Shopify's answer about a token has no token in it.") from error
    except msgspec.DecodeError as error:
        raise Unreachable("Shopify answered the question for a token with a page that is no answer.") from error
    if not _TOKEN.fullmatch(answer.access_token):
        raise Malformed("Shopify's answer about a token has no token in it.")
    return answer


def revealed(reference: SecretReference) -> str:
    """The secret; raises Unauthorised with the mend where it can't be had."""
    try:
        return reference.resolve().reveal()
    except SecretError as error:
        raise Unauthorised(str(error)) from error

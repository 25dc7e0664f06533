"""Calls to one shop's wc/v3: signed, patient for a moment, with Woo's errors told apart. Knows no cursor.

Slow and closed shops are waited for up to a minute (Retry-After); longer waits are the caller's. Signatures are made by
the shop's clock where ours is too far from it, so that a wrong clock of ours stops nothing (failures.md P14).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from connector import api_url
from connector.plain_file import reason
from connector.secret import SecretError
from connector.sources.base import SourceContext, TooLate
from connector.sources.shop_calls import ShopCalls
from connector.sources.woocommerce_options import WooCommerceOptions
from connector.sources.woocommerce_refusal import (
    GONE,
    OAUTH_WINDOW,
    Broke,
    Refused,
    broke,
    code_of,
    refused,
    shop_time,
    strange,
)
from connector.sources.woocommerce_sign import Sign, basic, in_query, oauth, query_text
from connector.wire.heard import Heard, retry_after_s

PATIENCE_S: Final = 60.0
"""How long one call waits, in all, where the shop names a time; then the run ends and the store is tried later."""

LEAST_PAUSE_S: Final = 1.0
"""Where the shop says "at once": never a busy loop (failures.md P4)."""


class WooCommerceApi:
    """One shop. The first call reads the keys; nothing is opened before."""

    def __init__(self, options: WooCommerceOptions, context: SourceContext) -> None:
        parts = urlsplit(options.url)
        self.home = f"{parts.scheme}://{parts.netloc}"
        self.name = f"WooCommerce at {parts.hostname}"
        self.signs = parts.scheme == "http"
        self.is_here = api_url.is_loopback(self.home)
        self._options = options
        self._context = context
        self._folder = parts.path
        self._ahead = timedelta()
        self._opened: tuple[ShopCalls, Sign] | None = None

    def get(self, route: str, query: Mapping[str, str] | None = None) -> Heard:
        """The answer of GET wc/v3/<route>, a 2xx or the 404 of an order that is gone.

        Raises SourceError: Refused (401, 403), Strange (another 4xx, a redirect), Broke (500, 502, 504, too
        late), TooLarge, Throttled, Unreachable.
        """
        return self.get_at(f"/wp-json/wc/v3/{route}", query)

    def get_at(self, path: str, query: Mapping[str, str] | None = None) -> Heard:
        """The same for any path of WordPress'."""
        asked = self._folder + path
        if told := self._told(query or {}):
            asked += f"?{query_text(told)}"
        heard = self._waiting(asked)
        if self.signs and heard.status == 401 and self._sets_its_clock(heard):
            heard = self._waiting(asked)
        if heard.status in (401, 403):
            raise refused(heard, self.name, oauth=self.signs, query_auth=self._options.query_auth)
        if trouble := broke(heard, self.name):
            raise trouble
        self._open()[0].judged(heard)
        if heard.status >= 400 and not (heard.status == 404 and code_of(heard) == GONE):
            raise strange(heard, self.name)
        return heard

    def _told(self, query: Mapping[str, str]) -> Mapping[str, str]:
        """Never the same address twice: a cache in front of the REST API (LiteSpeed's, whose answers it keeps although
        WooCommerce forbids it) would go on showing the list as it was. OAuth's nonce sees to that by itself; `_` is
        jQuery's own word for it, which WordPress passes over."""
        return query if self.signs else {**query, "_": secrets.token_hex(6)}

    @property
    def calls_made(self) -> int:
        """How many so far."""
        return self._opened[0].made if self._opened else 0

    def close(self) -> None:
        """Close idle connections."""
        if self._opened:
            self._opened[0].close()

    def _waiting(self, path: str) -> Heard:
        """Signed anew for each try: a nonce is taken once (recorded: oauth1-nonce-replayed). Patience ends where we are
        to stop (failures.md P4, S28)."""
        waited = 0.0
        while True:
            calls, sign = self._open()
            signed, headers = sign(path)
            try:
                heard = calls.hear("GET", signed, None, headers)
            except TooLate as err:
                raise Broke(str(err), "no whole answer in time") from err
            asked = retry_after_s(heard) if heard.status in (429, 503) else None
            if asked is None or waited + asked > PATIENCE_S:
                return heard
            pause = max(asked, LEAST_PAUSE_S)
            if self._context.wait(pause):
                return heard
            waited += pause

    def _sets_its_clock(self, heard: Heard) -> bool:
        """True when signatures are made by the shop's clock from now on, ours being too far from it."""
        shop = shop_time(heard)
        ours = self._now()
        if not code_of(heard) or shop is None or abs(shop - ours) <= OAUTH_WINDOW / 2:
            return False
        self._ahead = shop - self._context.now()
        return True

    def _now(self) -> datetime:
        return self._context.now() + self._ahead

    def _open(self) -> tuple[ShopCalls, Sign]:
        if self._opened is None:
            sign = self._sign()
            calls = ShopCalls(self.home, self.name, self._context.now, verify=self._verify())
            self._opened = calls, sign
        return self._opened

    def _sign(self) -> Sign:
        try:
            key = self._options.consumer_key.resolve().reveal()
            secret = self._options.consumer_secret.resolve().reveal()
        except SecretError as err:
            raise Refused(f"{err.what}.", f"{err.mend}.") from err
        if self.signs:
            return oauth(key, secret, self.home, self._now)
        return in_query(key, secret) if self._options.query_auth else basic(key, secret)

    def _verify(self) -> str | bool:
        if self._options.ca_file is None:
            return True
        path = Path(self._context.folder) / self._options.ca_file
        try:
            path.open("rb").close()
        except OSError as err:
            what = f'ca_file = "{self._options.ca_file}": {path} can\'t be read ({reason(err)}).'
            raise Refused(what, "Correct it in the store file, and let the user that runs connector read it.") from err
        return str(path)

"""A WooCommerce shop for tests: its REST API over loopback, defects included, as measured (platforms.md 7).

Written from the recorded traffic of a real shop and held to it by test_woocommerce_double.py; knows none of our code
but the contract of shop doubles.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connector.testing.shop_server import Request, Response, ShopServer
from tests.shops.woocommerce_api import WooCommerceApi
from tests.shops.woocommerce_auth import Gate, Key
from tests.shops.woocommerce_bodies import Shop
from tests.shops.woocommerce_shop import WooCommerceShop
from tests.shops.woocommerce_state import BEHAVIOURS, PRODUCTS, Product, Setup


class WooCommerceDouble(WooCommerceShop):
    """A shop that is empty at first; `with WooCommerceDouble() as shop`. Implements ShopDouble.

    behaviour     hpos | posts | before-10.4 | 7.5.1: woocommerce_state.BEHAVIOURS
    site_zone     the shop's time zone
    seed          which order equal rows come in, and the key
    trusts_basic  as behind TLS: Basic and keys in the query are looked at; else only OAuth 1.0a
    read_only     the key may not write
    numbering     what shows as number: "" the id; "number" a plug-in's own; "meta" its own in meta data only
    old_states    New Zealand's states as two letters (before WooCommerce 7.2.1)
    statuses      slugs that a plug-in added
    folder        where WordPress lives on its host, "/shop"
    more_keys     beside the double's own
    """

    kind = "woocommerce"

    def __init__(
        self,
        behaviour: str = "hpos",
        site_zone: str = "Pacific/Auckland",
        seed: int = 0,
        *,
        trusts_basic: bool = False,
        read_only: bool = True,
        numbering: str = "",
        old_states: bool = False,
        products: Iterable[Product] = PRODUCTS,
        statuses: Iterable[str] = (),
        folder: str = "",
        more_keys: Iterable[Key] = (),
    ) -> None:
        # The contract's type: a shop that writes files has none.
        self.server: ShopServer = ShopServer(self._answer)
        face = Shop(self.server.url + folder, ZoneInfo(site_zone), BEHAVIOURS[behaviour], folder)
        super().__init__(face, Setup(tuple(products), numbering, old_states))
        self.key = Key(f"ck_{_hex(seed, 'key')}", f"cs_{_hex(seed, 'secret')}", may_write=not read_only)
        gate = Gate({key.key: key for key in (self.key, *more_keys)}, trusts_basic=trusts_basic)
        self._api = WooCommerceApi(self, gate, seed, statuses)
        self._keys: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> WooCommerceDouble:
        self._keys = tempfile.TemporaryDirectory()
        for name, text in (("key", self.key.key), ("secret", self.key.secret)):
            path = Path(self._keys.name, name)
            path.touch(0o600)
            path.write_text(text, encoding="utf-8")
        self.server.__enter__()
        return self

    def __exit__(self, *problem: object) -> None:
        self.server.__exit__(*problem)
        if self._keys:
            self._keys.cleanup()

    def source_table(self) -> dict[str, Any]:
        assert self._keys, "the double's keys lie in files while it is open"
        return {
            "kind": self.kind,
            "url": self.face.url,
            "consumer_key": f"file:{self._keys.name}/key",
            "consumer_secret": f"file:{self._keys.name}/secret",
        }

    def _answer(self, request: Request) -> Response:
        return self._api.answer(request)


def _hex(seed: int, word: str) -> str:
    return blake2b(f"{seed} {word}".encode(), digest_size=20).hexdigest()

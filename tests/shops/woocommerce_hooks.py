"""WooCommerce's webhooks: what waits to be sent, and each delivery as recorded. Nobody is called here."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import md5
from typing import Final, NamedTuple

from tests.shops.woocommerce_answers import invalid_id
from tests.shops.woocommerce_bodies import Shop, dumps, order_body
from tests.shops.woocommerce_state import ShopOrder

SECRET: Final = 'whsec "quoted" & \u00fcn\u00ef 1'
"""Its UTF-8 bytes, as typed, are the key (recorded: all signed deliveries)."""
IDS: Final = {"created": 1, "updated": 2, "deleted": 3, "restored": 4}


class Delivery(NamedTuple):
    """One POST: headers in the order sent, and the body."""

    headers: dict[str, str]
    body: bytes


class Hooks:
    """The queue of one shop with a webhook on each topic of orders."""

    def __init__(self, shop: Shop, secret: str = SECRET) -> None:
        self._shop = shop
        self._secret = secret.encode()
        self._waiting: dict[tuple[str, int], None] = {}

    def placed(self, order_id: int, *, from_storefront: bool) -> None:
        """A storefront's checkout saves its order before it is one, so "updated" goes first (recorded: 095, 096)."""
        events = ("updated", "created") if from_storefront else ("created", "updated")
        for event in events:
            self.changed(order_id, event)

    def changed(self, order_id: int, event: str) -> None:
        """Two changes that wait for the same webhook and order are one (platforms.md 4.2)."""
        self._waiting.setdefault((event, order_id))

    def sent(self, orders: Mapping[int, ShopOrder], at: datetime) -> list[Delivery]:
        """All that waits, once: no failed delivery ever comes again."""
        waiting, self._waiting = list(self._waiting), {}
        return [self._delivery(event, order_id, orders, at) for event, order_id in waiting]

    def ping(self, webhook_id: int = 1) -> Delivery:
        """What is sent when a webhook is saved: a form, unsigned, without topic (recorded: 001)."""
        body = f"webhook_id={webhook_id}".encode()
        return Delivery(self._head() | {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def _delivery(self, event: str, order_id: int, orders: Mapping[int, ShopOrder], at: datetime) -> Delivery:
        body = self._body(event, order_id, orders)
        number = IDS[event]
        signature = base64.b64encode(hmac.digest(self._secret, body, "sha256")).decode()
        signed = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{self._shop.url}/",
            "X-WC-Webhook-Topic": f"order.{event}",
            "X-WC-Webhook-Resource": "order",
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": signature,
            "X-WC-Webhook-ID": str(number),
            "X-WC-Webhook-Delivery-ID": _delivery_id(number, at),
        }
        return Delivery(self._head() | signed, body)

    def _head(self) -> dict[str, str]:
        agent = f"WooCommerce/{self._shop.habits.version} Hookshot (WordPress/7.1)"
        return {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "deflate, gzip, br, zstd"}

    def _body(self, event: str, order_id: int, orders: Mapping[int, ShopOrder]) -> bytes:
        """The order of now, whatever the event; an error where it is gone (recorded: 080, 082)."""
        if event == "deleted":
            return dumps({"id": order_id})
        order = orders.get(order_id)
        return dumps(order_body(order, self._shop) if order else invalid_id().body)


def _delivery_id(webhook_id: int, at: datetime) -> str:
    """A hash of webhook and second: not unique (platforms.md 7, WooCommerce 4)."""
    return md5(f"{webhook_id}{int(at.timestamp())}".encode(), usedforsecurity=False).hexdigest()

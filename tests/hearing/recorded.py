"""The shop of the recorded deliveries, played again: what it told, when, and what it held at each moment.

Raw recordings lie in a folder beside the project and are never copied into it. What the shop did without telling is
left out, but for the order that it deleted by force.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from connector.testing.shop_double import Draft
from tests.shops.woocommerce import WooCommerceDouble
from tests.shops.woocommerce_state import ShopOrder

FOLDER: Final = Path(__file__).resolve().parents[2] / "../shared/samples/woocommerce-live/webhooks"
SECRET: Final = 'whsec "quoted" & \u00fcn\u00ef 1'
"""As INDEX.md beside the recordings has it."""
DELETED_BY_FORCE: Final = ("41", "068")
"""The order, and the delivery before which it was deleted: nothing was sent for it."""


class Told(msgspec.Struct, frozen=True):
    """One delivery. headers  of its request, but for those of the connection"""

    name: str
    at: datetime
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The body's JSON; empty for a ping."""
        return {} if self.body.startswith(b"webhook_id=") else json.loads(self.body)


def deliveries() -> Iterator[Told]:
    for path in sorted(FOLDER.glob("*.body")):
        first, _, *lines = path.with_suffix(".headers").read_text(encoding="utf-8").splitlines()
        at = datetime.fromisoformat(first.removeprefix("# received ").partition(",")[0].replace("Z", "+00:00"))
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        for name in ("Host", "Connection", "Content-Length"):
            headers.pop(name, None)
        yield Told(path.stem, at, headers, path.read_bytes())


def follow(shop: WooCommerceDouble, told: Told) -> None:
    """Bring the shop to where it was when it told this: an order is served in the very bytes it was told in."""
    shop.set_clock(told.at)
    if told.name.startswith(DELETED_BY_FORCE[1]):
        shop.delete(DELETED_BY_FORCE[0])
    fields = told.fields
    if "id" not in fields:
        return
    if fields.keys() == {"id"}:
        _trash(shop.orders[fields["id"]], told.at)
        return
    _show(shop, fields, told.body)


def _show(shop: WooCommerceDouble, fields: dict[str, Any], body: bytes) -> None:
    created, modified = (_utc(fields[name]) for name in ("date_created_gmt", "date_modified_gmt"))
    if fields["id"] not in shop.orders:
        shop.place(Draft(), created, order_id=fields["id"])
    order = shop.orders[fields["id"]]
    if modified >= order.modified:
        order.status, order.modified, order.rendered = fields["status"], modified, body


def _trash(order: ShopOrder, at: datetime) -> None:
    shown = json.loads(order.rendered) | {"status": "trash"}
    order.status, order.modified = "trash", at
    order.rendered = json.dumps(shown | {"date_modified_gmt": at.strftime("%Y-%m-%dT%H:%M:%S")}).encode()


def _utc(gmt: str) -> datetime:
    return datetime.fromisoformat(gmt).replace(tzinfo=UTC)

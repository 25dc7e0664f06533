"""Orders asked for by their ids: many in one call, then apart until each is had or the one that can't be is found.

Knows no list and no cursor. status=any leaves out the trash, even beside include (platforms.md 7, WooCommerce 12), so
who is not in an answer is asked for alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from connector.order import Order
from connector.sources import json_body
from connector.sources.base import Malformed, SourceError, TooLarge
from connector.sources.json_body import NotAnOrder
from connector.sources.woocommerce_api import WooCommerceApi
from connector.sources.woocommerce_order import order_from_woocommerce, orders_from_woocommerce
from connector.sources.woocommerce_refusal import Broke
from connector.wire.heard import Heard

MOST: Final = 100
"""Ids in one include; the same limit as per_page (recorded: list-per-page-101)."""

Prove = Callable[[SourceError], None]
"""Raises the error where the shop as a whole is out of order."""


class Read(msgspec.Struct, frozen=True):
    """What came of some ids: each is among the orders, is gone, or is named in an alert.

    fits  how many came in one answer, where more of them were too many
    """

    orders: tuple[Order, ...] = ()
    gone: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    fits: int = MOST

    def __add__(self, other: Read) -> Read:
        fits = min(self.fits, other.fits)
        return Read(self.orders + other.orders, self.gone + other.gone, self.alerts + other.alerts, fits)


def orders_of(heard: Heard, name: str) -> tuple[Order | NotAnOrder, ...]:
    """What a list holds. Raises Malformed for anything else: a list of anything but objects is no list of orders either
    (failures.md P7). name  the shop, for messages."""
    found = orders_from_woocommerce(heard.body)
    if not all(isinstance(one, Order) for one in found):
        items = json_body.objects(heard.body) or []
        if not all(isinstance(item, dict) for item in items):
            raise Malformed(f"{name} answered with a list of something other than orders.")
    return found


def by_ids(api: WooCommerceApi, ids: Sequence[str], prove_alive: Prove) -> Read:
    """The orders of these ids, at the most MOST. What can't be an id of WooCommerce's is named, no more: asked for, it
    would fail the others, and nothing says that its order is gone (failures.md P20). Raises SourceError."""
    asked = [one for one in ids if not json_body.id_problem(one)]
    strange = tuple(_unasked(api.name, one) for one in ids if json_body.id_problem(one))
    return _by_ids(api, asked, prove_alive) + Read(alerts=strange)


def _by_ids(api: WooCommerceApi, ids: Sequence[str], prove_alive: Prove) -> Read:
    if not ids:
        return Read()
    try:
        found = orders_of(api.get("orders", _include(ids)), api.name)
    except (TooLarge, Broke) as err:
        if isinstance(err, Broke):
            prove_alive(err)
        if len(ids) == 1:
            return _alone(api, ids[0], prove_alive)
        half = len(ids) // 2
        read = _by_ids(api, ids[:half], prove_alive) + _by_ids(api, ids[half:], prove_alive)
        is_one_to_blame = bool(read.alerts) or (isinstance(err, Broke) and not err.may_be_too_much)
        return read if is_one_to_blame else read + Read(fits=half)
    asked = frozenset(ids)
    orders = {one.id: one for one in found if isinstance(one, Order) and one.id in asked}
    read = Read(tuple(orders.values()))
    for one in ids:
        if one not in orders:
            read += _alone(api, one, prove_alive)
    return read


def _include(ids: Sequence[str]) -> dict[str, str]:
    return {"include": ",".join(ids), "per_page": str(len(ids)), "status": "any", "orderby": "id", "order": "asc"}


def _alone(api: WooCommerceApi, order_id: str, prove_alive: Prove) -> Read:
    """One order, in the trash or not; twice asked for where that fails, since a busy host fails now and then."""
    why = ""
    for _ in range(2):
        try:
            heard = api.get(f"orders/{order_id}")
        except TooLarge as err:
            why = str(err)
            break
        except Broke as err:
            prove_alive(err)
            why = f"The shop breaks off whenever it is asked for it ({err.how})."
            continue
        if heard.status == 404:
            return Read(gone=(order_id,))
        order = order_from_woocommerce(heard.body)
        if isinstance(order, Order) and order.id == order_id:
            return Read((order,))
        if not isinstance((json_body.objects(b"[%b]" % heard.body) or [None])[0], dict):
            raise Malformed(
                f"{api.name} did not answer with an order; a security plug-in or the host may be in the way."
            )
        why = "What the shop sends for it is not this order."
        break
    return Read(alerts=(_unread(api.name, order_id, why),))


def _unread(name: str, order_id: str, why: str) -> str:
    return (
        f"Order with id {order_id} could not be read from {name}. {why} Open it in the shop and save it; it is tried "
        "again by the daily sweep."
    )


def _unasked(name: str, order_id: str) -> str:
    return (
        f"{json_body.quoted(order_id)} is no id of a WooCommerce order, so {name} can't be asked for it. See which "
        "plug-in changes the ids in WooCommerce's REST API; look after the order by hand until then."
    )

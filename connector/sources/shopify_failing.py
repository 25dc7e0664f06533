"""An order that Shopify itself fails at: told apart from a shop that fails at every order, and held. Knows no list.

GraphQL answers with an error for the whole question where one field of one order makes one (failures.md P5); asked for
alone, it fails again, and its neighbours don't.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from connector.order import Order
from connector.sources import shopify_query as query
from connector.sources.base import Unreachable
from connector.sources.json_body import BrokenError, NotAnOrder
from connector.sources.shopify_api import FailedInsideError, ShopifyApi
from connector.sources.shopify_order import broken_order

FAILING: Final = (
    "Shopify has an error of its own at this order, time after time, and none at others, so it can't be read. Look at "
    "it in the shop and save it once more; if that doesn't help, ask Shopify."
)


class Failing(msgspec.Struct, rename="camel"):
    """All that can be read of such an order."""

    id: str
    name: Any = None
    updated_at: Any = None

    def held(self) -> Order | NotAnOrder:
        """The order, held."""
        fields = {"id": self.id.rpartition("/")[2], "name": self.name, "updated_at": self.updated_at}
        return broken_order(BrokenError(FAILING, fields), "")


class _Name(msgspec.Struct):
    id: str


class _Names(msgspec.Struct):
    nodes: list[Failing | None]


class _List(msgspec.Struct):
    nodes: list[_Name]


class _Latest(msgspec.Struct):
    latest: _List


class _Whole(msgspec.Struct):
    nodes: list[msgspec.Raw]


def failing(api: ShopifyApi, name: str, variables: Mapping[str, Any]) -> Failing | None:
    """What can be read of the order of this GraphQL name, which failed when it was asked for alone; None where it is
    gone. variables  with which orders are asked for whole.

    Raises Unreachable where none of the latest other orders can be read either: then it is not the order.
    """
    try:
        [found] = api.ask(query.NAMES, {"ids": [name]}, _Names).nodes
        latest = [other.id for other in api.ask(query.LATEST, {}, _Latest).latest.nodes if other.id != name]
    except FailedInsideError as error:
        raise Unreachable(str(error)) from error
    if not any(_can_be_read(api, other, variables) for other in latest):
        raise Unreachable("Shopify had an error of its own at every order asked for; it is asked again later.")
    return found


def _can_be_read(api: ShopifyApi, name: str, variables: Mapping[str, Any]) -> bool:
    try:
        api.ask(query.BY_IDS, {"ids": [name], **variables}, _Whole)
    except FailedInsideError:
        return False
    return True

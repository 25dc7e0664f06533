"""Nodes of Shopify's lists become whole orders: what goes on on further pages is fetched. Knows no list and no cursor.

An order's inner lists are asked for short; without their further pages lines would be lost. Such pages are read to
their end, and where one has no end, the order says so and is held (shopify_graphql_order).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from connector.order import Order
from connector.sources import shopify_query as query
from connector.sources.base import Malformed, TooLarge
from connector.sources.json_body import NotAnOrder
from connector.sources.shopify_api import FailedInsideError, ShopifyApi
from connector.sources.shopify_failing import Failing, failing
from connector.sources.shopify_gone import gone_of
from connector.sources.shopify_graphql_order import orders_from_shopify_graphql
from connector.sources.shopify_part import by_the_shops_clock
from connector.sources.shopify_query import Inner

PAGES: Final = 40
"""Further pages of one inner list, at the most."""

_GOES_ON: Final = re.compile(rb'"hasNextPage"\s*:\s*true')


class _Node(msgspec.Struct):
    node: dict[str, Any] | None


class _Nodes(msgspec.Struct):
    nodes: list[msgspec.Raw]


class _Name(msgspec.Struct):
    id: str


class Read(msgspec.Struct):
    """What a page's nodes are. alerts  nodes that are no order, each a sentence; gone  ids that are not there."""

    orders: list[Order] = []
    alerts: list[str] = []
    gone: list[str] = []


class Reader:
    """Reads nodes. locations  names or ids that ship from here; none: all do."""

    def __init__(self, api: ShopifyApi, locations: Sequence[str] = ()) -> None:
        self._api = api
        self._locations = frozenset(location.casefold() for location in locations)

    def variables(self, inner: Inner = query.SHORT) -> dict[str, int | bool]:
        """Of every operation that asks for orders.

        Ids of locations need a scope of their own (read_locations): asked for only where the store names ids.
        """
        return {"locationIds": any(place.isdecimal() for place in self._locations), **inner.variables()}

    def read(self, nodes: Iterable[bytes | Failing], *, is_whole: bool = True) -> Read:
        """Each node as its orders; one that can't be read hides no other. is_whole  False: they tell their ids only."""
        read, cut = Read(), list[str]()
        for node in nodes:
            if isinstance(node, bytes) and (not is_whole or _GOES_ON.search(node)) and (name := name_of(node)):
                cut.append(name)
            else:
                self._take(node, read)
        missing = list[str]()
        for name, node in zip(cut, self._nodes(cut, query.LONG), strict=True):
            if node == b"null":
                missing.append(plain_id(name))
            else:
                self._take(self._completed(name, node), read)
        return self._without(missing, read)

    def by_id(self, ids: Sequence[str]) -> Iterator[Read]:
        """These orders, a lot at a time."""
        for lot in batched(ids, query.SHORT.orders):
            found = list(self._nodes([gid(order_id) for order_id in lot], query.SHORT))
            read = self.read(node for node in found if node != b"null")
            yield self._without([order_id for order_id, node in zip(lot, found, strict=True) if node == b"null"], read)

    def _without(self, missing: list[str], read: Read) -> Read:
        """What was read, with those that Shopify answered nothing for: gone, or out of sight."""
        gone, alerts = gone_of(self._api, missing)
        return Read(read.orders, [*read.alerts, *alerts], [*read.gone, *gone])

    def _take(self, node: bytes | dict[str, Any] | Failing, read: Read) -> None:
        for order in self._orders(node):
            if isinstance(order, NotAnOrder):
                read.alerts.append(f"Shopify lists something that is no order. {order.reason}")
            else:
                read.orders.append(order)

    def _orders(self, node: bytes | dict[str, Any] | Failing) -> tuple[Order | NotAnOrder, ...]:
        if isinstance(node, Failing):
            return (node.held(),)
        found = orders_from_shopify_graphql(node, locations=self._locations)
        return tuple(
            order if isinstance(order, NotAnOrder) else by_the_shops_clock(order, self._api.shop_time)
            for order in found
        )

    def _nodes(self, names: Sequence[str], inner: Inner) -> Iterator[bytes | Failing]:
        """The nodes of these names, in their order; b"null" for one that is gone."""
        size, left = inner.orders, list(names)
        while left:
            variables = {"ids": left[:size], **self.variables(inner)}
            try:
                nodes = self._api.ask(query.BY_IDS, variables, _Nodes).nodes
            except (TooLarge, FailedInsideError) as error:
                if size > 1:
                    size //= 2
                    continue
                if isinstance(error, TooLarge):
                    raise
                yield self._failing(left.pop(0))
                continue
            if len(nodes) != len(left[:size]):
                raise Malformed(f"Shopify answered {len(nodes)} of {len(left[:size])} orders asked for by their ids.")
            yield from map(bytes, nodes)
            left = left[size:]

    def _failing(self, name: str) -> bytes | Failing:
        return failing(self._api, name, self.variables()) or b"null"

    def _completed(self, name: str, node: bytes | Failing) -> bytes | dict[str, Any] | Failing:
        """The node with all that goes on on further pages."""
        if isinstance(node, Failing) or not _GOES_ON.search(node):
            return node
        try:
            return self._whole(node)
        except FailedInsideError:
            return self._failing(name)

    def _whole(self, node: bytes) -> bytes | dict[str, Any]:
        try:
            order = json.loads(node)
        except (ValueError, RecursionError):
            return node
        if not isinstance(order, dict):
            return node
        self._complete(order, "lineItems", query.MORE_LINES, query.MORE)
        self._complete(order, "fulfillmentOrders", query.MORE_PARTS, query.MORE_PARTS_AT_ONCE)
        parts = order.get("fulfillmentOrders")
        for part in (parts.get("nodes") or []) if isinstance(parts, dict) else []:
            if isinstance(part, dict):
                self._complete(part, "lineItems", query.MORE_PART_LINES, query.MORE)
        return order

    def _complete(self, owner: dict[str, Any], name: str, text: str, size: int) -> None:
        """Fetch what goes on of owner[name]; what stays cut keeps its hasNextPage, and so holds the order."""
        inner = owner.get(name)
        if not isinstance(inner, dict) or not isinstance(inner.get("nodes"), list):
            return
        for _ in range(PAGES):
            page_info = inner.get("pageInfo") or {}
            end = page_info.get("endCursor")
            if not page_info.get("hasNextPage") or not end:
                return
            more = self._more(owner, name, text, size, end)
            if more is None or (more.get("pageInfo") or {}).get("endCursor") == end:
                return
            inner["nodes"] += more.get("nodes") or []
            inner["pageInfo"] = more.get("pageInfo")

    def _more(self, owner: dict[str, Any], name: str, text: str, size: int, after: str) -> dict[str, Any] | None:
        variables = {"id": owner.get("id"), "after": after}
        if text == query.MORE_PARTS:
            inner = self.variables()
            variables |= {name: inner[name] for name in ("locationIds", "partLines")}
        node = smaller(lambda first: self._api.ask(text, {**variables, "first": first}, _Node), size).node
        found = (node or {}).get(name)
        return found if isinstance(found, dict) else None


def smaller(ask: Callable[[int], _Node], size: int) -> _Node:
    """What is asked for, with half as many as long as that is too much."""
    while True:
        try:
            return ask(size)
        except TooLarge:
            if size == 1:
                raise
            size //= 2


def gid(order_id: str) -> str:
    """Order.id as GraphQL names it."""
    return f"gid://shopify/Order/{order_id}"


def plain_id(name: str) -> str:
    """GraphQL's name of an order as Order.id."""
    return name.rpartition("/")[2].partition("?")[0]


def batched(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The ids, so many at a time."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


def name_of(node: bytes) -> str:
    """GraphQL's name of an unread node; "" where it has none."""
    try:
        return msgspec.json.decode(node, type=_Name).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""

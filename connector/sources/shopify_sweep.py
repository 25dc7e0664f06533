"""Every order of a Shopify that may still ship, and those that changed lately; and single orders. Knows no cursor.

The lists go by id, which doesn't move while they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from connector.sources import json_body, shopify_cursor
from connector.sources import shopify_query as query
from connector.sources.base import Page, TooLarge, Unreachable
from connector.sources.shopify_api import CursorRefusedError, FailedInsideError, ShopifyApi
from connector.sources.shopify_changes import RESTARTS, Endless, Nodes, Stamps, page_of
from connector.sources.shopify_reader import Reader, name_of, plain_id

LATELY: Final = timedelta(hours=48)
"""Before the newest change; platforms.md L3."""


class _List(msgspec.Struct):
    orders: Nodes


class _Newest(msgspec.Struct):
    newest: Stamps


class Sweep:
    """Both ways of asking. size  orders asked for at once."""

    def __init__(self, api: ShopifyApi, reader: Reader, size: int) -> None:
        self._api = api
        self._reader = reader
        self._size = size
        self._restarts = 0

    def pages(self) -> Iterator[Page]:
        """What changed in the last 48 hours before the newest change, then what may still ship; orders may repeat. The
        short list first: the other one may be too long to come to its end in one run."""
        newest = self._api.ask(query.NEWEST, {}, _Newest).newest.newest()
        if newest:
            yield from self._list(query.orders_since(json_body.utc(newest) - LATELY))
        yield from self._list(query.NOT_DONE)

    def single(self, ids: Sequence[str]) -> Iterator[Page]:
        """These orders, by their ids. What can't be an id of Shopify's is named, no more: asked for, it would fail the
        others, and nothing says that its order is gone (failures.md P20)."""
        asked = [order_id for order_id in ids if not json_body.id_problem(order_id)]
        if strange := tuple(_unasked(order_id) for order_id in ids if json_body.id_problem(order_id)):
            yield Page((), "", alerts=strange)
        for read in self._reader.by_id(asked):
            yield page_of(read, "")

    def _list(self, search: str) -> Iterator[Page]:
        """A list by id; past ROWS it goes on as a new search from the last id, since Shopify ends a search."""
        after, rows, endless, since = "", 0, Endless(), search
        while True:
            page, is_whole = self._page(since, after, endless)
            if page is None:
                after = ""
                continue
            nodes = [bytes(node) for node in page.nodes]
            yield page_of(self._reader.read(nodes, is_whole=is_whole), "")
            if not (after := page.end()):
                return
            rows += len(nodes)
            if rows >= shopify_cursor.ROWS and (last := name_of(nodes[-1]) if nodes else ""):
                since, after, rows = f"{search} AND id:>{plain_id(last)}", "", 0

    def _page(self, search: str, after: str, endless: Endless) -> tuple[Nodes | None, bool]:
        """The next page; None where its cursor was refused, and the list is to be read from its beginning. Whether its
        orders are whole, as in Changes."""
        is_whole = True
        while True:
            try:
                page = self._api.ask(query.SWEEP, {**self._variables(search, after), "whole": is_whole}, _List).orders
            except FailedInsideError as error:
                if not is_whole:
                    raise Unreachable(str(error)) from error
                is_whole = False
                continue
            except TooLarge:
                if self._size == 1:
                    raise
                self._size //= 2
                continue
            except CursorRefusedError:
                self._restarts += 1
                if self._restarts > RESTARTS:
                    raise
                return None, is_whole
            endless.check(after, page)
            return page, is_whole

    def _variables(self, search: str, after: str) -> dict[str, Any]:
        return {
            "query": search,
            "first": self._size,
            "after": after or None,
            **self._reader.variables(),
        }


def _unasked(order_id: str) -> str:
    return (
        f"{json_body.quoted(order_id)} is no id of a Shopify order, so Shopify can't be asked for it. Look after the "
        "order by hand."
    )

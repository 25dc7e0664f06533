"""What changed in a Shopify since a cursor, a page at a time. Knows the two lists and their order; no options, no HTTP.

Orders are listed by their change date. What changes in a fulfilment order alone (a hold released, a move, a split) may
leave the order's own date as it was, so those are listed too, and their orders read by id.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from connector.order import Order
from connector.sources import json_body
from connector.sources import shopify_query as query
from connector.sources.base import Malformed, Page, TooLarge, Unreachable
from connector.sources.shopify_api import CursorRefusedError, FailedInsideError, ShopifyApi
from connector.sources.shopify_cursor import Cursor, Reach, parse, text_of
from connector.sources.shopify_reader import Read, Reader, plain_id
from connector.sources.shopify_scopes import WINDOW

EMPTY_PAGES: Final = 50
"""In a row, each with a next one, after which a list is taken for one without an end (P8 says one may come)."""
RESTARTS: Final = 3
"""Of one list in a run, where the shop refuses its page cursors: then it takes none."""
SAME_PAGES: Final = 64
"""As many pages are remembered, to know one that comes round again."""


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class Nodes(msgspec.Struct, rename="camel"):
    """A page of a list, its nodes unread."""

    nodes: list[msgspec.Raw]
    page_info: _PageInfo

    def end(self) -> str:
        """The cursor of the next page; "" where there is none."""
        if not self.page_info.has_next_page:
            return ""
        if not self.page_info.end_cursor:
            raise Malformed("Shopify says that a list goes on and not where; nothing was read.")
        return self.page_info.end_cursor


class _Changed(msgspec.Struct, rename="camel"):
    id: Any = None
    updated_at: Any = None


class _ChangedPart(_Changed):
    order: _Changed | None = None


class Stamps(msgspec.Struct):
    """A list asked for its newest change alone."""

    nodes: list[_Changed]

    def newest(self) -> str:
        """The change date, as Order.revision; "" for an empty list."""
        return _stamp(self.nodes[0]) if self.nodes else ""


class _Answer(msgspec.Struct, rename="camel"):
    orders: Nodes | None = None
    fulfillment_orders: Nodes | None = None
    newest: Stamps | None = None
    newest_part: Stamps | None = None


class Endless:
    """Tells a list without an end: a page's cursor that stays, pages that come round again, ever more empty ones.

    One empty page is no sign of it, though its cursor stays: that page may only be asked for too soon (P8).
    """

    def __init__(self) -> None:
        self._empty = 0
        self._seen: dict[int, None] = {}

    def check(self, asked: str, page: Nodes) -> None:
        """Raises Malformed. asked  the cursor the page was asked for with; "" begins anew."""
        if not asked:
            self._empty = 0
            self._seen.clear()
        if not (end := page.end()):
            return
        self._empty = 0 if page.nodes else self._empty + 1
        if self._empty > EMPTY_PAGES or (page.nodes and (end == asked or self._came_before(end, page))):
            raise Malformed(
                "Shopify's list has no end: its next page brings nothing new, time after time. If the app lacks the "
                "scope read_all_orders, grant it; if that is not it, ask Shopify."
            )

    def _came_before(self, end: str, page: Nodes) -> bool:
        rows = hash((end, *(bytes(node) for node in page.nodes)))
        if rows in self._seen:
            return True
        self._seen[rows] = None
        if len(self._seen) > SAME_PAGES:
            del self._seen[next(iter(self._seen))]
        return False


class Changes:
    """The walk over both lists. size  orders asked for at once; overlap  how far behind the mark it starts."""

    def __init__(self, api: ShopifyApi, reader: Reader, size: int, overlap: timedelta) -> None:
        self._api = api
        self._reader = reader
        self._size = size
        self._overlap = overlap
        self._restarts = 0

    def pages(self, text: str) -> Iterator[Page]:
        """From the cursor to the end of one walk. A walk that a crash cut off is gone on with, and another one follows:
        the end of the first is only what was new when it began."""
        cursor = parse(text)
        is_resumed = cursor.walking
        endless, endless_parts = Endless(), Endless()
        while True:
            cursor, answer, is_whole = self._asked(cursor)
            read, ids = Read(), list[str]()
            orders, parts = cursor.orders, cursor.parts
            if answer.orders is not None:
                endless.check(orders.after, answer.orders)
                read = self._reader.read(map(bytes, answer.orders.nodes), is_whole=is_whole)
                orders = orders.beyond(_stamps(answer.orders), answer.orders.end(), self._overlap)
            if answer.fulfillment_orders is not None:
                endless_parts.check(parts.after, answer.fulfillment_orders)
                ids = _only_in_parts(answer.fulfillment_orders, cursor.orders.again().since(self._overlap), read.orders)
                parts = parts.beyond(_stamps(answer.fulfillment_orders), answer.fulfillment_orders.end(), self._overlap)
            walked = Cursor(orders, parts, True, cursor.seen).settled()
            before, cursor = text_of(cursor), walked.seen_at(self._api.shop_time, WINDOW)
            for lot in self._reader.by_id(ids):
                yield page_of(lot, before)
            yield page_of(read, text_of(cursor))
            if not (cursor.walking or is_resumed):
                return
            is_resumed = is_resumed and cursor.walking

    def _asked(self, cursor: Cursor) -> tuple[Cursor, _Answer, bool]:
        """The next page of both lists, and the cursor it was asked for with: a walk that begins here has begun. Whether
        its orders are whole: where Shopify fails at one of them, it tells their ids, and each is asked for by its own.
        """
        is_whole = True
        while True:
            try:
                answer = self._api.ask(query.CHANGES, {**self._variables(cursor), "whole": is_whole}, _Answer)
                break
            except FailedInsideError as error:
                if not is_whole:
                    raise Unreachable(str(error)) from error
                is_whole = False
            except TooLarge:
                if self._size == 1:
                    raise
                self._size //= 2
            except CursorRefusedError:
                self._restarts += 1
                if self._restarts > RESTARTS:
                    raise
                cursor = Cursor(_restarted(cursor.orders), _restarted(cursor.parts), True, cursor.seen)
        _check_complete(cursor, answer)
        if cursor.walking:
            return cursor, answer, is_whole
        orders = cursor.orders.begun(answer.newest.newest() if answer.newest else "")
        parts = cursor.parts.begun(answer.newest_part.newest() if answer.newest_part else "")
        if not cursor.orders.mark:  # every order comes with its fulfilment orders: nothing else can have changed
            parts = msgspec.structs.replace(parts, done=True)
        return Cursor(orders, parts, True, cursor.seen), answer, is_whole

    def _variables(self, cursor: Cursor) -> dict[str, Any]:
        orders, parts = cursor.orders, cursor.parts
        since, parts_since = orders.since(self._overlap), parts.since(self._overlap)
        return {
            "query": query.orders_since(since),
            "first": self._size,
            "after": orders.after or None,
            "withOrders": not orders.done,
            "partsQuery": query.changed_since(parts_since) if parts_since else None,
            "partsFirst": query.PARTS_AT_ONCE,
            "partsAfter": parts.after or None,
            "withParts": bool(orders.mark) and not parts.done,
            "withNewest": not cursor.walking,
            **self._reader.variables(),
        }


def page_of(read: Read, cursor: str) -> Page:
    """What was read as a page of the contract."""
    return Page(tuple(read.orders), cursor, alerts=tuple(read.alerts), gone=tuple(read.gone))


def _restarted(reach: Reach) -> Reach:
    return reach if reach.done else reach.again()


def _check_complete(cursor: Cursor, answer: _Answer) -> None:
    """Every list that was asked for must be there: a missing one is not an empty one (P5, P7)."""
    lists = (
        (not cursor.orders.done, answer.orders, "orders"),
        (bool(cursor.orders.mark) and not cursor.parts.done, answer.fulfillment_orders, "fulfilment orders"),
        (not cursor.walking, answer.newest, "the newest order"),
        (not cursor.walking, answer.newest_part, "the newest fulfilment order"),
    )
    for is_asked, found, name in lists:
        if is_asked and found is None:
            raise Malformed(f"Shopify's answer has no list of {name}; nothing was read.")


def _only_in_parts(page: Nodes, since: datetime | None, here: list[Order]) -> list[str]:
    """Ids of orders whose fulfilment orders changed and that are not in the orders' own list: theirs changed before.

    What changed since then is in that list, if not on this page then on another one.
    """
    known = {order.id for order in here}
    found: dict[str, None] = {}
    for node in page.nodes:
        order = _decoded_part(node).order
        if order is None or not isinstance(order.id, str) or (order_id := plain_id(order.id)) in known:
            continue
        changed = json_body.utc_or_none(_stamp(order))
        if since is None or changed is None or changed < since:
            found[order_id] = None
    return list(found)


def _stamps(page: Nodes) -> list[str]:
    return [stamp for node in page.nodes if (stamp := _stamp(_decoded_part(node)))]


def _decoded_part(node: msgspec.Raw) -> _ChangedPart:
    try:
        return msgspec.json.decode(node, type=_ChangedPart)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _ChangedPart()  # a node that is none: read by itself, it says so


def _stamp(node: _Changed) -> str:
    changed = json_body.utc_or_none(node.updated_at if isinstance(node.updated_at, str) else None)
    return json_body.revision(changed) if changed else ""

"""Which orders a list shows, in which order, on which page. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Final
from urllib.parse import parse_qsl, quote

import msgspec

from tests.shops.woocommerce_query import Query
from tests.shops.woocommerce_state import Habits, ShopOrder

NOT_ANY: Final = frozenset({"trash", "auto-draft", "checkout-draft"})
"""What "any" leaves out, even beside them in a list (recorded: status-any+trash, list-any-with-draft)."""


class Listed(msgspec.Struct, frozen=True):
    """A page: its orders, and the totals of the headers."""

    orders: list[ShopOrder]
    total: int
    pages: int


def listed(orders: Iterable[ShopOrder], query: Query, habits: Habits, now: datetime, seed: int) -> Listed:
    """now  the shop's clock; seed  which order MySQL gives to rows that its sort key leaves equal."""
    found = [order for order in orders if _fits(order, query, habits, now)]
    start = (query.page - 1) * query.per_page if query.offset is None else query.offset
    page = _sorted(found, query, habits, f"{seed} {start} {query.per_page}")[start : start + query.per_page]
    total = 0 if habits.hpos and not page else len(found)  # recorded: list-page-beyond
    return Listed(page, total, -(-total // query.per_page))


def _fits(order: ShopOrder, query: Query, habits: Habits, now: datetime) -> bool:
    return (
        _has_status(order.status, query.statuses, habits)
        and (not query.include or order.id in query.include)
        and order.id not in query.exclude
        and (query.after is None or order.created > query.after)
        and (query.before is None or order.created < query.before)
        and (query.modified_after is None or order.modified > query.modified_after)
        and (query.modified_before is None or order.modified < query.modified_before)
        and (order.hidden_until is None or now >= order.hidden_until)
    )


def _has_status(status: str, asked: tuple[str, ...], habits: Habits) -> bool:
    if "any" not in asked:
        return status in asked
    return status not in NOT_ANY or (status == "checkout-draft" and habits.drafts_listed)


def _sorted(found: list[ShopOrder], query: Query, habits: Habits, salt: str) -> list[ShopOrder]:
    down = query.order == "desc"
    if query.orderby == "include":
        return sorted(found, key=lambda order: query.include.index(order.id) if query.include else order.id)
    if query.orderby == "modified" and not habits.second_key:
        # MySQL's order of equal rows hangs on how much it has to sort: another page, another order.
        return sorted(found, key=lambda order: (order.modified, _luck(salt, order.id)), reverse=down)
    if query.orderby == "modified":
        return sorted(found, key=lambda order: (order.modified, order.id), reverse=down)
    if query.orderby == "date":
        return sorted(found, key=lambda order: (order.created, order.id), reverse=down)
    return sorted(found, key=lambda order: order.id, reverse=down)


def _luck(salt: str, order_id: int) -> bytes:
    return blake2b(f"{salt} {order_id}".encode(), digest_size=8).digest()


def link(url: str, raw: str, query: Query, found: Listed) -> str:
    """The Link header: the query as PHP read it, what WordPress added to it, and the page (recorded: list-p2-per10).

    Past the end, no body was made and so nothing was added; the page before is 0 (recorded: list-page-beyond).
    """
    pairs = [(name, value) for name, value in parse_qsl(raw, keep_blank_values=True) if name != "status"]
    pairs += [(f"status[{place}]", word) for place, word in enumerate(query.statuses)]
    if found.orders:
        given = dict(pairs)
        pairs += [(name, value) for name, value in (("dp", "2"), ("context", "view")) if name not in given]
    before = min(query.page - 1, found.pages) if query.page > 1 else None
    after = query.page + 1 if query.page < found.pages else None
    return ", ".join(
        f'<{url}?{_with_page(pairs, page)}>; rel="{rel}"'
        for page, rel in ((before, "prev"), (after, "next"))
        if page is not None
    )


def _with_page(pairs: list[tuple[str, str]], page: int) -> str:
    """In its own place, or last."""
    named = [(name, str(page) if name == "page" else value) for name, value in pairs]
    if "page" not in dict(named):
        named.append(("page", str(page)))
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in named)

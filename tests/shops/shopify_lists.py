"""What a Shopify shop's lists show: a search over what the index knows by now, a page at a time. Knows no HTTP.

The index may be late, out of order or blind for an order; asked for by its id an order is always as it is now.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from typing import Final

from tests.shops import shopify_graph as graph
from tests.shops import shopify_index as index
from tests.shops import shopify_search as search
from tests.shops.shopify_books import Books, State, View
from tests.shops.shopify_habits import Habits
from tests.shops.shopify_views import part_facts

WINDOW: Final = timedelta(days=60)
ORDER_KINDS: Final = {
    "updated_at": "time",
    "created_at": "time",
    "processed_at": "time",
    "id": "number",
    "test": "flag",
    **dict.fromkeys(
        (
            "name",
            "status",
            "financial_status",
            "fulfillment_status",
            "tag",
            "email",
            "sku",
            "source_name",
            "delivery_method",
            "default",
        ),
        "word",
    ),
}
"""Fields that `orders(query:)` searches, a part of https://shopify.dev/docs/api/admin-graphql/2026-10/queries/orders."""
PART_KINDS: Final = {
    "updated_at": "time",
    "created_at": "time",
    "fulfill_at": "time",
    "id": "number",
    "order_id": "number",
    "status": "word",
    "request_status": "word",
    "default": "word",
}
ORDER_KEYS: Final = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "PROCESSED_AT": "processed_at"}
PART_KEYS: Final = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "FULFILL_AT": "fulfill_at"}


class Lists:
    """The two lists of one shop. now  the shop's clock; warnings  what the last searches were told of their terms"""

    def __init__(self, seed: int, books: Books, habits: Habits, zone: tzinfo, now: datetime) -> None:
        self.now = now
        self.warnings: list[View] = []
        self._books = books
        self._habits = habits
        self._zone = zone
        self._random = random.Random(f"lists {seed}")
        self._orders = index.Index(("updated_at", "created_at", "processed_at", "id"))
        self._parts = index.Index(("updated_at", "created_at", "fulfill_at", "id"))
        self._orders.disorder_s = self._parts.disorder_s = habits.disorder_s
        self._shown: dict[str, State] = {}
        self._late: list[tuple[datetime, int, str, State | None]] = []
        self._count = 0
        self._gone: set[str] = set()
        self._hidden: dict[str, datetime] = {}
        self._issue = 0

    # what the index learns

    def learn(self, order_id: str, state: State | None, at: datetime) -> None:
        """An order changed at `at`; None: it is gone. The index knows at once, or when its lag is over."""
        low, high = self._habits.lag_s
        self._count += 1
        seen = at + timedelta(seconds=self._random.uniform(low, high)) if high else self.now
        heapq.heappush(self._late, (seen, self._count, order_id, state))
        self.settle()

    def settle(self) -> None:
        """Show what is due by the shop's clock."""
        while self._late and self._late[0][0] <= self.now:
            _, _, order_id, state = heapq.heappop(self._late)
            self._show(order_id, state)

    def hide(self, order_id: str, until: datetime) -> None:
        self._hidden[order_id] = until

    def expire(self) -> None:
        """Every cursor that was given is refused from now on."""
        self._issue += 1

    def shown(self, order_id: str) -> State | None:
        """The state that lists know of it."""
        return self._shown.get(order_id)

    def _show(self, order_id: str, state: State | None) -> None:
        """Of two changes that come in the wrong order the later counts."""
        known = self._shown.get(order_id)
        if state is None:
            self._gone.add(order_id)
            self._forget(order_id)
        elif order_id not in self._gone and (known is None or known.serial < state.serial):
            self._shown[order_id] = state
            self._orders.put(index.Entry(order_id, int(order_id), order_id, state.created, state.facts))
            for part in state.view["fulfillmentOrders"]:
                facts = part_facts(part)
                self._parts.put(index.Entry(part["id"], facts["id"], order_id, state.created, facts))

    def _forget(self, order_id: str) -> None:
        known = self._shown.pop(order_id, None)
        self._orders.drop(order_id)
        for part in known.view["fulfillmentOrders"] if known else ():
            self._parts.drop(part["id"])

    # what it answers

    def orders(self, given: View) -> graph.Rows:
        """A page of `orders`."""
        key = ORDER_KEYS.get(given["sortKey"], "id")
        found = self._search(given, ORDER_KINDS, "orders")
        return self._page(self._orders, key, given, self._order_test(found), self._order_row, found.since.get(key))

    def orders_count(self, given: View) -> int:
        return self._orders.count(self._order_test(self._search(given, ORDER_KINDS, "ordersCount")))

    def parts(self, given: View) -> graph.Rows:
        """A page of `fulfillmentOrders`."""
        found = self._search(given, PART_KINDS, "fulfillmentOrders")
        key = PART_KEYS.get(given["sortKey"], "id")

        def is_seen(entry: index.Entry) -> bool:
            is_open = entry.facts["status"] not in ("closed", "cancelled")
            if not (is_open or given["includeClosed"]) or not self._is_in_sight(entry):
                return False
            part = self._part_row(entry.name)
            return (part is None or self._habits.shows_part(part)) and found.test(entry.facts)

        return self._page(self._parts, key, given, is_seen, self._part_row, found.since.get(key))

    def _order_test(self, found: search.Search) -> Callable[[index.Entry], bool]:
        is_narrow = self._habits.open_only and "status" not in found.fields

        def is_seen(entry: index.Entry) -> bool:
            if is_narrow and "open" not in entry.facts["status"]:
                return False
            return self._is_in_sight(entry) and found.test(entry.facts)

        return is_seen

    def _is_in_sight(self, entry: index.Entry) -> bool:
        until = self._hidden.get(entry.owner)
        return (until is None or self.now >= until) and self.is_in_window(entry.created)

    def is_in_window(self, created: datetime) -> bool:
        """Whether the app may see what was placed then (L7)."""
        return "read_all_orders" in self._habits.scopes or created >= self.now - WINDOW

    def _search(self, given: View, kinds: dict[str, str], path: str) -> search.Search:
        text = given.get("query") or ""
        found = search.parsed(text, kinds, self._zone, loose=self._habits.loose_compare)
        if found.warnings:
            self.warnings.append({"path": [path], "query": text, "parsed": {}, "warnings": list(found.warnings)})
        return found

    def _order_row(self, order_id: str) -> View | None:
        state = self._shown[order_id] if self._habits.stale_rows else self._books.states.get(order_id)
        return state.view if state else None

    def _part_row(self, part_id: str) -> View | None:
        order = self._order_row(self._books.owners[part_id])
        return next((part for part in order["fulfillmentOrders"] if part["id"] == part_id), None) if order else None

    def _page(
        self,
        listed: index.Index,
        key: str,
        given: View,
        is_seen: Callable[[index.Entry], bool],
        row: Callable[[str], View | None],
        since: datetime | None,
    ) -> graph.Rows:
        """A page by the values of the last row, not by its place, with this shop's defects."""
        first = graph.size_of(given)
        backwards = bool(given["reverse"])
        after = self._after(given, key, backwards)
        if self._habits.empty_pages:
            self._habits.empty_pages -= 1
            return graph.Rows([], [], True, after is not None, given.get("after") or self._start(key, backwards))
        again = self._again(listed, key, after, is_seen, min(self._habits.repeats, first - 1), backwards)
        rows = listed.rows(key, after, is_seen, backwards=backwards, since=since)
        places = again + list(islice(rows, first - len(again)))
        has_next = next(rows, None) is not None
        shown = [(view, self._cursor(place, key)) for place in places if (view := row(place[2])) is not None]
        end = self._cursor(places[-1], key) if places else None
        if self._habits.disorder_s:
            self._random.shuffle(shown)
        if has_next and self._habits.endless_pages:
            self._habits.endless_pages -= 1
            end = ""
        return graph.Rows([view for view, _ in shown], [text for _, text in shown], has_next, after is not None, end)

    def _again(
        self,
        listed: index.Index,
        key: str,
        after: index.Place | None,
        is_seen: Callable[[index.Entry], bool],
        most: int,
        backwards: bool,
    ) -> list[index.Place]:
        """The last rows of the page before, some of which come again."""
        count = self._random.randint(0, most) if most > 0 and after is not None else 0
        if not count or after is None:
            return []
        before = listed.rows(
            key, (after[0], after[1], "\uffff" if not backwards else ""), is_seen, backwards=not backwards
        )
        return list(islice(before, count))[::-1]

    def _start(self, key: str, backwards: bool) -> str:
        value = index.LAST if backwards else datetime(1, 1, 1, tzinfo=index.LAST.tzinfo)
        if key == "id":
            return index.Cursor(
                10**18 if backwards else 0, str(10**18 if backwards else 0), key, self.now, self._issue
            ).text()
        return index.Cursor(0, value.isoformat(), key, self.now, self._issue).text()

    def _cursor(self, place: index.Place, key: str) -> str:
        return index.cursor_at(place, key, self.now, self._issue)

    def _after(self, given: View, key: str, backwards: bool) -> index.Place | None:
        if given.get("after") is None:
            return None
        cursor = index.read_cursor(given["after"], key)
        life = self._habits.cursor_life_s
        if cursor.issue != self._issue or (life and (self.now - cursor.at).total_seconds() > life):
            raise graph.bad_cursor()
        return index.place_of(cursor, backwards=backwards)

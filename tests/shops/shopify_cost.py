"""What a query costs and what is left in the bucket (https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits).

The page says "connections are sized by first and last" and no more. The rule here is worked out from the costs that a
public connector (microsoft/BCApps) wrote beside its queries as Shopify answered them; it meets all fourteen tried, and
test_shopify_double.py keeps them. Knows no order.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, Final

from tests.shops import shopify_graph as graph

View = dict[str, Any]

DEAREST: Final = 1000
"""Points of one query at the most, on every plan."""
FREE: Final = frozenset({"MoneyBag", "MoneyV2", "PageInfo", "Count"})


def sized(rows: int) -> int:
    """How many rows' cost is taken for so many rows: 10 count 4, 25 count 6, 250 count 11."""
    return max(1, math.floor(2 * math.log(rows))) if rows > 0 else 0


def requested(selection: graph.Selection, variables: View) -> int:
    """Points that a query may cost at the most, before it is run."""
    return max((_of(selection.of(name), variables) for name in selection.by_type), default=0)


def _of(chosen: tuple[graph.Chosen, ...], variables: View) -> int:
    return sum(_field(each, variables) for each in chosen if graph.is_wanted(each, variables))


def _field(chosen: graph.Chosen, variables: View) -> int:
    if chosen.inside is None:
        return 0
    given = graph.arguments(chosen, variables)
    if chosen.is_connection:
        return 2 + sized(int(given.get("first") or given.get("last") or 0)) * _row(chosen.inside, variables)
    if chosen.inside.type_name in FREE:
        return 0
    once = 1 + requested(chosen.inside, variables)
    return len(given.get("ids") or ()) * once if chosen.name == "nodes" else once


def _row(connection: graph.Selection, variables: View) -> int:
    """One row, whether it is chosen by nodes, by edges or by both."""
    cost = 0
    for chosen in connection.of(connection.type_name):
        if chosen.name == "nodes" and chosen.inside:
            cost += 1 + requested(chosen.inside, variables)
        elif chosen.name == "edges" and chosen.inside:
            cost += requested(chosen.inside, variables)
    return cost


class Bucket:
    """The points left to one app in one shop, by the shop's clock. is_kept  else it is full at every call"""

    def __init__(self, size: float, restore_rate: float, is_kept: bool) -> None:
        self.size = size
        self.restore_rate = restore_rate
        self.is_kept = is_kept
        self.left = size
        self._at: datetime | None = None

    def available(self, now: datetime) -> float:
        """Points that may be spent now."""
        passed = max((now - self._at).total_seconds(), 0.0) if self._at else 0.0
        self._at = now
        self.left = min(self.size, self.left + passed * self.restore_rate) if self.is_kept else self.size
        return self.left

    def spend(self, cost: int) -> None:
        self.left = max(self.left - cost, 0.0)

    def told(self, asked: int, actual: int | None) -> View:
        """`extensions.cost`; actual  None: the query was not run"""
        return {
            "requestedQueryCost": asked,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": self.size,
                "currentlyAvailable": int(self.left),
                "restoreRate": self.restore_rate,
            },
        }

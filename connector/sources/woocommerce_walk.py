"""A list of orders walked from its first row to its last, while the shop goes on changing it. Knows no cursor's text.

Rows are sorted by id, and a page is one look at the shop: so it shows every row of the list between its first and its
last id. Each page begins some rows before the last one's end. Where its first id is not past the highest id seen,
nothing lies between them. Where it is, rows before it have left the list (deleted, put in the trash; failures.md P11,
platforms.md L9), and the walk steps back. Edits only add rows to the lists that are walked; those come with the next
poll, being newer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from connector.order import Order
from connector.sources.woocommerce_cursor import Place
from connector.sources.woocommerce_lists import Listed, Lister
from connector.sources.woocommerce_refusal import Strange

LARGEST_OVERLAP: Final = 5
"""Rows read again: that many may leave the list between two pages before the walk has to step back."""

MOST_IDLE: Final = 200
"""Pages in a row that bring nothing, after which the list is called endless."""


_SHORT: Final = (
    "The shop showed fewer orders than it counts, twice. They are looked for again by the daily sweep; see whether a "
    "plug-in hides orders from WooCommerce's REST API."
)


class Step(msgspec.Struct, frozen=True):
    """One page of a walk: its new orders, and where the walk stands then. total  None where the shop doesn't say."""

    orders: tuple[Order, ...]
    place: Place
    is_over: bool
    total: int | None
    clock: str
    alerts: tuple[str, ...] = ()


def walk(lister: Lister, filters: Mapping[str, str], newest: str, place: Place) -> Iterator[Step]:
    """The list's orders from `place` on, page by page; twice, and then with an alert, where fewer came than the shop
    counts. newest  the latest change when the walk began. Raises SourceError."""
    for is_last_try in (False, True):
        for step in _once(lister, filters, place):
            if not step.is_over:
                yield step
                continue
            short = _short(lister, filters, newest, step)
            if short and not is_last_try:
                yield msgspec.structs.replace(step, place=Place(), is_over=False)
                place = Place()
                continue
            alerts = (*step.alerts, _SHORT) if short else step.alerts
            yield msgspec.structs.replace(step, alerts=alerts)
            return


def _once(lister: Lister, filters: Mapping[str, str], place: Place) -> Iterator[Step]:
    idle = 0
    while idle < MOST_IDLE:
        step = _step(lister, filters, place)
        yield step
        if step.is_over:
            return
        idle = 0 if step.place.last > place.last else idle + 1
        place = step.place
    raise Strange(
        "The shop's list of orders has no end: page after page brings nothing new.",
        "See whether a plug-in changes WooCommerce's REST API.",
    )


def _step(lister: Lister, filters: Mapping[str, str], place: Place) -> Step:
    listed, start = _contiguous(lister, filters, place)
    if any(one >= other for one, other in zip(listed.ids, listed.ids[1:], strict=False)):
        raise Strange(
            "The shop does not sort its orders by id, so its lists can't be read without losing some.",
            "See which plug-in changes the order of WooCommerce's lists.",
        )
    fresh = sum(one > place.last for one in listed.ids) + listed.nameless
    last = max(place.last, *listed.ids[-1:], 0)
    holds_the_last = listed.total is not None and start + listed.size >= listed.total
    is_over = listed.reaches_the_end(start) or (holds_the_last and not fresh)
    after = Place(start + listed.rows, last, place.seen + fresh)
    if not fresh and listed.rows < listed.size and after.offset <= place.offset:  # nothing but rows that aren't shown
        after = Place(start + listed.size, last, place.seen, is_gap=True)
    return Step(
        tuple(order for order in listed.orders if _number(order) > place.last or not _number(order)),
        after,
        is_over,
        listed.total,
        listed.clock,
        listed.alerts,
    )


def _contiguous(lister: Lister, filters: Mapping[str, str], place: Place) -> tuple[Listed, int]:
    """The next page, and where it starts: with nothing unseen between it and the pages before."""
    back = _overlap(lister.size)
    while True:
        start = max(place.offset - back, 0)
        listed = lister.page(filters, start)
        joins = bool(listed.ids) and listed.ids[0] <= place.last
        may_join = listed.nameless >= back  # rows without a name may be the ones read twice
        if joins or may_join or place.is_gap or start == 0:
            return listed, start
        back *= 4


def _overlap(size: int) -> int:
    return max(1, min(LARGEST_OVERLAP, size // 10))


def _number(order: Order) -> int:
    return int(order.id) if order.id.isascii() and order.id.isdigit() else 0


def _short(lister: Lister, filters: Mapping[str, str], newest: str, step: Step) -> int:
    """How many orders of the list never came, less those that came into it while it was walked."""
    short = max((step.total or 0) - step.place.seen, 0)
    if not short or not newest:
        return short
    since = {"modified_after": newest, "dates_are_gmt": "true"}
    return max(short - lister.count({**filters, **since}), 0)

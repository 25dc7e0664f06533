"""A shop in a list: orders that a test adds, edits and cancels, shown through the source contract. Knows no ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from connector.order import Address, Order, OrderLine
from connector.sources.base import Finding, Page, SourceContext, SourceError, Unreachable


class ListShop:
    """Each change gets the next revision; `pages` shows what changed since the cursor, `page_size` orders a page.

    fails_after  raised once so many pages were shown, as a shop does that can't be read to its end
    """

    kind = "list"

    def __init__(self, options: Any = None, context: SourceContext | None = None) -> None:
        self.orders: dict[str, Order] = {}
        self.page_size = 100
        self.fails_after: tuple[int, SourceError] | None = None
        self.cursors_asked: list[str] = []
        self._clock = 0

    @classmethod
    def options(cls) -> type[Any]:
        return dict

    def pages(self, cursor: str) -> Iterator[Page]:
        self.cursors_asked.append(cursor)
        changed = sorted((o for o in self.orders.values() if o.revision > cursor), key=lambda order: order.revision)
        for number, start in enumerate(range(0, len(changed) or 1, self.page_size)):
            if self.fails_after and number == self.fails_after[0]:
                raise self.fails_after[1]
            orders = tuple(changed[start : start + self.page_size])
            yield Page(orders, cursor=orders[-1].revision if orders else cursor)

    def add(self, *numbers: str, **fields: Any) -> None:
        """New orders of these numbers; a number's digits and letters are its order id."""
        for number in numbers:
            order = Order(number, number, self._next(), ship_to=address(f"{len(self.orders) + 1} Kowhai Road"))
            self.orders[number] = msgspec.structs.replace(order, **fields)

    def many(self, count: int) -> list[str]:
        """So many new orders; their numbers."""
        numbers = [f"N{number:04d}" for number in range(len(self.orders), len(self.orders) + count)]
        self.add(*numbers)
        return numbers

    def edit(self, number: str, /, **fields: Any) -> None:
        """The order changes in the shop; `street` is short for a new delivery address."""
        if "street" in fields:
            fields["ship_to"] = address(fields.pop("street"))
        order = msgspec.structs.replace(self.orders[number], revision=self._next())
        self.orders[number] = msgspec.structs.replace(order, **fields)

    def cancel(self, *numbers: str) -> None:
        for number in numbers:
            self.edit(number, cancelled=True)

    def restore(self, number: str) -> None:
        self.edit(number, cancelled=False)

    def _next(self) -> str:
        self._clock += 1
        return f"{self._clock:08d}"


class LiveShop(ListShop):
    """A list shop that can be asked for single orders, and swept. Edits may be made without a change date.

    asked  the ids of each reread; sweeps  how often it was swept; unseen  orders that no cursor shows
    tells  the alerts of each page; lasts  pages that a sweep brings before it fails, None: all
    amid_a_sweep  called after each page of a sweep
    """

    kind = "live"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.sweeps = 0
        self.unseen: set[str] = set()
        self.fails_when_asked: SourceError | None = None
        self.tells: tuple[str, ...] = ()
        self.lasts: int | None = None
        self.amid_a_sweep: Callable[[], object] = lambda: None

    def pages(self, cursor: str) -> Iterator[Page]:
        for page in super().pages(cursor):
            orders = tuple(o for o in page.orders if o.id not in self.unseen)
            yield msgspec.structs.replace(page, orders=orders, alerts=self.tells)

    def sweep(self) -> Iterator[Page]:
        self.sweeps += 1
        orders = list(self.orders.values())
        for number, start in enumerate(range(0, len(orders), self.page_size)):
            if number == self.lasts:
                raise Unreachable("it asks us to slow down")
            yield Page(tuple(orders[start : start + self.page_size]), "")
            self.amid_a_sweep()

    def reread(self, ids: Sequence[str]) -> Iterator[Page]:
        self.asked.append(list(ids))
        if self.fails_when_asked:
            raise self.fails_when_asked
        here = tuple(o for number, o in self.orders.items() if o.id in ids and number == o.number)
        yield Page(here, "", gone=tuple(one for one in ids if one not in self.orders))

    def probe(self) -> Iterator[Finding]:
        yield Finding("it is a list")

    def close(self) -> None:
        """Nothing is open."""

    def edit_undated(self, number: str, /, **fields: Any) -> None:
        """The order changes and its change date does not (WooCommerce's posts storage)."""
        revision = self.orders[number].revision
        self.edit(number, **fields)
        self.orders[number] = msgspec.structs.replace(self.orders[number], revision=revision)

    def delete(self, *numbers: str) -> None:
        """Gone for good; no cursor tells."""
        for number in numbers:
            del self.orders[number]


def address(street: str) -> Address:
    return Address(
        name="Aroha Example", line1=street, suburb="Hillcrest", city="Hamilton", postcode="3216", country="NZ"
    )


def goods(*names: str) -> tuple[OrderLine, ...]:
    return tuple(OrderLine(name=name, requires_shipping=True) for name in names)

"""A visit: one shop double, and the source under test that reads it. Checks of every page what holds for all pages.

Knows a shop by connector/testing/shop_double.py and a source by connector/sources/base.py, and no platform.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connector.order import Order
from connector.secret import parse_reference
from connector.sources.base import LiveSource, Page, Source, SourceContext, SourceError, Throttled
from connector.testing.shop_double import Draft, ShopDouble
from connector.testing.shop_server import ShopServer

NOW: Final = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""When a visit begins, by the shop's clock and by ours."""

STORE_ZONE: Final = "Pacific/Auckland"

MOST_PAGES: Final = 5_000
LONGEST_WAIT: Final = timedelta(hours=1)
MOST_PASSES: Final = 6


class Reading:
    """What one reading told, up to its end or its error.

    pages   in their order; cursor  the last one that was safe to keep; error  None where it ended well
    ended   our clock at its end
    """

    def __init__(self, cursor: str) -> None:
        self.cursor = cursor
        self.pages: list[Page] = []
        self.error: SourceError | None = None
        self.ended = NOW

    @property
    def orders(self) -> dict[str, Order]:
        """By id, as shown last; an order of several parts by one of them."""
        return {order.id: order for page in self.pages for order in page.orders}

    @property
    def ids(self) -> set[str]:
        return {order.id for page in self.pages for order in page.orders}

    def order(self, order_id: str) -> Order:
        """The order of this id, as shown last."""
        assert order_id in self.ids, f"order {order_id} did not come"
        return self.orders[order_id]

    @property
    def gone(self) -> set[str]:
        return {one for page in self.pages for one in page.gone}

    @property
    def alerts(self) -> list[str]:
        return [alert for page in self.pages for alert in (*page.alerts, *page.notes)]

    @property
    def held(self) -> set[str]:
        """Orders that say themselves what could not be read of them."""
        return {order.id for order in self.orders.values() if order.problems}


class Visit:
    """shop  the double; now  our own clock, which may be wrong; waited  how long the source asked for patience."""

    def __init__(
        self,
        shop: ShopDouble,
        source_class: type[Source],
        folder: Path,
        options: Mapping[str, Any],
        public: Collection[str] = (),
    ) -> None:
        self.shop = shop
        self.now = NOW
        self.waited = timedelta()
        self._shop_now = NOW
        self._class = source_class
        self._folder = folder
        self._sources: list[Source] = []
        self._table = {**shop.source_table(), **options}
        self.secrets = tuple(_secrets({key: value for key, value in self._table.items() if key not in public}, folder))
        shop.set_clock(NOW)

    @property
    def server(self) -> ShopServer:
        """The shop's server; promises about the wire are only tried where there is one."""
        assert self.shop.server is not None
        return self.shop.server

    @property
    def is_live(self) -> bool:
        return is_live(self._class)

    def source(self) -> Source:
        """A new source, from options read as a store file's are."""
        table = {name: value for name, value in self._table.items() if name != "kind"}
        options = self._class.options().model_validate_json(
            json.dumps(table), strict=True, context={"folder": self._folder, "secrets": True}
        )
        context = SourceContext("kiwi", str(self._folder), STORE_ZONE, lambda: self.now, self._wait)
        source = self._class(options, context)
        self._sources.append(source)
        self.refuse_secrets(f"{source!r} {options!r} {context!r}")
        return source

    def live(self) -> LiveSource:
        source = self.source()
        assert isinstance(source, LiveSource)
        return source

    def close(self) -> None:
        for source in self._sources:
            if isinstance(source, LiveSource):
                source.close()

    def clock(self, at: datetime) -> None:
        """It is this time now, for the shop and for us."""
        self.now += at - self._shop_now
        self._shop_now = at
        self.shop.set_clock(at)

    def place(self, count: int, *, every_s: int = 3600, until: datetime = NOW, draft: Draft | None = None) -> list[str]:
        """Some orders, the oldest first, the last one a second before `until`.

        An hour apart, so that no overlap of minutes hides what a wrong cursor skips.
        """
        first = until - timedelta(seconds=1 + every_s * (count - 1))
        return [
            self.shop.place(draft or Draft(sku=f"MUG-{n}"), first + timedelta(seconds=every_s * n))
            for n in range(count)
        ]

    # Reading

    def read(self, cursor: str = "", *, between: Callable[[int], None] | None = None) -> Reading:
        """`pages` once. between  is called after each page with its number, before the next one is asked for."""
        told = Reading(cursor)
        self._follow(told, lambda: self.source().pages(cursor), between)
        return told

    def read_on(self, cursor: str = "") -> Reading:
        """`pages` again and again, as daily life does, until a pass shows nothing that wasn't known."""
        told = Reading(cursor)
        for _ in range(MOST_PASSES):
            before = told.orders
            self._follow(told, lambda: self.source().pages(told.cursor))
            if told.error or told.orders == before:
                break
        return told

    def sweep(self) -> Reading:
        return self._asked(lambda: self.live().sweep())

    def reread(self, ids: Iterable[str]) -> Reading:
        wanted = tuple(ids)
        return self._asked(lambda: self.live().reread(wanted))

    def _asked(self, begin: Callable[[], Iterator[Page]]) -> Reading:
        told = Reading("")
        self._follow(told, begin)
        kept = {page.cursor for page in told.pages} - {""}
        assert not kept, f"a page that is no part of `pages` carries a cursor: {kept}"
        return told

    def _follow(
        self, told: Reading, begin: Callable[[], Iterator[Page]], between: Callable[[int], None] | None = None
    ) -> None:
        try:
            for number, page in enumerate(begin()):
                assert number < MOST_PAGES, "the pages never end"
                self._check(page)
                told.pages.append(page)
                told.cursor = page.cursor
                if between:
                    between(number)
        except SourceError as err:
            told.error, told.ended = err, self.now
            self._check_error(err)

    # What holds for every page and every error

    def _check(self, page: Page) -> None:
        if page.cursor:
            json.loads(page.cursor)
        self.refuse_secrets(page.cursor, *page.notes, *page.alerts)
        for text in (*page.notes, *page.alerts):
            refuse_customers(text)
        for order in page.orders:
            assert isinstance(order.id, str)
            assert order.id, "an order without an id must not come out as one"
            assert order.revision or order.problems, f"order {order.id} has no revision"
            assert order.created_at is None or order.created_at.utcoffset() == timedelta(), "times are aware UTC"
            self.refuse_secrets(repr(order))

    def _check_error(self, err: SourceError) -> None:
        text = str(err)
        assert text.endswith("."), f"an error is a sentence for the merchant: {text!r}"
        one: BaseException | None = err
        while one:  # tracebacks show causes too
            self.refuse_secrets(str(one), repr(one))
            one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        refuse_customers(text)
        if isinstance(err, Throttled):
            assert err.until.utcoffset() == timedelta(), "until is aware UTC"

    def refuse_secrets(self, *texts: str) -> None:
        for text in texts:
            for secret in self.secrets:
                assert secret not in text, f"a secret of the shop shows: {text.replace(secret, '***')!r}"

    def _wait(self, seconds: float) -> None:
        """The source waits: time goes on for the shop and for us, and nobody sleeps."""
        self.waited += timedelta(seconds=seconds)
        assert self.waited < LONGEST_WAIT, "the source waits and waits; it should raise Throttled or Unreachable"
        self.clock(self._shop_now + timedelta(seconds=seconds))


def is_live(source_class: type[Source]) -> bool:
    """Can this kind of source be asked? (`issubclass` does not take a protocol with attributes.)"""
    return all(hasattr(source_class, name) for name in ("sweep", "reread", "probe", "close"))


def refuse_customers(text: str) -> None:
    """Messages name orders, never people."""
    draft = Draft()
    for word in (draft.name, draft.line1, draft.email, draft.phone):
        assert word not in text, f"a message quotes a customer: {text!r}"


def _secrets(table: dict[str, Any], folder: Path) -> Iterator[str]:
    """The secrets a [source] table refers to, as they are and as Basic credentials carry them."""
    found = []
    for value in table.values():
        if isinstance(value, str) and value.partition(":")[0] in ("env", "file"):
            found.append(parse_reference(value, folder).resolve().reveal())
    yield from found
    for user in found:
        for password in found:
            if user != password:
                yield base64.b64encode(f"{user}:{password}".encode()).decode()

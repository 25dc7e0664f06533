"""The WooCommerce source: a shop's orders over REST (wc/v3), WooCommerce 7.0 and newer, either order storage.

Knows which lists to read and what to remember of them. What a list is comes from its siblings: woocommerce_options (the
store file), woocommerce_api, woocommerce_sign and woocommerce_refusal (calls and what their errors mean),
woocommerce_lists, woocommerce_ids and woocommerce_walk (pages, single orders, whole lists), woocommerce_cursor (what is
remembered), woocommerce_probe (what `connector check` asks), woocommerce_order (bodies to orders).

A steady poll is one call. It does not see what moves no date: edits of address, lines and meta data in posts storage,
orders put in the trash, deleted ones (platforms.md 7, WooCommerce 2, 6, 12). `sweep` and `reread` are for those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, Final

import msgspec

from connector.sources.base import Finding, Hint, Page, SourceContext
from connector.sources.woocommerce_api import WooCommerceApi
from connector.sources.woocommerce_cursor import Cursor, Place, Walk, earlier, mark_of, parse, text_of
from connector.sources.woocommerce_heard import hint_of
from connector.sources.woocommerce_ids import MOST
from connector.sources.woocommerce_lists import Listed, Lister
from connector.sources.woocommerce_options import WooCommerceOptions
from connector.sources.woocommerce_probe import probe
from connector.sources.woocommerce_statuses import open_statuses
from connector.sources.woocommerce_walk import Step, walk
from connector.sources.woocommerce_webhooks import silent

SWEPT_BACK: Final = timedelta(hours=48)
"""How far a sweep looks back, whatever any cursor says (failures.md P12)."""


class WooCommerceSource:
    """One shop as a source; memory is one page, whatever the shop's size."""

    kind = "woocommerce"

    @classmethod
    def options(cls) -> type[WooCommerceOptions]:
        return WooCommerceOptions

    def __init__(self, options: Any, context: SourceContext) -> None:
        self._options: WooCommerceOptions = options
        self._context = context
        self._api = WooCommerceApi(options, context)
        self._lister = Lister(self._api, options.page_size)

    def pages(self, cursor: str) -> Iterator[Page]:
        """All that changed since `cursor`, less the overlap: one call where it fits on a page.

        More than a page (a first sync, the time after an outage) is walked by id, and each page's cursor goes on where
        the walk stands. The mark afterwards is the newest change from before the walk: who ends an interrupted one
        goes on with what is new since then. Raises SourceError.
        """
        known = parse(cursor, self._options.url)
        if known.walk:
            for page in self._walked(known):
                yield page
                cursor = page.cursor
            known = parse(cursor, self._options.url)
        if known.mark:
            after = earlier(known.mark, self._options.overlap)
            listed = self._lister.page(_since(after), 0)
            if _is_whole(listed):
                yield self._page_of(known, listed)
                return
        else:
            after = ""
        known = msgspec.structs.replace(known, walk=self._begun(after))
        yield from self._walked(known)

    def sweep(self) -> Iterator[Page]:
        """All that changed in the 48 hours before the newest change, one dated in the future aside, and every order in
        a status from which it may still ship; last, whether its webhooks are on. The short list first: the other one
        may be too long to come to its end in one run. Raises SourceError."""
        newest = mark_of("", *self._lister.newest())
        if not newest:
            return
        statuses = open_statuses(self._api, self._options.statuses)
        if statuses.alerts:
            yield Page((), "", alerts=statuses.alerts)
        for filters in (_since(earlier(newest, SWEPT_BACK)), {"status": ",".join(statuses.known)}):
            for step in walk(self._lister, filters, newest, Place()):
                yield _page(step, "")
        if alerts := silent(self._api, self._context.store):
            yield Page((), "", alerts=alerts)

    def reread(self, ids: Sequence[str]) -> Iterator[Page]:
        """These orders, one page for each hundred; who is in the trash is cancelled, who is deleted is in `gone`.

        An order that the shop fails over each time is in neither, and named in an alert. Raises SourceError.
        """
        left = iter(dict.fromkeys(ids))
        while lot := tuple(islice(left, min(MOST, self._lister.size))):
            read = self._lister.read(lot)
            yield Page(read.orders, "", alerts=read.alerts, gone=read.gone)

    def probe(self) -> Iterator[Finding]:
        """What a sync needs, looked at piece by piece; never raises."""
        yield from probe(self._api, self._context.now)

    def heard(self, topic: str, body: bytes) -> Hint:
        """What a delivery of the shop's means; never raises."""
        return hint_of(body)

    def close(self) -> None:
        """Close idle connections."""
        self._api.close()

    def _begun(self, after: str) -> Walk:
        newest, clock = self._lister.newest()
        return Walk(after, mark_of("", newest, clock))

    def _walked(self, known: Cursor) -> Iterator[Page]:
        assert known.walk
        begun = known.walk
        filters = _since(begun.after) if begun.after else {}
        for step in walk(self._lister, filters, begun.newest, begun.place):
            if step.is_over:
                after = Cursor(known.shop, mark_of(known.mark, begun.newest, step.clock))
            else:
                after = msgspec.structs.replace(known, walk=msgspec.structs.replace(begun, place=step.place))
            yield _page(step, text_of(after))

    def _page_of(self, known: Cursor, listed: Listed) -> Page:
        """The one page of a steady poll."""
        mark = mark_of(known.mark, listed.newest, listed.clock)
        cursor = text_of(Cursor(known.shop, mark))
        return Page(listed.orders, cursor, alerts=listed.alerts, scanned=listed.rows, total=listed.rows)


def _since(after: str) -> dict[str, str]:
    """A bare GMT time with dates_are_gmt: with a Z as well WordPress converts it twice (L4; recorded:
    modified-after-gmt-Z-dates-are-gmt)."""
    return {"modified_after": after, "dates_are_gmt": "true"}


def _is_whole(listed: Listed) -> bool:
    """True when the first page is all there is, and all of it came; else the list is walked, and counted."""
    return listed.reaches_the_end(0) and (listed.total is None or listed.rows >= listed.total)


def _page(step: Step, cursor: str) -> Page:
    return Page(
        step.orders,
        cursor,
        alerts=step.alerts,
        scanned=min(step.place.offset, step.total or 0),
        total=step.total or 0,
    )

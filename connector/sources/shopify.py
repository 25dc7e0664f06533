"""The Shopify source: orders of a live shop, by its Admin GraphQL API. Knows which rooms do the work, and their order.

shopify_options (the store file), shopify_token, shopify_api (one question), shopify_query (its text), shopify_changes
and shopify_cursor (what changed since), shopify_sweep (what may still ship; single orders), shopify_reader (nodes to
whole orders), shopify_gone (deleted or out of sight), shopify_failing (one that Shopify fails at), shopify_scopes,
shopify_probe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from connector.sources.base import Finding, Hint, Page, SourceContext
from connector.sources.shop_calls import ShopCalls
from connector.sources.shopify_api import ShopifyApi
from connector.sources.shopify_changes import Changes
from connector.sources.shopify_cursor import parse
from connector.sources.shopify_heard import hint_of
from connector.sources.shopify_options import ShopifyOptions
from connector.sources.shopify_probe import findings
from connector.sources.shopify_reader import Reader
from connector.sources.shopify_scopes import gap
from connector.sources.shopify_sweep import Sweep
from connector.sources.shopify_token import GrantedToken, PermanentToken, Token


class ShopifySource:
    """A shop at Shopify. Memory is one page, whatever the size of the shop; an idle run is one call, at the most two.

    revision  the later of the order's and the fulfilment order's change dates, in whole seconds
    """

    kind = "shopify"

    @classmethod
    def options(cls) -> type[ShopifyOptions]:
        return ShopifyOptions

    def __init__(self, options: Any, context: SourceContext) -> None:
        self._options: ShopifyOptions = options
        self._context = context
        calls = ShopCalls(options.address, options.name, context.now)
        self._api = ShopifyApi(calls, _token(options, calls, context), options.version, context.now, context.wait)
        self._reader = Reader(self._api, options.locations)
        self._told_version = False

    def pages(self, cursor: str) -> Iterator[Page]:
        """One walk over what changed since `cursor`, oldest change first.

        An order's parts that ship from a location which is not among `locations` come too, as held: they may have been
        ours before, and only what comes can be taken back.
        """
        walk = Changes(self._api, self._reader, self._options.page_size, self._options.overlap)
        alerts = None
        for page in walk.pages(cursor):
            if alerts is None:
                alerts = tuple(filter(None, (self._gap(cursor), self._other_version())))
                page = msgspec.structs.replace(page, alerts=(*alerts, *page.alerts))
            yield page

    def sweep(self) -> Iterator[Page]:
        """Every order that is neither fulfilled nor cancelled, whatever its payment, and all changed in 48 hours."""
        return Sweep(self._api, self._reader, self._options.page_size).pages()

    def reread(self, ids: Sequence[str]) -> Iterator[Page]:
        """These orders as they are now.

        One that the shop doesn't have is `gone`, but for one that may only be older than what the app is shown: that
        is an alert, since taking its slip back could be wrong.
        """
        return Sweep(self._api, self._reader, self._options.page_size).single(ids)

    def probe(self) -> Iterator[Finding]:
        """Reachable, signed in, version, clock, scopes, one order with its fulfilment orders, the buyers' data."""
        return findings(self._api, self._reader, self._options.shop or "", self._context.now)

    def heard(self, topic: str, body: bytes) -> Hint:
        """What a delivery of the shop's means; never raises."""
        return hint_of(body)

    def close(self) -> None:
        """Close idle connections."""
        self._api.close()

    def _gap(self, cursor: str) -> str:
        return gap(self._api, parse(cursor).read_at())

    def _other_version(self) -> str:
        served, asked = self._api.served, self._api.version
        if not served or served == asked or self._told_version:
            return ""
        self._told_version = True
        return (
            f"Shopify answered with version {served} of its API, not with {asked}: that one has ended. Install a newer "
            "connector; until then look closely at what is held."
        )


def _token(options: ShopifyOptions, calls: ShopCalls, context: SourceContext) -> Token:
    if options.access_token is not None:
        return PermanentToken(options.access_token)
    if options.client_id is None or options.client_secret is None:
        raise ValueError("the options were not checked: no way to sign in")
    return GrantedToken(options.address, calls, options.client_id, options.client_secret, context.now)

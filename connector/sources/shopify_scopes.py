"""What an app may read of a Shopify: its scopes, and how far back it sees. Knows no order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.sources import json_body
from connector.sources import shopify_query as query
from connector.sources.shopify_api import ShopifyApi

ALL_ORDERS: Final = "read_all_orders"
ORDERS: Final = "read_orders"
PARTS: Final = "read_merchant_managed_fulfillment_orders"
"""Of the fulfilment orders that the merchant ships: without it they are just not there (L19)."""
WINDOW: Final = timedelta(days=60)
"""How far back an app sees without read_all_orders (platforms.md 4.1)."""


class _Scope(msgspec.Struct):
    handle: str


class _Installation(msgspec.Struct, rename="camel"):
    access_scopes: list[_Scope]


class _Answer(msgspec.Struct, rename="camel"):
    current_app_installation: _Installation


def scopes_of(api: ShopifyApi) -> frozenset[str]:
    """The scopes granted to the app. Raises SourceError."""
    answer = api.ask(query.SCOPES, {}, _Answer)
    return frozenset(scope.handle for scope in answer.current_app_installation.access_scopes)


def gap(api: ShopifyApi, last: str) -> str:
    """What can't be read since it was `last` read ("" never), as an alert; "" when all can. Raises SourceError.

    The shop's own clock judges, as its last answer told it (P14, P19). Scopes are asked for only where they matter.
    Whole days are told, the last of them too, so that the words stay the same from poll to poll.
    """
    if api.shop_time is None:
        return ""
    seen_from = api.shop_time - WINDOW
    if last and json_body.utc(last) >= seen_from:
        return ""
    if ALL_ORDERS in scopes_of(api):
        return ""
    if not last:
        return (
            f"Shopify shows this app the orders of the last {WINDOW.days} days only: it lacks the scope {ALL_ORDERS}."
        )
    until = f"{seen_from + timedelta(days=1) - datetime.resolution:%Y-%m-%d} 00:00 UTC"
    since = f"{json_body.utc(last):%Y-%m-%d %H:%M} UTC"
    return (
        f"gap: the shop was last read on {since}, and Shopify shows this app no order from before {until}. Orders "
        f"from between the two that changed meanwhile were not read: grant the app the scope {ALL_ORDERS} and run a "
        "sync with --sweep, or look through them in the shop."
    )

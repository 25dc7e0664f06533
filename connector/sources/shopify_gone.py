"""Orders that a Shopify answers with nothing: deleted, or only out of the app's sight. Knows no list and no cursor."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from connector.sources import shopify_query as query
from connector.sources.shopify_api import ShopifyApi
from connector.sources.shopify_scopes import ALL_ORDERS, WINDOW, scopes_of


class _Known(msgspec.Struct):
    id: str


class _Oldest(msgspec.Struct):
    nodes: list[_Known]


class _Answer(msgspec.Struct):
    oldest: _Oldest


def gone_of(api: ShopifyApi, missing: Sequence[str]) -> tuple[list[str], list[str]]:
    """Of these ids the ones that are gone, and what is to be told of the others, as alerts. Raises SourceError.

    Without read_all_orders Shopify has no order older than 60 days: that is not the same as gone. Ids of orders grow
    with time, so one below the oldest that is shown may only be out of sight.
    """
    if not missing or ALL_ORDERS in scopes_of(api):
        return list(missing), []
    shown = api.ask(query.OLDEST, {}, _Answer).oldest.nodes
    oldest = int(shown[0].id.rpartition("/")[2]) if shown else 0
    unseen = [order_id for order_id in missing if not shown or int(order_id) < oldest]
    alert = (
        f"Orders {', '.join(unseen)} (ids) can't be read: Shopify shows this app the orders of the last "
        f"{WINDOW.days} days only. Grant it the scope {ALL_ORDERS}, or look after them by hand."
    )
    return [order_id for order_id in missing if order_id not in unseen], [alert] if unseen else []

"""Everything a sync of a Shopify needs, tried and told. Decides nothing; knows no cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.order import Order
from connector.sources import shopify_query as query
from connector.sources.base import Finding, SourceError, Unauthorised, Unreachable
from connector.sources.json_body import quoted
from connector.sources.shopify_api import ShopifyApi
from connector.sources.shopify_changes import Nodes
from connector.sources.shopify_part import UNROUTED
from connector.sources.shopify_reader import Reader
from connector.sources.shopify_scopes import ALL_ORDERS, ORDERS, PARTS, WINDOW, scopes_of

CLOCKS: Final = timedelta(minutes=2)
"""As far as the two clocks may differ."""
_GRANT: Final = "Grant {} in the app's settings (API access), and install the app again."


class _Shop(msgspec.Struct, rename="camel"):
    name: str
    iana_timezone: str
    myshopify_domain: str


class _ShopAnswer(msgspec.Struct):
    shop: _Shop


class _List(msgspec.Struct):
    orders: Nodes


def findings(api: ShopifyApi, reader: Reader, shop: str, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Each thing as it is found; ends early where nothing more can be tried."""
    try:
        found = api.ask(query.SHOP, {}, _ShopAnswer).shop
        yield _reached(found, shop)
        yield _version(api)
        yield _clock(api, now())
        scopes = scopes_of(api)
        yield from _scopes(scopes)
        yield from _one_order(api, reader)
    except SourceError as error:
        yield Finding(str(error), _mend(error))


def _reached(found: _Shop, shop: str) -> Finding:
    text = f"Reached and signed in: {quoted(found.name)}, time zone {quoted(found.iana_timezone)}."
    if shop and found.myshopify_domain != shop:
        return Finding(
            f"{text} Its own address is {quoted(found.myshopify_domain)}, not {quoted(shop)}.",
            "Write that address as shop in [source].",
        )
    return Finding(text)


def _version(api: ShopifyApi) -> Finding:
    if api.served in ("", api.version):
        return Finding(f"API version {api.version}.")
    return Finding(
        f"Shopify answers with API version {api.served}, not with {api.version}.", "Install a newer connector."
    )


def _clock(api: ShopifyApi, now: datetime) -> Finding:
    if api.shop_time is None:
        return Finding("Shopify told no time, so this machine's clock was not compared.")
    apart = abs(now - api.shop_time)
    if apart <= CLOCKS:
        return Finding("This machine's clock and Shopify's agree.")
    minutes = int(apart.total_seconds() // 60)
    return Finding(f"This machine's clock and Shopify's differ by {minutes} minutes.", "Set this machine's clock.")


def _scopes(scopes: frozenset[str]) -> Iterator[Finding]:
    needed = (ORDERS, PARTS)
    for scope in needed:
        if scope in scopes or scope.replace("read_", "write_") in scopes:
            yield Finding(f"The app has the scope {scope}.")
        else:
            yield Finding(f"The app lacks the scope {scope}: nothing can ship without it.", _GRANT.format(scope))
    if ALL_ORDERS in scopes:
        yield Finding(f"The app has the scope {ALL_ORDERS}.")
    else:
        yield Finding(
            f"The app sees the orders of the last {WINDOW.days} days; with the scope {ALL_ORDERS} it would see all."
        )


def _one_order(api: ShopifyApi, reader: Reader) -> Iterator[Finding]:
    for search in (query.NOT_DONE, query.ANY_STATUS):
        variables = {"query": search, "first": 1, "after": None, "whole": True, **reader.variables()}
        nodes = api.ask(query.SWEEP, variables, _List).orders.nodes
        if nodes:
            break
    else:
        yield Finding("The shop has no order yet, so none was read.")
        return
    read = reader.read([bytes(nodes[0])])
    if not read.orders:
        yield Finding(" ".join(read.alerts), "Look whether a newer connector is out.")
        return
    yield _parts(read.orders)
    yield _personal(read.orders)


def _parts(orders: list[Order]) -> Finding:
    number = quoted(orders[0].number)
    if orders[0].hold_reason == UNROUTED:
        return Finding(
            f"Order {number} was read, and has no fulfilment orders.",
            "If it was placed more than a few minutes ago: " + _GRANT.format(PARTS),
        )
    count = "1 fulfilment order" if len(orders) == 1 else f"{len(orders)} fulfilment orders"
    return Finding(f"Order {number} was read, with {count}.")


def _personal(orders: list[Order]) -> Finding:
    """Nulls all over are data kept from us, not a buyer without a name (platforms.md 4.1); slip.make holds them too."""
    known = [order for order in orders if order.ship_to.name or order.email or not order.ship_to.is_empty()]
    if not known:
        return Finding(
            "Neither name, address nor e-mail of that order's buyer can be read: protected customer data is not "
            "granted, unless the order has no buyer.",
            "Ask for it, with name, address, phone and e-mail, in the app's settings (API access).",
        )
    if all(order.ship_to.is_empty() for order in known):
        return Finding("That order has no address to ship to, so nothing tells whether addresses can be read.")
    return Finding("Names and addresses can be read.")


def _mend(error: SourceError) -> str:
    if isinstance(error, Unauthorised):
        return "Check the token, or client_id and client_secret, in the store file, and the app's scopes in Shopify."
    if isinstance(error, Unreachable):
        return "Check shop in the store file and this machine's network, and try again."
    return "Try again in a few minutes; if it stays, look whether a newer connector is out."

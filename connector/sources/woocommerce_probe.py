"""What `connector check` asks a WooCommerce shop: all that a sync needs, each found out by itself. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.order import Delivery, Order
from connector.sources.base import Finding, Malformed, SourceError
from connector.sources.woocommerce_api import WooCommerceApi
from connector.sources.woocommerce_order import orders_from_woocommerce
from connector.sources.woocommerce_refusal import Refused, Strange, shop_time
from connector.sources.woocommerce_statuses import own_statuses
from connector.wire.heard import Heard

OLDEST: Final = (7, 0)
"""The first version this connector reads."""

PAGES_LOSE: Final = (10, 4)
"""Before it, lists sorted by change show some orders twice and others never (platforms.md 7, WooCommerce 1)."""

MOST_SKEW: Final = timedelta(minutes=5)

_NEWEST: Final = {"per_page": "1", "orderby": "modified", "order": "desc", "status": "any"}
_STATUS: Final = {"_fields": "environment,settings"}
_ZONE: Final = {"_fields": "timezone_string,gmt_offset"}


class _Environment(msgspec.Struct):
    version: str = ""


class _Settings(msgspec.Struct):
    HPOS_enabled: bool | None = None


class _SystemStatus(msgspec.Struct):
    environment: _Environment = msgspec.field(default_factory=_Environment)
    settings: _Settings = msgspec.field(default_factory=_Settings)


class _Index(msgspec.Struct):
    timezone_string: str | None = ""
    gmt_offset: float | str | None = None


def probe(api: WooCommerceApi, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Every finding, good and bad, as it is found; ends early where nothing more can be asked. Never raises."""
    try:
        heard = api.get("orders", _NEWEST)
        found = orders_from_woocommerce(heard.body)
    except SourceError as err:
        yield _trouble(err)
        return
    how = "signed calls over plain http" if api.signs else "https"
    yield Finding(f"{api.name} answers by {how}, takes the key and lets it read orders{_how_many(heard)}")
    if api.signs and not api.is_here:
        yield Finding(
            "the shop is read over plain http: buyers' addresses can be read on the way",
            "Where the shop has an https address, write that as url",
        )
    yield _clock(heard, now())
    yield from _system(api)
    yield from _zone(api)
    yield _statuses(api)
    yield from _newest(found)


def _trouble(err: SourceError) -> Finding:
    if isinstance(err, Refused | Strange):
        return Finding(err.what, err.mend)
    if isinstance(err, Malformed):
        return Finding(str(err), "Open the address in a browser, and correct url in the store file")
    if "certificate" in str(err):
        return Finding(
            str(err),
            "Let the shop send its whole chain; where no public authority signed it, name that authority's in ca_file "
            "of [source]",
        )
    return Finding(str(err), "See whether the shop can be reached from this machine, and try again")


def _how_many(heard: Heard) -> str:
    total = heard.headers.get("X-WP-Total", "")
    return f" (it has {int(total):,})" if total.isascii() and total.isdigit() else ""


def _clock(heard: Heard, now: datetime) -> Finding:
    shop = shop_time(heard)
    if shop is None:
        return Finding("the shop doesn't say what time it is, so the two clocks were not compared")
    apart = abs(shop - now)
    if apart <= MOST_SKEW:
        return Finding("the shop's clock and this machine's agree")
    minutes = round(apart / timedelta(minutes=1))
    return Finding(f"the shop's clock and this machine's are {minutes:,} minutes apart", "Set the one that is wrong")


def _system(api: WooCommerceApi) -> Iterator[Finding]:
    """Version and storage, by GET system_status, which takes the key of an administrator or a shop manager."""
    try:
        told = msgspec.json.decode(api.get("system_status", _STATUS).body, type=_SystemStatus)
    except (SourceError, msgspec.DecodeError, UnicodeDecodeError):
        yield Finding(
            "the key may not see the shop's system status, so version and order storage are not known",
            "Make the key for a user who may manage WooCommerce, or see WooCommerce > Status yourself",
        )
        return
    yield _version(told.environment.version)
    yield _storage(told.settings.HPOS_enabled)


def _version(text: str) -> Finding:
    found = re.match(r"(\d{1,4})\.(\d{1,4})", text)
    if not found:
        return Finding("the shop doesn't say which version of WooCommerce it runs")
    version = (int(found[1]), int(found[2]))
    shown = f"WooCommerce {found[0]}"
    if version < OLDEST:
        return Finding(f"{shown} is older than 7.0, with which this connector was never tried", "Update WooCommerce")
    if version < PAGES_LOSE:
        return Finding(f"{shown}; its lists sorted by change lose orders, so orders are listed by id")
    return Finding(shown)


def _storage(is_hpos: bool | None) -> Finding:
    if is_hpos is None:
        return Finding("the shop doesn't say how it stores orders")
    if is_hpos:
        return Finding("orders are kept in order tables (HPOS): every change is dated")
    return Finding(
        "orders are kept as posts: edits of addresses and lines move no date, so they are seen by the daily sweep and "
        "by webhooks only. High-performance order storage (WooCommerce > Settings > Advanced > Features) dates them"
    )


def _zone(api: WooCommerceApi) -> Iterator[Finding]:
    """For people: the connector reads GMT times only. Not every shop shows its index, and it is not needed."""
    try:
        told = msgspec.json.decode(api.get_at("/wp-json/", _ZONE).body, type=_Index)
    except (SourceError, msgspec.DecodeError, UnicodeDecodeError):
        return
    zone = told.timezone_string or (f"UTC{told.gmt_offset:+g}" if isinstance(told.gmt_offset, float) else "")
    if re.fullmatch(r"[A-Za-z0-9_+\-/.]{1,60}", zone):
        yield Finding(f"the shop's time zone is {zone}; orders are read by GMT")


def _statuses(api: WooCommerceApi) -> Finding:
    try:
        own = own_statuses(api)
    except SourceError:
        own = None
    if own is None:
        return Finding(
            "the key may not see the orders' totals, so statuses that plug-ins add are not found",
            "Make the key for a user who may manage WooCommerce, or name them in statuses under [source]",
        )
    shown = ", ".join(slug for slug in own if re.fullmatch(r"[a-z0-9_-]{1,40}", slug))
    return Finding(f"statuses that plug-ins add: {shown}" if own else "no plug-in adds a status")


def _newest(found: tuple[object, ...]) -> Iterator[Finding]:
    order = next((one for one in found if isinstance(one, Order)), None)
    if order is None:
        if found:
            yield Finding("the newest order can't be read", "See whether a plug-in changes WooCommerce's REST API")
        else:
            yield Finding("the shop has no orders yet")
        return
    kind = {Delivery.SHIP: "to be shipped", Delivery.PICKUP: "for pick-up", Delivery.LOCAL: "for local delivery"}
    what = kind.get(order.delivery, "nothing to ship")
    yield Finding(f"its newest order {order.number} is {order.status or 'in no status'}, {order.payment}, {what}")
    for problem in order.problems:
        yield Finding(f"order {order.number} would be held", problem)
    if order.ship_to.is_empty() and order.bill_to.is_empty():
        yield Finding(
            f"order {order.number} shows no address",
            "If other orders show none either, see which plug-in hides personal data from WooCommerce's REST API",
        )
    else:
        yield Finding("names and addresses can be read")

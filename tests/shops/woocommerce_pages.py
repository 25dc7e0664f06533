"""The answers beside orders: the API's index, statuses, totals, system status. Knows no query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from tests.shops.woocommerce_bodies import Shop
from tests.shops.woocommerce_query import STATUSES
from tests.shops.woocommerce_state import ShopOrder

STORES: Final = {
    True: "Automattic\\WooCommerce\\Internal\\DataStores\\Orders\\OrdersTableDataStore",
    False: "WC_Order_Data_Store_CPT",
}


def index(shop: Shop, now: datetime) -> dict[str, Any]:
    """GET /wp-json/, which needs no key."""
    offset = (now.astimezone(shop.zone).utcoffset() or timedelta()) / timedelta(hours=1)
    return {
        "name": "K\u014dwhai &amp; Co. Test Shop",
        "description": "",
        "url": shop.url,
        "home": shop.url,
        "gmt_offset": int(offset) if offset.is_integer() else offset,
        "timezone_string": shop.zone.key,
        "page_for_posts": 0,
        "page_on_front": 0,
        "show_on_front": "posts",
        "namespaces": ["wc/v3", "wc/v2", "wc/store/v1", "wp/v2"],
        "authentication": {
            "application-passwords": {"endpoints": {"authorization": f"{shop.url}/wp-admin/authorize-application.php"}}
        },
        "routes": {"/wc/v3/orders": {"namespace": "wc/v3", "methods": ["GET", "POST"], "endpoints": []}},
        "site_logo": 0,
        "site_icon": 0,
        "site_icon_url": "",
        "_links": {"help": [{"href": "https://developer.wordpress.org/rest-api/"}]},
    }


def statuses(more: Iterable[str]) -> list[dict[str, str]]:
    return [{"slug": slug, "name": name} for slug, name in _named(more).items()]


def totals(more: Iterable[str], orders: Iterable[ShopOrder]) -> list[dict[str, Any]]:
    """GET reports/orders/totals: registered statuses alone (class-wc-rest-report-orders-totals-controller.php);
    not recorded."""
    counted = Counter(order.status for order in orders)
    return [{"slug": slug, "name": name, "total": counted[slug]} for slug, name in _named(more).items()]


def _named(more: Iterable[str]) -> dict[str, str]:
    return {**STATUSES, **{slug: slug.title() for slug in more}}


def system_status(shop: Shop) -> dict[str, Any]:
    """What a connector may want of it; the real one is 30 kB (recorded: system-status)."""
    return {
        "environment": {
            "home_url": shop.url,
            "site_url": shop.url,
            "version": shop.habits.version,
            "wp_version": "7.1",
            "wp_cron": False,
            "language": "en_US",
            "default_timezone": "UTC",
        },
        "database": {"wc_database_version": shop.habits.version, "database_prefix": "wp_"},
        "active_plugins": [],
        "settings": {
            "api_enabled": False,
            "force_ssl": False,
            "currency": "NZD",
            "currency_symbol": "&#36;",
            "order_datastore": STORES[shop.habits.hpos],
            "HPOS_enabled": shop.habits.hpos,
            "HPOS_sync_enabled": False,
        },
    }

"""Which statuses of a shop's orders may still become freight. Knows no order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from connector.sources.base import Malformed
from connector.sources.woocommerce_api import WooCommerceApi
from connector.sources.woocommerce_refusal import Broke, Refused

USUAL: Final = ("pending", "on-hold", "processing", "failed")
"""WooCommerce's own from which an order may still ship: a failed payment may be tried again."""

OVER: Final = frozenset(
    {"completed", "cancelled", "refunded", "trash", "checkout-draft", "auto-draft", "draft", "new", "any"}
)
"""Those from which nothing ships, and drafts. Any other is a plug-in's or the merchant's, and asked for."""


class _Total(msgspec.Struct):
    slug: str
    total: int | str = 0


_totals: Final = msgspec.json.Decoder(list[_Total])


def open_statuses(api: WooCommerceApi, further: Iterable[str]) -> tuple[str, ...]:
    """The usual ones, those the store file adds, and those of plug-ins that orders are in, each once.

    Raises SourceError where the shop can't be asked at all; where the key may not see reports they are left out.
    """
    found = dict.fromkeys(USUAL)
    found |= dict.fromkeys(status.removeprefix("wc-") for status in further)
    found |= dict.fromkeys(own_statuses(api) or ())
    return tuple(found)


def own_statuses(api: WooCommerceApi) -> tuple[str, ...] | None:
    """Statuses of plug-ins that orders are in, by GET reports/orders/totals; None where that can't be seen."""
    try:
        heard = api.get("reports/orders/totals")
        totals = _totals.decode(heard.body)
    except (Refused, Malformed, Broke, msgspec.DecodeError, UnicodeDecodeError):
        return None
    slugs = (one.slug.removeprefix("wc-") for one in totals if str(one.total) != "0")
    return tuple(slug for slug in slugs if slug and slug not in OVER and slug not in USUAL)

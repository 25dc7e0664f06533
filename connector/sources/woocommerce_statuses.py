"""Which statuses of a shop's orders may still become freight. Knows no order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from connector.sources import json_body
from connector.sources.base import Malformed
from connector.sources.woocommerce_api import WooCommerceApi
from connector.sources.woocommerce_refusal import Broke, Refused, Strange

USUAL: Final = ("pending", "on-hold", "processing", "failed")
"""WooCommerce's own from which an order may still ship: a failed payment may be tried again."""

OVER: Final = frozenset(
    {"completed", "cancelled", "refunded", "trash", "checkout-draft", "auto-draft", "draft", "new", "any"}
)
"""Those from which nothing ships, and drafts. Any other is a plug-in's or the merchant's, and asked for."""


class _Total(msgspec.Struct):
    slug: str


_totals: Final = msgspec.json.Decoder(list[_Total])


class Open(msgspec.Struct, frozen=True):
    """Statuses from which an order may still ship, as the shop knows them. alerts  words of the store file's that it
    doesn't know."""

    known: tuple[str, ...]
    alerts: tuple[str, ...] = ()


def open_statuses(api: WooCommerceApi, further: Iterable[str]) -> Open:
    """The usual ones, those the store file adds, and those of plug-ins, each once.

    One that isn't registered fails the question for all (HTTP 400), so it is left out: themes take statuses of
    WooCommerce's own away by the filter wc_order_statuses, and plug-ins are switched off.
    Raises SourceError where the shop can't be asked at all; where the key may not see reports they are left out.
    """
    added = dict.fromkeys(status.removeprefix("wc-") for status in further)
    every = tuple(dict.fromkeys([*USUAL, *added, *(own_statuses(api) or ())]))
    refused = _refusal(api, every)
    if refused is None:
        return Open(every)
    unknown = {one for one in every if _refusal(api, [one]) is not None}
    if len(unknown) == len(every):  # whatever it is, it isn't a word of ours
        raise refused
    known = tuple(one for one in every if one not in unknown)
    return Open(known, tuple(_unknown(api.name, one) for one in added if one in unknown))


def _refusal(api: WooCommerceApi, statuses: Sequence[str]) -> Strange | None:
    """Why the shop doesn't take a question for these statuses; None where it does, or fails over one of the orders."""
    try:
        api.get("orders", {"status": ",".join(statuses), "per_page": "1", "_fields": "id"})
    except Strange as err:
        if err.status != 400:
            raise
        return err
    except Broke:
        return None
    return None


def _unknown(name: str, status: str) -> str:
    return (
        f"{name} knows no status {json_body.quoted(status)} (statuses in [source] of the store file), so no order is "
        "looked for in it. Correct it, or take it out."
    )


def own_statuses(api: WooCommerceApi) -> tuple[str, ...] | None:
    """Statuses of plug-ins, by GET reports/orders/totals; None where that can't be seen. Those that no order is in
    count too: older shops count the posts only, and find none with order tables."""
    try:
        heard = api.get("reports/orders/totals")
        totals = _totals.decode(heard.body)
    except (Refused, Malformed, Broke, msgspec.DecodeError, UnicodeDecodeError):
        return None
    slugs = (one.slug.removeprefix("wc-") for one in totals)
    return tuple(slug for slug in slugs if slug and slug not in OVER and slug not in USUAL)

"""What a Shopify shop double is told to do wrong, and what its app may. Values only."""

from __future__ import annotations

from typing import Any, Final

import msgspec

ALL_SCOPES: Final = frozenset(
    {
        "read_orders",
        "read_all_orders",
        "read_merchant_managed_fulfillment_orders",
        "read_third_party_fulfillment_orders",
    }
)


class Habits(msgspec.Struct):
    """A shop as it should be, unless told otherwise; each may be changed at any time but where it says so.

    scopes            what the app may; without the fulfilment orders' ones their connections are empty (L19), without
                      read_all_orders what was placed over 60 days ago is absent (L7)
    services          names of locations that belong to fulfilment services: what ships from there is shown by
                      read_third_party_fulfillment_orders alone, the rest by read_merchant_managed_fulfillment_orders,
                      https://shopify.dev/docs/api/admin-graphql/2026-10/objects/FulfillmentOrder
    protected         buyers' names, addresses, telephones and e-mails: "shown", "null", or "errors": null, and an error
    throttle          the cost bucket is kept, on the shop's clock; else it is full at every call (not changed later)
    bucket            its size in points, and restore_rate what comes back each second (neither is changed later)
    throttled_status  the HTTP status of THROTTLED: 200 as most report it, or 429
    dearest           points of one query at the most
    lag_s             each change is in the lists only after a random number of seconds of the shop's between these two
    stale_rows        what a list shows is as old as its index; else it stands at its old place with what it has now
    disorder_s        rows stand up to so many seconds too late in a list, and a page is shuffled (not changed later)
    repeats           up to so many rows of a page are shown again on the next one (D1)
    empty_pages       so many pages to come are empty though another follows (P8)
    endless_pages     so many pages to come say that another follows, and not where
    routed_after_s    how long after the order its fulfilment orders are made
    parts_move_order  whether a change of a fulfilment order alone moves Order.updatedAt, which no page says
                      (not changed later)
    open_only         lists that do not name a status show open orders only, as the REST API's do (P18)
    cursor_life_s     page cursors that are older are refused (P9); 0: they live on
    loose_compare     `>` and `<` include the moment itself (SH23)
    served_version    what the header X-Shopify-Api-Version says
    """

    scopes: frozenset[str] = ALL_SCOPES
    services: frozenset[str] = frozenset()
    protected: str = "shown"
    throttle: bool = False
    bucket: float = 2000.0
    restore_rate: float = 100.0
    throttled_status: int = 200
    dearest: int = 1000
    lag_s: tuple[float, float] = (0.0, 0.0)
    stale_rows: bool = False
    disorder_s: float = 0.0
    repeats: int = 0
    empty_pages: int = 0
    endless_pages: int = 0
    routed_after_s: float = 0.0
    parts_move_order: bool = False
    open_only: bool = False
    cursor_life_s: float = 0.0
    loose_compare: bool = False
    served_version: str = "2026-10"

    def shows_part(self, part: dict[str, Any]) -> bool:
        """Whether the app may see this fulfilment order."""
        kind = "third_party" if part["assignedLocation"]["name"] in self.services else "merchant_managed"
        return f"read_{kind}_fulfillment_orders" in self.scopes

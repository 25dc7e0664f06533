"""A WooCommerce source as one might write it in an afternoon: to show that the proof tells it from ours."""

from __future__ import annotations

import json
from collections.abc import Iterator

from connector.order import Order
from connector.sources.base import Page
from connector.sources.woocommerce import WooCommerceSource
from connector.sources.woocommerce_order import orders_from_woocommerce


class ByChangeDate(WooCommerceSource):
    """Page after page sorted by change date, the last one seen as cursor: rows shift, and equal ones have no order."""

    def pages(self, cursor: str) -> Iterator[Page]:
        since = json.loads(cursor or '""')
        newest, number = since, 1
        while True:
            asked = {"status": "any", "orderby": "modified", "order": "asc", "page": str(number)}
            if since:
                asked |= {"modified_after": since, "dates_are_gmt": "true"}
            heard = self._api.get("orders", {**asked, "per_page": str(self._options.page_size)})
            orders = [order for order in orders_from_woocommerce(heard.body) if isinstance(order, Order)]
            newest = max([newest, *(order.revision.removesuffix("Z") for order in orders)])
            is_last = len(orders) < self._options.page_size
            yield Page(tuple(orders), json.dumps(newest if is_last else since))
            if is_last:
                return
            number += 1

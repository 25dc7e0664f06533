"""A WooCommerce source beside a double of its shop, for the source's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from connector.order import Order
from connector.sources.base import Page, SourceContext
from connector.sources.woocommerce import WooCommerceSource
from connector.sources.woocommerce_options import WooCommerceOptions
from connector.testing.shop_double import Draft
from connector.testing.shop_server import Exchange, Fault, Request, Response
from tests.shops.woocommerce import WooCommerceDouble

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


class Visit:
    """shop  the double; source  what reads it; waited  the seconds that it waited for the shop; stops  its waits say
    that we are to stop."""

    def __init__(self, shop: WooCommerceDouble, folder: Path, options: dict[str, Any]) -> None:
        self.shop = shop
        self.now = NOW
        self.waited: list[float] = []
        self.stops = False
        self._folder = folder
        self._options = options
        shop.set_clock(NOW)
        self.source = self.new_source()

    def new_source(self, **more: Any) -> WooCommerceSource:
        table = {**self.shop.source_table(), **self._options, **more}
        del table["kind"]
        options = WooCommerceOptions.model_validate(table, context={"folder": self._folder})
        context = SourceContext("kiwi", str(self._folder), "Pacific/Auckland", lambda: self.now, self._wait)
        return WooCommerceSource(options, context)

    def _wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.stops

    def place(self, count: int, *, ago: timedelta = timedelta(hours=1), apart_s: int = 1, **more: Any) -> list[str]:
        """Orders, a second apart, the last one `ago`; their ids."""
        last = NOW - ago
        return [
            self.shop.place(Draft(sku=f"MUG-{n}"), last - timedelta(seconds=apart_s * (count - 1 - n)), **more)
            for n in range(count)
        ]

    def asked(self) -> list[dict[str, str]]:
        """The queries of the calls for lists so far, OAuth's parameters left out."""
        return [query_of(request) for request in self.shop.server.heard if request.path.endswith("/orders")]

    def calls(self) -> int:
        return len(self.shop.server.heard)


@contextmanager
def visiting(
    folder: Path, behaviour: str = "hpos", *, shop: dict[str, Any] | None = None, **options: Any
) -> Iterator[Visit]:
    with WooCommerceDouble(behaviour, **(shop or {})) as double:
        visit = Visit(double, folder, options)
        yield visit
        visit.source.close()


def query_of(request: Request) -> dict[str, str]:
    return {name: told[0] for name, told in parse_qs(request.query).items() if not name.startswith("oauth_")}


def ids_of(pages: list[Page]) -> list[str]:
    return [order.id for page in pages for order in page.orders]


def orders_of(pages: list[Page]) -> dict[str, Order]:
    return {order.id: order for page in pages for order in page.orders}


def alerts_of(pages: list[Page]) -> str:
    return " ".join(alert for page in pages for alert in page.alerts)


def breaks_over(*broken: str, even_names: bool = True, times: int = -1, status: int = 500) -> Fault:
    """HTTP 500 whenever one of these orders is in the answer. even_names: also where only ids are asked for."""
    left = [times]

    def fault(exchange: Exchange) -> Response:
        whole = exchange.response()
        if "_fields" in exchange.request.query and not even_names:
            return whole
        hit = any(f'"id":{one},'.encode() in whole.body or f'"id":{one}}}'.encode() in whole.body for one in broken)
        if not hit or left[0] == 0:
            return whole
        left[0] -= 1
        return Response(status, b'{"code":"internal_server_error","message":"","data":{"status":500}}', whole.headers)

    return fault


def rewrites(change: Callable[[Request, Response], Response]) -> Fault:
    """The shop's answer, changed on the way."""

    def fault(exchange: Exchange) -> Response:
        return change(exchange.request, exchange.response())

    return fault

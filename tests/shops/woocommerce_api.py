"""WooCommerce's REST API over a shop: a request becomes its answer. Knows no socket."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from connector.testing.shop_server import Request, Response
from tests.shops import woocommerce_answers as answers
from tests.shops import woocommerce_bodies as bodies
from tests.shops import woocommerce_lists as lists
from tests.shops import woocommerce_pages as pages
from tests.shops import woocommerce_query as queries
from tests.shops import woocommerce_refunds as refunds
from tests.shops.woocommerce_answers import Refusal
from tests.shops.woocommerce_auth import Gate, Key
from tests.shops.woocommerce_shop import WooCommerceShop
from tests.shops.woocommerce_state import ShopOrder

BASE: Final = "/wp-json/wc/v3"


class WooCommerceApi:
    """What a shop answers. gate  who gets in; seed  which order equal rows come in; statuses  those of plug-ins."""

    def __init__(self, shop: WooCommerceShop, gate: Gate, seed: int, statuses: Iterable[str]) -> None:
        self._shop = shop
        self._gate = gate
        self._seed = seed
        self._statuses = tuple(statuses)

    def answer(self, request: Request) -> Response:
        try:
            response = self._route(request)
        except Refusal as refusal:
            response = answers.refused(refusal)
        date = format_datetime(self._shop.now().astimezone(UTC), usegmt=True)
        headers = {"Date": date, "Link": f'<{self._shop.face.url}/wp-json/>; rel="https://api.w.org/"'}
        body = b"" if request.method == "HEAD" else response.body
        return Response(response.status, body, headers | dict(response.headers))

    def _route(self, request: Request) -> Response:
        if "rest_route" in dict(parse_qsl(request.query)):
            raise answers.cannot_list()  # never authenticates (recorded: rest-route-form)
        folder, face = self._shop.face.folder, self._shop.face
        path = request.path.removeprefix(folder).rstrip("/")
        if path == "/wp-json" and request.path.startswith(folder):
            return answers.answer(bodies.dumps(pages.index(face, self._shop.now())))
        if not path.startswith("/wp-json/") or not request.path.startswith(folder):
            return answers.page_not_found()
        home = face.url.removesuffix(folder)
        caller = self._gate.caller(request, home, int(self._shop.now().timestamp()))
        parts = path.removeprefix(BASE).strip("/").split("/") if path.startswith(f"{BASE}/") else []
        return self._api(request, parts, caller)

    def _api(self, request: Request, parts: list[str], caller: Key | None) -> Response:
        match (request.method, *parts):
            case ("GET" | "HEAD", "orders"):
                return self._list(request.query, caller)
            case ("GET", "orders", "statuses"):
                return _told(caller, pages.statuses(self._statuses))
            case ("GET", "reports", "orders", "totals"):
                return _told(caller, pages.totals(self._statuses, self._shop.orders.values()))
            case ("GET", "webhooks"):
                return _told(caller, self._shop.webhooks)
            case ("GET", "system_status"):
                return _told(caller, pages.system_status(self._shop.face))
            case ("GET", "orders", number) if number.isdigit():
                return answers.answer(self._shop.rendered(self._seen(number, caller)))
            case ("GET", "orders", number, "notes") if number.isdigit():
                order = self._seen(number, caller)
                return _told(caller, [refunds.note_body(note, order, self._shop.face) for note in order.notes])
            case ("GET", "orders", number, "refunds") if number.isdigit():
                return self._refunds(self._seen(number, caller))
            case ("DELETE", "orders", number) if number.isdigit():
                return self._deleted(request.query, self._seen(number, caller), caller)
            case ("PUT" | "POST" | "PATCH", "orders", *_):
                _may_write(caller)
                raise answers.not_in_this_double("writing")
        raise answers.no_route()

    def _list(self, raw: str, caller: Key | None) -> Response:
        """WordPress checks what is asked before it checks who may ask."""
        query = queries.read(raw, self._shop.face.zone, self._statuses)
        _reader(caller)
        found = lists.listed(self._shop.orders.values(), query, self._shop.face.habits, self._shop.now(), self._seed)
        body = b"[" + b",".join(map(self._shop.rendered, found.orders)) + b"]"
        if query.fields:
            body = bodies.dumps([_picked(each, query.fields) for each in json.loads(body)])
        link = lists.link(f"{self._shop.face.url}{BASE}/orders", raw, query, found)
        totals = {"X_WP_Total": str(found.total), "X_WP_TotalPages": str(found.pages)}
        return answers.answer(body, **totals, **({"Link": link} if link else {}))

    def _refunds(self, order: ShopOrder) -> Response:
        told = [refunds.refund_body(refund, order, self._shop.face) for refund in reversed(order.refunds)]
        return answers.answer(bodies.dumps(told), X_WP_Total=str(len(told)), X_WP_TotalPages="1" if told else "0")

    def _deleted(self, raw: str, order: ShopOrder, caller: Key | None) -> Response:
        """The answer is the order as it was before (recorded: trash)."""
        _may_write(caller)
        before = self._shop.rendered(order)
        if dict(parse_qsl(raw)).get("force") in ("true", "1"):
            self._shop.delete(str(order.id))
        else:
            self._shop.trash(str(order.id), self._shop.now())
        return answers.answer(before)

    def _seen(self, number: str, caller: Key | None) -> ShopOrder:
        order = self._shop.orders.get(int(number))
        if order is None:
            raise answers.invalid_id()
        if caller is None:
            raise answers.cannot_view()
        return order


def _told(caller: Key | None, body: object) -> Response:
    _reader(caller)
    return answers.answer(bodies.dumps(body))


def _reader(caller: Key | None) -> Key:
    if caller is None:
        raise answers.cannot_list()
    return caller


def _may_write(caller: Key | None) -> None:
    if not _reader(caller).may_write:
        raise answers.unauthenticated("The API key provided does not have write permissions.")


def _picked(body: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """_fields: top-level names only; the order's own sequence of keys stays (recorded: fields)."""
    return {key: value for key, value in body.items() if key in fields}

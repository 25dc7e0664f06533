"""Answers as WordPress gives them: its headers, and its errors word for word as recorded. Knows no order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connector.testing.shop_server import Response
from tests.shops.woocommerce_bodies import dumps

HEADERS: Final = {
    "Content-Type": "application/json; charset=UTF-8",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Expose-Headers": "X-WP-Total, X-WP-TotalPages, Link",
    "Access-Control-Allow-Headers": "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
}
NO_CACHE: Final = {
    "Expires": "Wed, 11 Jan 1984 05:00:00 GMT",
    "Cache-Control": "no-cache, must-revalidate, max-age=0, no-store, private",
}
NOT_FOUND_PAGE: Final = b"<!DOCTYPE html><html><head><title>Page not found</title></head><body></body></html>"


class Refusal(Exception):
    """WordPress says no. code, message, status  as in its body; more  beside the status in data."""

    def __init__(self, code: str, message: str, status: int, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.body = {"code": code, "message": message, "data": {"status": status, **(more or {})}}
        self.status = status


def answer(body: bytes, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(200, body, {**HEADERS, **NO_CACHE, **named})


def refused(refusal: Refusal) -> Response:
    return Response(refusal.status, dumps(refusal.body), HEADERS)


def page_not_found() -> Response:
    """The theme's page: the address is none of the API's."""
    return Response(404, NOT_FOUND_PAGE, {"Content-Type": "text/html; charset=UTF-8"})


def cannot_list() -> Refusal:
    return Refusal("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 401)


def cannot_view() -> Refusal:
    return Refusal("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.", 401)


def unauthenticated(message: str) -> Refusal:
    return Refusal("woocommerce_rest_authentication_error", message, 401)


def invalid_id() -> Refusal:
    return Refusal("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)


def no_route() -> Refusal:
    return Refusal("rest_no_route", "No route was found matching the URL and request method.", 404)


def not_in_this_double(what: str) -> Refusal:
    """The real shop can; nobody wrote it into the double yet. No test may take this for an answer."""
    return Refusal("not_in_this_double", f"The WooCommerce double knows no {what}.", 501)


def invalid(name: str, code: str, message: str) -> Refusal:
    """One parameter is wrong."""
    detail = {"code": code, "message": message, "data": None}
    more = {"params": {name: message}, "details": {name: detail}}
    return Refusal("rest_invalid_param", f"Invalid parameter(s): {name}", 400, more)

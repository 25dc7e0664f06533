"""One question to Shopify: what is an answer, what is a failure, which failure, and how long is waited."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from connector.sources.base import Malformed, SourceError, Throttled, TooLarge, Unauthorised, Unreachable
from connector.sources.shopify_failing import FAILING
from connector.sources.shopify_graphql_order import GARBLED
from connector.testing.shop_server import Request, Response
from tests.shops.shopify import ALL_SCOPES, ShopifyDouble
from tests.sources.shopify_shop import at, calls, ids, orders, placed, source, walked

COST = {"requestedQueryCost": 600, "actualQueryCost": None}


def cost(available: float, rate: float = 100.0) -> dict[str, Any]:
    return {"cost": {**COST, "throttleStatus": {
        "maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": rate}}}  # fmt: skip


def error(code: str, message: str = "It went wrong.") -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def says(shop: ShopifyDouble, patch: pytest.MonkeyPatch, *answers: tuple[int, Any]) -> None:
    """The shop's next answers are these, then its own."""
    left, own = list(answers), shop.answer

    def answer(request: Request) -> Response:
        if not left:
            return own(request)
        status, body = left.pop(0)
        return Response(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    patch.setattr(shop.server, "_answer", answer)


PARTIAL = {"orders": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"data": None}, Malformed),
        (200, {}, Malformed),
        (200, {"data": {}}, Malformed),
        (200, {"data": {"orders": None}}, Malformed),
        (200, {"data": {"orders": {}}}, Malformed),
        (200, {"data": {"orders": {"nodes": {}, "pageInfo": {"hasNextPage": False}}}}, Malformed),
        (200, {"data": PARTIAL}, Malformed),
        (200, {"data": PARTIAL, "errors": [error("INTERNAL_SERVER_ERROR")]}, Unreachable),
        (200, {"data": None, "errors": [error("INTERNAL_SERVER_ERROR")]}, Unreachable),
        (200, {"errors": [error("undefinedField", "Field 'zip' doesn't exist on type 'MailingAddress'")]}, Malformed),
        (200, {"errors": "Something"}, Malformed),
        (200, {"errors": [17]}, Malformed),
        (200, {"errors": [error("ACCESS_DENIED")], "data": PARTIAL}, Unauthorised),
        (200, [], Unreachable),
        (200, b"", Unreachable),
        (200, b"<!DOCTYPE html><html>One moment</html>", Unreachable),
        (200, b'{"data": {"orders": {"nodes": [', Unreachable),
        (400, {"errors": {"query": "Required parameter missing or invalid"}}, Malformed),
        (402, {"errors": "Unavailable Shop"}, Unauthorised),
        (403, {"errors": "This action requires merchant approval"}, Unauthorised),
        (404, {"errors": "Not Found"}, Malformed),
        (404, b"<html>", Malformed),
        (423, b"", Unauthorised),
        (500, b"<html>", Unreachable),
        (502, {"errors": "Bad Gateway"}, Unreachable),
    ],
)
def test_P5_P7_what_is_no_whole_answer_is_a_failure_and_never_an_empty_list(
    monkeypatch: pytest.MonkeyPatch, status: int, body: Any, expected: type[SourceError]
) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 1)
        reader = source(shop, monkeypatch)
        says(shop, monkeypatch, *[(status, body)] * 2)  # an error of Shopify's own is asked about once more
        with pytest.raises(SourceError) as caught:
            list(reader.pages(""))
        assert type(caught.value) is expected
        assert shop.token not in str(caught.value)


def fails_at(shop: ShopifyDouble, patch: pytest.MonkeyPatch, bad: set[str], *, names_it: bool = True) -> None:
    """Shopify has an error of its own whenever one of these orders is asked for whole, and answers nothing then."""
    own = shop.answer

    def answer(request: Request) -> Response:
        response = own(request)
        data = json.loads(response.body).get("data") or {}
        nodes = data.get("nodes") or (data.get("orders") or {}).get("nodes") or ()
        for place, node in enumerate(nodes):
            if node and node["id"].rpartition("/")[2] in bad and "fulfillmentOrders" in node:
                path = {"path": ["orders", "nodes", place, "fulfillmentOrders"]} if names_it else {}
                code = "INTERNAL_SERVER_ERROR" if not names_it else "SOMETHING_NEW"
                return Response(200, json.dumps({"data": None, "errors": [{**error(code), **path}]}).encode())
        return response

    patch.setattr(shop.server, "_answer", answer)


@pytest.mark.parametrize("names_it", [True, False])
def test_P5_an_order_that_shopify_fails_at_is_held_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, names_it: bool
) -> None:
    with ShopifyDouble() as shop:
        bad, *good = placed(shop, 5)
        fails_at(shop, monkeypatch, {bad}, names_it=names_it)
        pages, cursor = walked(source(shop, monkeypatch))
        swept = list(source(shop, monkeypatch).sweep())
        for read in (orders(pages), orders(swept)):
            assert {order.id: bool(order.problems) for order in read} == {bad: True, **dict.fromkeys(good, False)}
            held = next(order for order in read if order.id == bad)
            assert (held.number, held.revision) == ("#1001", "2026-11-03T00:00:00Z")
        [alone] = orders(list(source(shop, monkeypatch).reread([bad])))
        assert alone.problems == (FAILING,)
        monkeypatch.undo()
        assert not [order for order in orders(walked(source(shop, monkeypatch), cursor)[0]) if order.problems]


@pytest.mark.parametrize("names_it", [True, False])
def test_P5_a_shop_that_fails_at_every_order_is_not_read_and_none_is_held(
    monkeypatch: pytest.MonkeyPatch, names_it: bool
) -> None:
    with ShopifyDouble() as shop:
        everything = placed(shop, 5)
        reader = source(shop, monkeypatch)
        fails_at(shop, monkeypatch, set(everything), names_it=names_it)
        for pages in (reader.pages(""), reader.sweep(), reader.reread(everything[:1])):
            before = calls(shop)
            with pytest.raises(Unreachable):
                list(pages)
            assert calls(shop) - before < 15


def test_P5_an_error_of_shopify_s_own_that_is_over_at_once_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = placed(shop, 5)
        reader = source(shop, monkeypatch)
        says(shop, monkeypatch, (200, {"data": None, "errors": [error("INTERNAL_SERVER_ERROR")]}))
        read = orders(walked(reader)[0])
        assert [order.id for order in read] == wanted
        assert not [order for order in read if order.problems]


def test_P6_a_missing_scope_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        ShopifyDouble(scopes=ALL_SCOPES - {"read_orders"}) as shop,
        pytest.raises(Unauthorised, match="lacks read_orders"),
    ):
        list(source(shop, monkeypatch).pages(""))


def test_P6_protected_data_that_is_refused_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        reader = source(shop, monkeypatch)
        told = "This app is not approved to use the email field. See https://shopify.dev/docs/apps/launch/protected-customer-data"
        says(shop, monkeypatch, (200, {"data": None, "errors": [error("ACCESS_DENIED", told)]}))
        with pytest.raises(Unauthorised, match="protected customer data is not granted"):
            list(reader.pages(""))


def test_P6_a_revoked_token_stops_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        reader = source(shop, monkeypatch)
        old = shop.token
        shop.tokens.revoke()
        with pytest.raises(Unauthorised) as caught:
            list(reader.pages(""))
        assert old not in repr(caught.value)


@pytest.mark.parametrize("status", [200, 429])
def test_P5_throttled_waits_as_long_as_the_points_take(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 1)
        reader, before = source(shop, monkeypatch), shop.now
        body = {"data": None, "errors": [{**error("THROTTLED"), "message": "Throttled"}], "extensions": cost(100.0)}
        says(shop, monkeypatch, (status, body))
        assert len(orders(list(reader.pages("")))) == 1
        assert shop.now - before == timedelta(seconds=5)  # (600 - 100) / 100


def test_P4_429_waits_as_asked_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.testing.faults import throttles

    with ShopifyDouble() as shop:
        placed(shop, 1)
        reader, before = source(shop, monkeypatch), shop.now
        assert shop.server is not None
        shop.server.fail(throttles("7"), times=1)
        assert len(orders(list(reader.pages("")))) == 1
        assert shop.now - before == timedelta(seconds=7)


def test_S28_a_wish_to_stop_ends_the_patience_with_a_shop_that_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.testing.faults import throttles

    with ShopifyDouble() as shop:
        placed(shop, 1)
        reader = source(shop, monkeypatch, stops=True)
        assert shop.server is not None
        shop.server.fail(throttles("1"))
        with pytest.raises(Throttled):
            list(reader.pages(""))
        assert len(shop.server.heard) == 1


@pytest.mark.parametrize("rate", [1.0, 0.0])
def test_P5_a_wait_past_a_minute_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch, rate: float) -> None:
    with ShopifyDouble() as shop:
        reader, before = source(shop, monkeypatch), shop.now
        body = {"data": None, "errors": [error("THROTTLED")], "extensions": cost(0.0, rate)}
        says(shop, monkeypatch, *[(200, body)] * 20)
        with pytest.raises(Throttled) as caught:
            list(reader.pages(""))
        assert caught.value.until > shop.now
        assert shop.now - before <= timedelta(seconds=60)
        assert shop.server is not None
        assert len(shop.server.heard) < 12


def test_a_long_walk_slows_down_before_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(throttle=True, bucket=1000.0, restore_rate=50.0) as shop:
        wanted = set(placed(shop, 300, every_min=0))
        heard: list[bytes] = []
        own = shop.answer

        def answer(request: Request) -> Response:
            response = own(request)
            heard.append(response.body)
            return response

        monkeypatch.setattr(shop.server, "_answer", answer)
        assert ids(walked(source(shop, monkeypatch, page_size=50))[0]) == wanted
        assert shop.now > at()
        assert not [body for body in heard if b"THROTTLED" in body]


def test_a_question_that_is_too_expensive_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(dearest=400) as shop:
        wanted = set(placed(shop, 60))
        reader = source(shop, monkeypatch, page_size=50)
        assert ids(walked(reader)[0]) == wanted
        assert shop.server is not None
        sizes = [json.loads(heard.body)["variables"].get("first") for heard in shop.server.heard]
        assert sizes[:3] == [50, 25, 12]
        assert sizes.count(50) == 1  # learned


def test_too_expensive_for_one_order_alone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        reader = source(shop, monkeypatch, page_size=2)
        says(shop, monkeypatch, *[(200, {"errors": [error("MAX_COST_EXCEEDED")]})] * 3)
        with pytest.raises(TooLarge):
            list(reader.pages(""))


def test_a_token_for_a_day_is_got_once_and_renewed_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(permanent_token=False) as shop:
        placed(shop, 1)
        reader = source(shop, monkeypatch)
        _, cursor = walked(reader)
        shop.set_clock(shop.now + timedelta(hours=20))
        walked(reader, cursor)
        assert grants(shop) == 1
        shop.set_clock(shop.now + timedelta(hours=3, minutes=30))
        walked(reader, cursor)
        assert grants(shop) == 2
        assert shop.client_secret not in repr(reader.__dict__)


def test_a_token_for_a_day_is_shared_by_all_runs_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(permanent_token=False) as shop:
        _, cursor = walked(source(shop, monkeypatch))
        for _ in range(5):
            walked(source(shop, monkeypatch), cursor)
        assert grants(shop) == 1
        shop.tokens.revoke()
        walked(source(shop, monkeypatch), cursor)
        walked(source(shop, monkeypatch), cursor)
        assert grants(shop) == 2


def test_a_changed_client_secret_asks_for_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(permanent_token=False) as shop:
        walked(source(shop, monkeypatch))
        reader = source(shop, monkeypatch)
        monkeypatch.setenv("SHOPIFY_CLIENT_SECRET", "shpss_" + "6" * 32)
        with pytest.raises(Unauthorised, match="Dev Dashboard"):
            walked(reader)


def grants(shop: ShopifyDouble) -> int:
    assert shop.server is not None
    return sum(heard.path == "/admin/oauth/access_token" for heard in shop.server.heard)


def test_a_token_that_is_refused_is_renewed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(permanent_token=False) as shop:
        placed(shop, 1)
        reader = source(shop, monkeypatch)
        _, cursor = walked(reader)
        shop.tokens.revoke()
        walked(reader, cursor)
        assert grants(shop) == 2
        says(shop, monkeypatch, (401, {}), (200, {"access_token": "shpca_x", "expires_in": 86399}), (401, {}))
        with pytest.raises(Unauthorised):
            walked(reader, cursor)


def test_a_wrong_client_secret_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(permanent_token=False) as shop:
        reader = source(shop, monkeypatch)
        monkeypatch.setenv("SHOPIFY_CLIENT_SECRET", "shpss_" + "6" * 32)
        with pytest.raises(Unauthorised, match="Dev Dashboard") as caught:
            walked(reader)
        assert "666" not in str(caught.value)


def test_a_token_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        reader = source(shop, monkeypatch)
        monkeypatch.delenv("SHOPIFY_TOKEN")
        with pytest.raises(Unauthorised, match="env:SHOPIFY_TOKEN"):
            walked(reader)


@pytest.mark.parametrize(
    ("body", "expected"),
    [({}, Malformed), ({"access_token": "two words"}, Malformed), (b"<html>", Unreachable)],
)  # fmt: skip
def test_an_answer_about_a_token_without_one_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, body: Any, expected: type[SourceError]
) -> None:
    with ShopifyDouble(permanent_token=False) as shop:
        reader = source(shop, monkeypatch)
        says(shop, monkeypatch, (200, body))
        with pytest.raises(expected):
            walked(reader)


def test_P27_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.testing.faults import redirects

    with ShopifyDouble() as shop, ShopifyDouble() as other:
        assert shop.server is not None and other.server is not None
        shop.server.fail(redirects(other.server.url))
        with pytest.raises(Malformed, match="redirect"):
            walked(source(shop, monkeypatch))
        assert not other.server.heard


def test_half_an_emoji_in_an_order_hurts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 2)
        changed(shop, monkeypatch, lambda body: body.replace(b'"1 Kowhai Street"', b'"1 Kowhai \\ud83d Street"'))
        read = orders(walked(source(shop, monkeypatch))[0])
        assert [order.ship_to.line1 for order in read] == ["1 Kowhai  Street", "2 Kowhai Street"]


def test_T4_bytes_that_are_no_text_hold_their_order_and_hide_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        bad, good = placed(shop, 2)
        changed(shop, monkeypatch, lambda body: body.replace(b'"1 Kowhai Street"', b'"1 Kowhai \xe2\x82 Street"'))
        pages, cursor = walked(source(shop, monkeypatch))
        assert {order.id: order.problems for order in orders(pages)} == {bad: (GARBLED,), good: ()}
        assert not [alert for page in pages for alert in page.alerts if "no order" in alert]
        monkeypatch.undo()
        shop.touch(bad, at(5))
        assert {order.problems for order in orders(walked(source(shop, monkeypatch), cursor)[0])} == {()}


def changed(shop: ShopifyDouble, patch: pytest.MonkeyPatch, change: Callable[[bytes], bytes]) -> None:
    own = shop.answer

    def answer(request: Request) -> Response:
        response = own(request)
        return msgspec.structs.replace(response, body=change(response.body))

    patch.setattr(shop.server, "_answer", answer)

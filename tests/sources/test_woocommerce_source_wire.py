"""The WooCommerce source when hosts, wires and single orders fail: which error, how many calls, what still comes."""

from __future__ import annotations

import json
import logging
import re
import ssl
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from connector.sources import shop_calls
from connector.sources.base import (
    Finding,
    Malformed,
    Page,
    SourceContext,
    SourceError,
    Throttled,
    TooLarge,
    Unauthorised,
    Unreachable,
)
from connector.sources.woocommerce import WooCommerceSource
from connector.sources.woocommerce_options import WooCommerceOptions
from connector.testing import faults
from connector.testing.shop_double import Draft
from connector.testing.shop_server import Exchange, Request, Response, ShopServer
from tests.gosweetspot.server import answer, serving
from tests.sources.woo_shop import NOW, Visit, alerts_of, breaks_over, ids_of, orders_of, query_of, rewrites, visiting

CERTIFICATE = Path(__file__).parents[1] / "gosweetspot" / "localhost.pem"


def all_ways(visit: Visit, cursor: str, order: str = "101") -> list[Callable[[], list[Page]]]:
    """Each way of reading the shop."""
    source = visit.source
    return [
        lambda: list(source.pages("")),
        lambda: list(source.pages(cursor)),
        lambda: list(source.sweep()),
        lambda: list(source.reread([order])),
    ]


LISTS = {"HTML": b"<html></html>", "empty": b"", "an object": b'{"orders":[]}', "null": b"null", "text": b"[1]"}


# One order breaks the answer (L13), or the answer is too large (P25)


@pytest.mark.parametrize("even_names", [False, True], ids=["ids can be listed", "not even ids can"])
def test_trap_L13_orders_that_break_every_answer_they_are_in_hide_no_other(even_names: bool, tmp_path: Path) -> None:
    for broken in ((0,), (29,), (59,), (3, 4, 5, 40)):
        with visiting(tmp_path, page_size=20) as visit:
            placed = visit.place(60)
            bad = [placed[one] for one in broken]
            visit.shop.server.fail(breaks_over(*bad, even_names=even_names))
            told = list(visit.source.pages(""))
            assert set(ids_of(told)) == set(placed) - set(bad)
            assert told[-1].cursor
            if not even_names:
                assert all(f"Order with id {one} could not be read" in alerts_of(told) for one in bad)
            else:
                assert "breaks off whenever the order that comes next" in alerts_of(told)
            visit.shop.server.mend()
            assert set(bad) <= set(ids_of(list(visit.source.sweep())))


def test_trap_L13_an_order_that_breaks_a_poll_is_named_and_the_others_come(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.place(5, ago=timedelta(days=1))
        [*_, last] = visit.source.pages("")
        placed = visit.place(30)
        visit.shop.server.fail(breaks_over(placed[11], even_names=False))
        [page] = visit.source.pages(last.cursor)
        assert set(placed) - set(ids_of([page])) == {placed[11]}
        assert f"Order with id {placed[11]} could not be read" in page.alerts[0]


def test_trap_L13_a_second_look_names_the_order_it_could_not_have(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(30)
        visit.shop.server.fail(breaks_over(placed[11]))
        [page] = visit.source.reread(placed)
        assert set(ids_of([page])) == set(placed) - {placed[11]}
        assert page.gone == ()
        assert placed[11] in page.alerts[0]


def test_an_order_that_failed_once_is_read_all_the_same(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(30)
        visit.shop.server.fail(breaks_over(placed[11], even_names=False, times=8))
        told = list(visit.source.pages(""))
        assert ids_of(told) == placed
        assert alerts_of(told) == ""


@pytest.mark.parametrize("status", [502, 503, 504, 524])
def test_trap_L13_an_order_that_takes_the_host_down_is_named_and_the_others_come(status: int, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.place(5, ago=timedelta(days=1))
        [*_, last] = visit.source.pages("")
        placed = visit.place(30)
        visit.shop.server.fail(breaks_over(placed[11], even_names=False, status=status))
        for source in (visit.source, visit.new_source()):
            pages = list(source.pages(last.cursor))
            assert set(placed) - set(ids_of(pages)) == {placed[11]}
            assert f"Order with id {placed[11]} could not be read" in alerts_of(pages)
            assert f"HTTP {status}" in alerts_of(pages)


@pytest.mark.parametrize("status", [502, 504])
def test_a_host_that_is_too_slow_for_large_pages_is_read_in_smaller_ones_and_it_is_said(
    status: int, tmp_path: Path
) -> None:
    def slow(exchange: Exchange) -> Response:
        whole = exchange.response()
        is_long = whole.body.count(b'"billing":') > 40
        return Response(status, b"<html>Gateway Time-out</html>") if is_long else whole

    with visiting(tmp_path) as visit:
        placed = visit.place(300)
        visit.shop.server.fail(slow)
        told = list(visit.source.pages(""))
        assert ids_of(told) == placed
        assert "write page_size = 25" in alerts_of(told)
        assert visit.calls() < 25


def test_open_orders_of_a_slow_host_are_asked_for_in_lots_that_it_can_answer(tmp_path: Path) -> None:
    def slow(exchange: Exchange) -> Response:
        whole = exchange.response()
        return Response(504, b"<html></html>") if whole.body.count(b'"billing":') > 40 else whole

    with visiting(tmp_path) as visit:
        placed = visit.place(400)
        visit.shop.server.fail(slow)
        pages = list(visit.source.reread(placed))
        assert ids_of(pages) == placed
        assert alerts_of(pages).count("write page_size = 25 under [source]") == 1
        assert visit.calls() == 3 + 3 + 4 + 12  # broken off, each proved alive; the first lot's quarters; the others


def stalls_over(rows: int) -> Callable[[Exchange], Response | None]:
    """A host too slow for a page of more orders than this: a part of the answer, and no more while we listen."""
    part = faults.stall()

    def fault(exchange: Exchange) -> Response | None:
        whole = exchange.response()
        return part(exchange) if whole.body.count(b'"billing":') > rows else whole

    return fault


def test_a_shop_that_gives_no_whole_answer_in_time_is_read_in_smaller_pages_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop_calls, "TIMEOUT_S", 1.0)
    with visiting(tmp_path) as visit:
        placed = visit.place(60)
        visit.shop.server.fail(stalls_over(40))
        told = list(visit.source.pages(""))
        assert ids_of(told) == placed
        assert "breaks off long answers (no whole answer in time)" in alerts_of(told)
        assert "write page_size = 25" in alerts_of(told)
        assert visit.calls() < 10


def test_an_order_that_never_comes_in_time_is_named_and_the_others_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop_calls, "TIMEOUT_S", 0.5)
    with visiting(tmp_path, page_size=8) as visit:
        placed = visit.place(4)
        part = faults.stall()

        def hangs(exchange: Exchange) -> Response | None:
            whole = exchange.response()
            is_hit = f'"id":{placed[1]},'.encode() in whole.body and "_fields" not in exchange.request.query
            return part(exchange) if is_hit else whole

        visit.shop.server.fail(hangs)
        told = list(visit.source.pages(""))
        assert set(placed) - set(ids_of(told)) == {placed[1]}
        assert f"Order with id {placed[1]} could not be read" in alerts_of(told)
        assert "no whole answer in time" in alerts_of(told)


def test_a_shop_that_answers_nothing_in_time_is_asked_twice_and_said_to_be_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop_calls, "TIMEOUT_S", 0.25)
    with visiting(tmp_path) as visit:
        visit.place(100)
        [*_, last] = visit.source.pages("")
        for ask in all_ways(visit, last.cursor):
            before = visit.calls()
            visit.shop.server.fail(faults.stall(0))
            with pytest.raises(Unreachable, match=r"gave no whole answer in time \(0\.25 s\)"):
                ask()
            visit.shop.server.mend()
            assert visit.calls() - before == 2


def test_a_shop_that_dies_amid_the_search_for_one_order_is_asked_no_further(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(64)
        search = breaks_over(placed[20])
        left = [6]

        def dies(exchange: Exchange) -> Response | None:
            left[0] -= 1
            return search(exchange) if left[0] > 0 else Response(502, b"<html>Bad Gateway</html>")

        visit.shop.server.fail(dies)
        with pytest.raises(Unreachable, match="HTTP 502"):
            list(visit.source.pages(""))
        assert visit.calls() <= 8


def test_a_shop_that_is_down_is_not_asked_for_each_of_its_orders(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.place(100)
        [*_, last] = visit.source.pages("")
        for ask, status in product(all_ways(visit, last.cursor), (500, 502, 503, 504)):
            before = visit.calls()
            visit.shop.server.fail(faults.says(status))
            with pytest.raises(Unreachable, match=f"HTTP {status}"):
                ask()
            visit.shop.server.mend()
            assert visit.calls() - before == 2


@pytest.mark.parametrize("even_names", [False, True])
def test_a_shop_that_goes_down_in_the_middle_is_not_taken_for_broken_orders(even_names: bool, tmp_path: Path) -> None:
    """Whatever moment it goes down at: the run ends with an error, and the next one has every order."""
    with visiting(tmp_path, page_size=20) as visit:
        placed = visit.place(50)
        broken = breaks_over(placed[15], even_names=even_names)
        for up in range(40):
            left = [up]

            def falls(exchange: Exchange, left: list[int] = left) -> Response | None:
                left[0] -= 1
                return broken(exchange) if left[0] >= 0 else Response(500)

            visit.shop.server.fail(falls)
            told = []
            try:
                for page in visit.new_source().pages(""):
                    told.append(page)
            except Unreachable:
                visit.shop.server.mend()
                cursor = told[-1].cursor if told else ""
                told += visit.new_source().pages(cursor)
            visit.shop.server.mend()
            assert set(placed) - {placed[15]} <= set(ids_of(told)), up


def test_P25_pages_that_are_too_large_are_halved_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shop_calls, "LARGEST_ANSWER", 100_000)  # some 35 orders of the double
    with visiting(tmp_path) as visit:
        placed = visit.place(220)
        told = list(visit.source.pages(""))
        assert ids_of(told) == placed
        assert "write page_size = 25" in alerts_of(told)
        assert visit.asked()[-1]["per_page"] == "25"


def test_P25_one_order_that_is_too_large_is_named_and_the_others_come(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shop_calls, "LARGEST_ANSWER", 100_000)
    with visiting(tmp_path) as visit:
        placed = visit.place(60)
        huge = visit.shop.place(Draft(), NOW - timedelta(minutes=30), metas={"plug-in": "x" * 200_000})
        placed += visit.place(30, ago=timedelta(minutes=1))
        told = list(visit.source.pages(""))
        assert ids_of(told) == placed
        assert f"Order with id {huge} could not be read" in alerts_of(told)
        again = list(visit.source.reread([*placed[:40], huge]))
        assert ids_of(again) == placed[:40]
        assert huge in alerts_of(again)


def test_P25_a_bomb_is_never_an_empty_list(tmp_path: Path) -> None:
    with visiting(tmp_path, page_size=8) as visit:
        visit.place(3)
        visit.shop.server.fail(faults.huge(40))
        with pytest.raises(TooLarge):
            list(visit.source.pages(""))


# No answer of the shop's


@pytest.mark.parametrize("body", LISTS.values(), ids=LISTS)
def test_P7_only_a_list_of_orders_is_orders(body: bytes, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.place(3)
        [*_, last] = visit.source.pages("")
        visit.shop.server.fail(faults.says(200, body))
        for ask in all_ways(visit, last.cursor):
            with pytest.raises((Malformed, Unreachable)):
                ask()


def test_plain_permalinks_are_told_of_and_never_make_an_order_gone(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        [order] = visit.place(1)
        for fault in (faults.page(404), faults.says(404, b'{"code":"rest_no_route","message":"","data":{}}')):
            visit.shop.server.fail(fault)
            for ask in all_ways(visit, "", order):
                with pytest.raises(Malformed, match="Permalinks"):
                    ask()


def test_a_404_without_wordpress_code_is_not_an_order_that_is_gone(tmp_path: Path) -> None:
    def hidden(request: Request, whole: Response) -> Response:
        return Response(404, b"<html>") if request.path.endswith("/999") else whole

    with visiting(tmp_path) as visit:
        visit.shop.server.fail(rewrites(hidden))
        with pytest.raises(Malformed):
            list(visit.source.reread(["999"]))


def test_a_status_that_the_shop_does_not_know_is_told_of_and_keeps_no_other_from_being_swept(tmp_path: Path) -> None:
    with visiting(tmp_path, statuses=["pakced"]) as visit:
        placed = visit.place(3)
        pages = list(visit.source.sweep())
        assert set(ids_of(pages)) == set(placed)
        assert 'knows no status "pakced" (statuses in [source]' in alerts_of(pages)


def test_a_status_of_woocommerce_s_own_that_a_theme_took_away_is_left_out_without_a_word(tmp_path: Path) -> None:
    """By the filter wc_order_statuses, of which the REST API makes the words it takes."""

    def without_failed(exchange: Exchange) -> Response:
        words = query_of(exchange.request).get("status", "").split(",")
        refusal = b'{"code":"rest_invalid_param","message":"","data":{"status":400}}'
        return Response(400, refusal) if "failed" in words else exchange.response()

    with visiting(tmp_path) as visit:
        placed = visit.place(3, ago=timedelta(days=9), paid=False)
        visit.place(1)
        visit.shop.server.fail(without_failed)
        pages = list(visit.source.sweep())
        assert set(placed) <= set(ids_of(pages))
        assert alerts_of(pages) == ""


def test_a_shop_that_refuses_whatever_status_it_is_asked_for_is_told_as_such(tmp_path: Path) -> None:
    def refuses(exchange: Exchange) -> Response:
        is_list = query_of(exchange.request).get("status", "any") != "any"
        return Response(400, b'{"code":"rest_invalid_param","data":{}}') if is_list else exchange.response()

    with visiting(tmp_path) as visit:
        visit.place(1)
        visit.shop.server.fail(refuses)
        with pytest.raises(Malformed, match="Check the statuses in the store file"):
            list(visit.source.sweep())


# Patience


@pytest.mark.parametrize("status", [429, 503])
def test_P4_a_short_wait_is_waited_for_and_the_run_goes_on(status: int, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(3)
        visit.shop.server.fail(faults.says(status, b"<html>", Retry_After="7"), times=2)
        assert ids_of(list(visit.source.pages(""))) == placed
        assert visit.waited == [7.0, 7.0]


@pytest.mark.parametrize("asked", ["61", "600", None, "soon"])
def test_P4_a_long_wait_is_the_callers(asked: str | None, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.shop.server.fail(faults.throttles(asked))
        with pytest.raises(Throttled):
            list(visit.source.pages(""))
        assert visit.waited == []
        assert visit.calls() == 1


def test_P4_waiting_ends_within_a_minute_and_is_never_a_busy_loop(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.shop.server.fail(faults.throttles("0"))
        with pytest.raises(Throttled):
            list(visit.source.pages(""))
        assert set(visit.waited) == {1.0}
        assert sum(visit.waited) <= 61


@pytest.mark.parametrize("asked", ["0", "1", "7"])
def test_S28_a_wish_to_stop_ends_the_patience_with_a_shop_that_is_busy(asked: str, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.stops = True
        visit.shop.server.fail(faults.throttles(asked))
        with pytest.raises(Throttled):
            list(visit.source.pages(""))
        assert visit.calls() == 1


# Who asks, and whom


def test_P10_links_to_other_hosts_are_never_followed(tmp_path: Path) -> None:
    with ShopServer(lambda _: Response()) as other, visiting(tmp_path, page_size=5) as visit:
        placed = visit.place(20)

        def leads_away(request: Request, whole: Response) -> Response:
            link = f'<{other.url}/wp-json/wc/v3/orders?page=2>; rel="next"'
            return Response(whole.status, whole.body, {**whole.headers, "Link": link})

        visit.shop.server.fail(rewrites(leads_away))
        assert ids_of(list(visit.source.pages(""))) == placed
        assert other.heard == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_P27_a_redirect_is_not_followed(status: int, tmp_path: Path) -> None:
    with ShopServer(lambda _: Response()) as other, visiting(tmp_path) as visit:
        visit.shop.server.fail(faults.redirects(other.url, status))
        with pytest.raises(Malformed, match="Correct url in the store file"):
            list(visit.source.pages(""))
        assert other.heard == []
        assert visit.calls() == 1


def over_tls(port: int, tmp_path: Path, **more: Any) -> WooCommerceSource:
    for name in ("key", "secret"):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text({"key": "ck_canary1", "secret": "cs_canary2"}[name])
    table = {"url": f"https://localhost:{port}", "consumer_key": "file:key", "consumer_secret": "file:secret", **more}
    options = WooCommerceOptions.model_validate(table, context={"folder": tmp_path})
    return WooCommerceSource(options, SourceContext("kiwi", str(tmp_path), "UTC", lambda: NOW))


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def test_over_https_no_address_is_asked_for_twice_so_that_no_cache_answers(tmp_path: Path) -> None:
    """LiteSpeed's keeps answers of the REST API (https://github.com/goshippo/shippo-php-client/issues/70)."""
    with serving(answer(b"[]", X_WP_Total="0"), tls=tls_context()) as server:
        source = over_tls(server.port, tmp_path, ca_file=str(CERTIFICATE))
        for _ in range(3):
            list(source.pages(""))
        source.close()
        asked = [request.path for request in server.requests]
    assert len(set(asked)) == len(asked) >= 3


def test_over_https_the_key_goes_into_the_header_and_only_there(tmp_path: Path) -> None:
    with serving(answer(b"[]", X_WP_Total="0"), tls=tls_context()) as server:
        (tmp_path / "ca.pem").write_bytes(CERTIFICATE.read_bytes())
        source = over_tls(server.port, tmp_path, ca_file="ca.pem")
        list(source.pages(""))
        source.close()
        request = server.requests[0]
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["authorization"] == "Basic Y2tfY2FuYXJ5MTpjc19jYW5hcnky"
        assert "canary" not in request.path
        assert "oauth" not in request.path


def test_query_auth_puts_the_key_into_the_address_and_into_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(answer(b"[]", X_WP_Total="0"), tls=tls_context()) as server, caplog.at_level(logging.DEBUG):
        source = over_tls(server.port, tmp_path, ca_file=str(CERTIFICATE), query_auth=True)
        list(source.pages(""))
        source.close()
        assert "consumer_key=ck_canary1&consumer_secret=cs_canary2" in server.requests[0].path
        assert "Authorization" not in server.requests[0].headers
        assert "canary" not in caplog.text


def test_P28_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with serving(answer(b"[]"), tls=tls_context()) as server:
        source = over_tls(server.port, tmp_path)
        with pytest.raises(Unreachable, match="its certificate is not trusted"):
            list(source.pages(""))
        source.close()
        assert server.requests == []
        with pytest.raises(SourceError, match=rf"{tmp_path}/nowhere.pem can't be read \(no such"):
            list(over_tls(server.port, tmp_path, ca_file="nowhere.pem").pages(""))


def test_a_certificate_nobody_vouches_for_is_told_with_what_mends_it(tmp_path: Path) -> None:
    with serving(answer(b"[]"), tls=tls_context()) as server:
        source = over_tls(server.port, tmp_path)
        [found] = source.probe()
        source.close()
    assert "its certificate is not trusted" in found.text
    assert "ca_file" in found.mend


def test_over_http_calls_are_signed_and_neither_key_nor_secret_is_in_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with visiting(tmp_path, shop={"folder": "/nz"}) as visit, caplog.at_level(logging.DEBUG):
        placed = visit.place(3)
        assert ids_of(list(visit.source.pages(""))) == placed
        assert all("oauth_signature=" in request.query for request in visit.shop.server.heard)
        assert all(request.path.startswith("/nz/wp-json/") for request in visit.shop.server.heard)
        assert "authorization" not in visit.shop.server.heard[0].headers
        for secret in (visit.shop.key.key, visit.shop.key.secret):
            assert secret not in caplog.text


def test_P14_over_http_a_clock_of_ours_that_is_wrong_is_put_right_by_the_shops(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.now = NOW + timedelta(days=1)
        placed = visit.place(3)
        assert ids_of(list(visit.source.pages(""))) == placed
        assert visit.calls() == 3


def test_P14_over_http_a_wrong_secret_is_told_whatever_our_clock_says(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.now = NOW + timedelta(minutes=20)
        source = wrong(visit, tmp_path, secret="cs_nothing")
        with pytest.raises(Unauthorised, match="consumer key or secret is wrong"):
            list(source.pages(""))


def wrong(visit: Visit, tmp_path: Path, **files: str) -> WooCommerceSource:
    """The source with a key of another text."""
    more = {}
    for name, text in files.items():
        path = tmp_path / f"wrong-{name}"
        path.touch(0o600)
        path.write_text(text)
        more[f"consumer_{name}"] = f"file:{path}"
    return visit.new_source(**more)


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("woocommerce_rest_cannot_view", 403, "its user may not see orders"),
        ("something_else", 403, "something_else"),
        ("", 403, "Something in front of"),
        ("", 401, "Something in front of"),
    ],
)
def test_P6_a_refusal_says_what_is_wrong(code: str, status: int, said: str, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.shop.server.fail(faults.says(status, json.dumps({"code": code}).encode() if code else b"<html>"))
        with pytest.raises(Unauthorised, match=said):
            list(visit.source.pages(""))


def test_P6_an_unknown_key_and_a_wrong_secret_are_told_apart_over_https(tmp_path: Path) -> None:
    told = {}
    for code in ("woocommerce_rest_cannot_view", "woocommerce_rest_authentication_error"):
        body = json.dumps({"code": code, "message": "", "data": {"status": 401}}).encode()
        with serving(answer(body, "401 Unauthorized"), tls=tls_context()) as server:
            source = over_tls(server.port, tmp_path, ca_file=str(CERTIFICATE))
            with pytest.raises(Unauthorised) as raised:
                list(source.pages(""))
            source.close()
            told[code] = str(raised.value)
    assert "does not know the consumer key" in told["woocommerce_rest_cannot_view"]
    assert "query_auth = true" in told["woocommerce_rest_cannot_view"]
    assert "the consumer secret is wrong" in told["woocommerce_rest_authentication_error"]


def test_a_key_that_can_not_be_read_is_said_and_nothing_is_called(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        with pytest.raises(Unauthorised, match="env:NOT_THERE is not set"):
            list(visit.new_source(consumer_key="env:NOT_THERE").pages(""))
        assert visit.calls() == 0


# Bodies


@pytest.mark.parametrize("stamp", ["2026-11-23T00:30:00", "2026-11-23T00:30:00Z", "2026-11-23T13:30:00+13:00"])
def test_P15_a_stamp_has_one_meaning_in_utc(stamp: str, tmp_path: Path) -> None:
    def stamped(request: Request, whole: Response) -> Response:
        bodies = [{**one, "date_modified_gmt": stamp} for one in json.loads(whole.body)]
        return Response(whole.status, json.dumps(bodies).encode(), whole.headers)

    with visiting(tmp_path) as visit:
        visit.place(1)
        visit.shop.server.fail(rewrites(stamped))
        [page] = visit.source.pages("")
        assert page.orders[0].revision == "2026-11-23T00:30:00Z"
        assert json.loads(page.cursor)["mark"] == "2026-11-23T00:30:00"


@pytest.mark.parametrize(
    "field", ["billing", "shipping", "line_items", "shipping_lines", "status", "date_modified_gmt"]
)
def test_P26_a_field_that_is_missing_holds_its_order_and_no_other(field: str, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(5)

        def without(request: Request, whole: Response) -> Response:
            bodies = json.loads(whole.body)
            for body in bodies:
                if str(body["id"]) == placed[2]:
                    body.pop(field, None)
            return Response(whole.status, json.dumps(bodies).encode(), whole.headers)

        visit.shop.server.fail(rewrites(without))
        told = orders_of(list(visit.source.pages("")))
        assert set(told) == set(placed)
        assert {one for one, order in told.items() if order.problems} == {placed[2]}
        assert field in told[placed[2]].problems[0]


def test_trap_D6_a_bundle_is_counted_once_from_a_live_answer_too(tmp_path: Path) -> None:
    def bundled(request: Request, whole: Response) -> Response:
        bodies = json.loads(whole.body)
        for body in bodies:
            for line in body.get("line_items", [])[1:]:
                line["bundled_by"] = body["line_items"][0]["id"]
        return Response(whole.status, json.dumps(bodies).encode(), whole.headers)

    with visiting(tmp_path) as visit:
        visit.place(1, more=[("HON-250", 2), ("GC-50", 1)])
        visit.shop.server.fail(rewrites(bundled))
        [page] = visit.source.pages("")
        assert [line.sku for line in page.orders[0].lines] == ["MUG-0"]


def with_ids_as_text(_: Request, whole: Response) -> Response:
    return Response(whole.status, re.sub(rb'\{"id":(\d+)', rb'{"id":"\1"', whole.body), whole.headers)


def with_a_mark(_: Request, whole: Response) -> Response:
    return Response(whole.status, b"\xef\xbb\xbf" + whole.body, whole.headers)


@pytest.mark.parametrize("change", [with_ids_as_text, with_a_mark])
def test_P12_ids_as_text_and_a_byte_order_mark_take_neither_the_mark_nor_the_sweep(
    change: Callable[[Request, Response], Response], tmp_path: Path
) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(5, ago=timedelta(hours=30))
        visit.shop.server.fail(rewrites(change))
        [*_, last] = visit.source.pages("")
        assert json.loads(last.cursor)["mark"] == "2026-11-21T19:00:00"
        before = visit.calls()
        list(visit.source.pages(last.cursor))
        assert visit.calls() - before == 1
        assert set(ids_of(list(visit.source.sweep()))) == set(placed)


def test_trap_L13_an_order_that_breaks_a_page_is_parked_where_ids_are_text_too(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(30)
        breaks = breaks_over(placed[11], even_names=False)
        visit.shop.server.fail(lambda exchange: with_ids_as_text(exchange.request, breaks(exchange) or Response()))
        told = list(visit.source.pages(""))
        assert set(ids_of(told)) == set(placed) - {placed[11]}
        assert f"Order with id {placed[11]} could not be read" in alerts_of(told)


@pytest.mark.parametrize("told", [None, False, 0], ids=str)
def test_P12_an_order_without_a_date_leaves_the_mark_to_the_next(told: object, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(5)
        visit.shop.server.fail(rewrites(undating(1, told)))
        [*_, last] = visit.source.pages("")
        assert json.loads(last.cursor)["mark"] == "2026-11-22T23:59:59"
        assert set(ids_of(list(visit.source.sweep()))) == set(placed)


@pytest.mark.parametrize("count", [1, 20])
def test_P12_a_shop_that_dates_no_order_is_refused_and_never_swept_to_no_effect(count: int, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.place(count)
        visit.shop.server.fail(rewrites(undating(20, None)))
        for ask in (visit.source.pages(""), visit.source.sweep()):
            with pytest.raises(Malformed, match="none of its latest orders when it was changed"):
                list(ask)


def undating(first: int, told: object) -> Callable[[Request, Response], Response]:
    """The latest orders without a date, where ids and dates alone are asked for."""

    def change(request: Request, whole: Response) -> Response:
        query = query_of(request)
        if "_fields" not in query or int(query.get("offset", first)) >= first:
            return whole
        bodies = [
            body | dict.fromkeys(("date_modified_gmt", "date_created_gmt"), told) for body in json.loads(whole.body)
        ]
        return Response(whole.status, json.dumps(bodies).encode(), whole.headers)

    return change


def test_a_record_that_is_no_order_is_told_of_and_hides_no_order(tmp_path: Path) -> None:
    def nameless(request: Request, whole: Response) -> Response:
        bodies = json.loads(whole.body)
        if "_fields" not in query_of(request):
            bodies[1].pop("id")
        return Response(whole.status, json.dumps(bodies).encode(), whole.headers)

    with visiting(tmp_path) as visit:
        placed = visit.place(5)
        visit.shop.server.fail(rewrites(nameless))
        told = list(visit.source.pages(""))
        assert ids_of(told) == [placed[0], *placed[2:]]
        assert "It has no order id" in alerts_of(told)


# The probe


def findings(source: WooCommerceSource) -> tuple[list[str], list[Finding]]:
    found = list(source.probe())
    return [one.text for one in found], [one for one in found if one.mend]


def test_the_probe_tells_version_storage_zone_and_one_order(tmp_path: Path) -> None:
    for behaviour, wanted in (
        ("hpos", ("WooCommerce 11.0", "HPOS", "Pacific/Auckland", "names and addresses can be read")),
        ("posts", ("WooCommerce 11.0", "move no date", "is processing, paid, to be shipped")),
        ("before-10.4", ("WooCommerce 10.3; its lists sorted by change lose orders",)),
    ):
        with visiting(tmp_path, behaviour) as visit:
            visit.place(2)
            texts, mends = findings(visit.source)
            assert mends == []
            assert all(any(word in text for text in texts) for word in wanted), texts
            assert {request.method for request in visit.shop.server.heard} == {"GET"}


def test_the_probe_names_an_old_version_a_wrong_clock_and_a_closed_system_status(tmp_path: Path) -> None:
    def old(request: Request, whole: Response) -> Response:
        return Response(200, whole.body.replace(b"11.0.1", b"6.9.4"), whole.headers)

    def closed(request: Request, whole: Response) -> Response:
        is_open = request.path.endswith("/orders") or request.path.endswith("/wp-json/")
        return whole if is_open else Response(403, b'{"code":"woocommerce_rest_cannot_view"}')

    def without_address(request: Request, whole: Response) -> Response:
        return Response(200, whole.body.replace(b"12 Kowhai Street", b""), whole.headers)

    cases: list[tuple[Callable[[Request, Response], Response], timedelta, str]] = [
        (old, timedelta(), "Update WooCommerce"),
        (closed, timedelta(), "may manage WooCommerce"),
        (lambda _, whole: whole, timedelta(hours=2), "Set the one that is wrong"),
    ]
    for change, skew, mend in cases:
        with visiting(tmp_path) as visit:
            visit.place(1)
            visit.now = NOW + skew
            visit.shop.server.fail(rewrites(change))
            assert mend in " ".join(one.mend for one in findings(visit.source)[1])


def test_the_probe_tells_an_unknown_key_from_a_shop_without_its_api(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        texts, [mend] = findings(wrong(visit, tmp_path, key="ck_nobody", secret="cs_nothing"))
        assert "does not accept the signature" in texts[0]
        assert "Settings > Advanced > REST API" in mend.mend
        assert "ck_nobody" not in mend.text + mend.mend
        visit.shop.server.fail(faults.page(404))
        texts, [mend] = findings(visit.source)
        assert "Permalinks" in mend.mend
        visit.shop.server.refuse()
        assert "could not be reached" in findings(visit.source)[0][0]

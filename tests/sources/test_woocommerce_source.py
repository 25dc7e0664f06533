"""The WooCommerce source against a double of the shop: what is read, what is remembered, what is never lost."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from pydantic import ValidationError

from connector.order import Payment, content_hash
from connector.sources.base import LiveSource, Malformed, Throttled
from connector.sources.woocommerce_cursor import earlier, mark_of, parse
from connector.sources.woocommerce_options import WooCommerceOptions, shop_address
from connector.testing.shop_double import Draft
from connector.testing.shop_server import Request, Response
from tests.sources.woo_shop import NOW, alerts_of, ids_of, orders_of, query_of, rewrites, visiting

MINUTE = timedelta(minutes=1)
BEHAVIOURS = ("hpos", "posts", "before-10.4", "7.5.1")


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_every_order_comes_once_whatever_the_size_of_the_page(behaviour: str, tmp_path: Path) -> None:
    for size in (1, 2, 3, 7, 10, 50, 100):
        with visiting(tmp_path, behaviour, page_size=size) as visit:
            placed = visit.place(45, apart_s=0)
            told = list(visit.source.pages(""))
            assert ids_of(told) == placed
            assert alerts_of(told) == ""


def test_it_is_a_live_source(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        assert isinstance(visit.source, LiveSource)


def test_a_run_that_finds_nothing_new_makes_one_call(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.place(30)
        [*_, last] = visit.source.pages("")
        before = visit.calls()
        [page] = visit.source.pages(last.cursor)
        assert visit.calls() - before == 1
        assert set(ids_of([page])) <= set(ids_of([last]))  # those of the overlap once more
        assert page.cursor == last.cursor


def test_an_empty_shop_is_no_error_and_its_first_order_comes(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        [page] = visit.source.pages("")
        assert (page.orders, page.alerts) == ((), ())
        placed = visit.place(1)
        assert ids_of(list(visit.source.pages(page.cursor))) == placed


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_P11_orders_that_leave_the_list_while_it_is_read_take_no_other_along(behaviour: str, tmp_path: Path) -> None:
    """After each page some orders that were already read are deleted, so that the rest slides forward."""
    for size, leaving in ((10, 3), (10, 25), (100, 120)):
        with visiting(tmp_path, behaviour, page_size=size) as visit:
            placed = visit.place(300)
            seen: list[str] = []
            gone: list[str] = []
            for page in visit.source.pages(""):
                seen += ids_of([page])
                if len(gone) < 150:
                    gone += (batch := [one for one in seen if one not in gone][:leaving])
                    for one in batch:
                        visit.shop.delete(one)
            assert set(placed) - set(seen) == set()


def test_trap_L9_the_trash_shifts_rows_and_nothing_is_skipped(tmp_path: Path) -> None:
    with visiting(tmp_path, page_size=10) as visit:
        placed = visit.place(60)
        seen: list[str] = []
        for number, page in enumerate(visit.source.pages("")):
            seen += ids_of([page])
            visit.shop.trash(placed[number], NOW - MINUTE)
        assert set(placed) == set(seen)
        assert len(seen) == len(placed)


def test_P11_orders_that_change_while_a_list_is_read_come_with_the_next_poll(tmp_path: Path) -> None:
    with visiting(tmp_path, page_size=10) as visit:
        placed = visit.place(50)
        for number, page in enumerate(visit.source.pages("")):
            visit.shop.edit(placed[0], Draft(line1=f"{number} New Street"), NOW - MINUTE + timedelta(seconds=number))
            cursor = page.cursor
        told = orders_of(list(visit.source.pages(cursor)))
        assert told[placed[0]].ship_to.line1 == f"{number} New Street"


def test_orders_that_come_in_among_those_already_read_are_not_called_missing(tmp_path: Path) -> None:
    """After an outage a list of changed orders is walked; others change meanwhile and enter it behind the walk."""
    with visiting(tmp_path, page_size=10) as visit:
        old = visit.place(30, ago=timedelta(days=3))
        [*_, last] = visit.source.pages("")
        visit.place(40, ago=timedelta(hours=1))
        told = []
        for page in visit.source.pages(last.cursor):
            told.append(page)
            for one in old[len(told) : len(told) + 2]:
                visit.shop.touch(one, NOW - MINUTE)
        assert alerts_of(told) == ""
        begun = [query for query in visit.asked() if (query["per_page"], query["offset"]) == ("10", "0")]
        assert len([query for query in begun if "modified_after" in query]) == 2  # the poll, and one walk


def test_a_crash_after_any_page_skips_nothing(tmp_path: Path) -> None:
    with visiting(tmp_path, page_size=10) as visit:
        placed = visit.place(60)
        told = list(visit.source.pages(""))
        for stop in range(len(told)):
            again = list(visit.new_source().pages(told[stop].cursor))
            assert set(ids_of(told[: stop + 1]) + ids_of(again)) == set(placed)
            assert again[-1].cursor == told[-1].cursor


def test_a_crash_in_a_walk_whose_list_shrinks_before_the_next_run_skips_nothing(tmp_path: Path) -> None:
    with visiting(tmp_path, page_size=10) as visit:
        placed = visit.place(60)
        pages = visit.source.pages("")
        seen = [next(pages) for _ in range(4)]
        for one in placed[:30]:
            visit.shop.delete(one)
        again = list(visit.new_source().pages(seen[-1].cursor))
        assert set(ids_of(seen + again)) == set(placed)
        assert alerts_of(again) == ""


def test_a_shop_that_shows_fewer_orders_than_it_counts_is_read_twice_and_then_told_of(tmp_path: Path) -> None:
    def hides(request: Request, whole: Response) -> Response:
        if query_of(request).get("orderby") != "id":
            return whole
        kept = [one for one in json.loads(whole.body) if one["id"] % 10]
        return Response(whole.status, json.dumps(kept).encode(), whole.headers)

    with visiting(tmp_path, page_size=10) as visit:
        placed = visit.place(40)
        visit.shop.server.fail(rewrites(hides))
        told = list(visit.source.pages(""))
        assert set(ids_of(told)) == {one for one in placed if int(one) % 10}
        assert "showed fewer orders than it counts, twice" in alerts_of(told)
        starts = [query["offset"] for query in visit.asked() if query["orderby"] == "id" and query["per_page"] == "10"]
        assert starts.count("0") == 2


def without_totals(response: Response) -> Response:
    headers = {name: told for name, told in response.headers.items() if not name.startswith("X-WP-Total")}
    return Response(response.status, response.body, headers)


def clamped(rows: int, *, totals: bool) -> Callable[[Request, Response], Response]:
    """A theme's pre_get_posts sets posts_per_page; the total stays right, or a proxy strips it."""

    def answer(_: Request, whole: Response) -> Response:
        shown = Response(whole.status, json.dumps(json.loads(whole.body)[:rows]).encode(), whole.headers)
        return shown if totals else without_totals(shown)

    return answer


@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("count", [30, 100, 130])
def test_a_page_that_is_shorter_than_asked_for_is_not_taken_for_the_last(
    count: int, totals: bool, tmp_path: Path
) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(count)
        visit.shop.server.fail(rewrites(clamped(20, totals=totals)))
        told = list(visit.source.pages(""))
        assert (set(ids_of(told)), alerts_of(told)) == (set(placed), "")
        assert set(ids_of(list(visit.source.sweep()))) == set(placed)


def test_a_poll_of_a_shop_without_totals_that_brings_nothing_new_makes_two_calls(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.place(30)
        visit.shop.server.fail(rewrites(lambda _, whole: without_totals(whole)))
        [*_, last] = visit.source.pages("")
        before = visit.calls()
        [page] = visit.source.pages(last.cursor)
        assert visit.calls() - before == 2
        assert page.cursor == last.cursor


@pytest.mark.parametrize("hidden", [94, 96, 150, 400])
def test_rows_that_are_counted_and_never_shown_hide_no_order_behind_them(hidden: int, tmp_path: Path) -> None:
    """A plug-in on woocommerce_rest_check_permissions, or orders whose class can't be loaded."""
    with visiting(tmp_path) as visit:
        placed = visit.place(150, ago=timedelta(hours=5))
        unseen = {int(one) for one in visit.place(hidden, ago=timedelta(hours=3))}
        placed += visit.place(30)
        visit.shop.server.fail(rewrites(hiding(unseen)))
        assert set(ids_of(list(visit.source.pages("")))) == set(placed)
        assert visit.calls() < 40


def test_rows_left_out_here_and_there_end_no_list_of_a_shop_without_totals(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(330)
        unseen = set(map(int, placed[::50]))
        hides = hiding(unseen)
        visit.shop.server.fail(rewrites(lambda request, whole: without_totals(hides(request, whole))))
        assert set(ids_of(list(visit.source.pages("")))) == set(placed) - set(map(str, unseen))


@pytest.mark.parametrize(("hidden", "totals"), [(1, True), (12, True), (130, True), (1, False), (12, False)])
def test_newest_orders_that_are_counted_and_never_shown_stop_neither_poll_nor_sweep(
    hidden: int, totals: bool, tmp_path: Path
) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(30, ago=timedelta(hours=5))
        hides = hiding({int(one) for one in visit.place(hidden)})

        def answer(request: Request, whole: Response) -> Response:
            shown = hides(request, whole) if request.path.endswith("/orders") else whole
            return shown if totals else without_totals(shown)

        visit.shop.server.fail(rewrites(answer))
        told = list(visit.source.pages(""))
        assert set(ids_of(told)) == set(placed)
        assert set(ids_of(list(visit.source.pages(told[-1].cursor)))) <= set(placed)
        assert set(ids_of(list(visit.source.sweep()))) == set(placed)


def test_a_shop_that_counts_orders_and_shows_none_is_told_of(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.shop.server.fail(rewrites(hiding({int(one) for one in visit.place(5)})))
        told = list(visit.source.pages(""))
        assert ids_of(told) == []
        assert "showed fewer orders than it counts" in alerts_of(told)


def hiding(unseen: set[int]) -> Callable[[Request, Response], Response]:
    """Lists leave these orders out, and count them."""

    def answer(_: Request, whole: Response) -> Response:
        shown = [one for one in json.loads(whole.body) if one["id"] not in unseen]
        return Response(whole.status, json.dumps(shown).encode(), whole.headers)

    return answer


def test_a_list_that_is_not_sorted_is_refused(tmp_path: Path) -> None:
    def turned(request: Request, whole: Response) -> Response:
        return Response(whole.status, json.dumps(json.loads(whole.body)[::-1]).encode(), whole.headers)

    with visiting(tmp_path, page_size=10) as visit:
        visit.place(40)
        visit.shop.server.fail(rewrites(turned))
        with pytest.raises(Malformed, match="does not sort its orders by id"):
            list(visit.source.pages(""))


def test_a_list_without_an_end_is_refused(tmp_path: Path) -> None:
    def endless(request: Request, whole: Response) -> Response:
        return Response(whole.status, whole.body, {**whole.headers, "X-WP-Total": "1000000"})

    with visiting(tmp_path, page_size=10) as visit:
        visit.place(10)
        visit.shop.server.fail(rewrites(endless))
        with pytest.raises(Malformed, match="no end"):
            list(visit.source.pages(""))


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_without_totals_the_list_is_read_to_its_end(behaviour: str, tmp_path: Path) -> None:
    """A cache or a plug-in that strips X-WP-Total."""

    def strips(request: Request, whole: Response) -> Response:
        kept = {name: value for name, value in whole.headers.items() if not name.lower().startswith("x-wp-")}
        return Response(whole.status, whole.body, kept)

    for count in (10, 19, 37):
        with visiting(tmp_path, behaviour, page_size=10) as visit:
            placed = visit.place(count)
            visit.shop.server.fail(rewrites(strips))
            told = list(visit.source.pages(""))
            assert ids_of(told) == placed
            visit.place(12, ago=MINUTE)
            assert len(set(ids_of(list(visit.source.pages(told[-1].cursor))))) >= 12


# Times


def test_trap_L1_an_order_of_the_same_second_as_the_mark_is_read(tmp_path: Path) -> None:
    with visiting(tmp_path, overlap="1m") as visit:
        visit.place(1, ago=timedelta(0))
        [*_, last] = visit.source.pages("")
        twin = visit.shop.place(Draft(), NOW)
        assert twin in ids_of(list(visit.source.pages(last.cursor)))


def test_P13_a_thousand_orders_of_one_second_all_come(tmp_path: Path) -> None:
    with visiting(tmp_path, "before-10.4") as visit:
        [first] = visit.place(1, ago=timedelta(days=1))
        [*_, last] = visit.source.pages("")
        placed = visit.place(1000, ago=timedelta(minutes=20), apart_s=0)
        assert set(placed) == set(ids_of(list(visit.source.pages(last.cursor)))) - {first}


def test_trap_L2_the_mark_is_the_shops_newest_change_and_never_our_clock(tmp_path: Path) -> None:
    for ours in (-timedelta(days=1), timedelta(days=1)):
        with visiting(tmp_path) as visit:
            visit.now = NOW + ours
            visit.place(3, ago=timedelta(hours=2))
            [*_, last] = visit.source.pages("")
            assert json.loads(last.cursor)["mark"] == "2026-11-22T23:00:00"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York", "Pacific/Kiritimati"])
def test_trap_L4_times_are_sent_in_gmt_without_a_letter(zone: str, tmp_path: Path) -> None:
    with visiting(tmp_path, shop={"site_zone": zone}) as visit:
        visit.place(3, ago=timedelta(hours=2))
        [*_, last] = visit.source.pages("")
        late = visit.place(1, ago=timedelta(hours=1))
        assert ids_of(list(visit.source.pages(last.cursor)))[-1:] == late
        asked = visit.asked()[-1]
        assert asked["modified_after"] == "2026-11-22T22:49:59"  # the mark, less the overlap and a second
        assert asked["dates_are_gmt"] == "true"


def test_trap_L14_after_days_of_silence_all_is_read_back_to_the_mark(tmp_path: Path) -> None:
    with visiting(tmp_path, page_size=20) as visit:
        visit.place(5, ago=timedelta(days=9))
        [*_, last] = visit.source.pages("")
        missed = visit.place(150, ago=timedelta(days=1))
        told = list(visit.source.pages(last.cursor))
        assert set(missed) <= set(ids_of(told))
        by_change = [query for query in visit.asked() if query["orderby"] == "modified"]
        assert {(query["per_page"], query["offset"]) for query in by_change} == {("1", "0")}


def test_P29_what_changed_lately_is_swept_though_the_list_of_all_that_is_open_never_ends(tmp_path: Path) -> None:
    def throttles(request: Request, whole: Response) -> Response:
        query = query_of(request)
        is_long = query.get("status", "any") != "any" and query.get("per_page") != "1"
        return Response(429, b"") if is_long else whole

    with visiting(tmp_path) as visit:
        visit.place(3, ago=timedelta(days=9))
        lately = visit.place(2)
        visit.shop.server.fail(rewrites(throttles))
        seen: list[str] = []
        with pytest.raises(Throttled):
            for page in visit.source.sweep():
                seen += ids_of([page])
        assert seen == lately


def test_P12_what_becomes_visible_late_is_still_read(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        late = visit.shop.place(Draft(), NOW - timedelta(minutes=9))
        visit.shop.hide(late, NOW + MINUTE)
        visit.place(1, ago=timedelta(0))
        [*_, last] = visit.source.pages("")
        visit.shop.set_clock(NOW + 2 * MINUTE)
        assert late in ids_of(list(visit.source.pages(last.cursor)))


def test_an_order_dated_in_the_future_does_not_hide_those_that_come_before_it(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.shop.place(Draft(), NOW + timedelta(days=400))
        [*_, last] = visit.source.pages("")
        later = visit.shop.place(Draft(), NOW + MINUTE)
        visit.shop.set_clock(NOW + 2 * MINUTE)
        assert later in ids_of(list(visit.source.pages(last.cursor)))


def test_the_mark_never_passes_the_shops_clock() -> None:
    assert mark_of("2026-11-23T01:00:00", "2026-11-23T02:00:00", "2026-11-23T02:30:00") == "2026-11-23T02:00:00"
    assert mark_of("2026-11-23T03:00:00", "2026-11-23T02:00:00", "") == "2026-11-23T03:00:00"
    assert mark_of("2027-11-23T03:00:00", "", "2026-11-23T02:30:00") == "2026-11-23T02:30:00"
    assert earlier("2026-11-23T00:05:00", 10 * MINUTE) == "2026-11-22T23:54:59"


def test_another_shops_cursor_starts_from_the_beginning() -> None:
    known = '{"shop":"https://a.example","mark":"2026-11-23T01:00:00"}'
    assert parse(known, "https://a.example").mark == "2026-11-23T01:00:00"
    for text in (known, "", "{}", "[]", "nonsense", '{"shop":"https://b.example","mark":"yesterday"}'):
        assert parse(text, "https://b.example") == parse("", "https://b.example")


# States


def test_trap_L8_P18_orders_of_every_status_come(tmp_path: Path) -> None:
    statuses = ("pending", "on-hold", "processing", "completed", "cancelled", "refunded", "failed", "packed")
    with visiting(tmp_path, shop={"statuses": ["packed"]}) as visit:
        placed = {visit.place(1, status=status)[0]: status for status in statuses}
        told = orders_of(list(visit.source.pages("")))
        assert {one: order.status for one, order in told.items()} == placed
        assert all(query["status"] == "any" for query in visit.asked())


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_trap_L18_an_order_seen_unpaid_comes_again_when_it_is_paid(behaviour: str, tmp_path: Path) -> None:
    with visiting(tmp_path, behaviour) as visit:
        [order] = visit.place(1, ago=timedelta(days=2), paid=False)
        told = list(visit.source.pages(""))
        assert orders_of(told)[order].payment is Payment.PENDING
        visit.shop.pay(order, NOW - MINUTE)
        assert orders_of(list(visit.source.pages(told[-1].cursor)))[order].payment is Payment.PAID


def test_trap_D4_an_order_that_was_only_looked_at_says_the_same(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        [order] = visit.place(1, ago=timedelta(days=2))
        told = list(visit.source.pages(""))
        visit.shop.touch(order, NOW - MINUTE)
        before, after = orders_of(told)[order], orders_of(list(visit.source.pages(told[-1].cursor)))[order]
        assert before.revision < after.revision
        assert content_hash(before) == content_hash(after)


def test_trap_W6_entities_come_as_the_shop_wrote_them_from_a_real_answer_too(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.shop.place(Draft(sku="HON-250"), NOW - MINUTE)
        [page] = visit.source.pages("")
        assert "&amp;" in page.orders[0].lines[0].name


# Sweep and reread


def test_the_sweep_shows_what_may_still_ship_and_the_last_two_days(tmp_path: Path) -> None:
    with visiting(tmp_path, page_size=10, shop={"statuses": ["packed", "picked-up"]}) as visit:
        old = timedelta(days=30)
        open_ones = [
            *(
                one
                for status in ("pending", "on-hold", "failed", "packed")
                for one in visit.place(3, ago=old, status=status)
            ),
            *visit.place(25, ago=old),
        ]
        visit.place(20, ago=old, status="completed")
        recent = visit.place(2, ago=timedelta(hours=40), status="completed")
        recent += visit.place(1, ago=timedelta(0), status="completed")
        told = list(visit.source.sweep())
        assert set(ids_of(told)) == {*open_ones, *recent}
        assert {page.cursor for page in told} == {""}
        assert alerts_of(told) == ""


def test_P12_an_order_dated_in_the_future_hides_nothing_from_the_sweep(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.shop.place(Draft(), NOW + timedelta(days=30))
        recent = visit.place(2, ago=timedelta(hours=20), status="completed")
        assert set(recent) <= set(ids_of(list(visit.source.sweep())))


def test_the_sweep_asks_for_the_statuses_of_the_store_file_where_reports_are_closed(tmp_path: Path) -> None:
    def closed(request: Request, whole: Response) -> Response:
        return Response(403, b'{"code":"woocommerce_rest_cannot_view"}') if "reports" in request.path else whole

    with visiting(tmp_path, shop={"statuses": ["packed"]}, statuses=["wc-packed"]) as visit:
        placed = visit.place(1, ago=timedelta(days=30), status="packed")
        visit.place(1, ago=timedelta(days=10), status="completed")
        visit.shop.server.fail(rewrites(closed))
        assert set(placed) <= set(ids_of(list(visit.source.sweep())))


def test_the_sweep_sees_in_posts_storage_what_no_date_tells(tmp_path: Path) -> None:
    with visiting(tmp_path, "posts") as visit:
        [order] = visit.place(1, ago=timedelta(days=9))
        visit.place(1, ago=timedelta(hours=1))
        told = list(visit.source.pages(""))
        visit.shop.edit(order, Draft(line1="9 Rimu Road"), NOW - MINUTE)
        assert order not in ids_of(list(visit.source.pages(told[-1].cursor)))
        assert orders_of(list(visit.source.sweep()))[order].ship_to.line1 == "9 Rimu Road"


def test_P17_orders_are_asked_for_by_their_ids_and_those_that_are_gone_are_named(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(250)
        visit.shop.delete(placed[3])
        visit.shop.trash(placed[7], NOW)
        visit.shop.refund_part(placed[9], NOW, {"MUG-9": 1})
        [refund] = visit.shop.orders[int(placed[9])].refunds
        told = list(visit.source.reread([*placed, str(refund.id), placed[0]]))
        assert len(told) == 3
        assert sorted(ids_of(told)) == sorted(set(placed) - {placed[3]})
        assert [one for page in told for one in page.gone] == [placed[3], str(refund.id)]
        assert orders_of(told)[placed[7]].cancelled
        assert alerts_of(told) == ""
        assert visit.calls() == 3 + 3


@pytest.mark.parametrize("odd", ["", "0", "-1", "W-7001", "1,2", "12345678901234567890"])
def test_P20_an_id_that_is_none_is_named_and_never_called_gone_nor_asked_for(odd: str, tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        placed = visit.place(3)
        [page] = visit.source.reread([placed[0], odd, *placed[1:]])
        assert (ids_of([page]), page.gone) == (placed, ())
        assert f'"{odd}" is no id of a WooCommerce order' in alerts_of([page])
        assert visit.calls() == 1
        assert [one.gone for one in visit.source.reread([odd])] == [()]
        assert visit.calls() == 1


# Size


@pytest.mark.no_cover
@pytest.mark.parametrize("orders", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_memory_of_a_first_sync_of_thousands_of_orders_is_that_of_a_page(tmp_path: Path, orders: int) -> None:
    with visiting(tmp_path) as visit:
        visit.place(orders)
        for order in visit.shop.orders.values():
            visit.shop.rendered(order)
        list(visit.new_source().reread(["101"]))  # imports
        held: list[int] = []
        seen = 0
        tracemalloc.start()
        for page in visit.source.pages(""):
            visit.shop.server.heard.clear()
            seen += len(page.orders)
            if seen % 20 == 0:
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert seen == orders
        assert len(held) > 5
        assert max(held) < 1024 * 1024
        assert max(held) - held[1] < 200_000  # bytes, thousands of orders on


# Options


def options(**more: object) -> WooCommerceOptions:
    table = {"url": "https://shop.example", "consumer_key": "env:WOO_KEY", "consumer_secret": "env:WOO_SECRET", **more}
    return WooCommerceOptions.model_validate(table)


def test_the_store_file_needs_an_address_and_a_key() -> None:
    found = options()
    assert (found.overlap, found.page_size, found.statuses, found.query_auth) == (10 * MINUTE, 100, [], False)
    with pytest.raises(ValidationError, match="Extra inputs"):
        options(pagesize=3)
    for wrong in (
        {"page_size": 0},
        {"page_size": 101},
        {"overlap": "10"},
        {"overlap": "3s"},
        {"consumer_key": "ck_0123456789abcdef0123456789abcdef01234567"},
        {"statuses": ["on hold"]},
        {"url": "http://shop.example", "query_auth": True},
        {"url": "http://shop.example", "ca_file": "ca.pem"},
    ):
        with pytest.raises(ValidationError):
            options(**wrong)


def test_addresses_have_one_form_and_hold_no_password() -> None:
    assert shop_address("https://Shop.Example/") == "https://shop.example"
    assert shop_address("https://shop.example:443/nz/") == "https://shop.example/nz"
    assert shop_address("http://127.0.0.1:8081") == "http://127.0.0.1:8081"
    for wrong in (
        "shop.example",
        "ftp://shop.example",
        "https://",
        "https://ck_1:cs_2@shop.example",
        "https://shop.example?consumer_key=ck_1",
        "https://shop.example/wp-json/wc/v3",
        "https://shop.example/wp-admin/",
        "https://shop.example:port",
        "https://sh op.example",
    ):
        with pytest.raises(ValueError) as raised:
            shop_address(wrong)
        assert "cs_2" not in str(raised.value)
        assert "ck_1" not in str(raised.value)


def test_a_key_is_nowhere_in_what_the_options_show() -> None:
    assert "env:WOO_KEY" in repr(options())
    assert msgspec.json.encode(str(options()))

"""Reading a live Shopify: everything that changes is read, whatever its lists do, and the cursor can always be kept."""

from __future__ import annotations

import gc
import json
import tracemalloc
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from connector import selection, slip
from connector.order import Delivery, Fulfilment, Order
from connector.selection import SelectRules
from connector.slip import Held, SlipRules
from connector.sources.base import Malformed, SourceError
from connector.testing.shop_double import Draft
from connector.testing.shop_server import Request, Response
from tests.shops import shopify_views as views
from tests.shops.shopify import ALL_SCOPES, Line, ShopifyDouble
from tests.sources.shopify_shop import at, calls, ids, orders, placed, source, walked


def kept(shop: ShopifyDouble, patch: pytest.MonkeyPatch, cursor: str) -> set[str]:
    """The ids of one run of a new source from this cursor."""
    return ids(walked(source(shop, patch), cursor)[0])


def test_every_order_is_read_and_an_idle_run_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = set(placed(shop, 40))
        shop.set_clock(at(120))
        pages, cursor = walked(source(shop, monkeypatch))
        assert ids(pages) == wanted
        before = calls(shop)
        again, same = walked(source(shop, monkeypatch, page_size=50), cursor)
        assert (calls(shop) - before, same) == (1, cursor)
        assert len(ids(again)) == 11  # the overlap: ten minutes, inclusive


def test_any_page_s_cursor_can_be_kept_and_nothing_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = set(placed(shop, 50))
        pages, _ = walked(source(shop, monkeypatch))
        for number, page in enumerate(pages):
            assert ids(pages[: number + 1]) | kept(shop, monkeypatch, page.cursor) == wanted


def test_an_order_edited_while_paging_is_read_as_it_is_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        first, *_ = wanted = placed(shop, 50)
        seen: list[Order] = []
        cursor = ""
        for page in source(shop, monkeypatch).pages(cursor):
            seen += page.orders
            cursor = page.cursor
            shop.edit(first, Draft(line1="99 Rata Road"), at(60 + len(seen)))
        seen += orders(walked(source(shop, monkeypatch), cursor)[0])
        assert {order.id for order in seen} == set(wanted)
        assert max((o for o in seen if o.id == first), key=lambda o: o.revision).ship_to.line1 == "99 Rata Road"


@pytest.mark.parametrize("moves", [True, False])
def test_what_changes_in_a_fulfilment_order_alone_is_read(monkeypatch: pytest.MonkeyPatch, moves: bool) -> None:
    with ShopifyDouble(parts_move_order=moves) as shop:
        order_id, *_ = placed(shop, 3)
        shop.hold(order_id, at(5))
        _, cursor = walked(source(shop, monkeypatch))
        placed(shop, 1, start_min=600)
        _, cursor = walked(source(shop, monkeypatch), cursor)
        shop.release(order_id, at(700))
        before = calls(shop)
        pages, cursor = walked(source(shop, monkeypatch), cursor)
        [released] = [order for order in orders(pages) if order.id == order_id]
        assert released.fulfilment is Fulfilment.UNFULFILLED
        assert released.revision == "2026-11-03T11:40:00Z"
        assert calls(shop) - before <= 2
        before = calls(shop)
        walked(source(shop, monkeypatch), cursor)
        assert calls(shop) - before <= 2  # also while the change lies in the overlap


def test_P8_an_empty_page_with_a_next_one_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = set(placed(shop, 20))
        empty_once(shop, monkeypatch)
        assert kept(shop, monkeypatch, "") == wanted


@pytest.mark.parametrize("way", ["pages", "sweep"])
def test_P8_empty_pages_amid_a_list_lead_nowhere_else_and_are_followed(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Their cursor is the one they were asked for with."""
    with ShopifyDouble() as shop:
        wanted = set(placed(shop, 20))
        answer = shop.answer

        def with_gaps(request: Request) -> Response:
            asked = json.loads(request.body).get("variables") or {}
            shop.habits.empty_pages = 1 if asked.get("after") and calls(shop) % 3 else 0
            return answer(request)

        replaced(shop, monkeypatch, with_gaps)
        reader = source(shop, monkeypatch, page_size=2)
        pages = list(reader.pages("") if way == "pages" else reader.sweep())
    assert ids(pages) == wanted


def empty_once(shop: ShopifyDouble, patch: pytest.MonkeyPatch) -> None:
    """Before the first page of orders comes an empty one, with a cursor that leads to it."""
    answer = shop.answer

    def spoiled(request: Request) -> Response:
        asked = json.loads(request.body)
        after = (asked.get("variables") or {}).get("after")
        if after == "from-the-empty-page":
            asked["variables"]["after"] = None
            return answer(msgspec.structs.replace(request, body=json.dumps(asked).encode()))
        response = answer(request)
        told = json.loads(response.body)
        if after is None and "orders" in (told.get("data") or {}):
            told["data"]["orders"] = {
                "nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "from-the-empty-page"}
            }  # fmt: skip
        return msgspec.structs.replace(response, body=json.dumps(told).encode())

    replaced(shop, patch, spoiled)


def replaced(shop: ShopifyDouble, patch: pytest.MonkeyPatch, answer: Any) -> None:
    patch.setattr(shop.server, "_answer", answer)


@pytest.mark.parametrize("when", ["the same cursor", "the same rows", "ever more empty pages"])
def test_a_list_without_an_end_is_told_and_not_followed_for_ever(monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 5)
        answer, number = shop.answer, [0]

        def endless(request: Request) -> Response:
            response = answer(request)
            told = json.loads(response.body)
            if "orders" in (told.get("data") or {}):
                number[0] += 1
                end = "same" if when == "the same cursor" else f"{number[0] % 7 if 'rows' in when else number[0]}"
                told["data"]["orders"]["pageInfo"] = {"hasNextPage": True, "endCursor": end}
                told["data"]["orders"]["nodes"] = [] if "empty" in when else told["data"]["orders"]["nodes"]
            return msgspec.structs.replace(response, body=json.dumps(told).encode())

        answer = without_cursors(answer)
        replaced(shop, monkeypatch, endless)
        with pytest.raises(Malformed, match=r"has no end.*read_all_orders"):
            walked(source(shop, monkeypatch))
        assert calls(shop) < 60


def without_cursors(answer: Any) -> Any:
    """The shop's answer whatever page was asked for: always the first."""

    def first_page(request: Request) -> Response:
        asked = json.loads(request.body)
        (asked.get("variables") or {}).pop("after", None)
        found: Response = answer(msgspec.structs.replace(request, body=json.dumps(asked).encode()))
        return found

    return first_page


def test_P9_a_page_cursor_that_is_refused_starts_the_walk_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = set(placed(shop, 50))
        pages = source(shop, monkeypatch).pages("")
        seen = {order.id for order in next(pages).orders}
        shop.expire_cursors()
        rest = list(pages)
        assert seen | ids(rest) == wanted
        assert ids(rest) == wanted  # from the saved mark, which is the beginning
        assert kept(shop, monkeypatch, rest[-1].cursor)


def test_P9_also_in_the_next_run_after_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(cursor_life_s=60) as shop:
        wanted = set(placed(shop, 50))
        first = next(iter(source(shop, monkeypatch).pages("")))
        shop.set_clock(at(24 * 60))
        assert kept(shop, monkeypatch, first.cursor) == wanted


def test_a_run_that_goes_on_with_a_walk_reads_what_changed_since_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk that was cut off is through with the orders, and has fulfilment orders left to read."""
    with ShopifyDouble(parts_move_order=False) as shop:
        wanted = placed(shop, 120, every_min=0)
        _, cursor = walked(source(shop, monkeypatch))
        for order_id in wanted:
            shop.hold(order_id, at(60))
        cut_off = next(iter(source(shop, monkeypatch, page_size=250).pages(cursor)))
        shop.edit(wanted[0], Draft(line1="7 Miro Place"), at(120))
        rest, cursor = walked(source(shop, monkeypatch), cut_off.cursor)
        assert [order for order in orders(rest) if order.id == wanted[0]][-1].ship_to.line1 == "7 Miro Place"
        before = calls(shop)
        walked(source(shop, monkeypatch), cursor)
        assert calls(shop) == before + 1


def test_P11_P12_late_rows_and_edits_while_paging_are_all_read_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(seed=7, lag_s=(0, 540), disorder_s=120, repeats=3) as shop:
        cursor, seen = "", dict[str, Order]()
        wanted: list[str] = []
        for minute in range(0, 240, 4):
            wanted.append(shop.place(Draft(line1=f"{minute} Kowhai Street"), at(minute)))
            if minute % 12 == 0:
                for page in source(shop, monkeypatch).pages(cursor):
                    seen |= {order.id: order for order in page.orders}
                    cursor = page.cursor
        shop.set_clock(at(260))
        for page in source(shop, monkeypatch).pages(cursor):
            seen |= {order.id: order for order in page.orders}
        assert set(seen) == set(wanted)


def test_P11_P12_an_order_that_a_long_walk_has_passed_before_it_was_listed_is_read_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 20)
        pages = source(shop, monkeypatch).pages("")
        seen = {order.id for order in next(pages).orders}
        late = shop.place(Draft(), at(20))
        shop.hide(late, at(29))
        placed(shop, 15, every_min=0.2, start_min=21)
        seen |= {order.id for order in next(pages).orders} | {order.id for order in next(pages).orders}
        newest = shop.place(Draft(), at(45))
        rest = list(pages)
        assert newest in ids(rest)
        assert late not in seen | ids(rest)
        assert json.loads(rest[-1].cursor)["orders"]["mark"] == "2026-11-03T00:19:00Z"  # the newest before the walk
        assert late in kept(shop, monkeypatch, rest[-1].cursor)


def test_P13_a_thousand_orders_in_one_second_are_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = set(placed(shop, 200, every_min=0))
        assert kept(shop, monkeypatch, "") == wanted


def test_P14_a_wrong_clock_of_ours_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 3)
        reader = source(shop, monkeypatch)
        _, cursor = walked(reader)
        monkeypatch.setattr(reader, "_context", None)  # nobody asks it for the time
        assert walked(reader)[1] == cursor
        assert "2026-11-03T00:02:00Z" in cursor


def test_P18_closed_and_cancelled_orders_come(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(open_only=True) as shop:
        cancelled, fulfilled, _ = wanted = placed(shop, 3)
        _, cursor = walked(source(shop, monkeypatch))
        shop.cancel(cancelled, at(30))
        shop.fulfil(fulfilled, at(31))
        pages, _ = walked(source(shop, monkeypatch), cursor)
        read = {order.id: order for order in orders(pages)}
        assert read[cancelled].cancelled
        assert read[fulfilled].fulfilment is Fulfilment.FULFILLED
        assert set(read) <= set(wanted)


def test_P19_a_gap_past_the_sixty_days_is_told_with_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(scopes=ALL_SCOPES - {"read_all_orders"}) as shop:
        placed(shop, 3)
        _, cursor = walked(source(shop, monkeypatch))
        shop.set_clock(at() + timedelta(days=90))
        pages, later = walked(source(shop, monkeypatch), cursor)
        [alert] = [alert for page in pages for alert in page.alerts]
        assert alert.startswith("gap: the shop was last read on 2026-11-03 00:02 UTC")
        assert "no order from before 2026-12-03 00:00 UTC" in alert
        assert "read_all_orders" in alert
        assert later == cursor


def test_P19_a_gap_is_told_by_a_run_that_goes_on_with_a_walk_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(scopes=ALL_SCOPES - {"read_all_orders"}) as shop:
        placed(shop, 30)
        first = next(iter(source(shop, monkeypatch).pages("")))
        shop.set_clock(at() + timedelta(days=90))
        rest, _ = walked(source(shop, monkeypatch), first.cursor)
        [alert] = [alert for page in rest for alert in page.alerts]
        assert alert.startswith("gap: the shop was last read on 2026-11-03 00:09 UTC")


def test_P19_a_shop_in_which_nothing_changes_has_no_gap_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(scopes=ALL_SCOPES - {"read_all_orders"}) as shop:
        placed(shop, 1)
        _, cursor = walked(source(shop, monkeypatch))
        for day in range(1, 70, 4):
            shop.set_clock(at() + timedelta(days=day))
            pages, cursor = walked(source(shop, monkeypatch), cursor)
            assert not pages[0].alerts
        shop.set_clock(at() + timedelta(days=69 + 61))
        pages, same = walked(source(shop, monkeypatch), cursor)
        assert pages[0].alerts[0].startswith("gap: the shop was last read on 2027-01-11 00:00 UTC")
        assert same == cursor
        shop.set_clock(shop.now + timedelta(hours=5))
        told = walked(source(shop, monkeypatch), cursor)[0][0].alerts
        shop.set_clock(shop.now + timedelta(minutes=2))
        assert walked(source(shop, monkeypatch), cursor)[0][0].alerts == told  # the same words from poll to poll


def test_P19_an_empty_shop_tells_once_that_older_orders_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(scopes=ALL_SCOPES - {"read_all_orders"}) as shop:
        pages, cursor = walked(source(shop, monkeypatch))
        [alert] = pages[0].alerts
        shop.set_clock(shop.now + timedelta(minutes=2))
        assert walked(source(shop, monkeypatch))[0][0].alerts == (alert,)  # the same words whenever it is told
        for _ in range(3):
            shop.set_clock(shop.now + timedelta(minutes=2))
            pages, same = walked(source(shop, monkeypatch), cursor)
            assert (pages[0].alerts, same) == ((), cursor)


def test_P19_nothing_is_told_where_the_app_sees_all_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 3)
        _, cursor = walked(source(shop, monkeypatch))
        shop.set_clock(at() + timedelta(days=90))
        pages, _ = walked(source(shop, monkeypatch), cursor)
        assert not [alert for page in pages for alert in page.alerts]


def test_trap_L7_the_first_run_tells_that_older_orders_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(scopes=ALL_SCOPES - {"read_all_orders"}) as shop:
        placed(shop, 3)
        pages, cursor = walked(source(shop, monkeypatch))
        assert "read_all_orders" in pages[0].alerts[0]
        assert not walked(source(shop, monkeypatch), cursor)[0][0].alerts


def test_trap_L7_a_changed_fulfilment_order_of_an_order_out_of_sight_takes_nothing_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fulfilment orders have scopes of their own: theirs may show what read_orders no longer does."""
    with ShopifyDouble(scopes=ALL_SCOPES - {"read_all_orders"}) as shop:
        [old] = placed(shop, 1)
        shop.set_clock(at() + timedelta(days=61))
        shop.place(Draft(), shop.now)
        _, cursor = walked(source(shop, monkeypatch))
        order = {"id": f"gid://shopify/Order/{old}", "updatedAt": "2026-11-03T00:00:00Z"}
        changed = {"id": "gid://shopify/FulfillmentOrder/1", "updatedAt": "2027-01-03T00:00:00Z", "order": order}
        rewritten(shop, monkeypatch, lambda text: _with_part(text, changed))
        pages, _ = walked(source(shop, monkeypatch), cursor)
        assert not [order_id for page in pages for order_id in page.gone]
        [alert] = [alert for page in pages for alert in page.alerts]
        assert old in alert


def _with_part(text: str, part: dict[str, Any]) -> str:
    told = json.loads(text)
    if found := (told.get("data") or {}).get("fulfillmentOrders"):
        found["nodes"].append(part)
    return json.dumps(told)


def test_trap_L3_an_order_that_is_listed_late_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        late = shop.place(Draft(), at(1))
        shop.hide(late, at(10))
        placed(shop, 2, start_min=2)
        pages, cursor = walked(source(shop, monkeypatch))
        assert late not in ids(pages)
        shop.set_clock(at(10))
        assert late in kept(shop, monkeypatch, cursor)


def test_trap_L6_the_moment_in_the_search_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 3)
        _, cursor = walked(source(shop, monkeypatch))
        walked(source(shop, monkeypatch), cursor)
        assert shop.server is not None
        asked = json.loads(shop.server.heard[-1].body)["variables"]
        assert asked["query"].startswith("updated_at:>='2026-11-02T23:52:00Z' AND ")
        assert asked["partsQuery"] == "updated_at:>='2026-11-02T23:52:00Z'"


def test_trap_L6_a_search_that_is_not_understood_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.sources import shopify_query

    with ShopifyDouble() as shop:
        placed(shop, 3)
        monkeypatch.setattr(shopify_query, "ANY_STATUS", "statuss:open")
        with pytest.raises(Malformed, match="did not understand the search"):
            walked(source(shop, monkeypatch))


def test_trap_L19_orders_whose_fulfilment_orders_are_not_shown_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(scopes=frozenset({"read_orders", "read_all_orders"})) as shop:
        placed(shop, 2)
        for order in orders(walked(source(shop, monkeypatch))[0]):
            waits = selection.decide(order, SelectRules(), shop.now)
            assert isinstance(waits, selection.Wait)
            assert "lacks the scope" in waits.reason


def test_an_order_that_is_routed_later_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(routed_after_s=90) as shop:
        order_id = shop.place(Draft(), at(1))
        pages, cursor = walked(source(shop, monkeypatch))
        assert orders(pages)[0].fulfilment is Fulfilment.ON_HOLD
        shop.set_clock(at(4))
        [order] = orders(walked(source(shop, monkeypatch), cursor)[0])
        assert (order.id, order.fulfilment) == (order_id, Fulfilment.UNFULFILLED)


def test_trap_D1_rows_that_come_twice_are_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(repeats=5) as shop:
        wanted = placed(shop, 60)
        read = orders(walked(source(shop, monkeypatch))[0])
        assert len(read) > len(wanted)
        assert {(order.id, order.part, order.revision) for order in read} == {
            (order_id, "", f"2026-11-03T00:{n:02d}:00Z") for n, order_id in enumerate(wanted)
        }


def test_trap_D7_each_fulfilment_order_is_a_part_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        order_id = shop.place(Draft(), at(1), locations=2)
        first, second = orders(walked(source(shop, monkeypatch))[0])
        assert {first.part, second.part} == {"", shop.parts(order_id)[1]}
        assert first.lines != second.lines


def test_trap_D8_one_number_twice_is_two_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = {shop.place(Draft(), at(n), name="#1001") for n in range(2)}
        read = orders(walked(source(shop, monkeypatch))[0])
        assert {(order.id, order.number) for order in read} == {(order_id, "#1001") for order_id in wanted}


def test_trap_D9_what_is_read_later_never_has_an_older_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        order_id = shop.place(Draft(), at(1))
        [old] = orders(walked(source(shop, monkeypatch))[0])
        shop.edit(order_id, Draft(line1="99 Rata Road"), at(2))
        [new] = orders(walked(source(shop, monkeypatch))[0])
        assert old.revision < new.revision


def test_trap_W1_a_native_pickup_is_no_freight(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        shop.place(Draft(), at(1), method="PICK_UP")
        [order] = orders(walked(source(shop, monkeypatch))[0])
        assert order.delivery is Delivery.PICKUP


def test_trap_W3_ids_stay_text_however_large(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        order_id = shop.place(Draft(), at(1))
        large = "820982911946154509"
        rewritten(
            shop,
            monkeypatch,
            lambda text: text.replace(f"gid://shopify/Order/{order_id}", f"gid://shopify/Order/{large}"),
        )
        [order] = orders(walked(source(shop, monkeypatch))[0])
        assert order.id == large


def rewritten(shop: ShopifyDouble, patch: pytest.MonkeyPatch, change: Any) -> None:
    answer = shop.answer

    def changed(request: Request) -> Response:
        response = answer(request)
        return msgspec.structs.replace(response, body=change(response.body.decode()).encode())

    replaced(shop, patch, changed)


def test_inner_lists_that_go_on_are_read_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [Line(f"SKU-{n}", 2) for n in range(400)]
    with ShopifyDouble() as shop:
        long = shop.place(Draft(), at(1), lines=lines)
        wide = shop.place(Draft(), at(2), lines=lines[:40], locations=4)
        middle = [shop.place(Draft(), at(3 + n), lines=lines[:30]) for n in range(7)]
        read = orders(walked(source(shop, monkeypatch))[0])
        assert not [problem for order in read for problem in order.problems]

        def skus(order_id: str) -> list[str]:
            return sorted(line.sku for order in read if order.id == order_id for line in order.lines)

        assert skus(long) == sorted(line.sku for line in lines)
        assert skus(wide) == sorted(line.sku for line in lines[:40])
        assert len([order for order in read if order.id == wide]) == 4
        assert all(skus(order_id) == sorted(line.sku for line in lines[:30]) for order_id in middle)


def test_an_inner_list_without_an_end_holds_its_order_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        long = shop.place(Draft(), at(1), lines=[Line(f"SKU-{n}") for n in range(130)])
        short = shop.place(Draft(), at(2))
        answer = shop.answer

        def endless(request: Request) -> Response:
            response = answer(request)
            told = json.loads(response.body)
            if json.loads(request.body)["operationName"] == "MoreLines":
                told["data"]["node"]["lineItems"]["pageInfo"] = {
                    "hasNextPage": True, "endCursor": json.loads(request.body)["variables"]["after"]
                }  # fmt: skip
            return msgspec.structs.replace(response, body=json.dumps(told).encode())

        replaced(shop, monkeypatch, endless)
        read = {order.id: order for order in orders(walked(source(shop, monkeypatch))[0])}
        assert "more lines" in read[long].problems[0]
        assert not read[short].problems


def test_a_spoiled_order_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        bad, *good = placed(shop, 5)
        shop.spoil(bad)
        read = {order.id: order for order in orders(walked(source(shop, monkeypatch))[0])}
        assert set(read) == {bad, *good}
        assert read[bad].problems
        assert not any(read[order_id].problems for order_id in good)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += [(*path, name), *_paths(inner, (*path, name))]
    if isinstance(value, list) and value:
        found += _paths(value[0], (*path, 0))
    return found


HARMLESS = {"name", "country", "email", "phone", "note", "sourceName", "currencyCode", "amount", "shopMoney", "title",
            "originalUnitPriceSet", "updatedAt", "assignedLocation", "additionalInformation", "instructions",
            "reason", "reasonNotes", "endCursor", "key", "value", "fulfillments"}  # fmt: skip
"""Fields without which an order still goes where it should: at most a word on the slip is missing. Without fulfillments
the slip of a closed fulfilment order is left alone, as if it had been sent."""


def test_P26_a_dropped_field_is_loud_or_harmless_and_never_a_blank_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        shop.place(Draft(note="Leave at the door"), at(1))
        reader = source(shop, monkeypatch)
        walked(reader)
        assert shop.server is not None
        paths = _paths(json.loads(shop.answer(shop.server.heard[0]).body)["data"])
        assert len(paths) > 70
        for path in paths:
            with monkeypatch.context() as patch:
                rewritten(shop, patch, lambda text, path=path: _without(text, path))
                assert _is_loud(reader, shop) or path[-1] in HARMLESS, f"{path} can vanish unseen"


def _without(text: str, path: tuple[Any, ...]) -> str:
    """The answer without this field; as it is where it hasn't the field."""
    told = json.loads(text)
    inner = told["data"]
    try:
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
    except (KeyError, IndexError, TypeError):
        return text
    return json.dumps(told)


def _is_loud(reader: Any, shop: ShopifyDouble) -> bool:
    """An error, an alert, a held or a waiting order; else the order is as it should be, where it goes."""
    try:
        pages, _ = walked(reader)
    except SourceError:
        return True
    if not (read := orders(pages)):
        return any(page.alerts for page in pages)
    [order] = read
    if isinstance(selection.decide(order, SelectRules(), shop.now), selection.Wait):
        return True
    if isinstance(slip.make(order, SlipRules(), store="kiwi"), Held):
        return True
    goes = order.ship_to
    assert (goes.line1, goes.postcode, goes.country, goes.name) == ("12 Kowhai Street", "1010", "NZ", "Aroha Ngata")
    assert order.lines[0].quantity == 1
    return False


def test_parts_that_ship_from_elsewhere_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        order_id = shop.place(Draft(), at(1), locations=2)
        reader = source(shop, monkeypatch, locations=["penrose warehouse"])
        read = {order.part: order for order in orders(walked(reader)[0])}
        ours, theirs = read[""], read[shop.parts(order_id)[1]]
        assert ours.fulfilment is Fulfilment.UNFULFILLED
        waits = selection.decide(theirs, SelectRules(), shop.now)
        assert isinstance(waits, selection.Wait)
        assert 'ships from "Addington Store"' in waits.reason


def test_locations_may_be_named_by_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        order_id = shop.place(Draft(), at(1), locations=2)
        number = views.location(1)["location"]["id"].rpartition("/")[2]
        read = {order.part: order for order in orders(walked(source(shop, monkeypatch, locations=[number]))[0])}
        assert read[""].fulfilment is Fulfilment.ON_HOLD
        assert read[shop.parts(order_id)[1]].fulfilment is Fulfilment.UNFULFILLED


def test_buyers_kept_from_us_are_held_and_told_apart_from_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(protected="null") as shop:
        placed(shop, 1)
        [order] = orders(walked(source(shop, monkeypatch))[0])
        assert order.ship_to.is_empty()
        made = slip.make(order, SlipRules(), store="kiwi")
        assert isinstance(made, Held)
        assert "protected" in " ".join(made.reasons)


def test_another_api_version_is_told_once_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(served_version="2027-01") as shop:
        placed(shop, 40)
        pages, _ = walked(source(shop, monkeypatch))
        assert len(pages) > 1
        [alert] = [alert for page in pages for alert in page.alerts]
        assert "2027-01" in alert


def test_an_empty_shop_has_an_empty_page(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        pages, cursor = walked(source(shop, monkeypatch))
        assert ids(pages) == set()
        order_id = shop.place(Draft(), at(1))
        assert kept(shop, monkeypatch, cursor) == {order_id}


def test_a_long_walk_is_cut_into_searches_before_shopify_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.sources import shopify_cursor

    monkeypatch.setattr(shopify_cursor, "ROWS", 30)
    with ShopifyDouble() as shop:
        wanted = set(placed(shop, 120))
        pages, _ = walked(source(shop, monkeypatch))
        assert ids(pages) == wanted
        assert shop.server is not None
        starts = {json.loads(heard.body)["variables"].get("query") for heard in shop.server.heard}
        assert len(starts) > 3


@pytest.mark.no_cover
@pytest.mark.parametrize("orders", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_memory_stays_flat_over_thousands_of_orders(monkeypatch: pytest.MonkeyPatch, orders: int) -> None:
    with ShopifyDouble() as shop:
        placed(shop, orders, every_min=0.1)
        assert shop.server is not None
        list(source(shop, monkeypatch, page_size=50).pages(""))  # imports, and what the double keeps of its orders
        held: list[int] = []
        number = 0
        tracemalloc.start()
        for page in source(shop, monkeypatch, page_size=50).pages(""):
            shop.server.heard.clear()
            number += len(page.orders)
            if number % 500 == 0:
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert number == orders
        assert max(held) - held[0] < 500_000  # bytes, thousands of orders on

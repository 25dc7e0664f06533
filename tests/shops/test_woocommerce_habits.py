"""The WooCommerce double keeps the defects that shops were measured to have (platforms.md 7), and doubles' contract.

What one real shop answered word for word is in test_woocommerce_double.py.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from connector.testing.shop_double import Draft, ShopDouble
from connector.testing.shop_server import Request, Response
from tests.shops.woocommerce import WooCommerceDouble
from tests.shops.woocommerce_auth import Key
from tests.shops.woocommerce_standing import Standing
from tests.shops.woocommerce_state import BEHAVIOURS

START: Final = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
ELSEWHERE: Final = Draft(line1="9 Rata Road", city="Napier", sku="HON-250", quantity=3)


def after(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def ask(shop: WooCommerceDouble, target: str, method: str = "GET", key: Key | None = None) -> Response:
    """As the shop's owner over https; no socket needed."""
    who = key or shop.key
    packed = base64.b64encode(f"{who.key}:{who.secret}".encode()).decode()
    path, _, query = f"/wp-json/wc/v3/{target}".partition("?")
    return shop.server.answer(Request(method, path, query, {"authorization": f"Basic {packed}"}, b""))


def told(shop: WooCommerceDouble, target: str) -> Any:
    return json.loads(ask(shop, target).body)


def ids(shop: WooCommerceDouble, query: str) -> list[int]:
    return [order["id"] for order in told(shop, f"orders?{query}")]


def opened(behaviour: str = "hpos", **options: Any) -> WooCommerceDouble:
    """A double whose door nobody uses: its server is closed at once."""
    shop = WooCommerceDouble(behaviour, trusts_basic=True, **options)
    with shop:
        pass
    return shop


def test_it_is_a_double_by_the_contract() -> None:
    with WooCommerceDouble() as shop:
        double: ShopDouble = shop
        assert double.source_table()["url"] == shop.server.url


# Paging.


def busy(behaviour: str, seed: int = 0) -> WooCommerceDouble:
    """Ninety orders, six of each second."""
    shop = opened(behaviour, seed=seed)
    for number in range(90):
        shop.place(Draft(), after(number // 6))
    return shop


def paged(shop: WooCommerceDouble, size: int, orderby: str, order: str = "asc") -> list[int]:
    return [
        number
        for page in range(1, -(-90 // size) + 1)
        for number in ids(shop, f"per_page={size}&page={page}&orderby={orderby}&order={order}")
    ]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("size", [5, 7, 10, 20, 50])
@pytest.mark.parametrize("behaviour", ["before-10.4", "7.5.1"])
def test_before_10_4_pages_by_modified_lose_and_repeat_orders(behaviour: str, size: int, order: str) -> None:
    shop = busy(behaviour)
    found = paged(shop, size, "modified", order)
    assert len(found) == 90
    assert 60 < len(set(found)) < 90
    assert paged(shop, size, "modified", order) == found
    assert told(shop, f"orders?per_page={size}")[0]["id"] == max(shop.orders)


@pytest.mark.parametrize(
    ("behaviour", "orderby"),
    [("before-10.4", "date"), ("before-10.4", "id"), ("hpos", "modified"), ("posts", "modified"), ("hpos", "date")],
)
def test_other_pages_are_complete(behaviour: str, orderby: str) -> None:
    shop = busy(behaviour)
    for size in (5, 7, 10, 20, 50):
        assert sorted(paged(shop, size, orderby)) == sorted(shop.orders)


def test_the_order_of_equal_rows_hangs_on_the_seed() -> None:
    assert paged(busy("before-10.4", 1), 10, "modified") != paged(busy("before-10.4", 2), 10, "modified")


@pytest.mark.parametrize(
    ("behaviour", "total"), [("hpos", "0"), ("before-10.4", "0"), ("posts", "90"), ("7.5.1", "90")]
)
def test_past_the_end_only_the_order_tables_forget_the_total(behaviour: str, total: str) -> None:
    answer = ask(busy(behaviour), "orders?per_page=50&page=3")
    assert (answer.status, answer.body, answer.headers["X-WP-Total"]) == (200, b"[]", total)


def test_a_list_by_include_keeps_its_sequence_and_an_empty_one_filters_nothing() -> None:
    shop = busy("hpos")
    assert ids(shop, "include=105,101,103&orderby=include&per_page=100") == [105, 101, 103]
    assert ids(shop, "include[]=105&include[]=101&orderby=id&order=asc") == [101, 105]
    assert len(ids(shop, "include=&per_page=100")) == 90


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_draft_is_listed_unasked_by_7_5_1_alone(behaviour: str) -> None:
    shop = opened(behaviour)
    number = int(shop.place(Draft(), START, status="checkout-draft"))
    assert ids(shop, "") == ([number] if behaviour == "7.5.1" else [])
    assert ids(shop, "status=checkout-draft") == [number]


# Times of a query.


@pytest.mark.parametrize(
    ("zone", "query", "seen"),
    [
        ("Pacific/Auckland", "2026-11-23T05:59:59Z", True),
        ("Pacific/Auckland", "2026-11-23T06:00:00Z", False),
        ("Pacific/Auckland", "2026-11-23T05:59:59Z&dates_are_gmt=true", False),
        ("Pacific/Auckland", "2026-11-23T05:59:59&dates_are_gmt=true", True),
        ("Pacific/Auckland", "2026-11-23T18:59:59", True),
        ("Pacific/Auckland", "2026-11-23T19:00:00", False),
        ("America/Los_Angeles", "2026-11-23T12:00:00Z&dates_are_gmt=true", True),
        ("America/Los_Angeles", "2026-11-23T12:00:00Z", False),
        ("America/Los_Angeles", "2026-11-22T21:59:59", True),
        ("UTC", "2026-11-23T05:59:59Z&dates_are_gmt=true", True),
        ("UTC", "2026-11-23T05:59:59.999Z", True),
    ],
)
def test_a_time_with_a_zone_and_dates_are_gmt_is_converted_twice(zone: str, query: str, seen: bool) -> None:
    shop = opened(site_zone=zone)
    number = int(shop.place(Draft(), START))
    assert ids(shop, f"modified_after={query}") == ([number] if seen else [])
    assert ids(shop, f"after={query}") == ([number] if seen else [])


@pytest.mark.parametrize(
    "query",
    ["per_page=0", "per_page=x", "page=-1", "order=up", "status=shipped-ish", "include=a", "modified_after=2026-11-23",
     "dates_are_gmt=maybe", "modified_after=2026-13-45T00:00:00", "modified_after=2026-11-23T19:56:23+13:00"],
)  # fmt: skip
def test_what_can_not_be_asked_is_refused_by_name(query: str) -> None:
    answer = ask(opened(), f"orders?{query}")
    body = json.loads(answer.body)
    assert (answer.status, body["code"]) == (400, "rest_invalid_param")
    assert list(body["data"]["params"]) == [query.partition("=")[0]]


def test_what_nobody_wrote_into_the_double_is_never_answered_as_if() -> None:
    assert ask(opened(), "orders?search=Ngata").status == 501


# What moves the date of change.

Change = Callable[[WooCommerceDouble, str, datetime], None]

CHANGES: Final[dict[str, Change]] = {
    "edit": lambda shop, order, at: shop.edit(order, ELSEWHERE, at),
    "note": lambda shop, order, at: shop.edit(order, Draft(note="Ring twice"), at),
    "meta": lambda shop, order, at: shop.write_meta(order, "_shipit_id", "C-1", at),
    "part": lambda shop, order, at: shop.refund_part(order, at, {"MUG-1": 1}),
    "touch": lambda shop, order, at: shop.touch(order, at),
    "pay": lambda shop, order, at: shop.pay(order, at),
    "cancel": lambda shop, order, at: shop.cancel(order, at),
    "refund": lambda shop, order, at: shop.refund(order, at),
    "fulfil": lambda shop, order, at: shop.fulfil(order, at),
    "trash": lambda shop, order, at: shop.trash(order, at),
    "order note": lambda shop, order, at: shop.add_note(order, "Packed", at),
    "product": lambda shop, _, __: shop.delete_product("MUG-1"),
}
UNMOVED: Final = {"edit", "meta", "part"}
SILENT: Final = {"order note", "product"}


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("change", CHANGES)
def test_what_moves_the_date_of_change_and_what_sends_a_webhook(behaviour: str, change: str) -> None:
    shop = opened(behaviour)
    number = shop.place(Draft(), START, paid=False)
    before = told(shop, f"orders/{number}")
    shop.deliveries(START)
    CHANGES[change](shop, number, after(60))
    body = told(shop, f"orders/{number}")
    still = change in SILENT or (change in UNMOVED and not BEHAVIOURS[behaviour].edits_move_dates)
    assert body["date_modified_gmt"] == ("2026-11-23T06:00:00" if still else "2026-11-23T06:01:00")
    assert (body == before) is (change == "order note")
    assert bool(shop.deliveries(after(60))) is (change not in SILENT)


def test_deleting_a_refund_moves_nothing_and_sends_nothing() -> None:
    shop = opened()
    number = shop.place(Draft(), START)
    shop.refund_part(number, after(5), {"MUG-1": 1})
    [line] = told(shop, f"orders/{number}/refunds")[0]["line_items"]
    assert (line["quantity"], line["total"]) == (-1, "-38.00")
    shop.deliveries(after(5))
    shop.unrefund(number)
    assert told(shop, f"orders/{number}")["refunds"] == []
    assert told(shop, f"orders/{number}")["date_modified_gmt"] == "2026-11-23T06:00:05"
    assert shop.deliveries(after(6)) == []


def test_all_the_money_back_is_a_status_and_a_refund_below_zero() -> None:
    shop = opened()
    number = shop.place(Draft(quantity=2), START)
    shop.refund(number, after(5))
    body = told(shop, f"orders/{number}")
    assert (body["status"], body["total"]) == ("refunded", "84.62")
    assert [refund["total"] for refund in body["refunds"]] == ["-84.62"]
    assert body["line_items"][0]["quantity"] == 2


# Webhooks.


def test_two_orders_of_one_second_share_a_delivery_id() -> None:
    shop = opened()
    for _ in range(3):
        shop.place(Draft(), START)
    sent = shop.deliveries(after(2))
    assert len({each.headers["X-WC-Webhook-Delivery-ID"] for each in sent}) == 2
    assert len({each.body for each in sent}) == 3


def test_a_delivery_shows_the_order_of_the_moment_it_is_sent() -> None:
    shop = opened()
    number = shop.place(Draft(), START)
    shop.fulfil(number, after(1))
    created, updated = shop.deliveries(after(2))
    assert created.headers["X-WC-Webhook-Topic"] == "order.created"
    assert json.loads(created.body)["status"] == "completed"
    assert created.body == updated.body == ask(shop, f"orders/{number}").body


def test_an_order_that_is_gone_is_delivered_as_an_error_and_its_end_not_at_all() -> None:
    shop = opened()
    shop.delete(shop.place(Draft(), START))
    assert {each.body for each in shop.deliveries(after(1))} == {
        b'{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}'
    }
    number = shop.place(Draft(), START)
    shop.deliveries(after(2))
    shop.delete(number)
    assert shop.deliveries(after(3)) == []
    assert ask(shop, f"orders/{number}").status == 404


def test_the_trash_sends_an_id_alone_and_a_restored_order_itself() -> None:
    shop = opened()
    number = shop.place(Draft(), START)
    shop.deliveries(START)
    shop.trash(number, after(1))
    [deleted] = shop.deliveries(after(1))
    assert (deleted.headers["X-WC-Webhook-Event"], deleted.body) == ("deleted", f'{{"id":{number}}}'.encode())
    shop.restore(number, after(2))
    [restored] = shop.deliveries(after(2))
    assert json.loads(restored.body)["status"] == "processing"
    assert restored.headers["X-WC-Webhook-Topic"] == "order.restored"


@pytest.mark.parametrize(("via", "first"), [("rest-api", "created"), ("store-api", "updated"), ("checkout", "updated")])
def test_a_storefront_sends_updated_before_created(via: str, first: str) -> None:
    shop = opened()
    shop.place(Draft(), START, via=via)
    sent, *_ = shop.deliveries(START)
    assert sent.headers["X-WC-Webhook-Event"] == first


def test_no_delivery_comes_twice() -> None:
    shop = opened()
    number = shop.place(Draft(), START)
    shop.touch(number, after(1))
    shop.touch(number, after(2))
    assert len(shop.deliveries(after(3))) == 2
    assert shop.deliveries(after(4)) == []


# How orders show.


def test_names_of_a_storefront_are_encoded_since_11_and_notes_before() -> None:
    draft = Draft(name="Mere Parr & Co", line1='5 "Kauri" <Road>', note="Ring & wait")
    new, old = opened("hpos"), opened("7.5.1")
    for via, shop, last_name, note in [
        ("store-api", new, "Parr &amp; Co", "Ring & wait"),
        ("store-api", old, "Parr & Co", "Ring &amp; wait"),
        ("rest-api", new, "Parr & Co", "Ring & wait"),
    ]:
        body = told(shop, f"orders/{shop.place(draft, START, via=via)}")
        assert (body["billing"]["last_name"], body["customer_note"]) == (last_name, note)
        assert body["shipping"]["address_1"] == ('5 "Kauri" <Road>' if via == "rest-api" else '5 "Kauri" ')


def test_numbers_of_plug_ins_stand_in_the_number_or_in_meta_data_alone() -> None:
    for numbering, number, metas in [("", "101", []), ("number", "W-7101", []), ("meta", "101", ["W-7101"])]:
        shop = opened(numbering=numbering)
        body = told(shop, f"orders/{shop.place(Draft(), START)}")
        assert (body["id"], body["number"], [meta["value"] for meta in body["meta_data"]]) == (101, number, metas)


def test_old_shops_have_states_of_two_letters() -> None:
    shop = opened(old_states=True)
    assert told(shop, f"orders/{shop.place(Draft(), START)}")["shipping"]["state"] == "AK"
    assert told(shop, f"orders/{shop.place(Draft(country='AU', region='NSW'), START)}")["shipping"]["state"] == "NSW"


def test_a_pickup_and_a_download_carry_a_full_address() -> None:
    shop = opened()
    pickup = told(shop, f"orders/{shop.place(Draft(), START, method='local_pickup')}")
    download = told(shop, f"orders/{shop.place(Draft(sku='PDF-1'), START, method='')}")
    assert pickup["shipping_lines"][0]["method_id"] == "local_pickup"
    assert (download["shipping_lines"], download["needs_processing"]) == ([], False)
    assert pickup["shipping"]["address_1"] == download["shipping"]["address_1"] == "12 Kowhai Street"


def test_a_spoilt_order_hurts_no_other() -> None:
    shop = opened()
    first, second = shop.place(Draft(), START), shop.place(Draft(), START)
    shop.spoil(first)
    bodies = {order["id"]: order for order in told(shop, "orders")}
    assert bodies[int(first)]["shipping"] == []
    assert bodies[int(second)]["shipping"]["city"] == "Auckland"


def test_a_hidden_order_is_in_no_list_until_its_time() -> None:
    shop = opened()
    number = shop.place(Draft(), START)
    shop.hide(number, after(60))
    shop.set_clock(after(59))
    assert ids(shop, "") == []
    assert told(shop, f"orders/{number}")["id"] == int(number)
    shop.set_clock(after(60))
    assert ids(shop, "") == [int(number)]


# Beside orders.


@pytest.mark.parametrize(
    ("behaviour", "hpos", "version"), [(name, it.hpos, it.version) for name, it in BEHAVIOURS.items()]
)
def test_system_status_tells_store_and_version(behaviour: str, hpos: bool, version: str) -> None:
    status = told(opened(behaviour), "system_status")
    assert (status["settings"]["HPOS_enabled"], status["environment"]["version"]) == (hpos, version)


def test_totals_count_every_status_and_those_of_plug_ins() -> None:
    shop = opened(statuses=["packed"])
    for status in ("processing", "processing", "packed", "trash"):
        shop.place(Draft(), START, status=status)
    totals = {each["slug"]: each["total"] for each in told(shop, "reports/orders/totals")}
    assert (totals["processing"], totals["packed"], totals["completed"]) == (2, 1, 0)
    assert ids(shop, "status=packed") == [103]


def test_the_index_needs_no_key_and_tells_the_zone() -> None:
    shop = opened()
    shop.set_clock(START)
    index = json.loads(shop.server.answer(Request("GET", "/wp-json/", "", {}, b"")).body)
    assert (index["gmt_offset"], index["timezone_string"]) == (13, "Pacific/Auckland")


def test_an_unknown_route_and_a_page_of_the_site_are_told_apart() -> None:
    shop = opened(folder="/shop")
    assert shop.face.url == f"{shop.server.url}/shop"
    site = shop.server.answer(Request("GET", "/wp-json/wc/v3/orders", "", {}, b""))
    route = shop.server.answer(Request("GET", "/shop/wp-json/wc/v3/parcels", "", {}, b""))
    assert (site.status, site.headers["Content-Type"][:9]) == (404, "text/html")
    assert (route.status, json.loads(route.body)["code"]) == (404, "rest_no_route")


def test_notes_are_encoded_and_move_nothing() -> None:
    shop = opened()
    number = shop.place(Draft(), START)
    shop.add_note(number, "Packed & labelled", after(1))
    [note] = told(shop, f"orders/{number}/notes")
    assert (note["note"], note["customer_note"]) == ("Packed &amp; labelled", False)


# Deleting over the API.


def test_only_a_key_that_may_write_deletes_and_the_answer_is_the_order_before() -> None:
    shop = opened(read_only=False, more_keys=[Key("ck_reader", "cs_reader")])
    shop.set_clock(after(9))
    first, second = shop.place(Draft(), START), shop.place(Draft(), START)
    assert ask(shop, f"orders/{first}", "DELETE", Key("ck_reader", "cs_reader")).status == 401
    trashed = ask(shop, f"orders/{first}", "DELETE")
    assert (json.loads(trashed.body)["status"], told(shop, f"orders/{first}")["status"]) == ("processing", "trash")
    assert ask(shop, f"orders/{second}?force=true", "DELETE").status == 200
    assert ask(shop, f"orders/{second}").status == 404


# What the shop says for whoever compares.


def test_the_shop_says_what_it_holds_without_its_api() -> None:
    shop = opened()
    paid = shop.place(Draft(quantity=2), START, more=[("HON-250", 1)])
    waits = shop.place(Draft(), START, paid=False)
    pickup = shop.place(Draft(), START, method="local_pickup")
    blank = shop.place(Draft(line1="nowhere"), START, blank=True, billing=Draft(line1="1 Payer Lane"))
    back = shop.place(Draft(), START)
    gone = shop.place(Draft(), START)
    shop.refund(back, after(1))
    shop.delete(gone)
    shop.edit(waits, ELSEWHERE, after(2))
    held = shop.now_holds()
    assert held[paid] == Standing("processing", True, "12 Kowhai Street", "Auckland", {"MUG-1": 2, "HON-250": 1})
    assert held[waits] == Standing("on-hold", False, "9 Rata Road", "Napier", {"HON-250": 3})
    assert (held[pickup].ships, held[blank].line1, held[back].ships) == (False, "1 Payer Lane", False)
    assert gone not in held


def test_two_thousand_orders_are_paged_without_waiting() -> None:
    """Twenty pages of a hundred, each made of bodies rendered once: far below a second, ten allowed."""
    shop = opened()
    for number in range(2000):
        shop.place(Draft(), after(number // 5))
    began = datetime.now(UTC)
    seen = {number for page in range(1, 21) for number in ids(shop, f"per_page=100&page={page}&orderby=modified")}
    assert len(seen) == 2000
    assert datetime.now(UTC) - began < timedelta(seconds=10)

"""The Shopify double answers as Shopify is documented and recorded to answer, and its defects are really there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connector.testing.shop_double import Draft, ShopDouble
from tests.shops import shopify_cost as cost
from tests.shops import shopify_graph as graph
from tests.shops.shopify import ALL_SCOPES, Line, ShopifyDouble

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/shopify"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""01:00 of the next day in the shop's own zone."""

LIST = """query Orders($first: Int!, $after: String, $query: String, $reverse: Boolean) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT, reverse: $reverse) {
    nodes { legacyResourceId updatedAt note }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
PARTS = """query Parts($first: Int!, $query: String, $closed: Boolean) {
  fulfillmentOrders(first: $first, query: $query, includeClosed: $closed, sortKey: UPDATED_AT) {
    nodes { id status updatedAt order { legacyResourceId } } pageInfo { hasNextPage endCursor }
  }
}"""
BY_ID = """query ById($ids: [ID!]!) { nodes(ids: $ids) { id ... on Order {
  updatedAt note cancelledAt displayFinancialStatus displayFulfillmentStatus email
  shippingAddress { name address1 city zip countryCodeV2 provinceCode phone }
  lineItems(first: 50) { nodes { id sku quantity currentQuantity unfulfilledQuantity } }
  fulfillmentOrders(first: 10) { nodes {
    id status requestStatus fulfillAt updatedAt assignedLocation { name }
    destination { firstName lastName phone address1 city zip email countryCode }
    deliveryMethod { methodType additionalInformation { instructions phone } }
    fulfillmentHolds { reason reasonNotes }
    lineItems(first: 50) { nodes { totalQuantity remainingQuantity lineItem { id sku } } }
  } }
} } }"""


@pytest.fixture
def shop() -> Iterator[ShopifyDouble]:
    with ShopifyDouble() as shop:
        shop.set_clock(NOON)
        yield shop


def post(shop: ShopifyDouble, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any, Any]:
    """Status, body and headers of a real HTTP answer."""
    assert shop.server
    request = urllib.request.Request(shop.server.url + path, body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers


def asked(shop: ShopifyDouble, text: str, /, token: str = "", **variables: Any) -> tuple[int, Any, Any]:
    body = json.dumps({"query": text, "variables": variables}).encode()
    headers = {"X-Shopify-Access-Token": token or shop.token, "Content-Type": "application/json"}
    return post(shop, "/admin/api/2026-10/graphql.json", body, headers)


def ask(shop: ShopifyDouble, text: str, /, **variables: Any) -> Any:
    """The data of an answer without errors."""
    status, body, _ = asked(shop, text, **variables)
    assert status == 200
    assert "errors" not in body, body["errors"]
    return body["data"]


def error_of(shop: ShopifyDouble, text: str, /, **variables: Any) -> Any:
    """The one error of an answer."""
    status, body, _ = asked(shop, text, **variables)
    assert status == 200
    assert body.get("data") is None
    (error,) = body["errors"]
    return error


def listed(shop: ShopifyDouble, query: str | None = None, size: int = 50) -> list[str]:
    """The order ids of all pages, as they come."""
    found: list[str] = []
    after: str | None = None
    for _ in range(1000):
        page = ask(shop, LIST, first=size, after=after, query=query)["orders"]
        found += [node["legacyResourceId"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]
    raise AssertionError("pages without an end")


def order(shop: ShopifyDouble, order_id: str) -> Any:
    return ask(shop, BY_ID, ids=[f"gid://shopify/Order/{order_id}"])["nodes"][0]


def parts(shop: ShopifyDouble, order_id: str) -> list[Any]:
    found: list[Any] = order(shop, order_id)["fulfillmentOrders"]["nodes"]
    return found


def placed(shop: ShopifyDouble, count: int, gap_s: int = 1) -> list[str]:
    return [shop.place(Draft(note=str(number)), NOON + timedelta(seconds=gap_s * number)) for number in range(count)]


def at(**later: int) -> datetime:
    return NOON + timedelta(**later)


# the contract


def test_it_is_a_shop_double(shop: ShopifyDouble) -> None:
    double: ShopDouble = shop
    assert double.kind == "shopify"
    assert double.source_table()["kind"] == "shopify"


def test_no_secret_stands_in_the_store_files_table(shop: ShopifyDouble) -> None:
    for value in shop.environment().values():
        assert value not in str(shop.source_table())


# shapes


def sample(name: str) -> Any:
    path = SAMPLES / name
    if not path.is_file():
        pytest.skip("the shared samples are not beside this project")
    return json.loads(re.sub(r"\s+//.*", "", path.read_text(encoding="utf-8")))


def test_a_pick_up_looks_like_the_recorded_one(shop: ShopifyDouble) -> None:
    recorded = sample("graphql-pickup-native.jsonc")
    mine = order(shop, shop.place(Draft(), NOON, method="PICK_UP"))
    part = mine["fulfillmentOrders"]["nodes"][0]
    assert mine["shippingAddress"] is recorded["shippingAddress"] is None
    assert part["destination"].keys() >= recorded["fulfillmentOrders"][0]["destination"].keys()
    assert set(part["destination"].values()) == set(recorded["fulfillmentOrders"][0]["destination"].values()) == {None}
    assert part["deliveryMethod"]["methodType"] == recorded["fulfillmentOrders"][0]["deliveryMethod"]["methodType"]


def test_a_local_delivery_looks_like_the_recorded_one(shop: ShopifyDouble) -> None:
    recorded = sample("graphql-local-delivery-native.jsonc")["fulfillmentOrders"][0]
    mine = parts(shop, shop.place(Draft(phone="021 555 0101"), NOON, method="LOCAL"))[0]
    assert mine["deliveryMethod"]["methodType"] == recorded["deliveryMethod"]["methodType"]
    assert mine["destination"]["address1"] == "12 Kowhai Street"
    assert mine["deliveryMethod"]["additionalInformation"]["phone"] == "021 555 0101"
    assert recorded["destination"]["address1"]
    assert recorded["deliveryMethod"]["additionalInformation"]["phone"]


def test_an_order_shows_its_address_lines_and_fulfilment_order(shop: ShopifyDouble) -> None:
    mine = order(shop, shop.place(Draft(quantity=3), NOON))
    assert mine["shippingAddress"] == {
        "name": "Aroha Ngata",
        "address1": "12 Kowhai Street",
        "city": "Auckland",
        "zip": "1010",
        "countryCodeV2": "NZ",
        "provinceCode": "AUK",
        "phone": "021 555 0101",
    }
    assert mine["updatedAt"] == "2026-11-20T12:00:00Z"
    line = mine["lineItems"]["nodes"][0]
    part = mine["fulfillmentOrders"]["nodes"][0]
    assert line["currentQuantity"] == line["unfulfilledQuantity"] == 3
    assert part["status"] == "OPEN"
    assert part["lineItems"]["nodes"] == [
        {"totalQuantity": 3, "remainingQuantity": 3, "lineItem": {"id": line["id"], "sku": "MUG-1"}}
    ]


def test_every_order_in_a_list_is_the_same_when_it_is_asked_for_by_id(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(note="gift"), NOON)
    data = ask(shop, "{ orders(first: 1) { edges { cursor node { id note } } } }")
    assert data["orders"]["edges"][0]["node"] == {"id": f"gid://shopify/Order/{order_id}", "note": "gift"}


@pytest.mark.parametrize(
    ("query", "message", "code"),
    [
        ("{ shop { fax } }", "Field 'fax' doesn't exist on type 'Shop'", "undefinedField"),
        (
            "{ orders(first: 1) { nodes { fulfillmentOrders(first: 1) { nodes { destination { provinceCode } } } } } }",
            "Field 'provinceCode' doesn't exist on type 'FulfillmentOrderDestination'",
            "undefinedField",
        ),
        (
            "{ orders(page: 2) { nodes { id } } }",
            "Field 'orders' doesn't accept argument 'page'",
            "argumentNotAccepted",
        ),
        ("query X($n: Int) { shop { id } }", "Variable $n is declared by X but not used", "variableNotUsed"),
        ("{ node { id } }", "Field 'node' is missing required arguments: id", "missingRequiredArguments"),
    ],
)
def test_a_query_that_shopify_would_not_understand_is_refused(
    shop: ShopifyDouble, query: str, message: str, code: str
) -> None:
    error = error_of(shop, query)
    assert (error["message"], error["extensions"]["code"]) == (message, code)
    assert error["locations"]


def test_a_field_without_its_subfields_is_refused(shop: ShopifyDouble) -> None:
    error = error_of(shop, "{ orders(first: 1) { nodes { shippingAddress } } }")
    assert error["extensions"]["code"] == "selectionMismatch"


def test_a_text_that_is_no_query_is_refused(shop: ShopifyDouble) -> None:
    assert error_of(shop, "{ shop { id ")["message"].startswith("syntax error")


def test_a_missing_variable_is_refused(shop: ShopifyDouble) -> None:
    error = error_of(shop, LIST)
    assert error["message"] == "Variable $first of type Int! was provided invalid value"
    assert error["extensions"]["code"] == "INVALID_VARIABLE"


def test_more_rows_or_ids_than_250_are_refused(shop: ShopifyDouble) -> None:
    shop.habits.dearest = 10_000
    assert "exceeds the maximum" in error_of(shop, "{ orders(first: 251) { nodes { id } } }")["message"]
    error = error_of(
        shop, BY_ID.replace("... on Order {", "... on Shop {").split("\n")[0] + " name } } }", ids=["x"] * 251
    )
    assert error["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


def test_an_id_that_is_gone_is_null_and_one_that_is_none_is_refused(shop: ShopifyDouble) -> None:
    here, gone = placed(shop, 2)
    shop.delete(gone)
    nodes = ask(shop, BY_ID, ids=[f"gid://shopify/Order/{each}" for each in (here, gone)])["nodes"]
    assert [node and node["id"] for node in nodes] == [f"gid://shopify/Order/{here}", None]
    assert listed(shop) == [here]
    assert error_of(shop, BY_ID, ids=[here])["message"] == f"Invalid global id '{here}'"


def test_fields_can_be_left_out_by_a_variable(shop: ShopifyDouble) -> None:
    shop.place(Draft(), NOON)
    query = "query X($with: Boolean!) { orders(first: 1) { nodes { id note @include(if: $with) } } }"
    assert ask(shop, query, **{"with": True})["orders"]["nodes"][0].keys() == {"id", "note"}
    assert ask(shop, query, **{"with": False})["orders"]["nodes"][0].keys() == {"id"}


def test_the_shop_says_its_name_and_zone_and_the_apps_scopes(shop: ShopifyDouble) -> None:
    data = ask(shop, "{ shop { name ianaTimezone timezoneOffset } currentAppInstallation { accessScopes { handle } } }")
    assert data["shop"] == {"name": "Kowhai Pottery", "ianaTimezone": "Pacific/Auckland", "timezoneOffset": "+1300"}
    assert {each["handle"] for each in data["currentAppInstallation"]["accessScopes"]} == ALL_SCOPES


def test_headers_tell_the_version_and_the_shops_time(shop: ShopifyDouble) -> None:
    _, _, headers = asked(shop, "{ shop { id } }")
    assert headers["X-Shopify-Api-Version"] == "2026-10"
    assert headers["Date"] == "Fri, 20 Nov 2026 12:00:00 GMT"
    shop.habits.served_version = "2027-01"
    assert asked(shop, "{ shop { id } }")[2]["X-Shopify-Api-Version"] == "2027-01"


# paging


def test_nothing_is_lost_or_repeated_while_nothing_changes(shop: ShopifyDouble) -> None:
    ids = placed(shop, 23, gap_s=0)
    for size in (1, 2, 7, 23, 50):
        assert listed(shop, size=size) == ids


def test_backwards_is_the_same_list_from_its_end(shop: ShopifyDouble) -> None:
    ids = placed(shop, 5)
    first = ask(shop, LIST, first=2, reverse=True)["orders"]
    then = ask(shop, LIST, first=9, reverse=True, after=first["pageInfo"]["endCursor"])["orders"]
    assert [node["legacyResourceId"] for node in first["nodes"] + then["nodes"]] == ids[::-1]


def test_an_order_that_changes_while_somebody_pages_comes_again_and_hides_no_other(shop: ShopifyDouble) -> None:
    ids = placed(shop, 6)
    page = ask(shop, LIST, first=3)["orders"]
    shop.touch(ids[1], at(minutes=1))
    rest = ask(shop, LIST, first=9, after=page["pageInfo"]["endCursor"])["orders"]["nodes"]
    assert [node["legacyResourceId"] for node in rest] == [*ids[3:], ids[1]]


def test_inner_lists_page_too(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON, lines=[Line(f"A-{n}") for n in range(7)])
    query = """query X($id: ID!, $after: String) { node(id: $id) { ... on Order {
      lineItems(first: 3, after: $after) { nodes { sku } pageInfo { hasNextPage endCursor } } } } }"""
    found: list[str] = []
    after = None
    goes_on = []
    for _ in range(3):
        page = ask(shop, query, id=f"gid://shopify/Order/{order_id}", after=after)["node"]["lineItems"]
        found += [line["sku"] for line in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        goes_on.append(page["pageInfo"]["hasNextPage"])
    assert found == [f"A-{n}" for n in range(7)]
    assert goes_on == [True, True, False]


def test_a_list_of_no_orders_has_no_cursors(shop: ShopifyDouble) -> None:
    page = ask(shop, LIST, first=3)["orders"]
    info = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert page == {"nodes": [], "pageInfo": info}


@pytest.mark.parametrize("cursor", ["", "nonsense", base64.b64encode(b"{}").decode()])
def test_P9_a_cursor_that_is_none_is_refused_with_data_null(shop: ShopifyDouble, cursor: str) -> None:
    status, body, _ = asked(shop, LIST, first=1, after=cursor)
    assert (status, body["data"]) == (200, None)
    assert body["errors"][0]["message"] == "Invalid cursor for current pagination sort."
    assert body["errors"][0]["path"] == ["orders"]


def test_P9_a_cursor_is_refused_when_it_is_expired_too_old_or_of_another_order(shop: ShopifyDouble) -> None:
    placed(shop, 3)
    cursor = ask(shop, LIST, first=1)["orders"]["pageInfo"]["endCursor"]
    assert ask(shop, LIST, first=1, after=cursor)["orders"]["nodes"]
    assert "Invalid cursor" in error_of(shop, LIST.replace("UPDATED_AT", "ID"), first=1, after=cursor)["message"]
    shop.habits.cursor_life_s = 60
    shop.set_clock(at(minutes=2))
    assert "Invalid cursor" in error_of(shop, LIST, first=1, after=cursor)["message"]
    fresh = ask(shop, LIST, first=1)["orders"]["pageInfo"]["endCursor"]
    shop.expire_cursors()
    assert "Invalid cursor" in error_of(shop, LIST, first=1, after=fresh)["message"]


def test_P8_an_empty_page_says_that_another_follows_and_where(shop: ShopifyDouble) -> None:
    ids = placed(shop, 4)
    shop.habits.empty_pages = 2
    empty = ask(shop, LIST, first=2)["orders"]
    assert (empty["nodes"], empty["pageInfo"]["hasNextPage"]) == ([], True)
    shop.habits.empty_pages = 2
    assert listed(shop, size=3) == ids


def test_a_page_may_say_that_another_follows_and_not_where(shop: ShopifyDouble) -> None:
    placed(shop, 4)
    shop.habits.endless_pages = 1
    info = ask(shop, LIST, first=2)["orders"]["pageInfo"]
    assert (info["hasNextPage"], info["endCursor"]) == (True, None)


def test_trap_D1_rows_are_repeated_over_pages_and_none_is_lost() -> None:
    with ShopifyDouble(repeats=3) as shop:
        ids = placed(shop, 60)
        found = listed(shop, size=7)
        assert len(found) > len(ids)
        assert set(found) == set(ids)


def test_with_disorder_rows_stand_a_little_wrong_and_none_is_lost() -> None:
    with ShopifyDouble(disorder_s=4) as shop:
        ids = placed(shop, 60)
        found = listed(shop, size=7)
        assert sorted(found) == sorted(ids)
        assert found != ids
        firsts = [found[start : start + 7] for start in range(0, 60, 7)]
        crossed = [
            (later, earlier)
            for one, two in pairwise(firsts)
            for later in one
            for earlier in two
            if ids.index(earlier) < ids.index(later)
        ]
        assert crossed
        assert all(ids.index(later) - ids.index(earlier) <= 4 for later, earlier in crossed)


# search


def test_both_bounds_are_kept_to_the_second(shop: ShopifyDouble) -> None:
    ids = placed(shop, 10)
    query = "updated_at:>='2026-11-20T12:00:03Z' AND updated_at:<'2026-11-20T12:00:06Z'"
    assert listed(shop, query) == ids[3:6]
    assert listed(shop, query.replace("AND ", "").replace("'", '"')) == ids[3:6]
    assert listed(shop, "updated_at:>'2026-11-20T12:00:03Z' updated_at:<='2026-11-20T12:00:06Z'") == ids[4:7]
    assert listed(shop, "updated_at:'2026-11-20T12:00:03Z'") == ids[3:4]
    assert listed(shop, "updated_at:>='2026-11-21T01:00:03+13:00'") == ids[3:]


def test_greater_may_include_the_moment_itself(shop: ShopifyDouble) -> None:
    ids = placed(shop, 3)
    assert listed(shop, "updated_at:>'2026-11-20T12:00:01Z'") == ids[2:]
    shop.habits.loose_compare = True
    assert listed(shop, "updated_at:>'2026-11-20T12:00:01Z'") == ids[1:]


def test_trap_L6_of_a_time_without_quotes_only_the_date_counts(shop: ShopifyDouble) -> None:
    yesterday = shop.place(Draft(), datetime(2026, 11, 20, 10, 59, tzinfo=UTC))
    today = shop.place(Draft(), datetime(2026, 11, 20, 11, tzinfo=UTC))
    later = shop.place(Draft(), NOON)
    assert listed(shop, "updated_at:>='2026-11-21T12:00:00+13:00'") == []
    assert listed(shop, "updated_at:>=2026-11-21T12:00:00Z") == [today, later]
    assert listed(shop, "updated_at:>=2026-11-21") == [today, later]
    assert listed(shop, "updated_at:<2026-11-21") == [yesterday]


def test_trap_L6_a_comparison_without_a_value_is_an_internal_error(shop: ShopifyDouble) -> None:
    assert error_of(shop, LIST, first=1, query="updated_at:>")["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


def test_words_brackets_or_and_not(shop: ShopifyDouble) -> None:
    paid, owed, cancelled, sent, test = (
        shop.place(Draft(), NOON),
        shop.place(Draft(), at(seconds=1), paid=False),
        shop.place(Draft(), at(seconds=2)),
        shop.place(Draft(), at(seconds=3)),
        shop.place(Draft(), at(seconds=4), test=True, tags=["wholesale"]),
    )
    shop.cancel(cancelled, at(seconds=10))
    shop.fulfil(sent, at(seconds=11))
    assert listed(shop) == [paid, owed, test, cancelled, sent]
    assert listed(shop, "financial_status:pending") == [owed]
    assert listed(shop, "financial_status:PENDING OR status:cancelled") == [owed, cancelled]
    assert listed(shop, "financial_status:pending,refunded") == [owed, cancelled]
    assert listed(shop, "-financial_status:paid") == [owed, cancelled]
    assert listed(shop, "NOT (financial_status:pending OR status:cancelled) test:false") == [paid, sent]
    assert listed(shop, "fulfillment_status:fulfilled") == listed(shop, "fulfillment_status:shipped") == [sent]
    assert listed(shop, "fulfillment_status:unshipped") == [paid, owed, test, cancelled]
    assert listed(shop, "test:true") == listed(shop, "tag:whole*") == [test]
    assert listed(shop, f"id:{owed}") == [owed]
    assert listed(shop, f"id:>{test}") == []
    assert listed(shop, "name:#1002") == [owed]


def test_a_field_that_orders_cannot_be_searched_by_is_left_out_with_a_warning(shop: ShopifyDouble) -> None:
    ids = placed(shop, 2)
    _, body, _ = asked(shop, LIST, first=9, query="colour:red")
    assert [node["legacyResourceId"] for node in body["data"]["orders"]["nodes"]] == ids
    warning = body["extensions"]["search"][0]["warnings"][0]
    assert (warning["field"], warning["code"]) == ("colour", "invalid_field")


def test_P18_all_states_are_listed_and_only_open_ones_where_the_shop_behaves_as_rest_does(shop: ShopifyDouble) -> None:
    ids = placed(shop, 2)
    shop.cancel(ids[0], at(minutes=1))
    assert listed(shop) == [ids[1], ids[0]]
    shop.habits.open_only = True
    assert listed(shop) == [ids[1]]
    assert listed(shop, "status:cancelled") == [ids[0]]


def test_orders_are_counted(shop: ShopifyDouble) -> None:
    placed(shop, 5)
    query = "query C($query: String, $limit: Int) { ordersCount(query: $query, limit: $limit) { count precision } }"
    assert ask(shop, query)["ordersCount"] == {"count": 5, "precision": "EXACT"}
    assert ask(shop, query, limit=3)["ordersCount"] == {"count": 3, "precision": "AT_LEAST"}
    assert ask(shop, query, query="status:cancelled")["ordersCount"]["count"] == 0


def test_fulfilment_orders_are_listed_by_their_own_change_date(shop: ShopifyDouble) -> None:
    ids = placed(shop, 3)
    shop.hold(ids[0], at(minutes=1))
    shop.fulfil(ids[1], at(minutes=2))
    assert [order(shop, each)["updatedAt"][14:19] for each in ids] == ["00:00", "02:00", "00:02"]

    def found(**given: Any) -> list[str]:
        nodes = ask(shop, PARTS, first=10, **given)["fulfillmentOrders"]["nodes"]
        return [node["order"]["legacyResourceId"] for node in nodes]

    assert found() == [ids[2], ids[0]]
    assert found(closed=True) == [ids[2], ids[0], ids[1]]
    assert found(closed=True, query="updated_at:>='2026-11-20T12:01:00Z'") == [ids[0], ids[1]]
    assert found(closed=True, query="status:on_hold") == [ids[0]]


# the index


def test_P12_a_hidden_order_is_in_no_list_until_its_time_and_by_its_id_at_once(shop: ShopifyDouble) -> None:
    ids = placed(shop, 3)
    shop.hide(ids[0], at(minutes=10))
    assert listed(shop) == ids[1:]
    assert len(ask(shop, PARTS, first=9)["fulfillmentOrders"]["nodes"]) == 2
    assert order(shop, ids[0])["note"] == "0"
    shop.set_clock(at(minutes=10))
    assert listed(shop) == ids
    assert order(shop, ids[0])["updatedAt"] == "2026-11-20T12:00:00Z"


def test_P12_with_a_late_index_lists_lag_and_an_order_asked_for_by_id_does_not() -> None:
    with ShopifyDouble(lag_s=(10, 40)) as shop:
        order_id = shop.place(Draft(note="old"), NOON)
        assert listed(shop) == []
        assert order(shop, order_id)["note"] == "old"
        shop.set_clock(at(seconds=40))
        assert listed(shop) == [order_id]
        shop.edit(order_id, Draft(note="new"), at(seconds=60))
        late = "updated_at:>='2026-11-20T12:01:00Z'"
        assert listed(shop, late) == []
        node = ask(shop, LIST, first=1)["orders"]["nodes"][0]
        assert node["note"] == "new"
        shop.habits.stale_rows = True
        node = ask(shop, LIST, first=1)["orders"]["nodes"][0]
        assert (node["note"], node["updatedAt"]) == ("old", "2026-11-20T12:00:00Z")
        assert order(shop, order_id)["note"] == "new"
        shop.set_clock(at(seconds=100))
        assert listed(shop, late) == [order_id]


def test_of_two_late_changes_the_later_one_stays() -> None:
    for seed in range(20):
        with ShopifyDouble(seed, lag_s=(0, 40), stale_rows=True) as shop:
            order_id = shop.place(Draft(), NOON)
            for second in range(1, 10):
                shop.edit(order_id, Draft(note=str(second)), at(seconds=second))
            shop.set_clock(at(minutes=5))
            assert [node["note"] for node in ask(shop, LIST, first=9)["orders"]["nodes"]] == ["9"]


def test_fulfilment_orders_are_made_a_moment_after_the_order() -> None:
    with ShopifyDouble(routed_after_s=5) as shop:
        order_id = shop.place(Draft(), NOON)
        assert parts(shop, order_id) == []
        shop.edit(order_id, Draft(line1="9 Rata Road", quantity=4), at(seconds=2))
        shop.set_clock(at(seconds=5))
        (part,) = parts(shop, order_id)
        assert part["updatedAt"] == "2026-11-20T12:00:05Z"
        assert part["destination"]["address1"] == "9 Rata Road"
        assert part["lineItems"]["nodes"][0]["remainingQuantity"] == 4
        assert order(shop, order_id)["updatedAt"] == "2026-11-20T12:00:02Z"


def test_an_order_cancelled_before_its_fulfilment_orders_are_made_never_gets_any() -> None:
    with ShopifyDouble(routed_after_s=5) as shop:
        order_id = shop.place(Draft(), NOON)
        shop.cancel(order_id, at(seconds=1))
        shop.set_clock(at(minutes=1))
        assert parts(shop, order_id) == []


# rights


def test_trap_L19_without_the_scope_fulfilment_orders_are_just_not_there(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON)
    assert parts(shop, order_id)
    shop.habits.scopes = frozenset({"read_orders"})
    assert parts(shop, order_id) == []
    assert ask(shop, PARTS, first=9)["fulfillmentOrders"]["nodes"] == []


def test_trap_L19_what_a_fulfilment_service_ships_is_shown_by_a_scope_of_its_own(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON, locations=2)
    ours, theirs = shop.parts(order_id)
    shop.habits.services = frozenset({"Addington Store"})
    assert [part["id"].rpartition("/")[2] for part in parts(shop, order_id)] == [ours, theirs]
    shop.habits.scopes = ALL_SCOPES - {"read_third_party_fulfillment_orders"}
    assert [part["id"].rpartition("/")[2] for part in parts(shop, order_id)] == [ours]
    assert [part["id"].rpartition("/")[2] for part in ask(shop, PARTS, first=9)["fulfillmentOrders"]["nodes"]] == [ours]
    shop.habits.scopes = ALL_SCOPES - {"read_merchant_managed_fulfillment_orders"}
    assert [part["id"].rpartition("/")[2] for part in parts(shop, order_id)] == [theirs]


def test_trap_L7_without_read_all_orders_old_ones_are_absent(shop: ShopifyDouble) -> None:
    old = shop.place(Draft(), NOON - timedelta(days=61))
    new = shop.place(Draft(), NOON - timedelta(days=59))
    assert listed(shop) == [old, new]
    shop.habits.scopes = ALL_SCOPES - {"read_all_orders"}
    shop.touch(old, NOON)
    assert listed(shop) == [new]
    assert order(shop, old) is None


def test_without_read_orders_the_query_is_refused(shop: ShopifyDouble) -> None:
    shop.habits.scopes = frozenset()
    error = error_of(shop, LIST, first=1)
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert error["message"].startswith("Access denied for orders field. Required access: `read_orders`")


def test_protected_data_that_is_not_granted_is_null(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON)
    assert order(shop, order_id)["email"] == "aroha@example.test"
    shop.habits.protected = "null"
    mine = order(shop, order_id)
    assert (mine["email"], mine["shippingAddress"]) == (None, None)
    assert set(mine["fulfillmentOrders"]["nodes"][0]["destination"].values()) == {None}
    shop.habits.protected = "errors"
    _, body, _ = asked(shop, BY_ID, ids=[f"gid://shopify/Order/{order_id}"])
    assert body["data"]["nodes"][0]["email"] is None
    assert {error["extensions"]["code"] for error in body["errors"]} == {"ACCESS_DENIED"}


def test_a_wrong_token_is_401_with_a_text_for_errors(shop: ShopifyDouble) -> None:
    status, body, _ = asked(shop, "{ shop { id } }", token="shpat_wrong")
    assert status == 401
    assert body == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_token_is_had_for_the_apps_credentials_and_lives_a_day(kind: str) -> None:
    with ShopifyDouble(permanent_token=False) as shop:
        shop.set_clock(NOON)
        fields = {
            "grant_type": "client_credentials",
            "client_id": shop.client_id,
            "client_secret": shop.client_secret,
        }

        def grant(given: dict[str, str]) -> tuple[int, Any]:
            text = json.dumps(given) if "json" in kind else "&".join(f"{k}={v}" for k, v in given.items())
            return post(shop, "/admin/oauth/access_token", text.encode(), {"Content-Type": kind})[:2]

        status, body = grant(fields)
        assert (status, body.keys(), body["expires_in"]) == (200, {"access_token", "scope", "expires_in"}, 86399)
        first = body["access_token"]
        assert asked(shop, "{ shop { id } }", token=first)[0] == 200
        shop.set_clock(at(hours=23))
        second = grant(fields)[1]["access_token"]
        shop.set_clock(at(hours=24))
        assert asked(shop, "{ shop { id } }", token=first)[0] == 401
        assert asked(shop, "{ shop { id } }", token=second)[0] == 200
        shop.tokens.revoke()
        assert asked(shop, "{ shop { id } }", token=second)[0] == 401
        assert grant({**fields, "client_secret": "wrong"})[0] == 400
        assert grant({**fields, "grant_type": "password"})[1]["error"] == "unsupported_grant_type"


# cost

RECORDED = [
    (1, "{ products(first: 1) { edges { node { title } } } }".replace("products", "orders").replace("title", "id"), 3),
    (2, "{ fulfillmentOrders(first: 25) { edges { cursor node { id status requestStatus } } } }", 8),
    (
        3,
        """{ order(id: "gid://shopify/Order/1") { legacyResourceId fulfillmentOrders(first: 25) {
        pageInfo { hasNextPage } edges { cursor node { id updatedAt status requestStatus
        assignedLocation { location { legacyResourceId } } order { legacyResourceId } deliveryMethod { methodType }
        } } } } }""",
        33,
    ),
    (
        4,
        """{ fulfillmentOrder(id: "gid://shopify/FulfillmentOrder/1") { lineItems(first: 25) {
        pageInfo { hasNextPage } edges { cursor node { id totalQuantity remainingQuantity
        lineItem { id product { id } variant { id } } } } } } }""",
        27,
    ),
    (5, "{ orders(first: 200) { pageInfo { hasNextPage } edges { cursor node { id updatedAt } } } }", 12),
    (6, "{ orders(first: 20) { edges { node { id } } pageInfo { hasNextPage endCursor } } }", 7),
    (7, '{ order(id: "gid://shopify/Order/1") { fulfillmentOrders(first: 10) { nodes { id } } } }', 7),
]
"""Queries of a public connector as this schema can say them, and the cost Shopify gave them (shopify_cost.py)."""


@pytest.mark.parametrize(("number", "query", "points"), RECORDED)
def test_a_query_costs_what_shopify_said_it_costs(number: int, query: str, points: int) -> None:
    checked = graph.checked(query, None)
    assert isinstance(checked, graph.Query), checked
    assert cost.requested(checked.root, {}) == points


def test_money_costs_nothing_and_a_plain_list_as_much_as_one(shop: ShopifyDouble) -> None:
    _, body, _ = asked(shop, "{ currentAppInstallation { accessScopes { handle } } }")
    assert body["extensions"]["cost"]["requestedQueryCost"] == body["extensions"]["cost"]["actualQueryCost"] == 2
    query = graph.checked("{ orders(first: 1) { nodes { totalPriceSet { shopMoney { amount } } } } }", None)
    assert isinstance(query, graph.Query)
    assert cost.requested(query.root, {}) == 3


def test_a_query_of_more_than_1000_points_is_refused(shop: ShopifyDouble) -> None:
    error = error_of(shop, BY_ID, ids=["gid://shopify/Order/1"] * 250)
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["maxCost"] == 1000
    assert error["message"].startswith(f"Query cost is {error['extensions']['cost']}, which exceeds")


def test_the_actual_cost_is_that_of_what_was_there_and_never_more(shop: ShopifyDouble) -> None:
    for count in range(4):
        _, body, _ = asked(shop, LIST, first=200)
        told = body["extensions"]["cost"]
        assert told["requestedQueryCost"] == 12
        assert told["actualQueryCost"] == [2, 3, 3, 4][count]
        shop.place(Draft(), at(seconds=count))


def test_P5_an_empty_bucket_says_throttled_with_data_null_and_fills_on_the_shops_clock() -> None:
    with ShopifyDouble(throttle=True, bucket=100, restore_rate=10) as shop:
        shop.set_clock(NOON)
        query = "{ orders(first: 250) { nodes { id } } }"
        for left in (98, 96, 94):
            _, body, _ = asked(shop, query)
            assert body["extensions"]["cost"]["throttleStatus"] == {
                "maximumAvailable": 100.0,
                "currentlyAvailable": left,
                "restoreRate": 10.0,
            }
        for _ in range(41):
            asked(shop, query)
        status, body, _ = asked(shop, query)
        told = body["extensions"]["cost"]
        assert status == 200
        assert body["data"] is None
        assert [(e["message"], e["extensions"]["code"]) for e in body["errors"]] == [("Throttled", "THROTTLED")]
        assert (told["requestedQueryCost"], told["actualQueryCost"]) == (13, None)
        assert told["throttleStatus"]["currentlyAvailable"] == 12
        shop.habits.throttled_status = 429
        status, body, headers = asked(shop, query)
        assert (status, headers["Retry-After"]) == (429, "2.0")
        shop.set_clock(at(seconds=1))
        assert asked(shop, query)[1]["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 20
        shop.set_clock(at(hours=1))
        assert asked(shop, query)[1]["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 98


# what happens to orders


def test_a_cancelled_order_has_nothing_left_and_its_fulfilment_orders_are_closed(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON, locations=2)
    shop.cancel(order_id, at(minutes=1))
    mine = order(shop, order_id)
    assert mine["cancelledAt"] == mine["updatedAt"] == "2026-11-20T12:01:00Z"
    assert mine["displayFinancialStatus"] == "REFUNDED"
    assert [line["currentQuantity"] for line in mine["lineItems"]["nodes"]] == [0, 0]
    assert [part["status"] for part in mine["fulfillmentOrders"]["nodes"]] == ["CLOSED", "CLOSED"]


def test_a_partial_refund_leaves_fewer_of_a_line(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON, lines=[Line("MUG-1", 3), Line("BOWL-2", 2)])
    mug = next(key for key, sku in shop.lines(order_id).items() if sku == "MUG-1")
    shop.take_off(order_id, at(minutes=1), {mug: 1})
    mine = order(shop, order_id)
    assert mine["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert [(line["quantity"], line["currentQuantity"]) for line in mine["lineItems"]["nodes"]] == [(3, 1), (2, 2)]
    lines = mine["fulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"]
    assert [line["remainingQuantity"] for line in lines] == [1, 2]


def test_an_edit_takes_another_address_and_article_to_the_fulfilment_order(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON)
    shop.edit(order_id, Draft(line1="8 Rata Road", city="Hamilton", sku="BOWL-2", quantity=2), at(minutes=1))
    mine = order(shop, order_id)
    (part,) = mine["fulfillmentOrders"]["nodes"]
    assert mine["shippingAddress"]["address1"] == part["destination"]["address1"] == "8 Rata Road"
    assert [(line["sku"], line["currentQuantity"]) for line in mine["lineItems"]["nodes"]] == [
        ("MUG-1", 0),
        ("BOWL-2", 2),
    ]
    assert [line["remainingQuantity"] for line in part["lineItems"]["nodes"]] == [2]
    assert shop.now_holds()[order_id, ""]["quantities"] == {"BOWL-2": 2}


def test_an_article_added_after_all_was_sent_gets_a_fulfilment_order_of_its_own(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON)
    shop.fulfil(order_id, at(minutes=1))
    assert order(shop, order_id)["displayFulfillmentStatus"] == "FULFILLED"
    shop.edit(order_id, Draft(quantity=3), at(minutes=2))
    assert [part["status"] for part in parts(shop, order_id)] == ["CLOSED", "OPEN"]
    assert [hold["quantities"] for hold in shop.now_holds().values()] == [{}, {"MUG-1": 2}]
    assert order(shop, order_id)["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"


def test_only_what_was_sent_has_a_fulfilment_refunded_and_moved_ones_are_closed_without(shop: ShopifyDouble) -> None:
    sent, refunded, moved = (shop.place(Draft(), NOON) for _ in range(3))
    shop.fulfil(sent, at(minutes=1))
    shop.refund(refunded, at(minutes=1))
    shop.move(moved, at(minutes=1))
    asks = "fulfillmentOrders(first: 1) { nodes { status fulfillments(first: 2, reverse: true) { nodes { status } } } }"

    def told(order_id: str) -> tuple[str, list[str]]:
        _, body, _ = asked(shop, f'{{ order(id: "gid://shopify/Order/{order_id}") {{ {asks} }} }}')
        [part] = body["data"]["order"]["fulfillmentOrders"]["nodes"]
        return part["status"], [each["status"] for each in part["fulfillments"]["nodes"]]

    assert [told(order_id) for order_id in (sent, refunded, moved)] == [
        ("CLOSED", ["SUCCESS"]), ("CLOSED", []), ("CLOSED", [])
    ]  # fmt: skip


def test_several_locations_are_several_fulfilment_orders_that_are_sent_one_by_one(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(), NOON, locations=2)
    one, two = parts(shop, order_id)
    assert one["assignedLocation"] != two["assignedLocation"]
    shop.fulfil(order_id, at(minutes=1), part=shop.parts(order_id)[1])
    assert [part["status"] for part in parts(shop, order_id)] == ["OPEN", "CLOSED"]
    assert order(shop, order_id)["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    shop.fulfil(order_id, at(minutes=2))
    assert order(shop, order_id)["displayFulfillmentStatus"] == "FULFILLED"
    assert [part["updatedAt"][14:19] for part in parts(shop, order_id)] == ["02:00", "01:00"]


def test_hold_release_split_move_and_reschedule(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(quantity=3), NOON)
    shop.hold(order_id, at(minutes=1), reason="INCORRECT_ADDRESS", notes="the apartment number is missing.")
    (part,) = parts(shop, order_id)
    assert part["fulfillmentHolds"] == [
        {"reason": "INCORRECT_ADDRESS", "reasonNotes": "the apartment number is missing."}
    ]
    assert order(shop, order_id)["displayFulfillmentStatus"] == "ON_HOLD"
    shop.release(order_id, at(minutes=2))
    assert parts(shop, order_id)[0]["status"] == "OPEN"
    split = shop.split(order_id, at(minutes=3))
    counts = [part["lineItems"]["nodes"][0]["remainingQuantity"] for part in parts(shop, order_id)]
    assert counts == [2, 1]
    moved = shop.move(order_id, at(minutes=4), part=split)
    assert [part["status"] for part in parts(shop, order_id)] == ["OPEN", "CLOSED", "OPEN"]
    assert shop.parts(order_id)[1:] == [split, moved]
    shop.reschedule(order_id, at(minutes=5), at(days=3), part=moved)
    assert parts(shop, order_id)[2]["status"] == "SCHEDULED"
    assert [hold["ships"] for hold in shop.now_holds().values()] == [True, False, False]
    shop.set_clock(at(days=3))
    assert [hold["ships"] for hold in shop.now_holds().values()] == [True, False, True]


def test_a_fulfilment_order_that_is_moved_whole_stays_the_same_one(shop: ShopifyDouble) -> None:
    order_id = shop.place(Draft(quantity=3), NOON)
    assert [shop.move(order_id, at(minutes=1), to=2, in_place=True)] == shop.parts(order_id)
    (part,) = parts(shop, order_id)
    assert (part["status"], part["assignedLocation"]["name"]) == ("OPEN", "Petone Store")


@pytest.mark.parametrize("moves", [False, True])
def test_a_change_of_a_fulfilment_order_alone_may_or_may_not_move_the_orders_date(moves: bool) -> None:
    with ShopifyDouble(parts_move_order=moves) as shop:
        order_id = shop.place(Draft(), NOON)
        shop.hold(order_id, at(minutes=1))
        assert (order(shop, order_id)["updatedAt"] == "2026-11-20T12:01:00Z") is moves
        assert parts(shop, order_id)[0]["updatedAt"] == "2026-11-20T12:01:00Z"


def test_what_the_shop_holds_is_what_it_answers(shop: ShopifyDouble) -> None:
    ids = placed(shop, 7)
    shop.edit(ids[0], Draft(line1="8 Rata Road", city="Hamilton"), at(minutes=1))
    shop.cancel(ids[1], at(minutes=1))
    shop.hold(ids[2], at(minutes=1))
    shop.fulfil(ids[3], at(minutes=1))
    shop.refund(ids[4], at(minutes=1))
    shop.delete(ids[5])
    holds = shop.now_holds()
    assert {key for key, _ in holds} == set(ids) - {ids[5]}
    assert [key for key, hold in holds.items() if hold["ships"]] == [(ids[0], ""), (ids[6], "")]
    for (order_id, _), hold in holds.items():
        (part,) = parts(shop, order_id)
        assert (part["destination"]["address1"], part["destination"]["city"]) == (hold["line1"], hold["city"])
        left = {line["lineItem"]["sku"]: line["remainingQuantity"] for line in part["lineItems"]["nodes"]}
        assert {sku: count for sku, count in left.items() if count} == hold["quantities"]


def test_a_spoilt_order_has_no_readable_date_and_hurts_no_other(shop: ShopifyDouble) -> None:
    ids = placed(shop, 2)
    assert order(shop, ids[0])["updatedAt"] == "2026-11-20T12:00:00Z"
    shop.spoil(ids[0])
    assert [order(shop, each)["updatedAt"] for each in ids] == ["0000-00-00", "2026-11-20T12:00:01Z"]


# webhooks


def test_a_delivery_is_signed_and_a_retry_carries_the_first_body(shop: ShopifyDouble) -> None:
    shop.hooks.is_on = True
    order_id = shop.place(Draft(note="first"), NOON)
    shop.edit(order_id, Draft(note="second"), at(minutes=1))
    created = shop.hooks.deliveries[0]
    headers, body = shop.hooks.signed(created, shop.client_secret)
    digest = hmac.new(shop.client_secret.encode(), body, hashlib.sha256).digest()
    assert headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()
    assert headers["X-Shopify-Topic"] == "orders/create"
    assert headers["X-Shopify-Triggered-At"] == "2026-11-20T12:00:00.000000000Z"
    assert json.loads(body)["note"] == "first"
    assert shop.hooks.signed(created, shop.client_secret) == (headers, body)
    both = shop.hooks.deliveries[1:]
    assert [each.topic for each in both] == ["orders/edited", "orders/updated"]
    assert both[0].event_id == both[1].event_id
    assert both[0].webhook_id != both[1].webhook_id


def test_a_delivered_order_has_the_recorded_ones_fields(shop: ShopifyDouble) -> None:
    recorded = sample("webhook-test-notification.json")
    shop.hooks.is_on = True
    shop.place(Draft(), NOON)
    body = json.loads(shop.hooks.deliveries[0].body)
    newer = {"admin_graphql_api_id", "confirmation_number", "current_quantity"}
    assert body.keys() - newer <= recorded.keys()
    assert body["updated_at"] == "2026-11-21T01:00:00+13:00"
    assert body["line_items"][0].keys() - newer <= recorded["line_items"][0].keys()
    assert body["shipping_address"].keys() <= recorded["shipping_address"].keys()
    for name in ("id", "order_number", "updated_at", "test", "note_attributes", "tags"):
        assert type(body[name]) is type(recorded[name])

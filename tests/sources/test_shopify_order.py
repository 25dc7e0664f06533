"""Shopify orders, REST and GraphQL, whole and in parts: what each odd body becomes, and that none crashes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import selection, slip
from connector.order import Delivery, Fulfilment, Order, Payment, content_hash
from connector.selection import SelectRules, Ship, Skip
from connector.slip import Held, SlipRules
from connector.sources.json_body import NotAnOrder
from connector.sources.shopify_graphql_order import orders_from_shopify_graphql
from connector.sources.shopify_order import order_from_shopify_rest, orders_from_shopify_rest
from connector.sources.shopify_words import FULFILMENTS, PART_STATUSES, PAYMENTS
from tests.sources import golden

KIND = "shopify"
NEEDED = [
    "name",
    "updated_at",
    "cancelled_at",
    "financial_status",
    "fulfillment_status",
    "shipping_address",
    "line_items",
]


def read(body: bytes) -> tuple[Order | NotAnOrder, ...]:
    """A golden body by its shape: {"data": ...}, {"order", "fulfillment_orders"} or {"order"}."""
    told = json.loads(body)
    if "data" in told:
        return orders_from_shopify_graphql(told["data"]["order"])
    if "fulfillment_orders" in told:
        return orders_from_shopify_rest(told["order"], told["fulfillment_orders"])
    return (order_from_shopify_rest(told["order"]),)


def rest(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(golden.body(KIND, "rest_paid"))["order"]
    return body | changes


def part(**changes: Any) -> dict[str, Any]:
    [body] = json.loads(golden.body(KIND, "parts_held_for_its_address"))["fulfillment_orders"]
    return dict(body) | {"fulfillment_holds": []} | changes


def graphql(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(golden.body(KIND, "graphql_open"))["data"]["order"]
    return body | changes


def order(**changes: Any) -> Order:
    found = order_from_shopify_rest(rest(**changes))
    assert isinstance(found, Order)
    return found


def shipped_as(**changes: Any) -> Order:
    [found] = orders_from_shopify_rest(rest(), [part(**changes)])
    assert isinstance(found, Order)
    return found


def is_held(found: Order | NotAnOrder) -> bool:
    return (
        isinstance(found, Order)
        and isinstance(selection.decide(found, SelectRules(), golden.NOW), Ship)
        and isinstance(slip.make(found, SlipRules(), store="kiwi"), Held)
    )


@pytest.mark.parametrize("name", golden.bodies(KIND))
def test_a_recorded_body_becomes_what_is_expected(name: str) -> None:
    golden.check(KIND, name, read(golden.body(KIND, name)))


def test_rest_and_graphql_tell_of_the_same_slip() -> None:
    [by_rest] = orders_from_shopify_rest(rest(), [part()])
    [by_graphql] = orders_from_shopify_graphql(graphql())
    assert isinstance(by_rest, Order)
    assert isinstance(by_graphql, Order)
    assert (by_rest.id, by_rest.part, by_rest.number) == (by_graphql.id, by_graphql.part, by_graphql.number)
    assert by_rest.ship_to.line1 == by_graphql.ship_to.line1
    assert by_rest.revision == by_graphql.revision


def test_the_oldest_fulfilment_order_is_the_order_itself_whatever_the_list_s_order() -> None:
    found = orders_from_shopify_rest(rest(), [part(id=880010), part(id=99999), part(id=880002)])
    assert [each.part for each in found if isinstance(each, Order)] == ["880010", "", "880002"]


@pytest.mark.parametrize(
    ("stamp", "revision"),
    [("2026-11-20T09:00:05+13:00", "2026-11-19T20:00:05Z"), ("2026-11-19T20:00:05Z", "2026-11-19T20:00:05Z"),
     ("2026-11-19T15:00:05-05:00", "2026-11-19T20:00:05Z")],
)  # fmt: skip
def test_P15_a_time_has_one_meaning_in_utc_however_it_is_written(stamp: str, revision: str) -> None:
    assert order(updated_at=stamp).revision == revision


@pytest.mark.parametrize("stamp", ["2026-11-20T09:00:05", "2026-11-20", "", "0001-01-01T00:00:00+13:00"])
def test_P15_a_change_date_without_a_zone_or_a_meaning_holds_the_order(stamp: str) -> None:
    assert is_held(order(updated_at=stamp))


@pytest.mark.parametrize("given", [820982911946154509, "820982911946154509"])
def test_P20_an_id_past_2_to_the_53_keeps_every_digit(given: int | str) -> None:
    assert order(id=given).id == "820982911946154509"
    [found] = orders_from_shopify_graphql(graphql(id=f"gid://shopify/Order/{given}"))
    assert isinstance(found, Order)
    assert found.id == "820982911946154509"


@pytest.mark.parametrize("given", [-5, "draft", 2**63, "1" * 5000])
def test_P20_an_id_that_can_not_be_one_holds_the_order(given: int | str) -> None:
    assert is_held(order(id=given))


@pytest.mark.parametrize("given", [None, 1.5, True, [], "", 0])
def test_P20_a_body_without_an_id_is_no_order(given: object) -> None:
    assert isinstance(order_from_shopify_rest(rest(id=given)), NotAnOrder)


@pytest.mark.parametrize("field", NEEDED)
def test_P26_a_field_that_is_gone_holds_the_order_and_is_named(field: str) -> None:
    body = rest()
    del body[field]
    found = order_from_shopify_rest(body)
    assert is_held(found)
    assert isinstance(found, Order)
    assert field in found.problems[0]


@pytest.mark.parametrize(
    "field", ["address1", "address2", "city", "zip", "country", "province", "company", "first_name"]
)
def test_P26_an_address_that_lost_a_field_is_never_sent_without_it(field: str) -> None:
    body = rest()
    del body["shipping_address"][field]
    found = order_from_shopify_rest(body)
    assert is_held(found)
    assert isinstance(found, Order)
    assert f"shipping_address.{field}" in found.problems[0]


@pytest.mark.parametrize("field", ["status", "request_status", "destination", "line_items"])
def test_P26_a_fulfilment_order_that_lost_a_field_is_held(field: str) -> None:
    body = part()
    del body[field]
    [found] = orders_from_shopify_rest(rest(), [body])
    assert is_held(found)


@pytest.mark.parametrize(
    "field", ["displayFinancialStatus", "cancelledAt", "shippingAddress", "lineItems", "fulfillmentOrders", "name"]
)
def test_P26_a_field_that_graphql_was_not_asked_for_holds_the_order(field: str) -> None:
    body = graphql()
    del body[field]
    [found] = orders_from_shopify_graphql(body)
    assert is_held(found)


def test_trap_D11_the_test_notification_is_nobody_s_parcel_even_without_its_flag() -> None:
    decision = selection.decide(order(id=820982911946154508, test=False), SelectRules(), golden.NOW)
    assert isinstance(decision, Skip)
    assert "test order" in decision.reason


def test_trap_D8_the_name_is_the_number_and_the_id_the_key() -> None:
    found = order(name="#9999", number=234, order_number=1234)
    assert (found.id, found.number) == ("1009", "#9999")


@pytest.mark.parametrize("word", PAYMENTS)
def test_a_payment_word_means_the_same_in_capitals(word: str) -> None:
    [found] = orders_from_shopify_graphql(graphql(displayFinancialStatus=word.upper()))
    assert isinstance(found, Order)
    assert found.payment is order(financial_status=word).payment is PAYMENTS[word]


@pytest.mark.parametrize("word", [None, "in_escrow"])
def test_an_unknown_payment_is_unknown_and_never_a_guess(word: str | None) -> None:
    assert order(financial_status=word).payment is Payment.UNKNOWN


@pytest.mark.parametrize("word", [*filter(None, FULFILMENTS), None])
def test_every_fulfilment_word_has_its_meaning(word: str | None) -> None:
    assert order(fulfillment_status=word).fulfilment is not Fulfilment.UNKNOWN


@pytest.mark.parametrize("word", PART_STATUSES)
def test_every_status_of_a_fulfilment_order_has_its_meaning(word: str) -> None:
    assert shipped_as(status=word).fulfilment is not Fulfilment.UNKNOWN


def test_only_an_open_fulfilment_order_or_one_in_progress_ships() -> None:
    decisions = {word: selection.decide(shipped_as(status=word), SelectRules(), golden.NOW) for word in PART_STATUSES}
    ships = [word for word, decision in decisions.items() if isinstance(decision, Ship)]
    assert ships == ["open", "in_progress", "scheduled"]  # scheduled: its time has come


@pytest.mark.parametrize(
    ("method", "delivery"),
    [("shipping", Delivery.SHIP), ("local", Delivery.LOCAL), ("pick_up", Delivery.PICKUP), ("retail", Delivery.PICKUP),
     ("none", Delivery.NONE), (None, Delivery.SHIP)],
)  # fmt: skip
def test_trap_W1_the_fulfilment_order_tells_how_it_is_delivered(method: str | None, delivery: Delivery) -> None:
    assert shipped_as(delivery_method={"method_type": method}).delivery is delivery


def test_trap_W1_an_unknown_way_of_delivery_holds_it_and_is_quoted() -> None:
    found = shipped_as(delivery_method={"method_type": "drone"})
    assert is_held(found)
    assert '"drone"' in found.problems[0]


def test_trap_W8_the_billing_address_is_never_a_substitute() -> None:
    found = order(shipping_address=None, source_name="shopify_draft_order")
    assert found.bill_to.is_empty()
    assert is_held(found)


def test_trap_W5_the_carts_note_is_the_buyer_s_as_in_the_export_and_a_store_may_leave_it_out() -> None:
    found = order(note="Leave it with the neighbour")
    assert (found.buyer_note, found.staff_note) == ("Leave it with the neighbour", "")


def test_a_destination_in_the_same_place_keeps_the_codes_of_the_order() -> None:
    assert (shipped_as().ship_to.country, shipped_as().ship_to.region) == ("NZ", "NSN")


def test_what_a_part_ships_is_what_remains_of_it() -> None:
    [line] = shipped_as(line_items=[{"line_item_id": 31001, "fulfillable_quantity": 1}]).lines
    assert line.name == "Wool socks - M"
    assert line.quantity == 1


def test_a_line_the_order_was_not_sent_with_may_need_shipping() -> None:
    [line] = shipped_as(line_items=[{"line_item_id": 4, "fulfillable_quantity": 1}]).lines
    assert line.requires_shipping is None


def test_the_later_change_of_order_and_part_is_the_revision() -> None:
    assert shipped_as(updated_at="2026-11-22T00:00:00Z").revision == "2026-11-22T00:00:00Z"
    assert shipped_as(updated_at="2020-01-01T00:00:00Z").revision == "2026-11-19T20:00:05Z"


def test_a_ship_time_that_is_none_holds_a_part_that_waits_for_it() -> None:
    assert is_held(shipped_as(status="scheduled", fulfill_at="soon"))
    assert shipped_as(status="open", fulfill_at="soon").problems == ()


@pytest.mark.parametrize(("status", "waits"), [("scheduled", True), ("open", False), ("in_progress", False)])
def test_P14_only_what_is_scheduled_waits_for_our_clock(status: str, waits: bool) -> None:
    found = shipped_as(status=status, fulfill_at="2999-01-01T00:00:00Z")
    assert (found.hold_until is not None) is waits


CLOSED = {"status": "CLOSED"}


def closed(lines: list[Any] | None = None, **told: Any) -> Order:
    """The golden order with its fulfilment order closed, and what GraphQL tells of its fulfilments."""
    [part] = graphql()["fulfillmentOrders"]["nodes"]
    more = {} if lines is None else {"lineItems": {"nodes": lines, "pageInfo": {"hasNextPage": False}}}
    [found] = orders_from_shopify_graphql(
        graphql(
            fulfillmentOrders={"nodes": [{**part, **CLOSED, **more, **told}], "pageInfo": {"hasNextPage": False}},
            displayFulfillmentStatus="UNFULFILLED",
        )
    )
    assert isinstance(found, Order)
    return found


@pytest.mark.parametrize(
    ("sent", "keeps_slip"),
    [([], False), (["CANCELLED"], False), (["SUCCESS"], True), (["CANCELLED", "SUCCESS"], True)],
)
def test_a_closed_part_was_sent_only_where_a_fulfilment_says_so(sent: list[str], keeps_slip: bool) -> None:
    found = closed(fulfillments={"nodes": [{"status": status} for status in sent]})
    decided = selection.decide(found, SelectRules(), golden.NOW)
    assert isinstance(decided, Skip)
    assert decided.keeps_slip is keeps_slip


@pytest.mark.parametrize("lines", [None, []])
def test_a_closed_part_never_ships_whatever_its_lines_say(lines: list[Any] | None) -> None:
    found = closed(lines, fulfillments={"nodes": []})
    assert selection.decide(found, SelectRules(), golden.NOW) == Skip(
        "Nothing is left to ship: every line was removed, refunded or sent."
    )


@pytest.mark.parametrize("told", [{}, {"fulfillments": None}])
def test_a_closed_part_whose_fulfilments_are_not_told_keeps_its_slip(told: dict[str, Any]) -> None:
    assert closed(**told).fulfilment is Fulfilment.FULFILLED


@pytest.mark.parametrize(
    ("current", "fulfillable", "left"), [(2, 2, 2), (0, 0, 0), (2, 0, 0), (0, 2, 0), (None, 1, 1), (None, None, 2)]
)
def test_the_least_of_what_is_said_to_be_left_counts(current: int | None, fulfillable: int | None, left: int) -> None:
    line = rest()["line_items"][0] | {"current_quantity": current, "fulfillable_quantity": fulfillable}
    assert order(line_items=[line]).lines[0].quantity == left


@pytest.mark.parametrize("quantity", [-1, 1_000_001, 10**30])
def test_T8_a_quantity_that_can_not_be_holds_the_order(quantity: int) -> None:
    line = rest()["line_items"][0] | {"current_quantity": quantity, "fulfillable_quantity": quantity}
    assert is_held(order(line_items=[line]))
    assert is_held(shipped_as(line_items=[{"line_item_id": 31001, "fulfillable_quantity": quantity}]))


@pytest.mark.parametrize("properties", [[], {}, {"name": "a", "value": 3}, [{"name": "a", "value": 2}], None])
def test_properties_of_a_line_may_have_any_shape(properties: object) -> None:
    line = rest()["line_items"][0] | {"properties": properties}
    assert order(line_items=[line]).problems == ()


def test_attributes_may_be_numbers_and_keep_their_order() -> None:
    found = order(
        note_attributes=[{"name": "floor", "value": 3}, {"name": "gift", "value": "yes"}, {"name": "x", "value": []}]
    )
    assert found.attributes == (("floor", "3"), ("gift", "yes"))


def test_a_fulfilment_order_without_its_order_asks_for_the_order() -> None:
    found = order_from_shopify_rest(part())
    assert isinstance(found, NotAnOrder)
    assert found.id == ""
    assert "1009" in found.reason


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"errors":"Not Found"}', b'{"order":{}}', b"\xff"])
def test_a_body_that_is_no_order_says_so(body: bytes) -> None:
    assert isinstance(order_from_shopify_rest(body), NotAnOrder)
    assert all(isinstance(found, NotAnOrder) for found in orders_from_shopify_graphql(body))


def test_an_order_that_has_left_is_not_held_back_for_want_of_fulfilment_orders() -> None:
    [found] = orders_from_shopify_rest(rest(fulfillment_status="fulfilled"), [])
    assert isinstance(found, Order)
    assert found.fulfilment is Fulfilment.FULFILLED


def test_a_node_without_an_id_is_no_order() -> None:
    [found] = orders_from_shopify_graphql(graphql(id="gid://shopify/Order/"))
    assert isinstance(found, NotAnOrder)


def test_a_part_that_is_not_json_is_held_under_the_order() -> None:
    found = orders_from_shopify_rest(rest(), [part(), part(id=float("nan"))])
    assert [is_held(each) for each in found] == [False, True]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "name", "nodes"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(changes=st.dictionaries(st.sampled_from(sorted(rest())), JSON, max_size=4),
       parts=st.lists(st.dictionaries(st.sampled_from(sorted(part())), JSON, max_size=3), max_size=2))  # fmt: skip
def test_P26_whatever_stands_in_a_field_of_rest_all_has_an_answer(
    changes: dict[str, Any], parts: list[dict[str, Any]]
) -> None:
    for found in orders_from_shopify_rest(rest(**changes), [part(**each) for each in parts]):
        assert golden.outcome(found)["outcome"]
        if isinstance(found, Order):
            content_hash(found)


@given(changes=st.dictionaries(st.sampled_from(sorted(graphql())), JSON, max_size=4))
def test_P26_whatever_stands_in_a_field_of_graphql_all_has_an_answer(changes: dict[str, Any]) -> None:
    for found in orders_from_shopify_graphql(graphql(**changes)):
        assert golden.outcome(found)["outcome"]
        if isinstance(found, Order):
            content_hash(found)

"""WooCommerce orders: what each odd body becomes, that a broken one is held, and that none crashes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import selection, slip
from connector.order import Delivery, Fulfilment, Order, Payment, content_hash
from connector.selection import SelectRules, Ship
from connector.slip import Held, SlipRules
from connector.sources.base import Malformed
from connector.sources.json_body import NotAnOrder
from connector.sources.woocommerce_order import STATUSES, order_from_woocommerce, orders_from_woocommerce
from tests.sources import golden

KIND = "woocommerce"
NEEDED = [
    ("id",), ("status",), ("date_modified_gmt",), ("billing",), ("shipping",), ("line_items",), ("shipping_lines",),
    *(("shipping", part) for part in ("first_name", "last_name", "company", "address_1", "address_2", "city", "state",
                                      "postcode", "country")),
    ("line_items", 0, "quantity"), ("line_items", 0, "name"), ("shipping_lines", 0, "method_id"),
]  # fmt: skip


def recorded(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(golden.body(KIND, "processing"))
    return body | changes


def order(**changes: Any) -> Order:
    found = order_from_woocommerce(recorded(**changes))
    assert isinstance(found, Order)
    return found


def is_held(found: Order | NotAnOrder) -> bool:
    """Held by the default rules, with a sentence."""
    return (
        isinstance(found, Order)
        and isinstance(selection.decide(found, SelectRules(), golden.NOW), Ship)
        and isinstance(slip.make(found, SlipRules(), store="kiwi"), Held)
    )


@pytest.mark.parametrize("name", golden.bodies(KIND))
def test_a_recorded_body_becomes_what_is_expected(name: str) -> None:
    golden.check(KIND, name, [order_from_woocommerce(golden.body(KIND, name))])


@pytest.mark.parametrize(
    ("stamp", "revision"),
    [
        ("2026-11-19T20:15:04", "2026-11-19T20:15:04Z"),
        ("2026-11-19T20:15:04Z", "2026-11-19T20:15:04Z"),
        ("2026-11-20T09:15:04+13:00", "2026-11-19T20:15:04Z"),
        ("2026-11-19T20:15:04.900", "2026-11-19T20:15:04Z"),
    ],
)
def test_P15_a_time_has_one_meaning_in_utc_however_it_is_written(stamp: str, revision: str) -> None:
    assert order(date_modified_gmt=stamp).revision == revision


@pytest.mark.parametrize("stamp", ["2026-11-19", "yesterday", "0000-00-00T00:00:00", "1795417093", ""])
def test_P15_a_change_date_that_is_none_holds_the_order(stamp: str) -> None:
    found = order(date_modified_gmt=stamp, date_created_gmt=None)
    assert is_held(found)
    assert found.revision == ""


def test_an_order_never_changed_has_its_creation_as_revision() -> None:
    assert order(date_modified_gmt=None).revision == "2026-11-19T20:15:02Z"


def test_the_creation_is_aware_and_utc() -> None:
    assert order().created_at == datetime(2026, 11, 19, 20, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize("given", [9007199254740993, "9007199254740993"])
def test_P20_an_id_past_2_to_the_53_keeps_every_digit(given: int | str) -> None:
    assert order(id=given).id == "9007199254740993"


@pytest.mark.parametrize("given", [-5, "A-17", 2**63, "007", "9" * 5000, 10**4000])
def test_P20_an_id_that_can_not_be_one_holds_the_order_and_is_quoted(given: int | str) -> None:
    found = order(id=given)
    assert is_held(found)
    assert "id of the order" in found.problems[0]
    assert len(found.problems[0]) < 200


@pytest.mark.parametrize("given", [None, 1.5, True, [7], {}, "", 0])
def test_P20_a_body_without_an_id_is_no_order(given: object) -> None:
    assert isinstance(order_from_woocommerce(recorded(id=given)), NotAnOrder)


@pytest.mark.parametrize("path", NEEDED[1:], ids=str)
def test_P26_a_field_that_is_gone_holds_the_order_and_is_named(path: tuple[str | int, ...]) -> None:
    body = recorded()
    inner: Any = body
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    found = order_from_woocommerce(body)
    assert is_held(found)
    assert isinstance(found, Order)
    assert str(path[-1]) in found.problems[0]


@pytest.mark.parametrize("path", NEEDED[1:], ids=str)
@pytest.mark.parametrize("value", [{"new": 1}, [[1]], True], ids=str)
def test_P26_a_field_of_another_type_holds_the_order(path: tuple[str | int, ...], value: object) -> None:
    body = recorded()
    inner: Any = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert is_held(order_from_woocommerce(body))


def test_P26_no_word_of_the_buyer_is_in_what_is_said_about_a_broken_body() -> None:
    found = order_from_woocommerce(recorded(shipping=["Mere Tūhoe", "14 Kōwhai Street"]))
    assert isinstance(found, Order)
    assert found.problems[0].startswith("WooCommerce sent shipping as array, not as object.")


def test_X12_a_body_that_is_an_id_alone_names_the_order_and_blanks_nothing() -> None:
    found = order_from_woocommerce(b'{"id":42}')
    assert isinstance(found, NotAnOrder)
    assert found.id == "42"


@pytest.mark.parametrize(
    "body",
    [b"", b"webhook_id=1", b"<html>Blocked</html>", b"[]", b"7", b"null", b'{"id":1', b"\xff\xfe", b"[" * 100_000,
     b'{"id":NaN}', b'{"code":"woocommerce_rest_cannot_view","message":"Sorry","data":{"status":401}}',
     b'{"id":51,"amount":"217.14","reason":"Lost in post","line_items":[],"shipping_lines":[],"fee_lines":[]}'],
    ids=repr,
)  # fmt: skip
def test_a_body_that_is_no_order_says_so(body: bytes) -> None:
    found = order_from_woocommerce(body)
    assert isinstance(found, NotAnOrder)
    assert found.id == ""
    assert found.reason.endswith(".")


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_woocommerce_has_its_meaning(status: str) -> None:
    found = order(status=status)
    assert found.status == status
    assert found.payment is not Payment.UNKNOWN


def test_trap_D12_no_status_but_processing_ships_by_default() -> None:
    decisions = {status: selection.decide(order(status=status), SelectRules(), golden.NOW) for status in STATUSES}
    assert [status for status, decision in decisions.items() if isinstance(decision, Ship)] == ["processing"]


def test_an_unknown_status_is_kept_and_its_payment_unknown() -> None:
    found = order(status="wc-packing")
    assert (found.status, found.payment, found.problems) == ("packing", Payment.UNKNOWN, ())


def test_completed_is_fulfilled() -> None:
    assert order(status="completed").fulfilment is Fulfilment.FULFILLED


@pytest.mark.parametrize(
    ("methods", "delivery"),
    [
        (["flat_rate"], Delivery.SHIP),
        (["local_pickup"], Delivery.PICKUP),
        (["local_pickup:2"], Delivery.PICKUP),
        (["pickup_location"], Delivery.PICKUP),
        (["local_delivery"], Delivery.LOCAL),
        (["local_pickup", "flat_rate"], Delivery.SHIP),
        (["some_plugin_rate"], Delivery.SHIP),
        ([None], Delivery.SHIP),
    ],
)
def test_trap_W1_the_method_tells_a_pickup_whatever_the_address_says(methods: list[str], delivery: Delivery) -> None:
    lines = [{"method_id": method, "method_title": "As agreed"} for method in methods]
    assert order(shipping_lines=lines).delivery is delivery


def test_trap_W8_without_a_shipping_method_the_billing_address_is_no_substitute() -> None:
    found = order(shipping_lines=[], created_via="admin")
    assert found.bill_to.is_empty()
    assert found.phone == "021 555 0101"


def test_trap_W4_a_postcode_keeps_its_zeros() -> None:
    assert order(shipping=recorded()["shipping"] | {"postcode": "0181"}).ship_to.postcode == "0181"


def test_trap_W6_entities_stay_for_the_slip_to_read_once() -> None:
    assert order().lines[0].name == "Mug &ndash; <b>blue</b> &amp; white"


@pytest.mark.parametrize("quantity", [-1, 1_000_001, 1e308, "many", "NaN", "Infinity"])
def test_T8_a_quantity_that_can_not_be_holds_the_order(quantity: float | str) -> None:
    found = order(line_items=[{"name": "Mug", "quantity": quantity}])
    assert is_held(found)
    assert "Line 1" in found.problems[0]


def test_a_quantity_may_be_a_fraction() -> None:
    assert order(line_items=[{"name": "Cloth", "quantity": 1.5}]).lines[0].quantity == Decimal("1.5")


def test_trap_D6_parts_of_a_bundle_are_not_counted_again() -> None:
    lines = [{"name": "Set", "quantity": 1, "bundled_by": ""}, {"name": "Cup", "quantity": 6, "bundled_by": 752},
             {"name": "Lid", "quantity": 6, "composite_parent": "752"}]  # fmt: skip
    assert [line.name for line in order(line_items=lines).lines] == ["Set"]


@pytest.mark.parametrize(
    ("refunds", "payment"),
    [
        ([], Payment.PAID),
        (["-8.10"], Payment.PARTIALLY_REFUNDED),
        (["-46.61"], Payment.PARTIALLY_REFUNDED),
        (["-40.00", "-6.62"], Payment.REFUNDED),
        (["much"], Payment.PARTIALLY_REFUNDED),
    ],
)
def test_X10_a_refund_of_a_part_is_told_from_one_of_all(refunds: list[str], payment: Payment) -> None:
    assert order(refunds=[{"id": 1, "total": total} for total in refunds]).payment is payment


def test_an_order_that_cost_nothing_is_never_refunded_by_nothing() -> None:
    assert order(total="0.00", refunds=[{"id": 1, "total": "0.00"}]).payment is Payment.PARTIALLY_REFUNDED


@pytest.mark.parametrize("parent", [101, "101"])
def test_an_order_that_is_part_of_another_one_is_held_since_that_one_has_its_goods(parent: Any) -> None:
    found = order(parent_id=parent)
    assert is_held(found)
    assert 'belongs to order "101"' in found.problems[0]


@pytest.mark.parametrize("parent", [0, "0", "", None, False])
def test_an_order_without_a_parent_is_one_of_its_own(parent: Any) -> None:
    assert order(parent_id=parent).problems == ()


def test_meta_data_with_gaps_that_php_wrote_as_an_object_is_read() -> None:
    metas = {"0": {"id": 1, "key": "gift", "value": "yes"}, "2": {"id": 3, "key": "floor", "value": 3}}
    assert order(meta_data=metas).attributes == (("gift", "yes"), ("floor", "3"))


def test_a_number_that_the_shop_shows_is_not_overruled_by_meta_data() -> None:
    metas = [{"id": 1, "key": "_order_number", "value": "42"}]
    assert order(number="W-9", meta_data=metas).number == "W-9"
    assert order(number="7101", meta_data=metas).number == "42"


def test_T4_half_an_emoji_is_left_out_so_that_the_order_can_be_stored() -> None:
    found = order_from_woocommerce(golden.body(KIND, "half_an_emoji_in_the_note"))
    assert isinstance(found, Order)
    assert found.buyer_note == "Thank you "
    assert content_hash(found)


def test_T1_one_broken_order_of_a_page_hides_no_other() -> None:
    broken = recorded(id=2, shipping=[])
    page = json.dumps([recorded(id=1), broken, {"id": 3}, 7, recorded(id=4)]).encode()
    found = orders_from_woocommerce(page)
    assert [type(each).__name__ for each in found] == ["Order", "Order", "NotAnOrder", "NotAnOrder", "Order"]
    assert [is_held(each) for each in found] == [False, True, False, False, False]


def test_a_page_read_at_once_and_one_by_one_is_the_same() -> None:
    bodies = [recorded(id=1), recorded(id=2, status="trash")]
    alone = tuple(order_from_woocommerce(body) for body in bodies)
    assert orders_from_woocommerce(json.dumps(bodies).encode()) == alone
    assert orders_from_woocommerce(json.dumps([*bodies, None]).encode())[:2] == alone


@pytest.mark.parametrize("page", [b"<html>", b"", b'{"code":"x"}', b'{"orders":[]}', b"null"])
def test_P7_a_page_that_is_no_list_is_never_read_as_no_orders(page: bytes) -> None:
    with pytest.raises(Malformed, match="not a list of orders"):
        orders_from_woocommerce(page)


def test_an_empty_page_has_no_orders() -> None:
    assert orders_from_woocommerce(b"[]") == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "key", "total"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(changes=st.dictionaries(st.sampled_from(sorted(recorded())), JSON, max_size=4))
def test_P26_whatever_stands_in_a_field_nothing_crashes_and_all_has_an_answer(changes: dict[str, Any]) -> None:
    found = order_from_woocommerce(recorded(**changes))
    assert golden.outcome(found)["outcome"] in {"made", "held", "skip", "wait", "withdraw", "not an order"}
    if isinstance(found, Order):
        content_hash(found)

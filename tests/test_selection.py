"""Which orders ship, wait, are skipped or are withdrawn, and in which words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.order import Address, Delivery, Fulfilment, Order, OrderLine, Payment
from connector.selection import SHIP, Decision, SelectRules, Ship, Skip, Wait, Withdraw, decide

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SOMEWHERE = Address(name="Jo Bell", line1="12 Queen Street", city="Auckland", country="NZ")
MUG = OrderLine(name="Mug", requires_shipping=True)
VOUCHER = OrderLine(name="Voucher", requires_shipping=False)


def order(**parts: Any) -> Order:
    usual: dict[str, Any] = {"id": "1", "number": "#1001", "revision": "1", "ship_to": SOMEWHERE, "lines": (MUG,)}
    return Order(**(usual | parts))


def decided(rules: SelectRules | None = None, **parts: Any) -> Decision:
    return decide(order(**parts), rules or SelectRules(), NOW)


def test_a_paid_unfulfilled_order_with_something_to_ship_ships() -> None:
    assert decided() is SHIP


@pytest.mark.parametrize(
    "parts",
    [
        {"payment": Payment.PARTIALLY_REFUNDED},
        {"fulfilment": Fulfilment.PARTIAL},
        {"lines": (MUG, VOUCHER)},
        {"lines": (OrderLine(requires_shipping=None),)},
        {"lines": ()},
        {"hold_until": NOW - timedelta(hours=1)},
        {"hold_until": NOW},
    ],
)
def test_these_ship_too(parts: dict[str, Any]) -> None:
    assert isinstance(decided(**parts), Ship)


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ({"cancelled": True}, "cancelled"),
        ({"payment": Payment.REFUNDED}, "refunded"),
        ({"payment": Payment.VOIDED}, "voided"),
        ({"cancelled": True, "fulfilment": Fulfilment.FULFILLED}, "cancelled"),
        ({"cancelled": True, "delivery": Delivery.PICKUP, "test": True}, "cancelled"),
    ],
)
def test_a_cancelled_refunded_or_voided_order_is_withdrawn(parts: dict[str, Any], word: str) -> None:
    answer = decided(**parts)
    assert isinstance(answer, Withdraw)
    assert word in answer.reason


def test_a_fulfilled_order_is_skipped_and_keeps_its_slip() -> None:
    assert decided(fulfilment=Fulfilment.FULFILLED) == Skip("The shop says it is fulfilled already.", keeps_slip=True)


def test_a_refund_after_fulfilment_is_a_return_and_withdraws_nothing() -> None:
    answer = decided(fulfilment=Fulfilment.FULFILLED, payment=Payment.REFUNDED)
    assert isinstance(answer, Skip)
    assert answer.keeps_slip


@pytest.mark.parametrize(
    "parts",
    [
        {"delivery": Delivery.PICKUP},
        {"delivery": Delivery.NONE, "lines": (VOUCHER,)},
        {"delivery": Delivery.NONE, "ship_to": Address()},
        {"lines": (VOUCHER, VOUCHER)},
        {"shipping_method": "Click & Collect, Newmarket"},
        {"shipping_method": "PICK UP in store"},
        {"delivery": Delivery.LOCAL},
    ],
)
def test_T9_pickups_and_digital_goods_are_not_for_freight(parts: dict[str, Any]) -> None:
    answer = decided(**parts)
    assert isinstance(answer, Skip)
    assert answer.reason.startswith("Not for freight")
    assert not answer.keeps_slip


def test_T9_a_pickup_that_its_channel_calls_shipping_is_seen_by_its_method() -> None:
    answer = decided(delivery=Delivery.SHIP, shipping_method="Collect from Newmarket Store")
    assert isinstance(answer, Skip)
    assert '"collect from"' in answer.reason
    assert "pickup_words" in answer.reason


def test_goods_and_an_address_without_any_delivery_wait_for_a_person() -> None:
    assert isinstance(decided(delivery=Delivery.NONE), Wait)


def test_T9_nothing_left_to_ship_is_skipped() -> None:
    gone = OrderLine(quantity=Decimal(0))
    assert decided(lines=(gone,)) == Skip("Nothing is left to ship: every line was removed, refunded or sent.")


def test_what_left_in_part_keeps_its_slip_when_nothing_remains() -> None:
    answer = decided(lines=(OrderLine(quantity=Decimal(0)),), fulfilment=Fulfilment.PARTIAL)
    assert isinstance(answer, Skip)
    assert answer.keeps_slip


@pytest.mark.parametrize("quantity", ["NaN", "sNaN", "Infinity", "-1", "1E+308"])
def test_T8_an_odd_quantity_is_left_for_the_slip_to_hold(quantity: str) -> None:
    assert decided(lines=(OrderLine(quantity=Decimal(quantity)),)) is SHIP


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"payment": Payment.PENDING}, Wait),
        ({"payment": Payment.AUTHORIZED}, Wait),
        ({"payment": Payment.PARTIALLY_PAID}, Wait),
        ({"payment": Payment.UNKNOWN}, Wait),
        ({"fulfilment": Fulfilment.ON_HOLD}, Wait),
        ({"fulfilment": Fulfilment.UNKNOWN}, Wait),
        ({"hold_until": NOW + timedelta(hours=1)}, Wait),
        ({"test": True}, Skip),
        ({"draft": True}, Skip),
    ],
)
def test_T12_unpaid_held_test_and_draft_orders_are_not_sent(parts: dict[str, Any], kind: type) -> None:
    assert isinstance(decided(**parts), kind)
    assert decided() is SHIP


def test_T12_the_reason_quotes_the_payment_and_names_the_setting() -> None:
    answer = decided(payment=Payment.PENDING)
    assert answer == Wait('Its payment is "pending"; to ship such orders, add "pending" to payments in [select].')
    assert decided(SelectRules(payments=(Payment.PAID, Payment.PENDING)), payment=Payment.PENDING) is SHIP


def test_an_unknown_word_is_quoted_as_the_source_found_it() -> None:
    answer = decided(payment=Payment.UNKNOWN, problems=('Financial Status "layby" is not known.',))
    assert isinstance(answer, Wait)
    assert '"layby"' in answer.reason


def test_a_hold_tells_its_reason_and_its_end() -> None:
    later = NOW + timedelta(days=1)
    answer = decided(fulfilment=Fulfilment.ON_HOLD, hold_reason="high_risk", hold_until=later)
    assert answer == Wait("The shop holds it until 2026-11-24 12:00 UTC (high_risk); release it in the shop.", later)


def test_a_hold_whose_end_is_past_by_our_clock_waits_until_the_shop_says_so_and_the_shop_is_asked() -> None:
    past = NOW - timedelta(days=1)
    answer = decided(fulfilment=Fulfilment.ON_HOLD, hold_until=past)
    assert isinstance(answer, Wait)
    assert answer.until == past


def test_local_delivery_and_test_orders_ship_where_the_store_says_so() -> None:
    assert decided(SelectRules(local_delivery=True), delivery=Delivery.LOCAL) is SHIP
    assert decided(SelectRules(include_test_orders=True), test=True) is SHIP


def test_orders_before_the_first_day_are_left_alone() -> None:
    rules = SelectRules(since=date(2026, 11, 1))
    before = decided(rules, created_at=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    assert before == Skip("It was created before 2026-11-01 (since in [select]).", keeps_slip=True)
    assert decided(rules, created_at=datetime(2026, 11, 1, tzinfo=UTC)) is SHIP


def test_an_order_whose_date_can_t_be_read_may_be_older_than_the_first_day_and_waits() -> None:
    rules = SelectRules(since=date(2026, 11, 1))
    answer = decided(rules, created_at=None)
    assert isinstance(answer, Wait)
    assert "2026-11-01 (since in [select])" in answer.reason
    assert decided(created_at=None) is SHIP
    assert decided(rules, created_at=None, problems=("It is broken.",)) is SHIP, "the slip holds it, and tells"


@pytest.mark.parametrize(
    ("rules", "parts", "ships"),
    [
        (SelectRules(skip_tags=("Hold",)), {"tags": ("vip", "hold ")}, False),
        (SelectRules(skip_tags=("hold",)), {"tags": ("household",)}, True),
        (SelectRules(only_tags=("freight",)), {"tags": ("FREIGHT",)}, True),
        (SelectRules(only_tags=("freight",)), {}, False),
        (SelectRules(skip_methods=("courier post",)), {"shipping_method": "CourierPost / Courier Post"}, False),
        (SelectRules(only_methods=("express",)), {"shipping_method": "NZ Express"}, True),
        (SelectRules(only_methods=("express",)), {"shipping_method": "Standard"}, False),
        (SelectRules(pickup_words=()), {"shipping_method": "Pickup truck parts rate"}, True),
    ],
)
def test_tags_and_methods_choose(rules: SelectRules, parts: dict[str, Any], *, ships: bool) -> None:
    assert (decided(rules, **parts) is SHIP) is ships


def test_statuses_of_the_shop_choose_where_the_store_names_them() -> None:
    rules = SelectRules(statuses=("processing",))
    assert decided(rules, status="Processing") is SHIP
    waiting = decided(rules, status="awaiting-proof")
    assert isinstance(waiting, Wait)
    assert '"awaiting-proof"' in waiting.reason
    assert "statuses" in waiting.reason


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        SelectRules.model_validate({"payment": ["paid"]})


@given(
    st.builds(
        Order,
        id=st.just("1"),
        number=st.text(max_size=5),
        revision=st.just("1"),
        payment=st.sampled_from(Payment),
        fulfilment=st.sampled_from(Fulfilment),
        delivery=st.sampled_from(Delivery),
        cancelled=st.booleans(),
        draft=st.booleans(),
        hold_until=st.none() | st.just(NOW) | st.just(NOW + timedelta(days=1)),
        ship_to=st.just(SOMEWHERE) | st.just(Address()),
        shipping_method=st.text(max_size=20),
        lines=st.lists(st.builds(OrderLine, quantity=st.decimals())).map(tuple),
    )
)
def test_every_order_gets_a_decision_and_only_the_living_ship(one: Order) -> None:
    answer = decide(one, SelectRules(), NOW)
    if isinstance(answer, Ship):
        assert not one.cancelled
        assert one.payment in SelectRules().payments
        assert one.delivery is Delivery.SHIP
    else:
        assert answer.reason.endswith(".")

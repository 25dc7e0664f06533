"""What Shopify's deliveries mean: which order to read again, whose data is to go, and what means nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sources.base import HearsDeliveries, Hint
from connector.sources.shopify import ShopifySource
from connector.sources.shopify_heard import hint_of
from connector.testing.shop_double import Draft
from tests.shops.shopify import ShopifyDouble

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SHOP = {"shop_id": 954889, "shop_domain": "kiwi.example.test"}


def of(**body: Any) -> Hint:
    return hint_of(json.dumps(body).encode())


def test_the_source_hears_deliveries() -> None:
    assert isinstance(ShopifySource.__new__(ShopifySource), HearsDeliveries)


def test_every_delivery_about_an_order_names_it() -> None:
    with ShopifyDouble() as shop:
        shop.hooks.is_on = True
        order = shop.place(Draft(), AT)
        shop.edit(order, Draft(line1="99 Rata Road"), AT)
        shop.refund(order, AT)
        shop.cancel(order, AT)
        shop.delete(order)
        told = [each for each in shop.hooks.deliveries if not each.topic.startswith("fulfillment_orders/")]
        assert {each.topic for each in told} >= {"orders/create", "orders/edited", "refunds/create", "orders/delete"}
        assert {each.topic for each in told if hint_of(each.body) != Hint(ids=(order,))} == set()


def test_a_fulfilment_order_that_names_no_order_means_nothing_and_is_no_fault() -> None:
    with ShopifyDouble() as shop:
        shop.hooks.is_on = True
        shop.hold(shop.place(Draft(), AT), AT)
        told = [each for each in shop.hooks.deliveries if each.topic.startswith("fulfillment_orders/")]
        assert told
        assert {hint_of(each.body) for each in told} == {Hint()}


def test_a_fulfilment_order_that_names_its_order_has_it_read_again() -> None:
    assert of(fulfillment_order={"id": 5, "order_id": 42}) == Hint(ids=("42",))
    moved = {"original_fulfillment_order": {"id": 5}, "moved_fulfillment_order": {"id": 6, "order_id": 42}}
    assert of(**moved) == Hint(ids=("42",))


def test_refunds_fulfilments_and_edits_name_their_order() -> None:
    assert of(id=7, order_id=42, refund_line_items=[]) == Hint(ids=("42",))
    assert of(id=7, order_id=42, status="success", line_items=[]) == Hint(ids=("42",))
    assert of(order_edit={"id": 7, "order_id": 42}) == Hint(ids=("42",))


def test_trap_D11_a_test_notification_means_nothing() -> None:
    assert hint_of(b'{"id": 820982911946154508, "name": "#9999", "line_items": []}') == Hint()


def test_trap_W3_ids_past_2_to_the_53_are_exact() -> None:
    assert hint_of(b'{"id": 9007199254740993, "line_items": []}') == Hint(ids=("9007199254740993",))


@pytest.mark.parametrize(
    "body",
    [{"id": 5, "variants": []}, {"id": 5, "addresses": []}, {"inventory_item_id": 5}, {"id": 5, "plan_name": ""}],
)
def test_products_customers_and_the_shop_itself_are_no_orders(body: dict[str, Any]) -> None:
    assert of(**body) == Hint()


def test_W31_customers_redact_names_the_orders_to_forget() -> None:
    customer = {"id": 1, "email": "aroha@example.test", "phone": "021 555 0101"}
    assert of(**SHOP, customer=customer, orders_to_redact=[299938, 280263]) == Hint(redact=("299938", "280263"))
    assert of(**SHOP, customer=customer, orders_to_redact=[]) == Hint()
    assert of(**SHOP, orders_to_redact=["x", None, 5]) == Hint(redact=("5",))
    assert of(**SHOP, orders_to_redact=5) == Hint()


def test_W31_shop_redact_and_data_requests_go_to_a_person_without_a_customers_detail() -> None:
    asked = of(**SHOP, customer={"email": "aroha@example.test"}, orders_requested=[1], data_request={"id": 9})
    assert "customers/data_request" in asked.fault
    assert "aroha" not in asked.fault
    assert "shop/redact" in of(**SHOP).fault


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": 0}', b'{"id": 1.5}', b'{"order_id": null}', b"\xff"])
def test_W20_what_names_nothing_is_a_fault(body: bytes) -> None:
    assert hint_of(body).fault.endswith(".")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(("id", "order_id", "fulfillment_order", "orders_to_redact", "order_edit")) | st.text(),
            inner,
        )
    ),
    max_leaves=10,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_no_bytes_at_all_make_it_raise(body: bytes) -> None:
    hint = hint_of(body)
    assert all(one.isdigit() and one.isascii() for one in (*hint.ids, *hint.redact))
    assert not (hint.fault and hint.ids)

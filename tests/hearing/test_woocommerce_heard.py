"""What WooCommerce's deliveries mean: the body's shape tells which order to read again, whatever its headers say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sources.base import HearsDeliveries, Hint
from connector.sources.woocommerce import WooCommerceSource
from connector.sources.woocommerce_heard import hint_of
from tests.sources.woo_shop import NOW, visiting

RECORDED = Path(__file__).resolve().parents[2] / "../shared/samples/woocommerce-live/webhooks"


def of(**body: Any) -> Hint:
    return hint_of(json.dumps(body).encode())


def test_the_source_hears_deliveries() -> None:
    assert isinstance(WooCommerceSource.__new__(WooCommerceSource), HearsDeliveries)


def test_every_delivery_of_a_shop_names_its_order(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        [order] = visit.place(1, via="store-api")
        visit.shop.trash(order, NOW)
        visit.shop.restore(order, NOW)
        deliveries = visit.shop.deliveries(NOW)
        assert len(deliveries) == 4
        assert {visit.source.heard("", each.body) for each in deliveries} == {Hint(ids=(order,))}
        assert visit.source.heard("", visit.shop.hooks.ping().body) == Hint()


def test_W6_the_topic_decides_nothing(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        body = b'{"id": 42, "status": "processing"}'
        for topic in ("order.deleted", "product.updated", "x", ""):
            assert visit.source.heard(topic, body) == Hint(ids=("42",))


def test_a_deleted_order_is_only_asked_for() -> None:
    assert of(id=42) == Hint(ids=("42",))


def test_an_error_in_place_of_an_order_means_nothing() -> None:
    code = "woocommerce_rest_shop_order_invalid_id"
    assert of(code=code, message="Invalid ID.", data={"status": 404}) == Hint()


@pytest.mark.parametrize(
    "body",
    [
        {"id": 5, "sku": "MUG-1", "permalink": "https://shop.example/mug", "type": "simple"},
        {"id": 5, "code": "SUMMER", "discount_type": "percent"},
        {"id": 5, "username": "aroha", "is_paying_customer": True},
    ],
)
def test_products_coupons_and_customers_have_ids_that_are_no_orders(body: dict[str, Any]) -> None:
    assert of(**body) == Hint()


def test_a_refund_names_its_order() -> None:
    assert of(id=7, parent_id=42, amount="5.00", refunded_by=1) == Hint(ids=("42",))


def test_a_child_order_is_itself_and_not_its_parent() -> None:
    assert of(id=7, parent_id=42, status="processing") == Hint(ids=("7",))


def test_trap_W3_ids_past_2_to_the_53_are_exact() -> None:
    assert of(id=2**63 - 1) == Hint(ids=(str(2**63 - 1),))
    assert hint_of(b'{"id": 9007199254740993}') == Hint(ids=("9007199254740993",))


@pytest.mark.parametrize("value", [0, -1, 2**63, 1.5, 1e300, True, None, "", "x", "1 or 1=1", [1], {"id": 1}])
def test_what_is_no_id_is_a_fault(value: Any) -> None:
    assert of(id=value).fault.startswith("A signed delivery")
    assert of(id=value).ids == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"1", b'"42"', b"{", b"\xff", b"\xef\xbb\xbf", b"[" * 100_000])
def test_W20_W32_what_is_no_object_is_a_fault(body: bytes) -> None:
    hint = hint_of(body)
    assert hint.fault.endswith(".")
    assert hint.ids == ()


def test_a_webhook_of_an_action_is_a_fault_that_names_it() -> None:
    assert '"woocommerce_add_to_cart"' in of(action="woocommerce_add_to_cart", arg="x").fault


def test_W32_a_byte_order_mark_is_no_part_of_the_body() -> None:
    assert hint_of(b'\xef\xbb\xbf{"id": 42}') == Hint(ids=("42",))


def test_W21_a_ping_means_nothing() -> None:
    assert hint_of(b"webhook_id=7") == Hint()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("id", "code", "parent_id")) | st.text(), inner),
    max_leaves=10,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_no_bytes_at_all_make_it_raise(body: bytes) -> None:
    hint = hint_of(body)
    assert all(one.isdigit() and one.isascii() for one in hint.ids)
    assert not (hint.fault and hint.ids)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the shared samples are not beside this project")
def test_of_all_recorded_deliveries_none_is_a_fault() -> None:
    hints = {path.name: hint_of(path.read_bytes()) for path in sorted(RECORDED.glob("*.body"))}
    assert [name for name, hint in hints.items() if hint.fault] == []
    nothing = [name.split("-")[0] for name, hint in hints.items() if hint == Hint()]
    assert nothing == ["001", "002", "003", "004", "080", "081"], "the pings, and the errors in place of an order"
    assert len(hints) > 200

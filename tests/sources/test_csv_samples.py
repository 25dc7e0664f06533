"""Exports that real shops wrote, where they lie beside the project: nothing of them is copied here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from connector.order import Delivery, Fulfilment, Payment
from tests.sources.csv_shop import Shop

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not beside the project")


def test_all_fifty_orders_of_a_real_shopify_export_come_out(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.drop((SAMPLES / "shopify" / "orders_export-za-masked.csv").read_bytes())
    orders = shop.orders()
    assert (len(orders), sum(len(one.lines) for one in orders)) == (50, 101)
    assert len({one.id for one in orders}) == len({one.number for one in orders}) == 50
    assert not [problem for one in orders for problem in one.problems]
    assert Counter(one.payment for one in orders) == {Payment.PAID: 35, Payment.PENDING: 13, Payment.VOIDED: 2}
    assert Counter(one.fulfilment for one in orders) == {
        Fulfilment.FULFILLED: 27,
        Fulfilment.UNFULFILLED: 21,
        Fulfilment.PARTIAL: 2,
    }
    assert sum(one.cancelled for one in orders) == 2
    assert [one.number for one in orders if one.delivery is Delivery.NONE] == ["#13562"]
    assert sum(one.shipping_method.startswith("Collect from") for one in orders) == 8
    assert sum(one.attributes != () for one in orders) == 8
    assert all(one.ship_to.postcode.startswith("'") for one in orders if one.ship_to.postcode)
    assert all(one.created_at for one in orders)


def test_the_default_layout_of_advanced_order_export_is_known(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    shop.drop((SAMPLES / "woocommerce" / "csv-header-advanced-order-export.csv").read_bytes())
    [page] = shop.pages()
    assert page.notes == ("orders.csv: it has a header and no orders; no order was changed by it.",)

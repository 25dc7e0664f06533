"""What the exports of WooCommerce's plug-ins come out as. Invented orders, in the plug-ins' own columns."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connector.order import Address, Delivery, Fulfilment, OrderLine, Payment
from connector.sources.csv_lines import lines_of_cells
from tests.sources.csv_shop import Shop

ADVANCED = (
    '"Order Number","Order Status","Order Date","Customer Note","First Name (Billing)","Last Name (Billing)",'
    '"Company (Billing)","Address 1&2 (Billing)","City (Billing)","State Code (Billing)","Postcode (Billing)",'
    '"Country Code (Billing)","Email (Billing)","Phone (Billing)","First Name (Shipping)","Last Name (Shipping)",'
    '"Address 1&2 (Shipping)","City (Shipping)","State Code (Shipping)","Postcode (Shipping)",'
    '"Country Code (Shipping)","Item #",SKU,Name,Quantity,"Quantity (- Refund)","Item Cost"\n'
)
BILLED = "Ben,Totara,,1 Quarry Road,Timaru,CAN,7910,NZ,ben@example.nz,021 555 0102"
SHIPPED = 'Hana,Puriri,"Level 3, 9 Ferry Lane",Timaru,CAN,7910,NZ'


def advanced(*rows: str) -> str:
    return ADVANCED + "".join(f"{row}\n" for row in rows)


@pytest.mark.parametrize("dialect", ["woocommerce", "woocommerce-advanced"])
def test_an_order_of_advanced_order_export_comes_out_whole(tmp_path: Path, dialect: str) -> None:
    shop = Shop(tmp_path, dialect=dialect)
    shop.drop(advanced(f'812,Processing,2026-11-22 14:30,"Ring, please",{BILLED},{SHIPPED},1,MUG-TUI,Tui mug,3,2,32'))
    [one] = shop.orders()
    assert (one.id, one.number, one.status, one.payment) == ("812", "812", "Processing", Payment.PAID)
    assert one.ship_to == Address("Hana Puriri", "", "Level 3, 9 Ferry Lane", "", "Timaru", "CAN", "", "7910", "NZ")
    assert (one.bill_to.name, one.bill_to.phone, one.email) == ("Ben Totara", "021 555 0102", "ben@example.nz")
    assert one.lines == (OrderLine("Tui mug", "MUG-TUI", Decimal(2), None, "32"),)
    assert one.created_at == datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
    assert one.buyer_note == "Ring, please"


@pytest.mark.parametrize("populated", [True, False], ids=["populated", "not populated"])
def test_trap_L20_further_rows_of_advanced_order_export_may_be_populated_or_not(
    tmp_path: Path, populated: bool
) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    order_cells = f"812,Processing,2026-11-22 14:30,,{BILLED},{SHIPPED}"
    further = order_cells if populated else "," * 20
    other = f"813,Processing,2026-11-22 14:31,,{BILLED},{SHIPPED}"
    shop.drop(advanced(f"{order_cells},1,A,Mug,1,1,3", f"{further},2,B,Tea,1,1,4", f"{other},1,C,Cup,1,1,5"))
    first, second = shop.orders()
    assert [line.sku for line in first.lines] == ["A", "B"]
    assert [line.sku for line in second.lines] == ["C"]
    assert not first.problems


def test_a_woocommerce_order_without_a_shipping_address_is_no_pickup_by_that(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    shop.drop(advanced(f"812,Processing,2026-11-22,,{BILLED},,,,,,,,1,A,Mug,1,1,3"))
    [one] = shop.orders()
    assert (one.delivery, one.ship_to.is_empty(), one.bill_to.line1) == (Delivery.SHIP, True, "1 Quarry Road")


NOWHERE = ",,,,,,"


@pytest.mark.parametrize(
    ("title", "shipped", "delivery"),
    [
        ("Collect", NOWHERE, Delivery.PICKUP),
        ("Collection", NOWHERE, Delivery.PICKUP),
        ("Free collection (Mon-Fri)", NOWHERE, Delivery.PICKUP),
        ("COLLECT", ",,-,,,,", Delivery.PICKUP),
        ("Collect", SHIPPED, Delivery.SHIP),
        ("Courier, signature collected", NOWHERE, Delivery.SHIP),
        ("Collectibles by courier", NOWHERE, Delivery.SHIP),
        ("Courier", NOWHERE, Delivery.SHIP),
        ("", NOWHERE, Delivery.SHIP),
    ],
)
def test_trap_W8_an_order_to_collect_that_has_no_address_is_a_pickup_where_the_export_has_only_the_methods_title(
    tmp_path: Path, title: str, shipped: str, delivery: Delivery
) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    header = ADVANCED.replace('"Item #"', '"Shipping Method Title"')
    shop.drop(f'{header}812,Processing,2026-11-22,,{BILLED},{shipped},"{title}",A,Mug,1,1,3\n')
    assert [one.delivery for one in shop.orders()] == [delivery]


SNAKE = (
    "order_id,order_number,{date},status,shipping_method,{items}billing_first_name,billing_last_name,billing_email,"
    "billing_phone,shipping_first_name,shipping_last_name,shipping_company,shipping_phone,shipping_address_1,"
    "shipping_address_2,shipping_postcode,shipping_city,shipping_state,shipping_country,customer_note"
)
PERSON = "Ben,Totara,ben@example.nz,021 555 0102,Hana,Puriri,Puriri Ltd,,9 Ferry Lane,,7910,Timaru,CAN,NZ,"


def test_an_order_of_webtoffee_has_its_lines_in_columns(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    header = SNAKE.format(date="order_date", items="shipping_items,") + ",wt_import_key,line_item_1,line_item_2"
    line = "name:Tui & co|product_id:7|sku:MUG|quantity:2|total:9.00|sub_total:9.00"
    items = "items:Mug &times; 1|method_id:local_pickup"
    shop.drop(f"{header}\n812,W-812,2026-11-22 14:30:00,wc-processing,Pick up,{items},{PERSON},W-812,{line},\n")
    [one] = shop.orders()
    assert (one.id, one.number, one.payment, one.delivery) == ("812", "W-812", Payment.PAID, Delivery.PICKUP)
    assert one.lines == (OrderLine("Tui & co", "MUG", Decimal(2), None, "4.50"),)
    assert (one.ship_to.name, one.ship_to.company) == ("Hana Puriri", "Puriri Ltd")


SNAKE_PLUG_INS = {"woocommerce-webtoffee": "line_item_1", "woocommerce-skyverge": "line_items"}
EXPORT_AGAIN = "Export again with all columns, or say in [source.columns] what they are called here."


@pytest.mark.parametrize(("dialect", "lines"), SNAKE_PLUG_INS.items())
def test_C9_an_export_without_the_second_address_line_is_refused(tmp_path: Path, dialect: str, lines: str) -> None:
    """A flat's number stands there: the parcel would go to the building's door."""
    shop = Shop(tmp_path, dialect=dialect)
    header = SNAKE.format(date="order_date", items="").replace("shipping_address_2,", "")
    person = PERSON.replace("9 Ferry Lane,,", "9 Ferry Lane,")
    shop.drop(f"{header},{lines}\n812,812,2026-11-22,processing,Courier,{person},name:Mug|quantity:1\n")
    assert shop.refusal() == f'orders.csv: columns are missing: line2 ("shipping_address_2"). {EXPORT_AGAIN}'


BOTH_LINES = "Address 1&2 (Shipping)"


@pytest.mark.parametrize(
    ("columns", "cells", "lines"),
    [
        ("Address 1 (Shipping),Address 2 (Shipping)", "9 Ferry Lane,Level 3", ("9 Ferry Lane", "Level 3")),
        (BOTH_LINES, '"9 Ferry Lane, Level 3"', ("9 Ferry Lane, Level 3", "")),
        (f"Address 1 (Shipping),{BOTH_LINES}", '9 Ferry Lane,"9 Ferry Lane, Level 3"', ("9 Ferry Lane, Level 3", "")),
        (
            f"{BOTH_LINES},Address 1 (Shipping),Address 2 (Shipping)",
            '"9 Ferry Lane, Level 3",9 Ferry Lane,Level 3',
            ("9 Ferry Lane", "Level 3"),
        ),
    ],
)
def test_both_lines_of_an_address_are_read_once_from_whatever_columns_have_them(
    tmp_path: Path, columns: str, cells: str, lines: tuple[str, str]
) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    shipped = SHIPPED.replace('"Level 3, 9 Ferry Lane"', cells)
    header = ADVANCED.replace(f'"{BOTH_LINES}"', columns)
    shop.drop(f"{header}812,Processing,2026-11-22 14:30,,{BILLED},{shipped},1,A,Mug,1,1,3\n")
    [one] = shop.orders()
    assert (one.ship_to.line1, one.ship_to.line2, one.ship_to.city) == (*lines, "Timaru")
    assert (one.bill_to.line1, one.bill_to.line2) == ("1 Quarry Road", "")


def test_C9_an_advanced_export_with_the_first_address_line_alone_is_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    shop.drop(
        advanced(f"812,Processing,2026-11-22 14:30,,{BILLED},{SHIPPED},1,A,Mug,1,1,3").replace(
            BOTH_LINES, "Address 1 (Shipping)"
        )
    )
    assert shop.refusal() == (
        f'orders.csv: columns are missing: line2 ("Address 2 (Shipping) or {BOTH_LINES}"). {EXPORT_AGAIN}'
    )


def test_a_merchants_own_column_of_a_whole_address_is_named_for_both_lines(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect="woocommerce", columns={"line1": "Street", "line2": "Street"})
    shop.drop(
        advanced(f"812,Processing,2026-11-22 14:30,,{BILLED},{SHIPPED},1,A,Mug,1,1,3").replace(BOTH_LINES, "Street")
    )
    [one] = shop.orders()
    assert (one.ship_to.line1, one.ship_to.line2) == ("Level 3, 9 Ferry Lane", "")


def test_an_order_of_skyverge_has_its_lines_in_one_cell(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    header = SNAKE.format(date="date", items="") + ",line_items"
    lines = (
        r"id:1|name:Mug; tall\|wide|product_id:7|sku:M1|quantity:3|total:9.00|refunded_qty:-1;"
        "id:2|name:Tea|sku:T1|quantity:1|total:4.00"
    )
    shop.drop(f"{header}\n812,812,2026-11-22 14:30:00,completed,Courier,{PERSON},{lines}\n")
    [one] = shop.orders()
    assert one.fulfilment is Fulfilment.FULFILLED
    assert one.lines == (
        OrderLine("Mug; tall|wide", "M1", Decimal(2), None, "3.00"),
        OrderLine("Tea", "T1", Decimal(1), None, "4.00"),
    )


@pytest.mark.parametrize(
    ("packed", "price"),
    [
        ("quantity:3|total:30.00", "10.00"),
        ("quantity:3|total:10", "3.33"),
        ("quantity:1|total:4.00", "4.00"),
        ("quantity:0|total:4.00", ""),
        ("quantity:2|total:", ""),
        ("quantity:2|total:1e999999", ""),
        ("quantity:2", ""),
    ],
)
def test_the_price_of_a_packed_line_is_that_of_one_piece(packed: str, price: str) -> None:
    """The plug-ins write the line's total; a customs form of three mugs would say three times their worth."""
    [line] = lines_of_cells([f"name:Mug|{packed}"])
    assert line.unit_price == price


def test_skyverge_may_also_give_a_row_a_line(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect="woocommerce-skyverge")
    header = SNAKE.format(date="date", items="") + ",item_name,item_sku,item_quantity"
    row = f"812,812,2026-11-22 14:30:00,on-hold,Courier,{PERSON}"
    shop.drop(f"{header}\n{row},Mug,M1,2\n{row},Tea,T1,1\n")
    [one] = shop.orders()
    assert one.payment is Payment.PENDING
    assert [(line.sku, line.quantity) for line in one.lines] == [("M1", Decimal(2)), ("T1", Decimal(1))]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Processing", (Payment.PAID, Fulfilment.UNFULFILLED, False, False)),
        ("wc-processing", (Payment.PAID, Fulfilment.UNFULFILLED, False, False)),
        ("Pending payment", (Payment.PENDING, Fulfilment.UNFULFILLED, False, False)),
        ("On hold", (Payment.PENDING, Fulfilment.UNFULFILLED, False, False)),
        ("completed", (Payment.PAID, Fulfilment.FULFILLED, False, False)),
        ("Cancelled", (Payment.PAID, Fulfilment.UNFULFILLED, True, False)),
        ("refunded", (Payment.REFUNDED, Fulfilment.UNFULFILLED, False, False)),
        ("failed", (Payment.VOIDED, Fulfilment.UNFULFILLED, False, False)),
        ("checkout-draft", (Payment.PAID, Fulfilment.UNFULFILLED, False, True)),
        ("auto-draft", (Payment.PAID, Fulfilment.UNFULFILLED, False, True)),
        ("Awaiting pigeon", (Payment.UNKNOWN, Fulfilment.UNFULFILLED, False, False)),
    ],
)
def test_trap_D12_woocommerces_states(
    tmp_path: Path, word: str, expected: tuple[Payment, Fulfilment, bool, bool]
) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    shop.drop(advanced(f"812,{word},2026-11-22,,{BILLED},{SHIPPED},1,A,Mug,1,1,3"))
    [one] = shop.orders()
    assert (one.payment, one.fulfilment, one.cancelled, one.draft) == expected
    assert one.status == word


def test_columns_of_no_known_plug_in_are_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect="woocommerce")
    shop.drop("Bestellung,Status\n1,neu\n")
    assert shop.refusal() == (
        "orders.csv: the columns are those of no WooCommerce plug-in known here. "
        "Say in [source.columns] which column means what."
    )

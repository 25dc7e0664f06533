"""What each export's columns and words come out as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from connector.order import Address, Delivery, Fulfilment, Order, OrderLine, Payment
from connector.sources.csv_dialects import ADDRESS, BILLING, FIELDS, SHOPIFY, WOOCOMMERCE, Dialect
from connector.sources.csv_export import CsvOptions
from connector.sources.csv_orders import moment
from tests.sources.csv_shop import FURTHER, Shop, order, text


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def only(shop: Shop, **cells: str) -> Order:
    shop.drop([order(1001, **cells)])
    [one] = shop.orders()
    return one


def test_a_shopify_order_comes_out_whole(shop: Shop) -> None:
    shop.drop([order(1001, Tags="gift, vip", Phone="+6495550100", Note_Attributes="Delivery day: Friday"), FURTHER])
    [one] = shop.orders()
    assert one == Order(
        id="5600000001001",
        number="#1001",
        revision="20261123120000 01795392000000000000",
        origin="orders.csv row 2",
        status="paid",
        payment=Payment.PAID,
        fulfilment=Fulfilment.UNFULFILLED,
        delivery=Delivery.SHIP,
        created_at=datetime(2026, 11, 22, 1, 30, 5, tzinfo=UTC),
        ship_to=Address(
            name="Aroha Larkspur",
            line1="12 Kowhai Street",
            city="Whangarei",
            region="NTL",
            region_name="Northland",
            postcode="'0110",
            country="NZ",
            phone="021 555 0101",
        ),
        email="aroha@example.nz",
        phone="+6495550100",
        shipping_method="Standard courier",
        attributes=(("Delivery day", "Friday"),),
        lines=(
            OrderLine("Tui mug", "MUG-TUI", Decimal(2), True, "32.00"),
            OrderLine("Rimu candle", "CND-RIM", Decimal(1), True, ""),
        ),
        currency="NZD",
        tags=("gift", "vip"),
    )


def test_trap_L20_further_rows_of_an_order_add_lines_and_keep_the_first_rows_address(shop: Shop) -> None:
    shop.drop([order(1001), FURTHER, order(1002)])
    first, second = shop.orders()
    assert (len(first.lines), first.ship_to.line1, second.origin) == (2, "12 Kowhai Street", "orders.csv row 4")


def test_trap_W4_the_exports_apostrophe_stays_for_the_slip_to_strip(shop: Shop) -> None:
    assert only(shop, Shipping_Zip="'0181").ship_to.postcode == "'0181"


def test_trap_W5_shopifys_notes_are_the_buyers(shop: Shop) -> None:
    one = only(shop, Notes="Leave at the door")
    assert (one.buyer_note, one.staff_note) == ("Leave at the door", "")


def test_trap_D8_an_order_is_known_by_its_id_and_shown_by_its_number(shop: Shop) -> None:
    one = only(shop)
    assert (one.id, one.number) == ("5600000001001", "#1001")


def test_trap_D11_shopifys_test_notification_is_a_test_and_a_real_order_9999_is_none(shop: Shop) -> None:
    shop.drop([order(9999, Id="820982911946154508"), order(9999)])
    assert [one.test for one in shop.orders()] == [True, False]


@pytest.mark.parametrize(
    ("word", "payment"),
    [
        ("paid", Payment.PAID),
        ("pending", Payment.PENDING),
        ("authorized", Payment.AUTHORIZED),
        ("partially_paid", Payment.PARTIALLY_PAID),
        ("partially_refunded", Payment.PARTIALLY_REFUNDED),
        ("refunded", Payment.REFUNDED),
        ("voided", Payment.VOIDED),
        ("expired", Payment.VOIDED),
        ("Partially Refunded", Payment.PARTIALLY_REFUNDED),
    ],
)
def test_shopifys_financial_status(shop: Shop, word: str, payment: Payment) -> None:
    one = only(shop, Financial_Status=word)
    assert (one.payment, one.status, one.problems) == (payment, word, ())


@pytest.mark.parametrize(
    ("word", "fulfilment", "cancelled"),
    [
        ("", Fulfilment.UNFULFILLED, False),
        ("unfulfilled", Fulfilment.UNFULFILLED, False),
        ("partial", Fulfilment.PARTIAL, False),
        ("fulfilled", Fulfilment.FULFILLED, False),
        ("restocked", Fulfilment.UNFULFILLED, True),
    ],
)
def test_shopifys_fulfillment_status(shop: Shop, word: str, fulfilment: Fulfilment, cancelled: bool) -> None:
    one = only(shop, Fulfillment_Status=word)
    assert (one.fulfilment, one.cancelled, one.problems) == (fulfilment, cancelled, ())


def test_an_unknown_word_is_quoted_and_never_guessed(shop: Shop) -> None:
    one = only(shop, Financial_Status="layby", Fulfillment_Status="on its way")
    assert (one.payment, one.fulfilment, one.status) == (Payment.UNKNOWN, Fulfilment.UNKNOWN, "layby")
    assert one.problems == (
        'Financial Status says "layby": say what that means in [source.status_map], for instance "layby" = "paid".',
        'Fulfillment Status says "on its way": say what that means in [source.status_map], '
        'for instance "on its way" = "paid".',
    )


def test_an_empty_financial_status_is_no_payment(shop: Shop) -> None:
    one = only(shop, Financial_Status="")
    assert (one.payment, one.problems) == (Payment.UNKNOWN, ("The column Financial Status is empty.",))


def test_the_merchant_says_what_a_word_means(shop: Shop) -> None:
    shop.options["status_map"] = {"Layby": "pending", "in the queue": "on_hold"}
    assert only(shop, Financial_Status="layby").payment is Payment.PENDING
    assert only(shop, Fulfillment_Status="In the queue").fulfilment is Fulfilment.ON_HOLD


def test_a_date_of_cancelling_cancels_whatever_the_statuses_say(shop: Shop) -> None:
    assert only(shop, Fulfillment_Status="fulfilled", Cancelled_at="2026-11-22 15:00:00 +1300").cancelled


def test_lines_that_left_with_a_part_of_the_order_have_nothing_left_to_ship(shop: Shop) -> None:
    sent = {"Fulfillment Status": "partial", "Lineitem fulfillment status": "fulfilled"}
    shop.drop([order(1001) | sent, FURTHER])
    [one] = shop.orders()
    assert [line.quantity for line in one.lines] == [Decimal(0), Decimal(1)]


@pytest.mark.parametrize(
    ("cells", "delivery"),
    [
        ({}, Delivery.SHIP),
        ({"Lineitem_requires_shipping": "false"}, Delivery.NONE),
        ({"Shipping_Address1": "", "Shipping_City": "", "Shipping_Zip": ""}, Delivery.PICKUP),
        ({"Shipping_Address1": "", "Shipping_City": "", "Shipping_Zip": "-"}, Delivery.PICKUP),
        ({"Shipping_Address1": " ", "Shipping_City": "N/A", "Shipping_Zip": "'"}, Delivery.PICKUP),
        ({"Shipping_Address1": "", "Shipping_City": "", "Shipping_Zip": "'0110"}, Delivery.SHIP),
        ({"Shipping_Method": "Collect from Petone Workshop"}, Delivery.SHIP),
    ],
    ids=[
        "a parcel",
        "digital goods",
        "no address",
        "a dash for an address",
        "an apostrophe for an address",
        "a postcode alone",
        "a method whose name says so is selection's to tell",
    ],
)
def test_how_a_shopify_order_is_delivered(shop: Shop, cells: dict[str, str], delivery: Delivery) -> None:
    assert only(shop, **cells).delivery is delivery


def test_an_order_with_one_line_to_ship_is_shipped(shop: Shop) -> None:
    shop.drop([order(1001, Lineitem_requires_shipping="false"), FURTHER])
    [one] = shop.orders()
    assert one.delivery is Delivery.SHIP


def test_note_attributes_of_several_lines_stay_together(shop: Shop) -> None:
    one = only(shop, Note_Attributes="registry_id: 17\r\nmessage: Kia ora\nand: thanks\n to you all")
    assert one.attributes == (("registry_id", "17"), ("message", "Kia ora"), ("and", "thanks\nto you all"))


def test_a_quantity_that_is_no_number_holds_the_order(shop: Shop) -> None:
    for word in ("two", "NaN"):
        assert only(shop, Lineitem_quantity=word).problems == (f'A quantity says "{word}", which is no number.',)


def test_a_line_without_a_quantity_is_one(shop: Shop) -> None:
    assert only(shop, Lineitem_quantity="").lines[0].quantity == 1


def test_a_billing_address_that_is_the_shipping_address_is_one_and_the_same(shop: Shop) -> None:
    cells = {"Billing_Name": "Ben Totara", "Billing_Address1": "1 Quarry Road", "Billing_City": "Timaru"}
    assert only(shop, **cells).bill_to == Address(name="Ben Totara", line1="1 Quarry Road", city="Timaru")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-22 14:30:05 +1300", datetime(2026, 11, 22, 1, 30, 5, tzinfo=UTC)),
        ("2026-11-22T01:30:05Z", datetime(2026, 11, 22, 1, 30, 5, tzinfo=UTC)),
        ("2026-11-22 14:30", datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
        ("22/11/2026 14:30", None),
        ("0001-01-01", None),
        ("9999-12-31 23:59", datetime(9999, 12, 31, 10, 59, tzinfo=UTC)),
        ("", None),
    ],
)
def test_P15_dates_have_one_meaning_in_utc_or_none(shop: Shop, written: str, meant: datetime | None) -> None:
    assert only(shop, Created_at=written).created_at == meant


OWN = {"id": "Ref", "name": ["First", "Last"], "line1": "Street", "city": "Town", "payment": "Paid?"}


def test_a_table_of_ones_own_says_what_is_what(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect=None, columns=OWN, status_map={"yes": "paid", "no": "pending"}, delimiter=";")
    shop.drop(
        "Ref;First;Last;Street;Town;Paid?\nA1;Hana;Puriri;9 Ferry Lane;Timaru;yes\nA2;;Totara;1 Quarry;Napier;no\n"
    )
    first, second = shop.orders()
    assert (first.id, first.number, first.ship_to.name, first.payment) == ("A1", "A1", "Hana Puriri", Payment.PAID)
    assert (second.ship_to.name, second.payment) == ("Totara", Payment.PENDING)


def test_a_number_alone_is_key_enough(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect=None, columns={"number": "No", "name": "Who", "line1": "Street"})
    shop.drop("No,Who,Street\n7,Hana,9 Ferry Lane\n")
    [one] = shop.orders()
    assert (one.id, one.number, one.payment, one.fulfilment) == ("7", "7", Payment.PAID, Fulfilment.UNFULFILLED)


def test_single_columns_of_a_dialect_may_be_named_anew(shop: Shop) -> None:
    shop.options["columns"] = {"staff_note": "Notes", "buyer_note": "Note Attributes", "line2": "Suite"}
    shop.drop(text([order(1001, Notes="ours", Note_Attributes="theirs")]).replace("Shipping Address2", "Suite"))
    [one] = shop.orders()
    assert (one.staff_note, one.buyer_note) == ("ours", "theirs")


def test_a_column_that_the_merchant_names_must_be_there(shop: Shop) -> None:
    shop.options["columns"] = {"suburb": "Suburb"}
    shop.drop([order(1001)])
    assert 'columns are missing: suburb ("Suburb")' in shop.refusal()


def test_a_date_of_change_leads_the_revision(shop: Shop) -> None:
    shop.options["columns"] = {"updated_at": "Tags"}
    changed = ["2026-11-20 10:00", "2026-11-21 10:00", ""]
    for at, when in enumerate(changed):
        shop.drop([order(1001 + at, Tags=when)], f"{at}.csv", age=100 - at)
    earlier, later, undated = shop.orders()
    assert earlier.revision.startswith("20261119210000 ")
    assert earlier.revision < later.revision
    assert undated.revision.startswith("20261122013005 ")  # when it was made


@pytest.mark.parametrize(
    ("zone", "back", "repeated"),
    [
        ("Pacific/Auckland", datetime(2027, 4, 3, 14, tzinfo=UTC), 60),
        ("Australia/Lord_Howe", datetime(2027, 4, 3, 15, tzinfo=UTC), 30),
        ("Europe/London", datetime(2027, 10, 31, 1, tzinfo=UTC), 60),
        ("Asia/Beirut", datetime(2027, 10, 30, 21, tzinfo=UTC), 60),
    ],
)
def test_C15_local_dates_of_change_never_go_back_when_the_clocks_do(zone: str, back: datetime, repeated: int) -> None:
    """02:10 may come after 02:50: in what the clocks show twice all is one moment, and the files' order decides."""
    minutes = range(-180, 180, 5)
    times = [(back + timedelta(minutes=minute)).astimezone(ZoneInfo(zone)) for minute in minutes]
    read = [moment(f"{time:%Y-%m-%d %H:%M}", ZoneInfo(zone)) for time in times]
    start = back - timedelta(minutes=repeated)
    assert read == [start if -repeated <= minute < repeated else back + timedelta(minutes=minute) for minute in minutes]


def test_C15_an_edit_in_the_second_round_of_the_repeated_hour_is_newer_than_one_in_the_first(shop: Shop) -> None:
    shop.options["columns"] = {"updated_at": "Tags"}
    shop.drop([order(1001, Tags="2027-04-04 02:50")], "orders-2027-04-04-0255.csv", age=80)
    shop.drop([order(1001, Tags="2027-04-04 02:10")], "orders-2027-04-04-0315.csv", age=60)
    before, after = shop.orders()
    assert before.revision < after.revision


def test_C15_an_offset_tells_the_rounds_of_the_repeated_hour_apart(shop: Shop) -> None:
    shop.options["columns"] = {"updated_at": "Tags"}
    shop.drop([order(1001, Tags="2027-04-04 02:10 +1200")], "a.csv", age=80)
    shop.drop([order(1001, Tags="2027-04-04 02:50 +1300")], "b.csv", age=60)
    after, before = shop.orders()
    assert before.revision < after.revision


def test_a_date_of_change_that_is_none_holds_the_order(shop: Shop) -> None:
    shop.options["columns"] = {"updated_at": "Tags"}
    assert only(shop, Tags="yesterday").problems == (
        "Tags holds no date like 2026-11-22 14:30: which version is the newest can't be told.",
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, 'say whose export it is (dialect = "shopify" or "woocommerce"), or give [source.columns]'),
        ({"dialect": "shopify", "encoding": "utf-9"}, '"utf-9" is no text encoding'),
        ({"dialect": "shopify", "encoding": "hex"}, '"hex" is no text encoding'),
        ({"columns": {"adress": "X"}}, '"adress" is no field of an order.'),
        ({"columns": {"id": ["A", "B"]}}, "id must be one column"),
        ({"dialect": "shopify", "status_map": {"x": "payed"}}, 'Did you mean "paid"?'),
        ({"dialect": "shopify", "delimiter": "auto"}, "Input should be"),
        ({"dialect": "shopify", "paths": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_options_that_cannot_be_meant_are_errors(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CsvOptions.model_validate({"path": "."} | options)
    assert said in str(caught.value)


@pytest.mark.parametrize("dialect", [SHOPIFY, *WOOCOMMERCE], ids=lambda one: one.name)
def test_every_table_uses_known_fields_and_gives_what_it_requires(dialect: Dialect) -> None:
    columns = dialect.columns()
    assert set(columns) <= set(FIELDS)
    assert set(dialect.required) <= set(columns)
    assert dialect.key in columns


def test_the_fields_of_an_address_are_in_the_order_of_the_struct() -> None:
    assert Address.__struct_fields__ == ADDRESS
    assert len(BILLING) == len(ADDRESS)

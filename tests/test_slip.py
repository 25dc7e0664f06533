"""Order -> packing slip: what stands where, what is held and in which words, and that nothing is lost silently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector import slip as slip_module
from connector.contact import Person, email, first_phone, is_plain_email, is_plausible, person
from connector.order import Address, Delivery, Order, OrderLine
from connector.packing_slip import FIELDS, LIMITS, NUMBER, Package, PackingSlip, canonical_body, packing_slip
from connector.slip import Held, Made, SlipRules, make, slip_number
from connector.text import clean

HOME = Address(
    name="Jo Bell",
    line1="12 Queen Street",
    line2="Ponsonby",
    city="Auckland",
    region="AUK",
    postcode="1011",
    country="NZ",
    phone="021 555 123",
)


def order(**parts: Any) -> Order:
    usual: dict[str, Any] = {"id": "77", "number": "#1001", "revision": "1", "ship_to": HOME}
    return Order(**(usual | parts))


def home(**parts: str) -> Address:
    return Address(**({name: getattr(HOME, name) for name in Address.__struct_fields__} | parts))


def made(rules: SlipRules | None = None, frozen: str | None = None, **parts: Any) -> Made:
    answer = make(order(**parts), rules or SlipRules(), store="kiwi", number=frozen)
    assert isinstance(answer, Made), answer.reasons
    return answer


def held(rules: SlipRules | None = None, **parts: Any) -> Held:
    answer = make(order(**parts), rules or SlipRules(), store="kiwi")
    assert isinstance(answer, Held)
    return answer


def test_an_ordinary_order_becomes_the_record_of_the_api_page() -> None:
    answer = made(email="jo@example.nz", buyer_note="Leave at the door")
    assert json.loads(answer.body) == {
        "packingslipno": "#1001",
        "consignee": "Jo Bell",
        "address1": "",
        "address2": "12 Queen Street",
        "suburb": "Ponsonby",
        "city": "Auckland",
        "postcode": "1011",
        "country": "NZ",
        "delvref": "#1001",
        "delvinstructions": "Leave at the door",
        "contactname": None,
        "contactphone": "021 555 123",
        "email": "jo@example.nz",
    }
    assert answer.number == "#1001"
    assert answer.body == answer.slip.canonical()


# Held, and never raised --------------------------------------------------------------------------------------------


def test_T1_an_unexpected_error_holds_that_order_and_tells_no_personal_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Jo Bell, 12 Queen Street")

    monkeypatch.setattr(slip_module, "shape", broken)
    (reason,) = held().reasons
    assert "RuntimeError" in reason
    assert "#1001" in reason
    assert "Jo" not in reason


def test_T1_even_an_order_whose_number_is_no_text_is_held() -> None:
    assert held(number=None).reasons[0].startswith("Internal error (AttributeError)")


@pytest.mark.parametrize("default", ["NZ", "nz", "New Zealand"])
def test_T7_a_default_country_may_be_a_code_or_a_name(default: str) -> None:
    assert made(SlipRules(default_country=default), ship_to=home(country="")).slip.country == "NZ"


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ({"name": "", "company": ""}, "neither a person nor a company"),
        ({"line1": "", "line2": ""}, "no street"),
        ({"country": ""}, "no country"),
        ({"name": "NULL", "company": "-"}, "neither a person nor a company"),
        ({"line1": ".", "line2": ""}, "no street"),
    ],
)
def test_T2_without_name_street_or_country_an_order_is_held(parts: dict[str, str], word: str) -> None:
    assert any(word in reason for reason in held(ship_to=home(**parts), email="jo@example.nz").reasons)


def test_T2_all_reasons_are_told_at_once_and_each_is_a_sentence() -> None:
    answer = held(ship_to=home(name="", country="", phone="6.42E+10"), lines=(OrderLine(quantity=Decimal(-1)),))
    assert len(answer.reasons) == 4
    assert all(reason.endswith(".") for reason in answer.reasons)


def test_what_the_source_could_not_read_holds_the_order_in_its_words() -> None:
    assert held(problems=('Row 14: "layby" is not known.',)).reasons == ('Row 14: "layby" is not known.',)


def test_an_order_with_everything_withheld_says_that_protected_data_is_not_granted() -> None:
    assert "protected data is not granted" in held(ship_to=Address(country="NZ")).reasons[0]
    assert "protected" not in held(ship_to=Address(country="NZ"), email="jo@example.nz").reasons[0]


# Where it goes ------------------------------------------------------------------------------------------------------


def test_a_parcel_without_a_delivery_address_goes_to_the_billing_address() -> None:
    answer = made(ship_to=Address(), bill_to=HOME)
    assert answer.slip.address2 == "12 Queen Street"
    assert any("billing address is used" in receipt.why for receipt in answer.receipts)


def test_the_person_named_for_delivery_stays_when_the_billing_address_is_used() -> None:
    assert made(ship_to=Address(name="Sam Reed"), bill_to=HOME).slip.consignee == "Sam Reed"


@pytest.mark.parametrize(
    ("rules", "parts"),
    [
        (SlipRules(bill_to_fallback=False), {}),
        (SlipRules(), {"delivery": Delivery.LOCAL}),
        (SlipRules(), {"ship_to": home(line1="", line2="")}),
    ],
)
def test_the_billing_address_is_used_for_nothing_else(rules: SlipRules, parts: dict[str, Any]) -> None:
    assert held(rules, **({"ship_to": Address(name="Sam Reed"), "bill_to": HOME} | parts)).reasons


@pytest.mark.parametrize(
    ("name", "company", "consignee", "contact"),
    [
        ("Jo Bell", "", "Jo Bell", None),
        ("Jo Bell", "Bell & Co", "Bell & Co", "Jo Bell"),
        ("", "Bell & Co", "Bell & Co", None),
        ("Bell & Co", "BELL & CO", "Bell & Co", None),
    ],
)
def test_a_courier_asks_for_the_company_and_then_the_person(
    name: str, company: str, consignee: str, contact: str | None
) -> None:
    assert person(name, company) == Person(consignee, contact)


def test_T3_a_long_company_goes_on_in_the_free_contact_name() -> None:
    long = "The Very Long Incorporated Society of Potters and Weavers of Otago"
    who = person("", long)
    assert f"{who.consignee} {who.contact}" == long
    assert who.receipts[0].before == long


def test_T3_where_no_field_is_free_the_whole_is_on_a_receipt() -> None:
    who = person("Jo " * 20, "Potters " * 10)
    assert max(len(who.consignee), len(who.contact or "")) <= 50
    assert {receipt.field for receipt in who.receipts} == {"consignee", "contactname"}


# Telephone and e-mail -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["021 555 123", "+64 21 555 123", "(09) 555-1234", "0800.555.123", "64215551234"])
def test_a_plausible_number_is_sent_as_typed(number: str) -> None:
    assert first_phone((number,), "NZ") == (number, (), "")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("021 555 123 (work)", "021 555 123"),
        ("021 555 1234 / 09 555 1234", "021 555 1234"),
        ("mob: 021 555 1234", "021 555 1234"),
        ("０２１ ５５５ １２３４", "021 555 1234"),
        ("1", None),
        ("ask my mum", None),
        ("9" * 300, None),
    ],
)
def test_an_odd_number_is_read_out_of_its_words_or_left_out_with_a_receipt(typed: str, sent: str | None) -> None:
    phone = first_phone((typed,), "NZ")
    assert (phone.number, phone.problem) == (sent, "")
    assert phone.receipts[0].before == typed


@pytest.mark.parametrize("typed", ["6.42E+10", "6,42E+10", "6E+10", "+6.42e10"])
def test_C11_a_number_destroyed_by_a_spreadsheet_holds_the_order(typed: str) -> None:
    assert any("spreadsheet" in reason for reason in held(ship_to=home(phone=typed)).reasons)
    assert made(SlipRules(phone=False), ship_to=home(phone=typed)).slip.contactphone is None


@pytest.mark.parametrize(
    "parts",
    [
        {"line1": "12 K?whai Terrace"},
        {"line2": "?t?huhu"},
        {"suburb": "?t?huhu"},
        {"city": "?p?tiki"},
        {"name": "Mere P??tai"},
        {"company": "M?ori Books"},
        {"country": "CA", "region": "Qu?bec", "postcode": "H2X 1Y4"},
    ],
)
def test_C11_letters_destroyed_by_a_spreadsheet_hold_the_order(parts: dict[str, str]) -> None:
    assert [reason for reason in held(ship_to=home(**parts)).reasons if "destroyed its letters" in reason] != []


def test_a_question_mark_behind_a_word_or_on_no_label_holds_nothing() -> None:
    slip = made(ship_to=home(line2="Where? Ask at 12?", region="Manawat?-Whanganui"), buyer_note="Caf?s?").slip
    assert slip.address1 == "Where? Ask at 12?"


def test_the_next_number_is_taken_when_the_first_is_none() -> None:
    assert made(ship_to=home(phone=""), phone="09 555 1234").slip.contactphone == "09 555 1234"
    assert made(ship_to=home(phone="1"), bill_to=Address(phone="09 555 1234")).slip.contactphone == "09 555 1234"


@pytest.mark.parametrize("told", ["GB", "UK"])
def test_a_british_number_among_words_is_found_whatever_the_united_kingdom_is_called(told: Literal["GB", "UK"]) -> None:
    house = home(city="Leeds", postcode="LS1 4AP", country="UK", phone="020 7946 0018 after 5pm")
    slip = made(SlipRules(united_kingdom=told), ship_to=house).slip
    assert (slip.country, slip.contactphone) == (told, "020 7946 0018")


@pytest.mark.parametrize(
    "typed", ["jo", "jo@", "@b.nz", "jo@b", "jo bell@b.nz", "a@b.nz, c@d.nz", "jo@b..nz", "a@b@c.nz"]
)
def test_what_is_no_email_is_left_out_with_a_receipt(typed: str) -> None:
    assert email(typed, 60)[0] is None
    assert email(typed, 60)[1][0].before == typed


@given(st.from_regex(r"[a-z0-9._+-]{1,6}@[a-z0-9.-]{1,8}[@& ]?", fullmatch=True))
def test_an_email_known_at_a_glance_would_pass_the_long_way_too(typed: str) -> None:
    if is_plain_email(typed):
        assert email(clean(typed), 200) == (typed, ())


@given(st.text("0123456789+ ()./-x", max_size=20))
def test_a_plausible_number_has_six_to_fifteen_digits_and_no_plus_but_the_first(typed: str) -> None:
    digits = sum(map(str.isdigit, typed))
    assert is_plausible(typed) == (6 <= digits <= 15 and "+" not in typed[1:] and "x" not in typed)


def test_an_email_longer_than_gss_documents_is_left_out_until_the_store_allows_it() -> None:
    long = "jo@" + "b" * 60 + ".nz"
    assert made(email=long).slip.email is None
    assert made(SlipRules(email_limit=200), email=long).slip.email == long
    assert made(SlipRules(email=False), email="jo@example.nz").slip.email is None


# Words --------------------------------------------------------------------------------------------------------------


def test_the_driver_s_words_come_from_where_the_store_says_in_its_order() -> None:
    rules = SlipRules(delvinstructions=("text:Fragile", "attribute:Gate code", "buyer_note", "staff_note"))
    answer = made(rules, buyer_note="Ring twice", staff_note="Ring twice", attributes=(("gate code", "55"), ("x", "y")))
    assert answer.slip.delvinstructions == "Fragile; 55; Ring twice"


def test_a_staff_note_is_not_printed_unless_asked_for() -> None:
    assert made(staff_note="difficult customer").slip.delvinstructions is None


def test_T3_long_instructions_are_cut_between_words_with_the_whole_on_a_receipt() -> None:
    whole = "please leave it behind the blue shed " * 5
    answer = made(buyer_note=whole)
    words = answer.slip.delvinstructions or ""
    assert len(words) <= 120
    assert words.endswith("...")
    assert any(receipt.field == "delvinstructions" and receipt.before == whole for receipt in answer.receipts)


@pytest.mark.parametrize(
    "note", ["<script>alert(1)</script>", "=1+1", "{0.__class__}", "{number}", "%s %(x)s", "'; DROP TABLE slips;--"]
)
def test_T13_markup_formulas_and_templates_in_a_note_stay_data(note: str) -> None:
    answer = made(buyer_note=note, number=note)
    assert json.loads(answer.body)["delvinstructions"] == note


def test_T13_escape_codes_never_reach_the_label() -> None:
    assert made(buyer_note="\x1b[31mred\x07").slip.delvinstructions == "[31mred"


def test_T4_emoji_lone_surrogates_and_control_characters_always_store() -> None:
    odd = "\ud83dJo 🎉\u202e Bell\x00"
    answer = made(
        SlipRules(rawaddress=True, products=True), ship_to=home(name=odd), buyer_note=odd, email=odd, number=odd
    )
    assert answer.slip.consignee == "Jo Bell"
    assert any(receipt.before == odd for receipt in answer.receipts)
    answer.body.decode("utf-8")


# Numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("#1001", "#1001"),
        ("1001,1002", "1001-1002"),
        ("A & B / C%", "A-B-/-C"),
        ("  1001\n", "1001"),
        ("１００１", "1001"),
        ("№1001", "No1001"),
        (",1001", "1001"),
    ],
)
def test_T5_what_a_number_can_t_hold_is_replaced_when_it_is_made(number: str, expected: str) -> None:
    assert slip_number(order(number=number), SlipRules(), "kiwi") == expected


@given(st.text(min_size=1, max_size=60), st.text(max_size=30), st.sampled_from(["", "K-", "#"]))
def test_T5_every_number_is_possible_and_short_enough_or_held(number: str, part: str, prefix: str) -> None:
    answer = slip_number(order(number=number, part=part), SlipRules(prefix=prefix), "kiwi")
    assert isinstance(answer, Held) or NUMBER.fullmatch(answer)


def test_T5_long_numbers_that_differ_only_in_the_middle_stay_apart() -> None:
    one = slip_number(order(number="SHOP-2026-000000001-WEB-AKL"), SlipRules(), "kiwi")
    two = slip_number(order(number="SHOP-2026-000000002-WEB-AKL"), SlipRules(), "kiwi")
    assert isinstance(one, str)
    assert one != two
    assert one.startswith("SHOP-2")
    assert one.endswith("EB-AKL")
    assert len(one) == 20


def test_T5_long_numbers_that_differ_only_in_what_was_replaced_stay_apart() -> None:
    numbers = {slip_number(order(number=f"SHOP{mark}2026-000000001-WEB"), SlipRules(), "kiwi") for mark in ",&-"}
    assert len(numbers) == 3


def test_T5_an_order_without_a_number_is_held_and_told_how_to_number_by_id() -> None:
    assert 'number = "{id}"' in held(number="").reasons[0]
    assert made(SlipRules(number="{id}"), number="").number == "77"


def test_T11_each_part_of_an_order_has_a_number_of_its_own() -> None:
    numbers = {made(part=part).number for part in ("", "1", "2", "gid://shopify/FulfillmentOrder/8123456789")}
    assert len(numbers) == 4
    assert made(part="2").number == "#1001-2"
    assert made(SlipRules(number="{number}.{part}"), part="2").number == "#1001.2"


def test_a_template_and_a_prefix_make_the_number() -> None:
    assert made(SlipRules(number="{store}-{id}", prefix="NZ")).number == "NZkiwi-77"
    assert made(SlipRules(delvref="{number} / {id}")).slip.delvref == "#1001 / 77"


def test_G4_a_number_once_given_is_kept_whatever_the_template_says_now() -> None:
    answer = made(SlipRules(number="{id}", prefix="NEW-"), frozen="#1001")
    assert answer.slip.packingslipno == "#1001"


@pytest.mark.parametrize(
    "settings",
    [
        {"number": "{order}"},
        {"number": "constant"},
        {"number": "{number.__class__}"},
        {"number": "{number"},
        {"delvref": "{buyer}"},
        {"delvinstructions": ["gift_note"]},
        {"prefix": "A,B"},
        {"email_limit": 59},
        {"email_limit": 201},
        {"numbr": "{number}"},
        {"default_country": "NewZeeland"},
        {"default_country": ""},
    ],
)
def test_T14_a_broken_rule_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SlipRules.model_validate(settings)


# Extras -------------------------------------------------------------------------------------------------------------


def test_extras_are_sent_only_where_the_store_asks() -> None:
    assert made().slip.rawaddress is None
    rules = SlipRules(rawaddress=True, costcentre="WEB", packages=(Package(PackageStockName="Box"),))
    body = json.loads(made(rules).body)
    assert body["rawaddress"] == "Jo Bell\n12 Queen Street\nPonsonby\nAuckland AUK 1011\nNZ"
    assert body["costcentre"] == "WEB"
    assert body["packages"][0]["PackageStockName"] == "Box"
    assert "products" not in json.loads(made(SlipRules(products=True)).body)


def test_T3_product_text_is_cut_with_a_receipt() -> None:
    mug = OrderLine(name="A very large hand-thrown mug", sku="MUG-LARGE-HAND-THROWN-01", unit_price="12.50")
    answer = made(SlipRules(products=True), lines=(mug,), currency="NZD")
    (product,) = answer.slip.products or ()
    assert (product.productcode, product.description) == ("MUG-LARGE-HAND-THROW", "A very large hand-th")
    assert (product.units, product.unitvalue, product.currency) == (1.0, 12.5, "NZD")
    assert [receipt.before for receipt in answer.receipts if receipt.field.startswith("products")] == [
        mug.sku,
        mug.name,
    ]


def test_only_what_is_still_to_be_shipped_is_a_product() -> None:
    lines = (OrderLine(sku="a"), OrderLine(sku="b", quantity=Decimal(0)), OrderLine(sku="c", requires_shipping=False))
    assert [product.productcode for product in made(SlipRules(products=True), lines=lines).slip.products or ()] == ["a"]


def test_T10_a_line_taken_away_makes_another_body() -> None:
    rules = SlipRules(products=True)
    both = made(rules, lines=(OrderLine(sku="a"), OrderLine(sku="b")))
    assert both.body != made(rules, lines=(OrderLine(sku="a"), OrderLine(sku="b", quantity=Decimal(0)))).body


@pytest.mark.parametrize("quantity", ["NaN", "sNaN", "Infinity", "-Infinity", "-1", "1E+308", "1000001"])
@pytest.mark.parametrize("products", [False, True])
def test_T8_a_quantity_no_parcel_has_holds_the_order(quantity: str, *, products: bool) -> None:
    answer = held(SlipRules(products=products), lines=(OrderLine(), OrderLine(quantity=Decimal(quantity))))
    assert "Line 2" in answer.reasons[0]


def test_T8_decimals_add_up_before_they_become_numbers() -> None:
    line = OrderLine(sku="a", quantity=Decimal("0.1") + Decimal("0.2"))
    assert b'"units":0.3,' in made(SlipRules(products=True), lines=(line,)).body


@pytest.mark.parametrize("price", ["", "free", "NaN", "-1", "1E+400", "12,50"])
def test_a_price_that_can_t_be_read_is_not_sent(price: str) -> None:
    answer = made(SlipRules(products=True), lines=(OrderLine(sku="a", unit_price=price),), currency="NZD")
    assert (answer.slip.products or ())[0].unitvalue is None


def test_T17_an_order_of_thousands_of_lines_is_held_where_lines_are_sent() -> None:
    lines = tuple(OrderLine(sku=str(number)) for number in range(5_000))
    assert "5000 lines" in held(SlipRules(products=True), lines=lines).reasons[0]
    assert made(lines=lines)
    assert len(made(SlipRules(products=True), lines=lines[:500]).slip.products or ()) == 500


# Always the same, always within limits ------------------------------------------------------------------------------

_PRINT_BODY = """
import sys
from connector.order import Address, Order, OrderLine
from connector.slip import SlipRules, make
home = Address(name="Zoë Bell", company="Bell & Söhne", line1="Unit 4, 12 Smith Road", city="Mascot",
               region="New South Wales", postcode="2020", country="Australia", phone="mob 0412 345 678")
order = Order(id="77", number="SHOP-2026-000000001-WEB", revision="1", ship_to=home, currency="AUD",
              attributes=(("b", "2"), ("a", "1")), lines=(OrderLine(sku="ı", name="İ", unit_price="1.10"),))
rules = SlipRules(products=True, rawaddress=True, delvinstructions=("attribute:a", "attribute:b"))
sys.stdout.buffer.write(make(order, rules, store="kiwi").body)
"""


def test_T15_the_same_order_gives_the_same_bytes_in_every_process_zone_and_locale() -> None:
    settings = [("0", "UTC", "C"), ("1", "Pacific/Auckland", "tr_TR.UTF-8"), ("4242", "America/New_York", "C.UTF-8")]
    bodies = {
        subprocess.run(
            [sys.executable, "-c", _PRINT_BODY],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone, locale in settings
    }
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["city"] == "NSW"


def test_G10_neither_zone_nor_currency_changes_a_slip_that_sends_no_products(monkeypatch: pytest.MonkeyPatch) -> None:
    before = made(currency="NZD").body
    monkeypatch.setenv("TZ", "Pacific/Apia")
    time.tzset()
    try:
        assert made(currency="AUD").body == before
    finally:
        monkeypatch.undo()
        time.tzset()


TEXT = st.text(st.characters(exclude_categories=[]), max_size=70) | st.sampled_from(
    [
        "NZ",
        "AU",
        "New Zealand",
        "2020",
        "NSW",
        "12 Queen Street",
        "RD 2",
        "021 555 123",
        "jo@example.nz",
        "Unit 4",
        "&amp;",
    ]
)
ADDRESSES = st.builds(Address, **dict.fromkeys(Address.__struct_fields__, TEXT))
ORDERS = st.builds(
    Order,
    id=TEXT,
    number=TEXT,
    revision=st.just("1"),
    part=TEXT,
    ship_to=ADDRESSES | st.just(HOME),
    bill_to=ADDRESSES,
    email=TEXT,
    phone=TEXT,
    buyer_note=TEXT,
    attributes=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    lines=st.lists(
        st.builds(OrderLine, name=TEXT, sku=TEXT, quantity=st.decimals() | st.just(Decimal(1)), unit_price=TEXT),
        max_size=2,
    ).map(tuple),
    currency=TEXT,
)
RULES = st.builds(
    SlipRules,
    rawaddress=st.booleans(),
    products=st.booleans(),
    street=st.sampled_from(["address1", "address2"]),
    default_country=st.sampled_from([None, "NZ", "AU"]),
    delvinstructions=st.just(("buyer_note", "attribute:x", "text:Fragile")),
)


def test_T3_the_quick_way_to_a_packing_slip_checks_every_limit_too() -> None:
    fields = {"packingslipno": "#1", "consignee": "Jo Bell", "country": "NZ"}
    assert packing_slip(fields) == PackingSlip(**fields)
    for broken in ({"consignee": "x" * 51}, {"consignee": ""}, {"country": "NZL"}, {"colour": "red"}):
        with pytest.raises(ValidationError):
            packing_slip(fields | broken)


BARE: dict[str, Any] = dict.fromkeys(FIELDS) | {
    "packingslipno": "#1",
    "consignee": "Jo Bell",
    "address1": "",
    "address2": '12 "Queen" Street\\',
    "suburb": "Kāinga",
    "city": "\x1b\x7f\u2028🎉",
    "postcode": "1010",
    "country": "NZ",
}


@pytest.mark.parametrize("field", FIELDS)
def test_T3_a_slip_without_extras_is_held_to_the_limits_of_the_whole_record(field: str) -> None:
    for value in [None, 12, *("é" * length for length in (0, 1, 2, 3, 10, 11, 20, 21, 50, 51, 120, 121, 200, 201))]:
        fields = BARE | {field: value}
        try:
            whole = packing_slip(fields)
        except ValidationError:
            with pytest.raises(msgspec.ValidationError):
                canonical_body(fields)
        else:
            assert canonical_body(fields) == whole.canonical()


def test_T3_a_slip_with_a_field_missing_or_unknown_has_no_body() -> None:
    for fields in ({"packingslipno": "#1"}, {**BARE, "colour": "red"}, {**BARE, "rawaddress": 12}):
        with pytest.raises((ValidationError, msgspec.ValidationError)):
            canonical_body(fields)


@given(ORDERS, RULES)
def test_T1_T3_any_order_gets_a_slip_within_all_limits_or_whole_sentences(one: Order, rules: SlipRules) -> None:
    answer = make(one, rules, store="kiwi")
    if isinstance(answer, Held):
        assert not any("Internal error" in reason for reason in answer.reasons)
        assert all(reason.endswith(".") for reason in answer.reasons)
        return
    assert PackingSlip.model_validate_json(answer.body) == answer.slip
    for field, limit in LIMITS.items():
        assert len(getattr(answer.slip, field) or "") <= limit
    assert make(one, rules, store="kiwi") == answer


PLAIN = st.lists(
    st.sampled_from(["12", "Queen", "Street", "Ponsonby", "Zoë", "Level", "3", "Bell", "& Co"]), max_size=12
)


@given(*[PLAIN.map(" ".join)] * 5, st.sampled_from(["NZ", "AU", "GB", "JP"]))
def test_T3_every_word_of_name_company_and_address_is_on_the_slip_or_on_a_receipt(
    name: str, company: str, line1: str, line2: str, city: str, country: str
) -> None:
    home_ = Address(name, company, line1, line2, city, region="NSW", postcode="2020", country=country)
    answer = make(order(ship_to=home_), SlipRules(), store="kiwi")
    if isinstance(answer, Held):
        return
    texts = [*answer.slip.model_dump(include=set(LIMITS)).values(), *(receipt.before for receipt in answer.receipts)]
    kept = {word.strip(",") for text in texts if text for word in text.split()}
    assert {word for part in (name, company, line1, line2, city) for word in clean(part).split()} <= kept


@pytest.mark.no_cover
@pytest.mark.parametrize("field", ["name", "company", "line1", "city", "postcode", "country", "phone"])
@pytest.mark.parametrize("unit", ["a", "9", "@", "{number}", "é "])
def test_SEC37_an_endless_address_part_is_answered_at_once(field: str, unit: str) -> None:
    endless = unit * (100_000 // len(unit))
    start = time.thread_time()
    make(order(ship_to=home(**{field: endless})), SlipRules(), store="kiwi")
    assert time.thread_time() - start < 0.25


@pytest.mark.no_cover
@pytest.mark.parametrize("unit", ["a", "{number}", "{", "{a", "@", "1e", "é,"])
def test_SEC37_an_endless_note_number_or_email_is_answered_at_once(unit: str) -> None:
    endless = unit * (100_000 // len(unit))
    start = time.thread_time()
    make(order(buyer_note=endless, number=endless, email=endless, phone=endless), SlipRules(), store="kiwi")
    assert time.thread_time() - start < 0.25

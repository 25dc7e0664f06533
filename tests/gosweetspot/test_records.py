"""Read-back: what GSS shows, what counts as showing our version, and what GSS may change without us minding."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.gosweetspot.records import (
    Proof,
    Record,
    RecordsError,
    _are_alike,
    _fold,
    proof_of,
    read_page,
    shows,
)
from connector.packing_slip import PackingSlip, Product

SENT = PackingSlip(
    packingslipno="KIWI-1",
    consignee="Hana Example",
    address1="1 Sample  Street",
    suburb="Example Bay",
    city="Sampleton",
    country="NZ",
    delvref="KIWI-1",
    delvinstructions="Leave at the door",
    contactphone="021 000 000",
    email="hana@example.nz",
)

SHOWN: dict[str, Any] = {
    # the shape of gosweetspot-api.md 1.4: upper-cased, the street moved, postcode filled in, nulls for what is empty
    "packingslipno": "KIWI-1",
    "consignee": "HANA EXAMPLE",
    "address1": "",
    "address2": "1 SAMPLE STREET",
    "suburb": "EXAMPLE BAY",
    "city": "SAMPLETON",
    "postcode": "0999",
    "country": "NZ",
    "delvref": "KIWI-1",
    "delvinstructions": "LEAVE AT THE DOOR",
    "contactname": None,
    "contactphone": "021 000 000",
    "email": "hana@example.nz",
    "isrural": None,
    "costcentre": None,
    "status": {
        "Status": "DELIVERED",
        "ticketnumber": "EX000001",
        "trackingurl": "https://track.example/EX000001",
        "Picked": "2026-11-22T15:31:21",
        "Delivered": "2026-11-23T12:46:45",
        "manualticket": True,
    },
    "products": [],
}


def read(*results: object) -> tuple[Record, ...]:
    return read_page(json.dumps({"Page": 1, "PageSize": 100, "Pages": 1, "Results": results}).encode()).records


def shown(**changes: object) -> Record:
    [record] = read(SHOWN | changes)
    return record


def proof(slip: PackingSlip = SENT, **changes: object) -> Proof:
    return proof_of(slip.model_copy(update=changes).canonical())


def test_a_record_says_its_status_ticket_and_tracking() -> None:
    record = shown()
    assert (record.number, record.key) == ("KIWI-1", "kiwi-1")
    assert (record.status, record.ticket) == ("DELIVERED", "EX000001")
    assert record.tracking_url == "https://track.example/EX000001"


def test_B10_local_times_are_kept_as_given() -> None:
    record = shown()
    assert (record.picked, record.delivered) == ("2026-11-22T15:31:21", "2026-11-23T12:46:45")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({"Status": "LOST AT SEA"}, "LOST AT SEA"),
        ({"STATUS": "x" * 900}, "x" * 500),
        ({"status": "\ud800"}, "\\ud800"),
        ({"status": None}, ""),
        ({"status": 7}, ""),
        ({"status": {"code": 7}}, ""),
        ({}, ""),
        (None, ""),
        ("PENDING", "PENDING"),
        ([1], ""),
    ],
)
def test_B5_an_unknown_status_is_kept_and_shown_and_never_a_crash(status: object, told: str) -> None:
    assert shown(status=status).status == told
    assert shows(shown(status=status), proof())


def test_B5_a_status_said_in_two_ways_and_a_record_without_a_number_use_up_the_whole_answer() -> None:
    for bad in ({"status": {"Ticketnumber": "A", "ticketnumber": ""}}, {"packingslipno": None}, {"PackingSlipNo": "X"}):
        with pytest.raises(RecordsError, match="so its whole answer was not used"):
            read(SHOWN, SHOWN | bad)
    nothings: list[object] = [None, "KIWI-1", []]
    for none in nothings:
        with pytest.raises(RecordsError, match="can't be read"):
            read(none)


def test_names_in_any_case_and_numbers_without_quotes_are_read() -> None:
    [record] = read({name.upper(): value for name, value in SHOWN.items()} | {"PACKINGSLIPNO": 1001, "NEW": {"a": [1]}})
    assert record.number == "1001"
    assert record.ticket == "EX000001"
    assert shows(record, proof())


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://x.example", "https://a b", "", None, 7, "http://" + "x" * 501]
)
def test_a_tracking_address_that_is_none_is_left_out(address: object) -> None:
    assert shown(status={"trackingurl": address}).tracking_url == ""


def test_the_page_and_how_many_there_are_come_in_any_case_and_may_be_missing() -> None:
    told = read_page(b'{"page":2,"PAGES":3,"results":[]}')
    assert (told.page, told.pages, told.records) == (2, 3, ())
    for odd in (b'{"Results":[]}', b'{"Results":[],"Page":0,"Pages":0}', b'{"Results":[],"Page":"1","Pages":null}'):
        told = read_page(odd)
        assert (told.page, told.pages) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"null", b"", b"<html>", b'{"Results":{}}', b'{"Results":null}', b'{"Results":[],"results":[]}'],
)
def test_B8_an_answer_without_one_list_of_results_is_refused(body: bytes) -> None:
    with pytest.raises(RecordsError):
        read_page(body)


def test_B4_what_gss_tidies_up_is_still_our_version() -> None:
    assert shows(shown(), proof())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"consignee": "hana  EXAMPLE "}, id="case and spaces"),
        pytest.param({"delvinstructions": "leave at\r\nthe door"}, id="line ends"),
        pytest.param({"address1": "1 sample street", "address2": None}, id="street in address1"),
        pytest.param({"address2": "1 SAMPLE STREET EXAMPLE BAY", "suburb": ""}, id="suburb joined to the street"),
        pytest.param({"address1": "1 SAMPLE", "address2": "STREET"}, id="street in two parts"),
        pytest.param({"postcode": ""}, id="postcode left blank"),
        pytest.param({"country": None}, id="no country means New Zealand"),
        pytest.param({"country": " nz"}, id="country in small letters"),
        pytest.param({"contactname": ""}, id="null or empty"),
        pytest.param({"costcentre": "SHOP", "notrural": True, "customField1Value": "x"}, id="fields of GSS's own"),
        pytest.param({"products": [{"productcode": "X", "units": 1.0}]}, id="products we said nothing about"),
    ],
)
def test_B4_each_thing_gss_may_change(changes: dict[str, object]) -> None:
    assert shows(shown(**changes), proof())


@pytest.mark.parametrize(
    "changes",
    [
        {"consignee": "HANA OTHER"},
        {"address2": "2 SAMPLE STREET"},
        {"address2": "SAMPLE STREET 1"},
        {"suburb": "SAMPLETON", "city": "EXAMPLE BAY"},
        {"suburb": None},
        {"country": "AU"},
        {"delvref": "KIWI-2"},
        {"delvinstructions": None},
        {"contactname": "HANA EXAMPLE"},
        {"contactphone": "021 000 001"},
        {"email": None},
        {"delvref": None, "contactname": "KIWI-1"},
        {"consignee": "HANA", "delvref": "EXAMPLE KIWI-1"},
        {"consignee": None, "delvref": "HANA EXAMPLE\nKIWI-1"},
    ],
)
def test_B3_each_difference_that_is_not_our_version(changes: dict[str, object]) -> None:
    assert not shows(shown(**changes), proof())


def test_B4_a_postcode_we_sent_must_be_there() -> None:
    assert shows(shown(postcode="0999"), proof(postcode="0999"))
    assert shows(shown(postcode=" ab1 2cd"), proof(postcode="AB12CD"))
    assert not shows(shown(postcode="0998"), proof(postcode="0999"))
    assert not shows(shown(postcode=""), proof(postcode="0999"))


def test_B4_uk_is_gb_and_only_new_zealand_may_be_left_out() -> None:
    assert shows(shown(country="UK"), proof(country="GB"))
    assert shows(shown(country="gb"), proof(country="UK"))
    assert not shows(shown(country=None), proof(country="AU"))


def test_B4_letters_that_only_unicode_tells_apart_are_the_same() -> None:
    assert shows(shown(consignee="WHA\u0304NGAREI STRASSE １"), proof(consignee="Whāngarei Straße 1"))
    assert not shows(shown(consignee="WHANGAREI"), proof(consignee="Whāngarei"))


LINES = (
    Product(productcode="A-1", description="Wool", units=2),
    Product(productcode="B", units=1.5, unitvalue=10, currency="NZD"),
)
LINES_SHOWN: list[dict[str, Any]] = [
    {
        "productcode": "B",
        "description": None,
        "units": 1.50000000,
        "unitvalue": 10.0000,
        "currency": "NZD",
        "unitkg": 1,
    },
    {"ProductCode": "a-1", "Description": "WOOL", "Units": "2.0", "UnitValue": 7.5, "Currency": "NZD"},
]


def test_products_are_compared_when_both_sides_speak_of_them_in_any_order() -> None:
    assert shows(shown(products=LINES_SHOWN), proof(products=LINES))
    assert shows(shown(products=None), proof(products=LINES))
    assert shows(shown(products=LINES_SHOWN), proof(products=None))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        LINES_SHOWN[:1],
        [*LINES_SHOWN, LINES_SHOWN[0]],
        [LINES_SHOWN[0] | {"units": 3}, LINES_SHOWN[1]],
        [LINES_SHOWN[0] | {"units": None}, LINES_SHOWN[1]],
        [LINES_SHOWN[0] | {"unitvalue": "cheap"}, LINES_SHOWN[1]],
        [LINES_SHOWN[0] | {"currency": "AUD"}, LINES_SHOWN[1]],
        [LINES_SHOWN[0], LINES_SHOWN[1] | {"description": "SILK"}],
        [LINES_SHOWN[0], {"Units": 2, "units": 2}],
        [LINES_SHOWN[0], None],
        [LINES_SHOWN[0], True],
    ],
)
def test_products_that_differ_are_not_our_version(lines: list[object]) -> None:
    assert not shows(shown(products=lines), proof(products=LINES))


letters = st.text(st.characters(categories=["L", "N", "Zs", "P"]), max_size=20)


@given(letters, letters, letters, letters)
def test_B4_our_version_in_capitals_and_with_its_street_moved_is_always_our_version(
    name: str, street: str, suburb: str, note: str
) -> None:
    ours = SHOWN | {"consignee": name, "address1": street, "address2": "", "suburb": suburb, "delvinstructions": note}
    moved = {"address1": None, "address2": street.upper(), "consignee": f" {name.upper()}  "}
    [record] = read(ours | moved | {"delvinstructions": note.upper() or None})
    assert shows(record, proof_of(json.dumps(ours).encode()))


@given(
    st.text(alphabet="aA İıß１1\n\t\u0301\u00a0", max_size=6),
    st.sampled_from([str, str.upper, str.swapcase, str.title]),
)
def test_B4_the_short_way_to_compare_never_says_else_than_the_long_one(
    text: str, rewritten: Callable[[str], str]
) -> None:
    other = rewritten(text)
    folds = [[_fold(line) for line in one.split("\n")] for one in (text, other)]
    assert _are_alike(text, other) == (folds[0] == folds[1])


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(SHOWN)) | st.text(), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*SHOWN, "Status", "Products"]), json_values))
def test_B5_any_record_at_all_is_read_or_refused_and_can_be_stored(changes: dict[str, Any]) -> None:
    try:
        [record] = read(SHOWN | changes)
    except RecordsError:
        return
    for text in (record.number, record.status, record.ticket, record.tracking_url, record.picked, record.delivered):
        assert len(text.encode()) <= 4 * 500
    assert shows(record, record.proof)


@given(st.binary())
def test_SEC11_any_bytes_are_a_page_or_are_refused(body: bytes) -> None:
    with pytest.raises(RecordsError):
        read_page(body)

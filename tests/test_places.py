"""Every country and area of WooCommerce's own lists is known, by its code and by its name.

golden/woocommerce_places.json has the lists as WooCommerce 11.0.1 told them (`GET settings/general`): the countries,
and the areas of those whose addresses carry one, and of New Zealand.
"""

from __future__ import annotations

import json
from typing import Any

import pycountry
import pytest

from connector.locality import locality_abroad
from connector.places import AREA_COUNTRIES, STATE_COUNTRIES, country_code, new_zealand_region, state_code
from connector.text import clean
from tests.sources.golden import FOLDER

LISTS: dict[str, Any] = json.loads((FOLDER / "woocommerce_places.json").read_text(encoding="utf-8"))
COUNTRIES: dict[str, str] = LISTS["countries"]
AREAS: dict[str, dict[str, str]] = LISTS["areas"]


def test_T7_every_country_of_woocommerce_is_known_by_code_and_name() -> None:
    assert len(COUNTRIES) == 250
    assert {code: (country_code(code), country_code(clean(name))) for code, name in COUNTRIES.items()} == {
        code: (code, code) for code in COUNTRIES
    }


@pytest.mark.parametrize("country", sorted(STATE_COUNTRIES))
def test_every_state_of_woocommerce_is_one_code_by_its_code_and_its_name(country: str) -> None:
    known = {code: (state_code(country, code), state_code(country, name)) for code, name in AREAS[country].items()}
    assert [code for code, (by_code, by_name) in known.items() if by_code != by_name or not by_code] == []


def test_the_code_of_a_mexican_state_is_iso_s() -> None:
    divisions = pycountry.subdivisions.get(country_code="MX")  # type: ignore[no-untyped-call]
    iso = {division.code.removeprefix("MX-") for division in divisions}
    assert {state_code("MX", code) for code in AREAS["MX"]} == iso
    for name, code in [("Michoacán", "MIC"), ("Mich.", "MIC"), ("Coahuila", "COA"), ("Estado de México", "MEX")]:
        assert state_code("MX", name) == code


@pytest.mark.parametrize("country", sorted(AREA_COUNTRIES & AREAS.keys() - {"HK"}))  # there the codes are the names
def test_every_area_of_woocommerce_stands_in_city_by_its_name(country: str) -> None:
    for code, name in AREAS[country].items():
        known_as = name.partition(" / ")[0]  # "Beijing / 北京"
        for region, region_name in ((code, ""), ("", code), (code, known_as)):
            assert locality_abroad(country, "", "Town", region, region_name, "").city == known_as


def test_every_region_of_woocommerce_s_new_zealand_is_known() -> None:
    assert all(new_zealand_region(code) == new_zealand_region(name) != "" for code, name in AREAS["NZ"].items())

"""Suburb, city or state, and postcode, from what shops write into five fields. Knows no street and no slip.

What is asked of each: customerorders-put.md. What shops send: platforms.md section 1, rules 11 to 13. The answers on
places are cached, since many orders go to few of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from connector.packing_slip import LIMITS
from connector.places import (
    AREA_COUNTRIES,
    CITY_STATES,
    POSTCODE_DIGITS,
    STATE_COUNTRIES,
    area_name,
    australian_state,
    is_new_zealand,
    names_country,
    needs_postcode,
    new_zealand_region,
    state_code,
)
from connector.receipt import Receipt
from connector.street import without_rural_delivery

_COMMA: Final = re.compile(" ?, ?")
_CODE: Final = re.compile("[A-Z]{2,3}")
_ZIP_COUNTRIES: Final = ("US", "PR", "VI")
_PLUS_FOUR: Final = re.compile("-[0-9]{4}")


class Locality(NamedTuple):
    """suburb and city as they go on the slip; rural "RD 2" or ""; postcode one found among the words, or ""."""

    suburb: str
    city: str
    rural: str = ""
    postcode: str = ""
    receipts: tuple[Receipt, ...] = ()
    problems: tuple[str, ...] = ()


@lru_cache(maxsize=8192)
def new_zealand_locality(suburb: str, city: str, region: str, region_name: str) -> Locality:
    """Suburb and city from what shops write into three fields; cached, since many orders go to few places."""
    receipts: list[Receipt] = []
    suburb, rural1 = without_rural_delivery(suburb, names_town=True)
    city, rural2 = without_rural_delivery(city, names_town=True)
    city, postcode = _without_postcode(city)
    before, _, city = _without_country(city).rpartition(", ")
    if before and before.casefold() != suburb.casefold():
        receipts.append(Receipt("suburb", suburb, suburb or before, "The words before the city are the suburb."))
        suburb, city = (suburb, f"{before}, {city}") if suburb else (before, city)
    if not city:
        city = region_name or new_zealand_region(region) or region
        if city:
            receipts.append(Receipt("city", "", city, "The address names no city, so its region stands there."))
    elif region or region_name:
        receipts.append(Receipt("region", region_name or region, "", "New Zealand addresses carry no region."))
    rural = ", ".join(dict.fromkeys(filter(None, (rural1, rural2))))
    told = _other_than(suburb, city)
    if told != suburb:
        receipts.append(Receipt("suburb", suburb, told, "What only repeats the city or the country was left out."))
    return Locality(told, city, rural, postcode, tuple(receipts))


def _other_than(suburb: str, city: str) -> str:
    """The suburb without pieces that only repeat the city or the country."""
    pieces = suburb.split(", ")
    return ", ".join(piece for piece in pieces if piece.casefold() != city.casefold() and not is_new_zealand(piece))


def _without_country(place: str) -> str:
    head, _, tail = place.rpartition(", ")
    return head if head and is_new_zealand(tail) else place


def _without_postcode(place: str) -> tuple[str, str]:
    head, _, tail = place.rpartition(" ")
    if len(tail) == 4 and tail.isascii() and tail.isdigit():
        return head.rstrip(" ,"), tail
    return place, ""


@lru_cache(maxsize=8192)
def new_zealand_postcode(typed: str) -> tuple[str, tuple[Receipt, ...]]:
    """Four digits or nothing: it may be left blank (customerorders-put.md), and a wrong one is worse than none."""
    code, receipts = postcode_abroad(typed, "NZ")
    if not code or (len(code) == 4 and code.isascii() and code.isdigit()):
        return code, receipts
    found = [word for word in code.replace(",", " ").split() if len(word) == 4 and word.isascii() and word.isdigit()]
    mended = found[0] if len(found) == 1 else ""
    return mended, (
        Receipt("postcode", typed, mended, "New Zealand postcodes have four digits; it may be left blank."),
    )


@lru_cache(maxsize=8192)
def locality_abroad(country: str, suburb: str, city: str, region: str, region_name: str, postcode: str) -> Locality:
    """Suburb and city of an address outside New Zealand; country is ISO alpha-2, postcode as it will be sent."""
    if country in STATE_COUNTRIES:
        town, found, receipts = _without_postcode_abroad(country, city, postcode)
        placed = _with_state(country, suburb, town, region, region_name, postcode or found)
        return placed._replace(postcode=found, receipts=receipts + placed.receipts)
    if country in AREA_COUNTRIES and (region or region_name):
        return _with_area(suburb, city, area_name(country, region_name or region))
    told = []
    if not city:
        city = (suburb and CITY_STATES.get(country, "")) or region_name or region or CITY_STATES.get(country, "")
        told = [Receipt("city", "", city, "The address names no city, so its region or country stands there.")]
    elif region or region_name:
        told = [Receipt("region", region_name or region, "", "Addresses in this country carry no region.")]
    if not (city or suburb or postcode):
        return Locality(suburb, city, problems=("The delivery address names no town; add it in the shop.",))
    return Locality(suburb, city, receipts=tuple(told))


def _with_area(suburb: str, city: str, area: str) -> Locality:
    return Locality(suburb if city.casefold() == area.casefold() else _in_one(suburb, city), area)


def _in_one(suburb: str, city: str) -> str:
    """Both in one field, the city only once."""
    if not city or city.casefold() in suburb.casefold().split(", "):
        return suburb
    return f"{suburb}, {city}" if suburb else city


def _with_state(country: str, suburb: str, city: str, region: str, region_name: str, postcode: str) -> Locality:
    """Locality into suburb, the state's code into city. A state that isn't known goes as it was typed."""
    receipts: list[Receipt] = []
    code = state_code(country, region) or state_code(country, region_name)
    if not (code or region or region_name):
        town, code = _without_state(country, city, postcode)
        if code:
            receipts.append(Receipt("city", city, code, "The state stood behind the town."))
            city = town
    elif code and (town := _before_state(country, city, code)) != city:
        receipts.append(Receipt("city", city, town, "The state behind the town stands in its own place."))
        city = town
    if not code and country == "AU" and (code := australian_state(postcode)):
        receipts.append(Receipt("city", region or region_name, code, "The state was read from the postcode."))
    code = code or region_name or region
    if not code:
        return Locality("", "", problems=("The delivery address names no state; add it in the shop.",))
    if not (suburb or city):
        return Locality("", "", problems=("The delivery address names no town or suburb; add it in the shop.",))
    if country == "AU" and suburb and city:  # Australia Post's locality is the suburb alone
        if suburb.casefold() != city.casefold():
            receipts.append(Receipt("city", city, code, "The suburb and the state stand for the city."))
        city = ""
    return Locality(_in_one(suburb, city), code, receipts=tuple(receipts))


def _without_state(country: str, city: str, postcode: str) -> tuple[str, str]:
    """The city without the state behind it ("Boston MA"), and the state's code, or "".

    A state that an Australian postcode contradicts is none: the words stay with the town, and the postcode tells.
    """
    told = australian_state(postcode) if country == "AU" else ""
    for town, state in _towns_and_states(city):
        code = state_code(country, state)
        if code and told in ("", code):
            return town, code
    return city, ""


def _before_state(country: str, city: str, code: str) -> str:
    """The city without the state behind it, where that is the one the address names ("Sydney NSW")."""
    towns = (town for town, state in _towns_and_states(city) if town and state_code(country, state) == code)
    return next(towns, city)


def _without_postcode_abroad(country: str, city: str, postcode: str) -> tuple[str, str, tuple[Receipt, ...]]:
    """The city without the country and the postcode behind it, the postcode if the address has no other, receipts.

    Only digits that are the address's own postcode, or as many as the country's have where the address has none.
    """
    head, _, tail = city.rpartition(",")
    place = head.rstrip() if head and names_country(tail, country) else city
    town, _, last = place.rpartition(" ")
    digits = POSTCODE_DIGITS.get(country, (0, 0))[1]
    is_code = (
        last.zfill(len(postcode)) == postcode if postcode else len(last) == digits and last.isascii() and last.isdigit()
    )
    if town and is_code:
        why = "The postcode behind the town stands in its own place."
        return town.rstrip(" ,"), "" if postcode else last, (Receipt("city", city, town.rstrip(" ,"), why),)
    if place != city:
        return place, "", (Receipt("city", city, place, "The country behind the town stands in its own place."),)
    return city, "", ()


def _towns_and_states(city: str) -> Iterator[tuple[str, str]]:
    """Where a city may end and a state begin: behind a comma, the longest first, or before a code.

    Without a comma a name is the town's own: Port Washington lies in New York, and New Delhi is all one name.
    """
    for comma in _COMMA.finditer(city):
        yield city[: comma.start()], city[comma.end() :]
    town, _, code = city.rpartition(" ")
    if town and _CODE.fullmatch(code):
        yield town.rstrip(" ,"), code


@lru_cache(maxsize=8192)
def postcode_abroad(typed: str, country: str) -> tuple[str, tuple[Receipt, ...]]:
    """The postcode without one leading apostrophe (platforms.md W4: Shopify's export), lost zeros put back (C11)."""
    code = typed.removeprefix("'").removeprefix("〒").strip()
    if bare := _behind_state(code, country):
        code, receipts = postcode_abroad(bare, country)
        return code, (Receipt("postcode", typed, bare, "The state before it stands in its own place."), *receipts)
    fewest, all_digits = POSTCODE_DIGITS.get(country, (0, 0))
    digits = code[:-5] if country in _ZIP_COUNTRIES and _PLUS_FOUR.fullmatch(code[-5:]) else code
    if fewest <= len(digits) < all_digits and digits.isascii() and digits.isdigit():
        whole = digits.zfill(all_digits) + code[len(digits) :]
        return whole, (Receipt("postcode", typed, whole, "Leading zeros were missing."),)
    return code, ()


def _behind_state(code: str, country: str) -> str:
    """The postcode behind a state's code ("WA 6000"), or "" where there is none before it."""
    state, _, bare = code.partition(" ")
    return bare if bare and country in STATE_COUNTRIES and state.isalpha() and state_code(country, state) else ""


def postcode_problems(postcode: str, country: str) -> tuple[str, ...]:
    """What a person must mend before the postcode can be sent."""
    if len(postcode) > LIMITS["postcode"]:
        return (f"The postcode is longer than {LIMITS['postcode']} characters; correct it in the shop.",)
    if not postcode and needs_postcode(country):
        return (f"The delivery address has no postcode, and mail in {country} needs one; add it in the shop.",)
    return ()

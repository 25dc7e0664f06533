"""The address rules by country: where each part of a shop's address stands on a slip. Knows no order and no slip.

customerorders-put.md: address1 is the building, address2 the street; suburb; city, or the state's code where there are
states; postcode; country as ISO alpha-2. No shop has a suburb field (platforms.md section 1, rule 11), so New Zealand's
is looked for in the second line and in the city. Whatever is moved, mended or left out is noted in a receipt; whatever
can't be placed is a problem, a sentence for the merchant. Nothing of an address is ever cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import msgspec

from connector.locality import (
    Locality,
    locality_abroad,
    new_zealand_locality,
    new_zealand_postcode,
    postcode_abroad,
    postcode_problems,
)
from connector.order import Address
from connector.packing_slip import LIMITS
from connector.places import AREA_COUNTRIES, STATE_COUNTRIES, country_code
from connector.receipt import Receipt
from connector.repeats import Place, place_of, without_repeats
from connector.street import is_box, is_street, split_lines, without_rural_delivery
from connector.text import clean, is_loss

_LONGEST_PART: Final = 300
"""Longer parts are no address: they are refused before any rule looks at them, so none can be made to work hard."""


_SHORTEST_LIMIT: Final = min(LIMITS[name] for name in ("address1", "address2", "suburb", "city"))


class AddressRules(NamedTuple):
    """street  the line for the street; united_kingdom  what GSS is told; default_country  for addresses without one."""

    street: Literal["address2", "address1"] = "address2"
    united_kingdom: Literal["GB", "UK"] = "GB"
    default_country: str | None = None


class Shaped(msgspec.Struct, frozen=True, gc=False):
    """The address part of a slip; when there are problems the fields are worth nothing."""

    address1: str = ""
    address2: str = ""
    suburb: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""
    receipts: tuple[Receipt, ...] = ()
    problems: tuple[str, ...] = ()


def clean_address(address: Address) -> tuple[Address, list[Receipt]]:
    """The address with every part cleaned, and receipts for what was lost by it; the same object when all was clean."""
    place = (address.city, address.region, address.region_name, address.postcode, address.country)
    clean_place = _cached_place if len("".join(place)) <= _LONGEST_PART else _cleaned
    after = (
        clean(address.name), clean(address.company), clean(address.line1), clean(address.line2),
        *clean_place(place), clean(address.phone), clean(address.suburb),
    )  # fmt: skip
    before = msgspec.structs.astuple(address)
    if after == before:
        return address, []
    lost = [
        Receipt(field, old, new, "Characters that labels can't carry, or words that say nothing, were left out.")
        for field, old, new in zip(Address.__struct_fields__, before, after, strict=True)
        if is_loss(old, new)
    ]
    return Address(*after), lost


def is_blank(address: Address) -> bool:
    """Whether no part tells where to once it is cleaned: a postcode that says "-" or "NULL" is no address. What a
    source asks of an address as the shop gave it, so that it judges like the slip, which asks one that is cleaned."""
    return not any(map(clean, (address.line1, address.line2, address.city, address.postcode, address.suburb)))


def _cleaned(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(clean, parts))


_cached_place: Final = lru_cache(maxsize=4096)(_cleaned)
"""Many orders go to few places; names, streets and telephones are each order's own. Only short places are kept."""


def shape(address: Address, rules: AddressRules) -> Shaped:
    """A cleaned address as the slip's six fields. Raises nothing; all problems are told at once."""
    if endless := _endless_parts(address):
        return Shaped(problems=endless)
    country = _country(address.country, rules)
    if not country:
        return Shaped(problems=(_country_problem(address.country), *_street_problems(address)))
    shaped = _shape_new_zealand(address, rules) if country == "NZ" else _shape_abroad(address, country, rules)
    if address.line1 or address.line2:
        return shaped
    return Shaped(problems=(*_street_problems(address), *shaped.problems))


def _endless_parts(address: Address) -> tuple[str, ...]:
    if len("".join(msgspec.structs.astuple(address))) <= _LONGEST_PART:  # nearly always
        return ()
    parts = (address.line1, address.line2, address.suburb, address.city, address.region, address.region_name)
    if max(map(len, (*parts, address.country + address.postcode))) <= _LONGEST_PART:
        return ()
    return (f"A part of the delivery address is longer than {_LONGEST_PART} characters; shorten it in the shop.",)


def _country(typed: str, rules: AddressRules) -> str:
    return country_code(typed or rules.default_country or "")


def _country_problem(typed: str) -> str:
    if not typed:
        return "The delivery address has no country; add it in the shop, or set default_country in [slip]."
    return f'The country "{typed[:60]}" is not known; write its two-letter ISO code in the shop.'


def _street_problems(address: Address) -> tuple[str, ...]:
    if address.line1 or address.line2:
        return ()
    return ("The delivery address has no street; add it in the shop.",)


def _shape_new_zealand(address: Address, rules: AddressRules) -> Shaped:
    known = new_zealand_locality(address.suburb, address.city, address.region, address.region_name)
    postcode, mended = new_zealand_postcode(address.postcode or known.postcode)
    line1, rural1 = without_rural_delivery(address.line1)
    line2, rural2 = without_rural_delivery(address.line2, names_town=_names_town(address))
    place = place_of((known.city, known.suburb, address.city), (), (postcode, address.postcode, known.postcode), "NZ")
    line1, line2, repeated = without_repeats(line1, line2, place)
    lines = split_lines(line1, line2, may_hold_suburb=not address.suburb)
    receipts = [*repeated]
    if lines.locality:
        receipts.append(Receipt("suburb", "", lines.locality, "The words after the street are taken for the suburb."))
    places = new_zealand_locality(address.suburb or lines.locality, address.city, address.region, address.region_name)
    receipts += places.receipts + mended
    if places.postcode and places.postcode != postcode:
        receipts.append(Receipt("city", places.postcode, "", "The city named another postcode than the address does."))
    suburb, street = places.suburb, lines.street
    if rural1 or rural2 or places.rural:
        suburb, street = _with_rural((rural1, rural2, places.rural), suburb, street, receipts)
    if not (suburb or places.city or postcode):
        return Shaped(problems=("The delivery address names no town, suburb or postcode; add one in the shop.",))
    return _placed(rules, lines.building, street, suburb, places.city, postcode, "NZ", receipts)


def _names_town(address: Address) -> bool:
    """Whether a number in the second line stands behind a town rather than a road: below a street it does."""
    return "d" in address.line2.casefold() and any(map(str.isdigit, address.line2)) and is_street(address.line1)


def _with_rural(found: tuple[str, ...], suburb: str, street: str, receipts: list[Receipt]) -> tuple[str, str]:
    """NZ Post writes "RD 2" between street and town: it takes the suburb's field, or joins the street."""
    rural = ", ".join(dict.fromkeys(filter(None, found)))
    if not suburb and street:
        receipts.append(Receipt("suburb", "", rural, "The rural delivery number stands where a suburb would."))
        return rural, street
    return suburb, f"{street}, {rural}" if street else rural


def _shape_abroad(address: Address, country: str, rules: AddressRules) -> Shaped:
    postcode, mended = postcode_abroad(address.postcode, country)
    places = locality_abroad(country, address.suburb, address.city, address.region, address.region_name, postcode)
    postcode = postcode or places.postcode
    line1, line2, repeated = without_repeats(
        address.line1, address.line2, _place_abroad(address, country, places, postcode)
    )
    lines = split_lines(line1, line2, may_hold_suburb=False)
    problems = (*places.problems, *postcode_problems(postcode, country))
    if problems:
        return Shaped(problems=problems)
    told = rules.united_kingdom if country == "GB" else country
    receipts = [*repeated, *places.receipts, *mended]
    return _placed(rules, lines.building, lines.street, places.suburb, places.city, postcode, told, receipts)


def _place_abroad(address: Address, country: str, places: Locality, postcode: str) -> Place:
    """What the address says of its place beside the street; a region counts where addresses carry one."""
    towns, postcodes = (address.city, address.suburb, places.suburb), (postcode, address.postcode)
    if country in STATE_COUNTRIES or country in AREA_COUNTRIES:
        return place_of(towns, (address.region, address.region_name, places.city), postcodes, country)
    return place_of((*towns, places.city), (), postcodes, country)


def _placed(
    rules: AddressRules,
    building: str,
    street: str,
    suburb: str,
    city: str,
    postcode: str,
    country: str,
    receipts: list[Receipt],
) -> Shaped:
    """The fields in their places, once all of them fit."""
    if is_box(street) or (building and is_box(building)):
        receipts.append(
            Receipt(rules.street, street, street, "Couriers don't deliver to post office boxes and private bags.")
        )
    first, second = (building, street) if rules.street == "address2" else (street, building)
    if len(first) + len(second) <= _SHORTEST_LIMIT and len(suburb) + len(city) <= _SHORTEST_LIMIT:  # nearly always
        return Shaped(first, second, suburb, city, postcode, country, tuple(receipts))
    problems = [
        f"The {name} is longer than {LIMITS[name]} characters; shorten it in the shop."
        for name, text in (("suburb", suburb), ("city", city))
        if len(text) > LIMITS[name]
    ]
    if len(first) > LIMITS["address1"] or len(second) > LIMITS["address2"]:
        typed = ", ".join(part for part in (building, street) if part)
        first, second = _wrapped(typed)
        receipts.append(Receipt("address1", typed, f"{first}\n{second}", "It was too long for one line."))
        if not second:
            problems.append(
                "The street and building don't fit into two lines of 50 characters; shorten them in the shop."
            )
    if problems:
        return Shaped(problems=tuple(problems))
    return Shaped(first, second, suburb, city, postcode, country, tuple(receipts))


def _wrapped(text: str) -> tuple[str, str]:
    """The text over two lines, broken after a comma if that fits, else between words; the second "" if neither does."""
    most = LIMITS["address1"]
    for mark in (", ", " "):
        at = text.rfind(mark, 0, most + len(mark))
        if at > 0 and len(second := text[at + len(mark) :]) <= LIMITS["address2"]:
            return text[:at], second
    return text[:most], ""

"""Which words of an address's two lines are the building, which the street, which a suburb. Knows no country's rules.

Shops' forms ask for the street first and the flat second; buyers write both in either order, or all in one line. The
words themselves decide: a unit word with a number is part of a building, a leading number or a street word makes a
street, and a street without a number takes the number that stands alone beside it. Where they don't decide, the first
line is the street, as the forms ask. No word is ever dropped here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from connector.text import clean

_UNITS: Final = """
    unit u flat apt apartment suite ste level lvl l floor fl room rm shop office studio villa tower building bldg block
    blk bay gate dock warehouse factory kiosk stall townhouse
    appt appartement appartment bat batiment bâtiment etage étage escalier wohnung whg top piso depto departamento
"""
_BUILDINGS: Final = """
    house building tower towers centre center mall plaza hospital school college university campus airport apartments
    hotel motel complex floor level marae marina arcade hinterhaus vorderhaus resort kura hostel library museum
"""
_STREETS: Final = """
    street st road rd avenue ave av drive dr lane ln place pl crescent cres terrace tce highway hwy sh court ct close cl
    way parade pde boulevard blvd square sq quay esplanade grove gr rise loop track row mews circle cir parkway pkwy
    wharf rue chemin allee allée via viale piazza calle avenida rua plads gade strasse straße jalan jl شارع
"""
_WHEREABOUTS: Final = "rear front back upstairs downstairs upper lower ground top main granny basement reception"
_NUMBER_WORDS: Final = frozenset(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"))
_UNIT_WORDS: Final = frozenset(_UNITS.split())
_INDOOR_WORDS: Final = _UNIT_WORDS | frozenset(_WHEREABOUTS.split())
_BUILDING_WORDS: Final = frozenset(_BUILDINGS.split())
_STREET_WORDS: Final = frozenset(_STREETS.split())
_STREET_ENDS: Final = ("straße", "strasse", "str", "straat", "gatan", "gata", "weg", "platz", "allee", "vej", "gade")
_COMPANY_WORDS: Final = frozenset(("ltd", "limited", "inc", "pty", "trust"))
_AIRPORT_SUBURBS: Final = frozenset(("auckland airport", "christchurch airport"))  # NZ Post: 2022 and 8053
_CARE_OF: Final = re.compile(r"c/[-o ]|℅|care[ /]of\b|attn|att(?:ention)?\b", re.IGNORECASE)
_MARKS: Final = str.maketrans('./"', "   ")
_NO_PLACE: Final = re.compile(r'[/:;&@#+!?"℅]')
_BOX: Final = re.compile(
    r"\b(?:(?:g\.? ?)?p\.? ?o\.? ?box|post office box|(?:private|locked|mail) bag)\b", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\d+[A-Za-z]?(?:[-/](?:\d+[A-Za-z]?|[A-Za-z]))*")
_RURAL: Final = re.compile(
    r"(?<![A-Za-z])(?:r\.? ?d\.?|rural delivery)(?: no\.?)? ?#?([0-9]{1,2})(?![0-9])", re.IGNORECASE
)


class Lines(msgspec.Struct, frozen=True, gc=False):
    """building and street in the words typed; locality  what stands after the street and may be a suburb, else ""."""

    building: str
    street: str
    locality: str = ""


def split_lines(line1: str, line2: str, *, may_hold_suburb: bool) -> Lines:
    """The two lines sorted; cleaned text in, the same words out. Linear in the length of the lines."""
    if not line2 and "," not in line1:
        return Lines("", line1) if line1[:1].isdigit() else Lines(*_unit_before_number(line1))
    if _is_plainly_street(line1):
        if may_hold_suburb and "," not in line2 and _may_be_suburb(line2):
            return Lines("", line1, line2)
        if _is_plainly_building(line2):
            return Lines(line2, line1)
    first, second = _pieces(line1), _pieces(line2)
    pieces = first + second
    if len(pieces) < 2:
        return Lines(*_unit_before_number("".join(pieces)))
    numbers = _numbers_beside(pieces)
    at = _street_at(pieces, numbers)
    if at in numbers:
        _take_number(pieces, at, numbers[at])
    unit, street = _unit_before_number(pieces[at])
    building, streets, locality = [*pieces[:at], unit], [street], []
    for place, piece in enumerate(pieces[at + 1 :], at + 1):
        if may_hold_suburb and _may_be_suburb(piece):
            locality.append(piece)
        elif _is_building(piece) or at < len(first) <= place:
            building.append(piece)
        else:
            streets.append(piece)
    return Lines(_joined(building), _joined(streets), _joined(locality))


def _joined(pieces: list[str]) -> str:
    return ", ".join(filter(None, pieces))


def _is_plainly_street(line: str) -> bool:
    """ "12 Queen Street", the commonest line of all: nothing in a second line can look more like a street."""
    return line[:1].isdigit() and "," not in line and line.rpartition(" ")[2].casefold() in _STREET_WORDS


def _is_plainly_building(line: str) -> bool:
    """ "Unit 4", and nothing else that could be a street."""
    return "," not in line and _is_building(line) and not is_box(line)


@lru_cache(maxsize=4096)
def _may_be_suburb(piece: str) -> bool:
    """Only a name with nothing of a building, street or company about it.

    A wrong suburb fails GSS's validation and an empty one doesn't (gosweetspot-api.md 1.8): doubt leaves it empty.
    """
    lowered = piece.casefold()
    if lowered in _AIRPORT_SUBURBS:
        return True
    if not piece or _has_digit(piece) or _NO_PLACE.search(piece) or _is_building(piece):
        return False
    words = _words(lowered)
    if words[0] in _UNIT_WORDS and len(words) > 1 and _is_identifier(words[1]):  # "Flat A Mt Eden"
        return False
    return words[-1] not in _STREET_WORDS and words[-1] not in _COMPANY_WORDS


def _pieces(line: str) -> list[str]:
    return [piece for part in line.split(",") if (piece := part.strip())]


def _numbers_beside(pieces: list[str]) -> dict[int, int]:
    """Where a house number stands alone ("12, Queen Street"), by the place of the piece without one that it may be of.

    Nearly always empty. A number before a piece counts rather than one behind it.
    """
    found: dict[int, int] = {}
    for number, piece in enumerate(pieces):
        if not is_number(piece):
            continue
        if number + 1 < len(pieces) and not _has_digit(pieces[number + 1]):
            found[number + 1] = number
        if number and not _has_digit(pieces[number - 1]):
            found.setdefault(number - 1, number)
    return found


def is_number(piece: str) -> bool:
    """A house number and nothing else ("12", "12-14", "7A")."""
    if " " in piece or not piece[0].isdigit():  # nearly always
        return False
    return _NUMBER.fullmatch(piece) is not None and not _is_building(piece)


def _take_number(pieces: list[str], at: int, number: int) -> None:
    """Join "12" and "Queen Street" in the order typed; the number's own place is left empty."""
    pieces[at] = " ".join(pieces[place] for place in sorted((at, number)))
    pieces[number] = ""


def _street_at(pieces: list[str], numbers: dict[int, int]) -> int:
    """Which piece is the street: the likeliest, the first of equals, and no building part unless all are.

    A number alone beside a piece counts as the piece's own.
    """
    scores = [_likeness(piece) for piece in pieces]
    for place in numbers:
        if scores[place] >= 0:
            scores[place] += 2
    return scores.index(max(scores))


def _likeness(piece: str) -> int:
    """How much a piece looks like a street: -1 a building's part, 0 can't tell, 10 "12 Queen Street".

    A box (5) gives way to a street with a number (6 and more), where couriers deliver, and to no other.
    """
    if is_box(piece):
        return 5
    if _is_building(piece):
        return -1
    if is_number(piece):
        return 0
    words = piece.casefold().replace(".", " ").split()
    if not words or words[-1] in _BUILDING_WORDS:
        return 0
    is_named = any(word in _STREET_WORDS or word.endswith(_STREET_ENDS) for word in words)
    return 4 * is_named + 4 * piece[0].isdigit() + 2 * _has_digit(piece)


def _is_building(piece: str) -> bool:
    lowered = piece.casefold()
    if lowered[:1] == "#" or _CARE_OF.match(lowered) or (lowered.endswith("/f") and len(lowered) <= 4):  # "3/F"
        return True
    words = _words(lowered)
    if not words:
        return False
    if words[0] in _INDOOR_WORDS and all(map(_is_of_unit, words[1:])):
        return True
    name = words[: words.index("of")] if "of" in words[1:] else words  # "University of Otago"
    return name[-1] in _BUILDING_WORDS and (not piece[0].isdigit() or name[-1] in ("floor", "level"))


def _words(lowered: str) -> list[str]:
    return lowered.translate(_MARKS).split()


def _is_of_unit(word: str) -> bool:
    """What may follow a unit's first word: "Level Two", "Granny Flat", "Unit 3 Block B"."""
    return word in _INDOOR_WORDS or word in _NUMBER_WORDS or _is_identifier(word)


def _is_identifier(word: str) -> bool:
    return len(word) == 1 or _has_digit(word)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _unit_before_number(line: str) -> tuple[str, str]:
    """ "Unit 4 12 Smith Road" is ("Unit 4", "12 Smith Road"); anything else is all street."""
    if not line or line[0].isdigit():
        return "", line
    words = line.split(" ", 2)
    if len(words) == 3 and words[2][0].isdigit() and words[0].casefold() in _UNIT_WORDS and _is_identifier(words[1]):
        return f"{words[0]} {words[1]}", words[2]
    return "", line


def is_box(line: str) -> bool:
    """True for post office boxes and private bags, to which couriers don't deliver."""
    lowered = line.casefold()
    return ("box" in lowered or "bag" in lowered) and _BOX.search(line) is not None


def may_be_name(piece: str, name: str) -> bool:
    """True where the piece is a name with something behind it, and no unit, box or street with a number."""
    return _likeness(name) == 0 and not _is_building(piece) and not is_box(piece)


def is_street(line: str) -> bool:
    """True where some piece has a street's word, or a number in front of a name."""
    return any(_likeness(piece) >= 4 for piece in _pieces(line))


def without_rural_delivery(line: str, *, names_town: bool = False) -> tuple[str, str]:
    """The line without its rural delivery number, and the number as NZ Post writes it ("RD 2"), or "".

    "Smith Rd 2" is a road and a number: RD counts at the beginning, after a comma or a street word, or written out; and
    behind any words where the line is known to name a town rather than a street ("Te Kuiti RD 2").
    """
    lowered = line.casefold()
    if "rd" not in lowered and "r.d" not in lowered and "r d" not in lowered and "rural" not in lowered:
        return line, ""
    for found in _RURAL.finditer(line):
        before = line[: found.start()].rstrip()
        after = line[found.end() :].strip()
        is_behind_town = names_town and after[:1] in ("", ",") and not _has_digit(before.rpartition(",")[2])
        if is_behind_town or _may_end_before_rural(before) or "ural" in found.group():
            rest = clean(", ".join(part for part in (before.rstrip(", "), after.strip(" ,")) if part))
            return rest, f"RD {int(found.group(1))}"
    return line, ""


def _may_end_before_rural(before: str) -> bool:
    return not before or before.endswith(",") or before.rsplit(" ", 1)[-1].casefold().rstrip(".") in _STREET_WORDS

"""Which words of an address's two lines only say again what its other fields say. Knows no country's rules.

Buyers, and the address finders of shops, type the whole address into the lines: "Mt Eden, Auckland 1024" below the
street, with the city and the postcode in their own fields too. Left there, such words would stand as a building.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from connector.places import folded, names_country, names_of_country
from connector.receipt import Receipt
from connector.street import is_number, is_street, may_be_name

_WHY: Final = "What only repeats the city, the state, the postcode or the country was left out."

# Behind these a town's name belongs to another name: "University of Auckland", "South Auckland".
_JOINING_WORDS: Final = "of the north south east west upper lower new old port mount mt st great"
_JOINING: Final = frozenset(_JOINING_WORDS.split())


class Place(NamedTuple):
    """What the other fields say: every name in folded words with its kind, the longest first; country ISO alpha-2.

    ends  what a line ends with that may repeat any of them
    """

    names: tuple[tuple[str, list[str]], ...]
    country: str
    ends: tuple[str, ...]


@lru_cache(maxsize=4096)
def place_of(towns: tuple[str, ...], states: tuple[str, ...], postcodes: tuple[str, ...], country: str) -> Place:
    """The place of an address: each part in every spelling known, "" where it is not; cached, since many orders go to
    few of them."""
    names = [
        (kind, words)
        for kind, texts in (("postcode", postcodes), ("state", states), ("town", towns))
        for part in ",".join(texts).split(",")
        if (words := [folded(word) for word in part.split()])
    ]
    names.sort(key=lambda name: -len(name[1]))
    ends = {*(words[-1] for _, words in names), *names_of_country(country)} - {""}
    return Place(tuple(names), country, tuple(ends))


def without_repeats(line1: str, line2: str, place: Place) -> tuple[str, str, tuple[Receipt, ...]]:
    """The two lines without what the place says too; each change is on a receipt.

    A piece between commas goes where it says nothing else; behind other words, a postcode and the town or state before
    it go. Of the first piece, which is the street or the building, only what stands behind a street's word.
    """
    if line1 and line1.casefold() == line2.casefold():
        return line1, "", (Receipt("line2", line2, "", "It only repeats the first line."),)
    if "," not in line1 and "," not in line2 and not (_may_repeat(line1, place) or _may_repeat(line2, place)):
        return line1, line2, ()
    first = _pieces(line1)
    second = _pieces(line2)
    kept1 = [*map(_without_end_of_street, first[:1], [place]), *_others(first, place)]
    kept2 = list(_others([first[-1], *second], place)) if first else second
    receipts = []
    if kept1 != first:
        receipts.append(Receipt("line1", line1, line1 := ", ".join(kept1), _WHY))
    if kept2 != second:
        receipts.append(Receipt("line2", line2, line2 := ", ".join(kept2), _WHY))
    return line1, line2, tuple(receipts)


def _pieces(line: str) -> list[str]:
    return [piece for part in line.split(",") if (piece := part.strip())]


def _others(pieces: list[str], place: Place) -> Iterator[str]:
    """All pieces but the first, each without what it repeats of the place; none that says nothing else."""
    for previous, piece in pairwise(pieces):
        rest, found = _split(piece, place)
        if not rest and found == {"town"} and is_number(previous):  # "12, Broadway" in the town of Broadway
            yield piece
        elif rest:
            yield rest if _is_surely_repeated(piece, rest, found) else piece


def _without_end_of_street(piece: str, place: Place) -> str:
    """ "12 Foo Street Mt Eden Auckland 1024" without the town and postcode; a street may bear the town's own name."""
    rest, found = _split(piece, place)
    return rest if {"town", "postcode"} <= found and is_street(rest) else piece


def _is_surely_repeated(piece: str, rest: str, found: set[str]) -> bool:
    """Whether the words behind the rest can go: a town alone may belong to a name, a number alone to a unit or box."""
    return "postcode" in found and (not found.isdisjoint(("town", "state")) or may_be_name(piece, rest))


def _split(piece: str, place: Place) -> tuple[str, set[str]]:
    """The piece without the place's words at its end, and which of them stood there."""
    if not _may_repeat(piece, place):
        return piece, set()
    words = piece.split(" ")
    bare = [folded(word) for word in words]
    found = set[str]()
    while bare and (end := _end(bare, place)):
        kind, length = end
        if len(bare) > length and _belongs_to_rest(kind, bare[-length - 1], found):
            break
        found.add(kind)
        del bare[-length:]
    return " ".join(words[: len(bare)]), found


def _belongs_to_rest(kind: str, before: str, found: set[str]) -> bool:
    """ "South Auckland" is no Auckland, and "PO Box 1024 Auckland" no postcode."""
    return (kind == "town" and before in _JOINING) or (kind == "postcode" and not found.isdisjoint(("town", "state")))


def _may_repeat(text: str, place: Place) -> bool:
    """False for nearly all lines: nothing of the place stands at the end."""
    return folded(text.replace(" ", "")).endswith(place.ends)


def _end(words: list[str], place: Place) -> tuple[str, int] | None:
    """Which of the place's names the words end with, and how many words it has."""
    for kind, name in place.names:
        if words[-len(name) :] == name:
            return kind, len(name)
    if _is_country(words[-1], place):
        return "country", 1
    return ("country", 2) if _is_country("".join(words[-2:]), place) else None


def _is_country(word: str, place: Place) -> bool:
    return bool(word) and names_country(word, place.country)

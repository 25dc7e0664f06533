"""Reads a JSON body so that nothing in it can be taken two ways. Knows nothing of packing slips.

Python's reader keeps the last of two equal keys, takes NaN, and ends in RecursionError or a bare ValueError on hostile
input (failures.md A13 to A18, E2). Here all of that is one error, `JsonError`.
"""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

import msgspec

LONGEST_TEXT: Final = 500
"""Text of GSS's own that is kept (failures.md A19)."""

_NESTED = frozenset({dict, list})
_BOM = b"\xef\xbb\xbf"
_decode = msgspec.json.Decoder(float_hook=str).decode  # a number's own text is kept: 1.10 stays "1.10"


class JsonError(ValueError):
    """The body is not exactly one JSON document that can be read in one way only."""


def read_json(body: bytes) -> Any:
    """The one document in `body`, whole numbers as int, other numbers as their text; raises JsonError.

    The fast reader is silent about a key that stands twice in an object. So the keys it gave are counted against the
    keys that were written: every written key leaves one `":` once white space is gone, and text can only add to that
    count, so equal counts prove that no key was lost. Any other count, and any complaint, goes to the strict reader.
    """
    body = body.removeprefix(_BOM)
    try:
        document = _decode(body)
        if _keys_in(document) == b"".join(body.split()).count(b'":'):
            return document
    except (ValueError, RecursionError):
        pass  # the strict reader has the last word: it takes what the fast one won't, such as half a surrogate pair
    return _read_strictly(body)


def _keys_in(document: Any) -> int:
    keys = 0
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            keys += len(value)
            waiting += [part for part in value.values() if type(part) in _NESTED]
        elif type(value) is list:
            waiting += value
    return keys


def _read_strictly(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_float=str, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as err:
        raise JsonError("not one whole JSON document") from err


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return fields


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def folded(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The same fields under lower-case names, or None where two of them differ in case only (failures.md A23).

    GSS's names are not case sensitive, and its own examples mix them (gosweetspot-api.md 1.1).
    """
    if "".join(fields).islower():
        return fields
    lowered = {name.lower(): value for name, value in fields.items()}
    return lowered if len(lowered) == len(fields) else None


def plain(text: str) -> str:
    """Text of GSS's that can be stored: at most 500 characters, half surrogate pairs written out (A18, A19)."""
    text = text[:LONGEST_TEXT]
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()[:LONGEST_TEXT]

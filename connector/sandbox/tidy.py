"""How GoSweetSpot rewrites what it is sent. Knows nothing of calls; pure.

From the docs' own examples (gosweetspot-api.md 1.4): an order posted with the street in address1 and no postcode or
country comes back upper-cased, its street in address2, postcode and country filled in.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

FIELDS: Final = (
    "packingslipno",
    "consignee",
    "address1",
    "address2",
    "suburb",
    "city",
    "postcode",
    "country",
    "delvref",
    "delvinstructions",
    "contactname",
    "contactphone",
    "email",
)
"""The thirteen fields, in the order of the API page."""

_UPPER: Final = ("consignee", "address1", "address2", "suburb", "city", "postcode", "country", "contactname")

_CUT: Final = {
    "consignee": 50,
    "address1": 50,
    "address2": 50,
    "suburb": 50,
    "city": 50,
    "postcode": 10,
    "country": 2,
    "delvref": 50,
    "delvinstructions": 120,
    "contactname": 50,
    "contactphone": 50,
    "email": 200,
}
"""Over-long text is assumed to be cut without a word (failures.md N9), at the lengths of the newest docs."""


def as_sent(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The thirteen fields as they came, absent ones null; numbers become their text."""
    return {name: _text(fields.get(name)) for name in FIELDS}


def tidied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The thirteen fields as GoSweetSpot would keep them."""
    kept = as_sent(fields)
    for name, limit in _CUT.items():
        if kept[name] and len(kept[name]) > limit:
            kept[name] = kept[name][:limit]
    for name in _UPPER:
        if kept[name]:
            kept[name] = kept[name].upper()
    if kept["address1"] and not kept["address2"]:
        kept["address1"], kept["address2"] = "", kept["address1"]
    kept["country"] = kept["country"] or "NZ"
    if kept["country"] == "NZ" and not kept["postcode"]:
        kept["postcode"] = _postcode(kept)
    return kept


def _postcode(kept: Mapping[str, Any]) -> str:
    """A postcode that looks like one, the same for the same place; 1010 for central Auckland as in the docs."""
    place = f"{kept['suburb'] or ''} {kept['city'] or ''}".strip()
    if place == "AUCKLAND CENTRAL AUCKLAND":
        return "1010"
    return f"{zlib.crc32(place.encode()) % 9000 + 600:04d}"


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)

"""PackingSlip: one order on the wire of `PUT api/customerorders`, its limits, its canonical form and its hash. Knows
nobody.

The thirteen fields are those of the API page, in its order, always all present: address parts that are empty are "",
optional parts that are absent are null, as in the page's example. Limits are the lowest ones documented anywhere
(gosweetspot-api.md 1.2). The extras are documented too and are sent only when set.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, convert
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LIMITS: Final[dict[str, int]] = {
    "packingslipno": 20,
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
    "email": 60,
}
"""The longest text each field takes, in characters."""

FIELDS: Final = tuple(LIMITS)
"""The thirteen fields in the order of the API page."""

NUMBER: Final = re.compile(r"[A-Za-z0-9#][A-Za-z0-9#._/-]{0,19}")
"""What a packing slip number may be: no comma (GET and DELETE take comma lists), nothing that some proxy rewrites."""


_WIRE: Final = ConfigDict(frozen=True, extra="forbid", defer_build=True)
"""Validators are built for the first slip: most runs find nothing new, and most commands make none."""


class Product(BaseModel):
    """A line of the optional `products` extra; limits of the API page's table."""

    model_config = _WIRE

    productcode: Annotated[str, StringConstraints(max_length=20)] = ""
    description: Annotated[str, StringConstraints(max_length=20)] = ""
    units: float = Field(gt=0, le=1_000_000)
    unitvalue: float | None = None
    currency: Annotated[str, StringConstraints(max_length=3)] | None = None


class Package(BaseModel):
    """A parcel of the optional `packages` extra; the name must exist among the account's stock sizes, or be
    --Custom--."""

    model_config = _WIRE

    PackageStockName: str
    Quantity: int = Field(default=1, ge=1, le=999)
    WeightKg: float | None = None
    LengthCm: float | None = None
    WidthCm: float | None = None
    HeightCm: float | None = None


class PackingSlip(BaseModel):
    """The wire record. Building one that breaks a limit raises pydantic's ValidationError: slip.make never does."""

    model_config = _WIRE

    packingslipno: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    consignee: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    address1: Annotated[str, StringConstraints(max_length=50)] = ""
    address2: Annotated[str, StringConstraints(max_length=50)] = ""
    suburb: Annotated[str, StringConstraints(max_length=50)] = ""
    city: Annotated[str, StringConstraints(max_length=50)] = ""
    postcode: Annotated[str, StringConstraints(max_length=10)] = ""
    country: Annotated[str, StringConstraints(min_length=2, max_length=2)]
    delvref: Annotated[str, StringConstraints(max_length=50)] | None = None
    delvinstructions: Annotated[str, StringConstraints(max_length=120)] | None = None
    contactname: Annotated[str, StringConstraints(max_length=50)] | None = None
    contactphone: Annotated[str, StringConstraints(max_length=50)] | None = None
    email: Annotated[str, StringConstraints(max_length=200)] | None = None
    rawaddress: str | None = None
    costcentre: str | None = None
    products: tuple[Product, ...] | None = None
    packages: tuple[Package, ...] | None = None

    def is_bare(self) -> bool:
        """True for nearly all slips: the thirteen fields and nothing more."""
        return self.rawaddress is None and self.costcentre is None and self.products is None and self.packages is None

    def canonical(self) -> bytes:
        """The exact JSON object that is hashed, stored and sent: UTF-8, fields in the order of the API page."""
        return _to_json(self)


_Required = Annotated[str, Meta(min_length=1, max_length=50)]
_Text = Annotated[str, Meta(max_length=50)]


class BareSlip(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The thirteen fields and nothing more, as nearly all slips are: PackingSlip's own limits (tested) and bytes, at a
    fifth of its cost."""

    packingslipno: Annotated[str, Meta(min_length=1, max_length=20)]
    consignee: _Required
    address1: _Text
    address2: _Text
    suburb: _Text
    city: _Text
    postcode: Annotated[str, Meta(max_length=10)]
    country: Annotated[str, Meta(min_length=2, max_length=2)]
    delvref: _Text | None
    delvinstructions: Annotated[str, Meta(max_length=120)] | None
    contactname: _Text | None
    contactphone: _Text | None
    email: Annotated[str, Meta(max_length=200)] | None


def canonical_body(fields: dict[str, Any]) -> bytes:
    """The canonical body of a slip with these fields: all thirteen, and the extras that are set.

    Raises a ValidationError where one breaks a limit, as PackingSlip does: slip.make never makes such.
    """
    return packing_slip(fields).canonical() if len(fields) > len(FIELDS) else _encode(convert(fields, BareSlip))


_encode: Final = msgspec.json.Encoder().encode


def packing_slip(fields: dict[str, Any]) -> PackingSlip:
    """The slip of these fields, as `PackingSlip(**fields)`, at half the cost of pydantic's constructor."""
    slip: PackingSlip = PackingSlip.__pydantic_validator__.validate_python(fields)
    return slip


_EXTRAS: Final = {"rawaddress", "costcentre", "products", "packages"}  # a frozenset costs pydantic as much again


def _to_json(slip: PackingSlip) -> bytes:
    absent = _EXTRAS if slip.is_bare() else {name for name in _EXTRAS if getattr(slip, name) is None}
    return slip.__pydantic_serializer__.to_json(slip, exclude=absent)


def body_hash(body: bytes) -> str:
    """SHA-256 of a canonical body, as hex: what tells one version from another."""
    return hashlib.sha256(body).hexdigest()


def number_key(number: str) -> str:
    """The key under which two numbers are the same at GSS: trimmed, NFKC, case folded, no control or zero-width
    characters.

    failures.md 3.1. SQLite's NOCASE folds ASCII only and `.lower()` misses full-width letters, so it is done here.
    """
    if number.isascii() and number.isprintable():
        return number.strip().casefold()
    kept = "".join(c for c in number if unicodedata.category(c) not in ("Cc", "Cf"))
    return unicodedata.normalize("NFKC", kept).strip().casefold()


_ZEROS: Final = re.compile(r"(?<!\d)0+(?=\d)")


def clash_key(key: str) -> str:
    """Of a number's key: equal for two numbers that may be one order's. A spreadsheet that saves 000812 leaves 812
    (failures.md C21), and GSS would take them for two."""
    return _ZEROS.sub("", key) if "0" in key else key

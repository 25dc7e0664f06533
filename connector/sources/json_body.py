"""What the JSON bodies of live shops have in common: ids, times, quantities, bodies that are broken. Knows no shop.

A body is decoded straight into a struct of the wanted fields only: a tenth of the time that a dict of all of them takes
(performance.md). The struct is the contract with the shop: a field without a default must be there, of its type. Where
one is not, BrokenError's sentence names the field and never its value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

Body: TypeAlias = bytes | dict[str, Any]
"""One order as its shop sent it: the bytes of the wire, or the object that another reader made of them."""

Text: TypeAlias = str | None
"""Text that a shop may also give as null."""

Fields = TypeVar("Fields")

LARGEST_ID: Final = 2**63 - 1
"""Woo's ids are MySQL BIGINTs, Shopify's are signed 64-bit numbers; past that a number is not an id of theirs."""

_LONGEST_ID: Final = len(str(LARGEST_ID))

LARGEST_QUANTITY: Final = 1_000_000
"""As many units as a line of a packing slip takes (packing_slip.Product)."""

LONGEST_WORD: Final = 60
"""The longest word of the shop's that is quoted back, in characters."""

_NUMBER: Final = re.compile(r"[1-9][0-9]*")
_MISSING: Final = re.compile(r"Object missing required field `(?P<field>.+?)`(?: - at `\$\.?(?P<path>.*)`)?$")
_TYPE: Final = re.compile(r"Expected `(?P<wanted>.+)`, got `(?P<got>.+?)`(?: - at `\$\.?(?P<path>.*)`)?$")
_SHORTEST_STAMP: Final = len("2026-11-23T06:56:21")


class NotAnOrder(msgspec.Struct, frozen=True):
    """A body that is no order, and why, in a sentence. id: of an order that is gone, where the body is its id alone."""

    reason: str
    id: str = ""


class BrokenError(Exception):
    """An order's body is not what this shop sends. fields: what could be read of it, to say which order it is."""

    def __init__(self, sentence: str, fields: dict[str, Any]) -> None:
        super().__init__(sentence)
        self.fields = fields


class NoObjectError(Exception):
    """The body is no JSON object at all; the message is a sentence."""


def decode(body: Body, decoder: msgspec.json.Decoder[Fields], shop: str) -> Fields:
    """The body's wanted fields; raises BrokenError or NoObjectError. shop names the shop's kind in their sentences."""
    try:
        return decoder.decode(body if isinstance(body, bytes) else encoded(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_mended(body, decoder, shop)


def decode_list(page: bytes, decoder: msgspec.json.Decoder[list[Fields]]) -> list[Fields] | None:
    """A page's orders, or None where one of them is broken and they must be read one by one."""
    try:
        return decoder.decode(page)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def objects(page: bytes) -> list[Any] | None:
    """The items of a page that is a JSON list, whatever they are; None for anything else."""
    try:
        value = json.loads(page)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def encoded(value: Any) -> bytes:
    """JSON bytes. Half an emoji (a lone surrogate, failures.md T4) is no text: it is left out."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "ignore")


def _decode_mended(body: Body, decoder: msgspec.json.Decoder[Fields], shop: str) -> Fields:
    """msgspec refuses a whole body for one lone surrogate; the standard library reads it."""
    mended = encoded(_object(body))
    try:
        return decoder.decode(mended)
    except msgspec.ValidationError as error:
        raise BrokenError(_sentence(str(error), shop), json.loads(mended)) from error
    except msgspec.DecodeError as error:  # Infinity and NaN pass the standard library and are no JSON
        raise NoObjectError(f"{shop} sent a body that is not JSON.") from error


def _object(body: Body) -> dict[str, Any]:
    if isinstance(body, dict):
        return body
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoObjectError("The body is not JSON.") from error
    if not isinstance(value, dict):
        raise NoObjectError(f"The body is a JSON {type(value).__name__}, not an object.")
    return value


def _sentence(error: str, shop: str) -> str:
    mend = f"Look at the order in the shop, and whether a plug-in or a new version changed what {shop} sends."
    if found := _MISSING.search(error):
        path = ".".join(filter(None, (found["path"], found["field"])))
        return f"{shop} left out {path}, which its orders always have. {mend}"
    if found := _TYPE.search(error):
        return f"{shop} sent {found['path'] or 'the order'} as {found['got']}, not as {found['wanted']}. {mend}"
    return f"{shop} sent an order that can't be read ({error}). {mend}"


NO_ID: Final = NotAnOrder("It has no order id: an answer about an error, or a record of another kind.")


def id_text(value: object) -> str:
    """An id as text; "" where there is none that could be kept: null, 0, a fraction (failures.md P20)."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).strip()
    return "" if text == "0" else text


def revision_of(fields: dict[str, Any], name: str, zone: tzinfo | None = None) -> str:
    """The change date in a broken body, as Order.revision; "" where it can't be read."""
    stamp = fields.get(name)
    changed = utc_or_none(stamp, zone) if isinstance(stamp, str) else None
    return revision(changed) if changed else ""


def id_problem(text: str) -> str:
    """Why this text is no id of a shop that counts its orders; "" when it is one."""
    if _NUMBER.fullmatch(text) and len(text) <= _LONGEST_ID and int(text) <= LARGEST_ID:
        return ""
    return f"The shop's id of the order is {quoted(text)}, which is not a whole number from 1 to 2^63 - 1."


def utc(text: str, zone: tzinfo | None = None) -> datetime:
    """A shop's time, in UTC. Raises ValueError (failures.md P15).

    zone  what a time without one means; None refuses such a time
    """
    if len(text) < _SHORTEST_STAMP:
        raise ValueError("a time has a date and an hour, a minute and a second")
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        if zone is None:
            raise ValueError("the time has no zone")
        when = when.replace(tzinfo=zone)
    try:
        return when if when.tzinfo is UTC else when.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is past the calendar") from error


def utc_or_none(text: Text, zone: tzinfo | None = None) -> datetime | None:
    """The same for times that nothing hangs on: None for what can't be read."""
    try:
        return utc(text, zone) if text else None
    except ValueError:
        return None


def revision(when: datetime) -> str:
    """The change date as sortable text, whole seconds: "2026-11-23T06:56:21Z"."""
    return when.isoformat(timespec="seconds")[:_SHORTEST_STAMP] + "Z"


def quantity(value: int | float | str) -> Decimal | None:
    """A quantity as it was written, or None where it is not from 0 to a million (failures.md T8)."""
    try:
        number = Decimal(value if isinstance(value, int) else str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() and 0 <= number <= LARGEST_QUANTITY else None


def quoted(word: str) -> str:
    """A word of the shop's, short and printable, in quotation marks."""
    short = word if len(word) <= LONGEST_WORD else word[: LONGEST_WORD - 1] + "…"
    return '"' + "".join(c if c.isprintable() else " " for c in short) + '"'


def name_of(first: Text, last: Text) -> str:
    """First and last name as one."""
    return f"{first or ''} {last or ''}".strip()


def one_by_one(page: bytes, read: Callable[[Body], Any]) -> tuple[Any, ...] | None:
    """Every item of a page read by itself, so that a broken one hides no other; None where the page is no list."""
    items = objects(page)
    if items is None:
        return None
    return tuple(read(item) if isinstance(item, dict) else NotAnOrder("It is no JSON object.") for item in items)

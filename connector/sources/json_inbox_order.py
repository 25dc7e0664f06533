"""The body of a delivery -> Order, by the paths of a store file. Knows no signature and no ledger; never raises.

Sentences name paths and quote status words, never what stands in other fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from connector.order import Address, Order, OrderLine
from connector.sources import json_body
from connector.sources.csv_words import TABLES, Standing, is_cancelled, standing
from connector.sources.json_inbox_options import JsonInboxOptions
from connector.sources.json_inbox_paths import NOTHING, at

LONGEST_ID: Final = 100
DIGITS: Final = 20
"""Of a counter; what grows further than 2^63 counts nothing."""
ADDRESS: Final = ("name", "company", "line1", "line2", "suburb", "city", "region", "postcode", "country", "phone")
ORIGIN: Final = "a delivery"


class Unusable(Exception):
    """There is nothing to be made of a body; the message is a sentence."""


def order_of(body: bytes, options: JsonInboxOptions, zone: ZoneInfo) -> Order:
    """The order that a body shows. zone: of times that name none.

    What can't be read is named in `problems`, so the order is held. Raises Unusable where it can't be told which order
    it is, or which of two deliveries is the newer.
    """
    return _Reader(_fields(body), options, zone).order()


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.removeprefix(b"\xef\xbb\xbf").decode(), parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise Unusable("A signed delivery is not JSON in UTF-8, so it can't be read.") from None
    if not isinstance(found, dict):
        raise Unusable("A signed delivery is JSON and no object, so it names no order.")
    return found


class _Reader:
    """One body, read path by path."""

    def __init__(self, fields: dict[str, Any], options: JsonInboxOptions, zone: ZoneInfo) -> None:
        self._fields = fields
        self._options = options
        self._zone = zone
        self._problems: list[str] = []
        self._doubtful = False

    def order(self) -> Order:
        order_id, revision = self._id(), self._revision()
        texts = {name: self._text(self._fields, name) for name in (*ADDRESS, "email", "note", "shipping_method")}
        said = self._standing()
        lines = self._lines()
        return Order(
            id=order_id,
            number=self._text(self._fields, "number").strip() or order_id,
            revision=revision,
            origin=ORIGIN,
            status=said.word,
            payment=said.payment,
            fulfilment=said.fulfilment,
            cancelled=said.cancelled,
            draft=said.draft,
            created_at=self._created_at(),
            ship_to=Address(**{name: texts[name] for name in ADDRESS}),
            email=texts["email"],
            phone=texts["phone"],
            shipping_method=texts["shipping_method"],
            buyer_note=texts["note"],
            lines=lines,
            problems=tuple(self._problems),
            doubtful=self._doubtful,
        )

    def _id(self) -> str:
        path = self._options.id
        found = json_body.id_text(_value(self._fields, path))
        if not found or len(found) > LONGEST_ID or not found.isprintable():
            raise Unusable(f"A signed delivery has no order id at {path}: a whole number, or a short text.")
        return found

    def _revision(self) -> str:
        """As text that sorts."""
        path, value = self._options.revision, _value(self._fields, self._options.revision)
        if self._options.revision_is == "counter":
            text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
            if text.isascii() and text.isdigit() and len(text) <= DIGITS:
                return text.zfill(DIGITS)
            raise Unusable(f"A signed delivery has no whole number at {path}, so it can't be told how new it is.")
        when = _moment(value, self._zone)
        if when is None:
            raise Unusable(f"A signed delivery has no ISO time at {path}, so it can't be told how new it is.")
        return when.isoformat(timespec="microseconds")[:26] + "Z"

    def _created_at(self) -> datetime | None:
        path = self._options.created_at
        return _moment(_value(self._fields, path), self._zone) if path is not None else None

    def _standing(self) -> Standing:
        paths = {kind: path for kind in TABLES if (path := getattr(self._options, kind)) is not None}
        words = {kind: self._text(self._fields, kind).strip() for kind in paths}
        found = standing(words, paths, self._is_cancelled(), self._options.status_map, _unknown)
        self._problems += found.problems
        return found

    def _is_cancelled(self) -> bool:
        path = self._options.cancelled
        value = _value(self._fields, path) if path is not None else None
        if not isinstance(value, str | int | float | Decimal):
            return bool(value)  # nothing, or an object that tells of the cancel
        found = is_cancelled(str(value))
        if found is None:
            self._doubtful = True
            self._problems.append(
                f"{path} says {json_body.quoted(str(value))}, which is neither a date nor yes or no: whether the order "
                "is cancelled can't be told."
            )
        return bool(found)

    def _lines(self) -> tuple[OrderLine, ...]:
        path = self._options.lines
        if path is None:
            return ()
        found = _value(self._fields, path)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self._problems.append(f"There is no list of lines at {path}.")
            return ()
        return tuple(self._line(one, number) for number, one in enumerate(found, 1))

    def _line(self, fields: dict[str, Any], number: int) -> OrderLine:
        quantity = Decimal(1)
        if self._options.quantity is not None:
            value = _value(fields, self._options.quantity)
            counted = json_body.quantity(str(value)) if _is_number_or_text(value) else None
            if counted is None:
                self._problems.append(f"Line {number} has no quantity at {self._options.quantity}.")
            quantity = counted if counted is not None else quantity
        return OrderLine(self._text(fields, "item"), self._text(fields, "sku"), quantity)

    def _text(self, fields: dict[str, Any], name: str) -> str:
        """The text at the field's path, or at its paths, joined; "" where nothing stands."""
        return " ".join(filter(None, self._texts(fields, getattr(self._options, name))))

    def _texts(self, fields: dict[str, Any], paths: str | list[str] | None) -> Iterator[str]:
        for path in [paths] if isinstance(paths, str) else paths or ():
            value = _value(fields, path)
            if value is None:
                continue
            if not _is_number_or_text(value):
                self._problems.append(f"There is no text at {path}.")
                continue
            yield str(value).encode("utf-8", "ignore").decode()  # half an emoji is no text (failures.md T4)


def _value(fields: dict[str, Any], path: str) -> Any:
    """None for what is not there, too."""
    found = at(fields, path)
    return None if found is NOTHING else found


def _is_number_or_text(value: object) -> bool:
    return isinstance(value, int | str | Decimal) and not isinstance(value, bool)


def _moment(value: object, zone: ZoneInfo) -> datetime | None:
    return json_body.utc_or_none(value, zone) if isinstance(value, str) else None


def _unknown(path: str, word: str) -> str:
    if not word:
        return f"There is no word at {path}."
    shown = json_body.quoted(word)
    return f'{path} says {shown}: say what that means in [source.status_map], for instance {shown} = "paid".'

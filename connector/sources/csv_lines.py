"""The lines of an order: one a row, or several packed into a cell by a WooCommerce plug-in. Knows cells, no columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from connector.order import OrderLine
from connector.sources.csv_layout import Cells

YES_OR_NO: Final = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}

NONE_LEFT: Final = Decimal(0)
CENT: Final = Decimal("0.01")

_BETWEEN_ITEMS: Final = re.compile(r";(?=(?:id|name|product_id):)")
_BETWEEN_PARTS: Final = re.compile(r"(?<!\\)\|")
"""A bar in a value is written `\\|` by SkyVerge; a semicolon parts items only where an item's first key follows."""


class UnreadableQuantityError(ValueError):
    """A quantity that is no number; its text is the argument."""


@lru_cache(maxsize=512)
def quantity_of(text: str) -> Decimal:
    """ "2" or "2.0" as a number; 1 where the export says nothing. Raises UnreadableQuantityError."""
    if not text.strip():
        return Decimal(1)
    try:
        quantity = Decimal(text.strip())
    except InvalidOperation:
        raise UnreadableQuantityError(text) from None
    if not quantity.is_finite():
        raise UnreadableQuantityError(text)
    return quantity


def lines_of_rows(rows: Iterable[Sequence[str]], cells: Cells) -> list[OrderLine]:
    """One line a row; rows without name, SKU and quantity have none. Raises UnreadableQuantityError."""
    return list(filter(None, map(_line, map(cells, rows))))


@lru_cache(maxsize=1024)  # the same goods are ordered again and again
def _line(cells: tuple[str, ...]) -> OrderLine | None:
    """A fulfilled line has nothing left to ship. How much of a half-sent line is left, Shopify's export doesn't say;
    such a line counts in full."""
    name, sku, quantity, requires_shipping, price, fulfilment = cells
    if not (name or sku or quantity):
        return None
    left = NONE_LEFT if fulfilment == "fulfilled" else quantity_of(quantity)
    return OrderLine(name, sku, left, YES_OR_NO.get(requires_shipping.strip().lower()), price)


def lines_of_cells(cells: Iterable[str]) -> list[OrderLine]:
    """The lines packed into cells: `name:Mug|product_id:7|sku:M1|quantity:2|total:9.00`, one (WebToffee) or several
    with semicolons between (SkyVerge). Raises UnreadableQuantityError."""
    return [_unpacked(item) for cell in cells if cell for item in _BETWEEN_ITEMS.split(cell)]


def _unpacked(item: str) -> OrderLine:
    parts = [part.partition(":") for part in _BETWEEN_PARTS.split(item)]
    values = {key.strip(): value.replace("\\|", "|").replace("\\;", ";") for key, _, value in reversed(parts)}
    ordered = quantity_of(values.get("quantity", ""))
    left = ordered - abs(quantity_of(values.get("refunded_qty", "") or "0"))
    price = _unit_price(values.get("total", ""), ordered)
    return OrderLine(values.get("name", ""), values.get("sku", ""), left, None, price)


@lru_cache(maxsize=1024)
def _unit_price(total: str, ordered: Decimal) -> str:
    """To the cent, of a line's total for all that was ordered; "" where either is no number to reckon with."""
    try:
        return str((Decimal(total) / ordered).quantize(CENT))
    except ArithmeticError:
        return ""

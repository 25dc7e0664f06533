"""The goods of an order as the slip's optional `products`, and what is doubtful about them. Knows no slip.

Limits are those of gosweetspot-api.md 1.2. Text is cut with a receipt: it is for the packer, no parcel is lost by it.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from connector.order import OrderLine
from connector.packing_slip import Product
from connector.receipt import Receipt
from connector.text import clean, is_loss

_MOST_LINES: Final = 500
_MOST_UNITS: Final = Decimal(1_000_000)
_NO_UNITS: Final = Decimal(0)
_MOST_MONEY: Final = 1_000_000_000
_TEXT_LIMIT: Final = 20


class Products(NamedTuple):
    """products  one for each line that is still to be shipped, in the order of the lines."""

    products: tuple[Product, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    problems: tuple[str, ...] = ()


def quantity_problems(lines: tuple[OrderLine, ...]) -> tuple[str, ...]:
    """A sentence for each quantity no parcel has: it makes the order doubtful, sent or not (failures.md T8)."""
    return tuple(
        [
            f"Line {place} of the order has the quantity {str(line.quantity)[:40]}; correct it in the shop."
            for place, line in enumerate(lines, 1)
            if not (line.quantity.is_finite() and _NO_UNITS <= line.quantity <= _MOST_UNITS)
        ]
    )


def products_of(lines: tuple[OrderLine, ...], currency: str) -> Products:
    """The lines as products. currency is an ISO 4217 code; without it or a readable price no value is sent."""
    carried = [(place, line) for place, line in enumerate(lines, 1) if _is_carried(line)]
    if len(carried) > _MOST_LINES:
        return Products(problems=(_too_many(len(carried)),))
    receipts: list[Receipt] = []
    products = [_product(line, f"products[{place}]", currency, receipts) for place, line in carried]
    return Products(tuple(products), tuple(receipts))


def _too_many(count: int) -> str:
    return (
        f"The order has {count} lines, more than the {_MOST_LINES} a slip takes; split it in the shop, or set "
        "products = false in [slip]."
    )


def _is_carried(line: OrderLine) -> bool:
    return (
        line.requires_shipping is not False and line.quantity.is_finite() and _NO_UNITS < line.quantity <= _MOST_UNITS
    )


def _product(line: OrderLine, field: str, currency: str, receipts: list[Receipt]) -> Product:
    value = _money(line.unit_price) if len(currency) == 3 else None
    return Product(
        productcode=_cut(f"{field}.productcode", line.sku, receipts),
        description=_cut(f"{field}.description", line.name, receipts),
        units=float(line.quantity),
        unitvalue=value,
        currency=currency if value is not None else None,
    )


def _cut(field: str, whole: str, receipts: list[Receipt]) -> str:
    text = clean(whole)[:_TEXT_LIMIT].rstrip()
    if is_loss(whole, text):
        receipts.append(Receipt(field, whole, text, f"It was cleaned, and cut to {_TEXT_LIMIT} characters."))
    return text


def _money(text: str) -> float | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return float(amount) if amount.is_finite() and 0 <= amount < _MOST_MONEY else None

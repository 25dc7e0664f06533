"""What a WooCommerce shop has in its tables: orders, products, habits. Knows no HTTP and no JSON."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from connector.testing.shop_double import Draft


class Habits(msgspec.Struct, frozen=True):
    """In what the measured shops differ (platforms.md 7, WooCommerce).

    second_key        orderby=modified sorts orders of one second by id (1)
    edits_move_dates  a change of address, lines or meta data, or a refund of a part, moves date_modified (2)
    drafts_listed     checkout-draft is among "any" (12)
    encodes           what a storefront's buyer typed that is entity-encoded: "names" or "note" (9)
    """

    version: str
    hpos: bool
    second_key: bool = True
    edits_move_dates: bool = True
    drafts_listed: bool = False
    encodes: str = "names"


BEHAVIOURS: Final[dict[str, Habits]] = {
    "hpos": Habits("11.0.1", hpos=True),
    "posts": Habits("11.0.1", hpos=False, edits_move_dates=False),
    "before-10.4": Habits("10.3.0", hpos=True, second_key=False),
    "7.5.1": Habits("7.5.1", hpos=False, second_key=False, edits_move_dates=False, drafts_listed=True, encodes="note"),
}


OLD_STATES: Final = {
    "NTL": "NL",
    "AUK": "AK",
    "WKO": "WA",
    "BOP": "BP",
    "TKI": "TK",
    "GIS": "GI",
    "HKB": "HB",
    "MWT": "MW",
    "WGN": "WE",
    "NSN": "NS",
    "MBH": "MB",
    "TAS": "TM",
    "WTC": "WC",
    "CAN": "CT",
    "OTA": "OT",
    "STL": "SL",
}
"""New Zealand's states before WooCommerce 7.2.1 (platforms.md 4.2, WC12)."""


class Product(msgspec.Struct, frozen=True):
    """What a line is of. id 0: deleted (10).

    price       with New Zealand's tax, where it is taxed
    downloads   virtual and downloadable: needs no processing
    stocked     its stock is counted
    variation   its own id beside the parent's; parent  the parent's name; attributes  as chosen
    """

    id: int
    sku: str
    name: str
    price: Decimal
    taxed: bool = True
    downloads: bool = False
    stocked: bool = False
    variation: int = 0
    parent: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


PRODUCTS: Final = (
    Product(
        11,
        "HON-250",
        "Harakeke &amp; R\u0101t\u0101 Honey 250 g \u2014 \u201cDark\u201d",
        Decimal("24.90"),
        stocked=True,
    ),
    Product(12, "MUG-1", "Potter's Mug <b>Blue</b> &amp; White", Decimal("38.00")),
    Product(16, "GC-50", "Gift card $50", Decimal("50.00"), taxed=False),
    Product(17, "PDF-1", "Knitting pattern (PDF)", Decimal("9.00"), downloads=True),
    Product(
        19, "TEE-M", "Merino tee - M", Decimal("89.00"), variation=20, parent="Merino tee", attributes=(("size", "M"),)
    ),
)


class Setup(msgspec.Struct, frozen=True):
    """products  what it sells; numbering  "", "number" or "meta"; old_states  New Zealand's two letters."""

    products: tuple[Product, ...] = PRODUCTS
    numbering: str = ""
    old_states: bool = False


class Line(msgspec.Struct, frozen=True):
    id: int
    product: Product
    quantity: int


class Refund(msgspec.Struct, frozen=True):
    """total  positive; quantities  by the id of a line; both are shown negative."""

    id: int
    at: datetime
    total: Decimal
    reason: str
    quantities: tuple[tuple[int, int], ...] = ()


class Note(msgspec.Struct, frozen=True):
    """One of the shop's order notes; to_buyer is what WooCommerce calls customer_note."""

    id: int
    at: datetime
    text: str
    to_buyer: bool = False


class ShopOrder(msgspec.Struct):
    """An order. Times are aware, in whole seconds.

    number     as shown: a numbering plug-in may have written it
    method     "flat_rate", "local_pickup", "" for none
    via        rest-api, store-api (the block checkout), checkout (the old one), admin
    blank      the whole shipping address is empty
    metas      key and any JSON value
    broken     shown with fields that break the contract
    before     the status it had before the trash
    """

    id: int
    number: str
    draft: Draft
    billing: Draft
    status: str
    created: datetime
    modified: datetime
    lines: tuple[Line, ...]
    method: str = "flat_rate"
    via: str = "rest-api"
    blank: bool = False
    paid: datetime | None = None
    completed: datetime | None = None
    customer: int = 0
    metas: tuple[tuple[str, object], ...] = ()
    refunds: tuple[Refund, ...] = ()
    notes: tuple[Note, ...] = ()
    hidden_until: datetime | None = None
    broken: bool = False
    before: str = ""
    first_id: int = 0
    rendered: bytes = b""

    @property
    def address(self) -> Draft:
        """Where it goes: to billing if shipping is empty."""
        return self.billing if self.blank else self.draft

"""Which column of which export means what, as tables. Knows no file and no row.

A table reads: field = column names as the export writes them. `|` parts alternatives, of which the first counts that
the header has; `+` joins several columns with a space; `#` stands for a number ("line_item_#": line_item_1, ...).
A column that is named for both lines of an address holds both: line1 is read from it, and there is no line2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

ADDRESS: Final = (
    "name", "company", "line1", "line2", "city", "region", "region_name", "postcode", "country", "phone", "suburb",
)  # fmt: skip
"""The fields of an address, in the order of `order.Address`; with `bill_` before them, those of the billing address."""

BILLING: Final = tuple(f"bill_{field}" for field in ADDRESS)

HEAD: Final = (
    "id", "number", "created_at", "updated_at", "status", "payment", "fulfilment", "cancelled_at", "email",
    "order_phone", "shipping_method", "shipping_method_id", "buyer_note", "staff_note", "attributes", "tags",
    "currency",
)  # fmt: skip
"""What an order says once, on its first row."""

LINE: Final = (
    "line_name", "line_sku", "line_quantity", "line_requires_shipping", "line_price", "line_fulfilment",
)  # fmt: skip
"""What each row of an order says about its line."""

PACKED: Final = "lines"
"""Cells that hold whole lines as text ("name:Mug|sku:M1|quantity:2"), for exports of one row an order."""

FIELDS: Final = (*HEAD, *ADDRESS, *BILLING, *LINE, PACKED)
"""Every field name that [source.columns] may use."""

Columns = Mapping[str, tuple[tuple[str, ...], ...]]
"""field -> alternatives, each the columns to be joined."""


class Dialect(msgspec.Struct, frozen=True):
    """One program's export.

    table     field -> columns, in the notation above
    required  fields without which an order can't be told apart, judged or addressed: a file without one is refused
    signs     columns by which `woocommerce` tells the plug-ins apart
    key       the field that is on every row of an order and groups them ("id" or "number")
    blank_address_is_pickup  an order without a shipping address is collected, never sent to its billing address
    """

    name: str
    table: Mapping[str, str]
    required: tuple[str, ...]
    signs: tuple[str, ...] = ()
    key: str = "id"
    blank_address_is_pickup: bool = False

    def columns(self) -> Columns:
        """The table, parsed."""
        return {
            field: tuple(tuple(one.strip() for one in names.split(" + ")) for names in text.split(" | "))
            for field, text in self.table.items()
        }


def _billing_like(shipping: Mapping[str, str], words: tuple[str, str]) -> dict[str, str]:
    return {f"bill_{field}": names.replace(*words) for field, names in shipping.items()}


_SHOPIFY_SHIPPING: Final = {
    "name": "Shipping Name",
    "company": "Shipping Company",
    "line1": "Shipping Address1",
    "line2": "Shipping Address2",
    "city": "Shipping City",
    "region": "Shipping Province",
    "region_name": "Shipping Province Name",
    "postcode": "Shipping Zip",
    "country": "Shipping Country",
    "phone": "Shipping Phone",
}

SHOPIFY: Final = Dialect(
    name="shopify",
    # Read in exports of 2021 (75 columns) and 2026 (79): platforms.md 4.1. `Shipping Street` repeats Address1 and 2 and
    # is not read. `Notes` is what the cart asks the buyer for (staff may edit it too, W5): the buyer's note here.
    table={
        "id": "Id",
        "number": "Name",
        "created_at": "Created at",
        "payment": "Financial Status",
        "fulfilment": "Fulfillment Status",
        "cancelled_at": "Cancelled at",
        "email": "Email",
        "order_phone": "Phone",
        "shipping_method": "Shipping Method",
        "buyer_note": "Notes",
        "attributes": "Note Attributes",
        "tags": "Tags",
        "currency": "Currency",
        **_SHOPIFY_SHIPPING,
        **_billing_like(_SHOPIFY_SHIPPING, ("Shipping", "Billing")),
        "line_name": "Lineitem name",
        "line_sku": "Lineitem sku",
        "line_quantity": "Lineitem quantity",
        "line_requires_shipping": "Lineitem requires shipping",
        "line_price": "Lineitem price",
        "line_fulfilment": "Lineitem fulfillment status",
    },
    required=(
        "id",
        "number",
        "payment",
        "fulfilment",
        "cancelled_at",
        "name",
        "line1",
        "line2",
        "city",
        "postcode",
        "country",
        "line_quantity",
        "line_requires_shipping",
    ),
    signs=("Lineitem name",),
    key="number",  # Id is on the first row only
    blank_address_is_pickup=True,  # a Shopify order that ships has a shipping address; native pick-up has none
)

_ADVANCED_SHIPPING: Final = {
    "name": "First Name (Shipping) + Last Name (Shipping) | Full Name (Shipping)",
    "company": "Company (Shipping)",
    "line1": "Address 1 (Shipping) | Address 1&2 (Shipping)",
    "line2": "Address 2 (Shipping) | Address 1&2 (Shipping)",
    "city": "City (Shipping)",
    "region": "State Code (Shipping)",
    "region_name": "State Name (Shipping)",
    "postcode": "Postcode (Shipping)",
    "country": "Country Code (Shipping) | Country Name (Shipping)",
    "phone": "Phone (Shipping)",
}

_WOOCOMMERCE_REQUIRED: Final = ("id", "status", "name", "line1", "line2", "city", "postcode", "country")

WOOCOMMERCE_ADVANCED: Final = Dialect(
    name="woocommerce-advanced",
    # Advanced Order Export For WooCommerce (AlgolPlus): labels of its own column list; merchants may rename them, then
    # [source.columns] says how. Without "Order ID" in the layout the order number is the key.
    table={
        "id": "Order ID | Order Number",
        "number": "Order Number | Order ID",
        "created_at": "Order Date",
        "updated_at": "Modification date | Modification Date",
        "status": "Order Status",
        "email": "Email (Billing)",
        "shipping_method": "Shipping Method Title | Shipping Method",
        "shipping_method_id": "Shipping Method",
        "buyer_note": "Customer Note",
        "currency": "Currency",
        **_ADVANCED_SHIPPING,
        **_billing_like(_ADVANCED_SHIPPING, ("(Shipping)", "(Billing)")),
        "line_name": "Name | Item Name | Product Name",
        "line_sku": "SKU",
        "line_quantity": "Quantity (- Refund) | Quantity",
        "line_price": "Item Cost",
    },
    required=_WOOCOMMERCE_REQUIRED,
    signs=("Order Status",),
)

_SNAKE_SHIPPING: Final = {
    "name": "shipping_first_name + shipping_last_name | shipping_full_name",
    "company": "shipping_company",
    "line1": "shipping_address_1",
    "line2": "shipping_address_2",
    "city": "shipping_city",
    "region": "shipping_state_code | shipping_state",
    "region_name": "shipping_state",
    "postcode": "shipping_postcode",
    "country": "shipping_country",
    "phone": "shipping_phone",
}

_SNAKE: Final = {
    "id": "order_id",
    "number": "order_number_formatted | order_number | order_id",
    "created_at": "order_date | date",
    "status": "status",
    "email": "billing_email | customer_email",
    "shipping_method": "shipping_method",
    "shipping_method_id": "shipping_items",
    "buyer_note": "customer_note",
    "currency": "order_currency",
    **_SNAKE_SHIPPING,
    **_billing_like(_SNAKE_SHIPPING, ("shipping", "billing")),
}

WOOCOMMERCE_WEBTOFFEE: Final = Dialect(
    name="woocommerce-webtoffee",
    # Order Import Export (WebToffee): one row an order, as many line_item columns as the largest order has lines.
    table={**_SNAKE, "lines": "line_item_#"},
    required=_WOOCOMMERCE_REQUIRED,
    signs=("wt_import_key", "line_item_1"),
)

WOOCOMMERCE_SKYVERGE: Final = Dialect(
    name="woocommerce-skyverge",
    # Customer/Order/Coupon Export (SkyVerge): `line_items` in one cell, or one row a line with item_ columns.
    table={
        **_SNAKE,
        "lines": "line_items",
        "line_name": "item_name",
        "line_sku": "item_sku",
        "line_quantity": "item_quantity",
        "line_price": "item_price",
    },
    required=_WOOCOMMERCE_REQUIRED,
    signs=("line_items", "item_name", "order_number_formatted"),
)

OWN: Final = Dialect(name="your own columns", table={}, required=("id", "name", "line1"))
"""No dialect, [source.columns] alone. Orders of such a file are paid and unfulfilled unless a column says otherwise."""

WOOCOMMERCE: Final = (WOOCOMMERCE_ADVANCED, WOOCOMMERCE_WEBTOFFEE, WOOCOMMERCE_SKYVERGE)

DIALECTS: Final[Mapping[str, tuple[Dialect, ...]]] = {
    "shopify": (SHOPIFY,),
    "woocommerce": WOOCOMMERCE,
    **{dialect.name: (dialect,) for dialect in WOOCOMMERCE},
}
"""What [source] dialect may say, and the tables it may mean."""


def recognise(dialects: tuple[Dialect, ...], header: Iterable[str]) -> Dialect | None:
    """The dialect that wrote this header, by its signs; the only one there is needs none."""
    if len(dialects) == 1:
        return dialects[0]
    names = set(header)
    return next((dialect for dialect in dialects if names.intersection(dialect.signs)), None)

"""The wanted fields of a WooCommerce order, as wc/v3 names them. Knows no Order.

https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties. Fields without a default decide what is sent
where: an order that lacks one, or has another type in it, is held (failures.md P26).
"""

from __future__ import annotations

from typing import Any

import msgspec

from connector.sources.json_body import Text


class AddressBody(msgspec.Struct, gc=False):
    first_name: Text
    last_name: Text
    company: Text
    address_1: Text
    address_2: Text
    city: Text
    state: Text
    postcode: Text
    country: Text
    phone: str | int | None = None  # shipping has had one since 5.6 only; apps post numbers


class BillingBody(AddressBody, gc=False):
    email: Text = msgspec.field(default="")


class MetaBody(msgspec.Struct):
    """Plug-ins own these: nothing about them is taken for granted."""

    key: Any = ""
    value: Any = ""


class LineBody(msgspec.Struct):
    name: Text
    quantity: int | float | str
    product_id: int | str | None = None
    sku: Text = ""
    price: int | float | str | None = None
    bundled_by: Any = None
    composite_parent: Any = None


class ShippingLineBody(msgspec.Struct, gc=False):
    method_id: Text
    method_title: Text = ""


class RefundBody(msgspec.Struct, gc=False):
    total: int | float | str | None = None


class OrderBody(msgspec.Struct):
    """An order. Its times are UTC without a zone; only what decides where a parcel goes has no default."""

    id: int | str
    status: str
    date_modified_gmt: Text
    billing: BillingBody
    shipping: AddressBody
    line_items: list[LineBody]
    shipping_lines: list[ShippingLineBody]
    number: int | str | None = None
    parent_id: Any = 0
    currency: Text = ""
    total: int | float | str | None = None
    date_created_gmt: Text = None
    customer_note: Text = ""
    created_via: Text = ""
    needs_processing: bool | None = None
    refunds: list[RefundBody] = []
    meta_data: list[MetaBody] | dict[str, MetaBody] = []  # PHP writes a list with a gap as an object

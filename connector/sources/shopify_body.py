"""The wanted fields of Shopify's orders and fulfilment orders, in the words of the REST Admin API. Knows no Order.

https://shopify.dev/docs/api/admin-rest/latest/resources/order and .../fulfillmentorder. Fields without a default decide
what is sent where: an order that lacks one is held. GraphQL's are told in these words too (shopify_graphql_order.py).
"""

from __future__ import annotations

from typing import Any

import msgspec

from connector.sources.json_body import Text


class AddressBody(msgspec.Struct, gc=False):
    """An address of an order, or a fulfilment order's destination, which has an e-mail, and names in place of codes."""

    address1: Text
    address2: Text
    city: Text
    zip: Text
    country: Text
    province: Text
    company: Text
    first_name: Text
    last_name: Text
    name: Text = ""
    phone: str | int | None = None
    country_code: Text = ""
    province_code: Text = ""
    email: Text = ""


class LineBody(msgspec.Struct, gc=False):
    """properties are left alone: a list, an object or absent (recorded: go-lineitem-*.json)."""

    id: int | str | None
    name: Text
    quantity: int
    requires_shipping: bool | None
    sku: Text = ""
    price: int | float | str | None = None
    current_quantity: int | None = None
    fulfillable_quantity: int | None = None


class ShippingLineBody(msgspec.Struct, gc=False):
    title: Text = ""


class AttributeBody(msgspec.Struct):
    name: Any = ""
    value: Any = ""


class OrderBody(msgspec.Struct):
    """An order. `number` and `order_number` are other numbers than `name` and may repeat (recorded: go-order.json)."""

    id: int | str
    name: str
    updated_at: str
    cancelled_at: Text
    financial_status: Text
    fulfillment_status: Text
    shipping_address: AddressBody | None
    line_items: list[LineBody]
    test: bool | None = False
    created_at: Text = None
    email: Text = ""
    contact_email: Text = ""
    phone: str | int | None = None
    source_name: Text = ""
    currency: Text = ""
    note: Text = ""
    note_attributes: list[AttributeBody] = []
    shipping_lines: list[ShippingLineBody] = []
    tags: Text = ""


class MethodBody(msgspec.Struct):
    method_type: Text
    additional_information: dict[str, Any] | None = None


class HoldBody(msgspec.Struct, gc=False):
    reason: Text = ""
    reason_notes: Text = ""


class LocationBody(msgspec.Struct, gc=False):
    name: Text = ""


class PartLineBody(msgspec.Struct, gc=False):
    line_item_id: int | str
    fulfillable_quantity: int


class PartBody(msgspec.Struct):
    """A fulfilment order. delivery_method is null in older answers (recorded: rest-2026-07-fulfillment-order-0).

    is_sent  whether anything of it was sent: a fulfilment that wasn't cancelled. REST asks for those by themselves,
    GraphQL tells them with it; None where they weren't told
    """

    id: int | str
    order_id: int | str
    status: str
    request_status: Text
    destination: AddressBody | None
    line_items: list[PartLineBody]
    updated_at: Text = None
    fulfill_at: Text = None
    fulfillment_holds: list[HoldBody] | None = None
    delivery_method: MethodBody | None = None
    assigned_location: LocationBody | None = None
    is_sent: bool | None = None

"""One Shopify order as the GraphQL Admin API answers it, told in REST's words, so that one mapping makes the Order.

Knows no query and no network. Field names are those of the Order and FulfillmentOrder objects,
https://shopify.dev/docs/api/admin-graphql/latest/objects/Order. A field without a default must be asked for: GraphQL
answers with an error, not with silence, where Shopify has dropped one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

import msgspec

from connector.order import Fulfilment, Order
from connector.sources import json_body, shopify_body, shopify_order
from connector.sources.json_body import Body, BrokenError, NoObjectError, NotAnOrder, Text

Node = TypeVar("Node")


class _PageInfo(msgspec.Struct, rename="camel", frozen=True):
    has_next_page: bool


class _Edge(msgspec.Struct, Generic[Node]):
    node: Node


class _Connection(msgspec.Struct, Generic[Node], rename="camel"):
    """A list as GraphQL pages it: by nodes or by edges, as the query asked."""

    nodes: list[Node] | None = None
    edges: list[_Edge[Node]] | None = None
    page_info: _PageInfo | None = None


class _Address(msgspec.Struct, rename="camel"):
    """What a MailingAddress and a FulfillmentOrderDestination have in common."""

    address1: Text
    address2: Text
    city: Text
    zip: Text
    province: Text
    company: Text
    first_name: Text
    last_name: Text
    phone: Text


class _Mailing(_Address, rename="camel"):
    """The order's shipping address: a MailingAddress."""

    country_code: Text = msgspec.field(name="countryCodeV2")
    province_code: Text
    country: Text = ""
    name: Text = ""


class _Destination(_Address, rename="camel"):
    """Where a fulfilment order goes: a FulfillmentOrderDestination."""

    country_code: Text
    email: Text = ""


class _Money(msgspec.Struct, rename="camel"):
    amount: str | int | float | None = None


class _Price(msgspec.Struct, rename="camel"):
    shop_money: _Money | None = None


class _Line(msgspec.Struct, rename="camel"):
    id: str
    name: Text
    quantity: int
    current_quantity: int
    requires_shipping: bool
    unfulfilled_quantity: int
    sku: Text
    original_unit_price_set: _Price | None = None


class _LineId(msgspec.Struct):
    id: str


class _PartLine(msgspec.Struct, rename="camel"):
    remaining_quantity: int
    line_item: _LineId


class _ShippingLine(msgspec.Struct):
    title: Text = ""


class _Attribute(msgspec.Struct):
    key: Any = ""
    value: Any = ""


class _Method(msgspec.Struct, rename="camel"):
    method_type: Text
    additional_information: dict[str, Any] | None = None


class _Hold(msgspec.Struct, rename="camel"):
    reason: Text = ""
    reason_notes: Text = ""


class _LocationId(msgspec.Struct):
    id: str


class _Location(msgspec.Struct):
    """location is asked for only where a store names locations by id; null for one that was deleted."""

    name: Text = ""
    location: _LocationId | None = None


class _Fulfilment(msgspec.Struct):
    status: str


class _Fulfilments(msgspec.Struct):
    """The newest of them, as they are asked for; what stands behind them changes nothing."""

    nodes: list[_Fulfilment]


class _Part(msgspec.Struct, rename="camel"):
    id: str
    status: str
    request_status: str
    destination: _Destination | None
    delivery_method: _Method | None
    fulfillment_holds: list[_Hold]
    fulfill_at: Text
    line_items: list[_PartLine] | _Connection[_PartLine]
    updated_at: Text = None
    assigned_location: _Location | None = None
    fulfillments: _Fulfilments | None = None


class _Body(msgspec.Struct, rename="camel"):
    id: str
    name: str
    updated_at: str
    cancelled_at: Text
    display_financial_status: Text
    display_fulfillment_status: Text
    shipping_address: _Mailing | None
    line_items: list[_Line] | _Connection[_Line]
    fulfillment_orders: list[_Part] | _Connection[_Part]
    test: bool
    email: Text
    note: Text
    custom_attributes: list[_Attribute]
    shipping_lines: list[_ShippingLine] | _Connection[_ShippingLine]
    tags: list[str]
    created_at: Text
    phone: Text = ""
    source_name: Text = ""
    currency_code: Text = ""


_decoder: Final = msgspec.json.Decoder(_Body)

GARBLED: Final = (
    "Shopify sent this order with bytes that are no text (not UTF-8), so some of its text is lost. Look for a strange "
    "letter in the order, write it anew and save the order; it is read again then."
)


def orders_from_shopify_graphql(
    body: Body, origin: str = "", locations: frozenset[str] = frozenset()
) -> tuple[Order | NotAnOrder, ...]:
    """The order as its fulfilment orders ship it, one for each; never raises.

    body       one node of `orders`; its ids are Order.id's as REST has them ("gid://shopify/Order/1001" is "1001")
    locations  casefolded names and ids of those that ship from here, none: all do. What ships from another one is held,
               not left out: it may have been ours before it was moved, and must then be taken back

    An order whose lines or fulfilment orders go on on a further page has `problems`: what is missing would not be sent.
    So has one with bytes in it that are no text: what they stood for is not known.
    """
    try:
        node = json_body.decode(body, _decoder, shopify_order.SHOP)
    except NoObjectError as error:
        if isinstance(body, bytes) and (text := body.decode(errors="replace").encode()) != body:
            return tuple(map(_garbled, orders_from_shopify_graphql(text, origin, locations)))
        return (NotAnOrder(str(error)),)
    except BrokenError as error:
        return (shopify_order.broken_order(_in_rest_words(error), origin),)
    if not json_body.id_text(_plain_id(node.id)):
        return (json_body.NO_ID,)
    given = _all(node.fulfillment_orders)
    orders = shopify_order.parts_of(_order(node), [_part(part, node.id) for part in given], origin)
    if locations and given:
        orders = tuple(_from_here(order, part, locations) for order, part in zip(orders, given, strict=True))
    cut = tuple(_cut(node))
    return (
        tuple(msgspec.structs.replace(order, problems=(*order.problems, *cut)) for order in orders) if cut else orders
    )


def _garbled(order: Order | NotAnOrder) -> Order | NotAnOrder:
    if isinstance(order, NotAnOrder):
        return order
    return msgspec.structs.replace(order, problems=(*order.problems, GARBLED))


def _from_here(order: Order, part: _Part, locations: frozenset[str]) -> Order:
    """The part, held where another location ships it; what has left or was cancelled stays as it is."""
    where = part.assigned_location or _Location()
    names = {(where.name or "").casefold(), _plain_id(where.location.id) if where.location else ""}
    if names & locations or order.cancelled or order.fulfilment is Fulfilment.FULFILLED:
        return order
    reason = f"it ships from {json_body.quoted(where.name or 'no location')}, none of locations in [source]"
    return msgspec.structs.replace(order, fulfilment=Fulfilment.ON_HOLD, hold_until=None, hold_reason=reason)


def _order(node: _Body) -> shopify_body.OrderBody:
    return shopify_body.OrderBody(
        id=_plain_id(node.id),
        name=node.name,
        updated_at=node.updated_at,
        cancelled_at=node.cancelled_at,
        financial_status=node.display_financial_status,
        fulfillment_status=node.display_fulfillment_status,
        shipping_address=_address(node.shipping_address),
        line_items=[_line(line) for line in _all(node.line_items)],
        test=node.test,
        created_at=node.created_at,
        email=node.email,
        phone=node.phone,
        source_name=node.source_name,
        currency=node.currency_code,
        note=node.note,
        note_attributes=[shopify_body.AttributeBody(each.key, each.value) for each in node.custom_attributes],
        shipping_lines=[shopify_body.ShippingLineBody(line.title) for line in _all(node.shipping_lines)],
        tags=",".join(node.tags),
    )


def _line(line: _Line) -> shopify_body.LineBody:
    price = line.original_unit_price_set and line.original_unit_price_set.shop_money
    return shopify_body.LineBody(
        id=_plain_id(line.id),
        name=line.name,
        quantity=line.quantity,
        requires_shipping=line.requires_shipping,
        sku=line.sku,
        price=price.amount if price else None,
        current_quantity=line.current_quantity,
        fulfillable_quantity=line.unfulfilled_quantity,
    )


def _part(part: _Part, order_id: str) -> shopify_body.PartBody:
    method = part.delivery_method
    return shopify_body.PartBody(
        id=_plain_id(part.id),
        order_id=_plain_id(order_id),
        status=part.status,
        request_status=part.request_status,
        destination=_address(part.destination),
        line_items=[
            shopify_body.PartLineBody(_plain_id(line.line_item.id), line.remaining_quantity)
            for line in _all(part.line_items)
        ],
        updated_at=part.updated_at,
        fulfill_at=part.fulfill_at,
        fulfillment_holds=[shopify_body.HoldBody(hold.reason, hold.reason_notes) for hold in part.fulfillment_holds],
        delivery_method=shopify_body.MethodBody(method.method_type, method.additional_information) if method else None,
        assigned_location=shopify_body.LocationBody(part.assigned_location.name) if part.assigned_location else None,
        is_sent=_is_sent(part),
    )


def _is_sent(part: _Part) -> bool | None:
    """Whether one of its newest fulfilments was not cancelled; None where they weren't told."""
    if part.fulfillments is None:
        return None
    return any(fulfilment.status.casefold() != "cancelled" for fulfilment in part.fulfillments.nodes)


def _address(given: _Mailing | _Destination | None) -> shopify_body.AddressBody | None:
    if given is None:
        return None
    mailing = given if isinstance(given, _Mailing) else None
    return shopify_body.AddressBody(
        address1=given.address1,
        address2=given.address2,
        city=given.city,
        zip=given.zip,
        country=mailing.country if mailing else "",
        province=given.province,
        company=given.company,
        first_name=given.first_name,
        last_name=given.last_name,
        name=mailing.name if mailing else "",
        phone=given.phone,
        country_code=given.country_code,
        province_code=mailing.province_code if mailing else "",
        email=given.email if isinstance(given, _Destination) else "",
    )


def _all(items: list[Node] | _Connection[Node]) -> list[Node]:
    """Every item of a list, of a connection's nodes, or of its edges."""
    if isinstance(items, list):
        return items
    return [edge.node for edge in items.edges or ()] if items.nodes is None else items.nodes


def _is_left_out(items: list[Any] | _Connection[Any]) -> bool:
    return not isinstance(items, list) and items.nodes is None and items.edges is None


def _is_cut(items: list[Any] | _Connection[Any]) -> bool:
    """More than these are there, or may be: what tells was left out."""
    if isinstance(items, list):
        return False
    if items.page_info is None:
        return items.edges is None
    return items.page_info.has_next_page or _is_left_out(items)


def _cut(node: _Body) -> Iterator[str]:
    parts = _all(node.fulfillment_orders)
    inner: tuple[tuple[str, list[Any] | _Connection[Any]], ...] = (
        ("lines", node.line_items),
        ("fulfilment orders", node.fulfillment_orders),
        *(("fulfilment order lines", part.line_items) for part in parts),
    )
    if _is_left_out(node.shipping_lines):
        yield "Shopify left out the shipping lines of this order, which tell pick-ups; look at it in the shop."
    for what, items in inner:
        if _is_cut(items):
            yield f"Shopify has more {what} of this order than were read; read the further pages too."


def _plain_id(gid: str) -> str:
    """ "gid://shopify/Order/1001" as "1001", the id that REST and webhooks use."""
    return gid.rpartition("/")[2].partition("?")[0]


def _in_rest_words(error: BrokenError) -> BrokenError:
    """The readable fields of a broken node under REST's names, which tell which order it is."""
    fields = dict(error.fields)
    if isinstance(fields.get("id"), str):
        fields["id"] = _plain_id(fields["id"])
    for name, rest in (("updatedAt", "updated_at"), ("cancelledAt", "cancelled_at")):
        if name in fields:
            fields[rest] = fields.pop(name)
    return BrokenError(str(error), fields)

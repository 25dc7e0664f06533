"""One Shopify order, as the REST Admin API or a webhook sends it, as an `Order`. Knows no network and no cursor.

A webhook's body has no fulfilment orders, and a retry carries the first body again (platforms.md 4.1): take it as a
hint, and read the order with its fulfilment orders before it is shipped. Only they tell holds, the way of delivery and
what ships by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from connector.order import Address, Delivery, Fulfilment, Order, OrderLine, Payment
from connector.sources import json_body
from connector.sources.json_body import Body, BrokenError, NoObjectError, NotAnOrder
from connector.sources.shopify_body import AddressBody, LineBody, OrderBody, PartBody
from connector.sources.shopify_part import part_of, unrouted
from connector.sources.shopify_words import FULFILMENTS, PAYMENTS, TEST_NOTIFICATION_ID

SHOP: Final = "Shopify"

ONE: Final = Decimal(1)
"""Stands for a quantity that can't be: the order is held, and must not be taken for one with nothing to ship."""

UNKNOWN_PART: Final = "9" * 20
"""Stands for the id of a fulfilment order that has none that can be read: after every real one."""

NO_LINE: Final = LineBody(id=None, name="", quantity=0, requires_shipping=None)
"""Stands for a fulfilment order's line whose order line was not sent with it: it may need shipping."""

_order_decoder: Final = msgspec.json.Decoder(OrderBody)
_part_decoder: Final = msgspec.json.Decoder(PartBody)


def order_from_shopify_rest(body: Body, origin: str = "") -> Order | NotAnOrder:
    """The whole order that a body shows; never raises.

    body    the object under "order" of GET orders/{id}.json, or a webhook's body of an orders/* topic
    origin  where it was read, for people

    An order that breaks Shopify's contract has `problems`, so it is held. NotAnOrder: an error, the id alone of an
    orders/delete, a fulfilment order without its order.
    """
    decoded = _decoded(body, origin)
    return order_of(decoded, origin) if isinstance(decoded, OrderBody) else decoded


def orders_from_shopify_rest(
    body: Body, parts: list[dict[str, Any]], origin: str = ""
) -> tuple[Order | NotAnOrder, ...]:
    """The order as its fulfilment orders ship it, one for each; never raises.

    parts  the list under "fulfillment_orders" of GET orders/{id}/fulfillment_orders.json; none: the order waits
    """
    decoded = _decoded(body, origin)
    if not isinstance(decoded, OrderBody):
        return (decoded,)
    return parts_of(decoded, [_decoded_part(part) for part in parts], origin)


def order_of(body: OrderBody, origin: str = "") -> Order:
    """The whole order, without its fulfilment orders.

    bill_to stays empty: where Shopify ships anything it has a shipping address, and what has none is collected or
    handed over, so the payer's address is never a substitute (W8). `note` is written by buyers and staff alike, so it
    is not the buyer's for sure and is the staff's here (W5).
    """
    order_id = json_body.id_text(body.id)
    payment = (body.financial_status or "").casefold()
    fulfilment = (body.fulfillment_status or "").casefold()
    revision, unreadable = _revision(body.updated_at)
    items = body.line_items
    return Order(
        id=order_id,
        number=body.name,
        revision=revision,
        origin=origin or f"Shopify order {body.name}",
        status=f"{payment or 'no payment status'}, {fulfilment or 'unfulfilled'}",
        payment=PAYMENTS.get(payment, Payment.UNKNOWN),
        fulfilment=FULFILMENTS.get(fulfilment, Fulfilment.UNKNOWN),
        delivery=_delivery(body),
        cancelled=bool(body.cancelled_at),
        test=bool(body.test) or order_id == TEST_NOTIFICATION_ID,
        created_at=json_body.utc_or_none(body.created_at),
        ship_to=address_of(body.shipping_address),
        email=body.email or body.contact_email or "",
        phone=str(body.phone or ""),
        shipping_method=", ".join(line.title for line in body.shipping_lines if line.title),
        buyer_note=body.note or "",
        attributes=_attributes(body),
        lines=_lines(items),
        currency=body.currency or "",
        tags=tuple(tag.strip() for tag in (body.tags or "").split(",") if tag.strip()),
        problems=tuple(
            filter(None, (json_body.id_problem(order_id), unreadable, *_quantity_problems(map(_left, items))))
        ),
    )


def parts_of(body: OrderBody, parts: Sequence[PartBody | BrokenError], origin: str = "") -> tuple[Order, ...]:
    """The order as each of its fulfilment orders ships it; a broken one is held and hides no other.

    The oldest, mostly the only one, is the order itself (part ""): its slip has the plain number, and who reads the
    order without its fulfilment orders means the same slip. The oldest of those that are shown, that is: which they
    are hangs on the app's scopes and on who ships them. Whose the known slips are tells Order.shipment.
    """
    order = order_of(body, origin)
    if not parts:
        return (unrouted(order),)
    lines = {str(line.id): line for line in body.line_items}
    ids = [_part_id(part) for part in parts]
    first = min(ids, key=lambda key: (len(key), key))
    return tuple(
        _part_of(
            msgspec.structs.replace(
                order, part="" if key == first else key, shipment="" if key == UNKNOWN_PART else key
            ),
            part,
            lines,
        )
        for key, part in zip(ids, parts, strict=True)
    )


def _part_id(part: PartBody | BrokenError) -> str:
    return json_body.id_text(part.fields.get("id") if isinstance(part, BrokenError) else part.id) or UNKNOWN_PART


def _part_of(order: Order, part: PartBody | BrokenError, items: dict[str, LineBody]) -> Order:
    if isinstance(part, BrokenError):
        return msgspec.structs.replace(order, problems=(*order.problems, str(part)))
    problems = tuple(_quantity_problems(line.fulfillable_quantity for line in part.line_items))
    shipped = msgspec.structs.replace(order, lines=_part_lines(part, items), problems=(*order.problems, *problems))
    return part_of(shipped, part, address_of(part.destination))


def address_of(given: AddressBody | None) -> Address:
    """An address as Shopify's orders and destinations give it; null is an empty one."""
    if given is None:
        return Address()
    return Address(
        name=json_body.name_of(given.first_name, given.last_name) or given.name or "",
        company=given.company or "",
        line1=given.address1 or "",
        line2=given.address2 or "",
        city=given.city or "",
        region=given.province_code or given.province or "",
        region_name=(given.province or "") if given.province_code else "",
        postcode=given.zip or "",
        country=given.country_code or given.country or "",
        phone=str(given.phone or ""),
    )


def _decoded(body: Body, origin: str) -> OrderBody | Order | NotAnOrder:
    try:
        decoded = json_body.decode(body, _order_decoder, SHOP)
    except NoObjectError as error:
        return NotAnOrder(str(error))
    except BrokenError as error:
        return broken_order(error, origin)
    return decoded if json_body.id_text(decoded.id) else json_body.NO_ID


def _decoded_part(part: dict[str, Any]) -> PartBody | BrokenError:
    try:
        return json_body.decode(part, _part_decoder, SHOP)
    except BrokenError as error:
        return error
    except NoObjectError as error:
        return BrokenError(str(error), {})


def broken_order(error: BrokenError, origin: str) -> Order | NotAnOrder:
    """What still can be said of a body that breaks the contract: which order it is, and that it is held."""
    fields = error.fields
    order_id = json_body.id_text(fields.get("id"))
    if not order_id:
        return json_body.NO_ID
    if len(fields) == 1:
        return NotAnOrder(f"It names order {order_id} and says no more: Shopify's body for a deleted order.", order_id)
    if "order_id" in fields:
        named = json_body.quoted(str(fields["order_id"]))
        return NotAnOrder(f"It is a record of order {named}, such as a fulfilment order: read the order with it.")
    number = str(fields.get("name") or order_id)
    return Order(
        id=order_id,
        number=number,
        revision=json_body.revision_of(fields, "updated_at"),
        origin=origin or f"Shopify order {number}",
        cancelled=bool(fields.get("cancelled_at")),
        test=fields.get("test") is True or order_id == TEST_NOTIFICATION_ID,
        problems=(str(error),),
    )


def _revision(stamp: str) -> tuple[str, str]:
    """The revision, or why there is none."""
    try:
        return json_body.revision(json_body.utc(stamp)), ""
    except ValueError as error:
        return "", (
            f"Shopify's updated_at is {json_body.quoted(stamp)}, which can't be used ({error}), so nothing tells which "
            "version of the order is the newest. Save the order in Shopify once more."
        )


def _delivery(body: OrderBody) -> Delivery:
    """Without fulfilment orders only the address tells: the till and the online shop ask for one whenever they ship.

    An online order always has an e-mail or a telephone; without them the address may be redacted, not absent.
    """
    if not address_of(body.shipping_address).is_empty():
        return Delivery.SHIP
    if not any(line.requires_shipping for line in body.line_items):
        return Delivery.SHIP  # that nothing needs carrying is for selection to say
    was_told_who = body.email or body.contact_email or body.phone
    if body.source_name == "pos" or (body.source_name == "web" and was_told_who):
        return Delivery.PICKUP
    return Delivery.SHIP


def _lines(items: list[LineBody]) -> tuple[OrderLine, ...]:
    return tuple(_line(item, _left(item)) for item in items)


def _left(item: LineBody) -> int:
    """What is left after edits and refunds (current_quantity) and after fulfilments (fulfillable_quantity)."""
    said = [number for number in (item.current_quantity, item.fulfillable_quantity) if number is not None]
    return min(said) if said else item.quantity


def _part_lines(part: PartBody, items: dict[str, LineBody]) -> tuple[OrderLine, ...]:
    found = ((items.get(str(line.line_item_id)) or NO_LINE, line.fulfillable_quantity) for line in part.line_items)
    return tuple(_line(item, quantity) for item, quantity in found)


def _line(item: LineBody, quantity: int) -> OrderLine:
    return OrderLine(
        name=item.name or "",
        sku=item.sku or "",
        quantity=Decimal(quantity) if _is_quantity(quantity) else ONE,
        requires_shipping=item.requires_shipping,
        unit_price="" if item.price is None else str(item.price),
    )


def _is_quantity(number: int) -> bool:
    return 0 <= number <= json_body.LARGEST_QUANTITY


def _quantity_problems(quantities: Iterable[int]) -> Iterator[str]:
    for position, number in enumerate(quantities, start=1):
        if not _is_quantity(number):
            yield f"Line {position} has the quantity {number}, not a number from 0 to a million."


def _attributes(body: OrderBody) -> tuple[tuple[str, str], ...]:
    """Cart attributes: "gift message, delivery instructions, or internal notes"; values may be numbers."""
    return tuple(
        (str(attribute.name), str(attribute.value))
        for attribute in body.note_attributes
        if attribute.name and isinstance(attribute.value, str | int | float)
    )

"""One fulfilment order of Shopify laid over its order: the part of the order that ships by itself. Knows no GraphQL.

Shopify makes one or more of them for each order, by place and way of delivery; each has its own address, holds and
time. They, not the order, say what is to be shipped (platforms.md 4.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from connector.order import Address, Delivery, Fulfilment, Order, OrderLine
from connector.sources import json_body
from connector.sources.json_body import quoted
from connector.sources.shopify_body import PartBody
from connector.sources.shopify_words import METHODS, PART_STATUSES, TAKEN_REQUESTS

UNROUTED: Final = "it has no fulfilment orders yet; if that lasts, the app lacks the scope for them"
"""Why an order without fulfilment orders waits: they are made a moment after the order, and never listed without the
scope read_merchant_managed_fulfillment_orders (L19). Until then nothing says how and from where it ships.
"""


def part_of(order: Order, part: PartBody, destination: Address) -> Order:
    """The order as this fulfilment order ships it: the same id, and the later of the two change dates.

    order  with the lines and the name (Order.part) of this part; destination  its own address, as an order has it
    """
    if _is_empty(part):
        order = msgspec.structs.replace(order, lines=_nothing_left(order.lines))
    told = _additional_information(part)
    phone = destination.phone or told.get("phone", "")
    hold_reason = _hold_reason(part)
    return msgspec.structs.replace(
        order,
        revision=max(order.revision, _revision(part)),
        origin=f"{order.origin}, fulfilment order {part.id}",
        status=f"{order.status}, {part.status.casefold()}",
        fulfilment=_fulfilment(part),
        delivery=METHODS.get(_method(part), Delivery.SHIP) if _method(part) else order.delivery,
        cancelled=order.cancelled or part.status.casefold() == "cancelled",
        hold_until=None if hold_reason else _waits_until(part),
        hold_reason=hold_reason,
        ship_to=_ship_to(msgspec.structs.replace(destination, phone=phone), order.ship_to),
        email=(part.destination.email if part.destination else "") or order.email,
        buyer_note=told.get("instructions", "") or order.buyer_note,
        problems=(*order.problems, *_problems(part)),
    )


def unrouted(order: Order) -> Order:
    """An order whose fulfilment orders were asked for and are not there: it waits, where it would have shipped."""
    if order.fulfilment not in (Fulfilment.UNFULFILLED, Fulfilment.PARTIAL):
        return order
    return msgspec.structs.replace(order, fulfilment=Fulfilment.ON_HOLD, hold_reason=UNROUTED)


def by_the_shops_clock(order: Order, shop_time: datetime | None) -> Order:
    """What is scheduled waits for its time by the shop's clock, and not a moment by ours (failures.md P14).

    shop_time  aware, UTC; None where the shop tells none: then ours has to do
    """
    if order.hold_until is None or shop_time is None:
        return order
    if order.hold_until > shop_time:
        return msgspec.structs.replace(order, fulfilment=Fulfilment.ON_HOLD)
    return msgspec.structs.replace(order, hold_until=None)


def _method(part: PartBody) -> str:
    return ((part.delivery_method and part.delivery_method.method_type) or "").casefold()


def _additional_information(part: PartBody) -> dict[str, str]:
    """What the buyer of a local delivery told its driver: phone, instructions (graphql-local-delivery-native.jsonc)."""
    told = (part.delivery_method and part.delivery_method.additional_information) or {}
    return {word: text for word, text in told.items() if isinstance(text, str)}


def _revision(part: PartBody) -> str:
    changed = json_body.utc_or_none(part.updated_at)
    return json_body.revision(changed) if changed else ""


def _is_taken(part: PartBody) -> bool:
    return (part.request_status or "").casefold() in TAKEN_REQUESTS


def _is_empty(part: PartBody) -> bool:
    """Closed, and nothing of it was sent: its lines were refunded or removed, or another fulfilment order has them.

    CLOSED is "completed and closed", but also what becomes of the original of a move or a cancellation:
    https://shopify.dev/docs/api/admin-graphql/2026-01/payloads/FulfillmentOrderMovePayload, "the original fulfillment
    order might have the same status or be closed", .../2025-07/mutations/fulfillmentOrderCancel, "creates a replacement
    [...] The original fulfillment order will be marked as closed".
    """
    return part.status.casefold() == "closed" and part.is_sent is False


def _nothing_left(lines: tuple[OrderLine, ...]) -> tuple[OrderLine, ...]:
    """The lines with nothing left to ship, at least one: an order without lines is one that doesn't tell them."""
    return tuple(msgspec.structs.replace(line, quantity=Decimal(0)) for line in lines or (OrderLine(),))


def _is_scheduled(part: PartBody) -> bool:
    return part.status.casefold() == "scheduled"


def _waits_until(part: PartBody) -> datetime | None:
    """Only what is scheduled waits for its time. An open one is "ready for fulfilment" and has a time too, mostly the
    hour of its order: held against our clock, it would wait where that is slow (failures.md P14)"""
    return json_body.utc_or_none(part.fulfill_at) if _is_scheduled(part) else None


def _fulfilment(part: PartBody) -> Fulfilment:
    if _is_empty(part):
        return Fulfilment.UNFULFILLED
    status = part.status.casefold()
    said = PART_STATUSES.get(status, Fulfilment.UNKNOWN)
    is_held = part.fulfillment_holds or _is_taken(part) or (_is_scheduled(part) and not part.fulfill_at)
    return Fulfilment.ON_HOLD if is_held and said is Fulfilment.UNFULFILLED else said


def _hold_reason(part: PartBody) -> str:
    """Holds may be on a fulfilment order that is still "open" (recorded: go-fulfillment-order-local.json)."""
    if part.fulfillment_holds:
        holds = (": ".join(filter(None, (hold.reason, hold.reason_notes))) for hold in part.fulfillment_holds)
        return "; ".join(filter(None, holds)) or "no reason was given"
    if _is_taken(part):
        service = quoted((part.assigned_location and part.assigned_location.name) or "")
        return f"it was handed to the fulfilment service {service}, which ships it"
    if part.status.casefold() == "incomplete":
        return "Shopify calls its fulfilment order incomplete: the service could not do what was asked"
    return ""


def _ship_to(there: Address, known: Address) -> Address:
    """The destination, with the codes of the order's address where it is the same place: REST sends names only.

    A pick-up's destination is an object full of nulls (recorded: graphql-pickup-native.jsonc).
    """
    if there.is_empty():
        return known
    if (there.line1, there.city, there.postcode) != (known.line1, known.city, known.postcode):
        return there
    return msgspec.structs.replace(
        there,
        region=known.region,
        region_name=known.region_name,
        country=known.country,
        phone=there.phone or known.phone,
    )


def _problems(part: PartBody) -> Iterator[str]:
    method = _method(part)
    if method and method not in METHODS:
        yield (
            f"Shopify delivers it by {quoted(method)}, which is neither shipping nor a pick-up; send it by hand, or "
            "change its delivery method in Shopify."
        )
    if _is_scheduled(part) and part.fulfill_at and json_body.utc_or_none(part.fulfill_at) is None:
        yield f"Shopify's fulfill_at is {quoted(part.fulfill_at)}, which is no time, so nothing says when it may ship."

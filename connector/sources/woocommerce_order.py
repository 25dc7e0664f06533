"""One WooCommerce order, as its REST API (wc/v3) or a webhook sends it, as an `Order`. Knows no network and no cursor.

Text stays as Woo sent it, HTML entities and all: the slip decodes them, once, and notes it. A body is a statement about
now, whatever event it came with: a delivery named order.created may say "trash" (platforms.md 7, WooCommerce 5).
"""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Final

import msgspec

from connector.order import Address, Delivery, Fulfilment, Order, OrderLine, Payment
from connector.sources import json_body
from connector.sources.base import Malformed
from connector.sources.json_body import Body, NotAnOrder
from connector.sources.woocommerce_body import AddressBody, LineBody, MetaBody, OrderBody

SHOP: Final = "WooCommerce"


class Meaning(msgspec.Struct, frozen=True):
    """What a status of Woo's says about an order."""

    payment: Payment
    fulfilment: Fulfilment = Fulfilment.UNFULFILLED
    cancelled: bool = False
    draft: bool = False


# https://woocommerce.com/document/managing-orders/order-statuses/ unless another source is named.
STATUSES: Final[dict[str, Meaning]] = {
    "pending": Meaning(Payment.PENDING),
    "on-hold": Meaning(Payment.PENDING),  # "awaiting payment": bank transfers, cheques
    "processing": Meaning(Payment.PAID),  # "payment received, awaiting fulfilment"; cash on delivery starts here too
    "completed": Meaning(Payment.PAID, Fulfilment.FULFILLED),
    "cancelled": Meaning(Payment.PENDING, cancelled=True),
    "refunded": Meaning(Payment.REFUNDED),
    "failed": Meaning(Payment.VOIDED),  # "payment failed or was declined"; a second try makes it pending or processing
    "trash": Meaning(Payment.PENDING, cancelled=True),  # recorded: webhooks/082, an order.created that says so
    "checkout-draft": Meaning(Payment.PENDING, draft=True),  # recorded: put-checkout-draft; listed in 7.5.1
    "auto-draft": Meaning(Payment.PENDING, draft=True),  # recorded: ios-order-auto-draft-status
    "draft": Meaning(Payment.PENDING, draft=True),  # class-wc-webhook.php, statuses that are left out
    "new": Meaning(Payment.PENDING, draft=True),  # the same
}
"""Any other status is a plug-in's or the merchant's: its payment is UNKNOWN, and selection waits and quotes it."""

METHODS: Final[dict[str, Delivery]] = {
    "local_pickup": Delivery.PICKUP,  # recorded: create-nz-pickup, store-order-pickup
    "pickup_location": Delivery.PICKUP,  # block checkout (platforms.md 4.2, not verified)
    "legacy_local_pickup": Delivery.PICKUP,  # class-wc-shipping-legacy-local-pickup.php
    "legacy_local_delivery": Delivery.LOCAL,  # class-wc-shipping-legacy-local-delivery.php
    "local_delivery": Delivery.LOCAL,  # the same before WooCommerce 2.6
}
"""Shipping methods that are no parcel, by method_id (without an instance: "local_pickup:2" before 3.4)."""

NUMBER_KEYS: Final = ("_order_number_formatted", "_order_number", "_alg_wc_custom_order_number", "_wcj_order_number")
"""Where numbering plug-ins keep the shown number, the best first (platforms.md 4.2, WC11)."""

CHECKOUTS: Final = frozenset({"checkout", "store-api"})
"""created_via of orders that buyers placed themselves (recorded: store-order-nz)."""

FIELD_PREFIXES: Final = ("_wc_other/", "_wc_shipping/", "_wc_billing/")
"""Fields that a shop added to the block checkout; other keys that start with "_" are plug-ins' private notes.
https://developer.woocommerce.com/docs/block-development/extensible-blocks/cart-and-checkout-blocks/additional-checkout-fields/
"""

ONE: Final = Decimal(1)
"""Stands for a quantity that can't be: the order is held, and must not be taken for one with nothing to ship."""

_one: Final = msgspec.json.Decoder(OrderBody)
_many: Final = msgspec.json.Decoder(list[OrderBody])


def order_from_woocommerce(body: Body, origin: str = "") -> Order | NotAnOrder:
    """The order that a body shows; never raises.

    body    one order of GET /wp-json/wc/v3/orders, or a webhook delivery's body
    origin  where it was read, for people

    An order that breaks Woo's contract has `problems`, so it is held. NotAnOrder: an error that a signed delivery may
    carry, the {"id":42} of order.deleted (X12: it cancels order 42 and blanks nothing), a refund, a page of HTML.
    """
    try:
        return _order(json_body.decode(body, _one, SHOP), origin)
    except json_body.NoObjectError as error:
        return NotAnOrder(str(error))
    except json_body.BrokenError as error:
        return _broken(error, origin)


def orders_from_woocommerce(page: bytes) -> tuple[Order | NotAnOrder, ...]:
    """The orders of a page (the answer of GET /wp-json/wc/v3/orders). Raises Malformed for anything but a JSON list."""
    if (bodies := json_body.decode_list(page, _many)) is not None:
        return tuple(_order(body, "") for body in bodies)
    found = json_body.one_by_one(page, order_from_woocommerce)
    if found is None:
        raise Malformed(
            "WooCommerce's answer is not a list of orders; a security plug-in or the host may have blocked the call, "
            'or Settings > Permalinks may be "Plain". Open the address in a browser and see what answers.'
        )
    return found


def _order(body: OrderBody, origin: str) -> Order | NotAnOrder:
    order_id = json_body.id_text(body.id)
    if not order_id:
        return json_body.NO_ID
    metas = _plain(body.meta_data)
    number = _number(body.number, order_id, metas)
    status = body.status.removeprefix("wc-")
    meaning = STATUSES.get(status) or Meaning(Payment.UNKNOWN)
    billing = _address(body.billing)
    revision, problems = _revision(body)
    lines, unreadable = _lines(body.line_items)
    return Order(
        id=order_id,
        number=number,
        revision=revision,
        origin=origin or f"WooCommerce order {number}",
        status=status,
        payment=_payment(meaning.payment, body),
        fulfilment=meaning.fulfilment,
        delivery=_delivery(body),
        cancelled=meaning.cancelled,
        draft=meaning.draft,
        test=_is_test(metas),
        created_at=json_body.utc_or_none(body.date_created_gmt, UTC),
        ship_to=_address(body.shipping),
        # Without a shipping method nobody asked for a parcel, so nothing says that it may go to the payer (W8).
        bill_to=billing if body.shipping_lines else Address(),
        email=body.billing.email or "",
        phone=billing.phone,
        shipping_method=", ".join(line.method_title for line in body.shipping_lines if line.method_title),
        buyer_note=body.customer_note or "",
        attributes=_attributes(metas),
        lines=lines,
        currency=body.currency or "",
        problems=(
            *problems,
            *unreadable,
            *filter(None, (json_body.id_problem(order_id), _part_of_another(body.parent_id))),
        ),
    )


def _part_of_another(parent_id: object) -> str:
    """Dokan and its like make an order for each vendor beside the buyer's own, and list them all; renewals of a
    subscription have no parent (https://github.com/woocommerce/woocommerce/issues/29804)."""
    parent = json_body.id_text(parent_id) if parent_id else ""
    if parent in ("", "0"):
        return ""
    return (
        f"It belongs to order {json_body.quoted(parent)}, as a vendor's share of it or a later payment, and that order "
        "has its goods too: sending both would send them twice. If it ships by itself, make its freight order in "
        "GoSweetSpot."
    )


def _address(given: AddressBody) -> Address:
    return Address(
        name=json_body.name_of(given.first_name, given.last_name),
        company=given.company or "",
        line1=given.address_1 or "",
        line2=given.address_2 or "",
        city=given.city or "",
        region=given.state or "",
        postcode=given.postcode or "",
        country=given.country or "",
        phone=str(given.phone) if given.phone else "",
    )


def _revision(body: OrderBody) -> tuple[str, tuple[str, ...]]:
    """Woo's _gmt times are UTC and carry no zone (recorded: every body). An order never changed has its creation's."""
    stamp = body.date_modified_gmt or body.date_created_gmt or ""
    try:
        return json_body.revision(json_body.utc(stamp, UTC)), ()
    except ValueError:
        return "", (
            f"WooCommerce's date_modified_gmt is {json_body.quoted(stamp)}, which is no time, so nothing tells which "
            "version of the order is the newest. Save the order in the shop once more.",
        )


def _number(given: int | str | None, order_id: str, metas: list[MetaBody]) -> str:
    """The shown number. Plug-ins that only write their meta data leave `number` as the id (platforms.md 4.2)."""
    number = "" if given is None else str(given)
    if number not in ("", order_id):
        return number
    told = {meta.key: meta.value for meta in metas if meta.key in NUMBER_KEYS}
    return next((str(told[key]) for key in NUMBER_KEYS if told.get(key)), number or order_id)


def _payment(payment: Payment, body: OrderBody) -> Payment:
    """Refunds leave status, lines and total as they were and stand in `refunds`, negative (platforms.md 7)."""
    if payment is not Payment.PAID or not body.refunds:
        return payment
    returned = sum((_money(refund.total) for refund in body.refunds), Decimal(0))
    return Payment.REFUNDED if 0 < _money(body.total) <= -returned else Payment.PARTIALLY_REFUNDED


def _money(text: int | float | str | None) -> Decimal:
    try:
        return Decimal(str(text or 0))
    except ArithmeticError:
        return Decimal(0)


def _delivery(body: OrderBody) -> Delivery:
    """A parcel where any shipping line is one; pick-up and virtual orders carry a full address (platforms.md 7, 10)."""
    if _is_downloads(body) or (not body.shipping_lines and body.created_via in CHECKOUTS):
        # A checkout writes a shipping line for every basket that needs shipping (store-order-virtual has none).
        return Delivery.NONE
    kinds = {METHODS.get((line.method_id or "").partition(":")[0], Delivery.SHIP) for line in body.shipping_lines}
    return next((kind for kind in (Delivery.SHIP, Delivery.LOCAL, Delivery.PICKUP) if kind in kinds), Delivery.SHIP)


def _is_downloads(body: OrderBody) -> bool:
    """needs_processing is false for downloads, and, deceptively, where the products are deleted: their lines then have
    product_id 0 (recorded: single-line-of-deleted-product, a parcel)."""
    return body.needs_processing is False and all(line.product_id not in (0, "0", None) for line in body.line_items)


def _lines(items: list[LineBody]) -> tuple[tuple[OrderLine, ...], tuple[str, ...]]:
    """The lines, without a bundle's parts: the bundle stands for them (D6; ios-order-with-bundled-line-items)."""
    lines, problems = [], []
    for position, item in enumerate(items, start=1):
        if item.bundled_by or item.composite_parent:
            continue
        quantity = json_body.quantity(item.quantity)
        if quantity is None:
            word = json_body.quoted(str(item.quantity))
            problems.append(f"Line {position} has the quantity {word}, not a number from 0 to a million.")
            quantity = ONE
        price = "" if item.price is None else str(item.price)
        lines.append(OrderLine(name=item.name or "", sku=item.sku or "", quantity=quantity, unit_price=price))
    return tuple(lines), tuple(problems)


def _plain(metas: list[MetaBody] | dict[str, MetaBody]) -> list[MetaBody]:
    """Those with a plain value; plug-ins store lists and trees too (recorded: create-fee-coupon-meta)."""
    items = metas.values() if isinstance(metas, dict) else metas
    return [meta for meta in items if isinstance(meta.key, str) and isinstance(meta.value, str | int | float)]


def _attributes(metas: list[MetaBody]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (meta.key, str(meta.value)) for meta in metas if meta.key[:1] != "_" or meta.key.startswith(FIELD_PREFIXES)
    )


def _is_test(metas: list[MetaBody]) -> bool:
    """WooPayments in test mode makes orders like any other (D11; recorded: ios-order-with-attribution-info)."""
    return any(meta.key == "_wcpay_mode" and meta.value == "test" for meta in metas)


def _broken(error: json_body.BrokenError, origin: str) -> Order | NotAnOrder:
    """What still can be said of a body that breaks the contract: which order it is, and that it is held."""
    fields = error.fields
    order_id = json_body.id_text(fields.get("id"))
    if not order_id:
        return json_body.NO_ID
    if len(fields) == 1:
        return NotAnOrder(
            f"It names order {order_id} and says no more: WooCommerce's body for a deleted order.", order_id
        )
    if not fields.keys() & {"billing", "shipping"}:
        return NotAnOrder("It has no address at all: a refund, a note or another record, not an order.")
    status = str(fields.get("status") or "").removeprefix("wc-")
    meaning = STATUSES.get(status) or Meaning(Payment.PAID)  # so that its problems are seen
    number = str(fields.get("number") or order_id)
    return Order(
        id=order_id,
        number=number,
        revision=json_body.revision_of(fields, "date_modified_gmt", UTC),
        origin=origin or f"WooCommerce order {number}",
        status=status,
        payment=meaning.payment,
        fulfilment=meaning.fulfilment,
        cancelled=meaning.cancelled,
        draft=meaning.draft,
        problems=(str(error),),
    )

"""What a shop says about one order, in no shop's own words. Knows nobody.

Every source maps its shop's record to an `Order`; selection and slip read nothing else. Text is kept as the shop gave
it (decoded, never cleaned): cleaning is the slip's work, so that its receipts can tell what was changed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace


class Payment(StrEnum):
    """Has the buyer paid? A shop's unknown word becomes UNKNOWN and is quoted in `Order.problems`."""

    PAID = "paid"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    UNKNOWN = "unknown"


class Fulfilment(StrEnum):
    """How much of the order has left, as the shop says."""

    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"
    ON_HOLD = "on_hold"
    UNKNOWN = "unknown"


class Delivery(StrEnum):
    """How the goods reach the buyer. Only SHIP is freight; LOCAL is freight where the store's file says so."""

    SHIP = "ship"
    PICKUP = "pickup"
    LOCAL = "local"
    NONE = "none"


class Address(msgspec.Struct, frozen=True, gc=False):
    """An address as typed into the shop; every part may be empty, none is ever None.

    region  the shop's code where it has one ("AUK", "NSW"), else its name; region_name  the name beside a code
    country  an ISO code or a name, as the shop gave it
    """

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    region_name: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""
    suburb: str = ""

    def is_empty(self) -> bool:
        """True when no part tells where to: a name or a telephone alone is no address."""
        return not (self.line1 or self.line2 or self.city or self.postcode or self.suburb)


class OrderLine(msgspec.Struct, frozen=True, gc=False):
    """One line of an order. quantity is what is still to be shipped; requires_shipping None where the shop doesn't
    say."""

    name: str = ""
    sku: str = ""
    quantity: Decimal = Decimal(1)
    requires_shipping: bool | None = None
    unit_price: str = ""


class Order(msgspec.Struct, frozen=True, gc=False):
    """One order (or one part of it that ships by itself) as its shop shows it now.

    id         the shop's own key, as text; the identity with `part`, never the shown number (platforms.md D8)
    part       "" or the shop's key of a shipment group (Shopify fulfilment order)
    shipment   the shop's key of the group that this part is, also where part is ""; "" for shops that have none
    number     what people call it ("#1001"); printed, never a key
    revision   text whose order is the shop's own order of time (updated-at in UTC, then a tie-break; for exports the
               file's sequence); never our clock, never arrival order
    created_at, hold_until  aware, UTC
    status     the shop's own word for the whole order, shown to people
    buyer_note the buyer's words; staff_note the shop's; attributes what plug-ins and carts add, in order
    problems   what the source could not read, each a sentence quoting the shop's words: such an order is held
    origin     where it was read, for people ("orders_export.csv row 14")
    """

    id: str
    number: str
    revision: str
    origin: str = ""
    part: str = ""
    shipment: str = ""
    status: str = ""
    payment: Payment = Payment.PAID
    fulfilment: Fulfilment = Fulfilment.UNFULFILLED
    delivery: Delivery = Delivery.SHIP
    cancelled: bool = False
    draft: bool = False
    test: bool = False
    created_at: datetime | None = None
    hold_until: datetime | None = None
    hold_reason: str = ""
    ship_to: Address = Address()
    bill_to: Address = Address()
    email: str = ""
    phone: str = ""
    shipping_method: str = ""
    buyer_note: str = ""
    staff_note: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    lines: tuple[OrderLine, ...] = ()
    currency: str = ""
    tags: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


_encode = msgspec.json.Encoder().encode


def content_hash(order: Order) -> bytes:
    """SHA-256 over what the order says, without when and where it was read (revision, origin).

    Equal hashes mean the shop changed nothing, whatever its change date says (platforms.md D4, section 7).
    """
    return hashlib.sha256(_encode(replace(order, revision="", origin=""))).digest()

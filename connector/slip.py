"""Order -> PackingSlip by the store's rules, with a receipt for whatever was moved, cut or mended. Knows no ledger.

`make` answers every order, however odd: with a slip, or with the reasons why there can't be one, all of them at once.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connector.address import AddressRules, clean_address, shape
from connector.contact import email, first_phone, is_plain_email, is_plausible, person
from connector.order import Address, Delivery, Order
from connector.packing_slip import LIMITS, Package, PackingSlip, canonical_body
from connector.places import country_code
from connector.problem import Unfit
from connector.products import products_of, quantity_problems
from connector.receipt import Receipt
from connector.slip_number import check_template, fill, number_of
from connector.text import clean, for_terminal, has_lost_letters, is_loss, shortened

__all__ = ["Held", "Made", "Receipt", "SlipRules", "make", "slip_number"]

_MOST_RAW: Final = 1000
_CUT: Final = "..."  # tells the driver that there was more; label printers have no ellipsis

NOTE_SOURCES: Final = ("buyer_note", "staff_note", "shipping_method")
"""What delvinstructions may name, beside "attribute:NAME" and "text:WORDS"."""


def _numbering(template: str) -> str:
    if "{number}" not in template and "{id}" not in template:
        raise ValueError(f'"{template}" would give every order one number; put {{number}} or {{id}} in it')
    return check_template(template)


def _note_source(source: str) -> str:
    if source not in NOTE_SOURCES and not source.startswith(("attribute:", "text:")):
        raise ValueError(f'"{source}" is not known; known are {", ".join(NOTE_SOURCES)}, attribute:NAME and text:WORDS')
    return source


def _known_country(text: str) -> str:
    if not country_code(text):
        raise Unfit("is no country", 'Write its two-letter ISO code, as in "NZ"')
    return text


class SlipRules(BaseModel):
    """The [slip] table of a store file: how a slip is made of an order.

    number, delvref   templates of {number} {id} {part} {store}; prefix goes before the number
    delvinstructions  where the driver's words come from, in this order
    street            the line that takes the street; the other takes the building or unit
    united_kingdom    the code that GSS is told for it
    default_country   of addresses that name none: a country's code or name
    rawaddress        send the address as the shop has it too, for the operator
    email_limit       longest e-mail sent: GSS documents 60 and 200
    bill_to_fallback  a parcel without a delivery address goes to the billing address
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[str, AfterValidator(_numbering)] = "{number}"
    prefix: Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9#][A-Za-z0-9#._/-]{0,9})?$")] = ""
    delvref: Annotated[str, AfterValidator(check_template)] = "{number}"
    delvinstructions: tuple[Annotated[str, AfterValidator(_note_source)], ...] = ("buyer_note",)
    street: Literal["address2", "address1"] = "address2"
    united_kingdom: Literal["GB", "UK"] = "GB"
    default_country: Annotated[str, AfterValidator(_known_country)] | None = None
    rawaddress: bool = False
    costcentre: str | None = None
    products: bool = False
    packages: tuple[Package, ...] = ()
    email: bool = True
    phone: bool = True
    email_limit: Annotated[int, Field(ge=60, le=200)] = 60
    bill_to_fallback: bool = True

    @cached_property
    def address(self) -> AddressRules:
        """What the address rules need to know of these."""
        return AddressRules(self.street, self.united_kingdom, self.default_country)

    @cached_property
    def has_extras(self) -> bool:
        """Does a slip carry more than the thirteen fields?"""
        return bool(self.rawaddress or self.costcentre or self.packages or self.products)


class Made(msgspec.Struct, frozen=True):
    """The canonical body of a valid slip, and what was changed on the way."""

    number: str
    body: bytes
    receipts: tuple[Receipt, ...] = ()

    @property
    def slip(self) -> PackingSlip:
        """The record itself, read out of its body: what is sent needs the bytes alone."""
        return PackingSlip.model_validate_json(self.body)


class Held(msgspec.Struct, frozen=True):
    """No valid slip can be made; each reason is a whole sentence: what is wrong, and what to do."""

    reasons: tuple[str, ...]
    receipts: tuple[Receipt, ...] = ()


Answer: TypeAlias = Made | Held


def slip_number(order: Order, rules: SlipRules, store: str) -> str | Held:
    """The order's packing slip number, the same whenever asked; Held when the order has nothing to make one of."""
    return number_of(order, rules.number, rules.prefix, store) or Held(
        (f'The order has nothing to make a slip number of ("{rules.number}"); set number = "{{id}}" in [slip].',)
    )


def make(order: Order, rules: SlipRules, *, store: str, number: str | None = None) -> Answer:
    """The order's slip, or why there is none. number is the one the ledger froze for it, where it knows the order (G4).

    Never raises, and the same order, rules and number give the same bytes always (T1, T15).
    """
    try:
        return _make(order, rules, store, number)
    except Exception as fault:  # noqa: BLE001  one odd order must not stop the others (T1)
        return Held((_internal_error(order, fault),))


def _internal_error(order: Order, fault: Exception) -> str:
    """Without the fault's own text: it may quote what the order says."""
    shown = for_terminal(str(order.number))[:40]
    return f"Internal error ({type(fault).__name__}) while making the slip of order {shown}; please report it."


class _Notes(msgspec.Struct):
    """What gathers while a slip is made."""

    receipts: list[Receipt]
    problems: list[str]


def _make(order: Order, rules: SlipRules, store: str, number: str | None) -> Answer:
    if order.problems:
        return Held(order.problems)
    notes = _Notes([], [])
    to = _destination(order, rules, notes)
    if _is_withheld(order, to):
        return Held((_WITHHELD,), tuple(notes.receipts))
    numbered = number or slip_number(order, rules, store)
    fields = _fields(order, rules, to, store, notes)
    if rules.has_extras:
        fields |= _extras(order, rules, to, notes)
    if isinstance(numbered, Held):
        return Held((*numbered.reasons, *notes.problems), tuple(notes.receipts))
    if notes.problems:
        return Held(tuple(notes.problems), tuple(notes.receipts))
    fields["packingslipno"] = numbered
    return Made(numbered, canonical_body(fields), tuple(notes.receipts))


def _fields(order: Order, rules: SlipRules, to: Address, store: str, notes: _Notes) -> dict[str, Any]:
    """The fields of the slip without its number and extras; they count only when no problem was noted."""
    place = shape(to, rules.address)
    who = person(to.name, to.company)
    notes.receipts += place.receipts + who.receipts
    notes.problems += place.problems
    if not who.consignee:
        notes.problems.append("The delivery address names neither a person nor a company; add one in the shop.")
    notes.problems += _lost_letters(to, place.city)
    notes.problems += quantity_problems(order.lines)
    return {
        "consignee": who.consignee,
        "address1": place.address1,
        "address2": place.address2,
        "suburb": place.suburb,
        "city": place.city,
        "postcode": place.postcode,
        "country": place.country,
        "delvref": _reference(order, rules, store, notes),
        "delvinstructions": _instructions(order, rules, notes),
        "contactname": who.contact,
        "contactphone": _phone(order, to, place.country, notes) if rules.phone else None,
        "email": _email(order, rules, notes) if rules.email and order.email else None,
    }


def _lost_letters(to: Address, state: str) -> list[str]:
    """A name or place that a spreadsheet wrote without its macrons is no longer known (failures.md C6, C11)."""
    parts = (to.name, to.company, to.line1, to.line2, to.suburb, to.city, state)
    return [_LOST_LETTERS] if any(map(has_lost_letters, parts)) else []


_LOST_LETTERS: Final = (
    'The name or address has a question mark within a word, as in "K?whai": a spreadsheet has destroyed its letters. '
    'Correct it in the shop, or export the orders again, as "CSV UTF-8" where a spreadsheet must save them.'
)

_WITHHELD: Final = (
    "Name, address and e-mail are all empty: either the order has no buyer, or protected data is not granted to this "
    "connector. Ask for protected customer data in the settings of the shop's app, then look at the order again."
)


def _is_withheld(order: Order, to: Address) -> bool:
    """Shopify answers so for an app without access to protected customer data."""
    return not (to.name or to.company or order.email.strip()) and to.is_empty()


def _destination(order: Order, rules: SlipRules, notes: _Notes) -> Address:
    """Where it goes, cleaned. A parcel with no delivery address goes to the billing address (platforms.md W8)."""
    to, lost = clean_address(order.ship_to)
    notes.receipts.extend(lost)
    if not to.is_empty() or not rules.bill_to_fallback or order.delivery is not Delivery.SHIP:
        return to
    bill_to, lost = clean_address(order.bill_to)
    if bill_to.is_empty():
        return to
    notes.receipts.extend(lost)
    notes.receipts.append(
        Receipt("address", "", "billing", "There is no delivery address: the billing address is used.")
    )
    return replace(bill_to, name=to.name, company=to.company) if to.name or to.company else bill_to


def _reference(order: Order, rules: SlipRules, store: str, notes: _Notes) -> str | None:
    return _fitted("delvref", fill(rules.delvref, order, store), notes) or None


def _instructions(order: Order, rules: SlipRules, notes: _Notes) -> str | None:
    words = [text for source in rules.delvinstructions if (text := _words_of(source, order))]
    if not words:
        return None
    return _fitted("delvinstructions", "; ".join(dict.fromkeys(words)), notes) or None


def _words_of(source: str, order: Order) -> str:
    if source in NOTE_SOURCES:
        return str(getattr(order, source))
    kind, _, name = source.partition(":")
    if kind == "text":
        return name
    wanted = name.casefold().strip()
    return "; ".join(value for key, value in order.attributes if value and key.casefold().strip() == wanted)


def _fitted(field: str, whole: str, notes: _Notes) -> str:
    """The text cleaned and cut between words to the field's limit; what was changed is whole in a receipt."""
    text = clean(whole)
    limit = LIMITS[field]
    if len(text) > limit:
        text = shortened(text, limit - len(_CUT)) + _CUT
    if text is not whole and is_loss(whole, text):
        notes.receipts.append(
            Receipt(field, whole, text, f"It was cleaned, and cut to {limit} characters where longer.")
        )
    return text


def _phone(order: Order, to: Address, country: str, notes: _Notes) -> str | None:
    if is_plausible(to.phone):
        return to.phone
    iso = country_code(country)  # "UK", where GSS is told so, is no code that telephone numbers go by
    found = first_phone((to.phone, clean(order.phone), clean(order.bill_to.phone)), iso)
    notes.receipts.extend(found.receipts)
    if found.problem:
        notes.problems.append(found.problem)
    return found.number


def _email(order: Order, rules: SlipRules, notes: _Notes) -> str | None:
    if is_plain_email(order.email) and len(order.email) <= rules.email_limit:
        return order.email
    address, receipts = email(clean(order.email), rules.email_limit)
    notes.receipts.extend(receipts)
    return address


def _extras(order: Order, rules: SlipRules, to: Address, notes: _Notes) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if rules.rawaddress:
        extras["rawaddress"] = _raw_address(to, notes)
    if rules.costcentre:
        extras["costcentre"] = rules.costcentre
    if rules.packages:
        extras["packages"] = rules.packages
    if rules.products:
        goods = products_of(order.lines, order.currency)
        notes.receipts.extend(goods.receipts)
        notes.problems.extend(goods.problems)
        extras["products"] = goods.products or None
    return extras


def _raw_address(to: Address, notes: _Notes) -> str:
    """The address line by line as the shop has it, for the operator's eyes only (gosweetspot-api.md 1.2)."""
    place = " ".join(part for part in (to.city, to.region_name or to.region, to.postcode) if part)
    parts = (to.name, to.company, to.line1, to.line2, to.suburb, place, to.country)
    whole = "\n".join(part for part in parts if part)
    if len(whole) > _MOST_RAW:
        notes.receipts.append(Receipt("rawaddress", whole, whole[:_MOST_RAW], f"It was cut to {_MOST_RAW} characters."))
    return whole[:_MOST_RAW]

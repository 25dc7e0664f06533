"""Whom the label names and how they are reached: consignee, contact, telephone, e-mail. Knows no order and no slip.

Text comes in cleaned. What can't be used is left out with a receipt; only what a person must mend is a problem.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

import msgspec

from connector.packing_slip import LIMITS
from connector.receipt import Receipt
from connector.text import shortened

_NAME_LIMIT: Final = LIMITS["consignee"]
_FEWEST_DIGITS: Final = 6
_MOST_DIGITS: Final = 15  # ITU-T E.164
_LONGEST_LOOKED_AT: Final = 200  # a longer "telephone number" is no number, and is not searched for one
_NOT_IN_EMAIL: Final = frozenset(' ,;:<>()[]"')
_NOT_DIALLED: Final = str.maketrans("", "", "+ ()./-")
_PLAIN_EMAIL: Final = re.compile(r"[A-Za-z0-9._+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")
_SPREADSHEET_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,3}(?:[.,][0-9]{1,20})?[eE][+-]?[0-9]{1,3}")


class Person(msgspec.Struct, frozen=True, gc=False):
    """consignee "" when nobody is named; contact None when there is nothing to add to it."""

    consignee: str
    contact: str | None = None
    receipts: tuple[Receipt, ...] = ()


class Phone(NamedTuple):
    """number None when there is none to send; problem is a sentence for the merchant, or ""."""

    number: str | None = None
    receipts: tuple[Receipt, ...] = ()
    problem: str = ""


def person(name: str, company: str) -> Person:
    """A courier asks at the door for the company and then for the person; without a company, for the person."""
    if company and company.casefold() != name.casefold():
        if len(company) <= _NAME_LIMIT and len(name) <= _NAME_LIMIT:
            return Person(company, name or None)
        return _fitted(company, name)
    return Person(name) if len(name) <= _NAME_LIMIT else _fitted(name, "")


def _fitted(consignee: str, contact: str) -> Person:
    """Both within 50 characters; what doesn't fit the consignee goes on as the contact where that is free."""
    receipts = []
    short = shortened(consignee, _NAME_LIMIT)
    if short != consignee:
        receipts.append(Receipt("consignee", consignee, short, f"A name holds {_NAME_LIMIT} characters."))
        contact = contact or consignee[len(short) :].strip(" ,;-")
    fitting = shortened(contact, LIMITS["contactname"])
    if fitting != contact:
        receipts.append(Receipt("contactname", contact, fitting, f"A name holds {_NAME_LIMIT} characters."))
    return Person(short, fitting or None, tuple(receipts))


def first_phone(numbers: tuple[str, ...], country: str) -> Phone:
    """The first usable number, in the order given; as typed where that is plausible. country is ISO alpha-2.

    A number that a spreadsheet turned into 6.42E+10 has lost its digits, and is a problem rather than no number
    (failures.md C11).
    """
    receipts: tuple[Receipt, ...] = ()
    for typed in numbers:
        if not typed:
            continue
        if is_plausible(typed):
            return Phone(typed, receipts)
        if _SPREADSHEET_NUMBER.fullmatch(typed):
            return Phone(problem=_SPREADSHEET_PROBLEM)
        found = _found_in(typed, country)
        receipts += (Receipt("contactphone", typed, found or "", _FOUND if found else _NO_NUMBER),)
        if found:
            return Phone(found, receipts)
    return Phone(None, receipts)


_FOUND: Final = "Only the first telephone number in the words was taken."
_NO_NUMBER: Final = "It is no telephone number, so it was left out."
_SPREADSHEET_PROBLEM: Final = (
    "The telephone number has the form of 6.42E+10: a spreadsheet has destroyed its digits. Correct it in the shop, or "
    "export the orders again without opening the file in a spreadsheet."
)


def is_plausible(typed: str) -> bool:
    """True for a number that can be sent as it was typed: 6 to 15 digits with the marks people put between them."""
    digits = typed.removeprefix("+").replace(" ", "")
    if not digits.isdigit():  # other marks are rarer, and dearer to take out
        digits = typed.translate(_NOT_DIALLED)
    return (
        _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS
        and len(typed) <= LIMITS["contactphone"]
        and digits.isascii()
        and digits.isdigit()
        and "+" not in typed[1:]
    )


def _found_in(typed: str, country: str) -> str | None:
    """The first number in other words ("021 555 123 (work)"), as typed but for full-width digits."""
    if len(typed) > _LONGEST_LOOKED_AT or sum(map(str.isdigit, typed)) < _FEWEST_DIGITS:
        return None
    import phonenumbers

    text = unicodedata.normalize("NFKC", typed)
    for match in phonenumbers.PhoneNumberMatcher(text, country):
        number: str = match.raw_string
        if len(number) <= LIMITS["contactphone"]:
            return number
    return None


def is_plain_email(typed: str) -> bool:
    """True for nearly all addresses: such a text is clean already, and an address surely."""
    return _PLAIN_EMAIL.fullmatch(typed) is not None


def email(typed: str, limit: int) -> tuple[str | None, tuple[Receipt, ...]]:
    """The address for track and trace, or None with a receipt: a parcel goes without a mail, hardly with a bad one."""
    if not typed:
        return None, ()
    if not _is_email(typed):
        return None, (Receipt("email", typed, "", "It is no e-mail address, so it was left out."),)
    if len(typed) > limit:
        return None, (Receipt("email", typed, "", f"It is longer than {limit} characters, so it was left out."),)
    return typed, ()


def _is_email(typed: str) -> bool:
    local, _, domain = typed.partition("@")
    return (
        bool(local)
        and "." in domain[1:-1]
        and ".." not in domain
        and "@" not in domain
        and _NOT_IN_EMAIL.isdisjoint(typed)
    )

"""The packing slip number of an order, and the small templates numbers and references are made of. Knows no slip.

A number is given once and frozen (failures.md G4); two orders that come to the same number are held by the ledger (T6).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from connector.order import Order
from connector.packing_slip import LIMITS, NUMBER

PLACEHOLDERS: Final = ("number", "id", "part", "store")
_PLACEHOLDER: Final = re.compile(r"\{([a-z]{1,20})\}")
# A comma can't be in a number (GET and DELETE take comma lists); the rest some proxy on the way would rewrite (T5).
_IMPOSSIBLE: Final = re.compile(r"[^A-Za-z0-9#._/-]+")
_LONGEST: Final = LIMITS["packingslipno"]
_HEAD, _HASH, _TAIL = 6, 6, 6


def check_template(template: str) -> str:
    """The template as it is; raises ValueError, in words for the merchant, when it has other than our placeholders."""
    rest = _PLACEHOLDER.sub(lambda found: "" if found[1] in PLACEHOLDERS else found[0], template)
    if "{" in rest or "}" in rest:
        known = ", ".join(f"{{{word}}}" for word in PLACEHOLDERS)
        raise ValueError(f'"{template}" has a placeholder that is not known; known are {known}')
    return template


def fill(template: str, order: Order, store: str) -> str:
    """The template with the order's words in it. Words are put in as they are: braces in them mean nothing (SEC36)."""
    if template == "{number}":
        return order.number
    words = {"number": order.number, "id": order.id, "part": order.part, "store": store}
    return _PLACEHOLDER.sub(lambda found: words.get(found[1], found[0]), template)


def number_of(order: Order, template: str, prefix: str, store: str) -> str:
    """A number every slip may carry, the same for the same order always; "" when the order gives nothing to make it of.

    Parts of one order get a number each (T11). What a number can't hold becomes "-". Longer than 20 characters: a
    readable head and tail around six characters of the whole's SHA-256, so that long numbers don't run together.
    """
    if not order.id or ("{number}" in template and not order.number.strip()):
        return ""
    whole = prefix + fill(template, order, store)
    if order.part and "{part}" not in template:
        whole = f"{whole}-{order.part}"
    if NUMBER.fullmatch(whole):
        return whole
    return _within_limit(_possible(whole), whole)


def _possible(whole: str) -> str:
    narrow = unicodedata.normalize("NFKC", whole[:1000])
    return _IMPOSSIBLE.sub("-", narrow).lstrip("-._/").rstrip("-")


def _within_limit(number: str, whole: str) -> str:
    if len(number) <= _LONGEST:
        return number
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    return f"{number[:_HEAD]}-{digest}-{number[-_TAIL:]}"

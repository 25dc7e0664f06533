"""What the status words of exports mean, as tables. Knows no row.

Words are compared without case, with spaces and underscores as hyphens, and without WooCommerce's "wc-". A word that is
in no table becomes UNKNOWN and is quoted: the merchant says in [source.status_map] what it means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Final, NamedTuple

import msgspec
from pydantic import AfterValidator

from connector.order import Fulfilment, Payment
from connector.suggest import did_you_mean
from connector.text import clean


class Meaning(NamedTuple):
    """What one word says; None where it says nothing."""

    payment: Payment | None = None
    fulfilment: Fulfilment | None = None
    cancelled: bool = False
    draft: bool = False


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What all status cells of an order say together."""

    payment: Payment
    fulfilment: Fulfilment
    cancelled: bool
    draft: bool
    word: str
    problems: tuple[str, ...]


MEANINGS: Final[Mapping[str, Meaning]] = {
    "paid": Meaning(Payment.PAID),
    "pending": Meaning(Payment.PENDING),
    "authorized": Meaning(Payment.AUTHORIZED),
    "partially_paid": Meaning(Payment.PARTIALLY_PAID),
    "partially_refunded": Meaning(Payment.PARTIALLY_REFUNDED),
    "refunded": Meaning(Payment.REFUNDED),
    "voided": Meaning(Payment.VOIDED),
    "unfulfilled": Meaning(None, Fulfilment.UNFULFILLED),
    "partial": Meaning(None, Fulfilment.PARTIAL),
    "fulfilled": Meaning(None, Fulfilment.FULFILLED),
    "on_hold": Meaning(None, Fulfilment.ON_HOLD),
    "cancelled": Meaning(cancelled=True),
    "draft": Meaning(draft=True),
}
"""What [source.status_map] may map a word to."""


def _known_meanings(status_map: dict[str, str]) -> dict[str, str]:
    for word, meaning in status_map.items():
        if meaning not in MEANINGS:
            raise ValueError(f'"{word}" = "{meaning}": no such meaning. {did_you_mean(meaning, MEANINGS)}')
    return status_map


StatusMap = Annotated[dict[str, str], AfterValidator(_known_meanings)]
"""The type of [source.status_map]."""

STATUS: Final[Mapping[str, str]] = {
    # WooCommerce: slugs and English labels of its order states; on-hold waits for a bank transfer, failed may be paid
    # anew and is then `processing` again (platforms.md 4.2, D12).
    "processing": "paid",
    "completed": "fulfilled",
    "on-hold": "pending",
    "pending-payment": "pending",
    "failed": "voided",
    "canceled": "cancelled",
    "trash": "cancelled",
    "checkout-draft": "draft",
    "auto-draft": "draft",
}
"""Words of a column that says all in one."""

PAYMENT: Final[Mapping[str, str]] = {
    # Shopify's Financial Status is the name of the meaning; `expired` is an authorisation that was never captured.
    "expired": "voided",
    "unpaid": "pending",
}

FULFILMENT: Final[Mapping[str, str]] = {
    # Shopify leaves the cell empty or says unfulfilled; `restocked` goods are back on the shelf: nothing may ship.
    "": "unfulfilled",
    "partially-fulfilled": "partial",
    "restocked": "cancelled",
    "shipped": "fulfilled",
    "pending": "unfulfilled",
}

TABLES: Final = {"status": STATUS, "payment": PAYMENT, "fulfilment": FULFILMENT}

YES: Final = frozenset({"1", "yes", "y", "true", "cancelled", "canceled"})
NO: Final = frozenset({"", "0", "0.0", "no", "n", "false"})
"""What a cell says that is for cancellation alone, besides dates. "NULL", "-" and the like say nothing (text.clean)."""

NEVER: Final = ("0000-00-00", "00/00/0000", "-0001-11-30", "1970-01-01")
"""How databases, PHP and Unix write that there is no date (platforms.md 1.13)."""

_DATE: Final = re.compile(
    r"""(?: \d{1,4} [-/.] \d{1,2} [-/.] \d{1,4} | 20\d{6}
    | \d{1,2} [-\ ] [a-z]{3,9} \.? [-\ ] \d{2,4} | [a-z]{3,9} \.? \ \d{1,2} ,? \ \d{4} ) (?!\d)
    | \d{9,13} (?: \.\d+ )? $""",
    re.VERBOSE,
)
"""A date, however it is written, or a Unix time: when it was doesn't matter here."""

LONGEST: Final = 40
"""How much of an unknown word is quoted: in a file mapped wrongly it may be anything."""


def folded(word: str) -> str:
    """The form in which words are compared."""
    return word.strip().casefold().replace(" ", "-").replace("_", "-").removeprefix("wc-")


_BY_FOLDED: Final = {folded(name): meaning for name, meaning in MEANINGS.items()}


def meaning_of(kind: str, word: str, status_map: Mapping[str, str]) -> Meaning | None:
    """What a word of a `status`, `payment` or `fulfilment` column means, by the merchant's map, then ours; or None."""
    key = folded(word)
    for mapped, meaning in status_map.items():
        if folded(mapped) == key:
            return MEANINGS[meaning]
    return _BY_FOLDED.get(folded(TABLES[kind].get(key, key)))


@lru_cache(maxsize=1024)
def is_cancelled(text: str) -> bool | None:
    """Whether a cell for cancellation says that the order is cancelled: yes, or the date when. None where it says
    neither that nor the contrary."""
    word = clean(text).casefold()
    if word in NO or word.startswith(NEVER):
        return False
    return True if word in YES or _DATE.match(word) else None


def unknown_sentence(column: str, word: str) -> str:
    """What to say of a word in a column that has no meaning."""
    if not word.strip():
        return f"The column {column} is empty."
    shown = word.strip()[:LONGEST]
    return f'{column} says "{shown}": say what that means in [source.status_map], for instance "{shown}" = "paid".'


def standing(
    cells: Mapping[str, str],
    columns: Mapping[str, str],
    is_cancelled: bool,
    status_map: Mapping[str, str],
    unknown: Callable[[str, str], str] = unknown_sentence,
) -> Standing:
    """An order's standing from its status cells (kind -> word), of which those in `columns` (kind -> column) exist.

    Later kinds say more: `payment` and `fulfilment` go over what `status` says of them. Where no column speaks, an
    order is paid and unfulfilled. unknown: the sentence about a word in a column that has no meaning.
    """
    payment: Payment = Payment.PAID
    fulfilment: Fulfilment = Fulfilment.UNFULFILLED
    cancelled, draft, problems = is_cancelled, False, []
    for kind in (kind for kind in TABLES if kind in columns):
        meaning = meaning_of(kind, cells[kind], status_map)
        if meaning is None:
            meaning = _unknown(kind)
            problems.append(unknown(columns[kind], cells[kind]))
        payment = meaning.payment or payment
        fulfilment = meaning.fulfilment or fulfilment
        cancelled, draft = cancelled or meaning.cancelled, draft or meaning.draft
    word = next((word for kind in TABLES if kind in columns and (word := cells[kind].strip())), "")
    return Standing(payment, fulfilment, cancelled, draft, word, tuple(problems))


def _unknown(kind: str) -> Meaning:
    return Meaning(fulfilment=Fulfilment.UNKNOWN) if kind == "fulfilment" else Meaning(payment=Payment.UNKNOWN)

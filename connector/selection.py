"""Which orders ship, wait, are skipped or are withdrawn, and why. Touches nothing; knows no slip, ledger or clock.

`decide` looks at what the shop says now; the ledger acts on the answer. Every reason is a sentence for the merchant: it
quotes the shop's own words and, where a setting would let the order through, names it.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec
from pydantic import BaseModel, ConfigDict

from connector.order import Delivery, Fulfilment, Order, Payment

# What nearly every order is asked about, by names of our own: Python 3.11 looks a member up anew each time it is used.
_FULFILLED, _ON_HOLD, _FULFILMENT_UNKNOWN = Fulfilment.FULFILLED, Fulfilment.ON_HOLD, Fulfilment.UNKNOWN
_REFUNDED, _VOIDED = Payment.REFUNDED, Payment.VOIDED
_PICKUP, _LOCAL, _NO_DELIVERY = Delivery.PICKUP, Delivery.LOCAL, Delivery.NONE

PICKUP_WORDS: Final = (
    "pickup",
    "pick up",
    "pick-up",
    "picked up",
    "collect from",
    "collect in",
    "click & collect",
    "click and collect",
    "click+collect",
    "click n collect",
    "in-store collection",
    "store collection",
    "collection from",
)
"""Words of shipping methods that are pick-ups whatever the channel says (platforms.md W1 and section 1, rule 8)."""


LOOKS_AT: Final = {
    "since": "created_at",
    "only_tags": "tags",
    "skip_tags": "tags",
    "only_methods": "shipping_method",
    "skip_methods": "shipping_method",
    "statuses": "status",
}
"""Keys of [select] that mean nothing, or stop every order, where the source never fills a field of the order."""


class SelectRules(BaseModel):
    """The [select] table of a store file: what counts as ready to ship.

    payments          what counts as paid enough
    local_delivery    True where the shop's own local deliveries go by freight too
    since             orders created before this day (UTC) are left alone; one whose date can't be read waits
    only_tags, skip_tags        whole tags, upper and lower case alike
    only_methods, skip_methods  words found anywhere in the shipping method, upper and lower case alike
    pickup_words      words of shipping methods that are pick-ups even where the channel calls them shipping
    statuses          the shop's own status words that are ready; None: the status is not looked at
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    payments: tuple[Payment, ...] = (Payment.PAID, Payment.PARTIALLY_REFUNDED)
    local_delivery: bool = False
    include_test_orders: bool = False
    since: date | None = None
    only_tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    only_methods: tuple[str, ...] = ()
    skip_methods: tuple[str, ...] = ()
    pickup_words: tuple[str, ...] = PICKUP_WORDS
    statuses: tuple[str, ...] | None = None


class Ship(msgspec.Struct, frozen=True):
    """Freight should carry it now."""


class Wait(msgspec.Struct, frozen=True):
    """Not yet; look again when the shop changes it, or at `until` (aware, UTC) where the shop names a time."""

    reason: str
    until: datetime | None = None


class Skip(msgspec.Struct, frozen=True):
    """Not for freight. keeps_slip: a slip sent earlier stays as it is, since its parcel may be on its way."""

    reason: str
    keeps_slip: bool = False


class Withdraw(msgspec.Struct, frozen=True):
    """Was to ship and must not any more: take its slip back."""

    reason: str


Decision: TypeAlias = Ship | Wait | Skip | Withdraw

SHIP: Final = Ship()


def decide(order: Order, rules: SelectRules, now: datetime) -> Decision:
    """What to do with an order as its shop shows it; now is aware, UTC. The first rule that speaks decides.

    Cancelled, then already fulfilled, then refunded come before everything else, so that a slip already sent is always
    taken back or left alone for the right reason: a refund of a fulfilled order is a return, and its parcel has gone.
    """
    return (
        _withdrawal(order)
        or _not_for_freight(order, rules)
        or _left_out(order, rules)
        or _waiting(order, rules, now)
        or SHIP
    )


def _withdrawal(order: Order) -> Withdraw | Skip | None:
    if order.cancelled:
        return Withdraw("The order was cancelled in the shop.")
    if order.fulfilment is _FULFILLED:
        return Skip("The shop says it is fulfilled already.", keeps_slip=True)
    if order.payment is _REFUNDED:
        return Withdraw("The order was fully refunded.")
    if order.payment is _VOIDED:
        return Withdraw("The payment was voided.")
    return None


def _not_for_freight(order: Order, rules: SelectRules) -> Decision | None:
    """Drafts, tests, pick-ups and orders with nothing to carry: method, address and lines are looked at, all three."""
    if order.draft:
        return Skip("It is a draft, not an order yet.")
    if order.test and not rules.include_test_orders:
        return Skip("It is a test order; to ship test orders set include_test_orders = true in [select].")
    if order.delivery is _PICKUP:
        return Skip("Not for freight: the buyer picks it up.")
    if order.delivery is _LOCAL and not rules.local_delivery:
        return Skip("Not for freight: local delivery; to send those by freight set local_delivery = true in [select].")
    if order.shipping_method and (word := _word_in(order.shipping_method, rules.pickup_words)):
        return Skip(
            f'Not for freight: the shipping method says "{word}", a pick-up; '
            "if it is none, change pickup_words in [select]."
        )
    return _nothing_to_carry(order)


def _nothing_to_carry(order: Order) -> Decision | None:
    """A source that knows no lines says nothing about goods: such an order has something to carry."""
    if not _has_goods(order):
        if any(line.quantity for line in order.lines):
            return Skip("Not for freight: nothing in the order needs shipping (digital goods or services).")
        return Skip("Nothing is left to ship: every line was removed, refunded or sent.", _has_left_in_part(order))
    if order.delivery is _NO_DELIVERY:
        if not order.ship_to.is_empty() and any(line.requires_shipping for line in order.lines):
            return Wait(
                "The shop names no delivery, yet there are goods to ship and an address: choose a shipping method "
                "for the order in the shop, or send it by hand."
            )
        return Skip("Not for freight: the shop says nothing is delivered.")
    return None


def _has_goods(order: Order) -> bool:
    for line in order.lines:
        if line.quantity and line.requires_shipping is not False:
            return True
    return not order.lines


def _has_left_in_part(order: Order) -> bool:
    return order.fulfilment is Fulfilment.PARTIAL


def _left_out(order: Order, rules: SelectRules) -> Skip | Wait | None:
    """What the store's file leaves out."""
    if rules.since and (answer := _by_its_age(order, rules.since)):
        return answer
    if rules.skip_tags and (tag := _shared_tag(order.tags, rules.skip_tags)):
        return Skip(f'It has the tag "{tag}" (skip_tags in [select]).')
    if rules.only_tags and not _shared_tag(order.tags, rules.only_tags):
        return Skip("It has none of the tags of only_tags in [select].")
    if rules.skip_methods and (word := _word_in(order.shipping_method, rules.skip_methods)):
        return Skip(f'Its shipping method has "{word}" in it (skip_methods in [select]).')
    if rules.only_methods and not _word_in(order.shipping_method, rules.only_methods):
        return Skip("Its shipping method is none of only_methods in [select].")
    return None


def _by_its_age(order: Order, since: date) -> Skip | Wait | None:
    """Moving `since` withdraws nothing: an older order keeps its slip. An order with problems is held by these."""
    first = since.isoformat()
    if order.created_at is not None:
        is_old = order.created_at.date() < since
        return Skip(f"It was created before {first} (since in [select]).", keeps_slip=True) if is_old else None
    if order.problems:
        return None
    return Wait(
        f"The date of its creation is missing or can't be read, so it may be older than {first} (since in [select]). "
        "To ship such orders, mend the date or leave since out."
    )


def _waiting(order: Order, rules: SelectRules, now: datetime) -> Wait | None:
    if order.payment not in rules.payments:
        return _wait_for_payment(order)
    if rules.statuses is not None and not _shared_tag((order.status,), rules.statuses):
        return Wait(
            f'The shop\'s status is "{order.status}", which is not among the ready ones; '
            "to ship it, add that word to statuses in [select]."
        )
    if order.fulfilment is _ON_HOLD:
        return Wait(_hold_sentence(order), order.hold_until)
    if order.fulfilment is _FULFILMENT_UNKNOWN:
        return Wait(_unknown_sentence(order, "fulfilment"))
    if order.hold_until is not None and order.hold_until > now:
        return Wait(_hold_sentence(order), order.hold_until)
    return None


def _wait_for_payment(order: Order) -> Wait:
    if order.payment is Payment.UNKNOWN:
        return Wait(_unknown_sentence(order, "payment"))
    word = order.payment.value
    return Wait(f'Its payment is "{word}"; to ship such orders, add "{word}" to payments in [select].')


def _unknown_sentence(order: Order, what: str) -> str:
    """Sources quote an unknown word in `problems` (order.py); where one didn't, the whole order's status is quoted."""
    found = " ".join(order.problems) or f'The shop\'s status is "{order.status}".'
    return f"The shop's word for its {what} is not known: {found} Change it in the shop, or map it in the store file."


def _hold_sentence(order: Order) -> str:
    reason = f" ({order.hold_reason[:80]})" if order.hold_reason else ""
    until = f" until {order.hold_until:%Y-%m-%d %H:%M} UTC" if order.hold_until else ""
    return f"The shop holds it{until}{reason}; release it in the shop."


@lru_cache(maxsize=4096)
def _word_in(text: str, words: tuple[str, ...]) -> str:
    """The first of `words` found in the text, else "". Cached: a shop has few shipping methods."""
    folded = text.casefold()
    return next((word for word in words if word and word.casefold() in folded), "")


def _shared_tag(tags: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    folded = {word.casefold().strip() for word in wanted}
    return next((tag for tag in tags if tag.casefold().strip() in folded), "")

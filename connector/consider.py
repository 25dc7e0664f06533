"""One order, held against what is known of it: what the ledger should be told. Decides and makes; writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from connector import selection, slip
from connector.ledger.intake import UNTIL_RELEASED, Change, Kind
from connector.ledger.known import Known, PassedOver
from connector.ledger.machine import Accept, accept
from connector.ledger.states import Op, State
from connector.ledger.times import stamp
from connector.order import Order, content_hash
from connector.packing_slip import body_hash
from connector.selection import SelectRules
from connector.slip import SlipRules

TIE = "The shop shows two contents of this order with one change date. Save the order once more in the shop."
TIED_CONTENT = hashlib.sha256(TIE.encode()).digest()
"""Stands for the contents of an order in a tie: whichever of them is shown again, with that date, it is a tie still."""

DOUBTED_CONTENT = hashlib.sha256(b"in doubt").digest()
"""Stands for the contents of an order in doubt: whatever it says next that can be read is news."""

GONE = "The order was deleted in the shop."
GONE_CONTENT = hashlib.sha256(GONE.encode()).digest()
"""Stands for the contents of an order that is no more; no order's contents have this hash."""

IDENTIFIED = "The order came again with its id, and is looked after by that."
IDENTIFIED_CONTENT = hashlib.sha256(IDENTIFIED.encode()).digest()

NOT_SHOWN = (
    "The shop no longer shows the part of the order that this slip ships. Look at the order in the shop, and whether "
    "the connector may still see all of it."
)
NOT_SHOWN_CONTENT = hashlib.sha256(NOT_SHOWN.encode()).digest()
"""Stands for the contents of a part that its order is shown without, as GONE_CONTENT does."""

_TO_TAKE = (Accept.NEW, Accept.NEWER)
_SHIP = Kind.SHIP  # Python 3.11 looks a member of an enum up anew each time it is used
_encode = msgspec.json.Encoder().encode


class Considered(msgspec.Struct, frozen=True):
    """The accept rule's word, and what to record; change is None when there is nothing to record."""

    accept: Accept
    change: Change | None = None


class Rules(msgspec.Struct, frozen=True):
    """How one store's orders become slips."""

    store: str
    select: SelectRules
    slip: SlipRules


def consider(
    order: Order,
    known: Known | None,
    passed: PassedOver | None,
    rules: Rules,
    now: datetime,
    *,
    decides: bool = False,
) -> Considered:
    """What an order just read means. known, passed: what the ledger has of it (at most one of them).

    decides: it was asked for by its id, after all that the ledger has of it.
    """
    newest = _newest(known, passed)
    if order.doubtful:
        return _in_doubt(order, newest)
    content = content_hash(order)
    word = accept(newest, order.revision, content, decides=decides)
    if word is Accept.TIE and _is_in_doubt(newest):
        word = Accept.NEWER
    if word in _TO_TAKE:
        return Considered(word, decided(order, content, known, rules, now))
    if word is Accept.TIE:
        is_known = (known.content if known else passed and passed.content) == TIED_CONTENT
        return Considered(word, None if is_known else _change(order, TIED_CONTENT, Kind.HELD, TIE))
    if word is Accept.STALE or (known is not None and not _may_be_mended(known)):
        return Considered(word)
    change = decided(order, content, known, rules, now)
    return Considered(word, None if _is_as_before(change, known, passed) else change)


def _in_doubt(order: Order, newest: tuple[str, bytes] | None) -> Considered:
    """C11, C14: held as it is, a cancel too, until the shop shows it readably. What is known keeps its place in time
    where the order has none, so that whatever is shown readably after that is taken."""
    place = newest[0] if newest else ""
    if order.revision and order.revision < place:
        return Considered(Accept.STALE)
    if _is_in_doubt(newest):
        return Considered(Accept.TIE)
    held = _change(order, DOUBTED_CONTENT, Kind.DOUBT, " ".join(order.problems))
    return Considered(Accept.TIE, replace(held, revision=order.revision or place))


def _is_in_doubt(newest: tuple[str, bytes] | None) -> bool:
    return newest is not None and newest[1] == DOUBTED_CONTENT


def consider_identified(before: Known) -> Change:
    """What it means for an order held under its number, its id being unreadable, that the number came with an id."""
    return Change(
        before.order_number, "", before.order_number, before.revision, IDENTIFIED_CONTENT, IDENTIFIED, Kind.WITHDRAW,
        reason=IDENTIFIED,
    )  # fmt: skip


def consider_gone(order_id: str, part: str, before: Known | PassedOver) -> Change | None:
    """What it means that the shop no longer has an order; None where that is known."""
    if before.content == GONE_CONTENT:
        return None
    return Change(order_id, part, before.order_number, before.revision, GONE_CONTENT, GONE, Kind.WITHDRAW, reason=GONE)


def consider_not_shown(shown: Sequence[Order], part: str, before: Known, rules: Rules, now: datetime) -> Change | None:
    """What it means that a shop shows an order, the whole of it, without a part that has a slip. None where that is
    known, or the slip was taken back.

    shown  the parts it does show, one or more: where all of them are withdrawn, so is this one; else a person must look
    """
    if before.op is Op.DELETE or before.state is State.CLOSED:
        return None
    decisions = [selection.decide(order, rules.select, now) for order in shown]
    reasons = [decision.reason for decision in decisions if isinstance(decision, selection.Withdraw)]
    is_withdrawn = len(reasons) == len(shown)
    if before.content == NOT_SHOWN_CONTENT and not is_withdrawn:
        return None
    kind, reason = (Kind.WITHDRAW, reasons[0]) if is_withdrawn else (Kind.WAIT, NOT_SHOWN)
    return Change(
        shown[0].id, part, before.order_number, before.revision, NOT_SHOWN_CONTENT, shown[0].origin, kind, reason=reason
    )


def _newest(known: Known | None, passed: PassedOver | None) -> tuple[str, bytes] | None:
    if known is not None:
        return known.revision, known.content or b""
    return (passed.revision, passed.content or b"") if passed is not None else None


def _may_be_mended(known: Known) -> bool:
    """A held order is made anew each time it is read: the store file may have been mended since."""
    return known.state is State.HELD and not known.reason.startswith(UNTIL_RELEASED)


def _is_as_before(change: Change, known: Known | None, passed: PassedOver | None) -> bool:
    if known is not None:
        return change.kind in (Kind.HELD, Kind.WAIT) or (change.kind is Kind.SHIP and known.hash == change.hash)
    if passed is None:
        return False
    return change.kind not in (Kind.SHIP, Kind.HELD) and change.reason == passed.reason


def decided(order: Order, content: bytes, known: Known | None, rules: Rules, now: datetime) -> Change:
    """Select, and make the slip where the order is to ship."""
    match selection.decide(order, rules.select, now):
        case selection.Ship():
            return _made(order, content, known, rules)
        case selection.Wait(reason, until):
            return _change(order, content, Kind.WAIT, reason, until=until)
        case selection.Skip(reason, keeps_slip):
            return _change(order, content, Kind.SKIP, reason, keeps_slip=keeps_slip)
        case selection.Withdraw(reason):
            return _change(order, content, Kind.WITHDRAW, reason)


def _made(order: Order, content: bytes, known: Known | None, rules: Rules) -> Change:
    made = slip.make(order, rules.slip, store=rules.store, number=known.number if known else None)
    receipts = _encode(made.receipts).decode() if made.receipts else None
    if isinstance(made, slip.Held):
        return _change(order, content, Kind.HELD, " ".join(made.reasons), receipts=receipts)
    return Change(
        order.id, order.part, order.number, order.revision, content, order.origin, _SHIP,
        made.number, made.body.decode(), body_hash(made.body), receipts, shipment=order.shipment,
    )  # fmt: skip


def _change(
    order: Order,
    content: bytes,
    kind: Kind,
    reason: str,
    *,
    until: datetime | None = None,
    keeps_slip: bool = False,
    receipts: str | None = None,
) -> Change:
    return Change(
        order.id, order.part, order.number, order.revision, content, order.origin, kind,
        reason=reason, until=stamp(until) if until else None, keeps_slip=keeps_slip, receipts=receipts,
        shipment=order.shipment,
    )  # fmt: skip

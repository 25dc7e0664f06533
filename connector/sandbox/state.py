"""The orders the sandbox holds and what may happen to them. Knows no HTTP, no JSON, no file and no clock.

Pure: every change is given its time, returns what it changed, and leaves keeping it to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec


class Account(NamedTuple):
    """Whose orders: an access key, and the site_id it was sent with ("" when none)."""

    key: str
    site: str


class Record(NamedTuple):
    """One order as it came in a PUT: its number as text, and the JSON object with lower-case field names."""

    number: str
    sent: bytes


class State(StrEnum):
    """Where an order stands; only a pending one can be updated or deleted through the API."""

    PENDING = "pending"
    PROCESSED = "processed"
    DELETED = "deleted"


class Order(msgspec.Struct, gc=False):
    """One packing slip number of one account, from its first PUT on; a deleted one stays, as a tombstone.

    serial     1, 2, 3 ... over all accounts, in order of creation
    number     as last sent; orders are found by `number_key` of it
    sent       the JSON object as last sent; edits  what an operator changed by hand since
    created    of the newest creation, updated  of the newest PUT; picked, delivered likewise: aware, UTC
    creations  how often the number was made anew (more than 1 only after a delete); labels  how often it was ticketed
    """

    serial: int
    account: Account
    number: str
    sent: bytes
    created: datetime
    updated: datetime
    state: State = State.PENDING
    ticket: str = ""
    picked: datetime | None = None
    delivered: datetime | None = None
    creations: int = 1
    updates: int = 0
    labels: int = 0
    edits: dict[str, str] | None = None


class Row(msgspec.Struct, frozen=True, gc=False):
    """One entry of a PUT's answer, in the field order of the API page."""

    packingslipno: str
    result: bool
    msg: str


class RefusedError(Exception):
    """An operator asked for what cannot be done to this order; the message says why."""


class UnknownOrderError(RefusedError):
    """No such order."""


def number_key(number: str) -> str:
    """Under which two numbers are the same order: trimmed, and upper or lower case alike (failures.md N2)."""
    return number.strip().casefold()


class Book:
    """All orders, by account and number; created, updated, ignored, deleted count what calls did since the start."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._accounts: dict[Account, dict[str, Order]] = {}
        self._last_serial = 0
        self.created = self.updated = self.ignored = self.deleted = 0
        for order in orders:
            self._accounts.setdefault(order.account, {})[number_key(order.number)] = order
            self._last_serial = max(self._last_serial, order.serial)

    def __iter__(self) -> Iterator[Order]:
        for orders in self._accounts.values():
            yield from orders.values()

    def of(self, account: Account) -> dict[str, Order]:
        """The account's orders by number key, in order of creation; tombstones are among them."""
        return self._accounts.setdefault(account, {})

    def put(self, account: Account, records: Sequence[Record], now: datetime) -> tuple[list[Row], list[Order]]:
        """Create what is new or deleted, update what is pending, leave what is processed: (answer rows, changed)."""
        rows: list[Row] = []
        changed: list[Order] = []
        orders = self.of(account)
        for record in records:
            key = number_key(record.number)
            if not key:
                rows.append(Row(record.number, False, "packingslipno is missing"))
                continue
            order = orders.get(key)
            if order is None:
                orders[key] = order = self._new(account, record, now)
            elif order.state is State.PROCESSED:
                self.ignored += 1
                rows.append(Row(record.number, False, "already processed"))
                continue
            elif order.state is State.DELETED:
                self._revive(order, record, now)
            else:
                self._update(order, record, now)
            rows.append(Row(record.number, True, ""))
            changed.append(order)
        return rows, changed

    def delete(self, account: Account, numbers: Sequence[str]) -> tuple[dict[str, str], list[Order]]:
        """Delete what is pending: (number as asked -> the documented text, changed)."""
        orders = self.of(account)
        texts: dict[str, str] = {}
        changed: list[Order] = []
        for number in numbers:
            order = orders.get(number_key(number))
            if order is None:
                texts[number] = "Invalid packing slip number"
            elif order.state is State.DELETED:
                texts[number] = "Cannot be deleted. Already deleted."
            elif order.state is State.PROCESSED:
                texts[number] = "Cannot be deleted. Already processed."
            else:
                order.state = State.DELETED
                self.deleted += 1
                texts[number] = "Deleted."
                changed.append(order)
        return texts, changed

    def find(self, number: str, account: Account | None = None) -> Order:
        """The one order of that number, in any account unless one is named; raises RefusedError if not just one."""
        key = number_key(number)
        among = [self.of(account)] if account else list(self._accounts.values())
        found = [orders[key] for orders in among if key in orders]
        if not found:
            raise UnknownOrderError(f"There is no order {number!r}.")
        if len(found) > 1:
            raise RefusedError(f"Several accounts have an order {number!r}: say which, by key and site.")
        return found[0]

    def _new(self, account: Account, record: Record, now: datetime) -> Order:
        self._last_serial += 1
        self.created += 1
        return Order(self._last_serial, account, record.number, record.sent, now, now)

    def _revive(self, order: Order, record: Record, now: datetime) -> None:
        self.created += 1
        order.creations += 1
        order.state, order.created, order.ticket = State.PENDING, now, ""
        order.number, order.sent, order.updated, order.edits = record.number, record.sent, now, None

    def _update(self, order: Order, record: Record, now: datetime) -> None:
        self.updated += 1
        order.updates += 1
        order.number, order.sent, order.updated, order.edits = record.number, record.sent, now, None


def ticket(order: Order) -> None:
    """Print the label: the order is processed, and no PUT or DELETE changes it any more."""
    _require(order, State.PENDING, "be ticketed")
    order.labels += 1
    order.state = State.PROCESSED
    order.ticket = f"SBX{order.serial:06d}" + (f"-{order.labels}" if order.labels > 1 else "")


def untick(order: Order) -> None:
    """Delete the label: the order is pending again (failures.md N8)."""
    _require(order, State.PROCESSED, "lose its label")
    if order.picked:
        raise RefusedError(f"Order {order.number!r} has been picked up: its label cannot be deleted.")
    order.state, order.ticket = State.PENDING, ""


def pick(order: Order, now: datetime) -> None:
    """The courier took it."""
    _require(order, State.PROCESSED, "be picked up")
    order.picked = order.picked or now


def deliver(order: Order, now: datetime) -> None:
    """It arrived; picked up at the same time if nobody said so before."""
    pick(order, now)
    order.delivered = order.delivered or now


def delete(order: Order) -> None:
    """Delete it by hand in the portal."""
    _require(order, State.PENDING, "be deleted")
    order.state = State.DELETED


def edit(order: Order, fields: dict[str, str]) -> None:
    """Change fields by hand, as people do in the portal; the next PUT of the order replaces them."""
    _require(order, State.PENDING, "be edited")
    order.edits = {**(order.edits or {}), **fields}


def _require(order: Order, state: State, what: str) -> None:
    if order.state is not state:
        raise RefusedError(f"Order {order.number!r} is {order.state}: only a {state} order can {what}.")

"""What the ledger knows of the orders on a page, looked up before the page is recorded. Writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from connector.ledger.states import Op, State

Key = tuple[str, str]
"""(order id, part) within one store."""


class Known(msgspec.Struct, frozen=True, gc=False):
    """What the ledger knew of an order before this page."""

    slip_id: int
    number: str | None
    revision: str
    content: bytes | None
    seq: int
    op: Op
    state: State
    hash: str | None
    reason: str
    order_number: str = ""
    is_delivered: bool = False


class PassedOver(msgspec.Struct, frozen=True, gc=False):
    """An order that was read and is not for freight now."""

    revision: str
    content: bytes | None
    decision: str
    reason: str
    order_number: str = ""


_STATES = {state.value: state for state in State}
_OPS = {op.value: op for op in Op}


def slips_known(db: sqlite3.Connection, store: str, order_ids: Sequence[str]) -> dict[Key, Known]:
    """What is recorded for these orders, all their parts."""
    rows = of_orders(
        db,
        "SELECT s.order_id, s.part, s.id, s.number, s.revision, s.content, v.seq, v.op, v.state, v.hash, v.reason,"
        " s.order_number, s.delivered IS NOT NULL"
        " FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1"
        " WHERE s.store = ? AND s.order_id IN ",
        store,
        order_ids,
    )
    return {
        (row[0], row[1]): Known(row[2], row[3], row[4], row[5], row[6], _OPS[row[7]], _STATES[row[8]], *row[9:])
        for row in rows
    }


def orders_passed_over(db: sqlite3.Connection, store: str, order_ids: Sequence[str]) -> dict[Key, PassedOver]:
    """Which of these orders were passed over so far."""
    rows = of_orders(
        db,
        "SELECT order_id, part, revision, content, decision, reason, order_number FROM passed_over"
        " WHERE store = ? AND order_id IN ",
        store,
        order_ids,
    )
    return {(row[0], row[1]): PassedOver(*row[2:]) for row in rows}


def held_under_numbers(db: sqlite3.Connection, store: str, content: bytes) -> list[str]:
    """The orders of this content that are held under their number, for want of an id."""
    rows = db.execute(
        "SELECT s.order_id FROM versions v JOIN slips s ON s.id = v.slip_id WHERE v.store = ? AND v.newest = 1"
        " AND v.state = 'held' AND s.content = ? AND s.order_id = s.order_number",
        (store, content),
    )
    return [row[0] for row in rows]


def shipments_known(db: sqlite3.Connection, store: str, order_ids: Sequence[str]) -> dict[Key, str]:
    """Which shipment each known part of these orders is; parts without one are left out."""
    found: dict[Key, str] = {}
    for table in ("slips", "passed_over"):
        question = f"SELECT order_id, part, shipment FROM {table} WHERE shipment <> '' AND store = ? AND order_id IN "  # noqa: S608
        found |= {(row[0], row[1]): row[2] for row in of_orders(db, question, store, order_ids)}
    return found


_MOST_PARAMETERS = 10_000


def of_orders(db: sqlite3.Connection, question: str, store: str, order_ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of a question that ends in `IN`. Ids are parameters: json_each cuts a text at a NUL, and the order it
    belongs to would pass for a new one each time it is read."""
    for first in range(0, len(order_ids), _MOST_PARAMETERS):
        some = order_ids[first : first + _MOST_PARAMETERS]
        yield from db.execute(f"{question}({', '.join('?' * len(some))})", (store, *some))

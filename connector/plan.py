"""The dry run: what a sync would do with each order the shop shows now. Sends nothing and writes nothing.

Each page goes through the very code a sync records it with, into a scratch ledger in memory that holds what the real
one knows of the page's orders; what it made of them is the plan. So plan and sync can't come to disagree.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from connector.consider import Rules
from connector.fetch import by_id, guarded, without
from connector.ledger import intake, queries
from connector.ledger.connection import Ledger, in_memory
from connector.ledger.known import Key, Known, PassedOver, orders_passed_over, slips_known
from connector.ledger.states import Op, State
from connector.order import Order
from connector.packing_slip import clash_key, number_key
from connector.receipt import Receipt
from connector.record import BY_ID, Doubt, Reading, record_page
from connector.report import Report
from connector.sender import Terms
from connector.shipments import settled
from connector.slip import slip_number
from connector.sources.base import LiveSource, Page, Source, SourceError


class Action(StrEnum):
    """What a sync would do with an order. LATE sends nothing: GSS ticketed the slip before the order changed."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    SKIP = "skip"
    WAIT = "wait"
    HOLD = "hold"
    LATE = "late"
    UNCHANGED = "unchanged"


class Difference(msgspec.Struct, frozen=True):
    """A field whose value GSS would get to see changed; None where a field is null or missing."""

    field: str
    before: Any
    after: Any


class PlanLine(msgspec.Struct, frozen=True):
    """One order's plan.

    number       the packing slip number, "" where it has none
    reason       a sentence, for all but create, update and unchanged
    slip         the exact JSON object that would be sent, None where none would
    differences  to what GSS should have now; empty for a new slip
    """

    store: str
    order: str
    order_id: str
    action: Action
    number: str = ""
    reason: str = ""
    origin: str = ""
    slip: dict[str, Any] | None = None
    differences: tuple[Difference, ...] = ()
    receipts: tuple[Receipt, ...] = ()


def plan(
    rules: Rules,
    terms: Terms,
    source: Source,
    known: sqlite3.Connection | None,
    now: datetime,
    report: Report,
    *,
    from_the_start: bool = False,
) -> Iterator[PlanLine]:
    """The plan of each order read, as it is read; the counts, notes and alerts gather in `report`.

    known  the ledger, opened for reading; None where there is none yet
    from_the_start  whatever the cursor says. A SourceError ends up in report.problem.
    """
    with in_memory() as scratch:
        if known is not None:
            _copy_last_slip(known, scratch.db)
            _copy_stores(known, scratch.db, terms)
        try:
            cursor = intake.cursor_of(known, terms.store) if known is not None and not from_the_start else ""
            planner = _Planner(rules, terms, source, known, scratch, now, report)
            for page in guarded(source.kind, lambda: source.pages(cursor)):
                yield from planner.page(page)
        except SourceError as err:
            report.problem = str(err)


@dataclass(frozen=True)
class _Planner:
    """One store's plan under way, page by page."""

    rules: Rules
    terms: Terms
    source: Source
    known: sqlite3.Connection | None
    scratch: Ledger
    now: datetime
    report: Report

    def page(self, page: Page) -> Iterator[PlanLine]:
        """What a sync would do with a page's orders; it would ask for those in doubt by their id, and so do we."""
        try:
            yield from self._lines(page, Reading(may_doubt=isinstance(self.source, LiveSource)), page.orders)
        except Doubt as doubt:
            assert isinstance(self.source, LiveSource), "only who can ask may doubt"
            for again in by_id(self.source, doubt.ids):
                gone = [order for order in page.orders if order.id in again.gone]
                yield from self._lines(again, BY_ID, (*again.orders, *gone))
            yield from self.page(without(page, doubt.ids))

    def _lines(self, page: Page, reading: Reading, shown: Sequence[Order]) -> Iterator[PlanLine]:
        store, scratch, known = self.terms.store, self.scratch, self.known
        if known is not None:
            _copy_known(known, scratch.db, self.rules, self.terms, shown)
        orders = {(order.id, order.part): order for order in settled(scratch.db, store, shown)}
        before = _standing(scratch.db, store, list(orders.values()))
        record_page(self.rules, self.terms, page, scratch, self.report, self.now, reading)
        after = _standing(scratch.db, store, list(orders.values()))
        slips = [slip.slip_id for slip in after.slips.values()]
        at_gss = queries.accepted_bodies(known, slips) if known is not None else {}
        made = _made(scratch.db, slips)
        for key, order in orders.items():
            line = PlanLine(store, order.number, order.id, Action.UNCHANGED, origin=order.origin)
            if (slip := after.slips.get(key)) is not None:
                yield _of_slip(line, before.slips.get(key), slip, made[slip.slip_id], at_gss.get(slip.slip_id))
            elif (passed := after.passed.get(key)) is not None:
                yield _of_passed(line, before.passed.get(key), passed)
        for key, slip in after.slips.items():
            if key not in orders:  # a part that its order is shown without
                line = PlanLine(store, slip.order_number, key[0], Action.UNCHANGED)
                line = _of_slip(line, before.slips.get(key), slip, made[slip.slip_id], at_gss.get(slip.slip_id))
                if line.action is not Action.UNCHANGED:
                    yield line
        # The next page may show these orders again: their hashes stay, what takes the room goes.
        scratch.db.execute("DELETE FROM bodies")
        scratch.db.execute("DELETE FROM alerts")


class _Standing(NamedTuple):
    """What a ledger says of a page's orders at one moment."""

    slips: dict[Key, Known]
    passed: dict[Key, PassedOver]


def _standing(db: sqlite3.Connection, store: str, orders: list[Order]) -> _Standing:
    ids = [order.id for order in orders]
    return _Standing(slips_known(db, store, ids), orders_passed_over(db, store, ids))


def _of_passed(line: PlanLine, before: PassedOver | None, after: PassedOver) -> PlanLine:
    if before is not None and (before.decision, before.reason) == (after.decision, after.reason):
        return replace(line, reason=after.reason)
    return replace(line, action=Action(after.decision), reason=after.reason)


class _New(NamedTuple):
    """What the scratch ledger has of a slip's newest version, and whether it would call a person."""

    body: str | None
    receipts: str | None
    alert: str


def _of_slip(line: PlanLine, before: Known | None, after: Known, new: _New, at_gss: str | None) -> PlanLine:
    line = replace(line, number=after.number or "", reason=after.reason)
    if before is not None and before.seq == after.seq:
        # A slip already sent can only be talked about, when its order has to wait after all.
        return replace(line, action=Action.WAIT, reason=new.alert) if new.alert else line
    action = _action(after, is_at_gss=at_gss is not None)
    receipts = msgspec.json.decode(new.receipts, type=tuple[Receipt, ...]) if new.receipts else ()
    if action not in (Action.CREATE, Action.UPDATE):
        return replace(line, action=action, receipts=receipts)
    return replace(
        line,
        action=action,
        slip=json.loads(new.body or "{}"),
        differences=differences(at_gss, new.body),
        receipts=receipts,
    )


def _action(after: Known, *, is_at_gss: bool) -> Action:
    match after.state, after.op:
        case State.OWED, Op.PUT:
            return Action.UPDATE if is_at_gss else Action.CREATE
        case State.OWED, Op.DELETE:
            return Action.DELETE
        case State.HELD, _:
            return Action.HOLD
        case State.LATE, _:
            return Action.LATE
        case _:
            return Action.SKIP  # withdrawn before it was ever sent


def differences(before: str | None, after: str | None) -> tuple[Difference, ...]:
    """Field by field from one body to the other, in the order of the API page; empty where one of them is missing."""
    if before is None or after is None:
        return ()
    old, new = json.loads(before), json.loads(after)
    return tuple(
        Difference(field, old.get(field), new.get(field))
        for field in dict.fromkeys((*new, *old))
        if old.get(field) != new.get(field)
    )


def _made(db: sqlite3.Connection, slip_ids: list[int]) -> dict[int, _New]:
    rows = db.execute(
        "SELECT v.slip_id, b.body, b.receipts, coalesce(max(a.text), '') FROM versions v"
        " LEFT JOIN bodies b ON b.version_id = v.id LEFT JOIN alerts a ON a.slip_id = v.slip_id AND a.kind = 'held'"
        " WHERE v.newest = 1 AND v.slip_id IN (SELECT value FROM json_each(?)) GROUP BY v.slip_id",
        (json.dumps(slip_ids),),
    )
    return {row[0]: _New(*row[1:]) for row in rows}


_SLIP = (
    "id, store, order_id, part, order_number, number, number_key, clash_key, destination, revision, content, origin,"
    " created_at, shipment"
)
_VERSION = "slip_id, seq, store, newest, op, state, reason, hash, revision, tries, created_at, changed_at"
_PASSED = "store, order_id, part, order_number, decision, reason, until, revision, content, origin, seen_at, shipment"


def _copy_last_slip(known: sqlite3.Connection, scratch: sqlite3.Connection) -> None:
    """With the highest id there, slips made in the scratch ledger get ids that no slip of the real one has."""
    _copy(known, scratch, "slips", _SLIP, "id = (SELECT max(id) FROM slips)", ())


def _copy_stores(known: sqlite3.Connection, scratch: sqlite3.Connection, terms: Terms) -> None:
    """The stores of this account, and this one, which the ledger may not know yet."""
    _copy(known, scratch, "stores", "store, destination", "destination = ?", (terms.destination,))
    scratch.execute("INSERT OR IGNORE INTO stores (store, destination) VALUES (?, ?)", (terms.store, terms.destination))


def _copy_known(
    known: sqlite3.Connection, scratch: sqlite3.Connection, rules: Rules, terms: Terms, orders: Sequence[Order]
) -> None:
    """Copy what the ledger knows of these orders, of whoever has a number that one of them would want, and of what
    other stores have under their ids."""
    ids = (terms.store, *(order.id for order in orders))
    numbers = (slip_number(order, rules.slip, rules.store) for order in orders)
    keys = (terms.destination, *(clash_key(number_key(number)) for number in numbers if isinstance(number, str)))
    these = f"store = ? AND order_id IN ({_marks(len(orders))})"
    of_these = f"slip_id IN (SELECT id FROM slips WHERE {these})"  # noqa: S608
    with_their_numbers = f"destination = ? AND number IS NOT NULL AND clash_key IN ({_marks(len(keys) - 1)})"
    _copy(known, scratch, "slips", _SLIP, f"({these}) OR ({with_their_numbers})", (*ids, *keys))
    _copy(known, scratch, "versions", _VERSION, of_these, ids)
    _copy_calls(known, scratch, these, ids)
    elsewhere = (
        "store IN (SELECT store FROM stores WHERE destination = ? AND store <> ?)"  # noqa: S608
        f" AND order_id IN ({_marks(len(orders))})"
    )
    others = (terms.destination, *ids)
    _copy(known, scratch, "slips", _SLIP, elsewhere, others)
    _copy(known, scratch, "versions", _VERSION, f"slip_id IN (SELECT id FROM slips WHERE {elsewhere})", others)  # noqa: S608
    _copy(known, scratch, "passed_over", _PASSED, these, ids)


def _copy_calls(known: sqlite3.Connection, scratch: sqlite3.Connection, these: str, ids: tuple[str, ...]) -> None:
    """Which calls carried these slips, and what came of them: what may be at GSS hangs on that."""
    calls = known.execute(
        "SELECT a.id, a.store, a.op, a.slips, a.started_at, c.answer, v.slip_id, v.seq FROM slips"  # noqa: S608
        " JOIN versions v ON v.slip_id = slips.id JOIN attempt_versions c ON c.version_id = v.id"
        f" JOIN attempts a ON a.id = c.attempt_id WHERE slips.{these}",
        ids,
    ).fetchall()
    scratch.executemany(
        "INSERT OR IGNORE INTO attempts (id, store, op, slips, started_at) VALUES (?, ?, ?, ?, ?)",
        [call[:5] for call in calls],
    )
    scratch.executemany(
        "INSERT OR IGNORE INTO attempt_versions (attempt_id, version_id, answer)"
        " SELECT ?, id, ? FROM versions WHERE slip_id = ? AND seq = ?",
        [(call[0], *call[5:]) for call in calls],
    )


def _marks(count: int) -> str:
    """Ids are parameters, each by its own mark: json_each would cut an id at a NUL."""
    return ", ".join("?" * count)


def _copy(
    known: sqlite3.Connection,
    scratch: sqlite3.Connection,
    table: str,
    columns: str,
    where: str,
    values: tuple[str, ...],
) -> None:
    """Copy rows that aren't there yet: an order that an earlier page of this plan changed stays as it was left."""
    rows = known.execute(f"SELECT {columns} FROM {table} WHERE {where}", values)  # noqa: S608
    marks = _marks(columns.count(",") + 1)
    scratch.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608

"""Packing slips in lists and one by one. Knows the ledger's lines; does no work."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Final

import msgspec

from connector.ledger.history import History
from connector.ledger.queries import SlipLine
from connector.receipt import Receipt
from connector.show.plans import receipt_sentence
from connector.show.screen import Screen
from connector.show.words import at, counted

NONE: Final = "-"
"""Stands for the number of a slip that has none: its order's would look like one."""


def show_slips(screen: Screen, slips: list[SlipLine], most: int) -> None:
    """A list; says so where there may be more."""
    if screen.as_json:
        screen.value(slips)
        return
    if not slips:
        screen.line("No slips.")
        return
    screen.table(
        ("store", "order", "slip", "state", "version", "ticket", "why"),
        ((s.store, s.order, s.number or NONE, s.state, f"{s.version} {s.op}", s.ticket, s.reason) for s in slips),
    )
    if len(slips) == most:
        screen.line(f"There may be more than these {most}: --limit N shows more.", "quiet")


def show_histories(screen: Screen, histories: Iterable[History], zones: Mapping[str, tzinfo]) -> None:
    """Slips with their versions, calls and receipts; zones by store, UTC where it is not known."""
    for one in histories:
        if screen.as_json:
            screen.value(one)
        else:
            _show(screen, one, zones.get(one.slip.store, UTC))


def _show(screen: Screen, one: History, zone: tzinfo) -> None:
    slip, newest = one.slip, one.newest
    screen.line(f"slip {slip.number or NONE} of {slip.store}, order {slip.order}: {newest.state}", "head")
    screen.line(f"  goes to {slip.destination}" + (f"; read from {slip.origin}" if slip.origin else ""))
    if slip.ticket:
        screen.line(f"  ticket {slip.ticket} {slip.tracking_url}".rstrip())
    if newest.body:
        screen.lines(
            f"  {field:<17}{json.dumps(value, ensure_ascii=False)}" for field, value in json.loads(newest.body).items()
        )
    if newest.receipts:
        for receipt in msgspec.json.decode(newest.receipts, type=tuple[Receipt, ...]):
            screen.line(f"  changed: {receipt_sentence(receipt)}")
    screen.line("versions", "head")
    screen.table(
        ("version", "op", "state", "tries", "since", "why"),
        ((v.seq, v.op, v.state, v.tries, at(v.changed_at, zone), v.reason) for v in one.versions),
    )
    if one.attempts:
        screen.line("calls", "head")
        screen.table(
            ("call", "version", "slips", "started", "outcome", "answer"),
            ((a.id, a.seq, a.slips, at(a.started_at, zone), a.outcome, a.answer or a.note) for a in one.attempts),
        )
    screen.line(counted(len(one.alerts), "alert") + "; " + counted(len(one.actions), "action") + " by people", "quiet")

"""Deliveries on a screen: which order, when, in which state. What a buyer gave shows only where it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from connector.inbox.box import Inbox
from connector.inbox.delivery import MEANING, Delivery, State
from connector.ledger.times import stamp
from connector.show.rows import show_rows
from connector.show.screen import Screen


class _Named(msgspec.Struct):
    id: int | str | None = None
    order_id: int | str | None = None


def show_deliveries(screen: Screen, box: Inbox, store: str | None, states: Sequence[str], most: int) -> None:
    """A line each, the newest first."""
    found = box.heads(store=store, states=[State(state) for state in states], most=most)
    if not found and not screen.as_json:
        screen.line("no deliveries")
    bodies = ((head, box.one(head.id)) for head in found)
    show_rows(screen, (_row(one, head.size) for head, one in bodies if one is not None))


def show_delivery(screen: Screen, one: Delivery, *, body: bool) -> None:
    """One, and with `body` what it says."""
    row = _row(one, len(one.body))
    if body:
        row["body"] = one.body.decode("utf-8", "replace")
    if screen.as_json:
        screen.value(row)
        return
    for name, value in row.items():
        if value != "":
            screen.line(f"{name:<12}{value}")
    screen.line(f"{'':<12}{MEANING[one.state]}", "quiet")


def say(screen: Screen, text: str) -> None:
    """What was done."""
    screen.value(text) if screen.as_json else screen.line(f"{text}.")


def order_named(body: bytes) -> str:
    """The id that a delivery's body names, an order's as a rule; "" where it names none."""
    try:
        named = msgspec.json.decode(body, type=_Named)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    found = named.order_id if named.order_id is not None else named.id
    return "" if found is None else str(found)[:40]


def _row(one: Delivery, size: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "store": one.store,
        "state": one.state.value,
        "received": stamp(one.received_at),
        "topic": one.topic,
        "names": order_named(one.body),
        "times": one.times,
        "bytes": size,
        "why": one.why,
    }

"""Rows of one order -> Order. Knows a layout and the words of exports; no file, no cursor.

Every order of an export passes here: cells are picked by position, and what repeats (statuses, quantities) is worked
out once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from connector.address import is_blank
from connector.order import Address, Delivery, Order, OrderLine
from connector.sources.csv_layout import Layout
from connector.sources.csv_lines import UnreadableQuantityError, lines_of_cells, lines_of_rows
from connector.sources.csv_reader import Row
from connector.sources.csv_words import LONGEST, TABLES, Standing, is_cancelled, standing

SHOPIFY_TEST_ID: Final = "820982911946154508"
"""The order of Shopify's "send test notification" (recorded body; D11). Its name, #9999, real orders have too."""

PICKUP_METHODS: Final = ("local_pickup", "pickup_location")
"""WooCommerce's method ids of orders that the buyer collects."""

COLLECT: Final = re.compile(r"\bcollect(ion)?\b", re.IGNORECASE)
"""How merchants call the method of such orders, where the export has its title alone. Couriers collect too, so the word
counts only for an order that has no delivery address (platforms.md W8)."""

_NO_TIME: Final = timedelta(0)

SPREADSHEET_NUMBER: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")
"""What Excel makes of a long number: 2.90701E+12."""


class Reading(msgspec.Struct, frozen=True):
    """All that is the same for every order of one file.

    file      its name, for people; stamp  its place in the sequence of exports, as text (csv_stamp)
    zone      of dates without an offset
    standing  (status, payment, fulfilment, is cancelled) -> what they say together
    """

    file: str
    stamp: str
    layout: Layout
    zone: ZoneInfo
    standing: Callable[[str, str, str, bool], Standing]


def reading(file: str, stamp: str, layout: Layout, zone: ZoneInfo, status_map: Mapping[str, str]) -> Reading:
    """A file's Reading; an export has few different standings, so each is worked out once."""
    columns = {kind: layout.names[kind] for kind in TABLES if kind in layout.names}

    @lru_cache(maxsize=1024)
    def standing_of(status: str, payment: str, fulfilment: str, is_cancelled: bool) -> Standing:
        words = {"status": status, "payment": payment, "fulfilment": fulfilment}
        return standing(words, columns, is_cancelled, status_map)

    return Reading(file, stamp, layout, zone, standing_of)


def order_of(rows: Sequence[Row], number: int, way: Reading) -> Order:
    """The order that stands on `rows`, the first of which is row `number` of its file (the header is row 1).

    Each row was widened by one empty cell (csv_layout). The first row's values count; later rows add lines. Never
    raises: what can't be read stands in `problems`.
    """
    layout = way.layout
    first = rows[0]
    for columns in layout.joins:
        first.append(" ".join(filter(None, (first[column].strip() for column in columns))))
    (
        id_, name, created_at, updated_at, status, payment, fulfilment, cancelled_at, email, order_phone,
        shipping_method, method_id, buyer_note, staff_note, attributes, tags, currency,
    ) = layout.head(first)  # fmt: skip
    id_, name = id_.strip(), name.strip()
    created = moment(created_at, way.zone)
    cancelled = is_cancelled(cancelled_at) if cancelled_at else False
    said = way.standing(status, payment, fulfilment, bool(cancelled))
    lines, unreadable = _lines(rows, layout)
    revision = _revision(updated_at, created, way)
    doubts = _unsure(id_, layout) + _contradictions(rows, layout)
    if not revision:
        doubts += (_undated(layout),)
    if cancelled is None:
        doubts += (_neither(cancelled_at, layout),)
    ship_cells, bill_cells = layout.ship(first), layout.bill(first)
    ship_to = Address(*ship_cells)
    return Order(
        id=id_ if id_ and not _is_spreadsheet_number(id_) else name,
        number=name or id_,
        revision=revision,
        origin=f"{way.file} row {number}",
        status=said.word,
        payment=said.payment,
        fulfilment=said.fulfilment,
        delivery=_delivery(ship_to, lines, method_id, layout.blank_address_is_pickup or _says_collect(shipping_method)),
        cancelled=said.cancelled,
        draft=said.draft,
        test=id_ == SHOPIFY_TEST_ID,
        created_at=created,
        ship_to=ship_to,
        bill_to=ship_to if bill_cells == ship_cells else Address(*bill_cells),
        email=email,
        phone=order_phone,
        shipping_method=shipping_method,
        buyer_note=buyer_note,
        staff_note=staff_note,
        attributes=_attributes(attributes) if attributes else (),
        lines=lines,
        currency=currency,
        tags=tuple(filter(None, map(str.strip, tags.split(",")))) if tags else (),
        problems=said.problems + unreadable + (() if name == id_ else _rounded("number", name, layout)) + doubts,
        doubtful=bool(doubts),
    )


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """An ISO date and time as aware UTC, one without an offset taken in `zone`; None for anything else, never a guess:
    01/02/2026 is one day in Auckland and another in Boston."""
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text.strip())
        return (when if when.tzinfo else _in_zone(when, zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    """A time without an offset. Of the hour that clocks show twice when they go back, its start: 02:10 may come after
    02:50, so all of it is one moment, and which version is newer is for the files' order to say. Clocks go back by
    whole steps of what they repeat (an hour; on Lord Howe Island half of one)."""
    when = local.replace(tzinfo=zone)
    repeated = (when.utcoffset() or _NO_TIME) - (when.replace(fold=1).utcoffset() or _NO_TIME)
    if repeated > _NO_TIME:
        when -= (local - datetime.combine(local, time())) % repeated
    return when


def _revision(updated_at: str, created: datetime | None, way: Reading) -> str:
    """The order's place in time: its own date of change where the export has one, then the file's stamp; "" where that
    date can't be read."""
    if "updated_at" not in way.layout.names:
        return way.stamp
    updated = moment(updated_at, way.zone)
    if not updated and updated_at.strip():
        return ""
    when = updated or created
    return f"{when:%Y%m%d%H%M%S} {way.stamp}" if when else f"{0:014} {way.stamp}"


def _undated(layout: Layout) -> str:
    column = layout.names["updated_at"]
    return f"{column} holds no date like 2026-11-22 14:30: which version is the newest can't be told."


def _neither(cancelled_at: str, layout: Layout) -> str:
    word = cancelled_at.strip()[:LONGEST]
    return (
        f'{layout.names["cancelled_at"]} says "{word}", which is neither a date nor yes or no: whether the order is '
        "cancelled can't be told."
    )


def _lines(rows: Sequence[Row], layout: Layout) -> tuple[tuple[OrderLine, ...], tuple[str, ...]]:
    try:
        lines = lines_of_rows(rows, layout.line)
        if layout.packed:
            lines += lines_of_cells(rows[0][column] for column in layout.packed)
    except UnreadableQuantityError as err:
        return (), (f'A quantity says "{str(err)[:20]}", which is no number.',)
    return tuple(lines), ()


def _delivery(ship_to: Address, lines: tuple[OrderLine, ...], method_id: str, blank_is_pickup: bool) -> Delivery:
    """Digital goods are not delivered; a pick-up shows in the method's id or in a missing address (platforms.md 1.8).

    Methods whose name says so beside an address ("Collect from ...") are for selection to tell, by the merchant's own
    words.
    """
    if lines and lines[0].requires_shipping is False and not any(line.requires_shipping is not False for line in lines):
        return Delivery.NONE
    if method_id and any(word in method_id for word in PICKUP_METHODS):
        return Delivery.PICKUP
    if blank_is_pickup and is_blank(ship_to):
        return Delivery.PICKUP
    return Delivery.SHIP


def _says_collect(shipping_method: str) -> bool:
    return bool(shipping_method) and COLLECT.search(shipping_method) is not None


def _attributes(text: str) -> tuple[tuple[str, str], ...]:
    """Shopify's Note Attributes: lines `key: value`; a line without a colon goes on with the value before it."""
    pairs: list[tuple[str, str]] = []
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            pairs.append((key.strip(), value.strip()))
        elif pairs and line.strip():
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}\n{line.strip()}")
    return tuple(pairs)


def _is_spreadsheet_number(text: str) -> bool:
    return "+" in text and SPREADSHEET_NUMBER.fullmatch(text) is not None


def _unsure(id_: str, layout: Layout) -> tuple[str, ...]:
    """Why the order can't be told apart from others, if so. The same order with another key would ship twice."""
    if not id_:
        return (f"The column {layout.names['id']} is empty, and no other key is sure. Export again with it.",)
    return _rounded("id", id_, layout)


def _rounded(field: str, word: str, layout: Layout) -> tuple[str, ...]:
    if not _is_spreadsheet_number(word):
        return ()
    column = layout.names[field]
    return (
        f'{column} says "{word}": a spreadsheet rounded it. Export again and don\'t save the file from a spreadsheet.',
    )


def _contradictions(rows: Sequence[Row], layout: Layout) -> tuple[str, ...]:
    """C14: rows of one order that name two addresses or states. Empty cells say nothing, later rows often are; only
    where the id shows that a row is a whole order's does what it leaves empty count: another says it is cancelled."""
    if len(rows) == 1:
        return ()
    claims, silent = layout.claims, layout.silent
    others = [(row, cells) for row in rows[1:] if (cells := claims(row)) != silent]
    if not others:
        return ()
    first = claims(rows[0])
    columns: dict[str, None] = {}
    for row, cells in others:
        if cells != first:
            is_whole = layout.id_at != layout.key and bool(row[layout.id_at].strip())
            pairs = zip(layout.claimed, first, cells, strict=True)
            columns |= {
                name: None
                for name, one, other in pairs
                if one.strip() != other.strip() and (is_whole or (one and other))
            }
    if not columns:
        return ()
    return (f"Its rows say different things in {', '.join(columns)}. Mend the order in the shop, or export it again.",)

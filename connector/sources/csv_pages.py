"""One export file, page by page: fingerprint, check, then orders. Knows no other file and no cursor's text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from connector.order import Order
from connector.sources.base import Malformed
from connector.sources.csv_check import Sound, check
from connector.sources.csv_cursor import Mark
from connector.sources.csv_files import ExportFile, is_same
from connector.sources.csv_groups import Group, groups, together
from connector.sources.csv_layout import SHOWN, Wanted, layout_of
from connector.sources.csv_orders import Reading, order_of, reading
from connector.sources.csv_reader import Form, refuse_foreign, rows

PAGE: Final = 1000
"""Orders a page."""

UNENDED_PATIENCE: Final = 30
"""How many times longer a file must be quiet when its last line has no end: it may have been cut in copying (C2)."""


class Way(msgspec.Struct, frozen=True):
    """How a store's exports are read: the same for all of its files."""

    form: Form
    wanted: Wanted
    zone: ZoneInfo
    status_map: Mapping[str, str]
    settle_s: float


class Piece(msgspec.Struct, frozen=True):
    """Some orders of a file, the mark to keep once they are recorded (None: as before), and the bytes read so far."""

    orders: tuple[Order, ...] = ()
    mark: Mark | None = None
    notes: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    scanned: int = 0


def pieces(stream: BinaryIO, file: ExportFile, known: Mark | None, quiet_s: float, way: Way) -> Iterator[Piece]:
    """All of a file that `known` doesn't have yet; a file that can't be trusted as a whole gives one alert, no order.

    quiet_s  for how long nobody has written to it; negative where that isn't known
    """
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    fresh = Mark(file.size, file.mtime_ns, file.inode, sha256)
    if known and known.sha256 == sha256:
        if known.state == "read":
            yield Piece(mark=fresh, scanned=file.size)
            return
        fresh = replace(fresh, row=known.row)
    try:
        yield from _checked(stream, file, fresh, quiet_s, way)
    except Malformed as err:
        yield Piece(mark=replace(fresh, row=0), alerts=(f"{file.name}: {err}",), scanned=file.size)


def _checked(stream: BinaryIO, file: ExportFile, fresh: Mark, quiet_s: float, way: Way) -> Iterator[Piece]:
    refuse_foreign(stream, way.form)
    header = next((row for row in rows(stream, way.form) if row), None)
    if header is None:
        yield _nothing(file, fresh, "it is empty")
        return
    layout = layout_of(header, way.wanted, way.form.delimiter)
    sound = check(stream, way.form, layout)
    if not sound.has_orders:
        yield _nothing(file, fresh, "it has a header and no orders")
    elif not sound.is_ended and 0 <= quiet_s < way.settle_s * UNENDED_PATIENCE:
        yield Piece(notes=(f"{file.name}: its last line has no end yet; left for a later run.",))
    else:
        read = reading(file.name, file.stamp, layout, way.zone, way.status_map)
        yield from _pages(stream, file, fresh, sound, read, way.form)


def _nothing(file: ExportFile, fresh: Mark, why: str) -> Piece:
    """C19: no orders is no news about the orders known: nothing is cancelled by it."""
    return Piece(mark=fresh, notes=(f"{file.name}: {why}; no order was changed by it.",), scanned=file.size)


def _pages(stream: BinaryIO, file: ExportFile, fresh: Mark, sound: Sound, read: Reading, form: Form) -> Iterator[Piece]:
    """Pages in the file's order; orders that stand in several places of it come last, each put together."""
    layout, row = read.layout, fresh.row
    aside: dict[str, list[Group]] = {}
    ready = chain(_beyond(row, groups(rows(stream, form), layout), sound, aside), together(aside, layout))
    is_last = False
    while not is_last:
        batch = _batch(islice(ready, PAGE), read)
        is_last, row = batch.count < PAGE, max(row, batch.row)
        mark = replace(fresh, row=0) if is_last else replace(fresh, state="reading", row=row)
        if not is_same(file):
            yield Piece(notes=(f"{file.name}: it was changed or taken away while it was read; left for the next run.",))
            return
        scanned = file.size if is_last else stream.tell()
        yield Piece(tuple(batch.orders), mark, alerts=_alerts(file, batch, layout.key_name), scanned=scanned)


class _Batch(msgspec.Struct):
    """A page in the making: how many groups it took, the highest row a group began at, and what became of them."""

    orders: list[Order] = []
    wide: list[int] = []
    keyless: list[int] = []
    count: int = 0
    row: int = 0


def _batch(found: Iterable[Group], read: Reading) -> _Batch:
    batch = _Batch()
    for group in found:
        batch.count += 1
        batch.row = max(batch.row, group.number)
        if group.wide:
            batch.wide.append(group.wide)
        elif not group.key:
            batch.keyless.append(group.number)
        else:
            batch.orders.append(order_of(group.rows, group.number, read))
    return batch


def _alerts(file: ExportFile, batch: _Batch, key: str) -> tuple[str, ...]:
    alerts = []
    if batch.wide:
        alerts.append(
            f"{file.name}: {_rows_said(batch.wide)} more cells than the header, so that nobody can tell which "
            "is which: these orders were not read, all others were. Export again, or put quotes round the longer cell."
        )
    if batch.keyless:
        alerts.append(
            f'{file.name}: {_rows_said(batch.keyless)} nothing in "{key}", which tells orders apart, and could not be '
            "read. Export again with it."
        )
    return tuple(alerts)


def _beyond(row: int, found: Iterable[Group], sound: Sound, aside: dict[str, list[Group]]) -> Iterator[Group]:
    """The groups after `row`; those of scattered orders are put aside, wherever they stand."""
    for group in found:
        if group.key in sound.scattered:
            aside.setdefault(group.key, []).append(group)
        elif group.number > row:
            yield group


def _rows_said(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:SHOWN])
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return f"row {shown} has" if len(numbers) == 1 else f"rows {shown}{more} have"

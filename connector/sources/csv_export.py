"""The CSV source: export files of a shop, in a folder, become pages of orders. Knows options and order of files.

What one file is comes from its siblings: csv_files and csv_stamp (which, and how old), csv_pages (one file), csv_reader
and csv_check (bytes to sound rows), csv_layout and csv_dialects (columns), csv_orders, csv_words and csv_lines (rows to
orders), csv_cursor (what is remembered).
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connector.sources.base import Page, SourceContext
from connector.sources.csv_cursor import Cursor, Mark, parse, text_of
from connector.sources.csv_dialects import DIALECTS, FIELDS
from connector.sources.csv_files import ExportFile, find, is_same, opened, quiet_s
from connector.sources.csv_layout import Wanted
from connector.sources.csv_pages import Piece, Way, pieces
from connector.sources.csv_reader import Form
from connector.sources.csv_words import TABLES, StatusMap
from connector.suggest import did_you_mean

ColumnNames = Annotated[str, Field(min_length=1)] | Annotated[list[str], Field(min_length=1)]


class CsvOptions(BaseModel):
    """The [source] table of a store whose kind is "csv".

    path        a file, a glob ("exports/*.csv") or a folder, relative to the store's folder; oldest export first
    dialect     whose export it is; "woocommerce" tells the plug-in by its columns
    columns     field = column, for exports of one's own, or over single fields of a dialect; several columns are joined
                with a space, those of `lines` are read one by one
    encoding    any codec of Python, declared and never guessed; UTF-8 with or without a mark by default
    delimiter   what parts the cells
    settle      seconds a file must be left alone before it is read
    status_map  a shop's word = what it means: paid, pending, fulfilled, cancelled, draft ... (csv_words.MEANINGS)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(min_length=1)]
    dialect: (
        Literal["shopify", "woocommerce", "woocommerce-advanced", "woocommerce-webtoffee", "woocommerce-skyverge"]
        | None
    ) = None
    columns: dict[str, ColumnNames] = {}
    encoding: str = "utf-8"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    settle: Annotated[float, Field(ge=0, le=3600)] = 2.0
    status_map: StatusMap = {}

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            "".encode(encoding)  # a codec of text, not one such as hex
            codecs.getincrementaldecoder(encoding)
        except LookupError as err:
            raise ValueError(
                f'"{encoding}" is no text encoding; "utf-8", "utf-16" and "windows-1252" are usual'
            ) from err
        return encoding

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, columns: dict[str, ColumnNames]) -> dict[str, ColumnNames]:
        for field, names in columns.items():
            if field not in FIELDS:
                raise ValueError(f'"{field}" is no field of an order. {did_you_mean(field, FIELDS)}')
            if field in ("id", "number") and not isinstance(names, str):
                raise ValueError(f"{field} must be one column: it tells orders apart")
        return columns

    @model_validator(mode="after")
    def _has_columns(self) -> CsvOptions:
        if not self.dialect and not self.columns:
            raise ValueError('say whose export it is (dialect = "shopify" or "woocommerce"), or give [source.columns]')
        return self

    @property
    def lacks(self) -> frozenset[str]:
        """The fields of an order that no column is read for."""
        tables = [dialect.table for dialect in DIALECTS[self.dialect]] if self.dialect else []
        given = {*self.columns, *(field for table in tables for field in table)}
        if given.intersection(TABLES):
            given.add("status")  # any of these is shown as the order's status
        return frozenset({*FIELDS, "status"} - given)

    def wanted(self) -> Wanted:
        """The columns asked for."""
        own = {field: (names,) if isinstance(names, str) else tuple(names) for field, names in self.columns.items()}
        return Wanted(self.dialect or "", own)

    def fingerprint(self) -> str:
        """Which reading of a file this is: after a change of what decides it, files are read anew."""
        said = self.model_dump_json(include={"dialect", "columns", "encoding", "delimiter", "status_map"})
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class CsvSource:
    """Exports as a source. Known files cost a look; memory is one page and some megabytes, whatever the size."""

    kind = "csv"

    @classmethod
    def options(cls) -> type[CsvOptions]:
        return CsvOptions

    def __init__(self, options: Any, context: SourceContext) -> None:
        self._options: CsvOptions = options
        self._context = context
        zone = ZoneInfo(context.timezone)
        form = Form(options.encoding, options.delimiter)
        self._way = Way(form, options.wanted(), zone, options.status_map, options.settle)

    def pages(self, cursor: str) -> Iterator[Page]:
        """What is new in the exports since `cursor`, oldest export first, a thousand orders a page.

        revision   the export's place in the sequence (csv_stamp), after the order's own date of change where the
                   export has one: an older export that comes late never replaces a newer one (C15)
        repeats    a file that changed is read again whole; a file that was only touched or renamed in place is not
        a file that is refused raises one alert and no error, so that it doesn't stop the others; its mark keeps it
        quiet until it, or the options, change; one whose name and time disagree about which export is newer raises an
        alert too. Raises Unreachable where there is no such folder.
        """
        kept = parse(cursor, self._options.fingerprint())
        files = find(self._options.path, self._context.folder, self._way.zone)
        if not files:
            yield Page((), cursor, notes=(f'No file is at "{self._options.path}" yet.',))
            return
        known = Cursor(kept.reading, {file.name: kept.files[file.name] for file in files if file.name in kept.files})
        fresh: list[ExportFile] = []
        read: list[ExportFile] = []
        for file in files:
            (read if _is_known(file, known.files.get(file.name)) else fresh).append(file)
        yield from self._read(fresh, read, known)

    def _read(self, fresh: list[ExportFile], read: list[ExportFile], known: Cursor) -> Iterator[Page]:
        total, before = sum(file.size for file in fresh), 0
        for file in fresh:
            for piece in self._pieces(file, known.files.get(file.name)):
                alerts = piece.alerts + _out_of_turn(file, piece, read, known)
                if piece.mark:
                    known.files[file.name] = piece.mark
                scanned = before + piece.scanned
                yield Page(piece.orders, text_of(known), piece.notes, alerts, scanned, total)
            before += file.size

    def _pieces(self, file: ExportFile, known: Mark | None) -> Iterator[Piece]:
        quiet = quiet_s(file, self._context.now())
        settle = self._options.settle
        if -settle < quiet < settle:
            yield Piece(notes=(f"{file.name}: it was written to a moment ago; left for the next run.",))
            return
        if quiet <= -settle and not _looks_the_same(file, known) and settle:
            mark = Mark(file.size, file.mtime_ns, file.inode, state="waiting")
            yield Piece(
                mark=mark, notes=(f"{file.name}: its time lies ahead of this clock; read once it stays the same.",)
            )
            return
        try:
            with opened(file) as stream:
                yield from pieces(stream, file, known, quiet, self._way) if is_same(file) else ()
        except OSError as err:
            alert = f"{file.name}: it cannot be read: {err.strerror}. Give the connector the right to read it."
            yield Piece(alerts=(alert,))


def _out_of_turn(file: ExportFile, piece: Piece, read: list[ExportFile], known: Cursor) -> tuple[str, ...]:
    """The alert about a file that by its name comes before one already read, and by its time after it: is it really the
    older one? Told once, with its first orders.

    None where the order's own dates of change decide; where this content was read before, under whatever name; and
    among files that came or changed together: a copy of a whole folder gives all of them a time that says nothing.
    """
    if not piece.mark or not piece.orders or piece.orders[0].revision != file.stamp:
        return ()
    if piece.mark.sha256 in {mark.sha256 for mark in known.files.values()}:
        return ()
    newer = [one for one in read if one.stamp > file.stamp and one.mtime_ns < file.mtime_ns]
    if not newer:
        return ()
    name = newer[-1].name  # the newest: files come oldest export first
    return (
        f"{file.name}: by their names it is older than {name}, by their times newer; nothing in it changes an order "
        f"that {name} showed. If it is the newer one, name exports like orders-2026-11-22-1530.csv, this one too.",
    )


def _looks_the_same(file: ExportFile, known: Mark | None) -> bool:
    return known is not None and (known.size, known.mtime_ns, known.inode) == (file.size, file.mtime_ns, file.inode)


def _is_known(file: ExportFile, known: Mark | None) -> bool:
    """Read or refused as it stands: not even opened."""
    return known is not None and known.state == "read" and _looks_the_same(file, known)

"""Bytes to rows, strictly: what can't be read surely is refused with line and mend. Knows no column and no order.

A file is read in pieces of a quarter megabyte, each cut at the end of a line: memory stays flat whatever its size.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, Final

import msgspec

from connector.sources.base import Malformed

PIECE: Final = 1 << 18
"""Bytes read at once. A line longer than four of these is no export's."""

MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"%PDF", "a PDF"),
    (b"<", "a web page or XML, perhaps a login page"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
"""How files begin that are no CSV."""

UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


Row = list[str]


class Form(msgspec.Struct, frozen=True):
    """How a file is written, as its store says: never guessed."""

    encoding: str = "utf-8"
    delimiter: str = ","

    def codec(self) -> str:
        """Python's codec; UTF-8 takes a byte-order mark or none."""
        name = codecs.lookup(self.encoding).name
        return "utf-8-sig" if name == "utf-8" else name


def refuse_foreign(stream: BinaryIO, form: Form) -> None:
    """Raises Malformed when the first bytes are those of another kind of file, or of another encoding than declared."""
    stream.seek(0)
    start = stream.read(512)
    bare = start.removeprefix(codecs.BOM_UTF8).lstrip()
    for magic, kind in MAGIC:
        if bare.startswith(magic):
            raise Malformed(f"this is {kind}, not CSV. Export the orders as CSV and put that file here.")
    _refuse_other_mark(start, form.codec())


def _refuse_other_mark(start: bytes, codec: str) -> None:
    found = "utf-16" if start.startswith(UTF16_MARKS) else "utf-8" if start.startswith(codecs.BOM_UTF8) else ""
    declared = "utf-8" if codec == "utf-8-sig" else codec
    if found and not declared.startswith(found):
        raise Malformed(f'line 1: the file begins with the mark of {found}. Set encoding = "{found}" in [source].')


def texts(stream: BinaryIO, form: Form) -> Iterator[str]:
    """The whole file decoded, in pieces that end where a line ends (the last one as it is).

    Raises Malformed, naming the line, for bytes the encoding doesn't have, NUL characters, and lines without an end.
    """
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(form.codec())("strict")
    rest, line = "", 1
    while True:
        data = stream.read(PIECE)
        text = rest + _decoded(decoder, data, form, line + rest.count("\n"))
        if "\0" in text:
            raise Malformed(_nul_sentence(line + text[: text.index("\0")].count("\n"), form))
        if not data:
            break
        cut = _line_end(text)
        if not cut and len(text) > 4 * PIECE:
            raise Malformed(f"line {line} has no end within a million characters. Is this an export? Export it again.")
        rest = text[cut:]
        if cut:
            line += text.count("\n", 0, cut)
            yield text[:cut]
    if text:
        yield text


def _decoded(decoder: codecs.IncrementalDecoder, data: bytes, form: Form, line: int) -> str:
    try:
        return decoder.decode(data, final=not data)
    except UnicodeDecodeError as err:
        at = line + err.object[: err.start].count(b"\n")
        raise Malformed(
            f"line {at}: there are bytes that {form.encoding} doesn't have. Set the encoding the file was saved in: "
            'encoding = "windows-1252" in [source] if it was saved by Excel, "utf-16" for "Unicode text", or export it '
            "again as UTF-8."
        ) from err


def _nul_sentence(line: int, form: Form) -> str:
    return (
        f"line {line}: there is a NUL character, which no text has. The file is damaged, or it isn't {form.encoding}: "
        'set encoding = "utf-16" in [source] if it was saved as "Unicode text", or export it again.'
    )


def _line_end(text: str) -> int:
    """Just after the last line end; CR alone counts where there is no LF."""
    return text.rfind("\n") + 1 or text.rfind("\r") + 1


def lines(stream: BinaryIO, form: Form) -> Iterator[str]:
    """The file's lines with their ends: LF, CR LF or CR, whichever each line has, as csv.reader wants them."""
    return chain.from_iterable(map(_lines_of, texts(stream, form)))


def _lines_of(text: str) -> Iterator[str]:
    return io.StringIO(text, newline="" if "\r" in text else "\n")  # looking for LF alone is cheaper


def rows(stream: BinaryIO, form: Form) -> Iterator[Row]:
    """The file's rows, the header first, [] for an empty line. Raises Malformed for what strict CSV forbids."""
    reader = csv.reader(lines(stream, form), delimiter=form.delimiter, strict=True)
    start = 1
    try:
        for row in reader:
            start = reader.line_num + 1
            yield row
    except csv.Error as err:
        raise Malformed(f"line {start}: {_csv_sentence(str(err))}") from err


def _csv_sentence(reason: str) -> str:
    if "unexpected end of data" in reason:
        return 'a quote (") opens here and is never closed. The file was cut or damaged: export it again.'
    if "field larger than field limit" in reason:
        return f"a cell from here on has more than {csv.field_size_limit():,} characters. Export it again."
    return (
        'a quote (") inside a quoted cell is not doubled, so that nobody can tell where the cell ends. Export it '
        "again; a file written by hand doubles such quotes."
    )

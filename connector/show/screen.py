"""The screen: where lines, tables and JSON go. Knows no values; lets nothing through that could steer a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

from connector.text import for_terminal

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final[Mapping[str, str]] = {
    "bad": "red",
    "warn": "yellow",
    "good": "green",
    "quiet": "dim",
    "head": "bold",
}
"""What a line may be; without colour the words alone must do."""


class Screen:
    """Standard output for people and programs, standard error for what went wrong and for progress.

    is_open  whether anybody still gets what is shown; lost: why some of it could not be written, "" where nobody minds
    """

    def __init__(self, out: TextIO, err: TextIO, *, as_json: bool = False, color: bool = True) -> None:
        self.as_json = as_json
        self.out_is_terminal = out.isatty()
        self.err_is_terminal = err.isatty()
        self.color = color and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self.is_open = True
        self.lost = ""
        self._out = out
        self._err = err
        self._console: Console | None = None

    def line(self, text: str = "", style: str = "") -> None:
        """One line, wrapped by words on a terminal and never in a pipe."""
        text = for_terminal(text)
        if self.out_is_terminal and text:
            self._give(lambda: self._print_rich(text, style))
        else:
            self._write(text + "\n")

    def lines(self, texts: Iterable[str], indent: str = "", style: str = "") -> None:
        """Several lines."""
        for text in texts:
            self.line(indent + text, style)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows under headings, without empty columns. Where they are wider than the terminal, each row's last cell
        stands below the others.
        """
        cells = [[for_terminal(str(cell)) for cell in row] for row in rows]
        kept = [at for at in range(len(headings)) if any(row[at] for row in cells)]
        lines = [[headings[at] for at in kept], *([row[at] for at in kept] for row in cells)]
        widths = [max(self._width(row[at]) for row in lines) for at in range(len(kept))]
        is_wide = self.out_is_terminal and sum(widths) + 2 * len(widths) > self._rich().width
        for number, row in enumerate(lines):
            style = "" if number else "head"
            padded = [cell + " " * (width - self._width(cell)) for cell, width in zip(row, widths, strict=True)]
            self.line("  ".join(padded[:-1] if is_wide else padded).rstrip(), style)
            if is_wide and row[-1] and number:
                self.line("    " + row[-1])

    def value(self, value: Any) -> None:
        """A value as one line of JSON, for programs."""
        import msgspec

        self._write(_writable(msgspec.json.encode(value).decode(), self._out.encoding) + "\n")

    def program(self, text: str) -> None:
        """A program of ours for a shell, as it is: nothing from outside may be in it."""
        self._write(text + "\n")

    def trouble(self, lines: Iterable[str]) -> None:
        """What went wrong, to standard error, under the program's name."""
        for number, text in enumerate(lines):
            lead = "" if number else "connector: "
            self.note(lead + text)

    def note(self, text: str) -> None:
        """A line to standard error: progress, and what is no part of the answer."""
        try:
            self._err.write(for_terminal(text) + "\n")
            self._err.flush()
        except (OSError, ValueError):
            pass  # nobody reads it, or the disk is full; the work goes on

    def close(self) -> None:
        """Let everything out; what can't be delivered any more is dropped."""
        self._give(lambda: None)

    def _write(self, text: str) -> None:
        self._give(lambda: self._out.write(text))

    def _give(self, write: Callable[[], object]) -> None:
        """Where it can't be delivered it is dropped, with all that follows: no work stops for it (failures.md Z4)."""
        if not self.is_open:
            return
        try:
            write()
            self._out.flush()
        except (OSError, ValueError) as err:
            self.drop(err)

    def drop(self, err: OSError | ValueError) -> None:
        """The reader has gone (`| head`), which is no loss, or the disk takes no more. Python would fail once more on
        the way out, flushing into it."""
        self.is_open = False
        if isinstance(err, OSError) and not isinstance(err, BrokenPipeError):
            self.lost = err.strerror or type(err).__name__
        if self._out is sys.stdout:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _rich(self) -> Console:
        if self._console is None:
            from rich.console import Console

            self._console = Console(file=self._out, no_color=not self.color, highlight=False, markup=False, emoji=False)
        return self._console

    def _width(self, text: str) -> int:
        """Columns the text takes: those of East Asian letters are two."""
        if text.isascii() or not self.out_is_terminal:
            return len(text)
        from rich.cells import cell_len

        return cell_len(text)

    def _print_rich(self, text: str, style: str) -> None:
        """Wrapped by words; what is indented stays so on the lines that follow."""
        from rich.padding import Padding
        from rich.text import Text

        said = text.lstrip(" ")
        self._rich().print(
            Padding(Text(said, style=STYLES.get(style, "")), (0, 0, 0, len(text) - len(said)), expand=False)
        )


def _writable(text: str, encoding: str | None) -> str:
    """JSON that stays JSON in an encoding that lacks some of its letters."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        import json

        return json.dumps(json.loads(text), separators=(",", ":"))
    return text

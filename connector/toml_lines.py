"""On which line of a TOML text each key stands: `tomllib` doesn't say. Knows no store.

A scanner, not a parser: it reads headers and keys, finds where a value ends, and trusts `tomllib` to judge the rest. In
a text that `tomllib` refuses it still finds the keys before the mistake. Keys inside inline tables and arrays have the
line of the key that holds them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

KeyPath = tuple[str | int, ...]
"""The way to a value: names of tables and keys, and a number, from 0, for each [[array of tables]]."""

DEEPEST: Final = 8
"""Keys nested deeper than this have the line of the table that holds them; no store file has any."""

# Possessive, and a text that never ends reads to the end: time grows with length, whatever is in the file (SEC37).
_TEXT: Final = r'"""(?:[^\\]|\\.)*?(?:""""{0,2}|\Z)' r"|'''.*?(?:''''{0,2}|\Z)" r'|"(?:[^"\\\n]|\\.)*+"?' "|'[^'\n]*+'?"
_PART: Final = re.compile(r'[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|' r"'[^'\n]*+'")
_BLANK: Final = re.compile(r"(?:\s++|#[^\n]*+)*+")
_STATEMENT: Final = re.compile(rf"(?P<array>\[\[)?(?P<table>\[)?[ \t]*+(?P<key>(?:{_PART.pattern}|[ \t]*+\.[ \t]*+)++)")
_REST: Final = re.compile(rf"{_TEXT}|#[^\n]*+|\n|[^\[\]{{}}\"'#\n]++|.", re.DOTALL)


def lines_of(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table header and key; of one written twice, the first."""
    lines: dict[KeyPath, int] = {}
    for path, line in statements(text):
        for length in range(1, min(len(path), DEEPEST) + 1):
            lines.setdefault(path[:length], line)
    return lines


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    """The line of the value at `path`, or of the nearest thing that holds it; 0 when nothing of it is in the file."""
    for length in range(min(len(path), DEEPEST), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0


def statements(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Every header and key with its line, in the order of the file."""
    table: KeyPath = ()
    arrays: Counter[KeyPath] = Counter()
    position, line = 0, 1
    while position < len(text):
        start = _BLANK.match(text, position).end()  # type: ignore[union-attr]  # it matches nothing, too
        line += text.count("\n", position, start)
        statement = _STATEMENT.match(text, start)
        if statement:
            key = _path(statement["key"])
            if statement["array"]:
                table = (*key, arrays[key])
                arrays[key] += 1
            elif statement["table"]:
                table = key
            yield (table if statement["array"] or statement["table"] else table + key), line
        position = _end(text, statement.end() if statement else start)
        line += text.count("\n", start, position)


def dots_outside(text: str) -> int:
    """The most dots that stand on one line outside texts and comments.

    `tomllib` takes memory with the square of the parts of a dotted key: 250 kB of "a.a.a..." end a machine.
    """
    most = dots = position = 0
    while token := _REST.match(text, position):
        position = token.end()
        first = text[token.start()]
        if first == "\n":
            dots = 0
        elif first not in "\"'#":
            dots += token[0].count(".")
        most = max(most, dots)
    return most


def _path(key: str) -> KeyPath:
    return tuple(_unquoted(part) for part in _PART.findall(key))


def _unquoted(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    if not part.startswith('"'):
        return part
    try:
        return str(json.loads(part))
    except ValueError:  # an escape TOML has and JSON hasn't: such a key is unknown anyway
        return part[1:-1]


def _end(text: str, position: int) -> int:
    """Where the statement ends: behind the first newline that is in no text, comment or bracket."""
    depth = 0
    while token := _REST.match(text, position):
        position = token.end()
        first = text[token.start()]
        if first == "\n" and depth <= 0:
            break
        depth += (first in "[{") - (first in "]}")
    return position

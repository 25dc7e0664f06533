"""TOML text becomes tables, or one problem in plain words with its line. Knows no store and no key."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from connector.plain_words import key_of
from connector.problem import ConfigError, Problem

if TYPE_CHECKING:
    from connector.toml_lines import KeyPath

_NO_DATE: Final = "no date"
"""What tomllib doesn't say of a date that is none: it stops at the first dash."""
_LIKE_A_DATE: Final = re.compile(r"=\s*(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}/\d{4})")

_SENTENCES: Final[tuple[tuple[str, str, str], ...]] = (
    ("Invalid value", "the value is not TOML", 'Put text in double quotes, as in path = "exports/*.csv"'),
    ("Invalid statement", "the line begins with what is no key", "Write key = value; a comment begins with #"),
    ("Invalid initial", "the name of a key or table is missing", "Write key = value, or a table as in [source]"),
    ("Expected '='", "a key has no value", 'Write key = value, as in every = "2m"'),
    (_NO_DATE, "there is no such date", "Write year-month-day, as in 2026-11-22"),
    ("Expected newline", "something follows the value", "Put text in double quotes, and one key = value on a line"),
    ("Expected ']", "the name of a table has no closing bracket", "Write it alone on its line, as in [source]"),
    ("Expected ", "a text has no closing quote", "Close it with the quote it began with"),
    ("Unterminated string", "a text has no closing quote", "Close it with the quote it began with"),
    ("Illegal character", "a text has no closing quote on its line, or holds a control character", "Close or clean it"),
    ("Unescaped", "a text holds a single backslash", "Write / in paths, or put the text in single quotes"),
    ("Escaped character", "a text holds an escape that is no character", "Write the character itself"),
    ("Unclosed array", "a list has no closing bracket", "Close it with ]"),
    ("Unclosed inline", "a table in braces has no closing brace", "Close it with }"),
    ("Invalid date", "there is no such date", "Write year-month-day, as in 2026-11-22"),
    ("Cannot ", "a key or table stands twice", "Keep one of the two"),
    ("Duplicate ", "a key stands twice in braces", "Keep one of the two"),
    ("Exceeds the limit", "a number is far too long", "Write a shorter one"),
    ("maximum recursion", "lists lie in lists, too deep to read", "Close each [ with ]"),
)
"""What tomllib (and int) says, by its beginning; what it means; what mends it. No value is quoted: it may be a key."""

MOST_DOTS: Final = 100
"""Dots on one line outside texts; more are an attack on the parser."""

_TWICE: Final = ("Cannot ", "Duplicate ")


def parsed(text: str, file: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ConfigError with the first thing that is no TOML.

    file  as messages name it
    """
    if _is_too_deep(text):
        raise ConfigError([Problem(file, 0, "", "a key of more than a hundred parts is no store's", "Take it out")])
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as err:  # ValueError: a number of thousands of digits, too
        raise ConfigError([_problem(text, file, str(err))]) from None


def _is_too_deep(text: str) -> bool:
    """True for keys of so many parts that tomllib would end the machine."""
    if all(line.count(".") <= MOST_DOTS for line in text.splitlines()):
        return False
    from connector.toml_lines import dots_outside  # slow to import, and only needed for what no store file has

    return dots_outside(text) > MOST_DOTS


def _problem(text: str, file: str, said: str) -> Problem:
    if said.startswith(_TWICE) and (twice := _first_twice(text)):
        path, first, second = twice
        return Problem(file, second, key_of(path), f"stands here and on line {first}", "Keep one of the two")
    place = re.search(r"at line (\d+)", said)
    line = int(place[1]) if place else text.rstrip().count("\n") + 1
    if said.startswith("Expected newline") and _LIKE_A_DATE.search(text.split("\n")[line - 1]):
        said = _NO_DATE
    what, mend = next(
        ((what, mend) for start, what, mend in _SENTENCES if said.startswith(start)),
        ("this is not TOML", "Compare the line with docs/configuration.md"),
    )
    return Problem(file, line, _key_at(text, line), what, mend)


def _first_twice(text: str) -> tuple[KeyPath, int, int] | None:
    from connector.toml_lines import statements

    seen: dict[KeyPath, int] = {}
    for path, line in statements(text):
        if path in seen:
            return path, seen[path], line
        seen[path] = line
    return None


def _key_at(text: str, line: int) -> str:
    """The key whose value the line belongs to, as far as the text can be read."""
    from connector.toml_lines import statements

    key: KeyPath = ()
    for path, at in statements(text):
        if at > line:
            break
        key = path
    return key_of(key) if key else ""

"""What is wrong with a store file, in a merchant's words: where, what was found, what mends it. Knows no file format.

One problem is one line:  line 14  [schedule] evry: no such key. Did you mean "every"?
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple

from connector.secret import may_be_a_key

LONGEST_WORD: Final = 60
"""The longest text quoted back, in characters."""


class Unfit(ValueError):
    """A value that can't stand. what goes on from the value ("is no web address"); mend is a sentence of its own."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}. {mend}.")
        self.what = what
        self.mend = mend


class Problem(NamedTuple):
    """One thing to mend.

    file   as the user named it; line  1-based, 0 when no line says it (a table that is missing)
    key    "[gosweetspot] batch_size", or "" for the file as a whole
    what   what is wrong, with the words found; mend  what to do now, a sentence
    found  those words alone, quoted; "" where there are none, or they may be a secret
    """

    file: str
    line: int
    key: str
    what: str
    mend: str
    found: str = ""

    def sentence(self) -> str:
        """The problem without its place."""
        text = " ".join(part if part[-1] in ".?" else f"{part}." for part in (self.what, self.mend) if part)
        return f"{self.key}: {text}" if self.key else text

    def placed(self) -> str:
        """The problem with its line, as it stands alone."""
        return f"line {self.line}: {self.sentence()}" if self.line else self.sentence()


class ConfigError(Exception):
    """The configuration can't be used. All problems of all files at once; exit code 2."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        super().__init__("\n".join(rendering(self.problems)))


def rendering(problems: Iterable[Problem]) -> Iterator[str]:
    """The lines to show: each file once, its problems below it."""
    for file, group in groupby(problems, key=lambda problem: problem.file):
        of_file = list(group)
        yield f"{file}: {len(of_file)} problem{'s' * (len(of_file) > 1)}"
        places = [f"line {problem.line}" if problem.line else "file" for problem in of_file]
        width = max(map(len, places)) + 2
        yield from (f"  {place:<{width}}{problem.sentence()}" for place, problem in zip(places, of_file, strict=True))


def quoted(value: object) -> str:
    """A value as the store file would have it, short, and safe for a terminal; "" for one that may be a key."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if may_be_a_key(text):
        return ""
    return printable(text if len(text) <= LONGEST_WORD else text[: LONGEST_WORD - 1] + "…")


def printable(text: str) -> str:
    """The text with control, bidirectional and other invisible characters written out (failures.md SEC25)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

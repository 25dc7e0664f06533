"""A pydantic error in a merchant's words: where, what was found, what mends it. Knows no store and no file.

pydantic's own messages speak of types and inputs, and quote every value; ours quote nothing that may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connector.problem import LONGEST_WORD, Unfit, printable, quoted
from connector.secret import SecretError
from connector.suggest import did_you_mean

if TYPE_CHECKING:
    from connector.toml_lines import KeyPath

_SECRET_WORDS: Final = re.compile("secret|password|token|(?:^|_)key$", re.IGNORECASE)

_NOUNS: Final[tuple[tuple[str, str, str], ...]] = (
    ("int_", "a whole number", "5"),
    ("float_", "a number", "2.5"),
    ("decimal_", "a number", "2.5"),
    ("finite_", "a number", "2.5"),
    ("bool_", "true or false", "true"),
    ("string_type", "text in double quotes", '"text"'),
    ("datetime_", "a date with a time", "2026-11-22T09:00:00Z"),
    ("date_", "a date", "2026-11-22"),
    ("url_", "a web address", '"https://example.nz"'),
    ("path_", "a path in double quotes", '"exports"'),
    ("tuple_type", "a list in square brackets", '["one", "two"]'),
    ("list_type", "a list in square brackets", '["one", "two"]'),
    ("set_type", "a list in square brackets", '["one", "two"]'),
    ("frozen_set_type", "a list in square brackets", '["one", "two"]'),
    ("dict_type", "a table", '{ one = "two" }'),
    ("model_type", "a table", '{ one = "two" }'),
)
"""What a value should have been, by the beginning of pydantic's error type, and how that looks in TOML."""

_SEE: Final = "docs/configuration.md says what it may be"

_Say = Callable[[str, Mapping[str, Any]], tuple[str, str]]

_SENTENCES: Final[dict[str, _Say]] = {
    "missing": lambda _, ctx: ("is missing", "Write it"),
    "greater_than_equal": lambda found, ctx: (f"{found} is too small", f"Write {ctx['ge']} or more"),
    "greater_than": lambda found, ctx: (f"{found} is too small", f"Write more than {ctx['gt']}"),
    "less_than_equal": lambda found, ctx: (f"{found} is too large", f"Write {ctx['le']} or less"),
    "less_than": lambda found, ctx: (f"{found} is too large", f"Write less than {ctx['lt']}"),
    "literal_error": lambda found, ctx: (f"{found} is not known here", f"Write {_choice(ctx['expected'])}"),
    "enum": lambda found, ctx: (f"{found} is not known here", f"Write {_choice(ctx['expected'])}"),
    "string_too_short": lambda found, ctx: (f"{found} is too short", f"Write {ctx['min_length']} characters or more"),
    "string_too_long": lambda found, ctx: (f"{found} is too long", f"Write {ctx['max_length']} characters or less"),
    "string_pattern_mismatch": lambda found, _: (f"{found} has a character, or a length, that can't be", _SEE),
    "too_short": lambda found, ctx: (f"{found} has too few entries", f"Write {ctx['min_length']} or more"),
    "too_long": lambda found, ctx: (f"{found} has too many entries", f"Write {ctx['max_length']} or less"),
}
"""What is wrong and what to do, by pydantic's error type, from the value found and the error's own figures."""


class Finding(NamedTuple):
    """One mistake in one table; `path` starts in that table."""

    path: KeyPath
    what: str
    mend: str
    found: str = ""


def findings(
    error: ValidationError, model: type[BaseModel], table: Mapping[str, Any], elsewhere: Mapping[str, str]
) -> Iterator[Finding]:
    """The mistakes of one table, each once, in plain words.

    model      what the table was read with; table  the table as read, to tell its keys from pydantic's names for types
    elsewhere  keys of the other tables, and the table each belongs in
    """
    details = [item for item in error.errors(include_url=False) if item["type"] != "default_factory_not_called"]
    for path, group in groupby(details, key=lambda item: _path(item["loc"], table)):
        yield _finding(path, list(group), model, elsewhere)


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a table, as a store file has them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def key_of(path: KeyPath) -> str:
    """A path from the top of the file as the reader knows it: "[source.columns] id", "[slip] packages 2 Quantity"."""
    names = [printable(str(part))[:LONGEST_WORD] if isinstance(part, str) else str(part + 1) for part in path]
    depth = next((at - 1 for at, part in enumerate(path) if isinstance(part, int)), len(path) - 1)
    table = ".".join(names[: max(depth, 1)])
    return " ".join((f"[{table}]", *names[max(depth, 1) :]))


def _finding(path: KeyPath, group: list[ErrorDetails], model: type[BaseModel], elsewhere: Mapping[str, str]) -> Finding:
    """Several errors for one value are a union's: the value is none of the things it may be."""
    first = group[0]
    if first["type"] == "extra_forbidden":
        return Finding(path, "no such key", _no_such_key(path, model, elsewhere))
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, SecretError):
        return Finding(path, cause.what, cause.mend)
    is_hidden = first["type"] == "missing" or any(_SECRET_WORDS.search(str(part)) for part in path)
    found = "" if is_hidden or isinstance(first["input"], Mapping) else quoted(first["input"])
    what, mend = _words(group, found or "this value", cause, _example(model, path))
    return Finding(path, printable(what), printable(mend), found)


def _no_such_key(path: KeyPath, model: type[BaseModel], elsewhere: Mapping[str, str]) -> str:
    key = str(path[-1])
    if len(path) > 1:
        return "Take it out"
    if key in elsewhere:
        return f"It belongs in [{elsewhere[key]}]"
    return did_you_mean(key, keys_of(model))


def _words(group: list[ErrorDetails], found: str, cause: object, example: str) -> tuple[str, str]:
    first = group[0]
    if isinstance(cause, Unfit):
        return f"{found} {cause.what}", cause.mend
    if isinstance(cause, ValueError):  # a check in a model's own words
        return str(cause).rstrip("."), ""
    if first["type"] in _SENTENCES:
        what, mend = _SENTENCES[first["type"]](found, first.get("ctx", {}))
        return what, f"{mend}, as in {example}" if example and first["type"] == "missing" else mend
    nouns = {noun: shape for item in group for start, noun, shape in _NOUNS if item["type"].startswith(start)}
    if nouns:
        return f"{found} is not {' or '.join(nouns)}", f"Write it as in {example or next(iter(nouns.values()))}"
    return f"{found} is not understood", _SEE


def _choice(expected: object) -> str:
    """pydantic's "'live' or 'test'" with the quotes of TOML."""
    return str(expected).replace("'", '"')


def _path(loc: tuple[str | int, ...], table: Any) -> KeyPath:
    """The part of pydantic's location that is in the file, or would be; the rest names types ("str", "list[str]")."""
    path: KeyPath = ()
    here: Any = table
    for part in loc:
        if isinstance(here, Mapping):
            here = here.get(str(part))
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            break
        path += (part,)
    return path


def _example(model: type[BaseModel], path: KeyPath) -> str:
    """ "batch_size = 50", from the example or the default of a key of the table itself; "" where there is none."""
    field = model.model_fields.get(str(path[0])) if len(path) == 1 else None
    example = None if field is None else field.examples[0] if field.examples else field.get_default()
    is_shown = isinstance(example, str | int | float) and example != ""
    return f"{path[0]} = {quoted(example)}" if is_shown else ""

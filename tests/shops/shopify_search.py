"""Shopify's search syntax as a test of facts (https://shopify.dev/docs/api/usage/search-syntax). Knows no order.

Terms `field:value` with `>=`, `>`, `<=`, `<`; AND (also unwritten), OR, NOT or `-`; brackets; quotes; a `*` at the end.
A field that the list does not know is left out with a warning, as Shopify leaves it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

import msgspec

Facts = Mapping[str, Any]
Test = Callable[[Facts], bool]


class InternalError(Exception):
    """Shopify's own "Something went wrong": it answers so to a comparison without a value (SH18)."""


class Search(msgspec.Struct, frozen=True):
    """What a query text asks. since  a time of each field that no match is before, for speed only"""

    test: Test
    warnings: tuple[dict[str, Any], ...] = ()
    fields: frozenset[str] = frozenset()
    since: Mapping[str, datetime] = {}


class _Term(msgspec.Struct, frozen=True):
    field: str
    compare: str
    value: str
    is_quoted: bool


_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-)(?=\S)|(?P<comma>,)
    |(?P<field>[A-Za-z_][\w.]*):(?P<compare>>=|<=|>|<|)\s?
        (?:"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)'|(?P<bare>[^\s()'"]*))
    |"(?P<phrase>(?:\\.|[^"\\])*)"|'(?P<quote>(?:\\.|[^'\\])*)'
    |(?P<word>[^\s()]+))""",
    re.VERBOSE,
)
_DATE: Final = re.compile(r"^\d{4}-\d{2}-\d{2}")


def parsed(text: str, kinds: Mapping[str, str], zone: tzinfo, *, loose: bool = False) -> Search:
    """What `text` asks of facts.

    kinds  what each known field holds: "time", "word", "number", "flag" or "text"; a fact may be a list of words
    zone   the shop's: a date without a time is a day there
    loose  `>` and `<` act like `>=` and `<=`, as one connector's makers report (SH23)

    Raises InternalError.
    """
    tokens = list(_tokens(text))
    reader = _Reader(tokens, kinds, zone, loose)
    test = reader.any_of()
    is_plain = all(kind in ("term", "and") for kind, _ in tokens)
    since = dict(_lower_bounds(tokens, kinds, zone)) if is_plain else {}
    return Search(test, tuple(reader.warnings), frozenset(reader.fields), since)


def _lower_bounds(
    tokens: list[tuple[str, Any]], kinds: Mapping[str, str], zone: tzinfo
) -> Iterator[tuple[str, datetime]]:
    for kind, term in tokens:
        if kind == "term" and kinds.get(term.field) == "time" and term.compare in (">", ">="):
            read = _time_of(term.value if term.is_quoted else term.value[:10], zone)
            if read:
                yield term.field, read[0]


def _tokens(text: str) -> Iterator[tuple[str, Any]]:
    at = 0
    while found := _TOKEN.match(text, at):
        if found.end() == at:
            break
        at = found.end()
        if found["field"] is not None:
            quoted = found["double"] if found["double"] is not None else found["single"]
            value = found["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            yield "term", _Term(found["field"].lower(), found["compare"], value or "", quoted is not None)
        elif found["open"]:
            yield "open", None
        elif found["close"]:
            yield "close", None
        elif found["minus"]:
            yield "not", None
        elif found["comma"]:
            continue
        elif (phrase := found["phrase"] if found["phrase"] is not None else found["quote"]) is not None:
            yield "term", _Term("default", "", phrase, True)
        elif found["word"] in ("AND", "OR", "NOT"):
            yield found["word"].lower(), None
        else:
            yield "term", _Term("default", "", found["word"], False)


class _Reader:
    def __init__(self, tokens: list[tuple[str, Any]], kinds: Mapping[str, str], zone: tzinfo, loose: bool) -> None:
        self._tokens = tokens
        self._at = 0
        self._kinds = kinds
        self._zone = zone
        self._loose = loose
        self.warnings: list[dict[str, Any]] = []
        self.fields: set[str] = set()

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def any_of(self) -> Test:
        tests = [self._all_of()]
        while self._peek() == "or":
            self._at += 1
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda facts: any(test(facts) for test in tests)

    def _all_of(self) -> Test:
        tests: list[Test] = []
        while self._peek() not in ("", "or", "close"):
            if self._peek() == "and":
                self._at += 1
                continue
            tests.append(self._one())
        if len(tests) == 1:
            return tests[0]
        return lambda facts: all(test(facts) for test in tests)

    def _one(self) -> Test:
        kind, term = self._tokens[self._at]
        self._at += 1
        if kind == "not":
            if self._peek() in ("", "or", "and", "close"):
                return _always
            test = self._one()
            return lambda facts: not test(facts)
        if kind == "open":
            test = self.any_of()
            if self._peek() == "close":
                self._at += 1
            return test
        return self._term(term)

    def _term(self, term: _Term) -> Test:
        kind = self._kinds.get(term.field)
        if kind is None:
            self.warnings.append(
                {"field": term.field, "message": "Invalid search field for this query.", "code": "invalid_field"}
            )
            return _always
        self.fields.add(term.field)
        if term.compare and not term.value:
            raise InternalError
        if kind == "time":
            return self._time(term)
        if kind == "number":
            return self._number(term)
        if kind == "flag":
            want = term.value.lower() == "true"
            return lambda facts: bool(facts.get(term.field)) is want
        return _words(term)

    def _warn(self, term: _Term, kind: str) -> Test:
        self.warnings.append(
            {
                "field": term.field,
                "message": f"Input `{term.value}` is not an accepted {kind}.",
                "code": f"invalid_{kind}",
            }
        )
        return _never

    def _time(self, term: _Term) -> Test:
        field, value = term.field, term.value
        if value == "*":
            return lambda facts: facts.get(field) is not None
        if not term.is_quoted:
            value = value[:10]
        read = _time_of(value, self._zone)
        if read is None:
            return self._warn(term, "date")
        start, end = read
        return _compared(field, term.compare, start, end, self._loose)

    def _number(self, term: _Term) -> Test:
        values = []
        for each in term.value.split(","):
            try:
                values.append(int(each.rpartition("/")[2]))
            except ValueError:
                return self._warn(term, "integer")
        field = term.field
        if term.compare:
            return _compared(field, term.compare, values[0], values[0] + 1, self._loose)
        wanted = frozenset(values)
        return lambda facts: facts.get(field) in wanted


def _time_of(text: str, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """The moment and what follows it: the next day for a date, the next second for a time."""
    if not _DATE.match(text):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    length = timedelta(days=1) if len(text) == 10 else timedelta(seconds=1)
    if read.tzinfo is None:
        read = read.replace(tzinfo=zone)
    read = read.astimezone(UTC)
    return read, read + length


def _compared(field: str, compare: str, start: Any, end: Any, loose: bool) -> Test:
    if loose:
        compare = {">": ">=", "<": "<="}.get(compare, compare)
    if compare == ">=":
        return lambda facts: (fact := facts.get(field)) is not None and fact >= start
    if compare == ">":
        return lambda facts: (fact := facts.get(field)) is not None and fact >= end
    if compare == "<":
        return lambda facts: (fact := facts.get(field)) is not None and fact < start
    if compare == "<=":
        return lambda facts: (fact := facts.get(field)) is not None and fact < end
    return lambda facts: (fact := facts.get(field)) is not None and start <= fact < end


def _words(term: _Term) -> Test:
    field = term.field
    if term.value == "*":
        return lambda facts: bool(facts.get(field))
    wanted = [each.strip().lower() for each in term.value.split(",")] if not term.is_quoted else [term.value.lower()]
    exact = frozenset(each for each in wanted if not each.endswith("*"))
    starts = tuple(each[:-1] for each in wanted if each.endswith("*"))

    def test(facts: Facts) -> bool:
        fact = facts.get(field)
        for each in fact if isinstance(fact, list | tuple | frozenset | set) else (fact,):
            said = str(each or "").lower()
            if said in exact or (starts and said.startswith(starts)):
                return True
        return False

    return test


def _always(_: Facts) -> bool:
    return True


def _never(_: Facts) -> bool:
    return False

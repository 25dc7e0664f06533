"""Lines of a TOML text: every key has the line it stands on, whatever stands around it."""

from __future__ import annotations

import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.toml_lines import dots_outside, line_of, lines_of

TEXT = '''# a comment with [brackets] and key = value
top = 1

[source]  # the source
kind = "csv"
"quoted key" = """a text
[not.a.table] = 1
"""""
a . "b.c" = [ 1, # ] no end "
   "x]", ["y",
],]
under = 1
[source.columns]
id = 'Na"me\\'
number = ['A',
 "B\\"]"]
[[slip.packages]]
PackageStockName = "x"
  [[slip.packages]]
  Quantity = 2
  z = { a = "}", b = [1,
2] }
last = \'\'\'
# no comment\'\'\'
end = 2026-11-22'''


def test_each_key_has_its_line() -> None:
    lines = lines_of(TEXT)
    assert lines[("top",)] == 2
    assert lines[("source",)] == 4
    assert lines[("source", "quoted key")] == 6
    assert lines[("source", "a", "b.c")] == 9
    assert lines[("source", "under")] == 12
    assert lines[("source", "columns", "id")] == 14
    assert lines[("source", "columns", "number")] == 15
    assert lines[("slip", "packages", 0, "PackageStockName")] == 18
    assert lines[("slip", "packages", 1)] == 19
    assert lines[("slip", "packages", 1, "Quantity")] == 20
    assert lines[("slip", "packages", 1, "last")] == 23
    assert lines[("slip", "packages", 1, "end")] == 25


def test_every_key_that_the_parser_sees_has_a_line_and_no_other_has() -> None:
    def paths(value: object, here: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
        if isinstance(value, dict):
            return {here}.union(*(paths(item, (*here, key)) for key, item in value.items()))
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return {here}.union(*(paths(item, (*here, at)) for at, item in enumerate(value)))
        return {here}

    seen = paths(tomllib.loads(TEXT)) - {()}
    inline = {path for path in seen if "z" in path[:-1]}
    assert set(lines_of(TEXT)) == seen - inline


def test_what_stands_inside_a_value_has_the_line_of_its_key() -> None:
    lines = lines_of(TEXT)
    assert line_of(("slip", "packages", 1, "z", "b"), lines) == 21
    assert line_of(("source", "columns", "city"), lines) == 13
    assert line_of(("gosweetspot", "access_key"), lines) == 0


def test_a_key_with_an_escape_that_json_has_not_is_no_trouble() -> None:
    assert list(lines_of('"a\\U0001F600b" = 1\nb = 2').values()) == [1, 2]


WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)
QUOTED = WORDS.filter(lambda text: "'" not in text).map(lambda text: f"'{text}'")
LONG = st.lists(QUOTED, max_size=3).map(lambda texts: "[\n" + ",\n".join(texts) + "]")
BLOCK = WORDS.filter(lambda text: '"' not in text and "\\" not in text).map(lambda text: f'"""\n{text}\n[x]\ny = 1"""')


@given(st.lists(st.tuples(st.sampled_from(["", "# [no] = 1\n", "\n", "[t{}] # '\n"]), st.one_of(QUOTED, LONG, BLOCK))))
def test_any_value_leaves_the_lines_after_it_right(entries: list[tuple[str, str]]) -> None:
    text, line, expected, table = "", 1, [], None
    for at, (before, value) in enumerate(entries):
        if before.startswith("[t"):
            table = f"t{at}"
        lead = before.replace("{}", str(at))
        line += lead.count("\n")
        expected.append(((f"k{at}",) if table is None else (table, f"k{at}"), line))
        line += value.count("\n") + 1
        text += f"{lead}k{at} = {value}\n"
    tomllib.loads(text)
    lines = lines_of(text)
    assert [(path, lines[path]) for path, _ in expected] == expected


@given(st.text(st.sampled_from("\"'[]{}#=.,\\\n\r\t ab1é"), max_size=60))
def test_any_text_at_all_can_be_scanned(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of(text).values())


HOSTILE = ['"', "[", "a = [\n", '"""\\', "a.b", "'''\n", "\n", "# x\n", " ", "{}", "a = 1\n", '"a".', ". "]


@pytest.mark.no_cover
@pytest.mark.parametrize("piece", HOSTILE)
def test_SEC37_time_grows_with_length_whatever_is_in_the_file(piece: str) -> None:
    def seconds(size: int) -> float:
        text = (piece * size)[:size]
        started = time.process_time()
        lines_of(text)
        dots_outside(text)
        return time.process_time() - started

    assert min(seconds(80_000) for _ in range(2)) < 40 * max(min(seconds(8_000) for _ in range(2)), 0.001)


def test_SEC36_a_key_of_endless_parts_is_seen_before_it_eats_the_memory() -> None:
    assert dots_outside("a." * 200 + "a = 1") == 200
    assert dots_outside('x = { "a"' + ' . "a"' * 200 + " = 1 }") == 200
    assert dots_outside("a = '" + "." * 200 + "' # " + "." * 200) == 0
    assert dots_outside("a.b.c = 1.5\n" * 200) == 3

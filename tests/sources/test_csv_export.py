"""Files, pages and cursors: what is read when, in which order, and what is never read twice or skipped."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.sources import csv_reader, csv_scattered
from connector.sources.base import Malformed, Source, Unreachable
from connector.sources.csv_check import _glance, _InDoubt, _sound, _strictly, check
from connector.sources.csv_cursor import Cursor, Mark, parse, text_of
from connector.sources.csv_export import CsvSource
from connector.sources.csv_groups import groups
from connector.sources.csv_layout import Wanted, layout_of
from connector.sources.csv_reader import Form, rows
from tests.sources.csv_shop import Shop, order, text

FORM = Form()
OWN = Wanted(own={"id": ("a",), "name": ("b",), "line1": ("c",)})
LAYOUT = layout_of(["a", "b", "c"], OWN, ",")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def numbers(shop: Shop, cursor: str = "") -> list[str]:
    return [one.number for one in shop.orders(cursor)]


def test_it_is_a_source(shop: Shop) -> None:
    source: Source = shop.source()
    assert (source.kind, source.options()) == ("csv", CsvSource.options())


def test_a_known_file_is_not_even_opened(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.drop([order(1001)])
    cursor = shop.pages()[-1].cursor

    def never(*_: object) -> int:
        raise AssertionError

    monkeypatch.setattr(os, "open", never)
    assert shop.pages(cursor) == []


def test_a_file_that_was_only_touched_is_hashed_and_not_parsed_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shop.drop([order(1001)])
    cursor = shop.pages()[-1].cursor
    shop.touch(path, age=60)
    monkeypatch.setattr("connector.sources.csv_pages.rows", None)
    [page] = shop.pages(cursor)
    assert not page.orders
    assert shop.pages(page.cursor) == []


def test_an_overlapping_export_repeats_orders_with_a_higher_revision(shop: Shop) -> None:
    shop.drop([order(1001), order(1002)], "orders-2026-11-21.csv")
    first = shop.pages()[-1]
    shop.drop([order(1002), order(1003)], "orders-2026-11-22.csv")
    again = shop.orders(first.cursor)
    assert [one.number for one in again] == ["#1002", "#1003"]
    assert again[0].revision > first.orders[1].revision


def test_an_overwritten_export_is_read_anew_with_a_higher_revision(shop: Shop) -> None:
    shop.drop([order(1001)], age=100)
    first = shop.pages()[-1]
    shop.drop([order(1001, Shipping_City="Napier")], age=50)
    [again] = shop.orders(first.cursor)
    assert again.revision > first.orders[0].revision


def test_files_are_read_oldest_export_first(shop: Shop) -> None:
    shop.options["path"] = "exports/*.csv"
    for name, number in [("b-2026-11-22.csv", 3), ("z-20261120-0900.csv", 1), ("a_2026-11-20_10.30.csv", 2)]:
        shop.drop([order(number)], f"exports/{name}")
    shop.drop([order(9)], "exports/notes.txt")
    assert numbers(shop) == ["#1", "#2", "#3"]


def test_a_folder_is_read_but_for_hidden_unfinished_and_special_files(shop: Shop) -> None:
    shop.options["path"] = "in"
    shop.drop([order(1)], "in/a.csv")
    for name in (".a.csv", "a.csv.part", "b.csv.crdownload", "c.tmp", "d.csv~", "~$e.csv"):
        shop.drop([order(2)], f"in/{name}")
    os.mkfifo(shop.folder / "in" / "pipe.csv")
    (shop.folder / "in" / "folder.csv").mkdir()
    for name in ("pipe.csv", "folder.csv"):
        shop.touch(shop.folder / "in" / name, age=60)
    (shop.folder / "in" / "gone.csv").symlink_to("nowhere")
    assert numbers(shop) == ["#1"]


def test_a_single_file_is_a_path_too(shop: Shop) -> None:
    shop.options["path"] = "a.csv"
    shop.drop([order(1)], "a.csv")
    shop.drop([order(2)], "b.csv")
    assert numbers(shop) == ["#1"]


def test_no_file_yet_is_a_note_and_keeps_the_cursor(shop: Shop) -> None:
    shop.options["path"] = "*.csv"
    [page] = shop.pages("kept")
    assert (page.orders, page.cursor, page.notes) == ((), "kept", ('No file is at "*.csv" yet.',))


@pytest.mark.parametrize("path", ["no/such.csv", "no/*.csv"])
def test_no_folder_is_unreachable(shop: Shop, path: str) -> None:
    shop.options["path"] = path
    with pytest.raises(Unreachable, match="there is no folder"):
        shop.pages()


def test_a_folder_that_may_not_be_read_is_unreachable(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(Unreachable, match="Permission denied"):
        shop.pages()


def test_a_file_that_may_not_be_read_is_told_each_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.drop([order(1)])

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    [page] = shop.pages()
    assert page.alerts == (
        "orders.csv: it cannot be read: Permission denied. Give the connector the right to read it.",
    )
    assert shop.pages(page.cursor)[0].alerts


def test_a_file_in_place_of_the_one_listed_is_left_for_the_next_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.drop([order(1)])
    monkeypatch.setattr("connector.sources.csv_export.is_same", lambda _: False)
    assert shop.pages() == []


def test_progress_is_told_in_bytes(shop: Shop) -> None:
    first = shop.drop([order(number) for number in range(1, 301)], "a.csv", age=90)
    second = shop.drop([order(1)], "b.csv", age=60)
    total = first.stat().st_size + second.stat().st_size
    pages = shop.pages()
    assert [page.total for page in pages] == [total] * 3
    assert [page.scanned for page in pages][1:] == [first.stat().st_size, total]


def test_the_cursor_forgets_files_that_are_gone(shop: Shop) -> None:
    path = shop.drop([order(1)], "a.csv", age=90)
    cursor = shop.pages()[-1].cursor
    path.unlink()
    shop.drop([order(2)], "b.csv", age=60)
    [page] = shop.pages(cursor)
    assert list(parse(page.cursor, parse_reading(page.cursor)).files) == ["b.csv"]


def parse_reading(cursor: str) -> str:
    return cursor.split('"reading":"')[1].split('"')[0]


def test_changed_options_read_all_files_anew(shop: Shop) -> None:
    shop.drop(text([order(1)], delimiter=";"))
    refused = shop.pages()[-1]
    assert refused.alerts
    shop.options["delimiter"] = ";"
    assert numbers(shop, refused.cursor) == ["#1"]


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"files": 7}', "kept"])
def test_a_cursor_that_is_none_means_from_the_beginning(damaged: str) -> None:
    assert parse(damaged, "x") == Cursor("x")


def test_a_cursor_comes_back_as_it_went() -> None:
    cursor = Cursor("x", {"a.csv": Mark(1, 2, 3, "abc", "reading", 77)})
    assert parse(text_of(cursor), "x") == cursor


CELLS = st.text(st.sampled_from('ab1",\n\r \\'), max_size=6)


def written(cells: tuple[str, ...]) -> str:
    """A row as RFC 4180 has it; Python's own writer leaves bare those line ends that aren't its own."""
    return ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' if set(cell) & set('",\r\n') else cell for cell in cells)


KEYS = st.sampled_from(["a", "b", '"a"', '"b"', "", " a"])
RAW = st.sampled_from(
    ["", "x", '"x"', '"x""y"', '"x,y"', '"x\ny"', '"x\r"', '""'] * 3 + ['"x"y', 'x"y"', '"x', 'x"', '"', " "]
)
LINE_ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"])
BODIES = st.lists(
    st.tuples(KEYS, RAW, RAW, LINE_ENDS).map(lambda row: f"{row[0]},{row[1]},{row[2]}{row[3]}"), max_size=6
)


@settings(max_examples=500)
@given(BODIES.map("".join) | st.text(st.sampled_from('ab",\n\r'), max_size=40))
def test_the_quick_reading_never_calls_sound_what_the_strict_one_refuses(body: str) -> None:
    stream = io.BytesIO(("a,b,c\n" + body).encode())
    try:
        quick = _sound(lambda: _glance(stream, FORM, LAYOUT))
    except _InDoubt:
        return
    assert quick == _sound(lambda: _strictly(stream, FORM, LAYOUT))


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_whatever_is_written_as_csv_is_sound_and_comes_back(table: list[tuple[str, str, str]], end: str) -> None:
    content = "".join(written(row) + end for row in [("a", "b", "c"), *table])
    stream = io.BytesIO(content.encode())
    assert check(stream, FORM, LAYOUT).has_orders == bool(table)
    assert [tuple(row) for row in rows(stream, FORM)][1:] == table


def test_C2_a_row_that_was_cut_after_the_check_is_refused_too() -> None:
    with pytest.raises(Malformed, match="row 3 has 2 cells, the header has 3"):
        list(groups([["a", "b", "c"], ["1", "2", "3"], ["4", "5"]], LAYOUT))


def test_empty_rows_are_no_orders() -> None:
    found = groups([[], ["a", "b", "c"], ["", "", ""], [], ["1", "x", "y"], ["", "", ""]], LAYOUT)
    assert [(group.number, len(group.rows)) for group in found] == [(5, 2)]
    assert not list(groups([["a", "b", "c"]], LAYOUT))


def test_plain_exports_are_read_the_quick_way_wherever_the_pieces_end(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = ["", 'He said "go", and went', "two\nlines", 'and\n"three"\n', ""]
    content = text([order(number, Notes=notes[number % 5]) for number in range(1, 21)])
    layout = layout_of(content.split("\n", 1)[0].split(","), Wanted("shopify"), ",")
    for piece in range(200, 1000, 7):
        monkeypatch.setattr(csv_reader, "PIECE", piece)
        keys = list(_glance(io.BytesIO(content.encode()), FORM, layout))  # raises when in doubt
        assert [key for some in keys for key in some.found][1:] == [f"#{number}" for number in range(1, 21)]


def test_keys_that_only_seem_to_repeat_are_counted_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_scattered, "SCATTERED", 2)
    suspects = {"a", "b", "c"}
    assert csv_scattered.counted(suspects, ["a", "b", "", "b", "c", "x", "a"]) == {"a"}
    with pytest.raises(Malformed):
        csv_scattered.counted(suspects, ["a", "b", "c", "a", "b", "c"])


@given(st.lists(st.integers(0, 30).map(str)))
def test_no_key_that_stands_in_two_places_is_missed(keys: list[str]) -> None:
    seen = csv_scattered.Seen()
    seen.note(keys)
    starts = [key for at, key in enumerate(keys) if at == 0 or keys[at - 1] != key]
    assert {key for key in starts if starts.count(key) > 1} <= seen.suspects

"""What can be wrong with an export's orders, or with the whole of it (failures.md 2.4, C13 to C21)."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from connector.order import Order
from connector.sources import csv_reader
from connector.sources.base import Page
from tests.sources.csv_shop import FURTHER, Shop, order, text


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def numbers(orders: list[Order]) -> list[str]:
    return [one.number for one in orders]


@pytest.mark.no_cover
def test_C13_memory_is_flat_whatever_the_number_of_orders(shop: Shop) -> None:
    def peak(count: int) -> int:
        with (shop.folder / "orders.csv").open("w", newline="") as file:
            file.write(text([]))
            row = text([order(1)]).split("\n")[1]
            for number in range(1001, 1001 + count):
                file.write(row.replace("#1,", f"#{number},").replace("5600000000001", f"56{number}") + "\n")
        shop.touch(shop.folder / "orders.csv", age=60)
        tracemalloc.start()
        try:
            read = sum(len(page.orders) for page in shop.source().pages(""))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert read == count

    peak(300)  # what is made once and kept
    small, large = peak(1_500), peak(9_000)
    assert large <= 1.1 * small


@pytest.mark.parametrize("kept", range(4))
def test_C13_a_run_that_ends_at_any_page_edge_goes_on_there(shop: Shop, kept: int) -> None:
    further = [[], [], [FURTHER]]  # orders of one row and of two
    rows = [[order(number), *further[number % 3]] for number in range(1001, 1901)]
    shop.drop([cells | {"Name": group[0]["Name"]} for group in rows for cells in group])
    pages = shop.pages()
    assert [len(page.orders) for page in pages] == [250, 250, 250, 150]
    before = [one for page in pages[: kept + 1] for one in page.orders]
    after = shop.orders(pages[kept].cursor)
    assert [*before, *after] == [one for page in pages for one in page.orders]


def test_C13_a_file_that_changed_since_the_last_page_is_read_from_its_start(shop: Shop) -> None:
    shop.drop([order(number) for number in range(1001, 1401)])
    first = shop.pages()[0]
    shop.drop([order(number, Shipping_City="Napier") for number in range(1001, 1401)])
    assert len(shop.orders(first.cursor)) == 400


def test_C14_rows_of_one_order_in_several_places_are_put_together(shop: Shop) -> None:
    shop.drop([order(1001), order(1002), FURTHER, order(1003)])
    found = {one.number: one for one in shop.orders()}
    assert [line.sku for line in found["#1001"].lines] == ["MUG-TUI", "CND-RIM"]
    assert list(found) == ["#1002", "#1003", "#1001"]
    assert not any(one.problems for one in found.values())


def test_C14_an_order_that_stands_twice_word_for_word_counts_once(shop: Shop) -> None:
    shop.drop([order(1001), order(1002), order(1001)])
    found = {one.number: one for one in shop.orders()}
    assert len(found["#1001"].lines) == 1
    assert not found["#1001"].problems


@pytest.mark.parametrize("between", [[], [order(1002)]], ids=["together", "apart"])
def test_C14_an_order_with_two_addresses_is_held(shop: Shop, between: list[dict[str, str]]) -> None:
    shop.drop([order(1001), *between, order(1001, Shipping_Address1="7 Ferry Lane", Shipping_City="Timaru")])
    held = [one for one in shop.orders() if one.number == "#1001"]
    assert [one.problems for one in held] == [
        (
            "Its rows say different things in Shipping Address1, Shipping City. "
            "Mend the order in the shop, or export it again.",
        )
    ]


def test_C14_two_orders_that_share_a_shown_number_stay_two(shop: Shop) -> None:
    shop.drop([order(1001), order(1001, Id="77"), order(1002), order(1001, Id="88")])
    assert sorted(one.id for one in shop.orders()) == ["5600000001001", "5600000001002", "77", "88"]


def test_C14_scattered_orders_are_not_lost_when_a_run_ends_before_the_files_end(shop: Shop) -> None:
    rows = [order(number) for number in range(1001, 1601)]
    shop.drop([order(1), *rows, order(1, Shipping_City="Timaru")])
    pages = shop.pages()
    assert "#1" not in [one.number for one in pages[0].orders]
    [scattered] = [one for one in shop.orders(pages[1].cursor) if one.number == "#1"]
    assert scattered.problems


def test_C14_a_file_in_no_order_at_all_is_refused(shop: Shop) -> None:
    rows = [order(number) for number in range(1, 1102)]
    shop.drop([*rows, *rows])
    assert "more than 1,000 orders stand in several places" in shop.refusal()


def test_C15_an_older_export_read_after_a_newer_one_has_a_lower_revision(shop: Shop) -> None:
    shop.drop([order(1001)], "orders-2026-11-22.csv", age=50)
    newer = shop.pages()[-1]
    shop.drop([order(1001, Shipping_City="Napier")], "orders-2026-11-21.csv", age=80)
    [late] = shop.orders(newer.cursor)
    assert late.ship_to.city == "Napier"
    assert late.revision < newer.orders[0].revision


OUT_OF_TURN = (
    "export_3.csv: by their names it is older than export_9.csv, by their times newer; nothing in it changes an order "
    "that export_9.csv showed. If it is the newer one, name exports like orders-2026-11-22-1530.csv, this one too."
)


def alerts(pages: list[Page]) -> list[str]:
    return [alert for page in pages for alert in page.alerts]


@pytest.fixture
def read(shop: Shop) -> str:
    """The cursor after three exports were read."""
    for number, age in [(8, 900), (9, 800), (10, 100)]:
        shop.drop([order(1001, Notes=str(number))], f"export_{number}.csv", age)
    return shop.pages()[-1].cursor


@pytest.mark.parametrize("count", [1, 600])
def test_C15_an_export_that_is_older_by_its_name_and_newer_by_its_time_is_told_once(
    shop: Shop, read: str, count: int
) -> None:
    shop.drop([order(1001 + at, Shipping_City="Napier") for at in range(count)], "export_3.csv", age=500)
    pages = shop.pages(read)
    assert sum(len(page.orders) for page in pages) == count
    assert alerts(pages) == [OUT_OF_TURN]
    assert shop.pages(pages[-1].cursor) == []
    assert alerts(shop.pages(pages[0].cursor)) == []


def test_C15_an_export_written_over_with_a_name_that_is_older_is_told_too(shop: Shop, read: str) -> None:
    shop.drop([order(1001, Notes="new")], "export_8.csv", age=500)
    assert alerts(shop.pages(read)) == [OUT_OF_TURN.replace("export_3", "export_8")]


def test_C15_an_export_named_anew_after_it_was_told_is_read_as_the_newest(shop: Shop, read: str) -> None:
    path = shop.drop([order(1001, Shipping_City="Napier")], "export_3.csv", age=500)
    told = shop.pages(read)[-1]
    path.rename(path.with_name("orders-2026-11-23-1350.csv"))
    [again] = shop.orders(told.cursor)
    *_, before, last = shop.orders()
    assert again == last
    assert last.revision > before.revision > told.orders[0].revision


@pytest.mark.parametrize(
    ("name", "age"),
    [("export_3.csv", 950), ("export_11.csv", 50), ("orders.csv", 50)],
    ids=["an older export with its own time", "the next one", "one that takes its file's time"],
)
def test_C15_an_export_whose_name_and_time_agree_is_not_told(shop: Shop, read: str, name: str, age: float) -> None:
    shop.drop([order(1001, Shipping_City="Napier")], name, age)
    assert len(shop.orders(read)) == 1


def test_C15_an_old_export_downloaded_again_word_for_word_is_not_told(shop: Shop, read: str) -> None:
    shop.drop([order(1001, Notes="8")], "export_8 (1).csv", age=50)
    shop.touch(shop.folder / "export_8.csv", age=40)
    assert len(shop.orders(read)) == 1


@pytest.mark.parametrize("cursor", ["known", ""])
def test_C15_a_folder_copied_without_its_times_is_not_told(shop: Shop, read: str, cursor: str) -> None:
    """Its files have the times of the copy, in any order; a new export among them is read without a word too."""
    for number, age in [(10, 90), (9, 80), (8, 70)]:
        shop.touch(shop.folder / f"export_{number}.csv", age)
    shop.drop([order(1001, Notes="7")], "export_7.csv", age=60)
    shop.drop([order(1001, Notes="11")], "export_11.csv", age=50)
    assert not [said for said in alerts(shop.pages(read if cursor else "")) if "by their names" in said]


def test_C15_where_orders_have_their_own_date_of_change_names_and_times_may_disagree(shop: Shop) -> None:
    shop.options["columns"] = {"updated_at": "Tags"}
    shop.drop([order(1001, Tags="2026-11-20 10:00")], "export_9.csv", age=80)
    cursor = shop.pages()[-1].cursor
    shop.drop([order(1001, Tags="2026-11-20 11:00")], "export_3.csv", age=50)
    assert len(shop.orders(cursor)) == 1


def test_C16_cells_that_a_spreadsheet_would_run_stay_as_they_are(shop: Shop) -> None:
    formulas = ["=1+1", "+64 21 555 0101", "-", "@home", "\tx"]
    shop.drop([order(1001 + at, Notes=formula) for at, formula in enumerate(formulas)])
    assert [one.buyer_note for one in shop.orders()] == formulas


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_C17_every_kind_of_line_end_gives_the_same_rows(shop: Shop, end: str) -> None:
    note = f"Ring twice,{end}then knock"
    rows = [order(number, Notes=note) for number in range(1001, 1101)]
    shop.drop(text(rows, end=end))
    found = shop.orders()
    assert len(found) == 100
    assert {one.buyer_note for one in found} == {note}


def test_C17_line_ends_may_be_mixed_and_lines_empty(shop: Shop) -> None:
    header, *rows = text([order(number) for number in range(1001, 1005)]).splitlines()
    shop.drop(f"{header}\r\n{rows[0]}\n\n{rows[1]}\r{rows[2]}\r\n\r\n{rows[3]}\n")
    found = shop.orders()
    assert numbers(found) == ["#1001", "#1002", "#1003", "#1004"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_C17_a_line_end_may_fall_anywhere_in_the_pieces_a_file_is_read_in(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    shop.drop(text([order(number, Notes=f"a{end}b") for number in range(1001, 1011)], end=end))
    expected = shop.orders()
    assert len(expected) == 10
    for piece in range(200, 500, 7):
        monkeypatch.setattr(csv_reader, "PIECE", piece)
        assert shop.orders() == expected


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04rest", "a zip archive or an Excel workbook (.xlsx)"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook (.xls)"),
        (b"\x1f\x8brest", "a gzip archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"\n<!DOCTYPE html><title>Log in</title>", "a web page or XML, perhaps a login page"),
        (b'{"orders": []}', "JSON"),
    ],
)
def test_C18_what_is_no_csv_is_refused_by_what_it_is(shop: Shop, content: bytes, kind: str) -> None:
    shop.drop(content)
    assert shop.refusal() == (f"orders.csv: this is {kind}, not CSV. Export the orders as CSV and put that file here.")


@pytest.mark.parametrize("content", ["", "\n\n", text([])])
def test_C19_an_empty_export_is_a_note_and_changes_no_order(shop: Shop, content: str) -> None:
    shop.drop(content)
    [page] = shop.pages()
    assert not page.orders
    assert not page.alerts
    assert page.notes[0].endswith("no order was changed by it.")
    assert shop.pages(page.cursor) == []


def test_C20_a_file_deleted_while_it_is_read_is_left_and_forgotten(shop: Shop) -> None:
    path = shop.drop([order(number) for number in range(1001, 1601)])
    pages = shop.source().pages("")
    next(pages)
    path.unlink()
    [rest] = list(pages)
    assert not rest.orders
    assert "left for the next run" in rest.notes[0]
    [later] = shop.pages(rest.cursor)
    assert later.notes == ('No file is at "." yet.',)


def test_C20_a_file_replaced_while_it_is_read_is_read_anew_next_time(shop: Shop) -> None:
    path = shop.drop([order(number) for number in range(1001, 1601)])
    pages = shop.source().pages("")
    next(pages)
    shop.drop([order(number, Shipping_City="Napier") for number in range(1001, 1601)], "new").replace(path)
    [rest] = list(pages)
    assert not rest.orders
    assert {one.ship_to.city for one in shop.orders(rest.cursor)} == {"Napier"}


def test_C21_numbers_that_differ_in_case_or_zeros_stay_different_orders(shop: Shop) -> None:
    """Which of them may have one packing slip number is the ledger's to tell (T6)."""
    names = ["a-7", "A-7", "A-07"]
    shop.drop([order(at) | {"Name": name} for at, name in enumerate(names)])
    assert numbers(shop.orders()) == names


def test_C21_spaces_around_a_number_are_no_part_of_it(shop: Shop) -> None:
    shop.drop([order(1) | {"Name": " #1 ", "Id": " 77 "}, FURTHER | {"Name": "#1"}])
    [one] = shop.orders()
    assert (one.number, one.id, len(one.lines)) == ("#1", "77", 2)

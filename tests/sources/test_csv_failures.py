"""What can be wrong with an export's bytes and rows (failures.md 2.4, C1 to C12), and what must hold then."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.order import Order
from connector.sources.csv_reader import PIECE
from tests.sources.csv_shop import FURTHER, ORDER, SHOPIFY, Shop, order, text


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def numbers(orders: list[Order]) -> list[str]:
    return [one.number for one in orders]


def test_C1_a_file_that_was_just_written_to_waits_for_the_next_run(shop: Shop) -> None:
    path = shop.drop([order(1001)], age=1)
    [page] = shop.pages()
    assert not page.orders
    assert page.notes == ("orders.csv: it was written to a moment ago; left for the next run.",)
    shop.touch(path, age=3)
    assert numbers(shop.orders(page.cursor)) == ["#1001"]


def test_C1_a_file_that_grows_while_it_is_read_gives_nothing_after_that_and_is_read_whole_later(shop: Shop) -> None:
    path = shop.drop([order(number) for number in range(1001, 1601)])
    pages = shop.source().pages("")
    first = next(pages)
    with path.open("a", newline="") as file:
        file.write(text([order(2000)]).split("\n", 1)[1])
    [rest] = list(pages)
    assert len(first.orders) == 250
    assert not rest.orders
    assert rest.notes == ("orders.csv: it was changed or taken away while it was read; left for the next run.",)
    shop.touch(path, age=60)
    assert len(shop.orders(rest.cursor)) == 601


def test_C1_a_file_whose_time_lies_ahead_of_our_clock_is_read_once_it_stays_the_same(shop: Shop) -> None:
    shop.drop([order(1001)], age=-7200)
    [waiting] = shop.pages()
    assert "its time lies ahead of this clock" in waiting.notes[0]
    assert numbers(shop.orders(waiting.cursor)) == ["#1001"]


def test_C2_a_cut_last_row_refuses_the_whole_file(shop: Shop) -> None:
    whole = text([order(1001), order(1002)])
    shop.drop(whole[: whole.rindex("Standard courier")])
    assert shop.refusal() == (
        "orders.csv: row 3 has 6 cells, the header has 38: the file was cut, or a line broken. "
        "None of it is used; export it again."
    )


def test_C2_a_file_cut_in_its_last_cell_waits_until_it_has_long_been_quiet(shop: Shop) -> None:
    path = shop.drop(text([order(1001)])[:-4], age=59)
    [page] = shop.pages()
    assert page.notes == ("orders.csv: its last line has no end yet; left for a later run.",)
    shop.touch(path, age=61)
    assert numbers(shop.orders(page.cursor)) == ["#1001"]


def test_C3_an_unclosed_quote_refuses_the_whole_file(shop: Shop) -> None:
    shop.drop(text([order(1001), order(1002, Notes="NOTE"), order(1003)]).replace("NOTE", '"Leave it'))
    assert shop.refusal() == (
        'orders.csv: line 3: a quote (") opens here and is never closed. The file was cut or damaged: export it again.'
    )


def test_C3_a_quote_that_is_not_doubled_refuses_the_whole_file(shop: Shop) -> None:
    rows = [order(number, Notes="NOTE") for number in range(1001, 1501)]
    shop.drop(text(rows)[::-1].replace("ETON", '"sag" eht yb"'[::1], 1)[::-1])
    alert = shop.refusal()
    assert alert.startswith('orders.csv: line 501: a quote (") inside a quoted cell is not doubled')


def test_C4_a_nul_character_refuses_the_file(shop: Shop) -> None:
    shop.drop(text([order(1001), order(1002, Notes="a\0b")]))
    assert shop.refusal().startswith("orders.csv: line 3: there is a NUL character")


def test_C5_a_byte_order_mark_is_no_part_of_the_first_column(shop: Shop) -> None:
    shop.drop(text([order(1001)]).encode("utf-8-sig"))
    assert numbers(shop.orders()) == ["#1001"]


def test_C6_bytes_of_another_encoding_refuse_the_file_and_name_line_and_mend(shop: Shop) -> None:
    rows = [order(number) for number in range(1001, 2001)] + [order(3000, Shipping_City="Málaga")]
    shop.drop(text(rows).encode("windows-1252"))
    alert = shop.refusal()
    assert alert.startswith("orders.csv: line 1002: there are bytes that utf-8 doesn't have.")
    assert 'encoding = "windows-1252"' in alert


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16", "utf-16-le", "utf-8", "mac-roman"])
def test_C6_a_declared_encoding_is_read_as_it_is(tmp_path: Path, encoding: str) -> None:
    shop = Shop(tmp_path, encoding=encoding)
    shop.drop(text([order(1001, Shipping_City="Málaga")]).encode(encoding))
    assert [one.ship_to.city for one in shop.orders()] == ["Málaga"]


def test_C6_macrons_come_through(shop: Shop) -> None:
    shop.drop([order(1001, Shipping_City="Ōtāhuhu")])
    assert [one.ship_to.city for one in shop.orders()] == ["Ōtāhuhu"]


@pytest.mark.parametrize(("written", "declared"), [("utf-16", "utf-8"), ("utf-8-sig", "windows-1252")])
def test_C6_a_mark_of_another_encoding_than_declared_refuses_the_file(
    tmp_path: Path, written: str, declared: str
) -> None:
    shop = Shop(tmp_path, encoding=declared)
    shop.drop(text([order(1001)]).encode(written))
    mark = written.removesuffix("-sig")
    assert f'the file begins with the mark of {mark}. Set encoding = "{mark}" in [source].' in shop.refusal()


@pytest.mark.parametrize(("delimiter", "shown"), [(";", ";"), ("\t", r"\t"), ("|", "|")])
def test_C7_another_delimiter_refuses_the_file_and_names_what_was_found(shop: Shop, delimiter: str, shown: str) -> None:
    shop.drop(text([order(1001)], delimiter=delimiter))
    assert shop.refusal() == (
        f'orders.csv: the first line has no "," but 37 times "{shown}". Set delimiter = "{shown}" in [source].'
    )
    shop.options["delimiter"] = delimiter
    assert numbers(shop.orders()) == ["#1001"]


def test_C7_a_file_of_one_column_refuses_without_quoting_it(shop: Shop) -> None:
    shop.drop("Aroha Larkspur\nBen Totara\n")
    assert shop.refusal() == (
        "orders.csv: the first line holds one column only. Is this an export of orders, with its header?"
    )


def test_C8_a_column_named_twice_refuses_the_file(shop: Shop) -> None:
    shop.drop(text([order(1001)]).replace("Tags", "Notes", 1))
    assert shop.refusal().startswith('orders.csv: the first line names "Notes" more than once')


def test_C9_a_renamed_column_refuses_the_file_and_is_guessed_at(shop: Shop) -> None:
    shop.drop(text([order(1001)]).replace("Shipping Zip", "Shipping ZIP code", 1))
    assert shop.refusal() == (
        'orders.csv: columns are missing: postcode ("Shipping Zip", perhaps now "Shipping ZIP code"). '
        "Export again with all columns, or say in [source.columns] what they are called here."
    )


def test_C9_a_table_of_ones_own_without_an_address_refuses_the_file(tmp_path: Path) -> None:
    shop = Shop(tmp_path, dialect=None, columns={"id": "Ref", "name": "Who"})
    shop.drop("Ref,Who\n1,Hana\n")
    assert "columns are missing: line1 (no column is given for it)." in shop.refusal()


def test_C9_a_file_without_a_header_quotes_no_customer(shop: Shop) -> None:
    shop.drop(text([ORDER, ORDER]).split("\n", 1)[1])
    alert = shop.refusal()
    assert "columns are missing" in alert
    assert not any(cell in alert for cell in ("Aroha", "Kowhai", "021", "example.nz"))


def test_C10_a_row_with_extra_cells_is_refused_and_the_others_are_read(shop: Shop) -> None:
    content = text([order(1001), order(1002, Shipping_Address1="LINE"), FURTHER | {"Name": "#1002"}, order(1003)])
    shop.drop(content.replace("LINE", "Level 3, 12 Kowhai Street"))
    [page] = shop.pages()
    assert [one.number for one in page.orders] == ["#1001", "#1003"]
    [alert] = page.alerts
    assert alert.startswith("orders.csv: row 3 has more cells than the header")


def test_C10_many_rows_with_extra_cells_are_one_alert(shop: Shop) -> None:
    content = text([order(number, Notes="NOTE") for number in range(1001, 1021)])
    shop.drop(content.replace("NOTE", "a,b"))
    assert "rows 2, 3, 4, 5, 6, 7, 8, 9 and 12 more have more cells" in shop.refusal()


def test_C11_what_a_spreadsheet_did_to_postcode_and_phone_is_passed_on_as_it_is(shop: Shop) -> None:
    shop.drop([order(1001, Shipping_Zip="626", Shipping_Phone="6.42E+10")])
    [one] = shop.orders()
    assert (one.ship_to.postcode, one.ship_to.phone) == ("626", "6.42E+10")
    assert not one.problems


@pytest.mark.parametrize("damaged", ["5.6E+12", "5,60000000E+12", "6E+11"])
def test_C11_an_order_whose_id_a_spreadsheet_rounded_is_held(shop: Shop, damaged: str) -> None:
    shop.drop([order(1001, Id=damaged), order(1002, Id=damaged)])
    first, second = shop.orders()
    assert (first.id, second.id) == ("#1001", "#1002")
    assert first.problems == (
        f'Id says "{damaged}": a spreadsheet rounded it. Export again and don\'t save the file from a spreadsheet.',
    )


def test_C11_an_order_without_its_id_is_held(shop: Shop) -> None:
    shop.drop([order(1001, Id="")])
    [one] = shop.orders()
    assert one.problems == ("The column Id is empty, and no other key is sure. Export again with it.",)


def test_C10_rows_without_any_order_number_are_told_and_the_others_are_read(shop: Shop) -> None:
    shop.drop([order(1) | {"Name": "", "Id": ""}, order(1001)])
    [page] = shop.pages()
    assert [one.number for one in page.orders] == ["#1001"]
    assert page.alerts == (
        'orders.csv: row 2 has nothing in "Name", which tells orders apart, and could not be read. '
        "Export again with it.",
    )


@pytest.mark.parametrize("quote", ["", '"'])
def test_C12_an_endless_cell_refuses_the_file(shop: Shop, quote: str) -> None:
    content = text([order(1001), order(1002, Notes="NOTE"), order(1003)])
    shop.drop(content.replace("NOTE", f"{quote}{'x' * 131_073}{quote}"))
    assert shop.refusal().startswith("orders.csv: line 3: a cell from here on has more than 131,072 characters.")


def test_C12_an_endless_cell_of_doubled_quotes_refuses_the_file_too(shop: Shop) -> None:
    content = text([order(1001), order(1002, Notes="NOTE"), order(1003)])
    endless = '"' + 'xxxxxxx""' * 20_000 + '"'
    shop.drop(content.replace("NOTE", endless))
    assert shop.refusal().startswith("orders.csv: line 3: a cell from here on has more than 131,072 characters.")


@pytest.mark.parametrize("start", ["", "x"])
def test_C12_an_endless_cell_of_few_long_words_in_doubled_quotes_refuses_the_file_before_any_page(
    shop: Shop, start: str
) -> None:
    content = text([*map(order, range(1001, 1600)), order(2001, Notes="NOTE"), order(2002)])
    word = "x" * 30_000 + '""'
    endless = f'"{start}{word * 5}"'
    shop.drop(content.replace("NOTE", endless))
    assert shop.refusal().startswith("orders.csv: line 601: a cell from here on has more than 131,072 characters.")


def test_C12_a_line_without_an_end_is_not_read_into_memory(shop: Shop) -> None:
    shop.drop(text([order(1001)]) + "x" * (6 * PIECE))
    assert shop.refusal().startswith("orders.csv: line 3 has no end within a million characters.")


def test_one_refused_file_stops_no_other_and_is_not_told_again_until_it_changes(shop: Shop) -> None:
    shop.drop(b"PK\x03\x04", "a.csv", age=90)
    shop.drop([order(1001)], "b.csv", age=60)
    pages = shop.pages()
    assert [len(page.alerts) for page in pages] == [1, 0]
    assert [one.number for page in pages for one in page.orders] == ["#1001"]
    assert shop.pages(pages[-1].cursor) == []
    shop.drop([order(1002)], "a.csv", age=30)
    assert numbers(shop.orders(pages[-1].cursor)) == ["#1002"]


def test_no_alert_or_note_quotes_a_customer(shop: Shop) -> None:
    content = text([order(1001), order(1002, Notes="NOTE")])
    spoiled = [
        content[:-30],
        content.replace("NOTE", '"'),
        content.replace("NOTE", "a,b"),
        content.replace("NOTE", "\0"),
    ]
    for at, each in enumerate(spoiled):
        shop.drop(each, f"{at}.csv")
    said = " ".join(sentence for page in shop.pages() for sentence in (*page.alerts, *page.notes))
    assert not any(cell in said for cell in ("Aroha", "Larkspur", "Kowhai", "555", "example.nz"))


def test_the_header_of_the_test_shop_is_as_wide_as_these_tests_say() -> None:
    assert len(SHOPIFY) == 38

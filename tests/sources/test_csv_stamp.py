"""Where an export stands in time by its name and its file's time (failures.md C15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sources.csv_stamp import stamp

ZONE = ZoneInfo("Pacific/Auckland")


HOUR = 3_600_000_000_000


@pytest.mark.parametrize(
    ("name", "lead"),
    [
        ("orders_export_2026-11-22.csv", "20261122000000"),
        ("orders-20261122-1530.csv", "20261122153000"),
        ("orders 2026-11-22 15.30.07.csv", "20261122153007"),
        ("2026_11_22T1530_shop7.csv", "20261122153000"),
        ("export_12.csv", "00000000000012"),
        ("export_12 (3).csv", "00000000000012"),
        ("orders_export_2.csv", "19700101130000"),
        ("orders_export (2).csv", "19700101130000"),
        ("orders.csv", "19700101130000"),
        ("orders-20261399.csv", "00000020261399"),
    ],
)
def test_C15_the_sequence_of_exports_is_read_from_their_names(name: str, lead: str) -> None:
    assert stamp(name, HOUR, ZONE) == f"{lead} {HOUR:020}"


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_C15_among_unnamed_exports_the_later_file_has_the_higher_stamp(one: int, other: int) -> None:
    stamps = [stamp("orders.csv", 1_700_000_000 * 10**9 + at * 10**6, ZoneInfo("UTC")) for at in (one, other)]
    assert (stamps[0] < stamps[1]) == (one < other)


@pytest.mark.parametrize(
    ("zone", "back"),
    [
        ("Pacific/Auckland", datetime(2027, 4, 3, 14, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2027, 4, 3, 16, tzinfo=UTC)),
        ("Europe/Dublin", datetime(2027, 10, 31, 1, tzinfo=UTC)),
        ("Asia/Beirut", datetime(2027, 10, 30, 21, tzinfo=UTC)),
    ],
)
def test_C15_an_export_is_newer_than_the_one_before_when_the_clocks_go_back_too(zone: str, back: datetime) -> None:
    """Every ten minutes around that time."""
    times = [int(back.timestamp()) + 600 * number for number in range(-12, 12)]
    stamps = [stamp("orders_export_1.csv", at * 10**9, ZoneInfo(zone)) for at in times]
    assert stamps == sorted(stamps)


def test_C15_a_file_without_a_date_in_its_name_stands_among_the_dates_of_others() -> None:
    zone = ZoneInfo("Pacific/Auckland")
    noon = int(datetime(2026, 6, 22, 12, tzinfo=zone).timestamp()) * 10**9
    names = ["orders-2026-06-22.csv", "orders_export_1.csv", "orders-20260622-1230.csv", "orders-2026-06-23.csv"]
    stamps = [stamp(name, noon, zone) for name in names]
    assert stamps == sorted(stamps)


DAY = datetime(2026, 11, 22, tzinfo=ZONE)


def at(hour: int, minute: int = 0, day: datetime = DAY) -> int:
    """A file's time on that day in Auckland."""
    return int((day + timedelta(hours=hour, minutes=minute)).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("morning", "afternoon"),
    [
        ("order_export_2026-11-22-11-30-05.csv", "order_export_2026-11-22-03-30-05.csv"),
        ("order_export_2026-11-22-11-30-05.csv", "order_export_2026-11-22-03-30-05 (1).csv"),
        ("orders 2026-11-22 11.30 am.csv", "orders 2026-11-22 03.30 pm.csv"),
        ("orders 2026-11-22 11.30.05 AM.csv", "orders 2026-11-22 03.30.05 PM.csv"),
        ("orders-2026-11-22 1130am.csv", "orders-2026-11-22 0330pm.csv"),
    ],
)
def test_C15_hours_that_go_to_twelve_only_are_not_believed(morning: str, afternoon: str) -> None:
    """WebToffee writes them so: date('Y-m-d-h-i-s'). Its day counts, and within it the file's time."""
    stamps = [
        stamp("order_export_2026-11-21-11-59-59.csv", at(23, 59, DAY), ZONE),
        stamp(morning, at(11, 30), ZONE),
        stamp(afternoon, at(15, 30), ZONE),
        stamp("order_export_2026-11-23-01-00-00.csv", at(1), ZONE),
    ]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    "name",
    [
        "orders_export_1 2.csv",
        "orders_export_1-2.csv",
        "orders_export_1 - Copy.csv",
        "orders_export_1 - Copy (2).csv",
        "orders_export_1 copy.csv",
        "orders_export_1 copy 2.csv",
        "orders_export 2.csv",
        "Copy of orders_export_1.csv",
        "Orders_Export_1.CSV",
    ],
)
def test_C15_copies_of_shopifys_parts_take_their_files_time(name: str) -> None:
    assert stamp(name, at(15), ZONE) == stamp("orders_export_1 (2).csv", at(15), ZONE) == f"20261122140000 {at(15):020}"


@pytest.mark.parametrize("name", ["export_12 - Copy.csv", "export_12 copy.csv", "export_12 copy 3.csv", "12.csv"])
def test_C15_a_copy_of_a_numbered_export_keeps_its_number(name: str) -> None:
    assert stamp(name, at(15), ZONE).startswith("00000000000012 ")


@pytest.mark.parametrize(
    "name",
    [
        "orders_22-11-2026_1015.csv",
        "orders_11-22-2026_1015.csv",
        "orders 5.1.2026 10.15.csv",
        "22.11.2026 10.15.csv",
        "22.11.26 10.15.csv",
        "22-11-26.csv",
        "22-11.csv",
        "22112026.csv",
        "orders_22112026_1015.csv",
        "Orders 1 Dec.csv",
        "Orders Dec 1.csv",
        "Orders 22-Nov-2026_10-15.csv",
        "orders_1_december_2026.csv",
        "2026-11.csv",
        "export_12-2.csv",
        "export_12 2.csv",
    ],
)
def test_C15_a_name_that_says_no_date_or_number_for_sure_takes_its_files_time(name: str) -> None:
    """05-11-2026 is one day in Auckland and another in Boston; a day alone is no number that grows."""
    assert stamp(name, at(15), ZONE) == f"20261122140000 {at(15):020}"


@pytest.mark.parametrize("name", ["shop7_2026-11-22 2030.csv", "7 2026-11-22_20.30.csv", "market-20261122-2030.csv"])
def test_C15_a_date_is_told_from_the_numbers_and_words_beside_it(name: str) -> None:
    assert stamp(name, at(15), ZONE).startswith("20261122203000 ")

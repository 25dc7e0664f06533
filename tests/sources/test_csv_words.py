"""What single words of a shop mean, whichever source reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.sources.csv_words import is_cancelled
from tests.sources.csv_shop import Shop, order


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "No", "n", "0", "0.0", "false", "False", "NULL", "null", "None", "n/a", "-", "0000-00-00",
        "0000-00-00 00:00:00", "0000-00-00T00:00:00", "00/00/0000", "-0001-11-30T00:00:00", "1970-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_trap_W7_a_word_for_nothing_and_a_date_of_zeros_cancel_no_order(text: str) -> None:
    assert is_cancelled(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "yes", "Y", "TRUE", "1", "Cancelled", "canceled", "2026-11-22", "2026-11-22 14:30:05 +1300",
        "2026-11-22T01:30:00Z", "22/11/2026 9:00", "11/22/26", "22.11.2026", "20261122", "22 Nov 2026", "22-Nov-26",
        "Nov 22, 2026 9:00 AM", "1764000000", "1764000000000",
    ],
)  # fmt: skip
def test_a_date_however_it_is_written_or_a_word_for_yes_cancels(text: str) -> None:
    assert is_cancelled(text) is True


@pytest.mark.parametrize("text", ["perhaps", "not cancelled", "2", "12", "changed mind", "by 2026", "-1"])
def test_any_other_word_leaves_open_whether_an_order_is_cancelled(text: str) -> None:
    assert is_cancelled(text) is None


def test_trap_W7_orders_of_an_export_whose_column_for_cancelling_says_no_are_alive(tmp_path: Path) -> None:
    words = ["No", "0", "false", "NULL", "-", "0000-00-00 00:00:00"]
    shop = Shop(tmp_path)
    shop.drop([order(at, Cancelled_at=word) for at, word in enumerate([*words, "2026-11-22 09:00:00 +1300"])])
    found = shop.orders()
    assert [one.cancelled for one in found] == [*(False for _ in words), True]
    assert not any(one.problems for one in found)

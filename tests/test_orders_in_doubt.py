"""Orders whose rows leave open which order, version or row counts: held, not believed, mended by a readable export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.ledger.connection import Ledger, in_memory
from connector.ledger.intake import cursor_of
from connector.record import record_page
from connector.report import Report
from tests.ledger.given import START, count, open_alerts, rules, sent, state, states, terms
from tests.sources.csv_shop import FURTHER, Cells, Shop, order
from tests.sources.test_csv_woocommerce import BILLED, SHIPPED

ID = "5600000001001"
ROUNDED = "5.6E+12"
CANCELLED = "2026-11-23 09:00:00 +1300"


class Desk:
    """A drop folder whose exports go into a ledger; each is a little newer than the one before."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.shop = Shop(folder)
        self.ledger = ledger
        self._exports = 0

    def export(self, content: str | list[Cells]) -> Report:
        self._exports += 1
        self.shop.drop(content, f"orders-2026-11-{self._exports:02}.csv")
        return self.read(cursor_of(self.ledger.db, "kiwi"))

    def read(self, cursor: str = "") -> Report:
        report = Report("kiwi")
        for page in self.shop.pages(cursor):
            record_page(rules(), terms(), page, self.ledger, report, START)
        return report

    def texts(self) -> list[str]:
        """Of the open alerts."""
        return [row[0] for row in self.ledger.db.execute("SELECT text FROM alerts WHERE closed_at IS NULL ORDER BY id")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with in_memory() as ledger:
        yield Desk(tmp_path, ledger)


def test_C11_a_cancel_under_an_id_that_a_spreadsheet_rounded_is_held_and_told(desk: Desk) -> None:
    desk.export([order(1001)])
    sent(desk.ledger)
    report = desk.export([order(1001, Id=ROUNDED, Cancelled_at=CANCELLED)])
    assert (report.held, report.withdrawn) == (1, 0)
    assert states(desk.ledger) == {ID: "accepted", "#1001": "held"}
    [text] = desk.texts()
    assert text.startswith(f'order #1001: Id says "{ROUNDED}": a spreadsheet rounded it.')


def test_C11_a_readable_export_takes_the_cancel_and_ends_the_doubt(desk: Desk) -> None:
    desk.export([order(1001)])
    sent(desk.ledger)
    desk.export([order(1001, Id=ROUNDED, Cancelled_at=CANCELLED)])
    desk.export([order(1001, Cancelled_at=CANCELLED)])
    assert sent(desk.ledger) == ["#1001"]
    assert states(desk.ledger) == {ID: "accepted", "#1001": "withdrawn"}
    assert desk.texts() == []


def test_C11_an_order_first_seen_with_a_rounded_id_ships_once_it_comes_with_its_own(desk: Desk) -> None:
    desk.export([order(1001, Id=ROUNDED)])
    desk.export([order(1001, Id=ROUNDED)])
    assert (sent(desk.ledger), count(desk.ledger, "versions")) == ([], 1)
    desk.export([order(1001)])
    assert (sent(desk.ledger), desk.texts()) == (["#1001"], [])
    desk.export([order(1001, Id=ROUNDED)])
    assert len(desk.texts()) == 1, "it is in doubt again"
    desk.export([order(1001)])
    assert desk.texts() == []


WOO = (
    "Order ID,Order Number,Order Status,Order Date,Modification Date,Customer Note,First Name (Billing),"
    "Last Name (Billing),Company (Billing),Address 1&2 (Billing),City (Billing),State Code (Billing),"
    "Postcode (Billing),Country Code (Billing),Email (Billing),Phone (Billing),First Name (Shipping),"
    "Last Name (Shipping),Address 1&2 (Shipping),City (Shipping),State Code (Shipping),Postcode (Shipping),"
    "Country Code (Shipping),SKU,Name,Quantity\n"
)
ELSEWHERE = SHIPPED.replace("Level 3, 9 Ferry Lane", "7 Ferry Lane")


def woo(status: str = "Processing", changed: str = "2026-11-22 14:30", shipped: str = SHIPPED) -> str:
    return f"{WOO}812,812,{status},2026-11-20 10:00,{changed},,{BILLED},{shipped},A,Mug,1\n"


@pytest.fixture
def woo_desk(desk: Desk) -> Desk:
    desk.shop.options["dialect"] = "woocommerce"
    return desk


UNREADABLE = "23/11/2026 9:00"


@pytest.mark.parametrize("changes", [{"status": "Cancelled"}, {"shipped": ELSEWHERE}], ids=["cancel", "address"])
def test_C11_a_change_whose_date_can_t_be_read_is_held_and_told(woo_desk: Desk, changes: dict[str, str]) -> None:
    woo_desk.export(woo())
    sent(woo_desk.ledger)
    report = woo_desk.export(woo(changed=UNREADABLE, **changes))
    assert (report.stale, report.held, state(woo_desk.ledger, "812")) == (0, 1, "accepted")
    assert woo_desk.texts() == [
        "order 812: Modification Date holds no date like 2026-11-22 14:30: which version is the newest can't be told. "
        "What was sent before that stays."
    ]
    woo_desk.export(woo(changed="2026-11-23 09:00", **changes))
    assert sent(woo_desk.ledger) == ["812"]
    assert woo_desk.texts() == []


def test_C11_a_readable_export_in_which_nothing_changed_ends_the_doubt_without_a_call(woo_desk: Desk) -> None:
    woo_desk.export(woo())
    sent(woo_desk.ledger)
    woo_desk.export(woo(changed=UNREADABLE))
    assert open_alerts(woo_desk.ledger) == ["held"]
    woo_desk.export(woo())
    assert (sent(woo_desk.ledger), open_alerts(woo_desk.ledger)) == ([], [])
    woo_desk.read()
    assert (sent(woo_desk.ledger), open_alerts(woo_desk.ledger)) == ([], []), "all exports read from the start"


def test_C11_a_doubt_keeps_an_order_that_was_not_sent_from_going_out(woo_desk: Desk) -> None:
    woo_desk.export(woo())
    woo_desk.export(woo(changed=UNREADABLE, shipped=ELSEWHERE))
    assert (sent(woo_desk.ledger), state(woo_desk.ledger, "812")) == ([], "held")
    woo_desk.export(woo(changed="2026-11-23 09:00", shipped=ELSEWHERE))
    assert sent(woo_desk.ledger) == ["812"]


def test_C11_an_order_that_is_cancelled_ends_its_doubt_though_its_slip_was_taken_back_before(woo_desk: Desk) -> None:
    for export in (woo(), woo("Cancelled", "2026-11-23 09:00"), woo("Cancelled", UNREADABLE)):
        woo_desk.export(export)
        sent(woo_desk.ledger)
    assert open_alerts(woo_desk.ledger) == ["held"]
    woo_desk.export(woo("Cancelled", "2026-11-23 09:00"))
    assert (sent(woo_desk.ledger), open_alerts(woo_desk.ledger)) == ([], [])


def test_C11_a_doubt_lets_nothing_go_that_the_shop_had_stopped(woo_desk: Desk) -> None:
    for export in (woo(), woo("On hold", "2026-11-23 09:00"), woo(changed=UNREADABLE)):
        woo_desk.export(export)
        sent(woo_desk.ledger)
    assert woo_desk.ledger.db.execute("SELECT stop FROM slips").fetchall() == [("wait",)]
    woo_desk.export(woo(changed="2026-11-24 09:00"))
    assert woo_desk.ledger.db.execute("SELECT stop FROM slips").fetchall() == [(None,)]
    assert woo_desk.texts() == []


TWICE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Financial Status", {"Financial_Status": "pending"}, {}),
    ("Cancelled at", {}, {"Cancelled_at": CANCELLED}),
]


@pytest.mark.parametrize(("column", "one", "other"), TWICE, ids=["paid", "cancelled"])
@pytest.mark.parametrize("between", [[], [order(1002)]], ids=["together", "apart"])
def test_C14_two_exports_in_one_file_that_contradict_each_other_are_told(
    desk: Desk, column: str, one: dict[str, Any], other: dict[str, Any], between: list[Cells]
) -> None:
    report = desk.export([order(1001, **one), *between, order(1001, **other)])
    assert (report.held, report.waiting, state(desk.ledger, ID)) == (1, 0, "held")
    [text] = desk.texts()
    assert text.startswith(f"order #1001: Its rows say different things in {column}.")


def test_C14_a_cancel_with_a_quantity_that_can_t_be_read_still_withdraws(desk: Desk) -> None:
    desk.export([order(1001)])
    sent(desk.ledger)
    desk.export([order(1001, Lineitem_quantity="two", Cancelled_at=CANCELLED)])
    assert sent(desk.ledger) == ["#1001"]
    assert desk.texts() == []


@pytest.mark.parametrize("between", [[], [order(1002)]], ids=["together", "apart"])
def test_C14_a_file_sorted_backwards_gives_the_same_orders(desk: Desk, between: list[Cells]) -> None:
    desk.shop.drop([FURTHER, *between, order(1001)])
    one = next(one for one in desk.shop.orders() if one.number == "#1001")
    assert (one.id, one.ship_to.city, one.problems) == (ID, "Whangarei", ())
    assert [line.sku for line in one.lines] == ["MUG-TUI", "CND-RIM"]


def test_C14_rows_of_which_none_has_the_id_are_held(desk: Desk) -> None:
    report = desk.export([FURTHER, order(1002)])
    assert (report.held, report.skipped) == (1, 0)
    assert "The column Id is empty" in desk.texts()[0]


def test_an_order_of_which_nobody_can_tell_whether_it_is_cancelled_is_held(desk: Desk) -> None:
    desk.export([order(1001)])
    sent(desk.ledger)
    desk.export([order(1001, Cancelled_at="perhaps")])
    assert (state(desk.ledger, ID), sent(desk.ledger)) == ("accepted", [])
    assert desk.texts() == [
        'order #1001: Cancelled at says "perhaps", which is neither a date nor yes or no: whether the order is '
        "cancelled can't be told. What was sent before that stays."
    ]

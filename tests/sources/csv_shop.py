"""A drop folder and exports to put there, of invented people. Knows how exports are written, not how they are read."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connector.order import Order
from connector.sources.base import Page, SourceContext
from connector.sources.csv_export import CsvOptions, CsvSource

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

SHOPIFY = (
    "Name", "Email", "Financial Status", "Fulfillment Status", "Currency", "Shipping Method", "Created at",
    "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku", "Lineitem requires shipping",
    "Lineitem fulfillment status", "Billing Name", "Billing Address1", "Billing Address2", "Billing Company",
    "Billing City", "Billing Zip", "Billing Province", "Billing Country", "Billing Phone", "Shipping Name",
    "Shipping Address1", "Shipping Address2", "Shipping Company", "Shipping City", "Shipping Zip", "Shipping Province",
    "Shipping Country", "Shipping Phone", "Notes", "Note Attributes", "Cancelled at", "Id", "Tags", "Phone",
    "Shipping Province Name",
)  # fmt: skip
"""The columns of a Shopify export that are read, in its order."""

ORDER = {
    "Name": "#1001",
    "Id": "5600000001001",
    "Email": "aroha@example.nz",
    "Financial Status": "paid",
    "Fulfillment Status": "unfulfilled",
    "Currency": "NZD",
    "Shipping Method": "Standard courier",
    "Created at": "2026-11-22 14:30:05 +1300",
    "Lineitem quantity": "2",
    "Lineitem name": "Tui mug",
    "Lineitem price": "32.00",
    "Lineitem sku": "MUG-TUI",
    "Lineitem requires shipping": "true",
    "Lineitem fulfillment status": "pending",
    "Shipping Name": "Aroha Larkspur",
    "Shipping Address1": "12 Kowhai Street",
    "Shipping City": "Whangarei",
    "Shipping Zip": "'0110",
    "Shipping Province": "NTL",
    "Shipping Country": "NZ",
    "Shipping Phone": "021 555 0101",
    "Shipping Province Name": "Northland",
}
"""The first row of an order."""

FURTHER = {
    "Name": "#1001",
    "Email": "aroha@example.nz",
    "Created at": "2026-11-22 14:30:05 +1300",
    "Lineitem quantity": "1",
    "Lineitem name": "Rimu candle",
    "Lineitem sku": "CND-RIM",
    "Lineitem requires shipping": "true",
    "Lineitem fulfillment status": "pending",
}
"""A further row of it, as the real exports have them."""

Cells = dict[str, str]


def order(number: int, **cells: str) -> Cells:
    """Order #number; cells by column name with underscores for spaces."""
    named = {name.replace("_", " "): cell for name, cell in cells.items()}
    return ORDER | {"Name": f"#{number}", "Id": str(5_600_000_000_000 + number)} | named


def text(rows: Iterable[Cells], header: Sequence[str] = SHOPIFY, delimiter: str = ",", end: str = "\n") -> str:
    """The rows as a CSV file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


class Shop:
    """A folder that exports are dropped into, an hour before NOW unless said otherwise."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.options = {"path": ".", "dialect": "shopify"} | options

    def drop(self, content: str | bytes | list[Cells], name: str = "orders.csv", age: float = 3600) -> Path:
        """Puts a file there, last written to `age` seconds ago."""
        if isinstance(content, list):
            content = text(content)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.touch(path, age)
        return path

    def touch(self, path: Path, age: float) -> None:
        """Sets when the file was last written to."""
        at = (NOW - timedelta(seconds=age)).timestamp()
        os.utime(path, (at, at))

    def source(self, now: datetime = NOW) -> CsvSource:
        """The source as configured now."""
        context = SourceContext(store="kiwi", folder=str(self.folder), timezone="Pacific/Auckland", now=lambda: now)
        return CsvSource(CsvOptions.model_validate(self.options), context)

    def pages(self, cursor: str = "") -> list[Page]:
        """All pages from a cursor on."""
        return list(self.source().pages(cursor))

    def orders(self, cursor: str = "") -> list[Order]:
        """All orders from a cursor on; raises if anything needed somebody."""
        pages = self.pages(cursor)
        assert not [alert for page in pages for alert in page.alerts]
        return [one for page in pages for one in page.orders]

    def refusal(self) -> str:
        """The one alert about a file of which no order came."""
        pages = self.pages()
        assert not [one for page in pages for one in page.orders]
        [alert] = [alert for page in pages for alert in page.alerts]
        return alert

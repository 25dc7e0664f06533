"""A shop that can only be read by its exports: a Shopify admin that drops a CSV of all its orders into a folder.

Knows how exports are written (platforms.md 4.1; the columns of tests/sources/csv_shop.py), not how they are read. Each
change makes a newer export of the same name, as a nightly download over the old file does.
"""

from __future__ import annotations

import csv
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connector.testing.shop_double import Draft
from connector.testing.shop_server import ShopServer
from tests.sources.csv_shop import SHOPIFY, Cells

ZONE = ZoneInfo("Pacific/Auckland")


class Sold(msgspec.Struct):
    """One order in the shop's books. spoiled: its address holds a comma that nobody quotes."""

    id: str
    number: int
    at: datetime
    draft: Draft
    payment: str = "paid"
    fulfilment: str = "unfulfilled"
    cancelled_at: datetime | None = None
    hidden_until: datetime | None = None
    spoiled: bool = False


class CsvDouble:
    """kind "csv"; no server: it writes files. Used as a context manager, since its folder goes with it."""

    kind = "csv"
    server: ShopServer | None = None

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._file = Path(self._folder.name) / "orders.csv"
        self._sold: dict[str, Sold] = {}
        self._count = 0
        self._clock = datetime(2026, 1, 1, tzinfo=UTC)
        self._written_ns = 0

    def __enter__(self) -> CsvDouble:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def source_table(self) -> dict[str, Any]:
        return {"kind": "csv", "path": f"{self._folder.name}/*.csv", "dialect": "shopify", "settle": 0.0}

    def place(self, draft: Draft, at: datetime, *, paid: bool = True) -> str:
        self._count += 1
        number = 1000 + self._count
        sold = Sold(str(5_600_000_000_000 + number), number, at, draft, "paid" if paid else "pending")
        self._sold[sold.id] = sold
        with self._file.open("a", encoding="utf-8", newline="") as file:
            if self._count == 1:
                _writer(file).writeheader()
            _write(file, sold)
        self._stamp(at)
        return sold.id

    def pay(self, order_id: str, at: datetime) -> None:
        self._sold[order_id].payment = "paid"
        self._export(at)

    def edit(self, order_id: str, draft: Draft, at: datetime) -> None:
        self._sold[order_id].draft = draft
        self._export(at)

    def touch(self, order_id: str, at: datetime) -> None:
        self._export(at)

    def cancel(self, order_id: str, at: datetime) -> None:
        self._sold[order_id].cancelled_at = at
        self._export(at)

    def refund(self, order_id: str, at: datetime) -> None:
        self._sold[order_id].payment = "refunded"
        self._export(at)

    def fulfil(self, order_id: str, at: datetime) -> None:
        self._sold[order_id].fulfilment = "fulfilled"
        self._export(at)

    def delete(self, order_id: str) -> None:
        del self._sold[order_id]
        self._export(self._clock)

    def spoil(self, order_id: str) -> None:
        self._sold[order_id].spoiled = True
        self._export(self._clock)

    def hide(self, order_id: str, until: datetime) -> None:
        self._sold[order_id].hidden_until = until
        self._export(self._clock)

    def set_clock(self, at: datetime) -> None:
        shown = self._shown()
        self._clock = at
        if self._shown() != shown:
            self._export(at)

    def _shown(self) -> list[str]:
        return [one.id for one in self._sold.values() if not one.hidden_until or one.hidden_until <= self._clock]

    def _export(self, at: datetime) -> None:
        """A new file in the old one's place, never seen half written."""
        fresh = self._file.with_suffix(".part")
        with fresh.open("w", encoding="utf-8", newline="") as file:
            _writer(file).writeheader()
            for order_id in self._shown():
                _write(file, self._sold[order_id])
        fresh.replace(self._file)
        self._stamp(at)

    def _stamp(self, at: datetime) -> None:
        """The file's time: the shop's, and always later than that of the export before."""
        self._written_ns = max(self._written_ns + 1, int(max(at, self._clock).timestamp()) * 10**9)
        os.utime(self._file, ns=(self._written_ns, self._written_ns))


def _writer(file: Any) -> csv.DictWriter[str]:
    return csv.DictWriter(file, SHOPIFY, restval="", lineterminator="\n")


def _write(file: Any, sold: Sold) -> None:
    if sold.spoiled:
        file.write(",".join(_cells(sold).get(name, "") or f"{sold.number}" for name in SHOPIFY) + ",one,two\n")
    else:
        _writer(file).writerow(_cells(sold))


def _cells(sold: Sold) -> Cells:
    draft = sold.draft
    return {
        "Name": f"#{sold.number}",
        "Id": sold.id,
        "Email": draft.email,
        "Financial Status": sold.payment,
        "Fulfillment Status": sold.fulfilment,
        "Currency": "NZD",
        "Shipping Method": "Standard courier",
        "Created at": f"{sold.at.astimezone(ZONE):%Y-%m-%d %H:%M:%S %z}",
        "Cancelled at": f"{sold.cancelled_at.astimezone(ZONE):%Y-%m-%d %H:%M:%S %z}" if sold.cancelled_at else "",
        "Notes": draft.note,
        "Lineitem quantity": str(draft.quantity),
        "Lineitem name": "Tui mug",
        "Lineitem price": "32.00",
        "Lineitem sku": draft.sku,
        "Lineitem requires shipping": "true",
        "Lineitem fulfillment status": "pending",
        "Shipping Name": draft.name,
        "Shipping Company": draft.company,
        "Shipping Address1": draft.line1,
        "Shipping Address2": draft.line2,
        "Shipping City": draft.city,
        "Shipping Zip": f"'{draft.postcode}",
        "Shipping Province": draft.region,
        "Shipping Country": draft.country,
        "Shipping Phone": draft.phone,
    }

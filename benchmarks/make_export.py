"""A Shopify orders export of any size, the same bytes for the same arguments. Knows nothing of the connector.

Run as `python -m benchmarks.make_export 10000 > orders_export.csv`. On average 2.28 rows an order, 85 % of the orders
paid, unfulfilled and to be shipped; people, streets and numbers are invented. Rows are written as they are made.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from random import Random
from typing import Final, TextIO

COLUMNS: Final = (  # noqa: SIM905 - as it stands in the file
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,"
    "Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,"
    "Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Street,"
    "Billing Address1,Billing Address2,Billing Company,Billing City,Billing Zip,Billing Province,"
    "Billing Country,Billing Phone,Shipping Name,Shipping Street,Shipping Address1,Shipping Address2,"
    "Shipping Company,Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,"
    "Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,"
    "Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,"
    "Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,"
    "Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,"
    "Payment ID,Payment Terms Name,Next Payment Due At,Payment References"
).split(",")
"""The 79 columns of an export of 2026, in its order."""

FIRST: Final = ("Aroha", "Ben", "Chloe", "Dana", "Edward", "Fleur", "Grace", "Hana", "Isaac", "Jack")
LAST: Final = ("Larkspur", "Totara", "Wattlebird", "Thistlewood", "Rimu", "Puriri", "Karaka", "Ngaio", "Matai")
STREETS: Final = ("Kowhai", "Fantail", "Banksia", "Driftwood", "Lighthouse", "Quarry", "Saddle", "Ferry", "Tern")
KINDS: Final = ("Street", "Road", "Terrace", "Lane", "Crescent")
NOTES: Final = ("", "", "", "", "", "Leave at the front door please", "Gift, no invoice", "Ring twice,\nthen knock")
GOODS: Final = (
    ("Tui mug", "MUG-TUI", 3200),
    ("Kawakawa tea, 50 g", "TEA-KWK", 1850),
    ("Piwakawaka wool blanket", "BLK-PIW", 18900),
    ("Rimu candle", "CND-RIM", 2990),
    ("Harakeke basket, large", "BSK-HRK", 7400),
)

LINES: Final = ((1, 2, 3, 4, 5, 6), (40, 25, 15, 10, 7, 3))
"""How many lines an order has, and in how many of a hundred orders: 2.28 on average."""

KIND_OF_ORDER: Final = (("to_send", "fulfilled", "unpaid", "cancelled", "pickup"), (85, 8, 3, 2, 2))

OPENED: Final = datetime(2026, 1, 5, 8, 0, 0, tzinfo=timezone(timedelta(hours=13)))
"""When the first order came in; each next one comes a minute later."""


@dataclass(frozen=True, slots=True)
class Town:
    """Where parcels go: city, postcode, region code and name, country, the start of a telephone number."""

    city: str
    postcode: str
    region: str
    region_name: str
    country: str
    phone: str


TOWNS: Final = (
    Town("Auckland", "1010", "AUK", "Auckland", "NZ", "021 555 "),
    Town("Wellington", "6011", "WGN", "Wellington", "NZ", "027 555 "),
    Town("Christchurch", "8011", "CAN", "Canterbury", "NZ", "022 555 "),
    Town("Whangarei", "0110", "NTL", "Northland", "NZ", "021 555 "),
    Town("Dunedin", "9016", "OTA", "Otago", "NZ", "027 555 "),
    Town("Marrickville", "2204", "NSW", "New South Wales", "AU", "0491 57"),
    Town("Fitzroy", "3065", "VIC", "Victoria", "AU", "0491 57"),
    Town("Portland", "97201", "OR", "Oregon", "US", "503-555-"),
    Town("Bristol", "BS1 9ZZ", "", "", "GB", "0117 496 "),
    Town("Singapore", "519999", "", "", "SG", "6555 "),
)
TOWN_WEIGHTS: Final = (30, 18, 15, 7, 10, 7, 5, 3, 3, 2)


def rows(orders: int, seed: int = 1) -> Iterator[list[str]]:
    """The header, then the rows of `orders` orders, oldest first; numbered from #1001."""
    yield list(COLUMNS)
    random = Random(seed)
    for index in range(orders):
        yield from order_rows(index, random)


def order_rows(index: int, random: Random) -> Iterator[list[str]]:
    """The rows of one order: the first has everything, the others only what a line has (as the real exports)."""
    [kind] = random.choices(*KIND_OF_ORDER)
    goods = [(random.choice(GOODS), random.randint(1, 3)) for _ in range(random.choices(*LINES)[0])]
    first = order_cells(index, kind, sum(good[2] * count for good, count in goods), random)
    always = {name: first[name] for name in ("Name", "Email", "Created at")}
    for (name, sku, cents), count in goods:
        line = {
            "Lineitem quantity": str(count),
            "Lineitem name": name,
            "Lineitem price": money(cents),
            "Lineitem sku": sku,
            "Lineitem requires shipping": "true",
            "Lineitem taxable": "true",
            "Lineitem fulfillment status": "fulfilled" if kind == "fulfilled" else "pending",
            "Lineitem discount": "0.00",
            "Vendor": "Harakeke Supply",
        }
        cells = first | line
        yield [cells.get(column, "") for column in COLUMNS]
        first = always


def order_cells(index: int, kind: str, cents: int, random: Random) -> dict[str, str]:
    """What stands only on an order's first row."""
    created = (OPENED + timedelta(minutes=index)).strftime("%Y-%m-%d %H:%M:%S %z")
    first, last = random.choice(FIRST), random.choice(LAST)
    [town] = random.choices(TOWNS, TOWN_WEIGHTS)
    person = {"Name": f"{first} {last}", **address_cells(town, random)}
    is_paid = kind in ("to_send", "fulfilled", "pickup")
    reference = f"r{index:09d}.1" if is_paid else ""
    cells = {
        "Name": f"#{1001 + index}",
        "Email": f"{first}.{last}{index}@example.com".lower(),
        "Financial Status": {"unpaid": "pending", "cancelled": "voided"}.get(kind, "paid"),
        "Paid at": created if is_paid else "",
        "Fulfillment Status": "fulfilled" if kind == "fulfilled" else "unfulfilled",
        "Fulfilled at": created if kind == "fulfilled" else "",
        "Accepts Marketing": "no",
        "Currency": "NZD",
        "Subtotal": money(cents),
        "Shipping": "8.50",
        "Taxes": money((cents + 850) * 3 // 23),
        "Total": money(cents + 850),
        "Discount Amount": "0.00",
        "Shipping Method": "Collect from Petone Workshop" if kind == "pickup" else "Standard courier",
        "Created at": created,
        "Notes": random.choice(NOTES),
        "Cancelled at": created if kind == "cancelled" else "",
        "Payment Method": "Shopify Payments" if is_paid else "Bank Deposit",
        "Payment Reference": reference,
        "Refunded Amount": "0.00",
        "Outstanding Balance": "0.00" if is_paid else money(cents + 850),
        "Id": str(5_600_000_000_000 + index * 32768),
        "Risk Level": "Low",
        "Source": "web",
        "Tax 1 Name": "GST 15%",
        "Tax 1 Value": money((cents + 850) * 3 // 23),
        "Payment ID": reference,
        "Payment References": reference,
    }
    sides = ("Billing",) if kind == "pickup" else ("Billing", "Shipping")
    return cells | {f"{side} {name}": value for side in sides for name, value in person.items()}


def address_cells(town: Town, random: Random) -> dict[str, str]:
    """The address columns without their Billing or Shipping; the zip with the apostrophe that Shopify gives it."""
    line1 = f"{random.randint(1, 480)} {random.choice(STREETS)} {random.choice(KINDS)}"
    line2 = f"Unit {random.randint(1, 30)}" if random.random() < 0.15 else ""
    return {
        "Street": f"{line1}, {line2}" if line2 else line1,
        "Address1": line1,
        "Address2": line2,
        "Company": f"{random.choice(STREETS)} Trading Ltd" if random.random() < 0.1 else "",
        "City": town.city,
        "Zip": f"'{town.postcode}",
        "Province": town.region,
        "Country": town.country,
        "Phone": f"{town.phone}{random.randint(100, 199):04d}",
        "Province Name": town.region_name,
    }


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def write(orders: int, to: TextIO, seed: int = 1) -> None:
    """Writes the export to a text file opened with newline=""; memory does not grow with `orders`."""
    writer = csv.writer(to, lineterminator="\n")
    made = rows(orders, seed)
    while chunk := list(islice(made, 1000)):
        writer.writerows(chunk)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.make_export", description="A Shopify orders export of any size."
    )
    parser.add_argument("orders", type=int, help="how many orders")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another export (default: 1)")
    parsed = parser.parse_args(arguments)
    with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as out:
        write(parsed.orders, out, parsed.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""The script that a good developer writes in an hour: the peer we are measured against. Knows nothing of the connector.

Run as `python benchmarks/script.py orders_export.csv http://127.0.0.1:8765 sent.db`, the key in GSS_KEY. It reads the
export, keeps what is paid, unfulfilled and to be shipped, PUTs it in batches of 100 and remembers the numbers that were
accepted. Honest work, without a ledger: no edits, no cancels, no read-back.
"""

from __future__ import annotations

import csv
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path

import requests

BATCH_SIZE = 100


def read_orders(path: str) -> Iterator[dict[str, str]]:
    """The first row of each order: the others only carry more lines."""
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        for _, rows in groupby(csv.DictReader(file), key=lambda row: row["Name"]):
            yield next(rows)


def is_ready(row: dict[str, str]) -> bool:
    return (
        row["Financial Status"] == "paid"
        and row["Fulfillment Status"] == "unfulfilled"
        and not row["Cancelled at"]
        and row["Lineitem requires shipping"] == "true"
        and row["Shipping Address1"] != ""
    )


def to_slip(row: dict[str, str]) -> dict[str, str | None]:
    has_states = row["Shipping Country"] in ("AU", "US", "CA")
    return {
        "packingslipno": row["Name"],
        "consignee": (row["Shipping Company"] or row["Shipping Name"])[:50],
        "address1": row["Shipping Address2"][:50],
        "address2": row["Shipping Address1"][:50],
        "suburb": row["Shipping City"][:50] if has_states else "",
        "city": row["Shipping Province"] if has_states else row["Shipping City"][:50],
        "postcode": row["Shipping Zip"].lstrip("'"),
        "country": row["Shipping Country"],
        "delvref": row["Name"],
        "delvinstructions": row["Notes"].replace("\n", " ")[:120] or None,
        "contactname": row["Shipping Name"][:50],
        "contactphone": row["Shipping Phone"] or None,
        "email": row["Email"] or None,
    }


def send(session: requests.Session, url: str, batch: list[dict[str, str | None]]) -> list[str]:
    """The numbers that GSS took, or had already."""
    response = session.put(f"{url}/api/customerorders", json=batch, timeout=30)
    response.raise_for_status()
    taken = []
    for row in response.json():
        if row["result"] or row["msg"] == "already processed":
            taken.append(row["packingslipno"])
        else:
            print(f"{row['packingslipno']}: {row['msg']}", file=sys.stderr)
    return taken


def push(session: requests.Session, url: str, db: sqlite3.Connection, batch: list[dict[str, str | None]]) -> int:
    taken = send(session, url, batch)
    with db:
        db.executemany("INSERT OR IGNORE INTO sent VALUES (?)", [(number,) for number in taken])
    return len(taken)


def push_all(path: str, url: str, db: sqlite3.Connection, session: requests.Session) -> int:
    sent = {number for (number,) in db.execute("SELECT number FROM sent")}
    pushed = 0
    batch: list[dict[str, str | None]] = []
    for row in read_orders(path):
        if is_ready(row) and row["Name"] not in sent:
            batch.append(to_slip(row))
        if len(batch) == BATCH_SIZE:
            pushed += push(session, url, db, batch)
            batch = []
    if batch:
        pushed += push(session, url, db, batch)
    return pushed


def main(path: str, url: str, database: str) -> int:
    with closing(sqlite3.connect(database)) as db, requests.Session() as session:
        db.execute("CREATE TABLE IF NOT EXISTS sent (number TEXT PRIMARY KEY)")
        session.headers["access_key"] = os.environ["GSS_KEY"]
        print(f"{push_all(path, url, db, session)} orders pushed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:4]))

"""What GSS should hold, from the shop double's own state, held against what the sandbox has. Knows no decision of ours.

A slip says in delvref which order and part it is of, so nothing here depends on how numbers are made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from connector.ledger.connection import Ledger
from tests.live.shops import BusyShop, BusyShopify

REFERENCE = "{id}/{part}"
"""The template of delvref."""

Key = tuple[str, str]


class Parcel(msgspec.Struct, frozen=True):
    """Where to, and what."""

    line1: str
    city: str
    goods: Mapping[str, int]


class Wanted(msgspec.Struct, frozen=True):
    """What the shop says now of an order's part.

    parcel  None: nothing is to be sent; waits  it is only on hold
    """

    parcel: Parcel | None = None
    waits: bool = False


class Faults(msgspec.Struct):
    """What is wrong at GSS, a sentence each.

    missed   to be sent and not there; doubled  there twice; wrong  there as it once was
    left     there, though nothing is to be sent; untold  ticketed, then changed, and nobody is told
    """

    missed: list[str] = []
    doubled: list[str] = []
    wrong: list[str] = []
    left: list[str] = []
    untold: list[str] = []

    def count(self) -> Counter[str]:
        return Counter({name: len(getattr(self, name)) for name in self.__struct_fields__})

    def all(self) -> list[str]:
        """A line each."""
        return [f"{name}: {text}" for name in self.__struct_fields__ for text in getattr(self, name)]


def wanted(shop: BusyShop) -> dict[Key, Wanted]:
    """Of every order the shop still has, by its id and part."""
    if isinstance(shop, BusyShopify):
        return {
            key: Wanted(_parcel(said["line1"], said["city"], said["quantities"]) if said["ships"] else None,
                        said["status"] == "ON_HOLD")
            for key, said in shop.now_holds().items()
        }  # fmt: skip
    return {
        (order_id, ""): Wanted(_parcel(said.line1, said.city, said.quantities) if said.ships else None)
        for order_id, said in shop.now_holds().items()
    }


def _parcel(line1: str, city: str, goods: Mapping[str, int]) -> Parcel:
    return Parcel(line1.casefold(), city.casefold(), {sku: count for sku, count in goods.items() if count})


def faults(shop: BusyShop, at_gss: list[dict[str, Any]], left_alone: set[Key], ledger: Ledger) -> Faults:
    """left_alone  parts that were sent by another way: their slips stay as they are, whatever the shop says"""
    found = Faults()
    asked = wanted(shop)
    there: dict[Key, list[dict[str, Any]]] = {}
    for record in at_gss:
        if record["state"] != "deleted":
            there.setdefault(_key(record), []).append(record)
        if record["labels"] > 1:
            found.doubled.append(f"{record['number']} was ticketed {record['labels']} times")
    alerts = _late(ledger)
    for key in asked.keys() | there.keys():
        records = there.get(key, [])
        if len(records) > 1:
            found.doubled.append(f"{key} is {[record['number'] for record in records]}")
        if key in left_alone:
            continue
        _judge(found, key, asked.get(key, Wanted()), records, key in alerts)
    return found


def _judge(found: Faults, key: Key, want: Wanted, records: list[dict[str, Any]], is_told: bool) -> None:
    if not records:
        if want.parcel is not None:
            found.missed.append(f"{key}")
        return
    if want.waits:
        return
    sent = _sent(records[0])
    if records[0]["state"] == "processed":
        if sent != want.parcel and not is_told:
            found.untold.append(f"{key} left as {sent}, wanted is {want.parcel}")
    elif want.parcel is None:
        found.left.append(f"{key} as {sent}")
    elif sent != want.parcel:
        found.wrong.append(f"{key} as {sent}, wanted is {want.parcel}")


def _key(record: dict[str, Any]) -> Key:
    order_id, _, part = str(record["sent"]["delvref"]).partition("/")
    return order_id, part


def _sent(record: dict[str, Any]) -> Parcel:
    body = record["sent"]
    goods: Counter[str] = Counter()
    for product in body.get("products") or ():
        goods[product["productcode"]] += int(product["units"])
    return _parcel(body["address2"] or body["address1"], body["city"], goods)


def _late(ledger: Ledger) -> set[Key]:
    """Parts that the ledger calls late, with an open alert that says so."""
    rows = ledger.db.execute(
        "SELECT s.order_id, s.part FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1"
        " JOIN alerts a ON a.slip_id = s.id AND a.kind = 'late' AND a.closed_at IS NULL WHERE v.state = 'late'"
    )
    return {(row[0], row[1]) for row in rows}

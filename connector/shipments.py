"""Which part of its order a shipment is: once the ledger knows it, the same for ever (failures.md T11). Writes nothing.

A source can't tell: which shipments of an order a shop shows hangs on what the app may see and on who ships them, so
the first of them may be another one tomorrow.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from connector.ledger.known import Key, shipments_known
from connector.order import Order


def settled(db: sqlite3.Connection, store: str, orders: Sequence[Order]) -> tuple[Order, ...]:
    """The orders, each under the part that its shipment has in the ledger of this store."""
    ids = list(dict.fromkeys(order.id for order in orders if order.shipment))
    return under_known_parts(orders, shipments_known(db, store, ids)) if ids else tuple(orders)


def under_known_parts(orders: Sequence[Order], known: Mapping[Key, str]) -> tuple[Order, ...]:
    """The orders, a shipment that is known under its known part. known  the shipment of each known part.

    A new one keeps the part it came with, unless that is another shipment's: then it is named by its own key.
    """
    shipments = dict(known)
    parts = {(order_id, shipment): part for (order_id, part), shipment in known.items()}
    found: list[Order] = []
    for order in orders:
        if order.shipment:
            key = order.id, order.shipment
            if key not in parts:
                is_free = shipments.get((order.id, order.part), order.shipment) == order.shipment
                parts[key] = order.part if is_free else order.shipment
                shipments[order.id, parts[key]] = order.shipment
            order = replace(order, part=parts[key])
        found.append(order)
    return tuple(found)

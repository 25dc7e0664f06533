"""Which orders a person means by a name: one rule for all commands. Reads; decides nothing else.

A shop may count its orders for people (WooCommerce's Sequential Order Numbers), and then the number of one order is the
id of another. So a name is looked for in steps, and the first that finds any ends the search, in each store by itself.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from connector.packing_slip import number_key

ID: Final = "id:"
"""What a name begins with that is an id and nothing else, for two orders of one number."""

_CALLED: Final = """
WITH called (step, store, order_id, part) AS (
    SELECT 1, store, order_id, part FROM slips WHERE number_key = :key
    UNION ALL SELECT 2, store, order_id, part FROM slips WHERE order_number = :number
    UNION ALL SELECT 2, store, order_id, part FROM passed_over WHERE order_number = :number
    UNION ALL SELECT 3, store, order_id, part FROM slips WHERE order_id = :id
    UNION ALL SELECT 3, store, order_id, part FROM passed_over WHERE order_id = :id
)
SELECT DISTINCT store, order_id, part FROM called WHERE (:store IS NULL OR store = :store)
AND (store, step) IN (SELECT store, min(step) FROM called GROUP BY store) ORDER BY store, order_id, part
"""


class Called(msgspec.Struct, frozen=True):
    """An order, or a part of one, by its identity."""

    store: str
    order_id: str
    part: str


def called(db: sqlite3.Connection, name: str, store: str | None = None) -> list[Called]:
    """What is known by this slip number; where there is none by this order number; where there is none by this id, or
    by `id:` before it. Several where parts, stores or two orders of a shop share it; store: only this one's."""
    is_id = name.startswith(ID)
    asked = {
        "key": None if is_id else number_key(name) or None,  # the empty one is that of every slip without a number
        "number": None if is_id else name,
        "id": name.removeprefix(ID),
        "store": store,
    }
    return [Called(*row) for row in db.execute(_CALLED, asked)]

"""Golden pairs: a shop's body beside what is expected to come of it. GOLDEN_REWRITE=1 writes the expectations anew.

tests/golden/KIND/NAME.json is the body, NAME.expected.json the outcome of each order in it. The people are invented.
The difference that a rewrite makes is the review.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from connector import selection, slip
from connector.order import Order
from connector.selection import SelectRules, Ship
from connector.slip import Made, SlipRules
from connector.sources.json_body import NotAnOrder

FOLDER: Final = Path(__file__).resolve().parents[1] / "golden"
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


def bodies(kind: str) -> list[str]:
    """The names of a kind's pairs; an expectation whose body is gone is an error, not a leftover."""
    names = sorted(path.stem for path in (FOLDER / kind).glob("*.json") if not path.name.endswith(".expected.json"))
    widows = {path.name.removesuffix(".expected.json") for path in (FOLDER / kind).glob("*.expected.json")} - set(names)
    assert not widows, f"expectations without a body: {sorted(widows)}"
    return names


def body(kind: str, name: str) -> bytes:
    return (FOLDER / kind / f"{name}.json").read_bytes()


def check(kind: str, name: str, found: Iterable[Order | NotAnOrder]) -> None:
    """Compares the outcomes with the expected ones, or writes them down."""
    path = FOLDER / kind / f"{name}.expected.json"
    outcomes = [outcome(order) for order in found]
    if os.environ.get("GOLDEN_REWRITE") == "1":
        path.write_text(json.dumps(outcomes, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert outcomes == json.loads(path.read_text(encoding="utf-8"))


def outcome(order: Order | NotAnOrder) -> dict[str, Any]:
    """What becomes of an order by the default rules, as plain JSON."""
    if isinstance(order, NotAnOrder):
        return {"outcome": "not an order", "id": order.id, "reason": order.reason}
    key = {"id": order.id, "part": order.part, "revision": order.revision}
    decision = selection.decide(order, SelectRules(), NOW)
    if not isinstance(decision, Ship):
        return {"outcome": type(decision).__name__.lower(), **key, "reason": decision.reason}
    made = slip.make(order, SlipRules(), store="kiwi")
    if isinstance(made, Made):
        return {"outcome": "made", **key, "slip": json.loads(made.body), "receipts": [r.why for r in made.receipts]}
    return {"outcome": "held", **key, "reasons": list(made.reasons)}

"""A shop of invented people for the proofs: its export, and a newer one with edits and cancels. Knows no connector."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

COLUMNS = ("Id", "Number", "Name", "Street", "City", "Postcode", "Country", "Payment", "Status")
EDITED, CANCELLED = 0.20, 0.03


@dataclass(frozen=True)
class Shop:
    """What the shop says first and later: the street of each order by its number, None for a cancelled one."""

    first: dict[str, str | None]
    later: dict[str, str | None]

    @classmethod
    def of(cls, orders: int, chance: Random) -> Shop:
        """A shop with so many orders, a fifth of them edited and a few cancelled in its second export."""
        first: dict[str, str | None] = {f"#{number}": f"{number} Kowhai Road" for number in range(1001, 1001 + orders)}
        later = dict(first)
        for number in chance.sample(list(first), int(orders * (EDITED + CANCELLED))):
            later[number] = f"{number[1:]} Rata Street"
        changed = [number for number in first if later[number] != first[number]]
        for number in chance.sample(changed, int(orders * CANCELLED)):
            later[number] = None
        return cls(first, later)


def export(folder: Path, day: int, streets: dict[str, str | None]) -> None:
    """Put an export of that day into the folder, whole or not at all."""
    partial = folder / f"orders_2026-11-{day:02}.csv.part"
    with partial.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(COLUMNS)
        writer.writerows(_rows(streets))
    partial.rename(partial.with_suffix(""))


def _rows(streets: dict[str, str | None]) -> Iterator[tuple[str, ...]]:
    for number, street in streets.items():
        status = "unfulfilled" if street else "cancelled"
        place = (street or "1 Kowhai Road", "Hamilton", "3200", "NZ")
        yield (number[1:], number, "Aroha Example", *place, "paid", status)

"""What /metrics shows, as values: what a daemon fills in for its stores. Knows no format and no ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Spread(NamedTuple):
    """How long things took. up_to  by an upper bound in seconds, rising: how many took that long or less; total  all"""

    up_to: Mapping[float, int]
    total: int
    sum_s: float


@dataclass(frozen=True)
class StoreNumbers:
    """One store's.

    slips         by state
    oldest_owed_s how long the slip that waits longest to be sent has been owed; None where none is
    shop_to_gss   from the shop's change to GoSweetSpot's answer
    calls_left    by window ("minute", "hour"); none for a key without a budget
    failures      by kind, since the program started
    """

    store: str
    slips: Mapping[str, int] = field(default_factory=dict)
    oldest_owed_s: float | None = None
    shop_to_gss: Spread | None = None
    calls_left: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)


class Numbers(Protocol):
    """Whoever knows the stores' numbers. Called in a thread, once for each look at /metrics."""

    def numbers(self) -> Iterable[StoreNumbers]: ...

"""What the receiver has counted since it started: numbers alone, no names but stores'. Knows no format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """stored, quarantined, hints  by store; stored counts repeats and quarantined ones too
    refused      by why a delivery was not believed
    not_stored   by what kept a believed one from the disk
    answers      by status
    """

    stored: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    hints: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    not_stored: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    pings: int = 0
    cut: int = 0
    faults: int = 0

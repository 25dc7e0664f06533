"""Numbers, times and ages in words. Knows nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from connector.ledger.times import moment


def counted(number: int, noun: str) -> str:
    """ "1 order", "1,200 orders"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(counts: Mapping[str, int]) -> str:
    """ "3 held, 1 late"; "nothing" for none."""
    return ", ".join(f"{number:,} {name}" for name, number in counts.items() if number) or "nothing"


def at(stamp: str, zone: tzinfo) -> str:
    """A ledger's time in a store's zone, to the second, with the zone: "2026-11-23 22:30:00 NZDT"; "" for none."""
    return f"{moment(stamp).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" if stamp else ""


def age(since: datetime, now: datetime) -> str:
    """How long ago, in one unit: "40 s", "12 min", "3 h", "5 days"."""
    return span(now - since)


def span(length: timedelta) -> str:
    """A length of time in one unit; "0 s" for one that lies in the past."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 120 * 60:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return f"{seconds // 86_400} days"

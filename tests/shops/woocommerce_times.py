"""Times as WooCommerce reads them from a query. Knows no order."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d(?::\d\d)?)?")
"""What WordPress' rest_parse_date takes: fractions yes, a date alone and a number no (recorded: modified-after-*)."""


def read(text: str, zone: ZoneInfo, are_gmt: bool) -> datetime | None:
    """The second that a query names, aware; None where WooCommerce says "Invalid date."

    A time with a zone becomes the shop's wall time, a bare one is it already. With dates_are_gmt the wall time is then
    taken for GMT, whatever it was: so a time with a zone is converted twice (platforms.md 7, WooCommerce 3).
    """
    match = _DATE.fullmatch(text)
    if not match:
        return None
    try:
        told = datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3] or ''}")
    except ValueError:
        return None
    wall = told.astimezone(zone).replace(tzinfo=None) if told.tzinfo else told
    return wall.replace(tzinfo=UTC if are_gmt else zone).astimezone(UTC)


def gmt(at: datetime) -> str:
    """As in a _gmt field: no zone, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def local(at: datetime, zone: ZoneInfo) -> str:
    """As in a field without _gmt: the shop's wall time."""
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")

"""Where an export stands in time: by what its name says for sure, else by its file's time. Knows no folder."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

DATE: Final = re.compile(
    r"""(?<!\d) (?<!\d[-_. ]\d[-_. ]) (?<!\d[-_. ]\d\d[-_. ])
    (20\d\d) [-_.]? (0[1-9]|1[0-2]) [-_.]? (0[1-9]|[12]\d|3[01])
    (?: [-_.T\ ]* ([01]\d|2[0-3]) [-_.:h]? ([0-5]\d) (?: [-_.:]? ([0-5]\d) )? )? (?!\d)""",
    re.VERBOSE,
)
"""A date in a name, its year first, perhaps with a time: 2026-11-22, 20261122-1530, 2026-11-22_15.30.07. Not the year
of 22-11-2026_1015, whose next numbers are a time."""

TWELVE_HOURS: Final = re.compile(r"^order_export_\d{4}(-\d\d){5}|\d ?[ap]\.?m(?![a-z])", re.IGNORECASE)
"""Names whose hours go to twelve, so that 03-30 may be the afternoon: WebToffee's date('Y-m-d-h-i-s')
(order-import-export-for-woocommerce, admin/modules/export/export.php), and those that say am or pm."""

MONTH: Final = re.compile(
    r"""(?<![a-z]) (?: jan(uary)? | feb(ruary)? | mar(ch)? | apr(il)? | may | june? | july? | aug(ust)?
    | sept?(ember)? | oct(ober)? | nov(ember)? | dec(ember)? ) (?![a-z])""",
    re.VERBOSE | re.IGNORECASE,
)
"""A date in words: the numbers beside it are days and years."""

COUNTER: Final = re.compile(r"(?<!\d)(\d{1,9})(?!\d)\D*$")
"""The last number of a name."""

NO_COUNTER: Final = re.compile(r"orders_export|\d[-_. ]+\d|(?<!\d)\d{4}20\d\d(?!\d)", re.IGNORECASE)
"""Names whose last number doesn't grow from export to export. Shopify's orders_export_2 is a part of one export, the
same again next time, and its copies are orders_export_2 2 and orders_export_2-2; numbers side by side are a date, a
time or a copy's (22.11.26 10.15); 22112026 is a day."""

COPY: Final = re.compile(r"( ?\(\d+\)| copy \d+)$")
"""What browsers and desktops add when a name is taken: the number counts the folder's copies, not the exports."""


def stamp(name: str, mtime_ns: int, zone: ZoneInfo) -> str:
    """Where an export stands in time: 14 digits of the name's own date or number, then its file's time in nanoseconds.

    orders-20261122-1530.csv is "20261122153000 ...", orders-2026-11-22.csv "20261122000000 ...", export_12.csv
    "00000000000012 ..."; a name that says nothing for sure takes its file's time in the store's zone, on the same axis
    as dates but for daylight saving: a day that comes first in its date (05-11-2026) is one in Auckland and another in
    Boston. So a copy that was touched later stays an older export (C15). Text order is time order as long as a store's
    files are named in one way, dates or numbers; csv_export tells where name and time disagree.
    """
    lead = _said(COPY.sub("", Path(name).stem)) or f"{_standard_time(mtime_ns, zone):%Y%m%d%H%M%S}"
    return f"{lead} {mtime_ns:020}"


def _said(stem: str) -> str:
    """The date or number of a name as 14 digits; "" where it says none for sure."""
    if MONTH.search(stem):
        return ""
    if found := DATE.search(stem):
        sure = found.groups("00")[:3] if TWELVE_HOURS.search(stem) else found.groups("00")
        return "".join(sure).ljust(14, "0")
    found = None if NO_COUNTER.search(stem) else COUNTER.search(stem)
    return f"{int(found[1]):014}" if found else ""


def _standard_time(mtime_ns: int, zone: ZoneInfo) -> datetime:
    """The zone's time without daylight saving, with whose end its clocks go back."""
    when = datetime.fromtimestamp(mtime_ns / 1e9, zone)
    return when.replace(tzinfo=None) - (when.dst() or timedelta(0))

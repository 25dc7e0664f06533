"""Heard: what came back over the wire for one call. Knows no network, and no one's meaning of a status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

LONGEST_WAIT_S: Final = 86_400.0
"""A wait somebody asks for is believed up to a day: the number may be a mistake, and nothing would move meanwhile."""

NO_HEADERS: Final[Mapping[str, str]] = {}


class Heard(msgspec.Struct, frozen=True):
    """The raw end of one call.

    left       False only where it is certain that no byte of the call left: no name, no connection, no TLS
    fault      why there is no whole answer, as a sentence for people; "" when there is one
    too_large  the answer went on past the limit, so it was dropped
    too_late   it was not whole when the call's time was over
    status     0 where none came
    body       of the statuses the door was asked to read; b"" for others
    headers    the answer's, by name in any case; empty where none came
    """

    left: bool = True
    fault: str = ""
    too_large: bool = False
    too_late: bool = False
    status: int = 0
    body: bytes = b""
    location: str = ""
    retry_after: str = ""
    date: str = ""
    headers: Mapping[str, str] = NO_HEADERS


def retry_after_s(heard: Heard) -> float | None:
    """Seconds we are asked to wait, from 0 to a day, or None. Reads both forms of Retry-After (RFC 9110 10.2.3).

    A date is read against the answer's own Date: the two clocks need not agree.
    """
    text = heard.retry_after.strip()
    if re.fullmatch(r"[0-9]{1,20}", text):
        return min(float(text), LONGEST_WAIT_S)
    until, now = http_date(text), http_date(heard.date)
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT_S)


def http_date(text: str) -> datetime | None:
    """A date of HTTP (RFC 9110 5.6.7) as a time, aware, UTC; None for what is none, and for one of no calendar: a year
    or a zone of many digits."""
    try:
        told = parsedate_to_datetime(text)
        return told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC)  # without a zone it comes out naive; it is GMT
    except (ValueError, OverflowError):
        return None


def redirect_host(location: str) -> str:
    """Where a redirect leads, the host only: the rest of the address is not ours to show."""
    try:
        host = urlsplit(location).hostname or "another path of the same host"
    except ValueError:
        host = ""
    return host if re.fullmatch(r"[a-z0-9.:\[\] -]{1,100}", host) else "an address that can't be shown"

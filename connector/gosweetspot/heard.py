"""Heard: what came back over the wire for one call, and what its status means. Knows no network and no slips."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from connector.gosweetspot.answers import Outcome

LONGEST_WAIT_S: Final = 86_400.0
"""A wait GSS asks for is believed up to a day: the number may be a mistake, and nothing would be sent meanwhile."""


class Heard(msgspec.Struct, frozen=True):
    """The raw end of one call.

    left      False only where it is certain that no byte of the call left: no name, no connection, no TLS
    fault     why there is no whole answer, as a sentence for people; "" when there is one
    status    0 where none came; body is read for 200 and 201 only
    """

    left: bool = True
    fault: str = ""
    status: int = 0
    body: bytes = b""
    location: str = ""
    retry_after: str = ""
    date: str = ""


_BY_STATUS: Final = {
    200: Outcome.ANSWERED,
    201: Outcome.ANSWERED,
    400: Outcome.REJECTED,
    401: Outcome.UNAUTHORISED,
    403: Outcome.UNAUTHORISED,
    409: Outcome.REJECTED,
    413: Outcome.REJECTED,
    414: Outcome.REJECTED,
    415: Outcome.REJECTED,
    422: Outcome.REJECTED,
    429: Outcome.THROTTLED,
    500: Outcome.SERVER_ERROR,
}
"""Any other is UNKNOWN: 202 promises, 206 is a part, 203 is somebody else's, 502 to 504 are a proxy's (A21, S20)."""

_NOTES: Final = {
    Outcome.REJECTED: "GoSweetSpot refused the whole call (HTTP {status}).",
    Outcome.UNAUTHORISED: (
        "GoSweetSpot does not accept the key (HTTP {status}). Check access_key and site_id; a company proxy that drops "
        "headers with an underscore looks the same."
    ),
    Outcome.THROTTLED: "GoSweetSpot asks us to slow down (HTTP {status}).",
    Outcome.SERVER_ERROR: "GoSweetSpot had an error of its own (HTTP {status}).",
    Outcome.UNKNOWN: "HTTP {status} came, which is no answer to this call.",
}


def outcome_of(heard: Heard) -> Outcome:
    """What the call came to, before its body is read."""
    if not heard.left:
        return Outcome.NOT_SENT
    if heard.fault:
        return Outcome.UNKNOWN
    return _BY_STATUS.get(heard.status, Outcome.UNKNOWN)


def note_of(heard: Heard) -> str:
    """The sentence for people about a call without a usable answer; nothing GSS wrote is quoted in it."""
    if heard.fault:
        return heard.fault
    if 300 <= heard.status < 400 and heard.location:
        return (
            f"A redirect (HTTP {heard.status}) to {_host_of(heard.location)} came instead of an answer. It was not "
            "followed, so that the key goes nowhere else. Check url."
        )
    if heard.status == 404:
        return "There is no customer-orders service at this address (HTTP 404). Check url."
    return _NOTES[outcome_of(heard)].format(status=heard.status)


def _host_of(location: str) -> str:
    """The host only: the rest of the address is not ours to show."""
    try:
        host = urlsplit(location).hostname or "another path of the same host"
    except ValueError:
        host = ""
    return host if re.fullmatch(r"[a-z0-9.:\[\] -]{1,100}", host) else "an address that can't be shown"


def retry_after_s(heard: Heard) -> float | None:
    """Seconds GSS asked us to wait, from 0 to a day, or None. Reads both forms of Retry-After (RFC 9110 10.2.3).

    A date is read against the answer's own Date: the two clocks need not agree.
    """
    text = heard.retry_after.strip()
    if re.fullmatch(r"[0-9]{1,20}", text):
        return min(float(text), LONGEST_WAIT_S)
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(heard.date)
    except ValueError:
        return None
    # A date without a zone comes out naive; HTTP dates are GMT.
    wait = until.replace(tzinfo=until.tzinfo or UTC) - now.replace(tzinfo=now.tzinfo or UTC)
    return min(max(wait.total_seconds(), 0.0), LONGEST_WAIT_S)

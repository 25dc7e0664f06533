"""What a call to GSS came to, by what was heard of it. Knows no network and no slips."""

from __future__ import annotations

from typing import Final

from connector.gosweetspot.answers import Outcome
from connector.wire.heard import Heard, redirect_host

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
            f"A redirect (HTTP {heard.status}) to {redirect_host(heard.location)} came instead of an answer. It was "
            "not followed, so that the key goes nowhere else. Check url."
        )
    if heard.status == 404:
        return "There is no customer-orders service at this address (HTTP 404). Check url."
    return _NOTES[outcome_of(heard)].format(status=heard.status)

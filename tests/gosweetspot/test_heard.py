"""What a status means for the whole call, and how long GSS asks us to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.gosweetspot.answers import Outcome
from connector.gosweetspot.heard import note_of, outcome_of
from connector.wire.heard import Heard, retry_after_s

MONDAY = "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *[(status, Outcome.ANSWERED) for status in (200, 201)],
        *[(status, Outcome.REJECTED) for status in (400, 409, 413, 414, 415, 422)],
        *[(status, Outcome.UNAUTHORISED) for status in (401, 403)],
        (429, Outcome.THROTTLED),
        (500, Outcome.SERVER_ERROR),
    ],
)
def test_S15_S16_S17_S18_each_status_that_says_something_has_its_outcome(status: int, outcome: Outcome) -> None:
    assert outcome_of(Heard(status=status)) is outcome


@pytest.mark.parametrize(
    "status", [100, 202, 203, 204, 205, 206, 207, 226, 300, 304, 404, 405, 408, 501, 502, 503, 504, 520]
)
def test_S20_A21_every_other_status_is_unknown_and_says_so(status: int) -> None:
    assert outcome_of(Heard(status=status)) is Outcome.UNKNOWN
    assert str(status) in note_of(Heard(status=status))


def test_what_never_left_is_not_sent_and_what_broke_is_unknown_whatever_its_status() -> None:
    assert outcome_of(Heard(left=False, fault="no")) is Outcome.NOT_SENT
    assert outcome_of(Heard(status=200, fault="cut off")) is Outcome.UNKNOWN
    assert note_of(Heard(status=200, fault="cut off")) == "cut off"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://login.example/path?key=secret", "login.example"),
        ("http://user:secret@other.example:81/", "other.example"),
        ("/secret", "another path of the same host"),
        ("https://[bad/secret", "an address that can't be shown"),
        ("https://\x1b[31msecret\u0101/", "an address that can't be shown"),
        ("https://" + "x" * 101, "an address that can't be shown"),
    ],
)
def test_S9_a_redirects_note_shows_the_host_and_nothing_else(location: str, host: str) -> None:
    note = note_of(Heard(status=302, location=location))
    assert note == (
        f"A redirect (HTTP 302) to {host} came instead of an answer. It was not followed, "
        "so that the key goes nowhere else. Check url."
    )


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 20, 86_400.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Mon, 23 Nov 2026 10:02:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 10:02:00 -0000", 120.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2126 10:00:00 GMT", 86_400.0),
        ("Mon, 23 Nov 99999999999999999999 10:00:00 GMT", None),
        ("Mon, 23 Nov 2026 10:00:00 +99999999999999", None),
    ],
)
def test_S15_the_wait_gss_asks_for_is_read_in_both_forms(text: str, wait_s: float | None) -> None:
    assert retry_after_s(Heard(status=429, retry_after=text, date=MONDAY)) == wait_s


def test_S15_a_date_to_wait_for_means_nothing_without_gsss_own_date() -> None:
    assert retry_after_s(Heard(status=429, retry_after=MONDAY)) is None


@pytest.mark.parametrize("skew", ["1970", "2026", "2050"])
def test_H7_a_date_to_wait_for_is_read_by_the_answers_own_clock_whatever_ours_or_theirs_says(skew: str) -> None:
    """GSS's clock may stand anywhere; the two stamps of one answer are two minutes apart all the same."""
    date = f"Mon, 23 Nov {skew} 10:00:00 GMT"
    until = f"Mon, 23 Nov {skew} 10:02:00 GMT"
    assert retry_after_s(Heard(status=429, retry_after=until, date=date)) == 120.0


@given(st.text(), st.text() | st.just(MONDAY), st.text())
def test_any_header_is_read_without_an_error(retry_after: str, date: str, location: str) -> None:
    heard = Heard(status=302, retry_after=retry_after, date=date, location=location)
    wait_s = retry_after_s(heard)
    assert wait_s is None or 0 <= wait_s <= 86_400
    assert note_of(heard)

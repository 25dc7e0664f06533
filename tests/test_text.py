"""The one cleaning rule, and text made safe for terminals."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.text import clean, for_terminal, is_loss, shortened


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("12 Queen Street", "12 Queen Street"),
        ("  12   Queen\tStreet ", "12 Queen Street"),
        ("Whangārei", "Whangārei"),
        ("Whanga\u0304rei", "Whangārei"),
        ("12\u00a0Queen\u3000Street", "12 Queen Street"),
        ("O&#8217;Conner &amp; Sons", "O’Conner & Sons"),
        ("R&D Lane", "R&D Lane"),
        ("&amp;amp;", "&amp;"),
        ("Leave at door.\r\nThanks", "Leave at door. Thanks"),
        ("Unit 4\n\n12 Queen St\n", "Unit 4, 12 Queen St"),
        ("東京都渋谷区", "東京都渋谷区"),
        ("㈱山田 № 5", "㈱山田 № 5"),
        ("شارع الشيخ زايد", "شارع الشيخ زايد"),
    ],
)
def test_text_is_cleaned_by_one_rule(typed: str, printed: str) -> None:
    assert clean(typed) == printed


@pytest.mark.parametrize(
    "typed", ["", " ", "NULL", "null", "-", "--", ".", " . ", "n/a", "N/A", "none", "\u200b", "\n", "😀"]
)
def test_words_that_say_nothing_count_as_empty(typed: str) -> None:
    assert clean(typed) == ""


@pytest.mark.parametrize("typed", ["Nullarbor", "A", "5", "test", "NA", "王", "C/- Jo"])
def test_short_words_that_say_something_stay(typed: str) -> None:
    assert clean(typed) == typed


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Jo 🎉🎉 Bell", "Jo Bell"),
        ("\u2764\ufe0f love", "love"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 family", "family"),
        ("\U0001f1f3\U0001f1ff Kiwi", "Kiwi"),
        ("a\ud800b", "ab"),
        ("\u202eevil\u202c", "evil"),
        ("a\x00\x07b\x1b[31m", "ab[31m"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
    ],
)
def test_T4_emoji_surrogates_control_and_bidi_characters_are_taken_out(typed: str, printed: str) -> None:
    assert clean(typed) == printed
    clean(typed).encode("utf-8")
    assert is_loss(typed, printed)


@given(st.text(st.characters(exclude_categories=[]), max_size=60))
def test_T4_whatever_comes_the_result_is_printable_and_clean_already(text: str) -> None:
    once = clean(text)
    once.encode("utf-8")
    assert once.isprintable()
    assert clean(once.replace("&", "")) == clean(clean(once.replace("&", "")))
    assert once == once.strip()
    assert "  " not in once


def test_white_space_alone_is_no_loss() -> None:
    assert not is_loss("12  Queen ", "12 Queen")
    assert is_loss("Jo 🎉", "Jo")


def test_a_long_text_is_cut_between_words() -> None:
    assert shortened("leave it behind the blue shed", 20) == "leave it behind the"
    assert shortened("leave it", 8) == "leave it"
    assert shortened("x" * 30, 10) == "x" * 10


@given(st.text(max_size=80), st.integers(1, 40))
def test_a_shortened_text_fits_and_is_a_beginning(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    assert text.startswith(short)


def test_SEC25_nothing_shown_on_a_terminal_can_steer_it() -> None:
    shown = for_terminal("\x1b[31mred\x1b]0;title\x07 \u202eevil\r\n\x9b2J")
    assert shown.isprintable()
    assert shown == r"\x1b[31mred\x1b]0;title\x07 \u202eevil\r\n\x9b2J"
    assert for_terminal("Whangārei 東京") == "Whangārei 東京"


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_SEC25_every_text_becomes_printable(text: str) -> None:
    assert for_terminal(text).isprintable()


_HOSTILE = ["&" * 100_000, "&#" * 50_000, "\u0301\u0316" * 50_000, "\r" * 100_000, " \u200b" * 50_000, "😀" * 100_000]


@pytest.mark.parametrize("text", _HOSTILE, ids=["ampersands", "entities", "marks", "breaks", "spaces", "pictures"])
def test_SEC37_cleaning_grows_with_the_text_and_not_faster(text: str) -> None:
    eighth = text[: len(text) // 8]
    assert _seconds(text) < 24 * max(_seconds(eighth), 0.001)  # 8 times if linear, 64 times if quadratic


def _seconds(text: str) -> float:
    def once() -> float:
        start = time.thread_time()
        clean(text)
        return time.thread_time() - start

    return min(once() for _ in range(3))

"""`connector init`: writes a store file from options or answers, and overwrites nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from connector import first_store
from tests.commands.desk import Desk

GIVEN = ("--path", "exports/*.csv", "--dialect", "shopify", "--key", "env:DESK_KEY")


def test_options_make_a_store_that_checks_out(desk: Desk) -> None:
    (desk.folder / "exports").mkdir()
    said = desk("init", "moa", *GIVEN, "--url", desk.url, "--timezone", "Australia/Sydney")
    assert (said.code, said.out) == (0, "config/moa.toml is written. Next: connector check moa\n")
    assert desk("check", "moa").code == 0


def test_an_existing_store_is_left_alone(desk: Desk) -> None:
    file = desk.store()
    before = file.read_text()
    said = desk("init", "kiwi", *GIVEN)
    assert (said.code, "there is such a store already" in said.err) == (2, True)
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (("moa", "--path", "x.csv"), "--dialect shopify"),
        (("moa", "--source", "csv"), "--path 'exports/*.csv' --dialect shopify"),
        (("moa", "--source", "woocommerce"), "--shop https://kiwi.example"),
        (("moa", "--shop", "moa.myshopify.com"), "--client-id ID"),
        (("moa",), "--source woocommerce"),
        ((), "NAME --source woocommerce"),
    ],
)
def test_without_a_terminal_it_says_what_is_missing(
    desk: Desk, words: tuple[str, ...], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    said = desk("init", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err == f"connector: nobody is there to be asked. Say what is missing, as in: {missing}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("Kiwi!", *GIVEN), '"Kiwi!" is no name for a store. Use a-z, 0-9 and -'),
        (("moa", "--source", "wocommerce"), 'no such source: wocommerce. Did you mean "woocommerce"?'),
        (
            ("moa", "--source", "woocommerce", "--path", "x"),
            "--path goes with --source csv, and this one is woocommerce",
        ),
        (
            ("moa", "--client-id", "1", "--dialect", "shopify"),
            "--client-id goes with --source shopify, and this one is csv",
        ),
        (
            ("moa", "--source", "woocommerce", "--shop", "https://moa.example", "--url", "https://moa.example"),
            "--url is GoSweetSpot's address, and this is neither GoSweetSpot nor this machine",
        ),
    ],
)
def test_options_that_cannot_be_meant_are_refused_and_nothing_is_written(
    desk: Desk, words: tuple[str, ...], told: str
) -> None:
    said = desk("init", *words)
    assert (said.code, told in said.err) == (2, True), said.err
    assert list((desk.folder / "config").iterdir()) == []


def test_a_kind_that_another_package_brings_is_told_apart_from_a_wrong_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_store, "kinds", lambda: ["csv", "magento", "shopify", "woocommerce"])
    said = desk("init", "moa", "--source", "magento")
    assert (said.code, "no first file can be written for a source of kind magento" in said.err) == (2, True)


def test_it_says_which_secrets_are_not_there_yet_and_where_they_are_found(desk: Desk) -> None:
    said = desk("init", "moa", "--source", "woocommerce", "--shop", "https://moa.example", "--key", "env:DESK_KEY")
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        "config/moa.toml is written. Still to be put where it says:",
        "  env:MOA_WOO_KEY",
        "      WooCommerce > Settings > Advanced > REST API > Add key, permissions: Read",
        "  env:MOA_WOO_SECRET",
        "      shown together with the consumer key, once",
        "Then: connector check moa",
    ]


def test_a_sandboxs_key_is_not_looked_for_in_gosweetspot(desk: Desk) -> None:
    said = desk("init", "moa", "--path", "exports/*.csv", "--dialect", "shopify", "--url", "http://127.0.0.1:8750")
    assert said.out.splitlines()[1:3] == ["  env:MOA_GSS_TEST_KEY", "      the sandbox shows its key when it starts"]


def test_for_programs_it_says_the_path(desk: Desk) -> None:
    assert desk("--json", "init", "moa", *GIVEN).value == "config/moa.toml"


def test_no_answer_at_a_question_writes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    said = desk("init", "moa")
    assert (said.code, "no answer came, so nothing was written" in said.err) == (2, True)
    assert list((desk.folder / "config").iterdir()) == []


def test_on_a_terminal_it_asks_for_all_but_the_name_given(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answers: Iterator[str] = iter(["csv", "exports/moa", "woocommerce", desk.url, "env:MOA_TEST_KEY", "", ""])

    def answer(question: str) -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    said = desk("init", "moa")
    assert said.code == 0
    assert asked[:2] == [
        "Where the orders are [woocommerce]: ",
        "Where the exports are (a folder, a file, or exports/*.csv) [exports/*.csv]: ",
    ]
    assert 'dialect = "woocommerce"' in (desk.folder / "config" / "moa.toml").read_text()


def test_a_name_that_is_taken_is_told_before_anything_is_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail(question))
    said = desk("init", "kiwi")
    assert (said.code, "there is such a store already" in said.err, said.out) == (2, True, "")


def test_a_question_broken_off_writes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", leave)
    assert desk("init", "moa").code == 130
    assert list((desk.folder / "config").iterdir()) == []

"""`connector init`: writes a store file from options or answers, and overwrites nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

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


def test_without_a_terminal_it_says_what_is_missing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    said = desk("init", "moa", "--path", "x.csv")
    assert said.code == 2
    assert "connector init --dialect ... --key ..." in said.err
    assert "connector init NAME --path" in desk("init").err


def test_on_a_terminal_it_asks_for_all_but_the_name_given(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answers: Iterator[str] = iter(["exports/moa", "woocommerce", desk.url, "env:MOA_TEST_KEY", "", ""])

    def answer(question: str) -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    said = desk("init", "moa")
    assert said.code == 0
    assert asked[0].startswith("Where the exports are")
    assert 'dialect = "woocommerce"' in (desk.folder / "config" / "moa.toml").read_text()


def test_a_question_broken_off_writes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", leave)
    assert desk("init", "moa").code == 130
    assert list((desk.folder / "config").iterdir()) == []

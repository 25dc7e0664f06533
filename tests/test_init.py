"""`connector init`: a first store file that loads as it is, and with every line it offers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config import ConfigError, load_stores
from connector.init import DIALECTS, Answers, ask, write_store_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIWI_GSS_KEY", "abcDEF123")
    return tmp_path / "config"


def written(folder: Path, name: str = "kiwi", path: str = "exports/*.csv", **more: str) -> Path:
    said = {"dialect": "shopify", "key_reference": "env:KIWI_GSS_KEY"} | more
    return write_store_file(folder, name, path=path, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_for_each_dialect_loads_and_passes_the_check(folder: Path, dialect: str) -> None:
    file = written(folder, dialect=dialect)
    [store] = load_stores(folder)
    assert (store.path, store.source_options.dialect) == (file, dialect)
    assert store.source_options.path == "exports/*.csv"


def test_every_line_it_offers_loads_when_its_mark_is_taken_away(folder: Path) -> None:
    file = written(folder)
    text, count = re.subn(r"(?m)^# ([a-z_]+ = )", r"\1", file.read_text())
    assert count > 12
    file.write_text(text)
    [store] = load_stores(folder)
    assert store.slip.prefix == "KIWI-"
    assert store.gosweetspot.site_id == 4180


def test_what_was_answered_is_what_the_file_says(folder: Path) -> None:
    write_store_file(
        folder,
        "3pl-tui",
        path="/srv/exports",
        dialect="woocommerce",
        key_reference="env:KIWI_GSS_KEY",
        url="http://127.0.0.1:8765",
        site_id=41,
        timezone="Australia/Sydney",
    )
    [store] = load_stores(folder)
    assert store.gosweetspot.destination == "http://127.0.0.1:8765 site 41"
    assert (store.gosweetspot.mode, store.schedule.timezone) == ("test", "Australia/Sydney")
    assert store.source_options.path == "/srv/exports"


@pytest.mark.parametrize(
    "path",
    [
        'a"b',
        "a\\b",
        "\x7f",
        'x"\naccess_key = "y',
        "{path}",
        "@PATH@ %s ${HOME}",
        "caf\u00e9/*.csv",
        "a\tb",
        "# x",
        "'''",
    ],
)
def test_SEC36_an_answer_stays_one_value_whatever_is_in_it(folder: Path, path: str) -> None:
    written(folder, path=path)
    [store] = load_stores(folder)
    assert store.source_options.path == path
    assert store.gosweetspot.access_key.place == "KIWI_GSS_KEY"


def test_G9_the_file_and_its_folder_are_their_owners_alone(folder: Path) -> None:
    previous = os.umask(0)
    try:
        file = written(folder)
    finally:
        os.umask(previous)
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_there_is_never_written_over(folder: Path) -> None:
    file = written(folder)
    file.write_text("mine")
    with pytest.raises(ConfigError, match="there is such a store already"):
        written(folder)
    assert file.read_text() == "mine"
    assert [entry.name for entry in folder.iterdir()] == ["kiwi.toml"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "Kiwi Shop"}, "is no name for a store"),
        ({"name": "../kiwi"}, "is no name for a store"),
        ({"dialect": "magento"}, "is not known here"),
        ({"key_reference": "abcDEF123"}, "no reference to a secret"),
        ({"url": "http://api.gosweetspot.com"}, "is not https"),
        ({"timezone": "Aukland"}, "Did you mean"),
        ({"source": "other"}, "no kind of source that is installed"),
    ],
)
def test_nothing_is_written_that_could_not_be_read_back(folder: Path, wrong: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        written(folder, **wrong)
    assert "abcDEF123" not in str(caught.value)
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"can't be written \(not a directory\)"):
        written(tmp_path / "file" / "config")


def person(*answers: str) -> Callable[[str, str], str]:
    """Somebody who types these answers, then nothing but Enter."""
    left = list(answers)
    return lambda question, default: left.pop(0) if left else ""


def test_enter_alone_makes_a_store_that_loads(folder: Path) -> None:
    answers = ask(person(), lambda line: None)
    write_store_file(folder, **answers._asdict())
    [store] = load_stores(folder)
    assert (store.name, str(store.gosweetspot.access_key)) == ("kiwi", "env:KIWI_GSS_KEY")


def test_a_sandboxs_key_has_a_name_that_says_so() -> None:
    answers = ask(person("9-lives", "", "", "http://127.0.0.1:8765/"), lambda line: None)
    assert answers == Answers(
        name="9-lives",
        path="exports/*.csv",
        dialect="shopify",
        url="http://127.0.0.1:8765",
        key_reference="env:STORE_9_LIVES_GSS_TEST_KEY",
        site_id=None,
        timezone="Pacific/Auckland",
    )


def test_a_wrong_answer_is_explained_and_asked_again() -> None:
    said: list[str] = []
    wrong = ("Kiwi!", "kiwi", "a\nb", "x", "magento", "shopify", "http://x", "", "CanaryKey", "", "x", "41", "Mars", "")
    answers = ask(person(*wrong), said.append)
    assert answers.site_id == 41
    assert "That is no name for a store. Use a-z, 0-9 and -, at most 40 of them, as in kiwi-shop." in said
    assert any(line.startswith("No: this is no reference to a secret") for line in said)
    assert not any("CanaryKey" in line for line in said)


def test_three_wrong_answers_end_it() -> None:
    with pytest.raises(ConfigError, match="no answer to be used: Name of the store"):
        ask(person("A!", "B!", "C!"), lambda line: None)

"""`connector init`: a first store file that loads as it is, and with every line it offers."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector import init
from connector.config import ConfigError, load_stores
from connector.first_questions import DIALECTS, ask
from connector.sources.registry import OWN, source_class
from connector.store_text import KINDS, NewStore, store_text
from connector.store_values import duration

WOO = {"url": "https://kiwi.example", "consumer_key": "env:KIWI_WOO_KEY", "consumer_secret": "file:woo.key"}
SHOPIFY = {
    "shop": "kiwi.myshopify.com",
    "client_id": "4f2c9ab1d0e84c7fb6a35e21c8d97f60",
    "client_secret": "env:KIWI_SECRET",
}
TOKEN = {"shop": "kiwi.myshopify.com", "access_token": "env:KIWI_TOKEN"}
CSV = {"path": "exports/*.csv", "dialect": "shopify"}
LIVE = [("woocommerce", WOO), ("shopify", SHOPIFY), ("shopify", TOKEN)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIWI_GSS_KEY", "abcDEF123")
    return tmp_path / "config"


def written(folder: Path, kind: str = "csv", source: dict[str, str] = CSV, **more: Any) -> Path:
    new = NewStore("kiwi", kind, source, "env:KIWI_GSS_KEY")._replace(**more)
    return init.write_store_file(folder, new).path


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_for_each_dialect_loads_and_passes_the_check(folder: Path, dialect: str) -> None:
    file = written(folder, source=CSV | {"dialect": dialect})
    [store] = load_stores(folder)
    assert (store.path, store.source_options.dialect) == (file, dialect)
    assert store.source_options.path == "exports/*.csv"


@pytest.mark.parametrize(("kind", "source"), LIVE)
def test_a_file_for_each_live_shop_loads_and_says_what_was_answered(
    folder: Path, kind: str, source: dict[str, str]
) -> None:
    written(folder, kind, source)
    [store] = load_stores(folder, secrets=False)
    assert store.source_kind == kind
    assert {key: str(getattr(store.source_options, key)) for key in source} == source


@pytest.mark.parametrize(("kind", "source"), [("csv", CSV), *LIVE])
def test_every_line_it_offers_loads_when_its_mark_is_taken_away(
    folder: Path, kind: str, source: dict[str, str]
) -> None:
    file = written(folder, kind, source)
    text, count = re.subn(r"(?m)^# ([a-z_]+ = )", r"\1", file.read_text())
    assert count > 12
    file.write_text(text)
    [store] = load_stores(folder, secrets=False)
    assert store.slip.prefix == "KIWI-"
    assert store.gosweetspot.site_id == 4180


@pytest.mark.parametrize(("kind", "source"), LIVE)
def test_a_live_shops_file_shows_each_option_of_its_source(kind: str, source: dict[str, str]) -> None:
    text = store_text(NewStore("kiwi", kind, source, "env:KIWI_GSS_KEY"))
    others = {"access_token", "client_id", "client_secret", *(["url"] if kind == "shopify" else [])}
    options = [key for key in source_class(kind).options().model_fields if key not in others]
    assert [key for key in options if not re.search(rf"(?m)^(# )?{key} = ", text)] == []


@pytest.mark.parametrize(("kind", "source"), LIVE)
def test_what_stands_behind_a_mark_is_the_default(kind: str, source: dict[str, str]) -> None:
    """But for lists and texts that have none: those are examples."""
    text = store_text(NewStore("kiwi", kind, source, "env:KIWI_GSS_KEY")).partition("[gosweetspot]")[0]
    shown = tomllib.loads("\n".join(re.findall(r"(?m)^# ([a-z_]+ = .*)$", text)))
    model = source_class(kind).options()
    for key, value in shown.items():
        default = model.model_fields[key].get_default()
        if isinstance(default, timedelta):
            assert duration(value) == default, key
        elif isinstance(default, str | int):
            assert value == default, key


def test_a_file_can_be_written_for_every_kind_of_our_own() -> None:
    assert set(KINDS) == set(OWN) - {"inbox"}, "the paths of a shop of one's own are nobody's to guess"


@pytest.mark.parametrize(("kind", "source"), [("csv", CSV), *LIVE])
def test_no_line_of_a_file_is_longer_than_a_screen_is_wide(kind: str, source: dict[str, str]) -> None:
    text = store_text(NewStore("kiwi", kind, source, "env:KIWI_GSS_KEY"))
    assert [line for line in text.splitlines() if len(line) > 120] == []


def test_what_was_answered_is_what_the_file_says(folder: Path) -> None:
    source = {"path": "/srv/exports", "dialect": "woocommerce"}
    url = "http://127.0.0.1:8765"
    written(folder, name="3pl-tui", source=source, url=url, site_id=41, timezone="Australia/Sydney")
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
    written(folder, source=CSV | {"path": path})
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
        ({"source": CSV | {"dialect": "magento"}}, "is not known here"),
        ({"key_reference": "abcDEF123"}, "no reference to a secret"),
        ({"url": "http://api.gosweetspot.com"}, "is not https"),
        ({"timezone": "Aukland"}, "Did you mean"),
        ({"kind": "woocommerce", "source": WOO | {"url": "kiwi"}}, "is no web address"),
        ({"kind": "woocommerce", "source": WOO | {"consumer_key": "abcDEF123"}}, "no reference to a secret"),
        ({"kind": "shopify", "source": SHOPIFY | {"shop": "kiwi.example"}}, "myshopify.com"),
    ],
)
def test_nothing_is_written_that_could_not_be_read_back(folder: Path, wrong: dict[str, Any], words: str) -> None:
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


def asked(*answers: str, **given: str) -> NewStore:
    return ask(person(*answers), lambda line: None, given)


@pytest.mark.parametrize("kind", KINDS)
def test_enter_alone_makes_a_store_that_loads(folder: Path, kind: str) -> None:
    """But for the ID of a Shopify app, which nobody can guess."""
    init.write_store_file(folder, asked("", kind, *["", "4f2c9ab1d0e84c7fb6a35e21c8d97f60"] * (kind == "shopify")))
    [store] = load_stores(folder, secrets=False)
    assert (store.name, store.source_kind, str(store.gosweetspot.access_key)) == ("kiwi", kind, "env:KIWI_GSS_KEY")


def test_a_sandboxs_key_has_a_name_that_says_so() -> None:
    new = asked("9-lives", "csv", "", "", "http://127.0.0.1:8765/")
    assert new == NewStore("9-lives", "csv", CSV, "env:STORE_9_LIVES_GSS_TEST_KEY", "http://127.0.0.1:8765")


def test_the_places_of_a_shops_keys_are_named_after_the_store() -> None:
    assert asked("tui-shop", "woocommerce", "https://tui.example").source == {
        "url": "https://tui.example",
        "consumer_key": "env:TUI_SHOP_WOO_KEY",
        "consumer_secret": "env:TUI_SHOP_WOO_SECRET",
    }
    assert asked("tui", "shopify", "", "4f2c9ab1d0e84c7fb6a35e21c8d97f60").source == {
        "shop": "tui.myshopify.com",
        "client_id": "4f2c9ab1d0e84c7fb6a35e21c8d97f60",
        "client_secret": "env:TUI_SHOPIFY_SECRET",
    }


def test_what_was_given_is_not_asked() -> None:
    put: list[str] = []

    def answer(question: str, default: str) -> str:
        put.append(question)
        return default

    given = {"name": "tui", "kind": "shopify", "shop": "tui.myshopify.com", "access_token": "env:T", "url": "x"}
    new = ask(answer, lambda line: None, given)
    assert new.source == {"shop": "tui.myshopify.com", "access_token": "env:T"}
    assert [question.split()[0] for question in put] == ["Where", "Site", "Time"]


def test_a_wrong_answer_is_explained_and_asked_again() -> None:
    said: list[str] = []
    wrong = ("Kiwi!", "kiwi", "ebay", "csv", "a\nb", "x", "magento", "shopify", "http://x", "", "CanaryKey", "")
    new = ask(person(*wrong, "x", "41", "Mars", ""), said.append, {})
    assert new.site_id == 41
    assert "That is no name for a store. Use a-z, 0-9 and -, at most 40 of them, as in kiwi-shop." in said
    assert "That is no kind of shop that is known here. Write csv, woocommerce, shopify." in said
    assert any(line.startswith("No: this is no reference to a secret") for line in said)
    assert not any("CanaryKey" in line for line in said)


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        ("woocommerce", "ftp://kiwi.example", "https://kiwi.example"),
        ("shopify", "https://kiwi.example", "kiwi.myshopify.com"),
    ],
)
def test_a_shops_address_is_held_to_the_rules_of_the_store_file(kind: str, wrong: str, right: str) -> None:
    said: list[str] = []
    new = ask(person("kiwi", kind, wrong, right), said.append, {"client_id": "4f2c9ab1d0e84c7fb6a35e21c8d97f60"})
    assert right in new.source.values()
    [told] = [line for line in said if line.startswith(("No:", "That"))]
    assert wrong in told


def test_three_wrong_answers_end_it() -> None:
    with pytest.raises(ConfigError, match="no answer to be used: Name of the store"):
        asked("A!", "B!", "C!")

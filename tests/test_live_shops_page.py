"""What the docs say of live shops is what the sources have: every key with its default, every scope, both kinds."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from connector.selection import SelectRules
from connector.sources import shopify_scopes
from connector.sources.registry import OWN, source_class

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "live-shops.md").read_text()


def rows(kind: str) -> dict[str, list[str]]:
    """The table of this kind's keys in docs/configuration.md, by key: meaning, default, example."""
    page = (ROOT / "docs" / "configuration.md").read_text()
    table = page.partition(f"Those of `{kind}`:\n")[2].lstrip("\n").partition("\n\n")[0]
    found = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in table.splitlines()[2:]]
    return {cells[0].strip("`"): cells[1:] for cells in found}


@pytest.mark.parametrize("kind", OWN)
def test_every_key_of_a_kind_of_source_is_explained_and_no_other(kind: str) -> None:
    assert set(rows(kind)) == set(source_class(kind).options().model_fields)


@pytest.mark.parametrize("kind", OWN)
def test_the_defaults_shown_are_those_that_hold(kind: str) -> None:
    for key, field in source_class(kind).options().model_fields.items():
        shown = rows(kind)[key][1]
        if field.is_required():
            assert shown == "none, must be written", key
        elif isinstance(default := field.get_default(), str | int | list):
            assert shown.startswith(f"`{json.dumps(default)}`"), key


@pytest.mark.parametrize("kind", OWN)
def test_the_examples_shown_are_taken(kind: str) -> None:
    shown = {key: example for key, (_, _, example) in rows(kind).items()}
    values = {key: value_of(example, is_table=key in ("columns", "status_map")) for key, example in shown.items()}
    clashing = {"access_token"} if kind == "shopify" else set()
    for left_out in (clashing, {"client_id", "client_secret"} & set(values)):
        table = {key: value for key, value in values.items() if key not in left_out}
        source_class(kind).options().model_validate_json(json.dumps(table), strict=True, context={"folder": ROOT})


def value_of(example: str, *, is_table: bool) -> object:
    text = example.strip("`")
    return tomllib.loads(f"it = {{ {text} }}" if is_table else f"it = {text}")["it"]


def test_every_scope_that_is_tried_is_in_the_page() -> None:
    for scope in (shopify_scopes.ORDERS, shopify_scopes.PARTS, shopify_scopes.ALL_ORDERS):
        assert f"| `{scope}` |" in PAGE


def test_the_rules_it_shows_are_rules() -> None:
    shown = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
    assert len(shown) == 3
    for tables in shown:
        SelectRules.model_validate_json(json.dumps(tables["select"], default=str), strict=True)

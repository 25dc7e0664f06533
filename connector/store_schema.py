"""The JSON Schema of a store file, for editors that complete and check it. Knows the models, and no file."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from connector.sources.registry import OWN, source_class
from connector.store_file import TABLES

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of a whole store file. Tables of our own kinds of source; those of other packages are let through."""
    sources = {kind: source_class(kind).options() for kind in sorted(OWN)}
    models = [*TABLES.values(), *sources.values()]
    places, defined = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = _tidied(defined["$defs"])
    of_kinds = [_of_kind(kind, definitions.pop(model.__name__)) for kind, model in sources.items()]
    tables: dict[str, Any] = {"source": {"anyOf": [*of_kinds, _of_other_kinds(list(sources))]}}
    tables |= {name: places[(model, "validation")] for name, model in TABLES.items()}
    used = str((definitions, tables))
    return {
        "$schema": DIALECT,
        "title": "A store of gosweetspot-connector",
        "type": "object",
        "properties": tables,
        "required": ["source", "gosweetspot"],
        "additionalProperties": False,
        "$defs": {name: table for name, table in definitions.items() if f"#/$defs/{name}'" in used},
    }


def _of_kind(kind: str, table: dict[str, Any]) -> dict[str, Any]:
    properties = {"kind": {"const": kind}, **table["properties"]}
    return {**table, "properties": properties, "required": ["kind", *table.get("required", [])]}


def _of_other_kinds(known: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": {"kind": {"type": "string", "not": {"enum": known}}}, "required": ["kind"]}


def _tidied(node: Any) -> Any:
    """Without what TOML can't say (null) and what no reader needs: pydantic's titles and durations, notes on code."""
    if isinstance(node, list):
        return [_tidied(item) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidied(value) for key, value in node.items() if not _is_noise(key, value)}
    if len(tidy.get("anyOf", ())) == 1:
        [only] = tidy.pop("anyOf")
        tidy |= only
    return tidy


def _is_noise(key: str, value: Any) -> bool:
    if key in ("title", "description"):
        return isinstance(value, str)
    return key == "default" and (value is None or (isinstance(value, str) and value.startswith("PT")))

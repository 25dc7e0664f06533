"""The text of one store file becomes a Store, or all that is wrong with it. Reads no file; knows no other store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from connector.inbox.options import InboxOptions
from connector.keeping.options import KeepOptions
from connector.plain_words import Finding, findings, key_of, keys_of
from connector.problem import ConfigError, Problem, quoted
from connector.selection import SelectRules
from connector.slip import SlipRules
from connector.sources.registry import BrokenSource, UnknownKind, kinds, source_class
from connector.store import GoSweetSpot, Schedule, Store
from connector.suggest import did_you_mean
from connector.toml_text import parsed

TABLES: Final[dict[str, type[BaseModel]]] = {
    "gosweetspot": GoSweetSpot,
    "schedule": Schedule,
    "select": SelectRules,
    "slip": SlipRules,
    "inbox": InboxOptions,
    "keep": KeepOptions,
}
"""The tables of a store file beside [source], whose model belongs to the source."""

_Tables = dict[str, Any]


def read_store(text: str, *, name: str, path: Path, folder: Path, secrets: bool = True) -> Store:
    """The store that the text of a store file describes. Raises ConfigError with all that is wrong with it.

    path     the file, as messages name it; folder  what relative paths start from, absolute
    secrets  look whether the secrets can be had; False for commands that send nothing
    """
    tables = parsed(text, str(path))
    context = {"folder": folder, "secrets": secrets}
    mistakes = list(_unknown_tables(tables))
    kind, model = _source_model(tables, mistakes)
    models = TABLES if model is None else {"source": model, **TABLES}
    read = {table: _read_table(table, models, tables, context, mistakes) for table in models}
    if mistakes:
        from connector.toml_lines import line_of, lines_of  # only needed when something is wrong

        lines = lines_of(text)
        raise ConfigError(_problem(mistake, str(path), line_of(mistake.path, lines)) for mistake in mistakes)
    return Store(name, path, folder, kind, read.pop("source"), **read)


def _problem(mistake: Finding, file: str, line: int) -> Problem:
    return Problem(file, line, key_of(mistake.path), mistake.what, mistake.mend, mistake.found)


def _unknown_tables(tables: _Tables) -> Iterator[Finding]:
    known = ("source", *TABLES)
    for name, value in tables.items():
        if name in known:
            continue
        if isinstance(value, dict | list):
            yield Finding((name,), "no such table", did_you_mean(name, known))
        else:
            where = _table_of_key(TABLES).get(name, "source")
            yield Finding((name,), "this is a key, and stands outside any table", f"Move it into its table, [{where}]")


def _source_model(tables: _Tables, mistakes: list[Finding]) -> tuple[str, type[BaseModel] | None]:
    """The kind of shop and its options' model; None, and a mistake more, when there is no such source."""
    source = tables.get("source")
    if not isinstance(source, dict):
        mistakes.append(Finding(("source",), "this table is missing", 'Write [source] and below it kind = "csv"'))
        return "", None
    kind = source.get("kind")
    if not isinstance(kind, str):
        what = "is missing" if kind is None else f"{quoted(kind) or 'this value'} is not text in double quotes"
        mistakes.append(Finding(("source", "kind"), what, f'Write kind = "csv". {did_you_mean("", kinds())}'))
        return "", None
    try:
        return kind, source_class(kind).options()
    except UnknownKind:
        what = f"{quoted(kind) or 'this value'} is no kind of source that is installed"
        mistakes.append(Finding(("source", "kind"), what, did_you_mean(kind, kinds()), quoted(kind)))
    except BrokenSource as err:
        what = f"{quoted(kind)} can't be loaded: {err}"
        mend = "Install its package again, or ask whoever wrote it"
        mistakes.append(Finding(("source", "kind"), what, mend, quoted(kind)))
    return kind, None


def _read_table(
    name: str, models: Mapping[str, type[BaseModel]], tables: _Tables, context: dict[str, Any], mistakes: list[Finding]
) -> Any:
    """The table as its model, or None and its mistakes."""
    table = tables.get(name, {})
    if not isinstance(table, dict):
        mistakes.append(Finding((name,), "this is not a table", f"Write [{name}] alone on a line, its keys below it"))
        return None
    if name == "source":
        table = {key: value for key, value in table.items() if key != "kind"}
    model = models[name]
    try:
        # By way of JSON, since pydantic's strict reading of JSON is just what TOML needs: "50" is no number and true no
        # 1, yet a list may become a tuple and a word an enum.
        return model.model_validate_json(json.dumps(table, default=str), strict=True, context=context)
    except ValidationError as error:
        elsewhere = _table_of_key({other: models[other] for other in models if other != name})
        for mistake in findings(error, model, table, elsewhere):
            mistakes.append(mistake._replace(path=(name, *mistake.path)))
    return None


def _table_of_key(models: Mapping[str, type[BaseModel]]) -> dict[str, str]:
    return {key: table for table, model in models.items() for key in keys_of(model)}

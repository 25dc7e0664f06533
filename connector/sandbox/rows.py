"""Answers changed row by row, whatever call they answer. Knows the three shapes of answer; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

_ListOfRows = list[dict[str, Any]]


def changed_rows(answer: Any, change: Callable[[_ListOfRows], _ListOfRows]) -> Any:
    """The answer of a PUT (array), a GET (object with Results) or a DELETE (number -> text), its rows changed.

    A row is a dict with `packingslipno`; a DELETE's carry their text as `msg`, and two about one number become one.
    """
    if isinstance(answer, list):
        return change([msgspec.to_builtins(row) for row in answer])
    if "Results" in answer:
        return {**answer, "Results": change(answer["Results"])}
    rows = change([{"packingslipno": number, "msg": text} for number, text in answer.items()])
    return {_value(row, "packingslipno"): _value(row, "msg") for row in rows}


def in_odd_case(row: dict[str, Any]) -> dict[str, Any]:
    """Field names and number with upper and lower case changed round, the number between spaces."""
    number = f" {row['packingslipno'].swapcase()} "
    return {name.swapcase(): number if name == "packingslipno" else value for name, value in row.items()}


def opposite(row: dict[str, Any]) -> dict[str, Any]:
    """The same row saying the contrary; rows without a result (GET, DELETE) stay as they are."""
    if "result" not in row:
        return row
    return {**row, "result": not row["result"], "msg": "already processed" if row["result"] else ""}


def _value(row: dict[str, Any], name: str) -> Any:
    return row[name] if name in row else row[name.swapcase()]

"""What goes wrong, and what of it is shown: never a value of an order, never a key, never what steers a terminal."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import cli
from connector.exit_codes import MEANING, Code, UsageError, failure_of, worst
from connector.ledger.connection import LedgerBusy, LedgerError
from connector.ledger.people import Refused
from connector.lock import Busy
from connector.problem import ConfigError, Problem
from connector.secret import SecretError
from connector.sources.base import Unreachable
from connector.sync import WrongDestination
from tests.commands.desk import Desk, order

CANARY = "Canary Person, 12 Canary Street"

COMMANDS = {
    "demo": ("demo",),
    "init": ("init", "moa", "--path", "x", "--dialect", "shopify", "--key", "env:MOA_KEY"),
    "check": ("check",),
    "sync": ("sync",),
    "status": ("status",),
    "slips": ("slips",),
    "explain": ("explain", "#1"),
    "sandbox": ("sandbox",),
    "ledger": ("ledger", "check"),
    "run": ("run",),
    "inbox": ("inbox", "list"),
    "privacy": ("privacy", "report"),
    "completion": ("completion", "bash"),
}


def crash(*_: object) -> Code:
    secret_local = CANARY
    try:
        raise KeyError(secret_local)
    except KeyError as err:
        raise ValueError(f"while reading {secret_local}") from err


@pytest.mark.parametrize("command", cli._COMMANDS)
@pytest.mark.parametrize("debug", [False, True])
def test_SEC16_an_unexpected_error_shows_no_value(
    command: str, debug: bool, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cli._COMMANDS, command, crash)
    said = desk(*COMMANDS[command], *(["--debug"] if debug else []))
    assert said.code == Code.FAULT
    assert "canary" not in (said.out + said.err).casefold()
    assert said.err.startswith("connector: unexpected error (ValueError) in commands/test_errors.py, line ")
    assert ("KeyError" in said.err) is debug, "the way there, causes first"
    assert "  commands/test_errors.py" in said.err or not debug


def test_SEC16_one_store_that_crashes_shows_no_value_and_stops_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector import opening

    for name, prefix in (("kiwi", "K-"), ("moa", "M-")):
        desk.store(name, prefix=prefix)
        desk.export(order(1), store=name)
    real = opening.source_of
    monkeypatch.setattr(
        opening, "source_of", lambda store, *rest: crash() if store.name == "kiwi" else real(store, *rest)
    )
    said = desk("sync")
    assert said.code == Code.FAULT
    assert "canary" not in (said.out + said.err).casefold()
    assert "moa: 1 order read: 1 new" in said.out


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil"


def test_SEC25_nothing_from_a_shop_steers_the_terminal(desk: Desk) -> None:
    desk.store()
    desk.export(
        order(1, Number=f"#1{HOSTILE}", Country=f"Atlantis{HOSTILE}", Note=HOSTILE, Name=f"Aroha{HOSTILE}"),
        order(2, Note=HOSTILE, Name=f"Aroha{HOSTILE}", Payment=f"owed{HOSTILE}"),
        order(3, Note=f"{HOSTILE} ring", Name=f"Aroha{HOSTILE}", City=f"Hamilton{HOSTILE}"),
    )
    told = [desk("sync", "--dry-run", "--all"), desk("sync"), desk("status"), desk("slips", "list")]
    told += [desk("explain", str(9000 + number)) for number in (1, 2, 3)]
    told += [desk("slips", "show", "9003"), desk("ledger", "query", "SELECT * FROM orders"), desk("explain", HOSTILE)]
    told += [desk("status", HOSTILE), desk("check")]
    for said in told:
        assert all(character.isprintable() or character == "\n" for character in said.out + said.err)
    assert "\\x1b[2J" in told[0].out


def test_SEC22_quotes_in_every_field_are_only_text(desk: Desk) -> None:
    evil = "'\"; DROP TABLE slips; --"
    desk.store()
    desk.export({column: f"{value}{evil}" for column, value in order(1).items()}, order(2, Name=evil, Note=evil))
    desk("sync")
    assert desk("explain", f"9001{evil}", "--json").value["order_id"] == f"9001{evil}"
    assert desk("slips", "list", "--store", evil).code == 2
    assert desk("slips", "acknowledge", evil, "--reason", evil).code == 2
    assert desk("ledger", "check").code == 0


SPELT_OUT = {
    "columns": "a list of columns, written at the call",
    "question": "a query, written at the call",
    "table": "a table's name, written at the call",
    "where": "conditions with marks, written at the call",
    "these": "conditions with marks, written at the call",
    "order": "how rows are sorted, written above",
    "times": "a query, written above",
    "marks": "question marks",
    "in_flight": "states of ours",
    "name": "a pragma's name, written above",
    "value": "a pragma's value, written above",
    "wanted": "a journal mode of ours",
    "number + 1": "the schema's number",
    "statement": "a statement of the schema",
}
"""What is put into statements beside written-out text and constants, and why it can't be anybody's text."""


def statements() -> Iterator[tuple[str, ast.expr]]:
    for file in sorted(Path(cli.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="execute" | "executemany" | "executescript"), args=[sql, *_]):
                    yield f"{file.parent.name}/{file.name}:{node.lineno}", sql


def pieces(expression: ast.expr) -> Iterator[str]:
    """What an SQL expression is put together of, beside written-out text."""
    match expression:
        case ast.Constant(value=str()):
            return
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from pieces(left)
            yield from pieces(right)
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.FormattedValue):
                    yield ast.unparse(value.value)
        case _:
            yield ast.unparse(expression)


def test_SEC22_no_text_of_anybody_is_ever_part_of_a_statement() -> None:
    found = [(place, piece) for place, sql in statements() for piece in pieces(sql)]
    assert len(found) > 5
    # constants, and as many marks as there are values
    safe = re.compile(r"(?:\w+\.)?[A-Z_]+|', '\.join\('\?' \* len\(\w+\)\)")
    assert [one for one in found if one[1] not in SPELT_OUT and not safe.fullmatch(one[1])] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Busy("x"), Code.BUSY),
        (LedgerBusy("x"), Code.BUSY),
        (LedgerError("x"), Code.UNREACHED),
        (Unreachable("x"), Code.UNREACHED),
        (WrongDestination("x"), Code.USAGE),
        (Refused("x"), Code.USAGE),
        (UsageError("x"), Code.USAGE),
        (SecretError("x", "y"), Code.USAGE),
        (ConfigError([Problem("a.toml", 1, "", "x", "y")]), Code.USAGE),
        (RuntimeError("x"), Code.FAULT),
    ],
)
def test_Z10_each_error_has_its_code(error: Exception, code: Code) -> None:
    assert failure_of(error).code is code


def test_Z10_the_worst_code_of_several_stores_counts() -> None:
    in_order = [Code.DONE, Code.WAITS, Code.BUSY, Code.UNREACHED, Code.USAGE, Code.FAULT]
    assert worst([]) is Code.DONE
    for at, code in enumerate(in_order):
        assert worst(in_order[: at + 1]) is code
        assert worst(reversed(in_order[: at + 1])) is code
    assert MEANING.keys() == set(Code)


def test_an_error_without_words_is_named() -> None:
    assert failure_of(UsageError()).lines == ("UsageError",)

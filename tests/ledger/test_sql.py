"""Rules that hold for the text of the program: who opens the ledger, and how its SQL is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.ledger.connection import in_memory
from tests.ledger.given import ROOT, an_order, sent, states, the_shop_shows

FILES = sorted((ROOT / "connector").rglob("*.py"))
LEDGER_FILES = sorted((ROOT / "connector/ledger").glob("*.py"))
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE|FROM|WHERE)\b")


def calls(path: Path) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))


def those_with(word: str) -> list[Path]:
    """The files that have this word somewhere: to take a file apart costs a hundred times as much as to search it."""
    return [path for path in FILES if word in path.read_text("utf-8")]


def called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_L15_only_the_ledger_opens_its_file_and_never_with_a_plain_open() -> None:
    """Closing a plain handle drops SQLite's POSIX locks: another process could write at the same time."""
    connects = {
        path.stem for path in those_with("connect") for call in calls(path) if called(call) == "sqlite3.connect"
    }
    others = {"store", "file"}  # the sandbox's own database, and the inbox's
    assert connects <= {"backup", "connection", "reading", "schema"} | others
    names = {path.stem for path in those_with("ledger.db") for text in texts(path) if text == "ledger.db"}
    assert names == {"connection"}
    plain = ("open", "io.open", "os.open", "read_bytes", "read_text", "write_bytes", "write_text")
    opens = {f"{path.stem}: {called(call)}" for path in LEDGER_FILES for call in calls(path) if called(call) in plain}
    assert opens == {"folder: os.open"}, "folders, and files that are no ledger yet"


def test_V4_no_script_and_no_legacy_transaction_can_commit_behind_our_back() -> None:
    for path in LEDGER_FILES:
        for call in calls(path):
            name = called(call)
            assert not name.endswith((".executescript", ".commit", ".rollback")), f"{path.name}: {name}"
            if name == "sqlite3.connect" and path.stem not in ("backup",):
                given = {word.arg: ast.unparse(word.value) for word in call.keywords}
                assert given.get("isolation_level") == "None", path.name


def texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def statements(path: Path) -> Iterator[str]:
    """The string constants of a file that look like SQL; docstrings are prose."""
    tree = ast.parse(path.read_text("utf-8"))
    documented = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef))
    prose = {ast.get_docstring(node, clean=False) for node in documented}
    yield from (text for text in texts(path) if text not in prose and SQL.search(text))


def test_L18_no_statement_has_a_double_quoted_word_that_could_be_read_as_text() -> None:
    quoted = {word for path in LEDGER_FILES for text in statements(path) for word in re.findall(r'"\w+"', text)}
    assert quoted <= {'"order"'}, "a column whose name is a keyword"


def test_SEC22_values_go_into_statements_as_parameters_never_as_text() -> None:
    """What an f-string may put into SQL: names and fragments of our own, all capitals or known here."""
    ours = {
        "name", "value", "wanted", "number + 1", "table", "in_flight", "_NEEDS", "set_move('reason = ?')", "_CLAIMABLE",
        "question", "', '.join('?' * len(some))",
    }  # fmt: skip
    for path in LEDGER_FILES:
        for call in calls(path):
            if not called(call).endswith((".execute", ".executemany")) or not call.args:
                continue
            put_in = [
                ast.unparse(part.value)
                for node in ast.walk(call.args[0])
                if isinstance(node, ast.JoinedStr)
                for part in node.values
                if isinstance(part, ast.FormattedValue)
            ]
            assert set(put_in) <= ours, f"{path.name}: {put_in}"


@pytest.mark.parametrize(
    "quote", ["'", '"', "'; DROP TABLE slips; --", "\\", "%s", "?", "]]", "\x00", "💥", "'||(SELECT 1)||'"]
)
def test_SEC22_L20_any_text_a_shop_sends_is_kept_as_it_is(quote: str) -> None:
    order = an_order(
        "1" + quote, number=f"#1{quote}", origin=f"file{quote}", revision=f"1{quote}", street=f"1 {quote} Road"
    )
    with in_memory() as ledger:
        the_shop_shows(ledger, order, cursor=quote)
        sent(ledger)
        row = ledger.db.execute("SELECT order_id, order_number, origin FROM slips").fetchone()
        assert row == ("1" + quote, f"#1{quote}", f"file{quote}")
        assert ledger.db.execute("SELECT cursor FROM cursors").fetchone() == (quote,)
        report = the_shop_shows(ledger, order, cursor=quote)
        assert report.unchanged == 1 or states(ledger)[order.id] == "held"

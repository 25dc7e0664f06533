"""`connector ledger`: backups, checks, and questions in SQL that can only read."""

from __future__ import annotations

import sqlite3

import pytest

from connector.ledger.backup import check_file
from tests.commands.desk import Desk


def test_a_query_brings_a_table_or_json_lines(kiwi: Desk) -> None:
    kiwi("sync")
    sql = "SELECT order_number, state FROM orders ORDER BY 1"
    assert kiwi("ledger", "query", sql).out.splitlines() == [
        "order_number  state",
        "#1001         confirmed",
        "#1002         confirmed",
    ]
    assert kiwi("ledger", "query", sql, "--json").values[0] == {"order_number": "#1001", "state": "confirmed"}
    assert len(kiwi("ledger", "query", "SELECT content FROM slips", "--json").values[0]["content"]) == 64


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM slips",
        "UPDATE versions SET state = 'owed' RETURNING id",
        "PRAGMA query_only = off",
        "ATTACH 'other.db' AS other",
        "CREATE TABLE t (a)",
        "SELECT 1; DELETE FROM slips",
        "SELECT nothing FROM nowhere",
        "",
    ],
)
def test_a_query_that_would_write_or_makes_no_sense_is_refused(kiwi: Desk, sql: str) -> None:
    kiwi("sync")
    before = kiwi.fingerprint()
    said = kiwi("ledger", "query", sql)
    assert (said.code, "it is asked by one SELECT" in said.err) == (2, True)
    assert kiwi.fingerprint() == before
    assert not (kiwi.folder / "other.db").exists()


def test_tables_are_named_with_their_rows(kiwi: Desk) -> None:
    kiwi("sync")
    rows = {table["name"]: table["rows"] for table in kiwi("ledger", "tables", "--json").values}
    assert (rows["slips"], rows["orders"], rows["actions"]) == (2, 2, 0)


def test_a_backup_is_a_sound_ledger(kiwi: Desk) -> None:
    kiwi("sync")
    assert kiwi("ledger", "backup", "monday.db").code == 0
    assert check_file(kiwi.folder / "monday.db") == []
    assert kiwi("ledger", "check").code == 0


def test_reading_waits_for_no_upgrade_and_makes_none(kiwi: Desk) -> None:
    kiwi("sync")
    db = sqlite3.connect(kiwi.folder / "state" / "ledger.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    said = kiwi("status")
    assert (said.code, "schema 99" in said.err) == (3, True)


def test_a_backup_replaces_a_backup_and_nothing_else(kiwi: Desk) -> None:
    kiwi("sync")
    file = kiwi.folder / "config" / "kiwi.toml"
    before = file.read_text()
    said = kiwi("ledger", "backup", "config/kiwi.toml")
    assert (said.code, "config/kiwi.toml: this exists and is no ledger" in said.err) == (3, True)
    assert kiwi("ledger", "backup", "config").code == 3
    assert file.read_text() == before
    assert [kiwi("ledger", "backup", "monday.db").code for _ in range(2)] == [0, 0]


def test_no_question_is_told_as_one(kiwi: Desk) -> None:
    kiwi("sync")
    said = kiwi("ledger", "query", " ")
    assert (said.code, said.err.startswith("connector: there is no question; it is asked by one SELECT")) == (2, True)

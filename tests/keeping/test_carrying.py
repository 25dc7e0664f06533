"""An upgrade meets rows its new tables refuse: they are set aside and told, and everything else goes on."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from connector.ledger import schema
from connector.ledger.carrying import carry_over
from connector.ledger.connection import LedgerError, open_ledger
from connector.ledger.soundness import check
from tests.ledger.given import START, an_order, open_alerts, the_shop_shows

STRICTER = """
CREATE TABLE stricter (
    store TEXT PRIMARY KEY,
    cursor TEXT NOT NULL CHECK (length(cursor) > 3),
    moved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""


def stricter(db: sqlite3.Connection) -> None:
    db.execute(STRICTER)
    carry_over(db, "cursors", "stricter")
    db.execute("DROP TABLE cursors")
    db.execute("ALTER TABLE stricter RENAME TO cursors")


def upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, stricter))
    monkeypatch.setattr(schema, "CURRENT", len(schema.STEPS))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A ledger of this release with a row that the next one's table refuses."""
    with open_ledger(tmp_path / "state", now=START) as ledger, ledger.writing() as db:
        db.execute("INSERT INTO cursors VALUES ('kiwi', 'Kōtuku', '2026-05-04'), ('moa', 'x', '2026-05-04')")
    return tmp_path / "state"


def test_V9_a_row_that_the_new_table_refuses_is_set_aside_whole_and_the_upgrade_goes_on(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(monkeypatch)
    with open_ledger(state) as ledger:
        assert schema.version_of(ledger.db) == schema.CURRENT
        assert ledger.db.execute("SELECT store, cursor FROM cursors").fetchall() == [("kiwi", "Kōtuku")]
        [(source, row, why)] = ledger.db.execute("SELECT source, row, why FROM set_aside").fetchall()
        assert (source, json.loads(row)) == ("cursors", {"store": "moa", "cursor": "x", "moved_at": "2026-05-04"})
        assert "CHECK" in why
        assert open_alerts(ledger) == ["rows set aside: cursors"]
        assert check(ledger.db) == []
        the_shop_shows(ledger, an_order("1"))


def test_V9_where_all_rows_fit_nobody_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ledger(tmp_path / "state").close()
    upgrade(monkeypatch)
    with open_ledger(tmp_path / "state") as ledger:
        assert (open_alerts(ledger), ledger.db.execute("SELECT count(*) FROM set_aside").fetchone()) == ([], (0,))


def test_V9_what_another_row_still_points_to_stops_the_upgrade_and_the_old_ledger_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_ledger(tmp_path / "state", now=START) as ledger:
        the_shop_shows(ledger, an_order("1"))
    table = "CREATE TABLE attempts_anew (id INTEGER PRIMARY KEY CHECK (id > 99)) STRICT"

    def careless(db: sqlite3.Connection) -> None:
        db.execute(table)
        db.execute("CREATE TABLE pointing (id INTEGER PRIMARY KEY REFERENCES attempts_anew (id)) STRICT")
        db.execute("PRAGMA defer_foreign_keys = on")
        db.execute("INSERT INTO pointing VALUES (1)")

    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, careless))
    monkeypatch.setattr(schema, "CURRENT", len(schema.STEPS))
    with pytest.raises(LedgerError, match="stays as it was"):
        open_ledger(tmp_path / "state")

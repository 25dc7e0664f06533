"""A day's housekeeping as a whole: what ends it, what it shows of itself, and whose data it comes to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.keeping.tidy import tidy
from connector.ledger import soundness
from connector.ledger.connection import Ledger, LedgerError, LedgerUnfit, open_ledger
from tests.ledger.given import HOUR, START, an_order, open_alerts, the_shop_shows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    with open_ledger(folder, now=START) as ledger:
        yield ledger


def damage(ledger: Ledger) -> None:
    """A reference to a row that is gone, which no look at one table shows."""
    the_shop_shows(ledger, an_order("1"))
    ledger.db.execute("PRAGMA foreign_keys = off")
    ledger.db.execute("DELETE FROM versions")
    ledger.db.execute("PRAGMA foreign_keys = on")


def test_L9_damage_ends_the_housekeeping_and_the_next_start_refuses_however_large_the_ledger(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soundness, "SMALL_BYTES", 0)
    tidy(ledger, [], folder, START)
    damage(ledger)
    with pytest.raises(LedgerUnfit, match=r"damaged .*points to a missing row"):
        tidy(ledger, [], folder, START + HOUR)
    assert open_alerts(ledger) == ["ledger damaged"]
    with pytest.raises(LedgerError, match="damaged"):
        open_ledger(folder, now=START + HOUR)

"""What a shop of one's own has told is kept as long as a backup that would need it: the shop can't be asked again."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from connector.config import load_stores
from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery
from connector.keeping.backups import keep_backups
from connector.keeping.tidy import tidy
from connector.ledger.connection import Ledger, open_ledger
from tests.hearing.test_own_shop import PAGE
from tests.ledger.given import DAY, START
from tests.store_files import GOOD, write

SHORT = '\n[keep]\nretention = "7d"\n'


@pytest.mark.parametrize(
    ("folder", "place", "then"),
    [("elsewhere", "elsewhere", 1), ("backups", "backups", 1), ("backups", None, 0)],
    ids=["told where", "as the daemon", "by hand beside the daemon"],
)
def test_K6_deliveries_of_an_own_shop_are_kept_as_long_as_the_oldest_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, place: str | None, then: int
) -> None:
    """Dealt with a day before the first backup, and a day after; a shop that can be asked needs neither."""
    monkeypatch.setenv("KIWI_GSS_KEY", "k" * 32)
    monkeypatch.setenv("OWN_GSS_KEY", "k" * 32)
    [own] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    write(tmp_path, own + "site_id = 7\n" + SHORT, "own.toml")
    write(tmp_path, GOOD + SHORT)
    state = tmp_path / "state"
    with open_ledger(state, now=START) as ledger:
        for day in (-1, 1):
            told(state, START + day * DAY)
        keep_backups(ledger, state / folder, 2, START)
        where = state / place if place else None
        assert tidied(ledger, tmp_path, START + 20 * DAY, where) == 3
        assert kept(state) == [("own", START + DAY)]
        assert tidied(ledger, tmp_path, START + 40 * DAY, where) == then, (
            "the oldest backup has gone, if a new one came"
        )


def told(state: Path, at: datetime) -> None:
    with Inbox.open(state, now=lambda: at) as inbox:
        inbox.add(Delivery(store, "", "", at, str(at).encode()) for store in ("own", "kiwi"))
        for store in ("own", "kiwi"):
            inbox.done([one.id for one in inbox.waiting(store, 9)])


def kept(state: Path) -> list[tuple[str, datetime]]:
    with Inbox.open(state) as inbox:
        return [(one.store, one.received_at) for one in inbox.after(0, 9)]


def tidied(ledger: Ledger, config: Path, now: datetime, place: Path | None) -> int:
    """How many deliveries a night's housekeeping removed."""
    stores = load_stores(config)
    return tidy(ledger, stores, config / "state", now, place=place, keep=2, told_by=lambda _: now).deliveries

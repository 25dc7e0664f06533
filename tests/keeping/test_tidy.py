"""A day's housekeeping as a whole: what ends it, what it shows of itself, and whose data it comes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.config import load_stores
from connector.inbox.box import Inbox
from connector.inbox.file import path_of
from connector.keeping import deeds
from connector.keeping.backups import keep_backups
from connector.keeping.privacy import find
from connector.keeping.tidy import Tidied, tidy
from connector.ledger import soundness
from connector.ledger.connection import Ledger, LedgerError, LedgerUnfit, open_ledger
from connector.order import Address
from connector.store import Store
from connector.sync import know_store
from tests.daemon.running import Place
from tests.inbox.given import delivery
from tests.keeping.test_retention import bytes_of, over
from tests.ledger.given import (
    DAY,
    HOUR,
    START,
    an_order,
    open_alerts,
    rules,
    sent,
    terms,
    the_shop_shows,
)

WHO = Address(name="Mereana Canary", line1="1 Canary Road", city="Hamilton", postcode="3204", country="NZ")
BODY = b'{"id": %d, "who": "Mereana Canary"}'


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


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.delenv("GSS_KEY", raising=False)
    return Place(tmp_path, "http://127.0.0.1:9")


def kept_for(place: Place, **days: int) -> list[Store]:
    """Stores that keep names and addresses for so many days. Their key can't be had, so GSS is not asked."""
    for name, number in days.items():
        file = place.store(name)
        file.write_text(f'{file.read_text()}[keep]\nretention = "{number}d"\n')
    return load_stores(place.config, secrets=False)


def tidied(ledger: Ledger, stores: list[Store], folder: Path, now: datetime, **more: Any) -> Tidied:
    return tidy(ledger, stores, folder, now, told_by=lambda _: now, **more)


def bodies_left(folder: Path) -> list[tuple[str, bytes]]:
    with Inbox.open(folder) as inbox:
        return [(one.store, one.body) for one in inbox.after(0, 9)]


def test_R5_each_stores_deliveries_go_by_its_own_retention(ledger: Ledger, folder: Path, place: Place) -> None:
    stores = kept_for(place, kiwi=7, moa=90)
    with Inbox.open(folder, now=lambda: START) as inbox:
        inbox.add([delivery(1), delivery(2, "moa"), delivery(3, "never had a run")])
        inbox.done([1, 2, 3])
    assert tidied(ledger, stores, folder, START + 8 * DAY).deliveries == 1
    assert [store for store, _ in bodies_left(folder)] == ["moa", "never had a run"]
    assert tidied(ledger, stores, folder, START + 31 * DAY).deliveries == 2


def test_SEC18_a_store_whose_file_is_gone_loses_what_is_over(ledger: Ledger, folder: Path, place: Place) -> None:
    with ledger.writing() as db:
        know_store(db, terms("gone"))
    the_shop_shows(ledger, an_order("9", ship_to=WHO), by=rules("gone"), to=terms("gone"))
    sent(ledger, to=terms("gone"))
    over(ledger, "9")
    stores = kept_for(place, kiwi=7)
    tidied(ledger, stores, folder, START + 91 * DAY, unread=["gone"])
    tidied(ledger, stores, folder, START + 89 * DAY)
    tidied(ledger, [], folder, START + 91 * DAY)
    assert b"Canary" in bytes_of(folder)
    tidied(ledger, stores, folder, START + 91 * DAY)
    assert b"Canary" not in bytes_of(folder)


def test_SEC18_a_store_whose_file_cannot_be_read_is_not_one_without_a_file(
    ledger: Ledger, folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_for(place, kiwi=7)
    place.store("moa").write_text("[keep]\nretention = 730 days")
    unread: list[str] = []
    monkeypatch.setattr("connector.keeping.tidy.tidy", lambda *_, **more: unread.extend(more["unread"]))
    deeds.tidy(place.config, folder, None, 7, START)
    assert unread == ["moa"]


def test_W31_SEC19_what_is_erased_later_takes_its_deliveries_along(ledger: Ledger, folder: Path, place: Place) -> None:
    stores = kept_for(place, kiwi=90)
    the_shop_shows(ledger, an_order("1", ship_to=WHO))
    sent(ledger)
    with Inbox.open(folder, now=lambda: START) as inbox:
        inbox.add([delivery(body=BODY % 1), delivery(body=BODY % 2)])
        inbox.done([1, 2])
    with ledger.writing() as db:
        db.execute("UPDATE slips SET erase_at = '2026-05-04T00:00:00Z'")
    tidied(ledger, stores, folder, START + DAY)
    assert [body for _, body in bodies_left(folder)] == [BODY % 1, BODY % 2], "it may still ship"
    over(ledger, "1")
    tidied(ledger, stores, folder, START + DAY)
    assert [body for _, body in bodies_left(folder)] == [b"", BODY % 2]


def test_R5_SEC18_what_a_kill_left_of_a_backup_a_drill_or_a_restore_is_named_and_goes(
    ledger: Ledger, folder: Path, place: Place
) -> None:
    stores = kept_for(place, kiwi=7)
    the_shop_shows(ledger, an_order("1", ship_to=WHO))
    saved = folder / "backups"
    keep_backups(ledger, saved, 3, START)
    left = [
        folder / "ledger.db.restoring",
        folder / "restoring-abc" / "ledger.db",
        path_of(folder).with_name("inbox.sqlite3.damaged-17"),
        saved / "ledger-2026-05-04T000001Z.db.tmp",
        saved / ".drill-abc" / "ledger.db",
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"Canary")
    assert len([one for one in find(folder, "Canary", saved) if one.where.startswith("not looked into")]) == len(left)
    now = datetime.now(UTC)
    assert tidied(ledger, stores, folder, now, place=saved).copies == 0, "they may be under way"
    assert tidied(ledger, stores, folder, now + 2 * DAY, place=saved).copies == 4
    assert [path.exists() for path in left] == [False, False, True, False, False]
    assert tidied(ledger, stores, folder, now + 8 * DAY, place=saved).copies == 1, "as deliveries of these stores"
    assert len(list(saved.iterdir())) == 4

"""A ledger that may be older than what a shop of one's own has told: all that is kept of it is heard again first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.config import load_stores
from connector.hearing import LOT, SILENT
from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery, State
from connector.keeping.restore import restore
from connector.ledger import fence
from connector.ledger.backup import back_up
from connector.ledger.connection import open_ledger
from connector.report import Hooks
from connector.sandbox.handle import Sandbox
from connector.sources.base import only_tells
from connector.sources.registry import OWN, source_class
from connector.store import Store
from connector.sync import Fenced
from connector.sync_stores import sync_stores
from tests.hearing.shops import NOW, STORE, Ear
from tests.hearing.test_json_inbox import body, source
from tests.hearing.test_own_shop import PAGE, SANDBOX


def told(minute: int, order: int, street: str, **more: Any) -> bytes:
    to = {"first": "Aroha", "last": "Ngata", "street": [street], "city": "Hamilton", "postcode": 3200, "country": "NZ"}
    at = f"2026-11-23T10:{minute:02}:00+13:00"
    return body(id=order, number=str(order), updated_at=at, to=to, **more)


@pytest.fixture
def ear(sandbox: Sandbox, tmp_path: Path) -> Iterator[Ear]:
    with Inbox.open(tmp_path / "state", now=lambda: NOW) as inbox:
        ear = Ear(source(), inbox, open_ledger(tmp_path / "state", now=NOW), sandbox)
        yield ear
        ear.ledger.close()


def put_back(ear: Ear, folder: Path, backup: Path) -> None:
    ear.ledger.close()
    restore(backup, folder / "state", NOW)
    ear.ledger = open_ledger(folder / "state", now=NOW)


def at_gss(gss: Sandbox) -> dict[str, str]:
    return {order["number"]: order["sent"]["address2"] for order in gss.orders()}


def yesterday(ear: Ear, folder: Path) -> Path:
    """Order 42 is owed at its old street; then 42 moves, 43 is sent, 44 is owed and 43 cancelled. The backup."""
    ear.told(told(0, 42, "1 Old Street"))
    ear.hear()
    backup = back_up(ear.ledger, folder / "backup.db")
    ear.told(told(1, 42, "2 New Street"), told(1, 43, "3 Third Street"))
    ear.hear()
    ear.send()
    ear.told(told(2, 44, "4 Fourth Street"), told(2, 43, "3 Third Street", status="off"))
    ear.hear()
    return backup


def test_K6_what_an_own_shop_told_since_the_backup_is_heard_again_before_anything_is_sent(
    ear: Ear, sandbox: Sandbox, tmp_path: Path
) -> None:
    backup = yesterday(ear, tmp_path)
    puts = sandbox.counts()["puts"]
    put_back(ear, tmp_path, backup)
    ear.poll()
    with pytest.raises(Fenced, match="until the shop was read"):
        ear.send()
    ear.hear()
    ear.send()
    assert at_gss(sandbox) == {"42": "2 New Street", "43": "3 Third Street", "44": "4 Fourth Street"}
    assert sandbox.counts()["puts"] == puts + 1, "42 was at GSS as it should be"
    assert ear.slips() == {"42": "confirmed", "44": "confirmed", "43": "skip"}
    assert "left standing 43" in ear.alerts()


def test_K6_hearing_again_leaves_the_deliveries_as_they_were(ear: Ear, tmp_path: Path) -> None:
    """They are forgotten in their time, and make room in their turn."""
    backup = yesterday(ear, tmp_path)
    put_back(ear, tmp_path, backup)
    with Inbox.open(tmp_path / "state", now=lambda: NOW + timedelta(days=9)) as ear.inbox:
        assert ear.hear().read == 5
        assert ear.hear().read == 0, "once"
        assert ear.counts() == {State.DONE: 5}
        assert ear.inbox.forget(NOW + timedelta(days=1)) == 5


def test_K6_a_hearing_that_was_stopped_leaves_the_fence_and_begins_anew(ear: Ear, tmp_path: Path) -> None:
    ear.told(*(told(0, order, "1 Road") for order in range(1, LOT + 2)))
    ear.hear()
    with ear.ledger.writing() as db:
        fence.raise_fence(db, "a test", NOW)
    looks = iter([False, True])
    assert ear.hear(stopping=lambda: next(looks)).read == LOT
    assert not fence.was_polled(ear.ledger.db, STORE)
    assert ear.hear().read == LOT + 1
    assert fence.was_polled(ear.ledger.db, STORE)


def test_K7_where_no_delivery_is_kept_nothing_is_sent_until_the_shop_posts_again(
    ear: Ear, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A new machine, and an inbox that was lost with the old one."""
    backup = yesterday(ear, tmp_path)
    with Inbox.open(tmp_path / "new") as ear.inbox:
        put_back(ear, tmp_path, backup)
        ear.hear()
        with pytest.raises(Fenced):
            ear.send()
        assert "post its orders again" in ear.alerts()[SILENT]
        ear.told(told(1, 42, "2 New Street"))
        ear.hear()
        ear.send()
        assert SILENT not in ear.alerts()
        assert at_gss(sandbox)["42"] == "2 New Street"


def test_only_a_shop_that_can_be_neither_asked_nor_exported_only_tells() -> None:
    assert [kind for kind in OWN if only_tells(source_class(kind))] == ["inbox"]
    assert only_tells(source())


@pytest.fixture
def store(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.setenv("OWN_GSS_KEY", sandbox.key)
    (tmp_path / "own.toml").write_text(text + SANDBOX.format(url=sandbox.url, prefix="OWN-"))
    [store] = load_stores(tmp_path)
    return store


def test_K6_a_one_shot_hears_an_own_shop_and_hears_it_again_behind_the_fence(
    store: Store, sandbox: Sandbox, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    with open_ledger(state, now=NOW) as ledger, Inbox.open(state) as inbox:
        backup = back_up(ledger, tmp_path / "backup.db")
        inbox.add([Delivery("own", "", "", NOW, told(0, 42, "1 Old Street"))])
    for reads in (1, 0):
        [outcome] = sync_stores([store], state, Hooks())
        assert outcome.report is not None
        assert (outcome.report.read, list(at_gss(sandbox))) == (reads, ["OWN-42"])
    restore(backup, state, NOW)
    [outcome] = sync_stores([store], state, Hooks())
    assert outcome.report is not None
    assert (outcome.report.read, outcome.report.pause, outcome.report.owed) == (1, "", 0)
    assert list(at_gss(sandbox)) == ["OWN-42"]


def test_an_inbox_that_can_not_be_used_is_told_and_stops_nothing_that_is_owed(store: Store, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Inbox.open(state):
        pass
    (state / "inbox" / "inbox.sqlite3").chmod(0o666)
    [outcome] = sync_stores([store], state, Hooks())
    assert outcome.report is not None
    assert "inbox.sqlite3" in outcome.report.problem
    assert outcome.failure == ()

"""Another connector on the same account: what GSS has under our prefix and we never sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from connector.config import load_stores
from connector.gosweetspot import Client, Outcome
from connector.gosweetspot.client import Recent
from connector.gosweetspot.destination import Destination
from connector.gosweetspot.records import read_page
from connector.keeping import twin
from connector.keeping.tidy import tidy
from connector.ledger import gates
from connector.ledger.gates import Gate
from connector.ledger.times import stamp
from connector.report import Hooks
from connector.sandbox.handle import Sandbox
from connector.slip import SlipRules
from connector.store import Store
from tests.gosweetspot.server import answer, calling, serving
from tests.ledger.given import open_alerts
from tests.road.conftest import one_sandbox as one_sandbox
from tests.road.conftest import road as road
from tests.road.world import Road
from tests.store_files import GOOD

NAMES = ("kiwi", "moa", "tui")


@pytest.fixture
def now() -> datetime:
    """The sandbox dates what it is sent by this machine's clock."""
    return datetime.now(UTC)


@pytest.fixture
def stores(tmp_path: Path, one_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, Store]:
    """kiwi and moa with prefixes, tui without, all with one key."""
    monkeypatch.setenv("KIWI_GSS_KEY", one_sandbox.key)
    config = tmp_path / "config"
    config.mkdir()
    for name in NAMES:
        to = f'url = "{one_sandbox.url}"\ncalls_per_minute = 5\n'
        prefix = "" if name == "tui" else f'\n[slip]\nprefix = "{name[0].upper()}-"\n'
        (config / f"{name}.toml").write_text(GOOD + to + prefix)
    return {store.name: store for store in load_stores(config, secrets=False)}


def other_machine_sends(sandbox: Sandbox, *numbers: str) -> None:
    client = Client(Destination(sandbox.url, sandbox.key))
    slip = {"consignee": "Aroha Example", "address1": "1 Kowhai Road", "city": "Hamilton", "country": "NZ"}
    assert client.put([(one, json.dumps({"packingslipno": one, **slip}).encode()) for one in numbers]).rows
    client.close()


def test_D9_slips_with_our_prefix_that_we_never_sent_are_one_alert_that_names_them(
    road: Road, stores: dict[str, Store], now: datetime
) -> None:
    prefixed(road, "K-")
    road.shop.add("1", "2")
    road.sync()
    assert road.calls("PUT")
    other_machine_sends(road.gss, "k-9001", "K-9002", "Z-1", "9003")
    assert twin.look_for(road.ledger, list(stores.values()), now) == []
    twin.look_for(road.ledger, list(stores.values()), now)
    [alert] = open_alerts(road.ledger)
    [text] = [row[0] for row in road.ledger.db.execute("SELECT text FROM alerts WHERE store = 'kiwi'")]
    assert "not sent from here: K-9002, k-9001. Is there another connector" in text
    assert "Aroha" not in text
    assert twin.TWIN in str(alert)


def test_D9_what_we_sent_ourselves_is_nobodys_twin(road: Road, stores: dict[str, Store], now: datetime) -> None:
    prefixed(road, "K-")
    road.shop.many(3)
    road.sync()
    assert twin.look_for(road.ledger, list(stores.values()), now) == []
    assert open_alerts(road.ledger) == []
    assert len(road.calls("GET")) >= 1


def test_D9_stores_with_one_key_are_one_question_and_one_without_a_prefix_none(
    road: Road, stores: dict[str, Store], now: datetime
) -> None:
    road.gss.reset()
    twin.look_for(road.ledger, [stores["tui"]], now)
    assert road.gss.counts()["gets"] == 0
    twin.look_for(road.ledger, list(stores.values()), now)
    assert road.gss.counts()["gets"] == 1


def test_D9_it_takes_its_calls_from_the_keys_budget_and_waits_for_none(
    road: Road, stores: dict[str, Store], now: datetime
) -> None:
    for _ in range(5):
        assert twin.look_for(road.ledger, [stores["kiwi"]], now) == []
    [note] = twin.look_for(road.ledger, [stores["kiwi"]], now)
    assert note.endswith("the call budget of this key is used up")
    with road.ledger.writing() as db:
        shut = Gate(2, now + timedelta(minutes=9), "trouble")
        gates.keep_gate(db, twin._terms(stores["kiwi"]).gate, shut)
    [note] = twin.look_for(road.ledger, [stores["kiwi"]], now)
    assert note.endswith("calls pause after trouble")


def test_S14_each_call_leaves_the_budget_by_the_time_it_was_made_at(
    road: Road, stores: dict[str, Store], now: datetime
) -> None:
    later = now + timedelta(seconds=59)
    assert twin.look_for(road.ledger, [stores["kiwi"]], now, hooks=Hooks(lambda: later)) == []
    assert road.ledger.db.execute("SELECT at FROM calls").fetchall() == [(stamp(later),)]


class Pages:
    """GSS with so many pages of one strange slip each."""

    def __init__(self, pages: int, fails_at: int = 0) -> None:
        self.asked: list[int] = []
        self._pages = pages
        self._fails_at = fails_at

    def recent(self, created_from: datetime, created_to: datetime, page: int = 1) -> Recent:
        assert created_to - created_from >= timedelta(days=1)
        self.asked.append(page)
        if page == self._fails_at:
            return Recent(Outcome.SERVER_ERROR, note="it broke")
        body = {"Page": page, "Pages": self._pages, "Results": [{"packingslipno": f"K-{page:03}"}]}
        return Recent(Outcome.ANSWERED, self._pages, read_page(json.dumps(body).encode()).records)

    def asking(self, _: Store) -> AbstractContextManager[Pages]:
        @contextmanager
        def opened() -> Iterator[Pages]:
            yield self

        return opened()


def unlimited(store: Store) -> Store:
    return replace(store, gosweetspot=store.gosweetspot.model_copy(update={"calls_per_minute": 0, "calls_per_hour": 0}))


def test_D9_pages_are_read_to_their_end_but_not_without_end(
    road: Road, stores: dict[str, Store], now: datetime
) -> None:
    gss = Pages(999)
    [note] = twin.look_for(road.ledger, [unlimited(stores["kiwi"])], now, gss.asking)
    assert gss.asked == list(range(1, twin.MOST_PAGES + 1))
    assert "more than 20 pages" in note
    [text] = [row[0] for row in road.ledger.db.execute("SELECT text FROM alerts")]
    assert "K-010 and 10 more" in text


def test_D9_what_was_found_before_a_call_failed_is_told_all_the_same(
    road: Road, stores: dict[str, Store], now: datetime
) -> None:
    [note] = twin.look_for(road.ledger, [unlimited(stores["kiwi"])], now, Pages(3, fails_at=2).asking)
    assert note.startswith("kiwi: ")
    assert note.endswith("it broke")
    assert len(open_alerts(road.ledger)) == 1


def test_D9_a_key_that_cannot_be_had_is_a_note(
    road: Road, stores: dict[str, Store], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIWI_GSS_KEY")
    [note] = twin.look_for(road.ledger, [stores["kiwi"]], now)
    assert note.endswith("its key can't be had")


def test_D9_the_days_housekeeping_looks(road: Road, stores: dict[str, Store], now: datetime, tmp_path: Path) -> None:
    other_machine_sends(road.gss, "K-9001")
    tidy(road.ledger, list(stores.values()), tmp_path / "state", now, told_by=lambda _: now)
    assert len(open_alerts(road.ledger)) == 1


def test_recent_asks_in_utc_as_gsss_own_client_writes_it() -> None:
    at = datetime(2026, 11, 23, 22, 30, 5, tzinfo=UTC).astimezone()
    empty = answer(b'{"Page":2,"PageSize":100,"Pages":2,"Results":[]}')
    with serving(empty, empty) as server, calling(server) as client:
        assert client.recent(at, at + timedelta(hours=1), 2) == Recent(Outcome.ANSWERED, 2, ())
        assert server.requests[0].path == (
            "/api/customerorders?createdfrom=2026-11-23%2022%3A30%3A05Z&createdto=2026-11-23%2023%3A30%3A05Z"
            "&pagesize=100&page=2"
        )
        assert client.recent(at, at).outcome is Outcome.UNKNOWN, "another page than the one asked for"


def prefixed(road: Road, prefix: str) -> None:
    road.rules = msgspec.structs.replace(road.rules, slip=SlipRules(prefix=prefix))

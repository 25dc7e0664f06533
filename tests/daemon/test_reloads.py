"""Store files that change, go and come back while the store's shop is read or calls of it are under way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from connector import opening
from connector.daemon.daemon import Daemon
from connector.daemon.gate_sender import GateSender
from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.sources.base import Page
from tests.daemon.running import KEY, Place, until
from tests.daemon.test_stuck import daemon_in

LONG_S = 5.0


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path, "http://127.0.0.1:9")
    monkeypatch.setenv("GSS_KEY", KEY)
    monkeypatch.chdir(made.folder)
    made.store("kiwi")
    return made


class SlowGss:
    """Takes every slip; its first call is answered only once `go_on` is set."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.begun, self.go_on = Event(), Event()

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        is_first = not self.taken
        self.taken += [(number, json.loads(body)["address2"]) for number, body in slips]
        if is_first:
            self.begun.set()
            self.go_on.wait(LONG_S)
        return Answer(Outcome.ANSWERED, 200, {number: Row(Verdict.TAKEN) for number, _ in slips})

    def close(self) -> None:
        pass


def sender_of_kiwi(daemon: Daemon) -> GateSender:
    [sender] = [sender for sender in daemon.roster.senders.values() if "kiwi" in sender.stores]
    return sender


def read_kiwi(daemon: Daemon) -> None:
    reader = daemon.roster.readers["kiwi"]
    reader.poll()
    until(lambda: reader.errand.is_idle, "kiwi is read")


def test_G3_S25_a_key_that_is_rotated_while_a_call_flies_gives_the_store_no_second_sender(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One slip a call: the old sender has written down a second call, which must not follow the newer version's."""
    gss = SlowGss()
    monkeypatch.setattr(opening, "client_of", lambda *_: gss)
    key = place.folder / "gss.key"
    key.write_text("of-yesterday")
    key.chmod(0o600)
    file = place.store("kiwi")
    text = file.read_text().replace("env:GSS_KEY", f"file:{key}")
    file.write_text(text.replace("batch_size = 10", "batch_size = 1\nread_back = false"))
    place.export("kiwi", 1, 2, file="orders-1.csv")
    with daemon_in(place) as daemon:
        read_kiwi(daemon)
        assert gss.begun.wait(LONG_S)
        old = sender_of_kiwi(daemon)
        place.export("kiwi", 1, 2, file="orders-2.csv", Street="77 New Street")
        read_kiwi(daemon)
        key.write_text("of-today")
        daemon.reload()
        new = sender_of_kiwi(daemon)
        assert new is not old
        until(lambda: new.errand.is_idle, "the new sender has done what it may")
        while_flying = list(gss.taken)
        gss.go_on.set()
        until(lambda: old.errand.is_idle, "the old sender is done")
        daemon.roster.poke("kiwi")
        until(lambda: new.errand.is_idle, "the new sender is done")
    older = [("KIWI-#1", "1 Kowhai Road"), ("KIWI-#2", "2 Kowhai Road")]
    newer = [(number, "77 New Street") for number, _ in older]
    assert while_flying == older[:1]
    assert gss.taken == [*older, *newer]


class SlowShop:
    """Has no orders, and says so only once `go_on` is set. most: how often it was read at once."""

    kind = "csv"

    def __init__(self) -> None:
        self.read = self.inside = self.most = 0
        self.begun, self.go_on = Event(), Event()

    def pages(self, _cursor: str) -> Iterator[Page]:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.begun.set()
        self.go_on.wait(LONG_S)
        self.inside -= 1
        self.read += 1
        yield Page((), "")


@contextmanager
def removed_while_read(place: Place, shop: SlowShop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon that was reading the shop of moa when its store file went."""

    @contextmanager
    def source_of(*_: object) -> Iterator[SlowShop]:
        yield shop

    monkeypatch.setattr(opening, "source_of", source_of)
    file = place.store("moa")
    with daemon_in(place) as daemon:
        daemon.roster.readers["moa"].poll()
        assert shop.begun.wait(LONG_S)
        file.unlink()
        daemon.reload()
        yield daemon


def test_Z1_a_reading_of_a_store_that_is_gone_is_known_to_be_under_way(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who ends thinks all is done waits for its thread without an end."""
    shop = SlowShop()
    with removed_while_read(place, shop, monkeypatch) as daemon:
        busy = daemon._busy()
        shop.go_on.set()
        until(lambda: not daemon._busy(), "it ends")
    assert ("read moa" in busy, shop.read) == (True, 1), (
        "beside it the sender may just be looking whether something is owed"
    )


def test_P24_a_store_that_comes_back_while_its_shop_is_read_is_read_once_more_after_that(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = SlowShop()
    with removed_while_read(place, shop, monkeypatch) as daemon:
        place.store("moa")
        daemon.reload()
        reader = daemon.roster.readers["moa"]
        reader.poll()
        until(lambda: reader.errand.is_under_way, "it reads")
        shop.go_on.set()
        until(lambda: reader.errand.is_idle, "it is read")
    assert (shop.most, shop.read) == (1, 2)

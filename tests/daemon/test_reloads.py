"""Store files that change while calls of the store are under way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest

from connector import opening
from connector.daemon.daemon import Daemon
from connector.daemon.gate_sender import GateSender
from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
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

"""What is forgotten and when: nothing that is not over, everything about people, and never what an order was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.gosweetspot.answers import Verdict
from connector.keeping import clock, retention
from connector.keeping.retention import Pruned, give_back_space, prune
from connector.ledger import people, proofs
from connector.ledger.connection import Ledger, in_memory, open_ledger
from connector.ledger.machine import Shown
from connector.ledger.proofs import Sight
from connector.ledger.soundness import check
from connector.ledger.states import State
from connector.ledger.times import stamp
from connector.order import Address, Fulfilment
from connector.wire.heard import Heard
from tests.faults.strace import KILLED, needs_strace, under_strace
from tests.ledger.given import (
    DAY,
    HOUR,
    MINUTE,
    START,
    an_order,
    claimed,
    count,
    open_alerts,
    reason,
    sent,
    state,
    states,
    the_shop_shows,
)

RETENTION = 90 * DAY
LATER = START + RETENTION + DAY
CANARY = "Canary Quillfeather"
WHO = Address(name=CANARY, line1="1 Canary Road", city="Hamilton", postcode="3204", country="NZ")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "state", now=START) as ledger:
        yield ledger


def over(ledger: Ledger, *order_ids: str, how: str = "processed", now: datetime = START) -> None:
    """As read-back leaves a slip that GSS processed and that was picked up."""
    with ledger.writing() as db:
        for order_id in order_ids:
            db.execute(
                "UPDATE versions SET state = ?, read_at = NULL, urgency = NULL, send_at = NULL, changed_at = ?"
                " WHERE newest = 1 AND slip_id = (SELECT id FROM slips WHERE order_id = ?)",
                (how, stamp(now), order_id),
            )


def pruned(ledger: Ledger, now: datetime = LATER, **more: Any) -> Pruned:
    return prune(ledger, "kiwi", RETENTION, now, now, **more)


def everything(ledger: Ledger) -> str:
    return "\n".join(ledger.db.iterdump())


def bytes_of(state: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(state.rglob("*")) if path.is_file())


def test_a_late_slip_is_over_since_a_person_saw_to_it(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    sent(ledger, Verdict.PROCESSED)
    the_shop_shows(ledger, an_order("1", "2", "2 New Road"))
    assert state(ledger) == "late"
    people.acknowledge(ledger, None, "#1", "jane", "rang the depot", LATER)
    assert pruned(ledger, LATER + DAY).slips == 0
    assert pruned(ledger, LATER + RETENTION + DAY).slips == 1


def test_a_processed_slip_is_over_since_it_was_looked_at_last(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    sent(ledger)
    for hours, sight in ((1, Sight(Shown.NEWEST, True)), (24 * 9, Sight(Shown.NEWEST, True))):
        now = START + hours * HOUR
        with ledger.writing() as db:
            proofs.learn(db, "kiwi", [(asked, sight) for asked in proofs.due(db, "kiwi", 9, now)], now, 5 * MINUTE)
    assert pruned(ledger, START + RETENTION + DAY).slips == 0
    assert pruned(ledger, START + RETENTION + 9 * DAY).slips == 1


def test_what_is_over_loses_its_data_and_keeps_number_hash_and_end(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1", ship_to=WHO, origin="Canary.csv"))
    sent(ledger)
    over(ledger, "1")
    before = ledger.db.execute("SELECT number, store, order_id, content FROM slips").fetchone()
    digest = ledger.db.execute("SELECT hash FROM versions").fetchone()
    assert pruned(ledger, START + RETENTION - DAY).slips == 0
    assert pruned(ledger).slips == 1
    assert (state(ledger), reason(ledger)) == ("closed", "processed")
    assert ledger.db.execute("SELECT number, store, order_id, content FROM slips").fetchone() == before
    assert ledger.db.execute("SELECT hash FROM versions").fetchone() == digest
    assert "Canary" not in everything(ledger)
    assert check(ledger.db) == []


def test_why_the_shop_wanted_it_no_more_goes_with_the_rest(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    sent(ledger)
    the_shop_shows(ledger, an_order("1", "2", fulfilment=Fulfilment.FULFILLED))
    assert count(ledger, "slips", "stop = 'skip' AND stop_reason != ''") == 1
    over(ledger, "1")
    pruned(ledger)
    assert count(ledger, "slips", "stop IS NULL AND stop_reason IS NULL") == 1


@pytest.mark.parametrize("standing", [one for one in State if one not in (State.CLOSED,)])
def test_R1_only_what_is_over_is_ever_closed(ledger: Ledger, standing: State) -> None:
    the_shop_shows(ledger, an_order("1"))
    over(ledger, "1", how=standing.value)
    assert pruned(ledger).slips == (standing in (State.PROCESSED, State.WITHDRAWN, State.LATE))


@pytest.mark.parametrize(
    "still",
    ["read_at = '2027-01-01T00:00:00.000Z'", "urgency = 1, send_at = '2027-01-01T00:00:00.000Z'"],
    ids=["it is being read back", "it is to be sent"],
)
def test_R1_nor_what_GSS_is_still_asked_about_or_told_of(ledger: Ledger, still: str) -> None:
    the_shop_shows(ledger, an_order("1"))
    over(ledger, "1")
    ledger.db.execute(f"UPDATE versions SET {still}")
    assert pruned(ledger).slips == 0


def test_R1_nor_what_a_person_was_called_for_and_has_not_seen_to(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    over(ledger, "1")
    ledger.db.execute(
        "INSERT INTO alerts (store, slip_id, kind, text, opened_at) VALUES ('kiwi', 1, 'late', '', ?)", (stamp(START),)
    )
    assert pruned(ledger).slips == 0
    ledger.db.execute("UPDATE alerts SET closed_at = ?", (stamp(START),))
    assert pruned(ledger).slips == 1
    assert count(ledger, "alerts") == 0


def test_R1_nor_a_slip_with_an_older_call_that_may_still_arrive(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    claimed(ledger)
    the_shop_shows(ledger, an_order("1", "2", cancelled=True))
    over(ledger, "1", how="withdrawn")
    assert pruned(ledger).slips == 0


ORDERS = st.lists(
    st.tuples(st.sampled_from(sorted(State)), st.integers(0, 200), st.booleans()), min_size=1, max_size=12
)


@given(ORDERS, st.integers(0, 300))
def test_R1_R2_whatever_stands_there_only_what_is_over_long_enough_goes_and_nothing_is_sent_twice(
    slips: list[tuple[State, int, bool]], days: int
) -> None:
    now = START + days * DAY
    orders = [an_order(str(number)) for number in range(len(slips))]
    with in_memory() as ledger:
        the_shop_shows(ledger, *orders)
        sent(ledger)
        for order, (how, age, _) in zip(orders, slips, strict=True):
            if how is not State.CLOSED:
                over(ledger, order.id, how=how.value, now=START + age * DAY)
        prune(ledger, "kiwi", RETENTION, now, now, piece=3)
        for order, (how, age, is_read_again) in zip(orders, slips, strict=True):
            may_go = how in (State.PROCESSED, State.WITHDRAWN, State.LATE) and days - age >= 90
            assert (state(ledger, order.id) == "closed") == may_go or how is State.CLOSED
            assert count(ledger, "slips", f"order_id = '{order.id}'") == 1
            if is_read_again and state(ledger, order.id) == "closed":
                the_shop_shows(ledger, order, an_order(order.id, "2", "5 Rata Street"), now=now)
                assert state(ledger, order.id) == "closed"
        closed = [one for one, where in states(ledger).items() if where == "closed"]
        assert not {f"#{one}" for one in closed} & set(sent(ledger, now=now))


def test_R2_a_closed_order_read_again_is_known_and_nothing_is_sent(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    sent(ledger)
    over(ledger, "1")
    pruned(ledger)
    report = the_shop_shows(ledger, an_order("1"), now=LATER)
    assert (report.unchanged, report.new) == (1, 0)
    assert sent(ledger, now=LATER) == []
    assert open_alerts(ledger) == []


def test_R2_a_real_change_of_a_closed_order_calls_a_person_once_and_never_makes_a_second_slip(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    sent(ledger)
    over(ledger, "1")
    pruned(ledger)
    for _ in range(2):
        the_shop_shows(ledger, an_order("1", "2", "2 Rata Street"), now=LATER)
    assert open_alerts(ledger) == ["changed after its end"]
    [text] = ledger.db.execute("SELECT text FROM alerts").fetchone()
    assert "order #1" in text
    assert "Rata" not in everything(ledger)
    assert (sent(ledger, now=LATER), count(ledger, "slips")) == ([], 1)


@pytest.mark.parametrize("change", [{"cancelled": True}, {"fulfilment": Fulfilment.FULFILLED}])
def test_R2_a_closed_order_that_is_cancelled_or_fulfilled_calls_nobody(ledger: Ledger, change: dict[str, Any]) -> None:
    the_shop_shows(ledger, an_order("1"))
    sent(ledger)
    over(ledger, "1")
    pruned(ledger)
    the_shop_shows(ledger, an_order("1", "2", **change), now=LATER)
    assert (open_alerts(ledger), state(ledger)) == ([], "closed")


def test_R2_a_withdrawn_order_that_the_shop_wants_again_after_its_end_calls_a_person(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    the_shop_shows(ledger, an_order("1", "2", cancelled=True))
    assert state(ledger) == "withdrawn"
    pruned(ledger)
    the_shop_shows(ledger, an_order("1", "3"), now=LATER)
    assert open_alerts(ledger) == ["changed after its end"]
    assert sent(ledger, now=LATER) == []


def test_R2_an_order_passed_over_is_still_known_when_its_data_is_gone(ledger: Ledger) -> None:
    skipped = an_order("1", number="for canary@canary.example", cancelled=True, origin="Canary.csv")
    the_shop_shows(ledger, skipped)
    assert pruned(ledger).passed_over == 1
    assert "anary" not in everything(ledger)
    report = the_shop_shows(ledger, skipped, now=LATER)
    assert (report.unchanged, count(ledger, "slips")) == (1, 0)


def test_older_versions_lose_their_bodies_in_time_even_of_a_slip_that_is_not_over(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1", ship_to=WHO))
    sent(ledger)
    the_shop_shows(ledger, an_order("1", "2"))
    sent(ledger)
    assert pruned(ledger).versions == 1
    assert "Canary" not in everything(ledger)
    assert (state(ledger), count(ledger, "bodies")) == ("accepted", 1)


def test_order_numbers_that_tell_of_people_go_and_plain_ones_stay(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1", number="KW-1001"), an_order("2", number="Canary Quillfeather"))
    over(ledger, "1", "2")
    pruned(ledger)
    rows = ledger.db.execute("SELECT order_number FROM slips ORDER BY id").fetchall()
    assert rows == [("KW-1001",), ("2",)]


PROGRAM = "tests.faults.prune"


def many_over(folder: Path) -> None:
    with open_ledger(folder / "state", now=START) as ledger:
        the_shop_shows(ledger, *(an_order(str(number), ship_to=WHO) for number in range(12)))
        sent(ledger)
        over(ledger, *(str(number) for number in range(10)))


def standing(folder: Path) -> list[str]:
    with open_ledger(folder / "state") as ledger:
        bodies = dict(ledger.db.execute("SELECT slip_id, 1 FROM versions JOIN bodies ON version_id = id").fetchall())
        found = [str(where) for where in states(ledger).values()]
        assert [where != "closed" for where in found] == [slip in bodies for slip in range(1, 13)]
        return found


@needs_strace
@pytest.mark.parametrize(("call", "first", "step"), [("pwrite64", 2, 9), ("fdatasync", 1, 3), ("unlink", 1, 1)])
def test_R3_pruning_killed_at_any_call_leaves_whole_pieces_and_goes_on_the_next_time(
    tmp_path: Path, call: str, first: int, step: int
) -> None:
    for kills, number in enumerate(range(first, 400, step)):
        folder = tmp_path / f"{number}"
        many_over(folder)
        ran = under_strace(PROGRAM, folder, f"{call}:signal=SIGKILL:when={number}")
        assert standing(folder).count("closed") in range(11)
        if ran.returncode == 0:
            assert kills >= 1
            break
        assert ran.returncode == KILLED, ran.stderr
        with open_ledger(folder / "state", now=LATER) as ledger:
            pruned(ledger)
        assert standing(folder).count("closed") == 10
    else:
        pytest.fail("it never ended unharmed")


@needs_strace
def test_R3_on_a_full_disk_pieces_are_whole_too_and_it_is_said(tmp_path: Path) -> None:
    many_over(tmp_path)
    ran = under_strace(PROGRAM, tmp_path, "pwrite64:error=ENOSPC:when=60+")
    assert (ran.returncode, "full" in ran.stdout) == (3, True), ran.stdout + ran.stderr
    assert 0 < standing(tmp_path).count("closed") < 10


JUMPED = START + timedelta(days=3650)


@pytest.mark.parametrize(
    ("now", "told", "last", "words"),
    [
        (JUMPED, START, START, "a server says"),
        (JUMPED, None, START, "no server told the time"),
        (START, JUMPED, START, "a server says"),
        (START, START, JUMPED, "the ledger knows of things at"),
        (START, START, START, ""),
        (START, START, None, ""),
    ],
)
def test_R4_a_clock_that_nobody_confirms_removes_nothing(
    now: datetime, told: datetime | None, last: datetime | None, words: str
) -> None:
    assert words in clock.doubt(now, told, last)
    assert bool(clock.doubt(now, told, last)) == bool(words)


def test_R4_a_clock_ten_years_ahead_removes_nothing(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    over(ledger, "1")
    found = prune(ledger, "kiwi", RETENTION, JUMPED, START)
    assert (found.slips, "a server says" in found.note, state(ledger)) == (0, True, "processed")


def test_R4_one_run_removes_a_little_and_says_that_more_waits(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LEAST_PER_RUN", 3)
    orders = [an_order(str(number)) for number in range(100)]
    the_shop_shows(ledger, *orders)
    over(ledger, *(order.id for order in orders))
    found = pruned(ledger, piece=5)
    assert (found.slips, found.note) == (5, "the rest waits for the next time")


class _Clock(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("access_key")))
        self.send_response(404)  # with the Date of now
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_R4_the_time_is_told_by_the_date_of_any_answer_and_no_key_is_sent() -> None:
    with HTTPServer(("127.0.0.1", 0), _Clock) as server:
        Thread(target=server.handle_request).start()
        told = clock.time_told_by(f"http://127.0.0.1:{server.server_port}")
    assert told is not None
    assert abs(told - datetime.now(UTC)) < timedelta(minutes=1)
    assert _Clock.asked == [("/", None)]


@pytest.mark.parametrize("date", ["Mon, 23 Nov 99999999999999999999 10:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2300"])
def test_R4_a_date_that_no_calendar_has_tells_nothing(monkeypatch: pytest.MonkeyPatch, date: str) -> None:
    monkeypatch.setattr("connector.wire.door.Door.exchange", lambda *_: Heard(date=date))
    assert clock.time_told_by("https://gss.example") is None


def test_R4_a_server_that_is_not_there_tells_nothing() -> None:
    assert clock.time_told_by("http://127.0.0.1:9") is None


def test_R5_SEC18_no_file_of_the_state_folder_has_a_trace_of_what_was_removed(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "state", now=START) as ledger:
        the_shop_shows(ledger, *(an_order(str(n), ship_to=WHO, buyer_note="Canary note " * 400) for n in range(40)))
        sent(ledger)
        the_shop_shows(ledger, *(an_order(str(n), "2", ship_to=WHO, origin="Canary") for n in range(20)))
        assert b"Canary" in bytes_of(tmp_path / "state")
        over(ledger, *(str(n) for n in range(40)))
        pruned(ledger)
        assert b"anary" not in bytes_of(tmp_path / "state")
        assert ledger.db.execute("PRAGMA secure_delete").fetchone() == (1,)
    assert b"anary" not in bytes_of(tmp_path / "state")


def test_R7_an_emptied_ledger_gives_its_space_back_where_the_disk_has_room(ledger: Ledger) -> None:
    orders = [an_order(str(number), buyer_note="a long note " * 500) for number in range(100)]
    the_shop_shows(ledger, *orders)
    over(ledger, *(order.id for order in orders))
    pruned(ledger)
    assert ledger.path is not None
    size = ledger.path.stat().st_size
    assert "too little space" in give_back_space(ledger, lambda _: size)
    assert ledger.path.stat().st_size == size
    assert give_back_space(ledger, lambda _: 10 * size) == ""
    assert ledger.path.stat().st_size < size * 0.75
    assert check(ledger.db) == []
    assert len(states(ledger)) == 100


def test_people_s_words_go_with_the_order_and_what_they_did_stays(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    over(ledger, "1")
    ledger.db.execute(
        "INSERT INTO actions (at, who, what, slip_id, reason) VALUES (?, 'anna', 'hold', 1, 'called Canary')",
        (stamp(START),),
    )
    pruned(ledger)
    assert ledger.db.execute("SELECT who, what, reason FROM actions").fetchall() == [("anna", "hold", "")]
    assert "anary" not in everything(ledger)

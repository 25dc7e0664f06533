"""What is owed, claimed and settled: an answer only adds knowledge, one bad slip stops no other, old rows are free."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.ledger import gates, intake, outbox, people, proofs
from connector.ledger.connection import Ledger, LedgerError, in_memory, open_ledger
from connector.ledger.gates import Gate
from connector.ledger.machine import CYCLE, Shown, backoff
from connector.ledger.outbox import Attempt
from connector.ledger.proofs import Sight
from connector.sender import understand
from tests.ledger.given import (
    DAY,
    HOUR,
    MINUTE,
    START,
    G,
    an_order,
    answers,
    claimed,
    count,
    fails,
    open_alerts,
    sent,
    settled,
    state,
    states,
    terms,
    the_shop_shows,
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        yield ledger


def numbers(attempt: Attempt) -> list[str]:
    return [item.number for item in attempt.items]


def test_cancels_go_first_then_changes_then_new_orders_each_kind_in_its_own_call(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("cancelled"), an_order("changed"))
    sent(ledger)
    the_shop_shows(
        ledger,
        an_order("new"),
        an_order("changed", "2", "2 Rata Street"),
        an_order("cancelled", "2", cancelled=True),
    )
    cancel, put = claimed(ledger, places=2)
    assert (cancel.op, numbers(cancel)) == ("delete", ["#cancelled"])
    assert (put.op, numbers(put)) == ("put", ["#changed", "#new"])


def test_an_attempt_is_written_down_with_every_slip_before_it_is_handed_out(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"), an_order("2"))
    [attempt] = claimed(ledger)
    assert ledger.db.execute("SELECT outcome, slips FROM attempts").fetchall() == [(None, 2)]
    carried = ledger.db.execute("SELECT version_id FROM attempt_versions").fetchall()
    assert carried == [(item.version_id,) for item in attempt.items]


def test_M1_a_process_that_died_between_answer_and_commit_sends_again_to_the_same_end(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    [attempt] = claimed(ledger)
    with ledger.writing() as db:
        outbox.recover(db, "kiwi", START, G)
    [again] = claimed(ledger)
    assert [item.body for item in again.items] == [item.body for item in attempt.items]
    settled(ledger, again, answers(again))
    assert state(ledger) == "accepted"


def test_M3_an_answer_counts_for_the_version_it_carried_and_a_newer_one_stays_owed(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    [attempt] = claimed(ledger)
    the_shop_shows(ledger, an_order(revision="2", street="2 Rata Street"))
    settled(ledger, attempt, answers(attempt))
    found = ledger.db.execute("SELECT seq, state FROM versions ORDER BY seq").fetchall()
    assert found == [(1, "superseded"), (2, "owed")]
    [second] = claimed(ledger)
    assert b"2 Rata Street" in (second.items[0].body or b"")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_M4_an_answer_that_comes_after_its_attempt_was_closed_moves_nothing(ledger: Ledger, verdict: Verdict) -> None:
    the_shop_shows(ledger, an_order())
    [attempt] = claimed(ledger)
    with ledger.writing() as db:
        outbox.recover(db, "kiwi", START, G)
    before = list(ledger.db.iterdump())
    late = answers(attempt, verdict)
    with ledger.writing() as db:
        assert not outbox.settle(db, attempt, understand(attempt, late, others_pass=True), START + HOUR, G)
    assert list(ledger.db.iterdump()) == before


def test_M4_an_answer_that_comes_while_the_slip_is_in_its_next_attempt_moves_nothing(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    [first] = claimed(ledger)
    with ledger.writing() as db:
        outbox.recover(db, "kiwi", START, G)
    [second] = claimed(ledger)
    settled(ledger, first, answers(first, Verdict.REFUSED, "no"))
    assert state(ledger) == "sending"
    settled(ledger, second, answers(second))
    assert state(ledger) == "accepted"


def test_M5_one_row_that_can_not_be_written_rolls_the_whole_outcome_back_and_it_is_found_again(ledger: Ledger) -> None:
    the_shop_shows(ledger, *(an_order(str(i)) for i in range(5)))
    [attempt] = claimed(ledger)
    ledger.db.execute(
        f"CREATE TEMP TRIGGER bad BEFORE UPDATE ON versions WHEN old.id = {attempt.items[3].version_id}"
        " BEGIN SELECT raise(ABORT, 'a bad row'); END"
    )
    with pytest.raises(LedgerError, match="a bad row"):
        settled(ledger, attempt, answers(attempt))
    assert set(states(ledger).values()) == {"sending"}
    assert count(ledger, "attempts", "outcome IS NULL") == 1
    ledger.db.execute("DROP TRIGGER bad")
    with ledger.writing() as db:
        assert outbox.recover(db, "kiwi", START, G) == 5
    assert len(sent(ledger)) == 5


def test_answers_are_matched_by_slip_number_never_by_position(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"), an_order("2"), an_order("3"))
    [attempt] = claimed(ledger)
    rows = {"#3": Row(Verdict.REFUSED, "no"), "#2": Row(Verdict.PROCESSED, ""), "#1": Row(Verdict.TAKEN, "")}
    settled(ledger, attempt, Answer(Outcome.ANSWERED, 200, rows, "", None, 0))
    assert states(ledger) == {"1": "accepted", "2": "ticketed", "3": "refused"}


def test_one_bad_slip_in_fifty_stands_alone_after_a_few_halves_and_all_others_go_through(ledger: Ledger) -> None:
    the_shop_shows(ledger, *(an_order(str(i)) for i in range(50)))
    calls, now = 0, START
    while attempts := claimed(ledger, now=now):
        [attempt] = attempts
        calls += 1
        if "#37" in numbers(attempt):
            settled(ledger, attempt, fails(Outcome.REJECTED, "400"), now=now)
        else:
            settled(ledger, attempt, answers(attempt), now=now)
    found = states(ledger)
    assert found.pop("37") == "owed"
    assert set(found.values()) == {"accepted"}
    assert calls <= 1 + 2 * 6, "2 * log2(50) extra calls at the most"
    for minutes in (8, 16):
        [attempt] = claimed(ledger, now=now + minutes * MINUTE)
        assert numbers(attempt) == ["#37"]
        settled(ledger, attempt, fails(Outcome.REJECTED, "400"), now=now + minutes * MINUTE)
    assert state(ledger, "37") == "refused"
    assert open_alerts(ledger) == ["poison"]


def test_three_quick_rejections_of_a_lone_slip_do_not_refuse_it(ledger: Ledger) -> None:
    """Spread over 15 minutes at least: whoever retries by hand in a bad minute loses no order."""
    the_shop_shows(ledger, an_order())
    for seconds in range(5):
        now = START + timedelta(seconds=seconds)
        [attempt] = claimed(ledger, now=now)
        settled(ledger, attempt, fails(Outcome.REJECTED, "400"), now=now)
        assert state(ledger) == "owed"
        with ledger.writing() as db:
            db.execute("UPDATE versions SET send_at = created_at")
    assert people.retry(ledger, None, "#1", "jane", START).startswith("#1 is owed")


def test_a_slip_gss_does_not_answer_for_is_unclear_and_the_rest_of_the_batch_is_settled(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"), an_order("2"))
    [attempt] = claimed(ledger)
    rows = {"#1": Row(Verdict.TAKEN, ""), "#2": Row(Verdict.UNCLEAR, "")}
    settled(ledger, attempt, Answer(Outcome.ANSWERED, 200, rows, "", None, 0))
    assert states(ledger) == {"1": "accepted", "2": "unclear"}


def test_a_read_back_that_comes_after_the_slip_was_sent_again_teaches_nothing(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    sent(ledger)
    [asked] = proofs.due(ledger.db, "kiwi", 9, START)
    the_shop_shows(ledger, an_order(revision="2", street="2 Rata Street"))
    sent(ledger)
    with ledger.writing() as db:
        counts = proofs.learn(db, "kiwi", [(asked, Sight(Shown.NEWEST, ticketed=True, ticket="T1"))], START + HOUR, G)
    assert sum(counts.values()) == 0
    assert state(ledger) == "accepted"


@pytest.mark.parametrize("sent_already", [False, True])
def test_a_read_back_of_a_version_that_was_sent_once_more_meanwhile_teaches_nothing(
    ledger: Ledger, sent_already: bool
) -> None:
    the_shop_shows(ledger, an_order())
    sent(ledger)
    [asked] = proofs.due(ledger.db, "kiwi", 9, START)
    people.retry(ledger, None, "#1", "jane", START)
    if sent_already:
        sent(ledger)
    with ledger.writing() as db:
        counts = proofs.learn(db, "kiwi", [(asked, Sight(Shown.NEWEST))], START + HOUR, G)
    assert sum(counts.values()) == 0
    assert state(ledger) == ("accepted" if sent_already else "owed")


def test_H1_what_was_owed_by_a_clock_ten_years_ahead_goes_out_when_it_is_set_right(ledger: Ledger) -> None:
    ahead = START + 3650 * DAY
    the_shop_shows(ledger, an_order("1"), now=ahead)
    [attempt] = claimed(ledger, now=ahead)
    settled(ledger, attempt, fails(Outcome.NOT_SENT), now=ahead)
    the_shop_shows(ledger, an_order("2"), now=ahead)
    assert outbox.next_due(ledger.db, "kiwi", START) == START
    assert set(sent(ledger, now=START)) == {"#1", "#2"}
    assert outbox.next_due(ledger.db, "kiwi", START) is None


def test_H1_what_was_sent_by_a_clock_ten_years_ahead_is_read_back_but_not_without_end(ledger: Ledger) -> None:
    ahead = START + 3650 * DAY
    the_shop_shows(ledger, an_order(), now=ahead)
    sent(ledger, now=ahead)
    assert proofs.due_again(ledger.db, "kiwi", START) == START
    with ledger.writing() as db:
        proofs.wait_no_longer(db, "kiwi", START)
    [asked] = proofs.due(ledger.db, "kiwi", 9, START)
    with ledger.writing() as db:
        proofs.learn(db, "kiwi", [(asked, Sight(Shown.NEWEST))], START, G)
    assert proofs.due(ledger.db, "kiwi", 9, START) == []
    assert proofs.due_again(ledger.db, "kiwi", START) == START + CYCLE


def test_H1_a_wait_that_is_as_long_as_it_may_be_is_waited_for(ledger: Ledger) -> None:
    assert backoff(99) == outbox.LONGEST_WAIT
    the_shop_shows(ledger, an_order())
    for tries in range(9):
        now = START + tries * HOUR
        [attempt] = claimed(ledger, now=now)
        settled(ledger, attempt, fails(Outcome.UNKNOWN), now=now)
        gates.keep_gate(ledger.db, "a key", Gate())
    assert outbox.next_due(ledger.db, "kiwi", now) == now + HOUR
    assert not outbox.is_due(ledger.db, "kiwi", now + HOUR - MINUTE)


def test_D10_two_threads_that_claim_at_once_never_get_the_same_slip(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        the_shop_shows(ledger, *(an_order(str(i)) for i in range(60)))
    found: list[list[str]] = [[], []]

    def claim_all(mine: list[str]) -> None:
        with open_ledger(tmp_path) as own:
            while attempts := claimed(own, terms(batch_size=2)):
                mine.extend(number for attempt in attempts for number in numbers(attempt))

    threads = [threading.Thread(target=claim_all, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found[0] + found[1]) == sorted(f"#{i}" for i in range(60))


BODY = (
    '{"packingslipno":"#1","consignee":"Aroha Example","address1":"","address2":"1 Kowhai Road","suburb":"",'
    '"city":"Hamilton","postcode":"3204","country":"NZ","delvref":"#1","delvinstructions":null,"contactname":null,'
    '"contactphone":null,"email":null}'
)
COUNT_TO = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) "


def fill_with_old_rows(db: sqlite3.Connection, most: int, store: str = "kiwi") -> None:
    """Orders of former years, all processed, as the ledger writes them; fifty to an attempt."""
    given = {"most": most, "store": store, "body": BODY, "at": "2024-01-01T00:00:00.000Z", "gss": terms().destination}
    db.execute(
        COUNT_TO + "INSERT INTO attempts SELECT i, :store, 'put', 50, :at, :at, 'answered', 200, '' FROM n"
        " WHERE i <= :most / 50 + 1",
        given,
    )
    db.execute(
        COUNT_TO + "INSERT INTO slips (id, store, order_id, part, order_number, number, number_key, destination,"
        " revision, content, created_at) SELECT i, :store, 'old' || i, '', '#old' || i, '#old' || i, '#old' || i, :gss,"
        " printf('%09d', i), randomblob(32), :at FROM n",
        given,
    )
    db.execute(
        "INSERT INTO versions (slip_id, seq, store, op, state, hash, revision, tries, attempt_id, created_at,"
        " changed_at) SELECT id, 1, store, 'put', 'processed', hex(randomblob(32)), revision, 1,"
        " 1 + id / 50, :at, :at FROM slips",
        given,
    )
    db.execute("INSERT INTO bodies SELECT id, :body, NULL FROM versions", given)
    db.execute("INSERT INTO attempt_versions SELECT attempt_id, id, NULL FROM versions")


class Plans:
    """Runs what the ledger runs, and keeps how SQLite went about each statement."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.seen: dict[str, list[str]] = {}

    def __enter__(self) -> Plans:
        self.statements: list[str] = []
        self.db.set_trace_callback(self.statements.append)
        return self

    def __exit__(self, *_: object) -> None:
        self.db.set_trace_callback(None)
        for statement in self.statements:
            if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
                plan = self.db.execute("EXPLAIN QUERY PLAN " + statement).fetchall()
                self.seen[statement] = [row[3] for row in plan]

    def scans(self) -> dict[str, str]:
        """Statements that walk through a whole table that grows with the years; an index of what is open is short."""
        short = ("versions_owed", "versions_to_read", "one_open_attempt", "attempts_open")
        grows = ("slips", "versions", "attempts", "attempt_versions", "passed_over", "s", "v", "o", "w", "a")
        return {
            statement[:100]: step
            for statement, steps in self.seen.items()
            for step in steps
            if step.split()[0] == "SCAN" and step.split()[1] in grows and not step.endswith(short)
        }


def a_poll_and_send_cycle(ledger: Ledger, revision: str) -> None:
    """Read a page with new, changed, unchanged and cancelled orders, send it, read it back."""
    the_shop_shows(
        ledger,
        *(an_order(f"old{i}", "999999999", f"{i} Rata Street") for i in range(1, 6)),
        *(an_order(f"day{i}", revision, f"{revision} Rata Street") for i in range(20)),
        an_order("gone", revision, cancelled=revision != "1"),
    )
    sent(ledger)
    outbox.next_due(ledger.db, "kiwi", START)
    outbox.owed(ledger.db, "kiwi")
    proofs.due_again(ledger.db, "kiwi", START)
    due = proofs.due(ledger.db, "kiwi", 2000, START + HOUR)
    proofs.sent_before(ledger.db, [asked.slip_id for asked in due])
    with ledger.writing() as db:
        proofs.learn(db, "kiwi", [(asked, Sight(Shown.NEWEST)) for asked in due], START + HOUR, G)
        proofs.close_windows(db, "kiwi", START + HOUR)
        outbox.recover(db, "kiwi", START + HOUR, G)


def test_L22_no_statement_of_a_cycle_walks_through_the_orders_of_former_years() -> None:
    with in_memory() as ledger:
        with ledger.writing() as db:
            fill_with_old_rows(db, 2_000)
        a_poll_and_send_cycle(ledger, "1")
        with Plans(ledger.db) as plans:
            a_poll_and_send_cycle(ledger, "2")
        assert len(plans.seen) > 30
        assert plans.scans() == {}
        intake.cursor_of(ledger.db, "kiwi")


@pytest.mark.slow
def test_L22_a_cycle_over_a_million_old_orders_takes_less_than_a_second(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_ledger(tmp_path) as ledger:
        with ledger.writing() as db:
            fill_with_old_rows(db, 1_000_000)
        a_poll_and_send_cycle(ledger, "1")
        begun = time.perf_counter()
        a_poll_and_send_cycle(ledger, "2")
        took = time.perf_counter() - begun
    with capsys.disabled():
        print(f"\na cycle over 1,000,000 old orders: {took * 1000:.0f} ms")
    assert took < 1

"""The real ledger held to the model of failures.md section 3, step by step, by a Hypothesis state machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connector.consider import Rules
from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.ledger import outbox, proofs
from connector.ledger.connection import in_memory
from connector.ledger.gates import Budget, gate_of
from connector.ledger.machine import Shown
from connector.ledger.outbox import Attempt
from connector.ledger.proofs import Asked, Sight
from connector.ledger.states import State
from connector.order import Address, Fulfilment, Order
from connector.record import record_page
from connector.report import Report
from connector.selection import SelectRules
from connector.sender import Terms, exchange, understand
from connector.slip import SlipRules
from connector.sources.base import Page
from tests.model import Model

G = timedelta(minutes=5)
RULES = Rules("m", SelectRules(), SlipRules())
TERMS = Terms("m", "https://gss.example", "gate", batch_size=3, in_flight=2, budget=Budget(0, 0), ghost_window=G)
START = datetime(2026, 5, 4, 0, 0, tzinfo=UTC)
FULFILMENTS = {"skip": Fulfilment.FULFILLED, "wait": Fulfilment.ON_HOLD}
STREETS = {"a": "1 Kowhai Road", "b": "2 Rata Street", "c": "3 Totara Lane"}

orders = st.sampled_from(["1", "2", "3", "4"])
addresses = st.sampled_from(sorted(STREETS))
whole_call = st.sampled_from(
    [
        Outcome.NOT_SENT,
        Outcome.UNKNOWN,
        Outcome.SERVER_ERROR,
        Outcome.REJECTED,
        Outcome.UNAUTHORISED,
        Outcome.THROTTLED,
    ]
)
verdicts = st.sampled_from([*Verdict, Verdict.TAKEN, Verdict.TAKEN])
words = st.sampled_from(["", "", "", "", "cancel", "skip", "wait"])
rarely = st.sampled_from([False, False, False, True])


class LedgerMachine(RuleBasedStateMachine):
    """Delivers, edits, cancels, sends, answers late, crashes and reads back; the model says what must come of it."""

    @initialize()
    def begin(self) -> None:
        self.ledger = in_memory()
        self.model = Model(G.total_seconds())
        self.now = START
        self.revision = 0
        self.flying: list[Attempt] = []
        self.asked: list[Asked] = []
        self.gates = 0
        self.terms: dict[int, Terms] = {}
        for order in ("1", "2", "3", "4"):
            self.the_shop_shows_an_order(order, "a", "", 0)

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()

    @rule(order=orders, address=addresses, word=words, back=st.sampled_from([0, 0, 0, 0, 0, 1, 2]))
    def the_shop_shows_an_order(self, order: str, address: str, word: str, back: int) -> None:
        """back: 0 a new revision, else an older one, or one that was there before with other contents.
        word: cancelled, "skip" for fulfilled by hand, "wait" for put on hold."""
        if back == 0:
            self.revision += 1
        revision = max(self.revision - back, 1)
        shown = Order(
            id=order,
            number=f"#{order}",
            revision=f"{revision:06d}",
            cancelled=word == "cancel",
            fulfilment=FULFILMENTS.get(word, Fulfilment.UNFULFILLED),
            ship_to=Address(name="Aroha Example", line1=STREETS[address], city="Hamilton", country="NZ"),
        )
        record_page(RULES, TERMS, Page((shown,), "x"), self.ledger, Report("m"), self.now)
        self.model.change(order, revision, address, word)

    @rule(places=st.integers(1, 2), fresh_gate=st.sampled_from([True, True, False]))
    def the_sender_claims(self, places: int, fresh_gate: bool) -> None:
        """fresh_gate: earlier failures don't keep this call back (gates have tests of their own)."""
        self.gates += fresh_gate
        terms = msgspec.structs.replace(TERMS, gate=f"gate {self.gates}")
        turn = exchange(self.ledger, terms, [], places, False, self.now)
        for attempt in turn.attempts:
            self.terms[attempt.id] = terms
            self.flying.append(attempt)
            for order, seq in self._carried(attempt):
                self.model.claimed(order, seq)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def an_answer_with_rows_comes(self, data: Any) -> None:
        attempt = self._land(data)
        rows = {item.number: Row(data.draw(verdicts), "words") for item in attempt.items}
        self._settle(attempt, Answer(Outcome.ANSWERED, 200, rows, "", None, 0))

    @rule(data=st.data())
    def a_batch_goes_out_and_is_answered(self, data: Any) -> None:
        self.the_sender_claims(1, True)
        if self.flying:
            self.an_answer_with_rows_comes(data)

    @rule(data=st.data(), outcome=whole_call, wait=st.sampled_from([0, 8]))
    def a_batch_goes_out_and_fails(self, data: Any, outcome: Outcome, wait: int) -> None:
        self.time_passes(timedelta(minutes=wait))
        self.the_sender_claims(1, True)
        if self.flying:
            self.a_call_fails_as_a_whole(data, outcome)

    @rule(shown=st.sampled_from(list(Shown)), ticketed=rarely, wait=st.sampled_from([0, 6, 61, 361]), data=st.data())
    def everything_due_is_read_back(self, shown: Shown, ticketed: bool, wait: int, data: Any) -> None:
        self.time_passes(timedelta(minutes=wait))
        self.gss_is_asked()
        while self.asked:
            self.gss_shows_what_it_has(shown, ticketed, data)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), outcome=whole_call)
    def a_call_fails_as_a_whole(self, data: Any, outcome: Outcome) -> None:
        self._settle(self._land(data), Answer(outcome, 500, {}, "failed", None, 0))

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def the_same_answer_comes_twice(self, data: Any) -> None:
        """M4: what an attempt said once is said; a second answer to it moves nothing."""
        attempt = self._land(data)
        answer = Answer(Outcome.UNKNOWN, 0, {}, "gone", None, 0)
        self._settle(attempt, answer)
        late = Answer(Outcome.ANSWERED, 200, {i.number: Row(Verdict.TAKEN, "") for i in attempt.items}, "", None, 0)
        with self.ledger.writing() as db:
            assert not outbox.settle(db, attempt, understand(attempt, late, others_pass=True), self.now, G)

    @rule()
    def the_process_dies_and_starts_again(self) -> None:
        carried = [pair for attempt in self.flying for pair in self._carried(attempt)]
        with self.ledger.writing() as db:
            outbox.recover(db, "m", self.now, G)
        self.flying, self.asked = [], []
        for order, seq in carried:
            self.model.answered(order, seq, "interrupted", True)

    @rule(
        step=st.sampled_from([timedelta(seconds=20), timedelta(minutes=6), timedelta(minutes=16), timedelta(hours=7)])
    )
    def time_passes(self, step: timedelta) -> None:
        self.now += step
        self.model.now += step.total_seconds()

    @rule()
    def windows_close(self) -> None:
        before = self._older_unclear()
        with self.ledger.writing() as db:
            proofs.close_windows(db, "m", self.now)
        for order, seq in before - self._older_unclear():
            self.model.window_closed(order, seq)

    @rule()
    def gss_is_asked(self) -> None:
        self.asked = proofs.due(self.ledger.db, "m", 50, self.now)

    @precondition(lambda self: self.asked)
    @rule(shown=st.sampled_from(list(Shown)), ticketed=st.booleans(), data=st.data())
    def gss_shows_what_it_has(self, shown: Shown, ticketed: bool, data: Any) -> None:
        asked = self.asked.pop(data.draw(st.integers(0, len(self.asked) - 1)))
        if shown is Shown.NEWEST and asked.op == "delete":
            shown = Shown.OLDER
        ticketed = ticketed and shown is not Shown.NOTHING
        order, as_asked = self._where(asked)
        with self.ledger.writing() as db:
            proofs.learn(db, "m", [(asked, Sight(shown, ticketed))], self.now, G)
        if as_asked:
            self.model.read_back(order, shown.value, ticketed)
            self._nobody_is_called_for_what_is_as_it_should_be(order, shown)

    @invariant()
    def the_ledger_is_as_the_model_says(self) -> None:
        if not hasattr(self, "ledger"):
            return
        rows = self.ledger.db.execute(
            "SELECT s.order_id, v.seq, v.op, v.state FROM versions v JOIN slips s ON s.id = v.slip_id ORDER BY 1, 2"
        ).fetchall()
        said = [
            (order, seq, version.op, version.state)
            for order, slip in sorted(self.model.slips.items())
            for seq, version in enumerate(slip.versions, 1)
        ]
        assert rows == said
        passed = {row[0] for row in self.ledger.db.execute("SELECT order_id FROM passed_over")}
        assert passed == set(self.model.passed)

    @invariant()
    def late_held_and_refused_have_an_open_alert(self) -> None:
        if not hasattr(self, "ledger"):
            return
        silent = self.ledger.db.execute(
            "SELECT s.order_id, v.state FROM versions v JOIN slips s ON s.id = v.slip_id"
            " WHERE v.newest = 1 AND v.state IN ('late', 'refused', 'held') AND NOT EXISTS"
            " (SELECT 1 FROM alerts a WHERE a.slip_id = v.slip_id AND a.closed_at IS NULL)"
        ).fetchall()
        assert silent == []

    def _nobody_is_called_for_what_is_as_it_should_be(self, order: str, shown: Shown) -> None:
        is_shown = {"confirmed": Shown.NEWEST, "withdrawn": Shown.NOTHING}.get(self.model.slips[order].newest.state)
        kinds = self.ledger.db.execute(
            "SELECT kind FROM alerts WHERE closed_at IS NULL AND kind IN ('vanished', 'changed at GSS', 'ghost')"
            " AND slip_id = (SELECT id FROM slips WHERE order_id = ?)",
            (order,),
        ).fetchall()
        assert shown is not is_shown or kinds == []

    def _land(self, data: Any) -> Attempt:
        return self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))

    def _settle(self, attempt: Attempt, answer: Answer) -> None:
        carried = self._carried(attempt)
        terms = self.terms[attempt.id]
        others_pass = gate_of(self.ledger.db, terms.gate).failures == 0
        exchange(self.ledger, terms, [(attempt, answer)], 0, True, self.now)
        heard = understand(attempt, answer, others_pass=others_pass)
        for (order, seq), item in zip(carried, attempt.items, strict=True):
            self.model.answered(order, seq, heard.events[item.version_id].value, others_pass)

    def _carried(self, attempt: Attempt) -> list[tuple[str, int]]:
        return [
            self.ledger.db.execute(
                "SELECT s.order_id, v.seq FROM versions v JOIN slips s ON s.id = v.slip_id WHERE v.id = ?",
                (item.version_id,),
            ).fetchone()
            for item in attempt.items
        ]

    def _where(self, asked: Asked) -> tuple[str, bool]:
        """The order, and whether its version still stands as it stood when GSS was asked."""
        order, newest, state, attempt = self.ledger.db.execute(
            "SELECT s.order_id, v.newest, v.state, v.attempt_id FROM versions v JOIN slips s ON s.id = v.slip_id"
            " WHERE v.id = ?",
            (asked.version_id,),
        ).fetchone()
        return order, bool(newest) and State(state) is asked.state and attempt == asked.attempt_id

    def _older_unclear(self) -> set[tuple[str, int]]:
        return set(
            self.ledger.db.execute(
                "SELECT s.order_id, v.seq FROM versions v JOIN slips s ON s.id = v.slip_id"
                " WHERE v.newest = 0 AND v.state = 'unclear'"
            )
        )


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(stateful_step_count=50, suppress_health_check=list(HealthCheck))

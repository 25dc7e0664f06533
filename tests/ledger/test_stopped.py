"""Orders that the shop holds, or calls fulfilled, while it isn't known whether GSS has their slip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from connector.gosweetspot.answers import Outcome, Verdict
from connector.ledger import comparison, people, proofs, queries
from connector.ledger.connection import Ledger, in_memory
from connector.ledger.machine import Shown
from connector.ledger.proofs import Sight
from connector.order import Fulfilment
from connector.sender import exchange
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
    reason,
    sent,
    settled,
    state,
    states,
    terms,
    the_shop_shows,
)

LEFT_NOTHING = [Outcome.NOT_SENT, Outcome.UNAUTHORISED, Outcome.THROTTLED, Outcome.REJECTED]
MAY_HAVE_ARRIVED = [Outcome.UNKNOWN, Outcome.SERVER_ERROR]


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        the_shop_shows(ledger, an_order())
        yield ledger


def call_that(ledger: Ledger, outcome: Outcome) -> None:
    [attempt] = claimed(ledger)
    settled(ledger, attempt, fails(outcome))
    ledger.db.execute("DELETE FROM gates")


def is_fulfilled(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(revision="2", fulfilment=Fulfilment.FULFILLED), now=START + MINUTE)


def is_on_hold(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(revision="2", fulfilment=Fulfilment.ON_HOLD), now=START + MINUTE)


def is_released(ledger: Ledger, now: datetime) -> None:
    the_shop_shows(ledger, an_order(revision="3"), now=now)


def gss_shows(ledger: Ledger, shown: Shown, now: datetime, *, ticketed: bool = False) -> None:
    with ledger.writing() as db:
        asked = proofs.due(db, "kiwi", 9, now)
        proofs.learn(db, "kiwi", [(one, Sight(shown, ticketed)) for one in asked], now, G)


@pytest.mark.parametrize("outcome", LEFT_NOTHING)
def test_S4_an_order_fulfilled_by_hand_while_nothing_could_reach_gss_is_not_sent_afterwards(
    ledger: Ledger, outcome: Outcome
) -> None:
    call_that(ledger, outcome)
    is_fulfilled(ledger)
    assert state(ledger) == "withdrawn"
    assert sent(ledger, now=START + DAY) == []


@pytest.mark.parametrize("outcome", LEFT_NOTHING)
def test_T12_an_order_put_on_hold_while_nothing_could_reach_gss_is_sent_when_it_is_released(
    ledger: Ledger, outcome: Outcome
) -> None:
    call_that(ledger, outcome)
    is_on_hold(ledger)
    assert (state(ledger), "held" in open_alerts(ledger)) == ("held", True)
    assert "GSS" not in reason(ledger)
    assert sent(ledger, now=START + DAY) == []
    is_released(ledger, START + DAY)
    assert (sent(ledger, now=START + DAY), "held" in open_alerts(ledger)) == (["#1"], False)


def test_T12_what_was_written_down_ahead_and_never_tried_was_not_sent(ledger: Ledger) -> None:
    [attempt] = claimed(ledger)
    exchange(ledger, terms(), [], 0, False, START, untried=[attempt])
    assert queries.accepted_bodies(ledger.db, [1]) == {}
    assert [one.was_sent for one in comparison.to_compare(ledger.db, "kiwi", 0, 9)] == [False]
    is_on_hold(ledger)
    assert state(ledger) == "held"


@pytest.mark.parametrize("outcome", MAY_HAVE_ARRIVED)
@pytest.mark.parametrize(("stop", "end"), [(is_fulfilled, "withdrawn"), (is_on_hold, "held")])
def test_T12_what_may_have_reached_gss_is_looked_up_and_not_sent_again(
    ledger: Ledger, outcome: Outcome, stop: Callable[[Ledger], None], end: str
) -> None:
    call_that(ledger, outcome)
    stop(ledger)
    assert (state(ledger), sent(ledger, now=START + HOUR)) == ("unclear", [])
    gss_shows(ledger, Shown.NOTHING, START + MINUTE)
    assert state(ledger) == "unclear", "the call may still arrive"
    gss_shows(ledger, Shown.NOTHING, START + G * 2)
    assert (state(ledger), sent(ledger, now=START + DAY)) == (end, [])
    is_released(ledger, START + DAY)
    assert (sent(ledger, now=START + DAY), open_alerts(ledger)) == (["#1"], [])


@pytest.mark.parametrize("stop", [is_fulfilled, is_on_hold])
def test_T12_what_turns_out_to_have_reached_gss_stands_there(ledger: Ledger, stop: Callable[[Ledger], None]) -> None:
    call_that(ledger, Outcome.UNKNOWN)
    stop(ledger)
    gss_shows(ledger, Shown.NEWEST, START + G * 2)
    assert (state(ledger), sent(ledger, now=START + DAY)) == ("confirmed", [])


@pytest.mark.parametrize("stop", [is_fulfilled, is_on_hold])
def test_T12_an_order_stopped_while_gss_is_asked_is_not_sent_by_what_was_heard(
    ledger: Ledger, stop: Callable[[Ledger], None]
) -> None:
    call_that(ledger, Outcome.UNKNOWN)
    asked = proofs.due(ledger.db, "kiwi", 9, START)
    stop(ledger)
    with ledger.writing() as db:
        proofs.learn(db, "kiwi", [(one, Sight(Shown.NOTHING)) for one in asked], START + MINUTE, G)
    assert (len(asked), sent(ledger, now=START + DAY)) == (1, [])


def test_Z10_a_change_that_is_held_still_waits_for_a_person_once_the_order_is_fulfilled(ledger: Ledger) -> None:
    assert sent(ledger) == ["#1"]
    the_shop_shows(ledger, an_order(revision="1", buyer_note="Leave it at the gate"))
    assert (state(ledger), "held" in open_alerts(ledger)) == ("held", True)
    is_fulfilled(ledger)
    assert (state(ledger), "held" in open_alerts(ledger)) == ("held", True)


def test_T12_an_order_released_before_gss_was_asked_is_sent_again(ledger: Ledger) -> None:
    call_that(ledger, Outcome.UNKNOWN)
    is_on_hold(ledger)
    is_released(ledger, START + HOUR)
    assert (sent(ledger, now=START + HOUR), open_alerts(ledger)) == (["#1"], [])


def test_T12_a_hold_that_comes_while_the_call_is_under_way_outlives_its_failure(ledger: Ledger) -> None:
    [attempt] = claimed(ledger)
    is_on_hold(ledger)
    assert state(ledger) == "sending"
    settled(ledger, attempt, fails(Outcome.NOT_SENT), now=START + HOUR)
    ledger.db.execute("DELETE FROM gates")
    assert sent(ledger, now=START + DAY) == []
    gss_shows(ledger, Shown.NOTHING, START + DAY)
    assert (state(ledger), reason(ledger)) == ("held", "The shop holds it; release it in the shop.")


def test_T12_what_gss_took_and_never_shows_is_not_made_there_again_once_it_is_fulfilled(ledger: Ledger) -> None:
    sent(ledger)
    is_fulfilled(ledger)
    gss_shows(ledger, Shown.NOTHING, START + G * 2)
    assert (state(ledger), sent(ledger, now=START + DAY)) == ("withdrawn", [])


def test_T12_a_person_may_send_it_all_the_same(ledger: Ledger) -> None:
    call_that(ledger, Outcome.UNKNOWN)
    is_on_hold(ledger)
    people.retry(ledger, None, "#1", "jane", START)
    assert sent(ledger, now=START + HOUR) == ["#1"]


def test_X5_a_call_that_arrives_after_the_order_was_found_to_be_absent_is_deleted(ledger: Ledger) -> None:
    call_that(ledger, Outcome.UNKNOWN)
    is_fulfilled(ledger)
    gss_shows(ledger, Shown.NOTHING, START + G * 2)
    gss_shows(ledger, Shown.OLDER, START + DAY)
    [cancel] = claimed(ledger, now=START + DAY)
    assert (cancel.op, [item.number for item in cancel.items]) == ("delete", ["#1"])


def test_T12_a_newer_version_never_goes_before_its_older_one_is_seen(ledger: Ledger) -> None:
    """The older one's call is still under way: that GSS shows nothing yet says nothing."""
    [attempt] = claimed(ledger)
    the_shop_shows(ledger, an_order(revision="2", street="2 Rata Street"))
    the_shop_shows(ledger, an_order(revision="3", street="2 Rata Street", fulfilment=Fulfilment.FULFILLED))
    assert (state(ledger), claimed(ledger, now=START + DAY)) == ("unclear", ())
    gss_shows(ledger, Shown.NOTHING, START + DAY)
    assert state(ledger) == "unclear"
    settled(ledger, attempt, answers(attempt), now=START + DAY)
    gss_shows(ledger, Shown.OLDER, START + DAY + G)
    assert sent(ledger, now=START + DAY + G) == ["#1"], "an update of what is there"


def test_T6_an_order_whose_call_reached_nobody_is_held_with_the_one_that_wants_its_number(ledger: Ledger) -> None:
    call_that(ledger, Outcome.NOT_SENT)
    the_shop_shows(ledger, an_order("2", number="#1"))
    assert states(ledger) == {"1": "held", "2": "held"}


def test_a_slip_gss_refused_was_not_sent(ledger: Ledger) -> None:
    sent(ledger, Verdict.REFUSED, "unknown suburb")
    is_fulfilled(ledger)
    assert (state(ledger), count(ledger, "attempts")) == ("withdrawn", 1)


def confirmed(ledger: Ledger) -> None:
    sent(ledger)
    gss_shows(ledger, Shown.NEWEST, START + G * 2)
    assert state(ledger) == "confirmed"


def is_held_by_a_person(ledger: Ledger) -> str:
    the_shop_shows(ledger, an_order(revision="2", street="2 Rata Street"), now=START + HOUR)
    return people.hold(ledger, None, "#1", "jane", "the buyer asked us to wait", START + HOUR)


def is_refused(ledger: Ledger) -> str:
    the_shop_shows(ledger, an_order(revision="2", street="2 Rata Street"), now=START + HOUR)
    sent(ledger, Verdict.REFUSED, "unknown suburb", now=START + HOUR)
    return str(ledger.db.execute("SELECT text FROM alerts WHERE kind = 'refused'").fetchone()[0])


def is_broken(ledger: Ledger) -> str:
    the_shop_shows(ledger, an_order(revision="2", problems=("row 3: no street",)), now=START + HOUR)
    return str(ledger.db.execute("SELECT text FROM alerts WHERE kind = 'held'").fetchone()[0])


@pytest.mark.parametrize("keep_back", [is_held_by_a_person, is_refused, is_broken])
def test_U8_what_was_sent_before_is_told_and_watched_while_the_newest_is_kept_back(
    ledger: Ledger, keep_back: Callable[[Ledger], str]
) -> None:
    confirmed(ledger)
    assert "pending at GSS" in keep_back(ledger)
    before = (state(ledger), reason(ledger))
    gss_shows(ledger, Shown.OLDER, START + HOUR)
    assert (state(ledger), reason(ledger)) == before
    gss_shows(ledger, Shown.OLDER, START + DAY, ticketed=True)
    assert (state(ledger), "late" in open_alerts(ledger)) == ("late", True)


def test_U8_nothing_is_watched_where_nothing_was_sent(ledger: Ledger) -> None:
    people.hold(ledger, None, "#1", "jane", "", START)
    the_shop_shows(ledger, an_order("2"))
    sent(ledger, Verdict.REFUSED, "unknown suburb")
    assert count(ledger, "versions", "read_at IS NOT NULL") == 0


def test_row_13_a_slip_gss_stumbled_over_may_be_there_and_is_watched(ledger: Ledger) -> None:
    for minutes in (0, 8, 16):
        now = START + MINUTE * minutes
        [attempt] = claimed(ledger, now=now)
        settled(ledger, attempt, fails(Outcome.SERVER_ERROR), now=now)
        ledger.db.execute("DELETE FROM gates")
    assert state(ledger) == "held"
    gss_shows(ledger, Shown.NEWEST, START + HOUR, ticketed=True)
    assert state(ledger) == "late"

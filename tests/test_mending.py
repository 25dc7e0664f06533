"""That the command a person is told to type does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connector.gosweetspot.answers import Outcome, Verdict
from connector.ledger import comparison, people, proofs, queries
from connector.ledger.connection import Ledger, in_memory
from connector.ledger.machine import Shown
from connector.ledger.people import Refused
from connector.ledger.proofs import Sight
from connector.mending import mend_of
from tests.ledger.given import (
    HOUR,
    MINUTE,
    START,
    G,
    an_order,
    answers,
    claimed,
    fails,
    open_alerts,
    sent,
    settled,
    state,
    states,
    the_shop_shows,
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        yield ledger


def mends(ledger: Ledger) -> dict[str, str]:
    """By the order's number."""
    return {need.order: mend_of(need) for need in queries.needs(ledger.db)}


def test_row_13_a_slip_that_gss_stumbles_over_is_released_as_it_says(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    now = START
    for _ in range(3):
        [attempt] = claimed(ledger, now=now)
        settled(ledger, attempt, fails(Outcome.SERVER_ERROR), now=now)
        ledger.db.execute("DELETE FROM gates")
        now += timedelta(minutes=8)
    assert mends(ledger)["#1"].endswith("connector slips release '#1'")
    people.release(ledger, None, "#1", "jane", now)
    assert (sent(ledger, now=now), "poison" in open_alerts(ledger)) == (["#1"], False)


def test_row_12_a_slip_that_gss_rejects_is_retried_as_it_says(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    sent(ledger, Verdict.REFUSED, "unknown suburb")
    assert mends(ledger)["#1"].endswith("connector slips retry '#1'")
    people.retry(ledger, None, "#1", "jane", START)
    assert sent(ledger) == ["#1"]


def test_B2_of_a_processed_slip_that_gss_shows_no_more_nobody_is_told_to_send_it_again(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    sent(ledger, Verdict.PROCESSED)
    with ledger.writing() as db:
        [asked] = proofs.due(db, "kiwi", 9, START + MINUTE)
        proofs.learn(db, "kiwi", [(asked, Sight(Shown.NOTHING))], START + MINUTE, G)
    [need] = queries.needs(ledger.db)
    assert "retry" not in need.text + mend_of(need)
    people.acknowledge(ledger, None, "#1", "jane", "found its label", START)
    assert open_alerts(ledger) == []


def test_K6_a_slip_held_behind_the_fence_is_released_as_it_says(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    with ledger.writing() as db:
        [one] = comparison.to_compare(db, "kiwi", 0, 9)
        comparison.hold(db, "kiwi", one.asked, False, START)
    assert mends(ledger)["#1"].endswith("connector slips release '#1'")
    people.release(ledger, None, "#1", "jane", START)
    assert sent(ledger) == ["#1"]


def test_T2_an_order_without_a_valid_slip_is_to_be_corrected_not_released(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(problems=("row 3: no street",)))
    assert mends(ledger)["#1"].endswith("connector sync kiwi --from-start")


def test_T6_of_two_orders_that_want_one_number_each_is_told_what_it_can_do(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    the_shop_shows(ledger, an_order("2", number="#1 "))
    assert mends(ledger) == {
        "#1": "Correct the order in the shop, or send it as it is: connector slips release '#1'",
        "#1 ": "Correct the order in the shop, or kiwi's store file, then: connector sync kiwi --from-start",
    }
    with pytest.raises(Refused, match="has the packing slip number"):
        people.release(ledger, None, "2", "jane", START)


@pytest.mark.parametrize("change", [{"number": "#2"}, {"cancelled": True}])
def test_T6_the_first_order_goes_out_once_no_other_wants_its_number(ledger: Ledger, change: dict[str, object]) -> None:
    the_shop_shows(ledger, an_order("1"))
    the_shop_shows(ledger, an_order("2", number="#1"))
    assert states(ledger) == {"1": "held", "2": "held"}
    renamed = an_order("2", "2", "1 Kowhai Road", **{"number": "#1"} | change)
    the_shop_shows(ledger, an_order("1"), renamed, now=START + HOUR)
    assert (state(ledger), open_alerts(ledger)) == ("owed", [])
    assert "#1" in sent(ledger, now=START + HOUR)


def test_T6_the_first_order_stays_held_while_a_third_wants_its_number(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    the_shop_shows(ledger, an_order("2", number="#1"), an_order("3", number="#1"))
    the_shop_shows(ledger, an_order("2", "2", number="#2"))
    assert (state(ledger), sent(ledger)) == ("held", ["#2"])


def test_a_held_slip_that_somebody_would_retry_is_told_what_lets_it_go(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    people.hold(ledger, None, "#1", "jane", "", START)
    with pytest.raises(Refused, match=r"#1 is held: `connector slips release '#1'` lets it go\."):
        people.retry(ledger, None, "#1", "jane", START)


def test_B2_a_confirmed_slip_that_vanished_is_retried_as_it_says(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    [attempt] = claimed(ledger)
    settled(ledger, attempt, answers(attempt))
    for shown, now in ((Shown.NEWEST, START + G), (Shown.NOTHING, START + G + HOUR)):
        with ledger.writing() as db:
            proofs.learn(db, "kiwi", [(one, Sight(shown)) for one in proofs.due(db, "kiwi", 9, now)], now, G)
    assert "connector slips retry '#1'" in mends(ledger)["#1"]
    people.retry(ledger, None, "#1", "jane", START)
    assert sent(ledger) == ["#1"]

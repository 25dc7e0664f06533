"""What people do by hand, that it is written down for good, and that no program undoes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from connector.gosweetspot.answers import Outcome, Verdict
from connector.ledger import alerts, people, proofs
from connector.ledger.connection import Ledger, LedgerError, in_memory
from connector.ledger.machine import Shown
from connector.ledger.people import Refused
from connector.ledger.proofs import Sight
from connector.order import Address, Fulfilment
from tests.ledger.given import (
    START,
    G,
    an_order,
    answers,
    claimed,
    count,
    fails,
    open_alerts,
    reason,
    rules,
    sent,
    settled,
    state,
    states,
    the_shop_shows,
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        the_shop_shows(ledger, an_order())
        yield ledger


def hold(ledger: Ledger, name: str = "#1") -> str:
    return people.hold(ledger, "kiwi", name, "jane", "is it fraud?", START)


def release(ledger: Ledger, name: str = "#1", store: str | None = "kiwi") -> str:
    return people.release(ledger, store, name, "jane", START)


def test_a_slip_held_by_a_person_is_not_sent_until_it_is_released(ledger: Ledger) -> None:
    assert hold(ledger) == "#1 is held. `connector slips release '#1' --store kiwi` lets it go."
    assert sent(ledger) == []
    assert reason(ledger) == "held by jane: is it fraud?"
    release(ledger)
    assert sent(ledger) == ["#1"]


def test_a_person_s_hold_survives_a_newer_version_and_releases_the_newest(ledger: Ledger) -> None:
    hold(ledger)
    the_shop_shows(ledger, an_order(revision="2", street="2 Rata Street"))
    assert (state(ledger), reason(ledger)) == ("held", "held by jane: is it fraud?")
    release(ledger)
    [attempt] = claimed(ledger)
    assert b"2 Rata Street" in (attempt.items[0].body or b"")


BROKEN = {"problems": ("row 3: no street",)}
ON_HOLD = {"fulfilment": Fulfilment.ON_HOLD}


@pytest.mark.parametrize("between", [BROKEN, ON_HOLD])
def test_a_person_s_hold_survives_a_version_that_could_not_be_made(ledger: Ledger, between: dict[str, object]) -> None:
    """Held by Jane, then broken in the shop, then mended there: it is still Jane's to release."""
    hold(ledger)
    the_shop_shows(ledger, an_order("1", "2", "1 Kowhai Road", **between))
    assert reason(ledger).startswith("held by jane: is it fraud?")
    the_shop_shows(ledger, an_order(revision="3"))
    assert (state(ledger), reason(ledger)) == ("held", "held by jane: is it fraud?")
    assert sent(ledger) == []


def test_a_person_s_hold_and_what_is_wrong_besides_are_both_shown_and_the_hold_only_once(ledger: Ledger) -> None:
    hold(ledger)
    for revision in ("2", "3", "4"):
        the_shop_shows(ledger, an_order(revision=revision, problems=(f"row {revision}: no street",)))
    assert reason(ledger) == "held by jane: is it fraud?; and now: row 4: no street"
    with pytest.raises(Refused, match="no valid slip yet"):
        release(ledger)


def test_a_person_s_hold_survives_an_order_read_again_unchanged(ledger: Ledger) -> None:
    hold(ledger)
    the_shop_shows(ledger, an_order(revision="2"))
    the_shop_shows(ledger, an_order(revision="2"))
    assert state(ledger) == "held"


def test_what_is_at_gss_already_can_not_be_held(ledger: Ledger) -> None:
    sent(ledger)
    with pytest.raises(Refused, match="#1 is accepted: it is at GSS already"):
        hold(ledger)
    assert count(ledger, "actions") == 0


def test_what_is_on_its_way_can_not_be_held(ledger: Ledger) -> None:
    claimed(ledger)
    with pytest.raises(Refused, match="#1 is sending"):
        hold(ledger)


def test_what_is_unclear_can_be_held(ledger: Ledger) -> None:
    [attempt] = claimed(ledger)
    settled(ledger, attempt, fails(Outcome.UNKNOWN))
    hold(ledger)
    assert (state(ledger), claimed(ledger)) == ("held", ())


def test_only_a_held_slip_can_be_released(ledger: Ledger) -> None:
    with pytest.raises(Refused, match="#1 is owed, not held"):
        release(ledger)


def test_an_order_without_a_valid_slip_can_not_be_released(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("2", problems=("row 3: no street",)))
    with pytest.raises(Refused, match=r"no valid slip yet\. Correct the order"):
        release(ledger, "#2")


def test_T6_of_two_orders_that_want_one_number_a_person_s_release_gives_it_to_one(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("2", number="#7"), an_order("3", number="#7"))
    assert {states(ledger)["2"], states(ledger)["3"]} == {"held"}
    release(ledger, "3")
    assert sent(ledger) == ["#1", "#7"]
    assert ledger.db.execute("SELECT number FROM slips ORDER BY id").fetchall() == [("#1",), (None,), ("#7",)]
    with pytest.raises(
        Refused, match=r"order #7 of store kiwi has the packing slip number #7. Give this store another"
    ):
        release(ledger, "2")


def test_T6_the_one_that_had_the_number_first_is_released_with_it(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("2", number="#1"))
    release(ledger, "1")
    assert sent(ledger) == ["#1"]
    assert states(ledger) == {"1": "accepted", "2": "held"}


def test_T6_released_after_the_other_was_cancelled_the_last_one_gets_the_number(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("2", number="#7"), an_order("3", number="#7"))
    the_shop_shows(ledger, an_order("2", "2", number="#7", cancelled=True))
    release(ledger, "3")
    assert sent(ledger) == ["#1", "#7"]


def test_a_refused_slip_is_tried_again_with_its_strikes_forgotten(ledger: Ledger) -> None:
    sent(ledger, Verdict.REFUSED, "unknown suburb")
    assert open_alerts(ledger) == ["refused"]
    people.retry(ledger, None, "#1", "jane", START)
    assert (open_alerts(ledger), sent(ledger)) == ([], ["#1"])


@pytest.mark.parametrize("verdict", [Verdict.TAKEN, Verdict.UNCLEAR])
def test_a_slip_gss_has_or_may_have_is_sent_again_when_asked(ledger: Ledger, verdict: Verdict) -> None:
    [attempt] = claimed(ledger)
    settled(ledger, attempt, answers(attempt, verdict))
    people.retry(ledger, "kiwi", "1", "jane", START)
    assert sent(ledger) == ["#1"]


def test_a_ticketed_slip_is_never_sent_again(ledger: Ledger) -> None:
    sent(ledger, Verdict.PROCESSED)
    with pytest.raises(Refused, match="#1 is ticketed; there is nothing to send again"):
        people.retry(ledger, None, "#1", "jane", START)


def test_a_held_slip_is_released_not_retried(ledger: Ledger) -> None:
    hold(ledger)
    with pytest.raises(Refused, match="#1 is held"):
        people.retry(ledger, None, "#1", "jane", START)


def test_acknowledging_a_late_slip_ends_it_and_it_is_asked_about_no_more(ledger: Ledger) -> None:
    sent(ledger, Verdict.PROCESSED)
    [asked] = proofs.due(ledger.db, "kiwi", 9, START)
    with ledger.writing() as db:
        proofs.learn(db, "kiwi", [(asked, Sight(Shown.OLDER, ticketed=True, ticket="T1"))], START, G)
    assert (state(ledger), open_alerts(ledger)) == ("late", ["late"])
    assert people.acknowledge(ledger, None, "#1", "jane", "rang the depot", START) == "#1: 1 alert closed."
    assert open_alerts(ledger) == []
    assert proofs.due_again(ledger.db, "kiwi", START) is None
    with pytest.raises(Refused, match="no open alert"):
        people.acknowledge(ledger, None, "#1", "jane", "", START)


def test_an_order_without_a_valid_slip_keeps_the_reason_why(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("2", ship_to=Address(name="Aroha", country="Atlantis")))
    with pytest.raises(Refused, match="held already: it has no valid slip"):
        people.hold(ledger, None, "#2", "jane", "", START)


def test_a_name_that_fits_several_stores_asks_for_the_store(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(), by=rules("moa", prefix="M"))
    with pytest.raises(Refused, match=r"'1' names 2 slips \(stores: kiwi, moa\). Name the store"):
        people.hold(ledger, None, "1", "jane", "", START)
    people.hold(ledger, "moa", "1", "jane", "", START)
    people.hold(ledger, None, "m#1", "jane", "", START)
    assert (state(ledger), state(ledger, store="moa")) == ("owed", "held")


def test_a_number_that_is_another_orders_id_means_the_order_of_that_number(ledger: Ledger) -> None:
    counted = [an_order("9490", number="9478"), an_order("9502", number="9490"), an_order("9514", number="9502")]
    the_shop_shows(ledger, *counted, by=rules(prefix=""))
    people.hold(ledger, None, "9490", "jane", "", START)
    assert [state(ledger, id_) for id_ in ("9490", "9502", "9514")] == ["owed", "held", "owed"]
    people.hold(ledger, None, "9514", "jane", "", START)  # no number: an id
    people.hold(ledger, None, "id:9490", "jane", "", START)
    assert [state(ledger, id_) for id_ in ("9490", "9502", "9514")] == ["held", "held", "held"]


def test_two_orders_of_one_number_are_told_apart_by_id(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("5", number="5001"), an_order("6", number="5001"))
    with pytest.raises(Refused, match=r"or the id: 5001 is id:5 of kiwi, 5001 is id:6 of kiwi\."):
        people.hold(ledger, None, "5001", "jane", "", START)
    people.hold(ledger, None, "id:6", "jane", "", START)


def test_an_order_that_got_no_slip_has_a_story(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("13", number="#1013", cancelled=True))
    with pytest.raises(
        Refused, match=r"'#1013' is an order that got no slip. Why: connector explain '#1013' --store kiwi"
    ):
        people.hold(ledger, "kiwi", "#1013", "jane", "", START)


def test_a_name_nobody_has_is_quoted(ledger: Ledger) -> None:
    with pytest.raises(Refused, match="no slip is known by '#9'"):
        release(ledger, "#9")


def test_an_alert_of_no_slip_is_dismissed_by_its_number_once(ledger: Ledger) -> None:
    with ledger.writing() as db:
        alerts.open_alert(db, "kiwi", None, "input", "orders.csv line 9: unclosed quote", "2026-05-04T00:00:00.000Z")
    assert people.dismiss(ledger, 1, "jane", "mended", START) == "alert 1 is closed."
    with pytest.raises(Refused, match="no open alert 1"):
        people.dismiss(ledger, 1, "jane", "mended", START)


def test_an_alert_of_a_slip_is_acknowledged_by_the_slip_not_dismissed(ledger: Ledger) -> None:
    sent(ledger, Verdict.REFUSED, "unknown suburb")
    with pytest.raises(Refused, match="is about #1"):
        people.dismiss(ledger, 1, "jane", "", START)


def test_SEC31_each_action_is_written_down_with_who_and_why_and_can_be_neither_changed_nor_deleted(
    ledger: Ledger,
) -> None:
    hold(ledger)
    release(ledger)
    sent(ledger, Verdict.REFUSED, "no")
    people.retry(ledger, None, "#1", "tama", START)
    found = ledger.db.execute("SELECT at, who, what, slip_id, reason FROM actions ORDER BY id").fetchall()
    at = "2026-05-04T00:00:00.000Z"
    assert found == [
        (at, "jane", "hold", 1, "is it fraud?"), (at, "jane", "release", 1, ""), (at, "tama", "retry", 1, ""),
    ]  # fmt: skip
    for statement in ("UPDATE actions SET who = 'nobody'", "DELETE FROM actions", "DELETE FROM actions WHERE id = 1"):
        with pytest.raises(sqlite3.IntegrityError, match="actions are append-only"):
            ledger.db.execute(statement)
    assert ledger.db.execute("SELECT at, who, what, slip_id, reason FROM actions ORDER BY id").fetchall() == found


def test_SEC31_what_was_refused_is_no_action_and_an_action_that_failed_left_nothing(ledger: Ledger) -> None:
    with pytest.raises(Refused):
        release(ledger)
    ledger.db.execute("CREATE TEMP TRIGGER full BEFORE INSERT ON actions BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(LedgerError):
        hold(ledger)
    assert (state(ledger), count(ledger, "actions")) == ("owed", 0)

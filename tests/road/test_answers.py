"""What GSS says, and what the ledger makes of it once GSS was asked again: no answer is taken at its word."""

from __future__ import annotations

import json

import pytest

from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.ledger import gates, outbox
from connector.sender import exchange
from tests.road.world import Road


def test_A1_A13_slips_without_a_row_are_unclear_and_the_others_count(road: Road) -> None:
    numbers = road.shop.many(4)
    road.change_terms(read_back=False)
    road.gss.fault("missing_rows", numbers=numbers[:2])
    road.sync()
    assert [road.state(number) for number in numbers] == ["unclear", "unclear", "accepted", "accepted"]
    road.change_terms(read_back=True)
    road.later(seconds=1)
    assert (road.standing(), len(road.calls("PUT"))) == ({"accepted": 4}, 1)


def test_A2_rows_nobody_asked_for_make_no_slip_and_one_alert(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("extra_rows", number="STRANGER", times=2)
    road.sync()
    road.shop.add("A2")
    road.later(minutes=1)
    assert road.standing() == {"accepted": 2}
    assert road.ledger.db.execute("SELECT count(*) FROM slips WHERE number = 'STRANGER'").fetchone() == (0,)
    assert road.kinds() == {"strangers"}


def test_A3_A23_rows_in_other_letters_and_another_order_are_matched_by_number(road: Road) -> None:
    road.shop.add("abc-1", "abc-2", "ABC-3")
    road.gss.fault("odd_case")
    road.sync()
    road.shop.edit("abc-2", street="7 Rata Street")
    road.shop.edit("ABC-3", street="8 Rata Street")
    road.gss.fault("reversed_rows")
    road.later(minutes=1)
    assert road.standing() == {"accepted": 3}
    assert len(road.calls("PUT")) == 2


def test_A5_a_slip_said_in_two_ways_is_unclear_until_it_is_read_back(road: Road) -> None:
    road.shop.add("A1", "A2")
    road.change_terms(read_back=False)
    road.gss.fault("opposite_rows", numbers=["A1"])
    road.sync()
    assert (road.state("A1"), road.state("A2")) == ("unclear", "accepted")
    road.change_terms(read_back=True)
    road.later(seconds=1)
    assert (road.state("A1"), len(road.calls("PUT"))) == ("accepted", 1)


def test_A7_B6_already_processed_is_processed_when_it_is_what_we_sent(road: Road) -> None:
    """The answer of the first call was lost, the label was printed, and only then it is sent again."""
    road.shop.add("A1")
    road.change_terms(read_back=False)
    road.gss.fault("store_then_timeout")
    road.sync()
    ticket = road.gss.ticket("A1")
    road.change_terms(read_back=True)
    road.later(seconds=31)
    assert (road.state("A1"), road.alerts()) == ("processed", {})
    assert road.ledger.db.execute("SELECT ticket FROM slips").fetchone() == (ticket,)


def test_A7_already_processed_is_late_when_it_is_something_older(road: Road) -> None:
    road.shop.add("A1")
    road.sync()
    road.shop.edit("A1", street="7 Rata Street")
    road.gss.ticket("A1")
    road.later(seconds=31)
    assert (road.state("A1"), road.kinds("A1")) == ("late", {"late"})
    assert road.gss.counts()["orders_ignored"] == 1


def test_A8_another_reason_refuses_the_one_slip_with_gsss_words_and_an_alert(road: Road) -> None:
    road.shop.add("A1", "A2", "A3")
    road.gss.fault("refuse", numbers=["A2"], msg="Suburb is not known")
    road.sync()
    assert (road.standing(), road.reason("A2")) == (
        {"accepted": 2, "refused": 1},
        "GSS refused it: Suburb is not known",
    )
    assert "Suburb is not known" in road.alerts("A2")["refused"]
    road.later(hours=2)
    assert len(road.calls("PUT")) == 1, "a refused slip is not sent again by itself"


def test_A9_false_without_a_reason_is_read_back(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("answer", body='[{"packingslipno": "A1", "result": false, "msg": ""}]', method="PUT")
    road.sync()
    assert (road.state("A1"), len(road.calls("PUT"))) == ("accepted", 1)


def test_A9_A11_rows_that_all_say_nothing_raise_an_alert_that_says_so(road: Road) -> None:
    numbers = road.shop.many(2)
    road.change_terms(read_back=False)
    body = json.dumps([{"packingslipno": number, "result": False, "msg": ""} for number in numbers])
    road.gss.fault("answer", body=body, method="PUT", times=None)
    for _ in range(6):
        road.later(minutes=10)
    assert "doesn't say whether it took" in road.alerts()["no usable answer"]


def test_A9_what_gss_says_of_one_slip_alone_shuts_nobody_out(road: Road) -> None:
    road.shop.add("A1")
    road.change_terms(read_back=False)
    body = '[{"packingslipno": "A1", "result": false, "msg": ""}]'
    road.gss.fault("answer", body=body, method="PUT", times=None, stores=False)
    for _ in range(5):
        road.later(hours=1)
    gate = gates.gate_of(road.ledger.db, "key")
    assert (len(road.calls("PUT")), gate.failures, road.state("A1")) == (5, 0, "unclear")


def test_A8_words_about_a_delete_that_nobody_knows_are_shown_to_a_person(road: Road) -> None:
    road.send_and_confirm("A1")
    road.shop.cancel("A1")
    road.gss.fault("answer", body='{"A1": "Cannot be deleted. Locked."}', method="DELETE", times=None)
    road.sync()
    assert road.alerts()["not understood"].startswith('GSS said of slip A1: "Cannot be deleted. Locked."')
    assert gates.gate_of(road.ledger.db, "key").failures == 0


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"Message": "An error has occurred."}',
        "<html>Sign in</html>",
        '[{"packingslipno": "A1"',
    ],
)
def test_A10_A11_A12_A13_no_answer_in_a_good_status_proves_nothing(road: Road, body: str) -> None:
    road.shop.add("A1")
    road.change_terms(read_back=False)
    road.gss.fault("answer", body=body, method="PUT", stores=False, times=None)
    for _ in range(6):
        road.later(minutes=10)
    assert (road.state("A1"), road.kinds()) == ("unclear", {"no usable answer"})


def test_A22_an_answer_to_another_call_counts_for_no_slip_and_raises_an_alert(road: Road) -> None:
    road.shop.add("A1")
    road.change_terms(read_back=False)
    other = json.dumps([{"packingslipno": "B9", "result": True, "msg": ""}])
    road.gss.fault("answer", body=other, method="PUT", stores=False)
    road.sync()
    assert (road.state("A1"), road.kinds()) == ("unclear", {"strangers"})


def test_A24_a_slip_taken_and_not_kept_is_sent_again_and_in_the_end_a_person_is_called(road: Road) -> None:
    road.shop.add("A1", "A2")
    road.gss.fault("lie", numbers=["A1"], times=4)
    road.sync()
    assert (road.state("A1"), road.state("A2")) == ("owed", "accepted")
    assert [call for call in road.calls("PUT") if "A1" in call] == [["A1", "A2"], ["A1"]]
    for puts in (3, 4):
        assert road.kinds("A1") == set()
        road.later(minutes=2)
        assert len(road.calls("PUT")) == puts, "and after a wait once more"
    assert road.kinds("A1") == {"ghost"}
    road.later(minutes=4)
    assert road.gss.order("A1")["state"] == "pending"
    road.settle()
    assert (road.state("A1"), road.kinds("A1")) == ("confirmed", set())


def test_A24_one_lie_is_mended_without_an_alert(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("lie")
    road.sync()
    road.settle()
    assert (road.state("A1"), road.alerts_open(), len(road.calls("PUT"))) == ("confirmed", 0, 2)


def test_M4_an_answer_that_comes_after_its_attempt_was_closed_moves_nothing(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("status", status=401)
    road.sync(stopping=lambda: True)
    with road.ledger.writing() as db:
        attempt = outbox.claim(db, "kiwi", 50, 50, road.clock.at)
    assert attempt is not None
    with road.ledger.writing() as db:
        outbox.recover(db, "kiwi", road.clock.at, road.terms.ghost_window)
    late = Answer(Outcome.ANSWERED, 200, {"A1": Row(Verdict.TAKEN)})
    turn = exchange(road.ledger, road.terms, [(attempt, late)], 0, False, road.clock.at)
    assert (turn.settled, road.state("A1")) == (0, "unclear")


@pytest.mark.parametrize("in_flight", [1, 4])
def test_every_answer_of_a_bad_day_leaves_each_order_at_gss_once(road: Road, in_flight: int) -> None:
    """All kinds of broken answers, one a call, over many batches; then the day ends well."""
    road.shop.many(60)
    road.change_terms(batch_size=10, in_flight=in_flight)
    for fault in (
        {"kind": "missing_rows", "rows": 3},
        {"kind": "opposite_rows"},
        {"kind": "cut", "at": 40, "declared": False},
        {"kind": "store_then_timeout"},
        {"kind": "html", "status": 200, "stores": 5},
        {"kind": "lost"},
        {"kind": "apply_later", "seconds": 0},
        {"kind": "extra_rows"},
        {"kind": "status", "status": 429, "retry_after": 1},
    ):
        road.gss.fault(**fault)
    for _ in range(30):
        road.later(minutes=10)
    road.sync(road.whole_shop())
    assert road.standing() == {"confirmed": 60}
    assert {order["state"] for order in road.gss.orders()} == {"pending"}
    assert all(order["creations"] == 1 for order in road.gss.orders())
    assert road.kinds() <= {"strangers"}

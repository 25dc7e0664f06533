"""Orders that are cancelled: never sent, or taken back for good, or a person is told that the label is printed."""

from __future__ import annotations

from typing import Any

import pytest

from connector.order import Fulfilment, Payment
from tests.road.world import Road


def test_X1_a_cancel_before_any_call_makes_none(road: Road) -> None:
    road.shop.add("A1")
    road.read_the_shop()
    road.shop.cancel("A1")
    road.sync()
    assert (road.states("A1"), road.gss.requests()) == (["superseded", "withdrawn"], [])


def test_X1_an_order_that_is_cancelled_when_it_is_first_seen_gets_no_slip(road: Road) -> None:
    road.shop.add("A1", cancelled=True)
    road.sync()
    assert (road.states("A1"), road.gss.requests()) == ([], [])


def test_X2_a_cancel_is_withdrawn_only_when_no_older_call_can_arrive(road: Road) -> None:
    road.shop.add("A1")
    road.sync()
    road.shop.cancel("A1")
    road.later(minutes=1)
    assert (road.state("A1"), road.gss.order("A1")["state"]) == ("accepted", "deleted")
    road.settle()
    assert road.states("A1") == ["superseded", "withdrawn"]


def test_X2_a_cancel_in_flight_is_sent_after_the_put(road: Road) -> None:
    road.shop.add("A1")
    around = road.go_around()

    def overtake() -> None:
        road.shop.cancel("A1")
        road.read_the_shop()
        assert road.states("A1") == ["sending", "owed"]

    around.after = overtake
    road.sync()
    road.settle()
    assert road.states("A1") == ["superseded", "withdrawn"]
    changes = [call["method"] for call in road.gss.requests() if call["method"] != "GET"]
    assert (changes, road.gss.order("A1")["state"]) == (["PUT", "DELETE"], "deleted")


@pytest.mark.parametrize("seen_at_once", [True, False])
def test_X3_a_cancel_after_the_label_is_late_and_names_the_slip(road: Road, seen_at_once: bool) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    if seen_at_once:
        road.later(hours=7)
    road.shop.cancel("A1")
    road.sync()
    assert road.state("A1") == "late"
    assert "A1" in road.alerts("A1")["late"]
    assert "ticketed" in road.alerts("A1")["late"]
    assert road.gss.counts()["deletes"] == (0 if seen_at_once else 1)


@pytest.mark.parametrize("fault", [{"kind": "lost"}, {"kind": "store_then_timeout"}, {"kind": "status", "status": 503}])
def test_X4_a_delete_without_an_answer_is_repeated_until_it_is_proven(road: Road, fault: dict[str, object]) -> None:
    road.send_and_confirm("A1")
    road.shop.cancel("A1")
    road.gss.fault(method="DELETE", **fault)  # type: ignore[arg-type]
    road.sync()
    road.settle()
    road.settle()
    assert (road.state("A1"), road.gss.order("A1")["state"]) == ("withdrawn", "deleted")
    assert road.gss.counts()["orders_deleted"] == 1


def test_X5_a_ghost_put_that_makes_the_order_again_is_deleted_again(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("apply_later", method="PUT")
    road.change_terms(read_back=False)
    road.sync()
    road.change_terms(read_back=True)
    road.shop.cancel("A1")
    road.later(seconds=40)
    assert (road.state("A1"), road.gss.orders()) == ("accepted", [])
    road.gss.apply_held()
    assert road.gss.order("A1")["state"] == "pending"
    road.settle()
    assert road.gss.order("A1")["state"] == "deleted"
    road.settle()
    assert road.states("A1") == ["superseded", "withdrawn"]


def test_X5_a_ghost_that_outlives_the_window_is_found_by_the_next_look(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("apply_later", method="PUT")
    road.change_terms(read_back=False)
    road.sync()
    road.change_terms(read_back=True)
    road.shop.cancel("A1")
    road.later(seconds=40)
    road.settle()
    assert road.state("A1") == "withdrawn"
    road.gss.apply_held()
    road.gss.edit("A1", city="Tauranga")
    road.later(minutes=61)
    assert road.gss.order("A1")["state"] == "deleted", "whatever it looks like by now"


@pytest.mark.parametrize("waits_between", [True, False])
def test_X6_a_cancel_that_is_taken_back_is_sent_anew(road: Road, waits_between: bool) -> None:
    road.send_and_confirm("A1")
    road.shop.cancel("A1")
    road.sync() if waits_between else road.read_the_shop()
    road.shop.restore("A1")
    road.later(minutes=1)
    road.settle()
    assert (road.states("A1")[-1], road.gss.order("A1")["state"]) == ("confirmed", "pending")
    assert road.gss.counts()["deletes"] == (1 if waits_between else 0)


def test_X6_a_cancel_that_is_taken_back_before_the_first_call_is_sent_once(road: Road) -> None:
    road.shop.add("A1")
    road.read_the_shop()
    road.shop.cancel("A1")
    road.read_the_shop()
    road.shop.restore("A1")
    road.sync()
    assert (road.states("A1"), road.calls("PUT")) == (["superseded", "superseded", "accepted"], [["A1"]])


def test_X7_more_cancels_than_one_call_takes_go_in_pieces(road: Road) -> None:
    numbers = road.shop.many(120)
    road.change_terms(batch_size=100)
    road.sync()
    road.shop.cancel(*numbers)
    road.later(minutes=1)
    road.settle()
    assert road.standing() == {"withdrawn": 120}
    assert max(len(call) for call in road.calls("DELETE")) <= 50
    assert sorted(number for call in road.calls("DELETE") for number in call) == numbers


def test_X7_X8_the_longest_numbers_with_the_oddest_letters_fit_and_arrive(road: Road) -> None:
    numbers = [f"#{place:02d}/#/#/#/#/#/#/#/#" for place in range(60)]
    road.shop.add(*numbers)
    road.sync()
    assert {order["number"] for order in road.gss.orders()} == set(numbers)
    road.shop.cancel(*numbers)
    road.later(minutes=1)
    road.settle()
    assert (road.standing(), {order["state"] for order in road.gss.orders()}) == ({"withdrawn": 60}, {"deleted"})


def test_X10_a_partial_refund_is_an_update_and_no_cancel(road: Road) -> None:
    road.send_and_confirm("A1")
    road.shop.edit("A1", payment=Payment.PARTIALLY_REFUNDED, street="2 New Road")
    road.sync()
    assert (road.stored("A1"), road.gss.counts()["deletes"]) == ("2 new road", 0)


def test_a_full_refund_is_a_cancel_and_an_order_that_was_fulfilled_keeps_its_slip(road: Road) -> None:
    road.send_and_confirm("A1", "A2")
    road.shop.edit("A1", payment=Payment.REFUNDED)
    road.shop.edit("A2", fulfilment=Fulfilment.FULFILLED)
    road.sync()
    road.settle()
    assert (road.state("A1"), road.state("A2")) == ("withdrawn", "confirmed")


def test_nothing_is_deleted_twice_once_it_is_gone(road: Road) -> None:
    road.send_and_confirm("A1")
    road.shop.cancel("A1")
    road.sync()
    for _ in range(6):
        road.later(hours=6)
    assert (road.state("A1"), road.gss.counts()["deletes"]) == ("withdrawn", 1)


@pytest.mark.parametrize("change", [{"cancelled": True}, {"payment": Payment.REFUNDED}])
@pytest.mark.parametrize("is_delivered", [True, False])
def test_X3_a_cancel_or_refund_calls_a_person_unless_gss_showed_the_parcel_delivered(
    road: Road, change: dict[str, Any], is_delivered: bool
) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    if is_delivered:
        road.gss.deliver("A1")
    for _ in range(2):
        road.later(hours=7)
    road.shop.edit("A1", **change)
    road.sync()
    assert road.kinds("A1") == (set() if is_delivered else {"late"})
    assert road.states("A1") == (["processed"] if is_delivered else ["processed", "late"])
    assert ("delivered before" in road.reason("A1")) == is_delivered
    assert (road.sync().changed, len(road.calls("DELETE"))) == (0, 0)

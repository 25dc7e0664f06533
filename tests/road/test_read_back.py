"""What GSS shows when it is asked: what people do there is seen, named, and never overwritten or repeated by itself."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from connector.ledger import gates, people
from connector.ledger.gates import Budget
from connector.readback import read_back
from tests.road.source import address
from tests.road.world import Road


def test_B1_B9_many_slips_are_asked_by_number_and_each_call_is_short(road: Road) -> None:
    numbers = road.shop.many(130)
    road.sync()
    assert road.standing() == {"accepted": 130}
    assert [len(call) for call in road.calls("GET")] == [50, 50, 30]
    assert sorted(number for call in road.calls("GET") for number in call) == numbers


def test_B9_S13_a_read_back_that_is_too_long_for_somebody_is_asked_in_halves(road: Road) -> None:
    road.shop.many(50)
    road.gss.fault("too_large", orders=20, method="GET")
    report = road.sync()
    assert (road.standing(), report.pause) == ({"accepted": 50}, "")
    assert sorted(len(call) for call in road.calls("GET")) == [12, 12, 13, 13, 25, 25, 50]
    road.settle()
    assert road.standing() == {"confirmed": 50}


def test_B9_a_number_that_gss_will_not_be_asked_about_does_not_stop_the_others(road: Road) -> None:
    numbers = road.shop.many(20)
    road.gss.fault("poison", numbers=[numbers[7]], method="GET")
    assert "refused the whole call" in road.sync().pause
    road.later(minutes=6)
    assert (road.state(numbers[7]), road.standing()) == ("accepted", {"confirmed": 19, "accepted": 1})


def test_B9_such_a_number_is_named_and_asked_about_again_in_a_cycle_and_no_sooner(road: Road) -> None:
    numbers = road.shop.many(20)
    fault = road.gss.fault("poison", numbers=[numbers[0]], method="GET", times=None)
    road.sync()
    assert road.standing() == {"accepted": 20}
    assert f"about slip {numbers[0]}" in road.alerts()["read-back refused"]
    assert "HTTP 400" in road.alerts()["read-back refused"]
    asked = sum(numbers[0] in call for call in road.calls("GET"))
    for _ in range(10):
        road.later(minutes=30)
    assert sum(numbers[0] in call for call in road.calls("GET")) == asked
    assert road.standing() == {"confirmed": 19, "accepted": 1}
    road.gss.clear_faults(fault)
    road.later(hours=2)
    assert road.standing() == {"confirmed": 20}


def test_B8_B9_where_gss_refuses_to_be_asked_at_all_it_costs_a_few_calls_an_hour_and_new_orders_go_out(
    road: Road,
) -> None:
    road.shop.many(120)
    road.gss.fault("status", status=400, method="GET", times=None)
    for _ in range(10):
        road.shop.many(1)
        road.later(minutes=6)
    assert (road.standing(), road.kinds()) == ({"accepted": 130}, {"read-back refused"})
    assert len(road.calls("GET")) <= 20


@pytest.mark.parametrize(("status", "wait_s"), [(429, 600), (401, 300)])
def test_S15_S16_what_gss_says_when_one_slip_is_asked_for_alone_shuts_the_gate(
    road: Road, status: int, wait_s: int
) -> None:
    road.send_and_confirm("A1", "A2")
    road.gss.delete("A1")
    road.gss.fault("status", status=status, retry_after=600, method="GET", after=1)
    road.later(hours=2)
    assert len(road.calls("GET")[-1]) == 1
    gate = gates.gate_of(road.ledger.db, "key")
    assert (gate.failures, gate.shut_until) == (1, road.clock.at + timedelta(seconds=wait_s))
    road.shop.add("A3")
    road.later(seconds=wait_s - 1)
    assert road.state("A3") == "owed"
    road.later(seconds=1)
    assert road.state("A3") == "accepted"


def test_B2_20a_a_confirmed_slip_that_vanished_is_asked_for_alone_then_alerted_and_not_sent_again(road: Road) -> None:
    road.send_and_confirm("A1", "A2")
    road.gss.delete("A1")
    for _ in range(3):
        road.later(hours=7)
    assert (road.states("A1"), road.state("A2")) == (["confirmed"], "confirmed")
    assert ["A1"] in road.calls("GET")
    assert "no longer at GSS" in road.alerts("A1")["vanished"]
    assert len(road.calls("PUT")) == 1


def test_B2_a_slip_missing_among_others_but_there_alone_alarms_nobody(road: Road) -> None:
    road.send_and_confirm("A1", "A2")
    road.gss.fault("missing_rows", method="GET", numbers=["A1"])
    road.later(hours=2)
    assert (road.standing(), road.alerts_open()) == ({"confirmed": 2}, 0)


def test_B2_where_asking_alone_fails_nothing_was_learnt_and_nobody_else_is_asked_for(road: Road) -> None:
    road.send_and_confirm("A1", "A2", "A3")
    for number in ("A1", "A2", "A3"):
        road.gss.delete(number)
    road.gss.fault("status", status=503, method="GET", after=1, times=None)
    calls = len(road.calls("GET"))
    report = road.later(hours=2)
    assert (road.standing(), road.alerts_open()) == ({"confirmed": 3}, 0)
    assert road.calls("GET")[calls:] == [["A1", "A2", "A3"], ["A1"]]
    assert "HTTP 503" in report.pause


def test_B2_a_vanished_slip_that_a_person_was_told_of_is_not_asked_for_alone_again(road: Road) -> None:
    road.send_and_confirm("A1", "A2", "A3")
    for number in ("A1", "A2"):
        road.gss.delete(number)
    road.later(hours=2)
    assert road.calls("GET")[-2:] == [["A1"], ["A2"]]
    road.later(hours=7)
    assert (road.calls("GET")[-1], road.kinds("A1"), road.kinds("A2")) == (
        ["A1", "A2", "A3"],
        {"vanished"},
        {"vanished"},
    )


def test_B2_asking_alone_keeps_to_the_calls_that_are_left_and_comes_to_its_end(road: Road) -> None:
    numbers = [f"A{number}" for number in range(1, 9)]
    road.send_and_confirm(*numbers)
    for number in numbers:
        road.gss.delete(number)
    road.clock.at += timedelta(hours=2)
    calls = [read_back(road.ledger, road.client, road.terms, road.clock.now, most_calls=4).calls for _ in range(4)]
    assert calls == [4, 4, 3, 0]
    assert [road.kinds(number) for number in numbers] == [{"vanished"}] * 8


def test_B2_asking_alone_ends_with_the_wish_to_stop(road: Road) -> None:
    road.send_and_confirm("A1", "A2", "A3")
    for number in ("A1", "A2", "A3"):
        road.gss.delete(number)
    road.clock.at += timedelta(hours=2)
    before = len(road.calls("GET"))
    found = read_back(road.ledger, road.client, road.terms, road.clock.now, lambda: len(road.calls("GET")) > before + 1)
    assert (found.calls, road.calls("GET")[before:]) == (2, [["A1", "A2", "A3"], ["A1"]])
    assert [road.kinds(number) for number in ("A1", "A2", "A3")] == [{"vanished"}, set(), set()]


def test_B9_halves_are_asked_about_although_no_calls_are_left(road: Road) -> None:
    road.send_and_confirm("A1", "A2", "A3", "A4")
    road.gss.fault("status", status=400, method="GET")
    road.clock.at += timedelta(hours=2)
    found = read_back(road.ledger, road.client, road.terms, road.clock.now, most_calls=1)
    assert (found.calls, found.states) == (3, {"confirmed": 4})


def test_S14_looking_leaves_a_quarter_of_the_budget_to_sending(road: Road) -> None:
    numbers = ["A1", "A2", "A3", "A4", "A5"]
    road.send_and_confirm(*numbers)
    for number in numbers:
        road.gss.delete(number)
    road.change_terms(budget=Budget(0, 4))
    road.clock.at += timedelta(hours=2)
    found = read_back(road.ledger, road.client, road.terms, road.clock.now)
    assert found.calls == 3 and found.pause is not None and found.pause.is_budget
    road.shop.add("NEW")
    assert (road.sync().calls, road.state("NEW")) == (1, "accepted")


def test_B2_a_vanished_slip_is_sent_again_when_a_person_says_so(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.delete("A1")
    road.later(hours=2)
    people.retry(road.ledger, "kiwi", "A1", "aroha", road.clock.at)
    road.sync()
    assert (road.state("A1"), road.alerts("A1"), road.gss.order("A1")["creations"]) == ("accepted", {}, 2)


def test_B3_U12_what_an_operator_changed_by_hand_is_shown_and_left_alone(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.edit("A1", city="Tauranga")
    for _ in range(3):
        road.later(hours=7)
    assert (road.state("A1"), len(road.calls("PUT"))) == ("confirmed", 1)
    assert "changed inside GSS by hand" in road.alerts("A1")["changed at GSS"]
    assert road.stored("A1", "city") == "tauranga"


def test_U12_a_later_edit_in_the_shop_replaces_what_was_changed_by_hand(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.edit("A1", city="Tauranga")
    road.later(hours=2)
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    assert (road.stored("A1"), road.stored("A1", "city")) == ("2 new road", "hamilton")


def test_B4_what_gss_tidies_up_is_no_change(road: Road) -> None:
    road.shop.add("A1")
    road.shop.edit("A1", email="Aroha@Example.com", buyer_note="  Leave at  the DOOR ", phone="021 123 4567")
    road.sync()
    road.settle()
    assert (road.state("A1"), road.alerts_open(), len(road.calls("PUT"))) == ("confirmed", 0, 1)
    assert road.gss.order("A1")["stored"]["consignee"] == "AROHA EXAMPLE"


def test_B6_a_deleted_label_is_alerted_and_the_slip_stands_at_gss_as_it_should(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    road.later(hours=2)
    assert road.state("A1") == "processed"
    road.gss.untick("A1")
    road.later(hours=7)
    assert (road.state("A1"), len(road.calls("PUT"))) == ("confirmed", 1)
    assert "label deleted" in road.alerts("A1")["label deleted"]
    road.gss.ticket("A1")
    road.later(hours=7)
    assert road.state("A1") == "processed"


def test_B6_after_a_label_is_deleted_the_newest_version_goes_out_if_it_differs(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    road.later(hours=2)
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    assert road.state("A1") == "late"
    road.gss.untick("A1")
    road.later(hours=7)
    assert (road.state("A1"), road.stored("A1")) == ("accepted", "2 new road")
    assert "label deleted" in road.alerts("A1")


def test_B6_X3_after_a_label_is_deleted_a_cancelled_order_is_withdrawn(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    road.later(hours=2)
    road.shop.cancel("A1")
    road.sync()
    assert road.state("A1") == "late"
    road.gss.untick("A1")
    road.later(hours=7)
    road.settle()
    assert (road.state("A1"), road.gss.order("A1")["state"]) == ("withdrawn", "deleted")


def shown(number: str, ticket: str | None) -> dict[str, Any]:
    return {
        "PackingSlipNo": number, "Consignee": "AROHA EXAMPLE", "Address1": "", "Address2": "1 KOWHAI ROAD",
        "Suburb": "HILLCREST", "City": "HAMILTON", "PostCode": "3216", "Country": "NZ", "DelvRef": number,
        "Status": {"Status": "PENDING", "TicketNumber": ticket},
    }  # fmt: skip


@pytest.mark.parametrize("first", ["T1", None])
def test_B7_two_consignments_for_one_slip_are_alerted_in_the_next_read_back(road: Road, first: str | None) -> None:
    road.send_and_confirm("A1")
    body = {"Page": 1, "PageSize": 100, "Pages": 1, "Results": [shown("A1", first), shown("A1", "T2")]}
    road.gss.fault("answer", body=json.dumps(body), method="GET")
    road.later(hours=2)
    assert "only one parcel may leave" in road.alerts("A1")["shown twice"]
    assert (road.state("A1"), len(road.calls("PUT"))) == ("processed", 1)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 500},
        {"kind": "html", "status": 200},
        {"kind": "cut", "at": 30, "declared": False},
        {"kind": "lost"},
        {"kind": "answer", "body": "{}"},
    ],
)
def test_B8_a_read_back_without_a_usable_answer_changes_no_state(road: Road, fault: dict[str, Any]) -> None:
    road.send_and_confirm("A1", "A2")
    road.gss.delete("A1")
    road.gss.ticket("A2")
    road.gss.fault(**fault, method="GET")
    report = road.later(hours=2)
    assert (road.standing(), report.read_back_calls) == ({"confirmed": 2}, 1)
    assert report.pause
    road.later(hours=1)
    assert (road.state("A1"), road.state("A2")) == ("confirmed", "processed")
    assert road.kinds("A1") == {"vanished"}
    assert road.alerts() == {}


def test_B10_B12_the_parcels_way_is_kept_as_it_is_shown_and_ends_the_asking(road: Road) -> None:
    road.send_and_confirm("A1")
    ticket = road.gss.ticket("A1")
    road.later(hours=2)
    road.gss.deliver("A1")
    road.later(hours=7)
    row = road.ledger.db.execute("SELECT ticket, tracking_url, picked, delivered FROM slips").fetchone()
    assert row[0] == ticket and all(row)
    gets = len(road.calls("GET"))
    for _ in range(3):
        road.later(hours=7)
    assert (road.state("A1"), len(road.calls("GET"))) == ("processed", gets)


def test_B6_B12_a_label_made_long_after_the_slip_was_sent_is_watched_for_a_week_all_the_same(road: Road) -> None:
    road.send_and_confirm("A1")
    road.later(days=10)
    road.gss.ticket("A1")
    for _ in range(4):
        road.later(days=1)
    assert road.state("A1") == "processed"
    road.gss.untick("A1")
    road.later(days=1)
    assert (road.state("A1"), road.kinds("A1")) == ("confirmed", {"label deleted"})


def test_B12_a_label_that_is_never_picked_up_is_watched_for_a_week(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    for _ in range(9):
        road.later(days=1)
    calls = len(road.calls("GET"))
    road.later(days=1)
    assert (road.state("A1"), len(road.calls("GET"))) == ("processed", calls)


def test_B13_a_slip_that_gss_forgot_is_not_sent_again(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    road.later(hours=2)
    road.gss.reset()
    for _ in range(4):
        road.later(hours=7)
    assert (road.state("A1"), road.gss.counts()["puts"], road.alerts_open()) == ("processed", 0, 0)


def test_a_good_read_back_does_not_reopen_the_gate_for_slips_that_are_still_owed(road: Road) -> None:
    """Only what is owed is tried with care: one slip, not a whole batch, after a failure."""
    road.send_and_confirm("old")
    road.shop.many(20)
    road.gss.fault("status", status=503, method="PUT", times=2)
    road.later(hours=2)
    road.later(minutes=2)
    assert [len(call) for call in road.calls("PUT")][1:4] == [20, 1, 1]


def test_a_timed_out_put_that_proved_to_be_there_leaves_nothing_wrong_behind(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("store_then_timeout")
    road.sync()
    assert gates.gate_of(road.ledger.db, "key").failures == 0


def test_B2_a_ticketed_slip_left_out_of_one_answer_is_asked_for_alone_and_found(road: Road) -> None:
    road.shop.add("A1", "A2")
    road.sync()
    road.gss.ticket("A1")
    road.shop.edit("A1", ship_to=address("2 new road"))
    road.shop.edit("A2", ship_to=address("3 new road"))
    road.gss.fault("missing_rows", method="GET", numbers=["A1"])
    road.sync()
    assert (road.state("A1"), road.kinds("A1")) == ("late", {"late"})


def test_S7_what_gss_showed_before_the_ghost_window_had_passed_proves_nothing_however_late_it_is_learnt(
    road: Road,
) -> None:
    road.shop.add("A1")
    road.change_terms(read_back=False)
    road.sync()
    road.change_terms(read_back=True)
    road.go_around().after_get = lambda: road.clock.wait(120)  # the answer is learnt two minutes after the question
    road.later(minutes=4)
    assert road.state("A1") == "accepted"
    road.later(minutes=2)
    assert road.state("A1") == "confirmed"

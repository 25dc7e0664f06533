"""When a person is no longer called: GSS shows the slip as it should be, or the finding was seen to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from connector.keeping import retention
from connector.ledger import people
from connector.order import Fulfilment
from tests.road.world import Road


def vanish(road: Road) -> None:
    road.gss.delete("A1")


def is_changed_by_hand(road: Road) -> None:
    road.gss.edit("A1", city="Tauranga")


FINDINGS = [(vanish, "vanished"), (is_changed_by_hand, "changed at GSS")]


def acknowledge(road: Road) -> None:
    people.acknowledge(road.ledger, None, "A1", "jane", "meant", road.clock.at)


def is_left_out_once(road: Road) -> None:
    """Not shown, and then there again."""
    fault = road.gss.fault("missing_rows", method="GET", numbers=["A1"], times=None)
    road.later(hours=7)
    assert road.kinds("A1") == {"vanished"}
    road.gss.clear_faults(fault)


@pytest.mark.parametrize(("happens", "kind"), FINDINGS)
def test_B2_B3_what_a_person_saw_to_is_not_told_again(road: Road, happens: Callable[[Road], None], kind: str) -> None:
    road.send_and_confirm("A1")
    happens(road)
    road.later(hours=2)
    assert road.kinds("A1") == {kind}
    acknowledge(road)
    for _ in range(3):
        road.later(hours=7)
        assert road.kinds("A1") == set()


@pytest.mark.parametrize(("happens", "kind"), FINDINGS)
def test_B2_B3_what_happens_to_a_version_sent_since_is_told(
    road: Road, happens: Callable[[Road], None], kind: str
) -> None:
    road.send_and_confirm("A1")
    happens(road)
    road.later(hours=2)
    acknowledge(road)
    road.clock.at += timedelta(minutes=1)
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    road.settle()
    assert (road.state("A1"), road.kinds("A1")) == ("confirmed", set())
    happens(road)
    road.later(hours=2)
    assert road.kinds("A1") == {kind}


def test_B2_a_vanished_slip_that_a_person_saw_to_is_asked_for_alone_no_more(road: Road) -> None:
    road.send_and_confirm("A1", "A2")
    vanish(road)
    road.later(hours=2)
    acknowledge(road)
    for _ in range(2):
        road.later(hours=7)
        assert road.calls("GET")[-1] == ["A1", "A2"]


def test_B2_a_slip_that_is_there_again_calls_nobody_and_is_forgotten_in_time(road: Road) -> None:
    road.send_and_confirm("A1")
    is_left_out_once(road)
    road.later(hours=7)
    assert (road.state("A1"), road.kinds("A1")) == ("confirmed", set())
    is_left_out_once(road)  # nobody has seen to the first
    road.gss.ticket("A1")
    road.gss.deliver("A1")
    road.later(hours=7)
    assert (road.state("A1"), road.kinds("A1")) == ("processed", set())
    road.later(hours=7)
    road.clock.at += timedelta(days=100)
    assert retention.prune(road.ledger, "kiwi", timedelta(days=90), road.clock.at, road.clock.at).slips == 1


def test_B3_a_later_edit_that_replaced_what_was_changed_by_hand_calls_nobody(road: Road) -> None:
    road.send_and_confirm("A1")
    is_changed_by_hand(road)
    road.later(hours=2)
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    road.settle()
    assert (road.state("A1"), road.kinds("A1")) == ("confirmed", set())


def test_B2_X3_a_vanished_slip_whose_order_is_cancelled_calls_nobody(road: Road) -> None:
    road.send_and_confirm("A1")
    vanish(road)
    road.later(hours=2)
    road.shop.cancel("A1")
    road.sync()
    road.settle()
    assert (road.state("A1"), road.kinds("A1")) == ("withdrawn", set())


def test_B6_a_deleted_label_calls_a_person_until_there_is_one_again(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    road.later(hours=2)
    road.gss.untick("A1")
    for _ in range(2):
        road.later(hours=7)
        assert (road.state("A1"), road.kinds("A1")) == ("confirmed", {"label deleted"})
    road.gss.ticket("A1")
    road.later(hours=7)
    assert (road.state("A1"), road.kinds("A1")) == ("processed", set())


def is_fulfilled(road: Road) -> None:
    road.shop.edit("A1", fulfilment=Fulfilment.FULFILLED)
    road.sync()


@pytest.mark.parametrize("steps", [(vanish, is_fulfilled), (is_fulfilled, vanish)])
def test_B2_T12_a_slip_deleted_at_gss_whose_order_was_fulfilled_otherwise_calls_nobody_and_is_over(
    road: Road, steps: tuple[Callable[[Road], None], ...]
) -> None:
    road.send_and_confirm("A1")
    for step in steps:
        step(road)
        road.later(hours=7)
    assert (road.state("A1"), road.kinds("A1")) == ("withdrawn", set())
    for _ in range(4):
        road.later(hours=7)
    calls = len(road.calls("GET"))
    road.later(hours=7)
    assert len(road.calls("GET")) == calls


def test_B2_T12_a_slip_deleted_at_gss_whose_order_is_on_hold_calls_a_person_and_stays_away(road: Road) -> None:
    road.send_and_confirm("A1")
    road.shop.edit("A1", fulfilment=Fulfilment.ON_HOLD)
    road.sync()
    vanish(road)
    road.later(hours=7)
    assert (road.state("A1"), road.kinds("A1")) == ("confirmed", {"held", "vanished"})
    assert len(road.calls("PUT")) == 1


def test_row_20_gss_that_shows_a_new_order_half_a_minute_late_calls_nobody(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("missing_rows", method="GET", times=None)
    road.sync()
    road.later(seconds=30)
    road.gss.clear_faults()
    road.later(minutes=1)
    assert road.alerts_open() == 0
    road.settle()
    assert (road.state("A1"), road.alerts_open()) == ("confirmed", 0)

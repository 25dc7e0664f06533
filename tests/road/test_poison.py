"""Slips that GSS can't stomach: found by halving, blamed alone, and only while others get through."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest

from connector.ledger.machine import STRIKES_OVER
from tests.road.world import Road

HALF_WAY = STRIKES_OVER / 2
MOST_CALLS = 38


def after_three_strikes(road: Road) -> None:
    """Sync now, half way and at the end of the time over which a slip gets its three chances."""
    road.sync()
    for _ in range(2):
        road.later(seconds=HALF_WAY.total_seconds())


def calls_needed(positions: tuple[int, ...], size: int = 50) -> int:
    """Calls until every poison at these places stands alone, by the rule: a batch that fails is halved."""
    if size == 1 or not positions:
        return 1
    middle = size // 2
    left = tuple(place for place in positions if place < middle)
    right = tuple(place - middle for place in positions if place >= middle)
    return 1 + calls_needed(left, middle) + calls_needed(right, size - middle)


WORST = max(combinations(range(50), 3), key=calls_needed)
"""The three places that take the most halving."""


def test_S17_no_three_places_need_more_calls_than_promised() -> None:
    assert calls_needed(WORST) + 2 * 3 <= MOST_CALLS


@pytest.mark.parametrize("places", [WORST, (0, 1, 2), (0, 24, 49)])
def test_S17_three_poisons_among_fifty_are_named_and_the_other_47_arrive_in_at_most_38_calls(
    road: Road, places: tuple[int, ...]
) -> None:
    numbers = road.shop.many(50)
    poisons = [numbers[place] for place in places]
    road.gss.fault("poison", numbers=poisons)
    after_three_strikes(road)
    assert len(road.calls("PUT")) == calls_needed(places) + 2 * 3 <= MOST_CALLS
    assert road.standing() == {"confirmed": 47, "refused": 3}
    assert all(road.state(number) == "refused" for number in poisons)
    assert all(f"slip {number} is rejected" in road.alerts(number)["poison"] for number in poisons)
    assert all("although it stood alone" in road.reason(number) for number in poisons)
    assert road.alerts_open() == 3


@pytest.mark.parametrize("place", range(7))
def test_S17_one_poison_is_found_at_each_position(road: Road, place: int) -> None:
    numbers = road.shop.many(7)
    road.gss.fault("poison", numbers=[numbers[place]])
    report = road.sync()
    assert report.calls == calls_needed((place,), 7) <= 1 + 2 * 3
    assert road.standing() == {"accepted": 6, "owed": 1}


@pytest.mark.parametrize("count", range(6))
def test_S17_as_many_as_there_are_poisons_are_refused_and_no_other(road: Road, count: int) -> None:
    numbers = road.shop.many(20)
    poisons = numbers[1 : 1 + 4 * count : 4]
    if poisons:
        road.gss.fault("poison", numbers=poisons)
    after_three_strikes(road)
    assert {number for number in numbers if road.state(number) == "refused"} == set(poisons)
    assert road.gss.counts()["orders_created"] == 20 - count


def test_S17_a_poison_is_not_refused_before_its_three_chances_are_spread_over_a_quarter_of_an_hour(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("poison", numbers=["A1"])
    for _ in range(14):
        road.later(minutes=1)
    assert road.state("A1") == "owed"
    assert len(road.calls("PUT")) == 2


def test_S17_a_refused_slip_is_replaced_by_what_the_shop_corrects(road: Road) -> None:
    road.shop.add("A1")
    fault = road.gss.fault("poison", numbers=["A1"])
    after_three_strikes(road)
    assert road.state("A1") == "refused"
    road.gss.clear_faults(fault)
    road.shop.edit("A1", street="7 Rata Street")
    road.sync()
    assert (road.states("A1"), road.alerts("A1")) == (["superseded", "accepted"], {})


def test_S13_a_batch_that_is_too_large_is_split_and_arrives(road: Road) -> None:
    road.shop.many(50)
    road.gss.fault("too_large", orders=13, method="PUT")
    road.sync()
    assert road.standing() == {"accepted": 50}
    assert [len(call) for call in road.calls("PUT")] == [50, 25, 25, 12, 13, 12, 13]
    assert road.alerts_open() == 0


def test_S18_a_poison_that_makes_gss_stumble_is_held_alone_and_only_after_others_got_through(road: Road) -> None:
    numbers = road.shop.many(9)
    road.gss.fault("poison", numbers=[numbers[4]], status=500)
    for _ in range(40):
        road.shop.many(1)
        road.later(minutes=3)
    assert (road.state(numbers[4]), road.kinds(numbers[4])) == ("held", {"poison"})
    assert road.standing()["held"] == 1
    assert road.standing()["confirmed"] >= 46


def test_S18_the_poison_backs_off_between_its_chances(road: Road) -> None:
    numbers = road.shop.many(9)
    road.gss.fault("poison", numbers=[numbers[4]], status=500)
    for _ in range(40):
        road.later(minutes=1)
    assert sum(numbers[4] in call for call in road.calls("PUT")) <= 12


@pytest.mark.parametrize("place", [0, 29, 49])
def test_S17_S20_a_slip_that_makes_a_gateway_give_up_keeps_the_others_waiting_for_minutes(
    road: Road, place: int
) -> None:
    numbers = road.shop.many(50)
    road.gss.fault("poison", numbers=[numbers[place]], status=504)
    for _ in range(8):
        road.later(minutes=4)
    assert (road.gss.counts()["orders_created"], len(road.calls("PUT")) <= 30) == (49, True)
    assert road.state(numbers[place]) in {"unclear", "owed"}


def test_S16_one_slip_that_a_guard_takes_for_an_attack_does_not_keep_all_others_behind_it(road: Road) -> None:
    numbers = road.shop.many(5)
    road.gss.fault("poison", numbers=[numbers[0]], status=403)
    for _ in range(8):
        road.later(minutes=5)
    assert (road.gss.counts()["orders_created"], road.state(numbers[0])) == (4, "owed")
    assert len(road.calls("PUT")) <= 1 + 2 * 8, "a probe in five minutes, and what follows one that passed"


@pytest.mark.parametrize("status", [500, 504])
def test_S19_an_outage_is_not_multiplied_by_halving_and_blames_no_order(road: Road, status: int) -> None:
    numbers = road.shop.many(300)
    fault = road.gss.fault("status", status=status, method="PUT", times=None)
    for _ in range(30):
        road.later(minutes=1)
    assert len(road.calls("PUT")) <= 12
    assert road.standing().keys() <= {"unclear", "owed"}
    assert road.kinds() == {"no usable answer"}
    road.gss.clear_faults(fault)
    for _ in range(20):
        road.later(minutes=4)
    assert all(road.state(number) == "confirmed" for number in numbers)
    assert road.alerts_open() == 0


@pytest.mark.parametrize("orders", [1, 2, 5])
def test_S19_no_order_is_held_however_long_only_puts_fail(road: Road, orders: int) -> None:
    """Read-backs are answered all the while: they must not pass for the canary."""
    road.shop.many(orders)
    road.gss.fault("status", status=500, method="PUT", times=None)
    for _ in range(48):
        road.later(minutes=7.5)
    assert "held" not in road.standing()
    assert road.kinds() == {"no usable answer"}


def test_S19_the_wait_between_calls_of_an_outage_grows_to_a_quarter_of_an_hour(road: Road) -> None:
    road.shop.many(300)
    road.gss.fault("status", status=500, method="PUT", times=None)
    for _ in range(240):
        road.later(minutes=1)
    assert len(road.calls("PUT")) <= 7 + timedelta(hours=4) / timedelta(minutes=15)

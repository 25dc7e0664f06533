"""Calls that end badly: nothing lost, nothing doubled, nothing blamed, and nobody knocked at more than they allow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from connector.gosweetspot.client import Client
from connector.gosweetspot.destination import Destination
from connector.ledger import gates, outbox
from connector.ledger.connection import open_ledger
from connector.ledger.gates import Budget
from connector.ledger.times import moment
from connector.order import Fulfilment
from connector.sandbox.options import Options
from connector.sandbox.server import running
from tests.road.clients import Killed, die, die_in_the_body
from tests.road.source import address
from tests.road.world import Road


def dies_before(road: Road) -> None:
    road.go_around().before = die


def dies_within(road: Road) -> None:
    road.go_around().before = die_in_the_body(road.gss.url, road.gss.key)


def dies_after(road: Road) -> None:
    road.go_around().after = die


@pytest.mark.parametrize(("death", "arrived"), [(dies_before, False), (dies_within, False), (dies_after, True)])
def test_S1_S2_S3_M1_a_killed_call_is_on_disk_and_ends_well_in_the_next_run(
    road: Road, death: Callable[[Road], None], arrived: bool, tmp_path: Path
) -> None:
    road.shop.add("A1", "A2")
    death(road)
    with pytest.raises(Killed):
        road.sync()
    road.ledger.close()
    with open_ledger(tmp_path / "state") as road.ledger:
        assert (road.standing(), road.attempts()) == ({"sending": 2}, [("put", 2, None)])
        assert bool(road.gss.orders()) is arrived
        road.later(seconds=1)
        road.settle()
        assert road.standing() == {"confirmed": 2}
        assert road.attempts()[0] == ("put", 2, "interrupted")
        assert road.gss.counts()["orders_created"] == 2


def test_S3_S5_an_answer_that_was_lost_is_found_by_reading_back_without_a_second_put(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("store_then_timeout")
    road.sync()
    assert (road.state("A1"), road.gss.counts()["puts"]) == ("accepted", 1)
    road.settle()
    assert (road.state("A1"), road.gss.counts()["puts"]) == ("confirmed", 1)


def test_S4_what_could_not_leave_is_owed_and_goes_when_the_way_is_free(road: Road) -> None:
    road.shop.add("A1")
    home, road.client = road.client, Client(Destination("http://127.0.0.1:9", "key"))
    road.sync()
    assert (road.state("A1"), road.attempts()) == ("owed", [("put", 1, "not_sent")])
    road.client.close()
    road.client = home
    road.later(seconds=31)
    assert road.state("A1") == "accepted"


@pytest.mark.parametrize("trouble", ["unreachable", "key", "throttled"])
def test_S4_T12_what_the_shop_fulfils_or_holds_in_an_outage_is_not_sent_when_gss_is_back(
    road: Road, trouble: str
) -> None:
    """By hand, on another courier's label: a second parcel would go out, or one that is perhaps a fraud."""
    good = road.client
    road.shop.add("A1", "A2")
    if trouble == "unreachable":
        road.client = Client(Destination("http://127.0.0.1:1", "key", timeout_s=1))
    else:
        road.gss.fault("status", status=401 if trouble == "key" else 429, times=None)
    road.sync()
    road.shop.edit("A1", fulfilment=Fulfilment.FULFILLED)
    road.shop.edit("A2", fulfilment=Fulfilment.ON_HOLD)
    road.later(minutes=1)
    road.client = good
    road.gss.clear_faults()
    road.later(hours=2)
    assert (road.state("A1"), road.state("A2"), road.gss.orders()) == ("withdrawn", "held", [])
    road.shop.edit("A2", fulfilment=Fulfilment.UNFULFILLED)
    road.later(minutes=1)
    assert [order["number"] for order in road.gss.orders()] == ["A2"]


def test_S5_what_was_lost_on_the_way_is_sent_again(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("lost", method="PUT")
    road.sync()
    road.later(seconds=31)
    assert (road.state("A1"), road.gss.counts()["orders_created"]) == ("accepted", 1)


def test_S6_a_stalled_answer_ends_at_the_deadline_and_is_read_back(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("slow", seconds=60)
    road.client.close()
    road.client = road.new_client(timeout_s=0.3)
    road.sync()
    assert (road.attempts(), road.state("A1")) == ([("put", 1, "unknown")], "accepted")


def test_S7_U2_a_ghost_of_an_old_address_is_found_and_overwritten(road: Road) -> None:
    road.shop.add("A1", ship_to=address("1 Old Road"))
    road.gss.fault("apply_later", method="PUT")
    road.sync()
    road.shop.edit("A1", street="2 New Road")
    road.later(seconds=40)
    assert (road.state("A1"), road.stored("A1")) == ("accepted", "2 new road")
    road.later(minutes=3)
    assert road.state("A1") == "accepted", "an older call may still arrive"
    road.gss.apply_held()
    assert road.stored("A1") == "1 old road"
    road.settle()
    assert road.stored("A1") == "2 new road"
    road.settle()
    assert (road.states("A1"), road.stored("A1")) == (["superseded", "confirmed"], "2 new road")


def test_S7_a_ghost_that_outlives_the_window_is_found_by_the_next_look(road: Road) -> None:
    road.shop.add("A1", ship_to=address("1 Old Road"))
    road.gss.fault("apply_later", method="PUT")
    road.sync()
    road.shop.edit("A1", street="2 New Road")
    road.later(seconds=40)
    road.settle()
    assert road.state("A1") == "confirmed"
    road.gss.apply_held()
    road.later(minutes=61)
    assert (road.state("A1"), road.stored("A1")) == ("accepted", "2 new road")


def test_S8_each_attempt_is_one_request_whatever_becomes_of_it(road: Road) -> None:
    road.shop.many(6)
    road.change_terms(batch_size=1, read_back=False)
    for fault in ({"kind": "lost"}, {"kind": "status", "status": 503}, {"kind": "cut", "at": 5}, {"kind": "hang_up"}):
        road.gss.fault(**fault, method="PUT")
    for _ in range(12):
        road.later(minutes=2)
    assert road.standing() == {"accepted": 6}
    made = [outcome for _, _, outcome in road.attempts() if outcome != "not tried"]
    assert len(road.calls("PUT")) == len(made) == 6 + 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_S9_a_redirect_is_not_followed_marks_nothing_sent_and_raises_an_alert(road: Road, status: int) -> None:
    road.shop.add("A1")
    there = f"{road.gss.url}/elsewhere"
    road.gss.fault("redirect", method="PUT", location=there, status=status, times=None)
    for _ in range(6):
        road.later(minutes=5)
    assert (road.state("A1"), road.gss.orders()) == ("unclear", [])
    assert len(road.gss.requests()) == len(road.attempts()) + len(road.calls("GET"))
    assert f"A redirect (HTTP {status}) to 127.0.0.1" in road.alerts()["no usable answer"]


def test_S14_two_stores_and_two_processes_with_one_key_share_its_calls_a_minute(road: Road, tmp_path: Path) -> None:
    with open_ledger(tmp_path / "state") as other_process:
        other = Road(other_process, road.gss)
        other.clock = road.clock
        other.hooks = road.hooks
        other.rules = msgspec.structs.replace(other.rules, store="moa")
        for store, one in (("kiwi", road), ("moa", other)):
            one.change_terms(store=store, batch_size=1, budget=Budget(5, 0))
            one.shop.add(*(f"{store}{number}" for number in range(6)))
        road.sync()
        other.sync()
        other.client.close()
    assert road.gss.counts()["orders_created"] == 12
    at = [moment(row[0]) for row in road.ledger.db.execute("SELECT at FROM calls ORDER BY at")]
    assert len(at) == len(road.gss.requests()) == 12 + 2
    assert all(later - first >= timedelta(minutes=1) for first, later in zip(at, at[5:], strict=False))


def test_S14_a_run_does_not_wait_for_the_next_hour(road: Road) -> None:
    road.shop.many(5)
    road.change_terms(batch_size=1, budget=Budget(0, 3))
    report = road.sync()
    assert (report.calls, report.owed, road.clock.waited) == (3, 2, [])
    assert "call budget" in report.pause
    assert road.later(minutes=61).owed == 0


@pytest.mark.parametrize(("retry_after", "wait_s"), [(120, 120), (None, 60), ("junk", 60), (5, 5), (10**9, 900)])
def test_S15_a_429_stops_all_calls_for_as_long_as_it_asks_and_blames_nobody(
    road: Road, retry_after: int | str | None, wait_s: int
) -> None:
    road.shop.many(3)
    road.gss.fault("status", status=429, retry_after=retry_after)
    report = road.sync()
    assert (road.standing(), len(road.gss.requests())) == ({"owed": 3}, 1)
    assert "slow down" in report.pause
    road.later(seconds=wait_s - 0.5)
    assert len(road.gss.requests()) == 1
    road.later(seconds=0.5)
    assert (road.standing(), road.alerts_open()) == ({"accepted": 3}, 0)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("method", ["PUT", None])
def test_S16_a_revoked_key_costs_one_call_and_one_alert_and_the_orders_stay_owed(
    road: Road, status: int, method: str | None
) -> None:
    road.shop.many(20)
    fault = road.gss.fault("status", status=status, times=None, method=method)
    road.sync()
    for _ in range(4):
        road.later(minutes=1)
    assert (len(road.gss.requests()), road.standing()) == (1, {"owed": 20})
    assert road.kinds() == {"unauthorised"}
    road.later(minutes=1)
    assert [len(call) for call in road.calls("PUT")] == [20, 1], "one probe after five minutes, with one slip"
    assert road.alerts_open() == 1
    road.gss.clear_faults(fault)
    road.later(minutes=5)
    assert (road.standing(), road.alerts_open()) == ({"accepted": 20}, 0)


def test_S16_B8_a_key_revoked_between_send_and_read_back_changes_no_state(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("status", status=401, method="GET")
    report = road.sync()
    assert (road.state("A1"), road.kinds()) == ("accepted", {"unauthorised"})
    assert "does not accept the key" in report.pause
    road.later(minutes=6)
    assert (road.state("A1"), road.alerts()) == ("confirmed", {})


@pytest.mark.parametrize("status", [502, 503, 504])
def test_S20_after_a_gateway_error_a_read_back_shows_what_is_missing_and_one_slip_goes_ahead(
    road: Road, status: int
) -> None:
    road.shop.many(3)
    road.gss.fault("status", status=status)
    road.sync()
    assert [len(call) for call in road.calls("PUT")] == [3, 1, 2]
    assert (road.standing(), road.alerts_open()) == ({"accepted": 3}, 0)


def test_S20_the_wait_that_a_gateway_error_asks_for_is_kept(road: Road) -> None:
    road.shop.many(3)
    road.gss.fault("status", status=503, retry_after=240)
    road.sync()
    road.later(seconds=239)
    assert (len(road.gss.requests()), road.standing()) == (1, {"unclear": 3})
    road.later(seconds=1)
    assert road.standing() == {"accepted": 3}


def test_S21_an_error_page_over_a_half_stored_batch_ends_with_each_order_once(road: Road) -> None:
    road.shop.many(10)
    road.gss.fault("html", status=500, stores=4, method="PUT")
    road.sync()
    road.settle()
    assert (road.standing(), road.gss.counts()["orders_created"]) == ({"confirmed": 10}, 10)


def test_S22_a_site_that_is_missing_is_an_alert_and_no_refusal(road: Road) -> None:
    with running(Options(port=0, keys={"several": ("1", "2")})) as sandbox:
        road.client.close()
        road.client = Client(Destination(sandbox.url, "several"))
        road.shop.add("A1")
        road.sync()
        assert (road.state("A1"), road.kinds()) == ("owed", {"unauthorised"})
        road.client.close()
        road.client = Client(Destination(sandbox.url, "several", site_id=2))
        road.later(minutes=5)
        assert (road.state("A1"), road.alerts(), sandbox.order("A1")["site"]) == ("accepted", {}, "2")


def test_S29_a_connection_that_closed_while_it_was_idle_costs_at_most_one_more_call(road: Road) -> None:
    road.shop.add("A1")
    road.change_terms(read_back=False)
    road.gss.fault("hang_up")
    road.sync()
    road.shop.add("A2")
    road.later(minutes=1)
    road.later(minutes=1)
    assert (road.standing(), road.gss.counts()["orders_created"]) == ({"accepted": 2}, 2)
    assert len(road.attempts()) <= 3


@pytest.mark.parametrize("surprise", [MemoryError, RecursionError, KeyError, AssertionError])
def test_S30_a_surprise_while_the_answer_is_read_is_unclear_and_never_sent(
    road: Road, surprise: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*_: object) -> None:
        raise surprise

    road.shop.add("A1")
    road.change_terms(read_back=False, in_flight=4)
    with monkeypatch.context() as patch:
        patch.setattr("connector.gosweetspot.client.read_put", burst)
        road.sync()
    assert (road.state("A1"), road.attempts()) == ("unclear", [("put", 1, "unknown")])
    road.change_terms(read_back=True)
    road.later(seconds=31)
    assert (road.state("A1"), road.gss.counts()["orders_created"]) == ("accepted", 1)


def test_S30_a_surprise_while_a_read_back_is_read_changes_nothing(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(*_: object) -> None:
        raise MemoryError

    road.shop.add("A1")
    with monkeypatch.context() as patch:
        patch.setattr("connector.gosweetspot.client.read_page", burst)
        report = road.sync()
    assert (road.state("A1"), "unforeseen" in report.pause) == ("accepted", True)


def test_S31_cancels_go_first_then_changes_then_new_orders(road: Road) -> None:
    road.shop.add("old1", "old2", "old3", "old4")
    road.sync()
    road.shop.add("new1", "new2")
    road.shop.edit("old3", street="7 Rata Street")
    road.shop.cancel("old1")
    road.shop.edit("old4", street="8 Rata Street")
    road.shop.cancel("old2")
    before = len(road.gss.requests())
    road.change_terms(batch_size=2, read_back=False)
    road.later(minutes=1)
    assert [(call["method"], call["numbers"]) for call in road.gss.requests()[before:]] == [
        ("DELETE", ["old1", "old2"]),
        ("PUT", ["old3", "old4"]),
        ("PUT", ["new1", "new2"]),
    ]


def test_S31_after_an_outage_cancels_still_go_first(road: Road) -> None:
    road.shop.add("old1", "old2")
    road.sync()
    road.shop.add("new1")
    road.shop.edit("old1", street="7 Rata Street")
    road.shop.cancel("old2")
    road.change_terms(batch_size=1, read_back=False)
    fault = road.gss.fault("status", status=503, times=None)
    road.later(minutes=1)
    road.gss.clear_faults(fault)
    before = len(road.gss.requests())
    for _ in range(4):
        road.later(minutes=20)
    calls = [(call["method"], call["numbers"]) for call in road.gss.requests()[before:]]
    assert calls == [("DELETE", ["old2"]), ("PUT", ["old1"]), ("PUT", ["new1"])]


def test_S31_changes_and_new_orders_share_a_batch_with_the_changes_first(road: Road) -> None:
    road.shop.add("old1")
    road.sync()
    road.shop.add("new1")
    road.shop.edit("old1", street="7 Rata Street")
    road.later(minutes=1)
    assert road.calls("PUT")[-1] == ["old1", "new1"]


def test_nothing_is_due_twice_while_it_backs_off(road: Road) -> None:
    road.shop.add("A1")
    road.change_terms(read_back=False)
    road.gss.fault("lost", times=None, method="PUT")
    road.sync()
    assert outbox.next_due(road.ledger.db, "kiwi", road.clock.at) == road.clock.at + timedelta(seconds=30)
    road.later(seconds=29)
    assert len(road.calls("PUT")) == 1


def test_S4_after_a_long_outage_of_the_line_what_waited_goes_out_as_soon_as_the_gate_opens(road: Road) -> None:
    road.send_and_confirm("C1")
    good, road.client = road.client, Client(Destination("http://127.0.0.1:9", "key", timeout_s=2.0))
    road.shop.add("A1")
    road.shop.cancel("C1")
    for _ in range(60):
        road.later(minutes=3)
    road.client = good
    opens = gates.gate_of(road.ledger.db, "key").shut_until
    assert opens is not None and opens - road.clock.at <= gates.LONGEST_SHUT
    road.clock.at = max(road.clock.at, opens)
    for _ in range(2):
        road.later(minutes=1)
    assert (road.state("C1"), road.state("A1")) == ("accepted", "accepted")

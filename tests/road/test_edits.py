"""Orders that the shop changes: newest version last, no old one marked newest, no parcel silently wrong."""

from __future__ import annotations

import msgspec
import pytest

from connector.order import Payment
from connector.record import record_page
from connector.report import Report
from connector.sources.base import Page
from tests.road.source import address, goods
from tests.road.world import Road


def test_U1_U7_a_hundred_edits_before_the_first_call_are_one_put_with_the_last(road: Road) -> None:
    road.shop.add("A1")
    for house in range(100):
        road.shop.edit("A1", street=f"{house} Rata Street")
        road.read_the_shop()
    road.sync()
    assert (len(road.states("A1")), road.gss.counts()["puts"]) == (100, 1)
    assert set(road.states("A1")[:-1]) == {"superseded"}
    assert road.stored("A1") == "99 rata street"


def test_U2_S25_M3_an_edit_in_flight_is_sent_next_and_the_older_is_never_marked_newest(road: Road) -> None:
    road.shop.add("A1")
    around = road.go_around()

    def overtake() -> None:
        road.shop.edit("A1", street="2 New Road")
        road.read_the_shop()
        assert road.states("A1") == ["sending", "owed"]

    around.after = overtake
    road.sync()
    assert (road.states("A1"), road.stored("A1")) == (["superseded", "accepted"], "2 new road")
    assert [len(call) for call in road.calls("PUT")] == [1, 1]
    road.settle()
    assert road.states("A1") == ["superseded", "confirmed"]


def test_U2_S25_an_edit_while_the_call_is_lost_waits_for_the_window_of_the_older(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("apply_later", method="PUT")
    around = road.go_around()

    def overtake() -> None:
        road.shop.edit("A1", street="2 New Road")
        road.read_the_shop()

    around.after = overtake
    road.sync()
    assert road.states("A1") == ["unclear", "accepted"]
    road.later(minutes=4)
    road.gss.apply_held()
    road.later(minutes=2)
    assert (road.states("A1"), road.stored("A1")) == (["superseded", "accepted"], "2 new road")
    road.settle()
    assert road.states("A1") == ["superseded", "confirmed"]


def test_U2_a_version_whose_call_was_lost_stays_unclear_until_its_call_can_no_longer_arrive(road: Road) -> None:
    road.shop.add("A1")
    road.gss.fault("lost", method="PUT")
    road.change_terms(read_back=False)
    road.sync()
    road.change_terms(read_back=True)
    road.shop.edit("A1", street="2 New Road")
    road.later(minutes=1)
    assert road.states("A1") == ["unclear", "accepted"]
    road.later(minutes=4)
    assert road.states("A1") == ["unclear", "accepted"]
    road.later(minutes=1)
    assert road.states("A1") == ["superseded", "confirmed"]


def test_U3_an_edit_after_it_was_confirmed_goes_out_with_the_next_sync(road: Road) -> None:
    road.send_and_confirm("A1", "A2")
    road.shop.edit("A1", street="2 New Road")
    report = road.sync()
    assert (report.changed, road.calls("PUT")[-1], road.stored("A1")) == (1, ["A1"], "2 new road")


def test_U3_an_edit_that_gss_shows_as_it_showed_the_older_is_sent_once_and_never_called_proven(road: Road) -> None:
    """GSS writes in capitals: which of the two it has nobody can tell, and a ghost of the older would look the same."""
    road.send_and_confirm("A1")
    road.shop.edit("A1", street="1 KOWHAI ROAD")
    road.sync()
    for _ in range(3):
        road.settle()
        assert road.states("A1") == ["superseded", "accepted"]
        road.later(hours=7)
    assert (road.calls("PUT"), road.alerts("A1")) == ([["A1"], ["A1"]], {})


def test_U4_an_edit_after_the_label_is_late_named_and_makes_no_call(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    road.later(hours=7)
    assert road.state("A1") == "processed"
    puts = road.gss.counts()["puts"]
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    assert (road.states("A1"), road.gss.counts()["puts"]) == (["processed", "late"], puts)
    assert road.alerts("A1") == {
        "late": "order A1: the order was changed after GSS had ticketed it: look at the parcel before it leaves"
    }
    assert len(road.gss.orders()) == 1


def test_U4_U13_an_edit_that_crosses_the_label_is_late_in_the_same_run(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.ticket("A1")
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    assert (road.state("A1"), road.kinds("A1")) == ("late", {"late"})
    assert road.stored("A1") == "1 kowhai road"


def test_U5_an_edit_and_back_again_is_sent_although_it_was_sent_before(road: Road) -> None:
    road.send_and_confirm("A1")
    first = road.shop.orders["A1"].ship_to
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    road.shop.edit("A1", ship_to=first)
    road.later(minutes=1)
    assert (len(road.calls("PUT")), road.stored("A1")) == (3, "1 kowhai road")
    road.settle()
    assert road.states("A1") == ["superseded", "superseded", "confirmed"]


def test_U5_a_ghost_between_two_equal_versions_never_counts_as_the_third(road: Road) -> None:
    """A, B lost on the way as a ghost, A again: what looks like the newest may be the first until B can't arrive."""
    road.send_and_confirm("A1")
    first = road.shop.orders["A1"].ship_to
    road.shop.edit("A1", street="2 New Road")
    road.gss.fault("apply_later", method="PUT")
    road.change_terms(read_back=False)
    road.sync()
    road.change_terms(read_back=True)
    road.shop.edit("A1", ship_to=first)
    road.later(seconds=40)
    road.gss.apply_held()
    road.settle()
    road.settle()
    assert (road.state("A1"), road.stored("A1")) == ("confirmed", "1 kowhai road")


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (3, 1, 2)])
@pytest.mark.parametrize("in_one_page", [True, False])
def test_U6_the_newest_revision_wins_in_whatever_order_they_arrive(
    road: Road, order: tuple[int, ...], in_one_page: bool
) -> None:
    road.shop.add("A1")
    one = road.shop.orders["A1"]
    snapshots = [
        msgspec.structs.replace(one, revision=f"{place:08d}", ship_to=address(f"{place} Rata Street"))
        for place in order
    ]
    pages = [tuple(snapshots)] if in_one_page else [(snapshot,) for snapshot in snapshots]
    for orders in pages:
        page = Page(orders, cursor="00000003")
        record_page(road.rules, road.terms, page, road.ledger, Report("kiwi"), road.clock.at)
        road.sync(None)
    assert road.stored("A1") == "3 rata street"
    assert road.state("A1") == "accepted"


def test_U8_an_edit_nobody_can_send_is_held_and_says_that_the_older_one_still_waits_at_gss(road: Road) -> None:
    road.send_and_confirm("A1")
    road.shop.edit("A1", ship_to=address(""))
    report = road.sync()
    assert (road.state("A1"), report.held, road.gss.order("A1")["state"]) == ("held", 1, "pending")
    assert "What was sent of it before may be pending at GSS" in road.alerts("A1")["held"]
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    assert (road.state("A1"), road.stored("A1"), road.alerts("A1")) == ("accepted", "2 new road", {})


def test_U9_a_change_that_freight_does_not_see_makes_no_version_and_no_call(road: Road) -> None:
    road.send_and_confirm("A1")
    calls = len(road.gss.requests())
    road.shop.edit("A1", tags=("vip",), staff_note="gift", lines=goods("Mug"))
    road.sync()
    assert (road.states("A1"), len(road.gss.requests())) == (["confirmed"], calls)


def test_U11_two_contents_under_one_revision_are_held_until_the_shop_is_read_again(road: Road) -> None:
    road.send_and_confirm("A1")
    one = road.shop.orders["A1"]
    road.shop.orders["A1"] = msgspec.structs.replace(one, ship_to=address("2 New Road"))
    road.read_the_shop()
    assert (road.state("A1"), "one change date" in road.reason("A1")) == ("held", True)
    road.sync(None)
    assert road.stored("A1") == "1 kowhai road"
    road.shop.edit("A1", street="2 New Road")
    road.sync()
    assert (road.state("A1"), road.stored("A1"), road.alerts("A1")) == ("accepted", "2 new road", {})


def test_U11_a_tie_read_again_is_still_a_tie(road: Road) -> None:
    """To send what came last, only because it came twice, would be to choose by luck."""
    road.send_and_confirm("A1")
    road.shop.orders["A1"] = msgspec.structs.replace(road.shop.orders["A1"], ship_to=address("2 New Road"))
    for _ in range(3):
        road.read_the_shop()
        road.sync(None)
    assert (road.states("A1"), road.stored("A1")) == (["superseded", "held"], "1 kowhai road")


def test_an_order_that_waits_after_it_was_sent_raises_an_alert_and_makes_no_call(road: Road) -> None:
    road.send_and_confirm("A1")
    calls = len(road.gss.requests())
    road.shop.edit("A1", payment=Payment.PENDING)
    road.sync()
    assert (road.states("A1"), len(road.gss.requests())) == (["confirmed"], calls)
    assert "still at GSS" in road.alerts("A1")["held"]
    assert ".." not in road.alerts("A1")["held"]
    road.shop.edit("A1", payment=Payment.PAID)
    road.sync()
    assert "held" not in road.alerts("A1"), "the shop let it go, with the same slip"

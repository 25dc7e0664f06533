"""A store file under a new name: the shop's orders are the old name's, and none of them goes out once more."""

from __future__ import annotations

import msgspec
import pytest

from connector.ledger import people, queries
from connector.mending import mend_of
from connector.order import Payment, content_hash
from connector.plan import Action, plan
from connector.report import Report
from connector.slip import SlipRules
from connector.sync import know_store
from tests.road.source import ListShop, address
from tests.road.world import Road

BY_NAME = SlipRules(number="{store}-{number}")


def rename(road: Road, slip: SlipRules = BY_NAME) -> None:
    """kiwi.toml is tui.toml from now on, of the same shop and account."""
    road.terms = msgspec.structs.replace(road.terms, store="tui")
    road.rules = msgspec.structs.replace(road.rules, store="tui", slip=slip)


def begin(road: Road, slip: SlipRules = BY_NAME) -> None:
    road.rules = msgspec.structs.replace(road.rules, slip=slip)


def states(road: Road, store: str = "tui") -> dict[str, str]:
    rows = road.ledger.db.execute(
        "SELECT s.order_number, v.state FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1"
        " WHERE s.store = ?",
        (store,),
    )
    return dict(rows.fetchall())


def at_gss(road: Road) -> set[str]:
    return {order["number"] for order in road.gss.orders()}


@pytest.mark.parametrize(
    ("before", "after"),
    [(BY_NAME, BY_NAME), (SlipRules(prefix="K-"), SlipRules(prefix="T-")), (SlipRules(), SlipRules())],
)
def test_U10_a_store_under_a_new_name_sends_no_order_of_the_old_name_s_once_more(
    road: Road, before: SlipRules, after: SlipRules
) -> None:
    begin(road, before)
    road.shop.add("A1", "A2")
    road.sync()
    road.settle()
    old = at_gss(road)
    rename(road, after)
    road.shop.add("A3")  # placed since
    road.sync(road.whole_shop())
    assert len(at_gss(road) - old) == 1
    assert states(road) == {"A1": "held", "A2": "held", "A3": "accepted"}
    assert states(road, "kiwi") == {"A1": "confirmed", "A2": "confirmed"}, "nothing is held for what the new name wants"


def test_U10_a_change_in_the_shop_lets_no_such_order_go_and_a_cancel_ends_it(road: Road) -> None:
    begin(road)
    road.shop.add("A1", "A2")
    road.sync()
    rename(road)
    road.sync(road.whole_shop())
    road.sync(road.whole_shop())
    road.shop.edit("A1", street="7 Rata Street")
    road.shop.edit("A2", payment=Payment.PENDING)
    road.later(minutes=1)
    road.shop.edit("A2", payment=Payment.PAID)
    road.later(minutes=1)
    assert (states(road), at_gss(road)) == ({"A1": "held", "A2": "held"}, {"kiwi-A1", "kiwi-A2"})
    assert "another store has this very order: kiwi, as slip kiwi-A1." in reason(road, "A1")
    road.shop.cancel("A1")
    road.later(minutes=1)
    assert (states(road)["A1"], at_gss(road)) == ("withdrawn", {"kiwi-A1", "kiwi-A2"})


def reason(road: Road, number: str) -> str:
    rows = road.ledger.db.execute(
        "SELECT v.reason FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1"
        " WHERE s.store = 'tui' AND s.order_number = ?",
        (number,),
    )
    return str(rows.fetchone()[0])


def test_U10_the_mend_it_names_sends_the_order_once_more_where_that_is_meant(road: Road) -> None:
    begin(road)
    road.shop.add("A1")
    road.sync()
    rename(road)
    road.sync(road.whole_shop())
    [need] = queries.needs(road.ledger.db)
    assert mend_of(need, name_store=True) == (
        "If tui is that store under a new name, give its file the old name back; if the order must go out once more: "
        "connector slips release A1 --store tui"
    )
    people.release(road.ledger, "tui", "A1", "jane", road.clock.at)
    road.later(minutes=1)
    assert (states(road), at_gss(road)) == ({"A1": "accepted"}, {"kiwi-A1", "tui-A1"})
    assert queries.needs(road.ledger.db) == []


def test_U10_with_the_old_number_there_is_nothing_to_release(road: Road) -> None:
    road.shop.add("A1")
    road.sync()
    rename(road, SlipRules())
    road.sync(road.whole_shop())
    [need] = queries.needs(road.ledger.db)
    assert mend_of(need) == "If tui is that store under a new name, give its file the old name back"
    with pytest.raises(people.Refused, match="order A1 of store kiwi has the packing slip number A1"):
        people.release(road.ledger, "tui", "A1", "jane", road.clock.at)


def test_P21_the_same_id_of_another_shop_is_another_order(road: Road) -> None:
    """Two WooCommerce shops both count from 1: what the order says tells them apart."""
    begin(road)
    road.shop.add("101")
    road.sync()
    road.shop = ListShop()
    road.shop.add("101", ship_to=address("2 Rata Street"))
    rename(road)
    road.sync()
    assert at_gss(road) == {"kiwi-101", "tui-101"}


def test_an_order_that_the_other_store_withdrew_goes_out(road: Road) -> None:
    """It was to be the other's by its tag, say, and is this one's now."""
    begin(road)
    road.shop.add("A1")
    road.read_the_shop()
    road.shop.edit("A1", cancelled=True)
    road.read_the_shop()
    assert states(road, "kiwi") == {"A1": "withdrawn"}
    road.shop.edit("A1", cancelled=False)
    with road.ledger.writing() as db:
        know_store(db, road.terms)
        db.execute("UPDATE slips SET content = ?", (content_hash(road.shop.orders["A1"]),))  # whatever it said
    rename(road)
    road.sync(road.whole_shop())
    assert at_gss(road) == {"tui-A1"}


def test_an_account_of_its_own_takes_the_same_orders(road: Road) -> None:
    """From a sandbox account to the real one: the trial's orders are sent to the real one for the first time."""
    begin(road)
    road.shop.add("A1")
    road.sync()
    rename(road)
    road.change_terms(destination=f"{road.terms.destination} (test)")
    road.sync(road.whole_shop())
    assert at_gss(road) == {"kiwi-A1", "tui-A1"}


@pytest.mark.parametrize("slip", [BY_NAME, SlipRules()])
def test_S27_a_dry_run_shows_what_a_renamed_store_would_hold(road: Road, slip: SlipRules) -> None:
    begin(road, slip)
    road.shop.add("A1")
    road.sync()
    rename(road, slip)
    road.shop.add("A2")
    lines = plan(
        road.rules, road.terms, road.whole_shop(), road.ledger.db, road.clock.at, Report("tui"), from_the_start=True
    )
    assert {line.order: line.action for line in lines} == {"A1": Action.HOLD, "A2": Action.CREATE}


def test_a_page_of_new_orders_asks_the_ledger_one_question_more(road: Road) -> None:
    """Whatever the page's size, and however many slips the other stores have."""
    begin(road)
    road.sync()
    rename(road)
    road.shop.many(100)
    asked: list[str] = []
    road.ledger.db.set_trace_callback(asked.append)
    road.sync(road.whole_shop())
    road.ledger.db.set_trace_callback(None)
    assert len([one for one in asked if "stores other" in one]) == 1

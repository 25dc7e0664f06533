"""Two stores with one GSS key: what one learns of GSS counts for the other."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from connector.ledger import fence, gates
from connector.ledger.times import stamp
from connector.slip import SlipRules
from connector.sync import know_store, next_call
from tests.road.source import ListShop
from tests.road.world import Road


def test_an_alert_about_the_key_closes_for_a_store_when_another_store_finds_gss_answering(road: Road) -> None:
    road.shop.many(1)
    fault = road.gss.fault("status", status=401, times=None)
    road.sync()
    assert "unauthorised" in road.kinds()
    road.gss.clear_faults(fault)
    mine, mine_rules = road.terms, road.rules
    road.shop.edit("N0000", street="2 Rata Street")  # else it were the other's very order
    road.terms = replace(mine, store="other")
    road.rules = replace(mine_rules, store="other", slip=SlipRules(prefix="O-"))
    assert road.later(minutes=6).calls == 1, "the other store's call opens the gate"
    road.terms, road.rules = mine, mine_rules
    road.later(minutes=1)
    assert "unauthorised" not in road.kinds()


def test_3_4_13_what_another_store_reads_back_is_no_canary_for_this_one_s_slips(road: Road) -> None:
    """An outage of PUTs alone: no slip is blamed for it, whichever store of the key looks at GSS meanwhile."""
    other = replace(road.terms, store="other"), replace(road.rules, store="other", slip=SlipRules(prefix="O-"))
    numbers = road.shop.many(9)
    mine, (road.terms, road.rules) = (road.terms, road.rules), other
    road.sync()
    road.shop, (road.terms, road.rules) = ListShop(), mine
    road.shop.add("A1", "A2")
    outage = road.gss.fault("status", status=500, method="PUT", times=None)
    for number in range(9):
        road.clock.at += timedelta(minutes=4)
        road.terms, road.rules = other
        one_is_looked_at(road, numbers[number])
        road.terms, road.rules = mine
        road.sync()
    assert [road.kinds(number) for number in ("A1", "A2")] == [set(), set()]
    road.gss.clear_faults(outage)
    road.later(minutes=20)
    assert [road.state(number) for number in ("A1", "A2")] == ["accepted", "accepted"]


def test_B8_what_is_read_back_opens_the_gate_where_no_store_of_the_key_owes_anything(road: Road) -> None:
    road.send_and_confirm("A1")
    road.gss.fault("status", status=503, method="GET")
    road.later(hours=2)
    assert gates.gate_of(road.ledger.db, "key").failures == 1
    road.later(minutes=6)
    assert gates.gate_of(road.ledger.db, "key").failures == 0


def test_B8_what_a_store_behind_the_fence_owes_keeps_the_gate_of_its_key_from_nobody(road: Road) -> None:
    """It may send nothing, so no call of its own could ever be the canary."""
    road.send_and_confirm("A1")
    shop, mine, mine_rules = road.shop, road.terms, road.rules
    road.shop, road.terms = ListShop(), replace(mine, store="other")
    road.rules = replace(mine_rules, store="other", slip=SlipRules(prefix="O-"))
    road.shop.add("A2")
    road.read_the_shop()
    with road.ledger.writing() as db:
        know_store(db, road.terms)
        fence.raise_fence(db, "a backup was put back", road.clock.now())
        fence.let_pass(db, "kiwi")
    road.shop, road.terms, road.rules = shop, mine, mine_rules
    road.gss.fault("status", status=503, method="GET")
    road.later(hours=2)
    assert gates.gate_of(road.ledger.db, "key").failures == 1
    road.later(minutes=6)
    assert gates.gate_of(road.ledger.db, "key").failures == 0


def test_S14_looking_waits_for_its_budget_and_not_for_a_time_of_a_clock_that_was_ahead(road: Road) -> None:
    road.send_and_confirm("A1")
    due = next_call(road.terms, road.ledger, road.clock.at)
    assert due is not None
    half_an_hour, a_day = due + timedelta(minutes=30), due + timedelta(days=1)
    assert next_call(road.terms, road.ledger, due, half_an_hour) == half_an_hour
    assert next_call(road.terms, road.ledger, due, a_day) == due


def one_is_looked_at(road: Road, number: str) -> None:
    """Have one slip of a store read back: in a shop with some thousand of them one is due at any time."""
    with road.ledger.writing() as db:
        db.execute(
            "UPDATE versions SET read_at = ? WHERE slip_id = (SELECT id FROM slips WHERE order_number = ?)",
            (stamp(road.clock.at), number),
        )
    road.sync(None)

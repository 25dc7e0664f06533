"""Two stores with one GSS key: what one learns of GSS counts for the other."""

from __future__ import annotations

import msgspec

from connector.slip import SlipRules
from tests.road.world import Road


def test_an_alert_about_the_key_closes_for_a_store_when_another_store_finds_gss_answering(road: Road) -> None:
    road.shop.many(1)
    fault = road.gss.fault("status", status=401, times=None)
    road.sync()
    assert "unauthorised" in road.kinds()
    road.gss.clear_faults(fault)
    mine, mine_rules = road.terms, road.rules
    road.terms = msgspec.structs.replace(mine, store="other")
    road.rules = msgspec.structs.replace(mine_rules, store="other", slip=SlipRules(prefix="O-"))
    assert road.later(minutes=6).calls == 1, "the other store's call opens the gate"
    road.terms, road.rules = mine, mine_rules
    road.later(minutes=1)
    assert "unauthorised" not in road.kinds()

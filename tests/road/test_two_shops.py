"""Two shops whose orders have the same ids and numbers: each order is its own shop's, on the whole road."""

from __future__ import annotations

import msgspec

from connector.slip import SlipRules
from tests.road.source import ListShop, address
from tests.road.world import Road


class TwoShops:
    """kiwi and moa on one ledger and one key; each order below is in both, by the same id and number."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.shops = {"kiwi": road.shop, "moa": ListShop()}

    def sync(self, store: str) -> None:
        road = self.road
        road.shop = self.shops[store]
        road.terms = msgspec.structs.replace(road.terms, store=store)
        prefix = f"{store[0].upper()}-"
        road.rules = msgspec.structs.replace(road.rules, store=store, slip=SlipRules(prefix=prefix))
        road.sync()

    def at_gss(self) -> dict[str, tuple[str, str]]:
        """Number: (state, street), as GSS has it."""
        orders = self.road.gss.orders()
        return {order["number"]: (order["state"], order["stored"]["address2"].lower()) for order in orders}


def test_P21_the_same_id_and_number_in_two_shops_are_two_orders_that_never_mix(road: Road) -> None:
    both = TwoShops(road)
    both.shops["kiwi"].add("1001", ship_to=address("1 Kowhai Road"))
    both.shops["moa"].add("1001", ship_to=address("2 Rata Street"))
    for store in ("kiwi", "moa"):
        both.sync(store)
    assert both.at_gss() == {"K-1001": ("pending", "1 kowhai road"), "M-1001": ("pending", "2 rata street")}

    both.shops["moa"].edit("1001", street="3 Totara Lane")
    both.sync("kiwi")
    both.sync("moa")
    assert both.at_gss() == {"K-1001": ("pending", "1 kowhai road"), "M-1001": ("pending", "3 totara lane")}

    both.shops["kiwi"].edit("1001", cancelled=True)
    both.sync("moa")
    both.sync("kiwi")
    assert both.at_gss() == {"K-1001": ("deleted", "1 kowhai road"), "M-1001": ("pending", "3 totara lane")}
    assert road.alerts_open() == 0
    keys = road.ledger.db.execute("SELECT store, order_id FROM slips ORDER BY store").fetchall()
    assert [tuple(key) for key in keys] == [("kiwi", "1001"), ("moa", "1001")]


def test_P21_orders_that_are_passed_over_do_not_mix_either(road: Road) -> None:
    """One shop's order waits, the other's of the same id goes out; then they change places."""
    both = TwoShops(road)
    both.shops["kiwi"].add("1001", cancelled=True)
    both.shops["moa"].add("1001", ship_to=address("2 Rata Street"))
    for store in ("kiwi", "moa"):
        both.sync(store)
    assert set(both.at_gss()) == {"M-1001"}
    both.shops["kiwi"].edit("1001", cancelled=False)
    both.shops["moa"].edit("1001", cancelled=True)
    for store in ("kiwi", "moa"):
        both.sync(store)
    assert {number: state for number, (state, _) in both.at_gss().items()} == {
        "M-1001": "deleted",
        "K-1001": "pending",
    }

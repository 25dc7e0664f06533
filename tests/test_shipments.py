"""A shipment keeps the part of its order that it was first known by, whichever other shipments a shop shows."""

from __future__ import annotations

from connector.order import Order
from connector.shipments import under_known_parts

OLD, NEW = "880001", "880002"


def shown(part: str, shipment: str, order_id: str = "1") -> Order:
    return Order(order_id, f"#{order_id}", "1", part=part, shipment=shipment)


def parts(*orders: Order, known: dict[tuple[str, str], str] | None = None) -> list[tuple[str, str]]:
    """The shipment and the part of each order."""
    return [(order.shipment, order.part) for order in under_known_parts(orders, known or {})]


def test_what_is_new_keeps_the_part_it_came_with() -> None:
    assert parts(shown("", OLD), shown(NEW, NEW)) == [(OLD, ""), (NEW, NEW)]


def test_T11_what_is_first_now_does_not_take_the_part_of_what_was_first_before() -> None:
    assert parts(shown("", OLD), shown(NEW, NEW), known={("1", ""): NEW}) == [(OLD, OLD), (NEW, "")]


def test_T11_what_became_the_first_keeps_its_own_part() -> None:
    assert parts(shown("", NEW), known={("1", ""): OLD, ("1", NEW): NEW}) == [(NEW, NEW)]
    assert parts(shown("", NEW), known={("1", NEW): NEW}) == [(NEW, NEW)]


def test_T11_two_looks_at_an_order_on_one_page_agree() -> None:
    assert parts(shown("", NEW), shown("", OLD), shown(NEW, NEW)) == [(NEW, ""), (OLD, OLD), (NEW, "")]


def test_parts_of_other_orders_and_of_shops_without_shipments_are_left_alone() -> None:
    assert parts(shown("", OLD, "2"), known={("1", ""): NEW}) == [(OLD, "")]
    assert parts(shown("", ""), shown("b", ""), known={("1", ""): NEW}) == [("", ""), ("", "b")]

"""What a Shopify shop holds: its orders, and what each change does to them. Knows no query and no network.

A state of an order is never changed: a change makes the next one, so that what an index saw earlier stays as it was
seen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from connector.testing.shop_double import Draft
from tests.shops import shopify_views as views
from tests.shops.shopify_views import DONE, Line, View, gid, plain, stamp

__all__ = ["DONE", "Books", "Line", "State", "View", "gid", "plain", "stamp"]

FIRST_ID: Final = 5_460_000_000_000


class State(msgspec.Struct, eq=False):
    """An order as it was from `updated` on.

    serial  counts the shop's changes; view  its GraphQL fields; facts  what lists know of it; kept  pieces of answers
    that are rendered already
    """

    serial: int
    view: View
    updated: datetime
    created: datetime
    facts: View
    kept: dict[Any, tuple[msgspec.Raw, int]]


Told = Callable[[str, State | None, datetime, str], None]


class Books:
    """The orders of one shop, and their next states. told  is called with each new state, None: gone, and why

    parts_move_order  whether a change of a fulfilment order alone moves the order's change date
    """

    def __init__(self, seed: int, told: Told, *, parts_move_order: bool) -> None:
        self._random = random.Random(seed)
        self._told = told
        self._parts_move_order = parts_move_order
        self._next = FIRST_ID + self._random.randrange(10_000)
        self._name = 1000
        self._serial = 0
        self.states: dict[str, State] = {}
        self.owners: dict[str, str] = {}

    def number(self) -> int:
        """An id that nothing has yet, nor the two after it."""
        self._next += self._random.randrange(3, 40)
        return self._next

    def view(self, order_id: str) -> View:
        return self.states[order_id].view

    def place(
        self,
        draft: Draft,
        at: datetime,
        *,
        lines: Sequence[Line],
        method: str,
        locations: int,
        part: View,
        instructions: str,
        is_routed: bool,
        fields: View,
    ) -> str:
        """A new order; unless `is_routed`, its fulfilment orders wait for `route`. part  their fields, as given"""
        self._name += 1
        view = self._new(draft, at, [views.line_view(line, self.number()) for line in lines], method)
        view |= fields
        parts = self._parts(view, draft, at, method, locations, part, instructions)
        view["fulfillmentOrders" if is_routed else "unrouted"] = parts
        self._keep(view["legacyResourceId"], view, at, at, "create")
        return str(view["legacyResourceId"])

    def route(self, order_id: str, at: datetime) -> None:
        """The background job that makes the fulfilment orders comes to this order."""
        waiting = self.states[order_id].view["unrouted"] if order_id in self.states else ()
        if waiting:
            made = [{**part, "createdAt": stamp(at), "updatedAt": stamp(at)} for part in waiting]
            self.change_parts(order_id, at, {"fulfillmentOrders": made, "unrouted": []}, "routed")

    def change(self, order_id: str, at: datetime, fields: View, why: str = "updated", *, moves: bool = True) -> None:
        """The order's next state. moves  whether its change date does"""
        old = self.states[order_id]
        self._keep(order_id, {**old.view, **fields}, max(at, old.updated) if moves else old.updated, at, why)

    def change_parts(self, order_id: str, at: datetime, fields: View, why: str) -> None:
        """The order's next state, in which only its fulfilment orders are others."""
        self.change(order_id, at, fields, why, moves=self._parts_move_order)

    def delete(self, order_id: str) -> None:
        state = self.states.pop(order_id)
        self._told(order_id, None, state.updated, "delete")

    def with_lines(self, view: View, left: dict[str, int], at: datetime) -> View:
        """The fields of an order of which only so many of each line are left (by id); fulfilment orders follow."""
        items = []
        for line in view["lineItems"]:
            current = left.get(line["id"], line["currentQuantity"])
            sent = line["currentQuantity"] - line["unfulfilledQuantity"]
            items.append({**line, "currentQuantity": current, "unfulfilledQuantity": max(current - sent, 0)})
        return {
            "lineItems": items,
            "fulfillmentOrders": self._fitted(view, view["fulfillmentOrders"], items, at),
            "unrouted": self._fitted(view, view["unrouted"], items, at),
        }

    def part_line(self, line: View, quantity: int) -> View:
        return views.part_line(line, quantity, self.number())

    def new_lines(self, lines: Sequence[Line]) -> list[View]:
        return [views.line_view(line, self.number()) for line in lines]

    def part(self, order: View, like: View, lines: list[View], at: datetime, **fields: Any) -> View:
        return views.part_view(order, like, lines, at, self.number(), **fields)

    def sent(self, part: View, at: datetime) -> View:
        """The fulfilment order with one fulfilment more, of all that is left of it."""
        return {**part, "fulfillments": [*part["fulfillments"], views.fulfilment(part, at, self.number())]}

    def _keep(self, order_id: str, view: View, updated: datetime, at: datetime, why: str) -> None:
        view["updatedAt"] = stamp(updated)
        views.sum_up(view)
        created = datetime.fromisoformat(view["createdAt"])
        processed = datetime.fromisoformat(view["processedAt"])
        self._serial += 1
        facts = views.facts_of(view, updated, created, processed)
        state = State(self._serial, view, updated, created, facts, {})
        self.states[order_id] = state
        for part in view["fulfillmentOrders"]:
            self.owners[part["id"]] = order_id
        self._told(order_id, state, at, why)

    def _fitted(self, view: View, parts: list[View], items: list[View], at: datetime) -> list[View]:
        """Fulfilment orders with just what their lines have left; an emptied one is closed. What no open one has goes
        to the first open one, and to a new one where none is open."""
        if not parts:
            return []
        left = {line["id"]: line["unfulfilledQuantity"] for line in items}
        by_id = {line["id"]: line for line in items}
        fitted = [part if part["status"] in DONE else _cut(part, left, by_id) for part in parts]
        more = {key: count for key, count in left.items() if count}
        is_open = [place for place, part in enumerate(fitted) if part["status"] not in DONE]
        if more and is_open:
            fitted[is_open[0]] = self._filled(fitted[is_open[0]], more, by_id)
        elif more:
            lines = [self.part_line(by_id[key], count) for key, count in more.items()]
            fitted.append(self.part(view, parts[-1], lines, at))
        return [part if part in parts else _settled(part, at) for part in fitted]

    def _filled(self, part: View, more: dict[str, int], by_id: dict[str, View]) -> View:
        lines = []
        for line in part["lineItems"]:
            added = more.pop(line["lineItem"]["id"], 0)
            remaining = line["remainingQuantity"] + added
            lines.append(
                {**line, "remainingQuantity": remaining, "totalQuantity": max(remaining, line["totalQuantity"])}
            )
        lines += [self.part_line(by_id[key], count) for key, count in more.items()]
        return {**part, "lineItems": lines}

    def _parts(
        self, view: View, draft: Draft, at: datetime, method: str, locations: int, part: View, instructions: str
    ) -> list[View]:
        """One fulfilment order for each location and way of delivery; lines are dealt to the locations in turn."""
        groups: dict[tuple[bool, int], list[View]] = {}
        for place, line in enumerate(view["lineItems"]):
            ships = line["requiresShipping"]
            groups.setdefault((ships, place % locations if ships else 0), []).append(line)
        parts = []
        for (ships, place), lines in groups.items():
            number = self.number()
            how = method if ships else "NONE"
            like = {
                "destination": views.no_destination(number)
                if how in ("PICK_UP", "NONE")
                else views.destination(draft, number),
                "deliveryMethod": views.delivery_method(number, how, draft, instructions),
                "assignedLocation": views.location(place),
            }
            listed = [self.part_line(line, line["currentQuantity"]) for line in lines]
            hour = at.replace(minute=0, second=0)
            parts.append(self.part(view, like, listed, at, **{"fulfillAt": stamp(hour), **part}))
        return parts

    def _new(self, draft: Draft, at: datetime, items: list[View], method: str) -> View:
        number = self.number()
        ships = any(line["requiresShipping"] for line in items)
        address = views.mailing(draft, number) if ships and method != "PICK_UP" else None
        return {
            "__typename": "Order",
            "id": gid("Order", number),
            "legacyResourceId": str(number),
            "name": f"#{self._name}",
            "number": self._name,
            "confirmationNumber": f"{self._random.randrange(36**6):09X}",
            "createdAt": stamp(at),
            "processedAt": stamp(at),
            "closed": False,
            "test": False,
            "confirmed": True,
            "edited": False,
            "restockable": True,
            "refundable": True,
            "merchantEditable": True,
            "displayFinancialStatus": "PAID",
            "returnStatus": "NO_RETURN",
            "email": draft.email or None,
            "phone": None,
            "note": draft.note or None,
            "tags": [],
            "customAttributes": [],
            "currencyCode": "NZD",
            "presentmentCurrencyCode": "NZD",
            "sourceName": "web",
            "customerLocale": "en-NZ",
            "discountCodes": [],
            "paymentGatewayNames": ["shopify_payments"],
            "taxesIncluded": True,
            "totalWeight": "350",
            "customer": views.customer(draft, at, self.number()),
            "shippingAddress": address,
            "billingAddress": views.mailing(draft, number + 1),
            "displayAddress": address,
            "billingAddressMatchesShippingAddress": address is not None,
            "shippingLines": [views.shipping_line(number, method)] if ships else [],
            "lineItems": items,
            "fulfillmentOrders": [],
            "unrouted": [],
            "fulfillments": [],
            "refunds": [],
            "totalShippingPriceSet": views.money(700),
            "totalRefundedSet": views.money(0),
        }


def _cut(part: View, left: dict[str, int], by_id: dict[str, View]) -> View:
    """The fulfilment order with no more than is left of each line; takes what it keeps off `left`."""
    lines = []
    for line in part["lineItems"]:
        key = line["lineItem"]["id"]
        remaining = min(line["remainingQuantity"], left.get(key, 0))
        left[key] = left.get(key, 0) - remaining
        lines.append({**line, "remainingQuantity": remaining, "lineItem": by_id[key]})
    return {**part, "lineItems": lines}


def _settled(part: View, at: datetime) -> View:
    """The changed fulfilment order; a line of which nothing is left is taken out, but for the last."""
    lines = [line for line in part["lineItems"] if line["remainingQuantity"]]
    if lines:
        return {**part, "updatedAt": stamp(at), "lineItems": lines}
    return {**part, "updatedAt": stamp(at), "status": "CLOSED", "fulfillmentHolds": []}

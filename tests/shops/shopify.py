"""A Shopify shop for tests: the Admin GraphQL API 2026-10 as documented and recorded, its defects to be switched on.

Written from platforms.md 4.1 and Shopify's public pages, not from our source. What a query may ask stands in
shopify.graphql, what a search text means in shopify_search.py, what can go wrong in shopify_habits.py, and what changes
do in shopify_books.py.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from connector.testing.shop_double import Draft
from connector.testing.shop_server import Request, Response, ShopServer
from tests.shops import shopify_books as books
from tests.shops import shopify_views as views
from tests.shops.shopify_admin import Admin
from tests.shops.shopify_books import DONE, Line, State, View, gid, plain, stamp
from tests.shops.shopify_habits import ALL_SCOPES, Habits
from tests.shops.shopify_hooks import Hooks
from tests.shops.shopify_lists import Lists
from tests.shops.shopify_tokens import Tokens

__all__ = ["ALL_SCOPES", "DOMAIN", "VERSION", "Habits", "Line", "ShopifyDouble"]

VERSION: Final = "2026-10"
DOMAIN = "kowhai-pottery.myshopify.com"
"""The shop's name. Nothing is ever sent there: a store file's `url` says where the shop is."""


class ShopifyDouble:
    """One Shopify shop, a ShopDouble: `with ShopifyDouble(seed) as shop`.

    permanent_token  the app has a token for ever; else it asks for one that lives a day
    habits           given by name: Habits' fields, e.g. `ShopifyDouble(lag_s=(0, 40))`; `shop.habits` later
    hooks            what it would deliver to a webhook, once `hooks.is_on`
    """

    kind = "shopify"

    def __init__(
        self, seed: int = 0, *, permanent_token: bool = True, timezone: str = "Pacific/Auckland", **habits: Any
    ) -> None:
        self.habits = Habits(**habits)
        self.tokens = Tokens(seed, permanent=permanent_token)
        self.zone = ZoneInfo(timezone)
        self.hooks = Hooks(seed, DOMAIN, VERSION, self.zone)
        self._now = datetime(2026, 11, 2, tzinfo=UTC)
        self._books = books.Books(seed, self._told, parts_move_order=self.habits.parts_move_order)
        self._lists = Lists(seed, self._books, self.habits, self.zone, self._now)
        self._admin = Admin(self._books, self._lists, self.habits, DOMAIN, self.zone, self.tokens.client_id)
        self._events: list[tuple[datetime, int, str]] = []
        self._calls = 0
        self._server = ShopServer(self.answer)
        self.server: ShopServer | None = self._server

    def __enter__(self) -> ShopifyDouble:
        self._server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.__exit__(*exc)

    @property
    def client_id(self) -> str:
        return self.tokens.client_id

    @property
    def client_secret(self) -> str:
        return self.tokens.client_secret

    @property
    def token(self) -> str:
        """The permanent one; "" for an app that asks for its tokens."""
        return self.tokens.permanent

    @token.setter
    def token(self, token: str) -> None:
        self.tokens.permanent = token

    @property
    def now(self) -> datetime:
        """The shop's clock."""
        return self._now

    # the contract

    def source_table(self) -> dict[str, Any]:
        """Where this shop is, and its credentials by the variables of `environment`."""
        table: dict[str, Any] = {"kind": self.kind, "shop": DOMAIN, "url": self._server.url}
        if self.token:
            return {**table, "access_token": "env:SHOPIFY_TOKEN"}
        return {**table, "client_id": self.client_id, "client_secret": "env:SHOPIFY_CLIENT_SECRET"}

    def environment(self) -> dict[str, str]:
        """The variables that `source_table` names."""
        return {"SHOPIFY_TOKEN": self.token} if self.token else {"SHOPIFY_CLIENT_SECRET": self.client_secret}

    def place(
        self,
        draft: Draft,
        at: datetime,
        *,
        paid: bool = True,
        lines: Sequence[Line] = (),
        method: str = "SHIPPING",
        locations: int = 1,
        part: View | None = None,
        fulfil_at: datetime | None = None,
        instructions: str = "",
        **fields: Any,
    ) -> str:
        """A new order. lines  in place of the draft's; method  DeliveryMethodType; locations  how many fulfilment
        orders the lines are dealt to; part  GraphQL fields of each fulfilment order; fields  of the order"""
        self._pass(at)
        dealt = [Line(f"{draft.sku}-{number}" if number else draft.sku, draft.quantity) for number in range(locations)]
        later = (
            {"fulfillAt": stamp(fulfil_at), "status": "SCHEDULED" if fulfil_at > at else "OPEN"} if fulfil_at else {}
        )
        delay_s = self.habits.routed_after_s
        order_id = self._books.place(
            draft,
            at,
            lines=lines or dealt,
            method=method,
            locations=locations,
            part={**later, **(part or {})},
            instructions=instructions,
            is_routed=not delay_s,
            fields={"displayFinancialStatus": "PAID" if paid else "PENDING", **fields},
        )
        if delay_s:
            heapq.heappush(self._events, (at + timedelta(seconds=delay_s), int(order_id), order_id))
        return order_id

    def pay(self, order_id: str, at: datetime) -> None:
        self.change(order_id, at, "paid", displayFinancialStatus="PAID")

    def edit(self, order_id: str, draft: Draft, at: datetime) -> None:
        """The addresses of the order and of its open fulfilment orders, e-mail, note, and its lines: another article
        takes the place of all, the same one has another quantity."""
        self._pass(at)
        view = self._books.view(order_id)
        address = views.mailing(draft, int(order_id)) if view["shippingAddress"] else None
        lines, left = self._edited_lines(view, draft)
        goes = views.destination(draft, int(order_id))
        sent_to = {
            name: [_sent_to(part, goes, at) for part in view[name]] for name in ("fulfillmentOrders", "unrouted")
        }
        fitted = self._books.with_lines({**view, "lineItems": lines, **sent_to}, left, at)
        fields = {
            "shippingAddress": address,
            "displayAddress": address,
            "email": draft.email or None,
            "note": draft.note or None,
            "edited": True,
        }
        self._books.change(order_id, at, {**fields, **fitted}, "edited")

    def touch(self, order_id: str, at: datetime) -> None:
        self.change(order_id, at)

    def cancel(self, order_id: str, at: datetime) -> None:
        """Cancelled and restocked: nothing is left of its lines, and its fulfilment orders are closed."""
        self._pass(at)
        view = self._books.view(order_id)
        emptied = self._books.with_lines(view, {line["id"]: 0 for line in view["lineItems"]}, at)
        money = {"PAID": "REFUNDED", "PARTIALLY_REFUNDED": "REFUNDED", "AUTHORIZED": "VOIDED", "PENDING": "VOIDED"}
        fields = {
            **emptied,
            "unrouted": [],
            "cancelledAt": stamp(at),
            "cancelReason": "CUSTOMER",
            "closed": True,
            "closedAt": stamp(at),
            "displayFinancialStatus": money.get(view["displayFinancialStatus"], view["displayFinancialStatus"]),
        }
        self._books.change(order_id, at, fields, "cancelled")

    def refund(self, order_id: str, at: datetime) -> None:
        """All lines are refunded and taken off."""
        lines = self._books.view(order_id)["lineItems"]
        self.take_off(order_id, at, {plain(line["id"]): 0 for line in lines}, financial="REFUNDED")

    def fulfil(self, order_id: str, at: datetime, part: str = "") -> None:
        """All that is left of the order, or of one fulfilment order (its id), was sent."""
        self._pass(at)
        view = self._books.view(order_id)
        sent: dict[str, int] = {}
        parts = []
        for each in view["fulfillmentOrders"]:
            if each["status"] in DONE or part not in ("", plain(each["id"])):
                parts.append(each)
                continue
            for line in each["lineItems"]:
                key = line["lineItem"]["id"]
                sent[key] = sent.get(key, 0) + line["remainingQuantity"]
            parts.append(_closed(self._books.sent(each, at), at))
        lines = [
            {**line, "unfulfilledQuantity": max(line["unfulfilledQuantity"] - sent.get(line["id"], 0), 0)}
            for line in view["lineItems"]
        ]
        self._books.change(order_id, at, {"lineItems": lines, "fulfillmentOrders": parts}, "fulfilled")

    def delete(self, order_id: str) -> None:
        self._books.delete(order_id)

    def spoil(self, order_id: str) -> None:
        """Its change date becomes no time at all."""
        self._admin.spoiled.add(order_id)

    def hide(self, order_id: str, until: datetime) -> None:
        self._lists.hide(order_id, until)

    def set_clock(self, at: datetime) -> None:
        self._now = self._lists.now = at
        self._settle()

    # more that can happen

    def change(self, order_id: str, at: datetime, why: str = "updated", **fields: Any) -> None:
        """Any GraphQL fields of the order become others, and its change date moves."""
        self._pass(at)
        self._books.change(order_id, at, fields, why)

    def take_off(
        self, order_id: str, at: datetime, left: dict[str, int], *, financial: str = "PARTIALLY_REFUNDED"
    ) -> None:
        """Lines are refunded or edited away. left  how many remain of each line, by its id"""
        self._pass(at)
        view = self._books.view(order_id)
        fields = self._books.with_lines(view, {gid("LineItem", key): count for key, count in left.items()}, at)
        self._books.change(order_id, at, {**fields, "displayFinancialStatus": financial}, "refunded")

    def lines(self, order_id: str) -> dict[str, str]:
        """The article number of each of its lines, by the line's id."""
        return {plain(line["id"]): line["sku"] for line in self._books.view(order_id)["lineItems"]}

    def parts(self, order_id: str) -> list[str]:
        """The ids of its fulfilment orders, the oldest first."""
        return [plain(part["id"]) for part in self._books.view(order_id)["fulfillmentOrders"]]

    def hold(self, order_id: str, at: datetime, part: str = "", reason: str = "OTHER", notes: str = "") -> None:
        """Its fulfilment orders, or one, are held."""
        held = {"status": "ON_HOLD", "fulfillmentHolds": [views.hold(self._books.number(), reason, notes)]}
        self._change_parts(order_id, at, part, ("OPEN", "SCHEDULED"), held, "placed_on_hold")

    def release(self, order_id: str, at: datetime, part: str = "") -> None:
        self._change_parts(
            order_id, at, part, ("ON_HOLD",), {"status": "OPEN", "fulfillmentHolds": []}, "hold_released"
        )

    def reschedule(self, order_id: str, at: datetime, to: datetime, part: str = "") -> None:
        """Its fulfilment orders, or one, are to be sent at another time. A due one is scheduled no more."""
        fields = {"status": "SCHEDULED" if to > at else "OPEN", "fulfillAt": stamp(to)}
        self._change_parts(order_id, at, part, ("OPEN", "SCHEDULED"), fields, "rescheduled")

    def change_part(self, order_id: str, at: datetime, part: str = "", **fields: Any) -> None:
        """Any GraphQL fields of its open fulfilment orders, or of one, become others."""
        self._change_parts(order_id, at, part, ("OPEN", "SCHEDULED", "ON_HOLD", "IN_PROGRESS"), fields, "moved")

    def split(self, order_id: str, at: datetime, part: str = "", quantity: int = 1) -> str:
        """So many of the last line of an open fulfilment order become one of their own; its id."""
        self._pass(at)
        view = self._books.view(order_id)
        old = _open_part(view, part)
        line = next(each for each in reversed(old["lineItems"]) if each["remainingQuantity"])
        count = min(quantity, line["remainingQuantity"])
        made = self._books.part(view, old, [self._books.part_line(line["lineItem"], count)], at)
        less = {name: line[name] - count for name in ("remainingQuantity", "totalQuantity")}
        lines = [{**each, **less} if each is line else each for each in old["lineItems"]]
        cut = {**old, "lineItems": [each for each in lines if each["totalQuantity"]], "updatedAt": stamp(at)}
        self._replace(order_id, at, old, [cut, made], "split")
        return plain(made["id"])

    def move(self, order_id: str, at: datetime, part: str = "", to: int = 1, *, in_place: bool = False) -> str:
        """An open fulfilment order goes to another location, whole. in_place  as mostly: it is the same one, at another
        location; else it is closed, and a new one takes its lines. The id of the one that has them now"""
        self._pass(at)
        if in_place:
            part = part or plain(_open_part(self._books.view(order_id), "")["id"])
            self.change_part(order_id, at, part, assignedLocation=views.location(to))
            return part
        view = self._books.view(order_id)
        old = _open_part(view, part)
        left = [each for each in old["lineItems"] if each["remainingQuantity"]]
        lines = [self._books.part_line(each["lineItem"], each["remainingQuantity"]) for each in left]
        made = self._books.part(view, {**old, "assignedLocation": views.location(to)}, lines, at)
        self._replace(order_id, at, old, [_closed(old, at), made], "moved")
        return plain(made["id"])

    def expire_cursors(self) -> None:
        """Page cursors given so far are refused from now on (P9)."""
        self._lists.expire()

    def now_holds(self) -> dict[tuple[str, str], View]:
        """What the shop says now, by order and fulfilment order ("" for the oldest): whether it ships, to where, what.

        ships is the shop's own state alone: open and not held, due, not cancelled, no test, a parcel, paid. A
        merchant's settings may say otherwise. An order without fulfilment orders has the part "" that does not ship.
        """
        found: dict[tuple[str, str], View] = {}
        for order_id, state in self._books.states.items():
            parts = sorted(state.view["fulfillmentOrders"], key=lambda part: int(plain(part["id"])))
            if not parts:
                found[order_id, ""] = {"ships": False, "line1": None, "city": None, "quantities": {}, "status": ""}
            for place, part in enumerate(parts):
                found[order_id, plain(part["id"]) if place else ""] = _standing(state.view, part, self._now)
        return found

    # inside

    def _pass(self, at: datetime) -> None:
        """Something happens at `at`: the shop's clock is not earlier."""
        if at > self._now:
            self.set_clock(at)
        else:
            self._settle()

    def _settle(self) -> None:
        while self._events and self._events[0][0] <= self._now:
            at, _, order_id = heapq.heappop(self._events)
            self._books.route(order_id, at)
        self._lists.settle()

    def _told(self, order_id: str, state: State | None, at: datetime, why: str) -> None:
        self._lists.learn(order_id, state, at)
        self.hooks.happened(why, order_id, state.view if state else None, at)

    def _change_parts(
        self, order_id: str, at: datetime, part: str, states: tuple[str, ...], fields: View, why: str
    ) -> None:
        self._pass(at)
        parts = [
            {**each, **fields, "updatedAt": stamp(at)}
            if each["status"] in states and part in ("", plain(each["id"]))
            else each
            for each in self._books.view(order_id)["fulfillmentOrders"]
        ]
        self._books.change_parts(order_id, at, {"fulfillmentOrders": parts}, why)

    def _replace(self, order_id: str, at: datetime, old: View, new: list[View], why: str) -> None:
        """One fulfilment order becomes two: the first stands where it stood, the second is the youngest."""
        parts = self._books.view(order_id)["fulfillmentOrders"]
        stays = [new[0] if each is old else each for each in parts]
        self._books.change_parts(order_id, at, {"fulfillmentOrders": [*stays, *new[1:]]}, why)

    def _edited_lines(self, view: View, draft: Draft) -> tuple[list[View], dict[str, int]]:
        lines: list[View] = view["lineItems"]
        same = next((line for line in lines if line["sku"] == (draft.sku or None)), None)
        left = {line["id"]: 0 for line in lines}
        if same is None:
            return [*lines, *self._books.new_lines([Line(draft.sku, draft.quantity)])], left
        left[same["id"]] = draft.quantity
        more = {**same, "quantity": max(draft.quantity, same["quantity"])}
        return [more if line is same else line for line in lines], left

    # HTTP

    def answer(self, request: Request) -> Response:
        """What the shop answers to a request."""
        self._settle()
        self._calls += 1
        if request.path == "/admin/oauth/access_token" and request.method == "POST":
            return self._respond(*self.tokens.grant(request, self.habits.scopes, self._now))
        version, _, rest = request.path.removeprefix("/admin/api/").partition("/")
        if not request.path.startswith("/admin/api/") or rest != "graphql.json" or not version:
            return self._respond(404, {"errors": "Not Found"})
        if request.method != "POST":
            return self._respond(405, {"errors": "Method Not Allowed"})
        if not self.tokens.is_known(request.headers.get("x-shopify-access-token", ""), self._now):
            told = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return self._respond(401, {"errors": told})
        try:
            asked = msgspec.json.decode(request.body, type=_Asked)
        except msgspec.DecodeError:
            return self._respond(400, {"errors": {"query": "Required parameter missing or invalid"}})
        return self._respond(*self._admin.answer(asked.query, asked.variables or {}, asked.operation))

    def _respond(self, status: int, body: Any) -> Response:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Date": format_datetime(self._now, usegmt=True),
            "X-Shopify-Api-Version": self.habits.served_version,
            "X-Request-Id": f"{self._calls:08x}-0000-4000-8000-000000000000",
        }
        if status == 429:
            headers["Retry-After"] = "2.0"
        return Response(status, msgspec.json.encode(body), headers)


class _Asked(msgspec.Struct):
    query: str
    variables: dict[str, Any] | None = None
    operation: str | None = msgspec.field(default=None, name="operationName")


def _sent_to(part: View, goes: View, at: datetime) -> View:
    if part["status"] in DONE or part["deliveryMethod"]["methodType"] not in ("SHIPPING", "LOCAL"):
        return part
    return {**part, "destination": {**goes, "id": part["destination"]["id"]}, "updatedAt": stamp(at)}


def _closed(part: View, at: datetime) -> View:
    emptied = [{**line, "remainingQuantity": 0} for line in part["lineItems"]]
    return {**part, "status": "CLOSED", "lineItems": emptied, "fulfillmentHolds": [], "updatedAt": stamp(at)}


def _open_part(view: View, part: str) -> View:
    found: View = next(
        each for each in view["fulfillmentOrders"] if each["status"] not in DONE and part in ("", plain(each["id"]))
    )
    return found


def _standing(view: View, part: View, now: datetime) -> View:
    quantities: dict[str, int] = {}
    for line in part["lineItems"]:
        if line["remainingQuantity"]:
            sku = line["sku"] or ""
            quantities[sku] = quantities.get(sku, 0) + line["remainingQuantity"]
    due = part["status"] != "SCHEDULED" or datetime.fromisoformat(part["fulfillAt"]) <= now
    ships = (
        due
        and view.get("cancelledAt") is None
        and not view["test"]
        and part["status"] in ("OPEN", "IN_PROGRESS", "SCHEDULED")
        and not part["fulfillmentHolds"]
        and part["requestStatus"] == "UNSUBMITTED"
        and part["deliveryMethod"]["methodType"] == "SHIPPING"
        and view["displayFinancialStatus"] in ("PAID", "PARTIALLY_REFUNDED")
        and bool(quantities)
    )
    goes = part["destination"]
    return {
        "ships": ships,
        "line1": goes.get("address1"),
        "city": goes.get("city"),
        "quantities": quantities,
        "status": part["status"],
    }

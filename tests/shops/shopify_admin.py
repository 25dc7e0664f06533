"""The Admin GraphQL API of a Shopify shop: a request's text in, what Shopify would answer out. Knows no HTTP server.

Order of refusals as Shopify's: the text, the variables, the price, the bucket, and only then what is asked for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from tests.shops import shopify_cost as cost
from tests.shops import shopify_graph as graph
from tests.shops import shopify_search as search
from tests.shops.shopify_books import Books, View, gid, plain
from tests.shops.shopify_habits import Habits
from tests.shops.shopify_lists import Lists

LIMITS: Final = "https://shopify.dev/api/usage/limits#rate-limits"
SCOPES: Final = "https://shopify.dev/api/usage/access-scopes"
PROTECTED: Final = {
    "Order": ("email", "phone", "shippingAddress", "billingAddress", "displayAddress", "customer"),
    "FulfillmentOrder": ("destination",),
    "DeliveryMethodAdditionalInformation": ("instructions", "phone"),
}
"""What is null without protected customer data; the fields of an address are null with it."""


class Admin:
    """One app's view of one shop. spoiled  orders whose record is broken"""

    def __init__(self, books: Books, lists: Lists, habits: Habits, domain: str, zone: ZoneInfo, api_key: str) -> None:
        self.spoiled: set[str] = set()
        self.bucket = cost.Bucket(habits.bucket, habits.restore_rate, habits.throttle)
        self._books = books
        self._lists = lists
        self._habits = habits
        self._domain = domain
        self._zone = zone
        self._api_key = api_key
        self._denied: dict[str, View] = {}
        self._resolvers = self._root_fields() | self._order_fields() | self._protected_fields()

    def answer(self, text: str, given: View, operation: str | None) -> tuple[int, View]:
        """The HTTP status and the body."""
        query = graph.checked(text, operation)
        if isinstance(query, tuple):
            return 200, {"errors": list(query)}
        try:
            variables = graph.variable_values(query, given)
        except graph.RefusedError as refused:
            return 200, {"errors": refused.errors}
        asked = cost.requested(query.root, variables)
        if asked > self._habits.dearest:
            return 200, _too_dear(asked, self._habits.dearest)
        if asked > self.bucket.available(self._lists.now):
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS}}
            body = {"errors": [error], "data": None, "extensions": {"cost": self.bucket.told(asked, None)}}
            return self._habits.throttled_status, body
        return 200, self._run(query, variables, asked)

    def _run(self, query: graph.Query, variables: View, asked: int) -> View:
        walk = graph.Walk(variables, self._resolvers, self._kept, cost.sized, cost.FREE)
        self._lists.warnings = []
        self._denied = {}
        try:
            body: View = {"data": walk.object(query.root, {"__typename": "QueryRoot"}, "QueryRoot")}
        except search.InternalError:
            body = {"errors": [INTERNAL], "data": None}
        except graph.RefusedError as refused:
            body = {"errors": refused.errors, "data": None}
        if self._denied:
            body["errors"] = list(self._denied.values())
        self.bucket.spend(walk.cost)
        extensions: View = {"cost": self.bucket.told(asked, walk.cost)}
        if self._lists.warnings:
            extensions["search"] = self._lists.warnings
        return {**body, "extensions": extensions}

    def _kept(self, view: View) -> tuple[dict[Any, tuple[msgspec.Raw, int]], Any] | None:
        if view.get("__typename") != "Order" or self._habits.protected == "errors":
            return None
        order_id = view["legacyResourceId"]
        for state in (self._books.states.get(order_id), self._lists.shown(order_id)):
            if state is not None and state.view is view:
                return state.kept, (
                    self._habits.scopes,
                    self._habits.services,
                    self._habits.protected,
                    order_id in self.spoiled,
                )
        return None

    # the fields that are more than what a dict holds

    def _root_fields(self) -> dict[tuple[str, str], graph.Resolver]:
        return {
            ("QueryRoot", "shop"): lambda view, given: self._shop(),
            ("QueryRoot", "order"): lambda view, given: self._node(given["id"], "Order"),
            ("QueryRoot", "node"): lambda view, given: self._node(given["id"]),
            ("QueryRoot", "nodes"): lambda view, given: self._nodes(given["ids"]),
            ("QueryRoot", "fulfillmentOrder"): lambda view, given: self._node(given["id"], "FulfillmentOrder"),
            ("QueryRoot", "orders"): self._orders,
            ("QueryRoot", "ordersCount"): self._count,
            ("QueryRoot", "fulfillmentOrders"): lambda view, given: self._lists.parts(given),
            ("QueryRoot", "currentAppInstallation"): lambda view, given: self._installation(),
            ("QueryRoot", "publicApiVersions"): lambda view, given: [
                {"displayName": self._habits.served_version, "handle": self._habits.served_version, "supported": True}
            ],
        }

    def _order_fields(self) -> dict[tuple[str, str], graph.Resolver]:
        return {
            ("Order", "updatedAt"): lambda view, given: (
                "0000-00-00" if view["legacyResourceId"] in self.spoiled else view["updatedAt"]
            ),
            ("Order", "fulfillmentOrders"): lambda view, given: self._parts(view),
            ("Order", "fulfillments"): lambda view, given: view["fulfillments"][: given.get("first")],
            ("Order", "refunds"): lambda view, given: view["refunds"][: given.get("first")],
            ("FulfillmentOrder", "order"): lambda view, given: self._node(view["orderId"], "Order"),
            ("MailingAddress", "formatted"): lambda view, given: [
                text for name in ("name", "address1", "address2", "city") if (text := view.get(name))
            ],
        }

    def _protected_fields(self) -> dict[tuple[str, str], graph.Resolver]:
        return {(kind, name): self._protected(kind, name) for kind, names in PROTECTED.items() for name in names}

    def _protected(self, kind: str, name: str) -> graph.Resolver:
        def resolve(view: View, given: View) -> Any:
            if self._habits.protected == "shown" or view.get(name) is None:
                return view.get(name)
            if self._habits.protected == "errors":
                told = f"This app is not approved to use the {name} field. See https://shopify.dev/docs/apps/launch/"
                self._denied[name] = {
                    "message": told + "protected-customer-data for more details.",
                    "path": [name],
                    "extensions": {"code": "ACCESS_DENIED"},
                }
            return {"__typename": view[name]["__typename"], "id": view[name]["id"]} if name == "destination" else None

        return resolve

    def _parts(self, order: View) -> list[View]:
        return [part for part in order["fulfillmentOrders"] if self._habits.shows_part(part)]

    def _orders(self, view: View, given: View) -> graph.Rows:
        self._need_orders("orders")
        return self._lists.orders(given)

    def _count(self, view: View, given: View) -> View:
        self._need_orders("ordersCount")
        number = self._lists.orders_count(given)
        limit = given.get("limit") or number
        return {"count": min(number, limit), "precision": "AT_LEAST" if number > limit else "EXACT"}

    def _need_orders(self, field: str) -> None:
        if "read_orders" not in self._habits.scopes:
            needed = "`read_orders` access scope."
            raise graph.refusal(
                f"Access denied for {field} field. Required access: {needed}",
                "ACCESS_DENIED",
                documentation=SCOPES,
                requiredAccess=needed,
            )

    def _nodes(self, ids: list[str]) -> list[View | None]:
        if len(ids) > graph.LARGEST_PAGE:
            raise graph.refusal(
                f"The input array size of {len(ids)} is greater than the maximum allowed of {graph.LARGEST_PAGE}.",
                "MAX_INPUT_SIZE_EXCEEDED",
            )
        return [self._node(each) for each in ids]

    def _node(self, given: str, wanted: str = "") -> View | None:
        kind, _, number = given.removeprefix("gid://shopify/").partition("/")
        if not given.startswith("gid://shopify/") or not number or "/" in number:
            raise graph.refusal(f"Invalid global id '{given}'", "INVALID_VARIABLE")
        if wanted and kind != wanted:
            raise graph.refusal(f"Invalid id: {given}", "RESOURCE_NOT_FOUND")
        if kind == "Order":
            self._need_orders("order")
            return self._order(plain(given))
        if kind == "FulfillmentOrder":
            order = self._order(self._books.owners.get(given, ""))
            return next((part for part in self._parts(order) if part["id"] == given), None) if order else None
        return None

    def _order(self, order_id: str) -> View | None:
        state = self._books.states.get(order_id)
        return state.view if state and self._lists.is_in_window(state.created) else None

    def _shop(self) -> View:
        local = self._lists.now.astimezone(self._zone)
        minutes = int((local.utcoffset() or timedelta()).total_seconds() // 60)
        url = f"https://{self._domain}"
        return {
            "__typename": "Shop",
            "id": gid("Shop", 61_234_567),
            "name": "Kowhai Pottery",
            "myshopifyDomain": self._domain,
            "primaryDomain": {"id": gid("Domain", 1), "host": self._domain, "sslEnabled": True, "url": url},
            "url": url,
            "email": "shop@example.test",
            "contactEmail": "shop@example.test",
            "currencyCode": "NZD",
            "ianaTimezone": self._zone.key,
            "timezoneAbbreviation": local.tzname(),
            "timezoneOffset": f"{local:%z}",
            "timezoneOffsetMinutes": minutes,
            "createdAt": "2020-01-01T00:00:00Z",
            "updatedAt": "2026-10-01T00:00:00Z",
            "orderNumberFormatPrefix": "#",
            "orderNumberFormatSuffix": "",
            "taxesIncluded": True,
            "setupRequired": False,
            "plan": {
                "displayName": "Basic",
                "publicDisplayName": "Basic",
                "partnerDevelopment": False,
                "shopifyPlus": False,
            },
            "shopAddress": {"id": gid("ShopAddress", 1), "city": "Auckland", "countryCodeV2": "NZ"},
        }

    def _installation(self) -> View:
        scopes = [
            {"handle": name, "description": name.replace("_", " ").capitalize()} for name in sorted(self._habits.scopes)
        ]
        app = {"id": gid("App", 1), "title": "Freight", "handle": "freight", "apiKey": self._api_key, "embedded": False}
        return {
            "__typename": "AppInstallation",
            "id": gid("AppInstallation", 501),
            "accessScopes": scopes,
            "app": app,
            "launchUrl": f"https://{self._domain}/admin/apps/freight",
        }


INTERNAL: Final = {
    "message": "Internal error. Looks like something went wrong on our end.\nRequest ID: 00000000-0000-4000-8000-0 "
    "(include this in support requests).",
    "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "00000000-0000-4000-8000-0"},
}


def _too_dear(asked: int, most: int) -> View:
    told = f"Query cost is {asked}, which exceeds the single query max cost limit ({most})."
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": asked, "maxCost": most, "documentation": LIMITS}
    return {"errors": [{"message": told, "extensions": extensions}]}

"""The texts of what is asked of Shopify's GraphQL Admin API 2026-10, and the search terms in them. Knows no answer.

Fields are those of https://shopify.dev/docs/api/admin-graphql/2026-10/objects/Order and .../FulfillmentOrder, and the
ones shopify_graphql_order.py reads. Every operation is named, and all that varies is a variable. Inner lists are short,
since the cost of a query is counted by the most it may bring (platforms.md 4.1): the few orders with more are read on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

ANY_STATUS: Final = "(status:open OR status:closed OR status:cancelled)"
"""Every order has one of them. Said, so that no default of a list hides the closed and the cancelled (P18, L8)."""


class Inner(NamedTuple):
    """How much of an order's inner lists is asked for: lines, fulfilment orders, and lines of each of these.

    orders  as many orders so big may be asked for by their ids in one question: each counts in full there, while a
            list's cost grows slowly with its length
    """

    lines: int
    parts: int
    part_lines: int
    orders: int

    def variables(self) -> dict[str, int]:
        """As the operations name them."""
        return {"lines": self.lines, "parts": self.parts, "partLines": self.part_lines}


SHORT: Final = Inner(25, 5, 25, 10)
"""Most orders are whole with it."""

LONG: Final = Inner(100, 10, 100, 5)
"""For those that are not."""

MORE: Final = 250
"""Of lines that go on past that: the most Shopify gives at once."""

MORE_PARTS_AT_ONCE: Final = 25
"""Of fulfilment orders that go on past that."""

PARTS_AT_ONCE: Final = 50
"""Of fulfilment orders that changed: of each only its order's id is asked for."""

_LINE: Final = """
fragment LineFields on LineItem {
  id name sku quantity currentQuantity unfulfilledQuantity requiresShipping
  originalUnitPriceSet { shopMoney { amount } }
}
"""

_PART_LINE: Final = """
fragment PartLineFields on FulfillmentOrderLineItem { remainingQuantity lineItem { id } }
"""

_PART: Final = """
fragment PartFields on FulfillmentOrder {
  id status requestStatus updatedAt fulfillAt
  destination {
    firstName lastName company address1 address2 city province zip countryCode phone email
  }
  deliveryMethod { methodType additionalInformation { instructions phone } }
  fulfillmentHolds { reason reasonNotes }
  assignedLocation { name location @include(if: $locationIds) { id } }
  lineItems(first: $partLines) { nodes { ...PartLineFields } pageInfo { hasNextPage endCursor } }
  fulfillments(first: 2, reverse: true) { nodes { status } }
}
"""
"""Of its fulfilments the newest two: whether one wasn't cancelled says whether it was sent, and two cost no more than
one."""

_ORDER: Final = """
fragment OrderFields on Order {
  id name createdAt updatedAt cancelledAt test
  displayFinancialStatus displayFulfillmentStatus
  email phone note sourceName currencyCode tags
  customAttributes { key value }
  shippingAddress {
    firstName lastName name company address1 address2 city province provinceCode zip country countryCodeV2 phone
  }
  shippingLines(first: 2) { nodes { title } }
  lineItems(first: $lines) { nodes { ...LineFields } pageInfo { hasNextPage endCursor } }
  fulfillmentOrders(first: $parts) { nodes { ...PartFields } pageInfo { hasNextPage endCursor } }
}
"""

_ORDER_FIELDS: Final = _ORDER + _LINE + _PART + _PART_LINE

CHANGES: Final = (
    f"""
query Orders(
  $query: String, $first: Int!, $after: String, $withOrders: Boolean!,
  $partsQuery: String, $partsFirst: Int!, $partsAfter: String, $withParts: Boolean!,
  $withNewest: Boolean!, $whole: Boolean!, $locationIds: Boolean!, $lines: Int!, $parts: Int!, $partLines: Int!
) {{
  newest: orders(first: 1, sortKey: UPDATED_AT, reverse: true, query: "{ANY_STATUS}")
    @include(if: $withNewest) {{ nodes {{ updatedAt }} }}
  newestPart: fulfillmentOrders(first: 1, sortKey: UPDATED_AT, reverse: true, includeClosed: true)
    @include(if: $withNewest) {{ nodes {{ updatedAt }} }}
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) @include(if: $withOrders) {{
    nodes {{ id updatedAt ...OrderFields @include(if: $whole) }}
    pageInfo {{ hasNextPage endCursor }}
  }}
  fulfillmentOrders(
    first: $partsFirst, after: $partsAfter, sortKey: UPDATED_AT, includeClosed: true, query: $partsQuery
  ) @include(if: $withParts) {{
    nodes {{ id updatedAt order {{ id updatedAt }} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
    + _ORDER_FIELDS
)
"""A page of the orders that changed, and of the fulfilment orders that changed: these tell their orders' ids only. So
do the orders where they are not asked for whole."""

SWEEP: Final = (
    """
query Sweep(
  $query: String, $first: Int!, $after: String,
  $whole: Boolean!, $locationIds: Boolean!, $lines: Int!, $parts: Int!, $partLines: Int!
) {
  orders(first: $first, after: $after, sortKey: ID, query: $query) {
    nodes { id ...OrderFields @include(if: $whole) }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _ORDER_FIELDS
)
"""A page of a list that doesn't move while it is read: by id."""

NEWEST: Final = f"""
query Newest {{
  newest: orders(first: 1, sortKey: UPDATED_AT, reverse: true, query: "{ANY_STATUS}") {{ nodes {{ updatedAt }} }}
}}
"""

OLDEST: Final = f"""
query Oldest {{ oldest: orders(first: 1, sortKey: ID, query: "{ANY_STATUS}") {{ nodes {{ id }} }} }}
"""

BY_IDS: Final = (
    """
query OrdersById($ids: [ID!]!, $locationIds: Boolean!, $lines: Int!, $parts: Int!, $partLines: Int!) {
  nodes(ids: $ids) { ...OrderFields }
}
"""
    + _ORDER_FIELDS
)
"""Single orders; null stands where one is gone."""

NAMES: Final = """
query OrderNames($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id name updatedAt } } }
"""
"""Of orders that can't be read whole."""

LATEST: Final = f"""
query Latest {{
  latest: orders(first: 4, sortKey: UPDATED_AT, reverse: true, query: "{ANY_STATUS}") {{ nodes {{ id }} }}
}}
"""

MORE_LINES: Final = (
    """
query MoreLines($id: ID!, $first: Int!, $after: String) {
  node(id: $id) {
    ... on Order { lineItems(first: $first, after: $after) {
      nodes { ...LineFields } pageInfo { hasNextPage endCursor }
    } }
  }
}
"""
    + _LINE
)

MORE_PARTS: Final = (
    """
query MoreParts($id: ID!, $first: Int!, $after: String, $locationIds: Boolean!, $partLines: Int!) {
  node(id: $id) {
    ... on Order { fulfillmentOrders(first: $first, after: $after) {
      nodes { ...PartFields } pageInfo { hasNextPage endCursor }
    } }
  }
}
"""
    + _PART
    + _PART_LINE
)

MORE_PART_LINES: Final = (
    """
query MorePartLines($id: ID!, $first: Int!, $after: String) {
  node(id: $id) {
    ... on FulfillmentOrder { lineItems(first: $first, after: $after) {
      nodes { ...PartLineFields } pageInfo { hasNextPage endCursor }
    } }
  }
}
"""
    + _PART_LINE
)

SHOP: Final = """
query Shop { shop { name ianaTimezone myshopifyDomain } }
"""

SCOPES: Final = """
query Scopes { currentAppInstallation { accessScopes { handle } } }
"""

NOT_DONE: Final = "-fulfillment_status:fulfilled -status:cancelled"
"""What may still ship, said by what can't: a status that is new to us is then read too, not left out. Values as in
https://shopify.dev/docs/api/admin-graphql/2026-10/queries/orders#arguments-query."""


def orders_since(moment: datetime | None) -> str:
    """The search for all orders that changed at `moment` (aware, UTC) or later; None for all there are."""
    return f"{changed_since(moment)} AND {ANY_STATUS}" if moment else ANY_STATUS


def changed_since(moment: datetime) -> str:
    """The search term for what changed at `moment` (aware, UTC) or later. Quoted: else only the date counts (L6)."""
    return f"updated_at:>='{moment:%Y-%m-%dT%H:%M:%SZ}'"

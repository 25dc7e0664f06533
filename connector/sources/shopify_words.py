"""Shopify's words for payment, fulfilment, delivery and holds, as tables. Knows no body: REST and GraphQL share them.

Keys are lower case; GraphQL writes the same words in capitals. Sources: [O] the Order object of the REST Admin API,
https://shopify.dev/docs/api/admin-rest/latest/resources/order; [P] OrderDisplayFinancialStatus, [F]
OrderDisplayFulfillmentStatus, [S] FulfillmentOrderStatus, [R] FulfillmentOrderRequestStatus, [M] DeliveryMethodType,
each at https://shopify.dev/docs/api/admin-graphql/latest/enums/.
"""

from __future__ import annotations

from typing import Final

from connector.order import Delivery, Fulfilment, Payment

TEST_NOTIFICATION_ID: Final = "820982911946154508"
"""The order of "send test notification" (recorded: webhook-test-notification.json). It is nobody's parcel (D11)."""

PAYMENTS: Final[dict[str, Payment]] = {
    "pending": Payment.PENDING,  # [O] [P]
    "authorized": Payment.AUTHORIZED,  # [O] [P]
    "expired": Payment.PENDING,  # [P] the authorisation ran out before the money was taken
    "partially_paid": Payment.PARTIALLY_PAID,  # [O] [P]
    "paid": Payment.PAID,  # [O] [P]
    "partially_refunded": Payment.PARTIALLY_REFUNDED,  # [O] [P]
    "refunded": Payment.REFUNDED,  # [O] [P]
    "voided": Payment.VOIDED,  # [O] [P]
}

FULFILMENTS: Final[dict[str, Fulfilment]] = {
    "": Fulfilment.UNFULFILLED,  # [O] null: "none of the line items in the order have been fulfilled"
    "unfulfilled": Fulfilment.UNFULFILLED,  # [F]
    "pending": Fulfilment.UNFULFILLED,  # recorded: go-order.json
    "partial": Fulfilment.PARTIAL,  # [O]
    "partially_fulfilled": Fulfilment.PARTIAL,  # [F]
    "fulfilled": Fulfilment.FULFILLED,  # [O] [F]
    "restocked": Fulfilment.UNFULFILLED,  # [O] [F] "replaced by UNFULFILLED"; the quantities say that nothing is left
    "open": Fulfilment.UNFULFILLED,  # [F] "replaced by UNFULFILLED"
    "in_progress": Fulfilment.UNFULFILLED,  # [F]; who is at work on it stands in the fulfilment orders
    "pending_fulfillment": Fulfilment.ON_HOLD,  # [F] a fulfilment service was asked and has not answered
    "request_declined": Fulfilment.UNFULFILLED,  # [F] the service said no: it is the merchant's again
    "on_hold": Fulfilment.ON_HOLD,  # [F]
    "scheduled": Fulfilment.ON_HOLD,  # [F] "all of the unfulfilled items are scheduled for fulfilment at a later time"
}

PART_STATUSES: Final[dict[str, Fulfilment]] = {
    "open": Fulfilment.UNFULFILLED,  # [S] "ready for fulfilment"
    "in_progress": Fulfilment.UNFULFILLED,  # [S]
    "scheduled": Fulfilment.UNFULFILLED,  # [S] deferred until fulfill_at
    "on_hold": Fulfilment.ON_HOLD,  # [S]
    "incomplete": Fulfilment.ON_HOLD,  # [S] "cannot be completed as requested"
    "closed": Fulfilment.FULFILLED,  # [S] "completed and closed"; one of which nothing was sent: shopify_part.py
    "cancelled": Fulfilment.UNFULFILLED,  # [S] by the merchant, or since its lines moved to another fulfilment order
}
"""A fulfilment order's status."""

TAKEN_REQUESTS: Final = frozenset({"submitted", "accepted", "cancellation_requested", "cancellation_rejected"})
"""Request statuses [R] of fulfilment orders that a fulfilment service has in hand: it ships them, not the merchant.
Recorded: rest-2026-07-fulfillment-order-0.json, submitted to "Apple Api Shipwire"."""

METHODS: Final[dict[str, Delivery]] = {
    "shipping": Delivery.SHIP,  # [M]
    "local": Delivery.LOCAL,  # [M] recorded: graphql-local-delivery-native.jsonc
    "pick_up": Delivery.PICKUP,  # [M] recorded: graphql-pickup-native.jsonc
    "retail": Delivery.PICKUP,  # [M] "items are handed over in a shop"
    "none": Delivery.NONE,  # [M]
}
"""How a fulfilment order is delivered. PICKUP_POINT [M] is left out: which address is meant is not documented."""

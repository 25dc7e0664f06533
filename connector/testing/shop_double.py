"""What a shop double is: a small shop for tests that behaves as its platform was measured to, defects included.

The conformance suite knows a shop by this contract alone: it places and changes orders through it, says what goes wrong
on the wire, and reads the shop through the source under test.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import msgspec

from connector.testing.shop_server import ShopServer


class Draft(msgspec.Struct, frozen=True):
    """What a buyer types. Everything is invented."""

    name: str = "Aroha Ngata"
    company: str = ""
    line1: str = "12 Kowhai Street"
    line2: str = ""
    city: str = "Auckland"
    region: str = "AUK"
    postcode: str = "1010"
    country: str = "NZ"
    email: str = "aroha@example.test"
    phone: str = "021 555 0101"
    note: str = ""
    sku: str = "MUG-1"
    quantity: int = 1


class ShopDouble(Protocol):
    """One shop, empty when it is made. Every change takes the shop's time of it, aware, in whole seconds.

    The suite opens it as a context manager: on entering its server runs and its secrets can be had.

    kind    as store files name it
    server  the HTTP server it answers through, with its faults; None for a shop that writes files
    """

    @property
    def kind(self) -> str: ...

    @property
    def server(self) -> ShopServer | None: ...

    def source_table(self) -> dict[str, Any]:
        """The store file's [source] table, `kind` included: where this shop is, and its credentials by reference."""
        ...

    def place(self, draft: Draft, at: datetime, *, paid: bool = True) -> str:
        """A new order that needs shipping; its `Order.id`. paid False: it waits for money."""
        ...

    def pay(self, order_id: str, at: datetime) -> None:
        """The money came: the order is ready to ship."""
        ...

    def edit(self, order_id: str, draft: Draft, at: datetime) -> None:
        """Another address and other lines. Whether a change date moves is the platform's habit."""
        ...

    def touch(self, order_id: str, at: datetime) -> None:
        """The change date moves and nothing else does."""
        ...

    def cancel(self, order_id: str, at: datetime) -> None:
        """Cancelled by the shop."""
        ...

    def refund(self, order_id: str, at: datetime) -> None:
        """All of the money went back; the order is not to be shipped."""
        ...

    def fulfil(self, order_id: str, at: datetime) -> None:
        """It left by another way."""
        ...

    def delete(self, order_id: str) -> None:
        """Gone for good, and nobody is told."""
        ...

    def spoil(self, order_id: str) -> None:
        """From now on this order is shown with a record that breaks the platform's contract; others are not hurt."""
        ...

    def hide(self, order_id: str, until: datetime) -> None:
        """Lists do not show it before the shop's clock is there (a late index, a slow transaction)."""
        ...

    def set_clock(self, at: datetime) -> None:
        """The shop's own clock, for its Date headers and what it hides."""
        ...

"""Shops for the daemon's kill proof: of WooCommerce, of one's own, and one that exports. They know no connector.

Each says of every order what it wants at GSS now, and puts what is to be posted about a change into a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from standardwebhooks import Webhook

from connector.testing.shop_double import Draft
from tests.proofs.shop import export
from tests.shops.woocommerce import WooCommerceDouble

STREETS = ("Kowhai Street", "Rata Road", "Totara Lane")
OWN_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Post(NamedTuple):
    """A delivery that is to reach a store's door. headers  makes them at the moment it is posted"""

    store: str
    body: bytes
    headers: Callable[[], Mapping[str, str]]


class Shop:
    """wants  each slip's street by its number, None for a cancelled order."""

    def __init__(self, name: str, chance: Random) -> None:
        self.name = name
        self.prefix = f"{name.upper()}-"
        self.wants: dict[str, str | None] = {}
        self._chance = chance
        self._streets: dict[str, str | None] = {}

    def act(self) -> list[Post]:
        """One deed of a buyer or of the staff; what the shop posts about it."""
        standing = [order for order, street in self._streets.items() if street]
        deed = self._chance.random()
        if deed < 0.45 or not standing:
            return self._note(*self.place(self._street(len(self._streets))))
        order = self._chance.choice(standing[-12:])
        if deed < 0.93:
            street = self._street(list(self._streets).index(order))
            return self._note(order, street, self.edit(order, street))
        return self._note(order, None, self.cancel(order))

    def _street(self, house: int) -> str:
        """One of three, so that an order comes back to a street it had before."""
        return f"{house + 1} {self._chance.choice(STREETS)}"

    def _note(self, order: str, street: str | None, posts: list[Post]) -> list[Post]:
        self._streets[order] = street
        self.wants[self.prefix + order] = street
        return posts

    def place(self, street: str) -> tuple[str, str, list[Post]]:
        raise NotImplementedError

    def edit(self, order: str, street: str) -> list[Post]:
        raise NotImplementedError

    def cancel(self, order: str) -> list[Post]:
        raise NotImplementedError


class Woo(Shop):
    """A double; what it tells is a hint, and the orders are read from it."""

    def __init__(self, name: str, chance: Random, double: WooCommerceDouble) -> None:
        super().__init__(name, chance)
        self._double = double

    def place(self, street: str) -> tuple[str, str, list[Post]]:
        with self._double.server._lock:  # no request is answered in the middle of a change
            order = self._double.place(self._draft(street), _now())
            return order, street, self._posts()

    def _draft(self, street: str) -> Draft:
        """Two shops that count alike have no buyer in common, or an order would be the other's very order."""
        return Draft(line1=street, email=f"buyer@{self.name}.test")

    def edit(self, order: str, street: str) -> list[Post]:
        with self._double.server._lock:
            self._double.edit(order, self._draft(street), _now())
            return self._posts()

    def cancel(self, order: str) -> list[Post]:
        with self._double.server._lock:
            self._double.cancel(order, _now())
            return self._posts()

    def _posts(self) -> list[Post]:
        return [
            Post(self.name, each.body, lambda headers=each.headers: headers)  # type: ignore[misc]
            for each in self._double.deliveries(_now())
        ]


class Own(Shop):
    """It can't be asked: what is not posted, or posted and lost, never reaches GSS."""

    def __init__(self, name: str, chance: Random) -> None:
        super().__init__(name, chance)
        self._revision = 0

    def place(self, street: str) -> tuple[str, str, list[Post]]:
        order = str(len(self.wants) + 1)
        return order, street, [self._post(order, street, "ok")]

    def edit(self, order: str, street: str) -> list[Post]:
        return [self._post(order, street, "ok")]

    def cancel(self, order: str) -> list[Post]:
        return [self._post(order, "1 Kowhai Street", "off")]

    def _post(self, order: str, street: str, status: str) -> Post:
        self._revision += 1
        place = {"name": "Aroha Example", "street": street, "city": "Hamilton", "postcode": "3200", "country": "NZ"}
        body = json.dumps({"id": order, "revision": self._revision, "status": status} | place).encode()
        return Post(self.name, body, lambda: _signed(body))


class Exporting(Shop):
    """It drops whole exports into a folder, and posts nothing."""

    def __init__(self, name: str, chance: Random, folder: Path) -> None:
        super().__init__(name, chance)
        self.prefix += "#"
        self._folder = folder
        self._exports = 0
        folder.mkdir(parents=True)

    def place(self, street: str) -> tuple[str, str, list[Post]]:
        return str(1001 + len(self.wants)), street, []

    def edit(self, order: str, street: str) -> list[Post]:
        return []

    def cancel(self, order: str) -> list[Post]:
        return []

    def export(self) -> None:
        """All of it, as it is now."""
        self._exports += 1
        export(self._folder, self._exports, {f"#{order}": street for order, street in self._streets.items()})


def _now() -> datetime:
    return datetime.now(UTC)


def _signed(body: bytes) -> dict[str, Any]:
    at = datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(OWN_SECRET).sign("msg_1", at, body.decode()),
    }

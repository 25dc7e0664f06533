"""The inbox's part in housekeeping and privacy: deliveries searched, wiped, and forgotten in time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connector.ledger.people_data import Place
from connector.ledger.times import stamp

if TYPE_CHECKING:
    from connector.inbox.box import Inbox
    from connector.inbox.delivery import Delivery

KEPT_FOR: Final = timedelta(days=30)
"""How long deliveries are kept once they were dealt with, unless their store's retention is shorter: long enough to
look into a shop's complaint. The shop has the order itself."""
LOT: Final = 100
WHY: Final = "somebody asked for it"


@contextmanager
def inbox_deliveries(state: Path) -> Iterator[InboxDeliveries | None]:
    """The deliveries of a state folder; None where no inbox was ever made. Raises InboxError."""
    from connector.inbox import file
    from connector.inbox.box import Inbox

    if not (state / file.FOLDER / file.FILE_NAME).exists():
        yield None
        return
    with Inbox.open(state) as inbox:
        yield InboxDeliveries(inbox)


class InboxDeliveries:
    """Deliveries with their bodies, as `connector.keeping.privacy` asks for them."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def search(self, matches: Callable[[str], bool]) -> Iterator[Place]:
        """Those whose body matches."""
        for one in self._all():
            if matches(_text(one)):
                yield Place(f"delivery {one.id} of the shop", one.store, "", stamp(one.received_at))

    def erase(self, store: str, orders: Sequence[str]) -> int:
        """Wipe the bodies of a store's that name one of these orders, by number or id; how many. What still waits is
        wiped once it was looked at, and not counted: it may be of another order, and nothing else may tell of that."""
        names = _names(orders)
        found = [one.id for one in self._all() if one.store == store and one.body and names(_text(one))]
        return self._inbox.blank(found, WHY, once_heard=True) if found else 0

    def stores(self) -> list[str]:
        """The stores that have any, by name."""
        return sorted(self._inbox.counts())

    def forget(self, before: datetime, store: str | None = None) -> int:
        """Remove what was dealt with before, of one store or of all; how many."""
        removed = 0
        while found := self._inbox.forget(before, store=store):
            removed += found
        return removed

    def _all(self) -> Iterator[Delivery]:
        last = 0
        while some := self._inbox.after(last, LOT):
            yield from some
            last = some[-1].id


def _text(one: Delivery) -> str:
    return one.body.decode("utf-8", errors="replace")


def _names(orders: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text names one of these orders: its number or id stands in it whole."""
    wanted = [
        re.compile(rf"(?<![\w#.-]){re.escape(json.dumps(order)[1:-1])}(?![\w-]|\.\d)") for order in orders if order
    ]
    return lambda text: any(one.search(text) for one in wanted)

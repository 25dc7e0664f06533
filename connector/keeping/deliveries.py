"""The inbox's part in housekeeping and privacy: deliveries searched, wiped, and forgotten in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
"""How long deliveries are kept once they were dealt with, unless a store's retention is shorter: long enough to look
into a shop's complaint. The shop has the order itself."""
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

    def erase(self, matches: Callable[[str], bool]) -> int:
        """Wipe the bodies of those that match; how many."""
        found = [one.id for one in self._all() if one.body and matches(_text(one))]
        return self._inbox.blank(found, WHY) if found else 0

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

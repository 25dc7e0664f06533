"""The road from a shop in a list to the sandbox over loopback: the real program, a played shop, a virtual clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from connector.consider import Rules
from connector.fetch import USUAL, Visit
from connector.gosweetspot.client import Client
from connector.gosweetspot.destination import Destination
from connector.ledger.connection import Ledger
from connector.ledger.gates import Budget
from connector.record import record_page
from connector.report import Hooks, Report
from connector.sandbox.handle import Sandbox
from connector.selection import SelectRules
from connector.sender import Terms
from connector.slip import SlipRules
from connector.sources.base import Page, Source
from connector.sync import sync_store
from tests.road.clients import Around
from tests.road.source import ListShop, LiveShop

GHOST_WINDOW = timedelta(minutes=5)
FROM_THE_SHOP: Any = object()


class Clock:
    """Time that passes when it is told to. waited: the seconds the program itself waited for."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.waited: list[float] = []

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += timedelta(seconds=seconds)


class FromTheStart:
    """A shop that ignores the cursor."""

    def __init__(self, shop: ListShop) -> None:
        self.kind = shop.kind
        self._shop = shop

    def pages(self, cursor: str) -> Iterator[Page]:
        return self._shop.pages("")


class Road:
    """One store on its way. `sync` runs it once; the questions below look at the ledger and at what GSS was asked."""

    def __init__(self, ledger: Ledger, sandbox: Sandbox) -> None:
        self.shop = ListShop()
        self.ledger = ledger
        self.gss = sandbox
        self.clock = Clock()
        self.client: Client | Around = self.new_client()
        self.rules = Rules("kiwi", SelectRules(), SlipRules())
        self.terms = Terms(
            "kiwi", sandbox.url, "key", in_flight=1, budget=Budget(0, 0), ghost_window=GHOST_WINDOW
        )  # fmt: skip
        self.hooks = Hooks(now=self.clock.now, wait=self.clock.wait)

    def new_client(self, timeout_s: float = 5.0) -> Client:
        return Client(Destination(self.gss.url, self.gss.key, timeout_s=timeout_s))

    def go_around(self) -> Around:
        """From now on calls go through hooks that a test may set."""
        around = self.client if isinstance(self.client, Around) else Around(self.client)
        self.client = around
        return around

    def change_terms(self, **fields: Any) -> None:
        self.terms = msgspec.structs.replace(self.terms, **fields)

    def sync(
        self,
        source: Source | None = FROM_THE_SHOP,
        *,
        stopping: Callable[[], bool] = lambda: False,
        visit: Visit = USUAL,
    ) -> Report:
        hooks = msgspec.structs.replace(self.hooks, stopping=stopping)
        shop = self.shop if source is FROM_THE_SHOP else source
        return sync_store(self.rules, self.terms, shop, self.ledger, self.client, hooks, visit)

    def later(self, source: Source | None = FROM_THE_SHOP, **span: float) -> Report:
        """Let time pass (`minutes=6`), then sync."""
        self.clock.at += timedelta(**span)
        return self.sync(source)

    def whole_shop(self) -> Source:
        """The shop, read from its beginning whatever the cursor says."""
        return cast(Source, FromTheStart(self.shop))

    def whole_live_shop(self) -> Source:
        """The same of a shop that can be asked: its overlap covers everything."""
        shop = cast(LiveShop, self.shop)

        class Overlapping(type(shop)):  # type: ignore[misc]
            def __init__(self) -> None:
                self.__dict__ = shop.__dict__

            def pages(self, cursor: str) -> Iterator[Page]:
                yield from super().pages("")

        return cast(Source, Overlapping())

    def settle(self) -> None:
        """Let the ghost window close over what was sent."""
        self.later(minutes=6)

    def send_and_confirm(self, *numbers: str) -> None:
        """New orders, all the way."""
        self.shop.add(*numbers)
        self.sync()
        self.settle()
        assert all(self.state(number) == "confirmed" for number in numbers)

    def read_the_shop(self) -> None:
        """Only read it, as another poll does while something else is going on."""
        for page in self.shop.pages(""):
            record_page(self.rules, self.terms, page, self.ledger, Report("kiwi"), self.clock.at)

    def states(self, number: str) -> list[str]:
        """The states of a slip's versions, oldest first."""
        rows = self.ledger.db.execute(
            "SELECT v.state FROM versions v JOIN slips s ON s.id = v.slip_id WHERE s.order_number = ? ORDER BY v.seq",
            (number,),
        )
        return [row[0] for row in rows]

    def state(self, number: str) -> str:
        """Where the newest version of a slip stands."""
        return self.states(number)[-1]

    def reason(self, number: str) -> str:
        row = self.ledger.db.execute(
            "SELECT v.reason FROM versions v JOIN slips s ON s.id = v.slip_id WHERE s.order_number = ? AND newest = 1",
            (number,),
        ).fetchone()
        return str(row[0])

    def standing(self) -> Counter[str]:
        """How many slips stand in which state."""
        rows = self.ledger.db.execute("SELECT state FROM versions WHERE newest = 1")
        return Counter(row[0] for row in rows)

    def alerts(self, number: str = "") -> dict[str, str]:
        """The open alerts of an order, or of the store itself: kind and text."""
        rows = self.ledger.db.execute(
            "SELECT a.kind, a.text FROM alerts a LEFT JOIN slips s ON s.id = a.slip_id"
            " WHERE a.closed_at IS NULL AND coalesce(s.order_number, '') = ?",
            (number,),
        )
        return dict(rows.fetchall())

    def kinds(self, number: str = "") -> set[str]:
        """The kinds of these."""
        return set(self.alerts(number))

    def alerts_open(self) -> int:
        return int(self.ledger.db.execute("SELECT count(*) FROM alerts WHERE closed_at IS NULL").fetchone()[0])

    def attempts(self) -> list[tuple[str, int, str | None]]:
        """Every attempt: what it did, with how many slips, how it ended (None: open)."""
        return self.ledger.db.execute("SELECT op, slips, outcome FROM attempts ORDER BY id").fetchall()

    def calls(self, method: str) -> list[list[str]]:
        """The numbers of each call that reached GSS, oldest first, ghosts apart."""
        return [one["numbers"] for one in self.gss.requests() if one["method"] == method and one["status"] != LATE]

    def stored(self, number: str, field: str = "address2") -> str:
        """What GSS would print, in lower case as it was sent."""
        return str(self.gss.order(number)["stored"][field]).lower()


LATE = "applied late"

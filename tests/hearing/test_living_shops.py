"""Shops that live for days, read by deliveries and by polls at once, badly at times: GSS ends as the shop does.

The histories are those of tests/live, whose people, faults, deaths and truth are used; the deliveries are the doubles'
own, a fifth of them lost, a fifth doubled, all of them late and out of order.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector.hearing import hear_store
from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery, State
from connector.ledger.connection import Ledger, in_memory
from connector.report import Hooks
from connector.sandbox.handle import Sandbox
from connector.sources.base import LiveSource
from tests.hearing.shops import in_lots, shaken
from tests.live import truth
from tests.live.clock import Killed
from tests.live.shops import KINDS, BusyShopify
from tests.live.world import DAY, Case, World

STORE = "kiwi"


class HeardWorld(World):
    """A World whose shop also tells. heard  orders read because of it"""

    def __init__(self, case: Case, gss: Sandbox, folder: Path, inbox: Inbox) -> None:
        super().__init__(case, gss, folder)
        self.heard = 0
        self._inbox = inbox
        self._late: list[bytes] = []
        if isinstance(self.shop, BusyShopify):
            self.shop.hooks.is_on = True

    def sync(self, ledger: Ledger, *, sweep_every: timedelta = DAY, stops_after: int | None = None) -> None:
        looks = self._ours.looks_left
        for lot in in_lots(self._come(), self.chance):
            self._inbox.add(Delivery(STORE, "", "", self.clock.at, body) for body in lot)
            self._hear(ledger)
        self._ours.looks_left = looks
        super().sync(ledger, sweep_every=sweep_every, stops_after=stops_after)

    def _come(self) -> list[bytes]:
        """What arrives now: some of what was told since, some of it only with the next sync."""
        self._late += shaken(self._told(), self.chance)
        self.chance.shuffle(self._late)
        cut = len(self._late) * 3 // 4
        now, self._late = self._late[:cut], self._late[cut:]
        return now

    def _told(self) -> list[bytes]:
        if isinstance(self.shop, BusyShopify):
            told, self.shop.hooks.deliveries = self.shop.hooks.deliveries, []
            return [each.body for each in told]
        return [each.body for each in self.shop.deliveries(self.clock.at)]

    def _hear(self, ledger: Ledger) -> None:
        source = self._source()
        hooks = Hooks(self._ours.now, self.clock.wait)
        if self.chance.random() < 0.15:
            self._ours.looks_left = self.chance.randint(2, 20)
        try:
            self.heard += hear_store(self._rules, self._terms, source, ledger, self._inbox, hooks).read
        except Killed:
            self.events["killed"] += 1
            if ledger.db.in_transaction:
                ledger.db.execute("ROLLBACK")
        finally:
            self._ours.looks_left = None
            if isinstance(source, LiveSource):
                source.close()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_P23_trap_D13_deliveries_and_polls_together_end_as_the_shop_does(
    kind: str, seed: int, sandbox: Sandbox, tmp_path: Path
) -> None:
    with Inbox.open(tmp_path / "state") as inbox, in_memory() as ledger:
        world = HeardWorld(Case(kind, seed, orders=100), sandbox, tmp_path, inbox)
        with world.shop:
            world.live(ledger)
            world.rest(ledger)
            found = truth.faults(world.shop, sandbox.orders(), world.people.left, ledger)
        world.client.close()
        assert found.all() == []
        assert world.heard > 50
        assert inbox.counts()[STORE].get(State.WAITING, 0) == 0
        assert inbox.counts()[STORE].get(State.QUARANTINED, 0) == 0

"""Roster: the stores as their files are now, a reader for each shop and a sender for each key. Does no work itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from connector import opening
from connector.daemon.clockwork import Clockwork
from connector.daemon.errand import Work
from connector.daemon.gate_sender import GateSender
from connector.daemon.house import House
from connector.daemon.reader import Reader
from connector.ledger import alerts, queries
from connector.ledger.states import OVER
from connector.ledger.times import stamp
from connector.secret import SecretError
from connector.store import Store

FIRST_POLL: Final = timedelta(seconds=0.5)
"""For each store: a daemon of one reads its shop at once, one of hundreds spreads its stores over a minute or two."""
REMOVED: Final = "store file removed"


class Roster:
    """stores and readers  by store; senders  by gate."""

    def __init__(self, house: House, clockwork: Clockwork) -> None:
        self.stores: dict[str, Store] = {}
        self.readers: dict[str, Reader] = {}
        self.senders: dict[str, GateSender] = {}
        self._gone: dict[str, Reader] = {}
        self._house = house
        self._clockwork = clockwork

    def take(self, stores: Sequence[Store]) -> None:
        """From now on these are the stores. A job under way ends with the store file it began with (failures.md G7)."""
        present = {store.name for store in stores}
        for name in self.readers.keys() - present:
            self._drop(name)
        self._regroup(stores, present)
        self.stores.clear()
        for store in stores:
            self.stores[store.name] = store
            self._read_on_its_rhythm(store, FIRST_POLL * len(stores))
        self.poke_all()

    def hear(self, store: str) -> None:
        """A delivery waits for this store."""
        reader = self.readers.get(store)
        if reader is not None:
            reader.hear()

    def poke(self, store: str) -> None:
        """Something may be owed for this store, or due to be read back."""
        for sender in list(self.senders.values()):
            if store in sender.stores:
                sender.poke(store)

    def poke_all(self) -> None:
        for sender in list(self.senders.values()):
            sender.poke()

    def jobs(self) -> list[Work]:
        """All errands, with those of stores that are gone."""
        readers: list[Work] = [reader.errand for reader in [*self.readers.values(), *self._gone.values()]]
        senders: list[Work] = [sender.errand for sender in list(self.senders.values())]
        return [*readers, *senders]

    def _read_on_its_rhythm(self, store: Store, first: timedelta) -> None:
        known = self.readers.get(store.name)
        if known is None:
            self.readers[store.name] = self._reader_of(store)
            self._house.guarded(partial(self._note_that_it_is_here, store.name))
        is_new = known is None or known.store.schedule != store.schedule
        reader = self.readers[store.name]
        reader.store = store
        if is_new:
            self._clockwork.repeat(f"read {store.name}", store.schedule, reader.poll, first)

    def _reader_of(self, store: Store) -> Reader:
        """The one it had before its file was gone, if ever: that may still read, and no shop is read twice at once."""
        reader = self._gone.pop(store.name, None)
        if reader is None:
            return Reader(store, self._house, partial(self.poke, store.name))
        reader.errand.revive()
        return reader

    def _drop(self, name: str) -> None:
        """A store whose file is gone: its shop is read no more. What was sent for it is seen to its end (G5)."""
        reader = self._gone[name] = self.readers.pop(name)
        reader.errand.end()
        self._clockwork.forget(f"read {name}")
        self._house.log.warning("store file removed; its shop is no longer read", store=name)
        self._house.guarded(partial(self._tell_of_removed, name))

    def _tell_of_removed(self, name: str) -> None:
        with self._house.connections.lent() as ledger:
            states = queries.states_counted(ledger.db, name)
            still_open = sum(count for state, count in states.items() if state not in OVER)
            text = (
                f"its store file is gone, so its shop is no longer read. {still_open} orders are not over: they are "
                f"sent and read back until the daemon stops. List them with: connector slips list --store {name}"
            )
            with ledger.writing() as db:
                alerts.open_alert(db, name, None, REMOVED, text, stamp(self._house.now()))

    def _note_that_it_is_here(self, name: str) -> None:
        with self._house.connections.lent() as ledger, ledger.writing() as db:
            alerts.close_kind(db, name, REMOVED, stamp(self._house.now()), "its store file is there again")

    def _regroup(self, stores: Sequence[Store], present: set[str]) -> None:
        """Each store under the sender of its key. One that is gone stays with its old sender, for what is open."""
        for sender in self.senders.values():
            sender.stores = {name: store for name, store in sender.stores.items() if name not in present}
        for store in stores:
            gate = _gate_of(store)
            if gate not in self.senders:
                self.senders[gate] = GateSender(gate, self._house)
            self.senders[gate].stores[store.name] = store


def _gate_of(store: Store) -> str:
    try:
        key = store.gosweetspot.access_key.resolve()
    except SecretError:
        key = None
    return opening.gate_name(store.gosweetspot.destination, key)

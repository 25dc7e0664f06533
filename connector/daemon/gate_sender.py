"""GateSender: the one sender of a GSS key. Its stores take turns in small slices, so that a backlog starves nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Final

from connector import opening
from connector.daemon.errand import Errand
from connector.daemon.house import House
from connector.late_client import LateClient
from connector.ledger import gates, queries
from connector.ledger.connection import Ledger
from connector.ledger.times import moment
from connector.lock import Busy
from connector.report import Report
from connector.secret import Secret
from connector.store import Store
from connector.sync import Fenced, next_call, send_store

SLICE: Final = 4
"""Calls of each kind that a store may make before the next one's turn: a small part of a minute's budget."""
BUSY_AGAIN: Final = timedelta(seconds=5)
FENCED_AGAIN: Final = timedelta(seconds=30)
"""A fenced store waits until its shop was read, which pokes, or until a person was heard."""
FAULTY_AGAIN: Final = timedelta(minutes=1)
FRUITLESS_AGAIN: Final = timedelta(minutes=1)
"""What is due after a slice that only asked, and learnt nothing, is no more likely to be learnt at once."""


class GateSender:
    """stores: those that use this key, by name; the daemon changes them on a reload."""

    def __init__(self, name: str, house: House) -> None:
        self.name = name
        self.stores: dict[str, Store] = {}
        self._house = house
        self._busy_until: dict[str, datetime] = {}
        self._look_at: datetime | None = None
        self.errand: Errand[None] = Errand(f"send {name}", house.sending, self._send, house.tell_trouble)

    def poke(self, store: str = "") -> None:
        """Something may be owed, or due to be read back; for this store, whatever it waited for."""
        self._busy_until.pop(store, None)
        self.errand.want(None)

    def _send(self, _wanted: frozenset[None]) -> None:
        """Turn after turn until nothing is due, or GSS asks for a pause; then be called again when something is."""
        house = self._house
        try:
            with house.connections.lent() as ledger, ExitStack() as clients:
                again = self._turns(ledger, _Clients(clients))
        except Exception as err:  # noqa: BLE001  other keys have done nothing wrong
            house.tell_trouble(err, gate=self.name)
            again = house.now() + FAULTY_AGAIN
        if again is not None and not house.stopping.is_set():
            house.at(self.errand.name, again, self.poke)

    def _turns(self, ledger: Ledger, clients: _Clients) -> datetime | None:
        house = self._house
        while not house.stopping.is_set():
            due, later = self._due(ledger)
            if not due:
                return later
            for store in due:
                report = self._slice(store, ledger, clients)
                if report is None:
                    continue
                if report.pause_until is not None and report.pause_until > house.now():
                    return report.pause_until
                self._look_at = report.look_at or self._look_at
                if report.read_back_calls and not (report.calls or report.states):
                    self._busy_until[store.name] = house.now() + FRUITLESS_AGAIN
        return None

    def _due(self, ledger: Ledger) -> tuple[list[Store], datetime | None]:
        """The stores with something to do now, and when the first of the others has."""
        now = self._house.now()
        times = [(self._next(store, ledger, now), store) for store in list(self.stores.values())]
        due = [store for at, store in times if at is not None and at <= now]
        return due, min((at for at, _ in times if at is not None and at > now), default=None)

    def _next(self, store: Store, ledger: Ledger, now: datetime) -> datetime | None:
        at = next_call(opening.terms_of(store, None), ledger, now, self._look_at)
        busy = self._busy_until.get(store.name)
        return max(at, busy) if at is not None and busy is not None else at

    def _slice(self, store: Store, ledger: Ledger, clients: _Clients) -> Report | None:
        """None: the store could not be served now."""
        house = self._house
        try:
            key = store.gosweetspot.access_key.resolve()
            terms = opening.terms_of(store, key)
            with house.locks.held_to_send(store.name) as lock:
                hooks = house.hooks(self.errand.moves, lock.is_ours)
                with self._measured(store.name, terms.gate, ledger):
                    report = send_store(opening.rules_of(store), terms, ledger, clients.of(store, key), hooks, SLICE)
                lock.refuse_if_lost()
        except (Busy, Fenced) as err:
            tell = house.log.info if isinstance(err, Busy) else house.log.warning
            tell("waits", store=store.name, why=str(err))
            self._busy_until[store.name] = house.now() + (BUSY_AGAIN if isinstance(err, Busy) else FENCED_AGAIN)
            return None
        except Exception as err:  # noqa: BLE001  the other stores of this key have done nothing wrong
            house.tell_trouble(err, store=store.name)
            self._busy_until[store.name] = house.now() + FAULTY_AGAIN
            return None
        self._busy_until.pop(store.name, None)
        if report.calls or report.read_back_calls or report.pause:
            house.log.info(
                "sent", store=store.name, calls=report.calls, read_back=report.read_back_calls, owed=report.owed,
                states=report.states, pause=report.pause,
            )  # fmt: skip
        return report

    @contextmanager
    def _measured(self, store: str, gate: str, ledger: Ledger) -> Iterator[None]:
        """For /metrics, whatever the slice comes to. A call failed where the gate tells of trouble it didn't know of
        before: to wait for the call budget is none, and the first failure, which shuts no gate, is one."""
        last, known = queries.last_attempt(ledger.db), gates.gate_of(ledger.db, gate)
        try:
            yield
        finally:
            self._note_times(store, ledger, last)
            now = gates.gate_of(ledger.db, gate)
            if now.failures and now != known:
                self._house.tallies.failed(store, "gosweetspot")

    def _note_times(self, store: str, ledger: Ledger, before: int) -> None:
        """From the shop's change to GSS's answer, of shops whose revisions are times."""
        times = self._house.tallies.took(store)
        for _, changed, answered in queries.answered_since(ledger.db, store, before):
            if changed[4:5] == "-" and changed[10:11] == "T":
                times.add(max((moment(answered) - moment(changed)).total_seconds(), 0.0))


class _Clients:
    """One client a store for the length of an errand, closed at its end."""

    def __init__(self, closing: ExitStack) -> None:
        self._closing = closing
        self._clients: dict[tuple[str, str], LateClient] = {}

    def of(self, store: Store, key: Secret) -> LateClient:
        name = store.name, opening.gate_name(store.gosweetspot.destination, key)
        if name not in self._clients:
            client = opening.client_of(store, key)
            self._closing.callback(client.close)
            self._clients[name] = client
        return self._clients[name]

"""The daemon: start, reload, stop. Holds the jobs of all stores; each job knows its own work.

One thread looks around five times a second: at the clock, the inbox, the store files, the wishes to stop and to reload.
It tells systemd that all is well only while every job moves (failures.md Z5).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from connector import opening
from connector.config import load_stores
from connector.daemon.clockwork import Clockwork
from connector.daemon.connections import Connections
from connector.daemon.errand import Work
from connector.daemon.gate_sender import GateSender
from connector.daemon.held_locks import HeldLocks
from connector.daemon.house import House
from connector.daemon.housekeeper import AT, Housekeeper
from connector.daemon.notify import Notify
from connector.daemon.reader import Reader
from connector.daemon.store_files import Watched
from connector.daemon.wakes import Wakes
from connector.inbox.box import Inbox
from connector.ledger import alerts, fence, queries
from connector.ledger.connection import Ledger
from connector.ledger.states import State
from connector.ledger.times import stamp
from connector.problem import ConfigError, rendering
from connector.secret import SecretError
from connector.store import Store

LOOK_EVERY_S: Final = 0.2
FILES_EVERY: Final = 10
"""Looks between two looks at the store files: two seconds."""
ALERTS_EVERY: Final = 50
"""Looks between two looks at the inbox's alerts: ten seconds."""
STANDS_STILL_AFTER_S: Final = 60.0
"""There are five looks a second; a reload of two hundred store files takes one."""
FIRST_POLL: Final = timedelta(seconds=0.5)
"""For each store: a daemon of one reads its shop at once, one of hundreds spreads its stores over a minute or two."""
STUCK_AFTER_S: Final = 15 * 60.0
"""A job that runs longer is stuck: a call ends within a minute, and a reading gives a sign of life page by page."""
REMOVED: Final = "store file removed"
OVER: Final = frozenset(state.value for state in (State.PROCESSED, State.WITHDRAWN, State.SUPERSEDED, State.CLOSED))
GRACE_S: Final = 7.0
"""What jobs get to finish the call under way; systemd and containers kill after ten."""


class Daemon:
    """stores and readers  by store; senders  by gate."""

    def __init__(self, config: Path, state: Path, ledger: Ledger, log: Any, *, threads: int = 16) -> None:
        self.stores: dict[str, Store] = {}
        self.readers: dict[str, Reader] = {}
        self.senders: dict[str, GateSender] = {}
        self.started = self._looked_at = time.monotonic()
        self._config = config
        self._log = log
        self._reading = ThreadPoolExecutor(threads, thread_name_prefix="read")
        self._sending = ThreadPoolExecutor(threads, thread_name_prefix="send")
        self._clockwork = Clockwork()
        self.house = House(
            state, Connections(ledger), HeldLocks(state), self._reading, self._sending, log, Inbox.open(state)
        )
        self.house.at = self._clockwork.at
        self._housekeeper = Housekeeper(self.house, self.stores, state / "backups")
        self._wakes = Wakes(self.house.inbox, self._hear) if self.house.inbox else None
        self._files = Watched(config)
        self._notify = Notify()
        self._wants_to_stop = self._wants_to_reload = False
        self._is_awake = threading.Event()

    def ask_to_stop(self) -> None:
        """For signal handlers: they only set a flag, since a lock may be held where they cut in. Seen within a look."""
        self._wants_to_stop = True

    def ask_to_reload(self) -> None:
        """The same. Ten wishes are one reload (failures.md G8)."""
        self._wants_to_reload = True

    def wake(self) -> None:
        """A delivery was stored in this process: look at once."""
        self._is_awake.set()

    def begin(self, stores: Sequence[Store]) -> None:
        """Take the stores; from here on deliveries for them can be received."""
        self._take(stores)
        self._read_fenced_at_once()
        self._clockwork.daily("keep house", AT, stores[0].schedule.timezone, self._housekeeper.look_after)

    def _read_fenced_at_once(self) -> None:
        """Behind the fence nothing is sent before the shop was read: that may not wait for a nightly rhythm."""
        with self.house.connections.lent() as ledger:
            fenced = [name for name in self.stores if fence.stands(ledger.db, name)]
        for name in fenced:
            self.readers[name].poll()

    def run(self) -> bool:
        """Until asked to stop. False: jobs were still under way when their grace was over."""
        self._clockwork.start()
        if self._housekeeper.was_missed():
            self._housekeeper.look_after()
        self._log.info("started", stores=len(self.readers), keys=len(self.senders))
        self._notify.ready()
        looks = 0
        while not self._wants_to_stop and not self.house.fatal:
            self._look(looks)
            looks += 1
            self._is_awake.wait(LOOK_EVERY_S)
            self._is_awake.clear()
        return self._stop()

    def _look(self, looks: int) -> None:
        self._looked_at = time.monotonic()
        if self._clockwork.look():
            self._log.warning("the clock was set")
            self._poke_all()
        if self._wakes is not None:
            self._guarded(self._wakes.look)
            if looks % ALERTS_EVERY == 0:
                self._guarded(self._carry_alerts)
        if self._wants_to_reload or (looks % FILES_EVERY == 0 and self._files.has_changed()):
            self._wants_to_reload = False
            self.reload()
        if not self.stuck():
            self._notify.alive()

    def _carry_alerts(self) -> None:
        """What the receiver wants a person to see goes where people look: into the ledger."""
        inbox = self.house.inbox
        if inbox is None or not (waiting := inbox.alerts()):
            return
        with self.house.connections.lent() as ledger, ledger.writing() as db:
            for one in waiting:
                alerts.open_alert(db, one.store, None, one.kind, one.text, stamp(one.opened_at))
        inbox.close_alerts([one.id for one in waiting])

    def _guarded(self, do: Callable[[], object]) -> None:
        try:
            do()
        except Exception as err:  # noqa: BLE001  the loop is what everything hangs on
            self.house.tell_trouble(err)

    def stuck(self) -> list[str]:
        """The jobs that have been going on for too long."""
        return [job.name for job in self._jobs() if job.runs_for_s() > STUCK_AFTER_S]

    def stands_still(self) -> str:
        """What does not move any more, in a word for whoever watches from outside (failures.md Z11); "" if all does."""
        if time.monotonic() - self._looked_at > STANDS_STILL_AFTER_S:
            return "the daemon no longer looks around"
        return "a job has been going on for too long" if self.stuck() else ""

    def _jobs(self) -> list[Work]:
        readers: list[Work] = [reader.errand for reader in list(self.readers.values())]
        senders: list[Work] = [sender.errand for sender in list(self.senders.values())]
        return [*readers, *senders, self._housekeeper.errand]

    def reload(self) -> None:
        """Read the store files anew; if any is wrong, all stay as they were, and the log says why (failures.md G1)."""
        self._notify.reloading()
        try:
            stores = load_stores(self._config)
            self._take(stores)
            self._log.info("reloaded", stores=len(stores))
        except ConfigError as err:
            self._log.error("store files not reloaded; the old ones hold", why=rendering(err.problems))
        except Exception as err:  # noqa: BLE001  a reload is never the end of the work
            self.house.tell_trouble(err)
        self._notify.ready()

    def _take(self, stores: Sequence[Store]) -> None:
        """From now on these are the stores. A job under way ends with the store file it began with (G7)."""
        keys = {store.name: _gate_of(store) for store in stores}
        for name in self.readers.keys() - keys.keys():
            self._drop(name)
        self._regroup(stores, keys)
        self.stores.clear()
        for store in stores:
            self.stores[store.name] = store
            known = self.readers.get(store.name)
            if known is None:
                self.readers[store.name] = Reader(store, self.house, self._poker_of(store.name))
                self._guarded(partial(self._note_that_it_is_here, store.name))
            is_new = known is None or known.store.schedule != store.schedule
            self.readers[store.name].store = store
            if is_new:
                poll = self.readers[store.name].poll
                self._clockwork.repeat(f"read {store.name}", store.schedule, poll, FIRST_POLL * len(stores))
        self._poke_all()

    def _drop(self, name: str) -> None:
        """A store whose file is gone: its shop is read no more. What was sent for it is seen to its end (G5)."""
        reader = self.readers.pop(name)
        reader.errand.end()
        self._clockwork.forget(f"read {name}")
        self._log.warning("store file removed; its shop is no longer read", store=name)
        self._guarded(lambda: self._tell_of_removed(name))

    def _tell_of_removed(self, name: str) -> None:
        with self.house.connections.lent() as ledger:
            states = queries.states_counted(ledger.db, name)
            still_open = sum(count for state, count in states.items() if state not in OVER)
            text = (
                f"its store file is gone, so its shop is no longer read. {still_open} orders are not over: they are "
                f"sent and read back until the daemon stops. List them with: connector slips list --store {name}"
            )
            with ledger.writing() as db:
                alerts.open_alert(db, name, None, REMOVED, text, stamp(self.house.now()))

    def _note_that_it_is_here(self, name: str) -> None:
        with self.house.connections.lent() as ledger, ledger.writing() as db:
            alerts.close_kind(db, name, REMOVED, stamp(self.house.now()), "its store file is there again")

    def _regroup(self, stores: Sequence[Store], keys: dict[str, str]) -> None:
        """Each store under the sender of its key. One that is gone stays with its old sender, for what is open."""
        present = {store.name for store in stores}
        for sender in self.senders.values():
            sender.stores = {name: store for name, store in sender.stores.items() if name not in present}
        for store in stores:
            gate = keys[store.name]
            if gate not in self.senders:
                self.senders[gate] = GateSender(gate, self.house)
            self.senders[gate].stores[store.name] = store

    def _poker_of(self, name: str) -> Callable[[], None]:
        def poke() -> None:
            for sender in list(self.senders.values()):
                if name in sender.stores:
                    sender.poke()

        return poke

    def _poke_all(self) -> None:
        for sender in list(self.senders.values()):
            sender.poke()

    def _hear(self, store: str) -> None:
        reader = self.readers.get(store)
        if reader is not None:
            reader.hear()

    def _stop(self) -> bool:
        """Start nothing more, let the calls under way end, and leave."""
        self._notify.stopping()
        self.house.stopping.set()
        self._clockwork.stop()
        for job in self._jobs():
            job.end()
        for pool in (self._reading, self._sending):
            pool.shutdown(wait=False, cancel_futures=True)
        ends = time.monotonic() + GRACE_S
        while (busy := self._busy()) and time.monotonic() < ends:
            time.sleep(0.02)
        if busy:
            self._log.warning("stopped with calls under way; the next start asks what became of them", jobs=busy)
        else:
            self.house.connections.close()
            if self.house.inbox is not None:
                self.house.inbox.close()
        self._log.info("stopped", after_s=round(time.monotonic() - self.started))
        return not busy

    def _busy(self) -> list[str]:
        return [job.name for job in self._jobs() if not job.is_idle and job.runs_for_s() > 0]


def _gate_of(store: Store) -> str:
    try:
        key = store.gosweetspot.access_key.resolve()
    except SecretError:
        key = None
    return opening.gate_name(store.gosweetspot.destination, key)

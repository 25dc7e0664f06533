"""The daemon: start, reload, stop. Holds the jobs of all stores; each job knows its own work.

One thread looks around five times a second: at the clock, the inbox, the store files, the wishes to stop and to reload.
It tells systemd that all is well only while every job moves (failures.md Z5).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from connector.config import load_stores
from connector.daemon.clockwork import Clockwork
from connector.daemon.connections import Connections
from connector.daemon.errand import Work
from connector.daemon.held_locks import HeldLocks
from connector.daemon.house import House
from connector.daemon.housekeeper import AT, Housekeeper
from connector.daemon.notify import Notify
from connector.daemon.roster import Roster
from connector.daemon.store_files import Watched
from connector.daemon.wakes import Wakes
from connector.inbox.box import Inbox
from connector.ledger import alerts, fence
from connector.ledger.connection import Ledger
from connector.ledger.times import stamp
from connector.problem import ConfigError, rendering
from connector.store import Store

LOOK_EVERY_S: Final = 0.2
FILES_EVERY: Final = 10
"""Looks between two looks at the store files: two seconds."""
ALERTS_EVERY: Final = 50
"""Looks between two looks at the inbox's alerts: ten seconds."""
STANDS_STILL_AFTER_S: Final = 60.0
"""There are five looks a second; a reload of two hundred store files takes one."""
STUCK_AFTER_S: Final = 15 * 60.0
"""A job that gives no sign of life for longer is stuck: it gives one with each call and page, and each of them has a
deadline of a minute or two. However long the whole takes, it is only long."""
GRACE_S: Final = 7.0
"""What jobs get to finish the call under way; systemd and containers kill after ten."""


class Daemon:
    """roster: who works for which store, and which key."""

    def __init__(self, config: Path, state: Path, ledger: Ledger, log: Any, *, threads: int = 16) -> None:
        self.started = self._looked_at = time.monotonic()
        self._config = config
        self._log = log
        self._reading = ThreadPoolExecutor(threads, thread_name_prefix="read")
        self._sending = ThreadPoolExecutor(threads, thread_name_prefix="send")
        self._clockwork = Clockwork()
        self.house = House(
            state,
            Connections(ledger),
            HeldLocks(state),
            Inbox.open(state),
            self._reading,
            self._sending,
            log,
            at=self._clockwork.at,
        )
        self.roster = Roster(self.house, self._clockwork)
        self._housekeeper = Housekeeper(self.house, self.roster.stores, state / "backups")
        self._wakes = Wakes(self.house.inbox, self.roster.hear)
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
        self.roster.take(stores)
        self._read_fenced_at_once()
        self._clockwork.daily("keep house", AT, stores[0].schedule.timezone, self._housekeeper.look_after)

    def _read_fenced_at_once(self) -> None:
        """Behind the fence nothing is sent before the shop was read: that may not wait for a nightly rhythm."""
        with self.house.connections.lent() as ledger:
            fenced = [name for name in self.roster.stores if fence.stands(ledger.db, name)]
        for name in fenced:
            self.roster.readers[name].poll()

    def run(self) -> bool:
        """Until asked to stop. False: jobs were still under way when their grace was over."""
        self._clockwork.start()
        if self._housekeeper.was_missed():
            self._housekeeper.look_after()
        self._log.info("started", stores=len(self.roster.readers), keys=len(self.roster.senders))
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
        guarded = self.house.guarded
        guarded(self._look_at_the_clock)
        guarded(self._wakes.look)
        if looks % ALERTS_EVERY == 0:
            guarded(self._carry_alerts)
        if self._wants_to_reload or (looks % FILES_EVERY == 0 and self._files.has_changed()):
            self._wants_to_reload = False
            self.reload()
        if not self.stuck():
            self._notify.alive()

    def _look_at_the_clock(self) -> None:
        if self._clockwork.look():
            self._log.warning("the clock was set")
            self.roster.poke_all()

    def _carry_alerts(self) -> None:
        """What the receiver wants a person to see goes where people look: into the ledger."""
        inbox = self.house.inbox
        if not (waiting := inbox.alerts()):
            return
        with self.house.connections.lent() as ledger, ledger.writing() as db:
            for one in waiting:
                alerts.open_alert(db, one.store, None, one.kind, one.text, stamp(one.opened_at))
        inbox.close_alerts([one.id for one in waiting])

    def stuck(self) -> list[str]:
        """The jobs that no longer move."""
        return [job.name for job in self._jobs() if job.still_for_s() > STUCK_AFTER_S]

    def stands_still(self) -> str:
        """What does not move any more, in a word for whoever watches from outside (failures.md Z11); "" if all does."""
        if time.monotonic() - self._looked_at > STANDS_STILL_AFTER_S:
            return "the daemon no longer looks around"
        return "a job no longer moves" if self.stuck() else ""

    def _jobs(self) -> list[Work]:
        return [*self.roster.jobs(), self._housekeeper.errand]

    def reload(self) -> None:
        """Read the store files anew; if any is wrong, all stay as they were, and the log says why (failures.md G1)."""
        self._notify.reloading()
        try:
            stores = load_stores(self._config)
            self.roster.take(stores)
            self._log.info("reloaded", stores=len(stores))
        except ConfigError as err:
            self._log.error("store files not reloaded; the old ones hold", why=rendering(err.problems))
        except Exception as err:  # noqa: BLE001  a reload is never the end of the work
            self.house.tell_trouble(err)
        self._notify.ready()

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
            self.house.inbox.close()
        self._log.info("stopped", after_s=round(time.monotonic() - self.started))
        return not busy

    def _busy(self) -> list[str]:
        return [job.name for job in self._jobs() if job.is_under_way]

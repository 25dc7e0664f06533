"""The day's housekeeping: check, back up, look for a twin, forget what is old. Knows no schedule and no screen.

What goes wrong with one part is told and stops no other; a ledger that is damaged ends it all, and who keeps it open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from connector.inbox.errors import InboxError
from connector.keeping import backups, deliveries, leftovers, retention, twin
from connector.keeping.backups import Kept
from connector.keeping.clock import time_told_by
from connector.keeping.options import KeepOptions
from connector.keeping.restore import Drill, drill
from connector.keeping.retention import Pruned
from connector.ledger import alerts, queries, soundness
from connector.ledger.connection import Ledger, LedgerError, LedgerUnfit
from connector.ledger.times import stamp
from connector.report import HOOKS, Hooks
from connector.sources.base import only_tells
from connector.sources.registry import source_class
from connector.store import Store

DAMAGED: Final = "ledger damaged"
OLDEST_BACKUP: Final = timedelta(hours=26)
"""After a day and two hours without a backup a person is called (failures.md K10)."""


class Tidied(msgspec.Struct):
    """What one round of housekeeping did. problems: sentences; backup, drill: None where no folder was given."""

    pruned: list[Pruned] = []
    backup: Kept | None = None
    drill: Drill | None = None
    deliveries: int = 0
    copies: int = 0
    notes: list[str] = []
    problems: list[str] = []


def tidy(
    ledger: Ledger,
    stores: Sequence[Store],
    state: Path,
    now: datetime,
    *,
    place: Path | None = None,
    keep: int = 7,
    told_by: Callable[[str], datetime | None] = time_told_by,
    asking: Callable[[Store], AbstractContextManager[twin.Asked]] = twin.asking,
    hooks: Hooks = HOOKS,
    unread: Collection[str] = (),
) -> Tidied:
    """One round. place: where backups are kept, `keep` of them. told_by: asks the server at a url for the time.
    asking: opens a store's account at GSS, to see whether somebody else sends under its prefix. hooks: asked before
    each call and each store whether to stop; what is left then is for the next round (failures.md Z5).
    unread: stores whose file is there and can't be read, so that nothing of theirs is removed. What the ledger has of
    stores without a file goes after the time that holds unless told otherwise.

    Holds no lock: each piece is a transaction of its own beside whatever runs. Raises LedgerUnfit where the ledger is
    damaged, with a person called and nothing else done; LedgerError where it can't be written at all.
    """
    done = Tidied()
    _check(ledger, now)
    if place is not None:
        backups.call_if_old(ledger, place, OLDEST_BACKUP, now)
        done.backup = backups.keep_backups(ledger, place, keep, now)
        done.drill = drill(place, now)
        done.problems += [one for one in (done.backup.problem, done.drill.problem) if one]
    done.notes += twin.look_for(ledger, stores, now, asking, hooks)
    limits = _limits(ledger, stores, unread)
    urls = {store.name: store.gosweetspot.url for store in stores}
    times: dict[str, datetime | None] = {}
    for name, kept_for in limits.items():
        if hooks.stopping():
            return done
        url = urls.get(name) or next(iter(urls.values()))
        if url not in times:
            times[url] = told_by(url)
        done.pruned.append(retention.prune(ledger, name, kept_for, now, times[url], wipe=partial(_wipe, state, done)))
    if limits and all(not one.note.endswith(_NOT_BY_AGE) for one in done.pruned):
        done.copies = _forget_copies(state, place, now, max(limits.values()))
        needed = _needed_since(stores, [state / "backups", *([place] if place else [])])
        _forget_deliveries(state, now, limits, needed, unread, done)
    done.notes += [one for one in (retention.give_back_space(ledger),) if one]
    return done


_NOT_BY_AGE: Final = "nothing was removed by age"


def _check(ledger: Ledger, now: datetime) -> None:
    """Read every page and reference of the ledger. Where one is wrong a person is called, the next start reads them all
    again, and LedgerUnfit is raised: nothing is sent from a doubtful ledger (failures.md L9)."""
    try:
        soundness.refuse_damaged(ledger.db, ledger.path)
    except LedgerUnfit as err:
        with suppress(LedgerError), ledger.writing() as db:  # one that is damaged may take neither
            soundness.forget_check(db)
            alerts.open_alert(db, alerts.EVERYWHERE, None, DAMAGED, str(err), stamp(now))
        raise
    with ledger.writing() as db:
        soundness.keep_check(db, now)


def _limits(ledger: Ledger, stores: Sequence[Store], unread: Collection[str]) -> dict[str, timedelta]:
    """How long each store's data is kept. None without any store file: then no server is known that tells the time, and
    perhaps the folder is the wrong one."""
    limits = {store.name: store.keep.retention for store in stores}
    if limits:
        for name in queries.stores_known(ledger.db):
            limits.setdefault(name, KeepOptions().retention)
    return {name: kept_for for name, kept_for in limits.items() if name not in unread}


def _wipe(state: Path, done: Tidied, store: str, orders: Sequence[str]) -> bool:
    """Take these orders out of a store's deliveries. False, with the reason told, where it can't be done now."""
    try:
        with deliveries.inbox_deliveries(state) as inbox:
            if inbox is not None:
                inbox.erase(store, orders)
    except InboxError as err:
        done.problems.append(str(err))
        return False
    return True


def _forget_copies(state: Path, place: Path | None, now: datetime, longest: timedelta) -> int:
    """Remove what has data of all stores: ledgers kept aside once they are as old as what may be kept, damaged inboxes
    as deliveries, and what is left over of our own work."""
    return (
        leftovers.remove(leftovers.kept_aside(state), now - longest)
        + leftovers.remove(leftovers.damaged_inboxes(state), now - min(longest, deliveries.KEPT_FOR))
        + leftovers.remove(leftovers.half_done(state, place), now - leftovers.UNDER_WAY)
    )


def _needed_since(stores: Sequence[Store], places: Sequence[Path]) -> dict[str, datetime]:
    """Since when the deliveries of shops that can't be asked must be kept, by store: whoever restores the oldest backup
    has them heard again (failures.md K6)."""
    times = [at for place in places for at, _ in backups.backups_in(place)]
    told = [store.name for store in stores if only_tells(source_class(store.source_kind))]
    return dict.fromkeys(told, min(times)) if times else {}


def _forget_deliveries(
    state: Path,
    now: datetime,
    limits: Mapping[str, timedelta],
    needed: Mapping[str, datetime],
    unread: Collection[str],
    done: Tidied,
) -> None:
    """Remove each store's deliveries once they are old enough; of a store that never had a run, as of one without a
    file."""
    try:
        with deliveries.inbox_deliveries(state) as inbox:
            if inbox is None:
                return
            for store in set(inbox.stores()).difference(unread):
                before = now - min(limits.get(store, KeepOptions().retention), deliveries.KEPT_FOR)
                done.deliveries += inbox.forget(min(before, needed.get(store, before)), store)
    except InboxError as err:
        done.problems.append(str(err))

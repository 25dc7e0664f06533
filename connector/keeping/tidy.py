"""The day's housekeeping: check, back up, look for a twin, forget what is old. Knows no schedule and no screen.

What goes wrong with one part is told and stops no other; a ledger that is damaged ends it all, and who keeps it open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from connector.keeping import backups, deliveries, retention, twin
from connector.keeping.backups import Kept
from connector.keeping.clock import time_told_by
from connector.keeping.restore import Drill, drill
from connector.keeping.retention import Pruned
from connector.ledger import alerts, soundness
from connector.ledger.connection import Ledger, LedgerError, LedgerUnfit
from connector.ledger.times import stamp
from connector.report import HOOKS, Hooks
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
) -> Tidied:
    """One round. place: where backups are kept, `keep` of them. told_by: asks the server at a url for the time.
    asking: opens a store's account at GSS, to see whether somebody else sends under its prefix. hooks: asked before
    each call and each store whether to stop; what is left then is for the next round (failures.md Z5).

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
    times: dict[str, datetime | None] = {}
    for store in stores:
        if hooks.stopping():
            return done
        url = store.gosweetspot.url
        if url not in times:
            times[url] = told_by(url)
        done.pruned.append(retention.prune(ledger, store.name, store.keep.retention, now, times[url]))
    if stores and all(not one.note.endswith(_NOT_BY_AGE) for one in done.pruned):
        longest = max(store.keep.retention for store in stores)
        done.copies = _forget_copies(state, now - longest)
        _forget_deliveries(state, now - min(longest, deliveries.KEPT_FOR), done)
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
            alerts.open_alert(db, backups.EVERYWHERE, None, DAMAGED, str(err), stamp(now))
        raise
    with ledger.writing() as db:
        soundness.keep_check(db, now)


def _forget_copies(state: Path, before: datetime) -> int:
    """Remove the ledgers that upgrades and restores kept aside, once they are as old as what may be kept."""
    old = [path for path in state.glob("ledger.before-*") if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before]
    for path in old:
        path.unlink()
    return len(old)


def _forget_deliveries(state: Path, before: datetime, done: Tidied) -> None:
    from connector.inbox.errors import InboxError

    try:
        with deliveries.inbox_deliveries(state) as inbox:
            done.deliveries = inbox.forget(before) if inbox else 0
    except InboxError as err:
        done.problems.append(str(err))

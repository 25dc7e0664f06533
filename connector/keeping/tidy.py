"""The day's housekeeping: check, back up, look for a twin, forget what is old. Knows no schedule and no screen.

What goes wrong with one part is told and stops no other; a ledger that is damaged is told and nothing else is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
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
from connector.ledger.connection import Ledger, LedgerError
from connector.ledger.times import stamp
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
) -> Tidied:
    """One round. place: where backups are kept, `keep` of them. told_by: asks the server at a url for the time.
    asking: opens a store's account at GSS, to see whether somebody else sends under its prefix.

    Holds no lock: each piece is a transaction of its own beside whatever runs. Raises LedgerError where the ledger
    can't be written at all.
    """
    done = Tidied()
    if not _is_sound(ledger, now, done):
        return done
    if place is not None:
        backups.call_if_old(ledger, place, OLDEST_BACKUP, now)
        done.backup = backups.keep_backups(ledger, place, keep, now)
        done.drill = drill(place, now)
        done.problems += [one for one in (done.backup.problem, done.drill.problem) if one]
    done.notes += twin.look_for(ledger, stores, now, asking)
    times: dict[str, datetime | None] = {}
    for store in stores:
        url = store.gosweetspot.url
        if url not in times:
            times[url] = told_by(url)
        done.pruned.append(retention.prune(ledger, store.name, store.keep.retention, now, times[url]))
    if stores and all(not one.note.endswith(_NOT_BY_AGE) for one in done.pruned):
        longest = max(store.keep.retention for store in stores)
        done.copies = _forget_copies(state, now - longest)
        needed = _needed_since(stores, [state / "backups", *([place] if place else [])])
        _forget_deliveries(state, now - min(longest, deliveries.KEPT_FOR), needed, done)
    done.notes += [one for one in (retention.give_back_space(ledger),) if one]
    return done


_NOT_BY_AGE: Final = "nothing was removed by age"


def _is_sound(ledger: Ledger, now: datetime, done: Tidied) -> bool:
    """Read every page and reference of the ledger; a person is called where one is wrong."""
    problems = soundness.check(ledger.db)
    if problems:
        done.problems.append(f"the ledger is damaged ({problems[0]}). Stop, and restore a backup.")
        try:
            with ledger.writing() as db:
                alerts.open_alert(db, backups.EVERYWHERE, None, DAMAGED, done.problems[0], stamp(now))
        except LedgerError:
            pass  # a damaged ledger may take no alert: the caller has the sentence
        return False
    with ledger.writing() as db:
        soundness.keep_check(db, now)
    return True


def _forget_copies(state: Path, before: datetime) -> int:
    """Remove the ledgers that upgrades and restores kept aside, once they are as old as what may be kept."""
    old = [path for path in state.glob("ledger.before-*") if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before]
    for path in old:
        path.unlink()
    return len(old)


def _needed_since(stores: Sequence[Store], places: Sequence[Path]) -> dict[str, datetime]:
    """Since when the deliveries of shops that can't be asked must be kept, by store: whoever restores the oldest backup
    has them heard again (failures.md K6)."""
    times = [at for place in places for at, _ in backups.backups_in(place)]
    told = [store.name for store in stores if only_tells(source_class(store.source_kind))]
    return dict.fromkeys(told, min(times)) if times else {}


def _forget_deliveries(state: Path, before: datetime, needed: Mapping[str, datetime], done: Tidied) -> None:
    from connector.inbox.errors import InboxError

    try:
        with deliveries.inbox_deliveries(state) as inbox:
            if inbox is not None:
                for store in inbox.stores():
                    done.deliveries += inbox.forget(min(before, needed.get(store, before)), store)
    except InboxError as err:
        done.problems.append(str(err))

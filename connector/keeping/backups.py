"""Backups kept in a folder, the oldest removed only once a newer one was proven. Knows no schedule.

A name tells when, and nothing about anybody: `ledger-2026-11-23T093000Z.db` (failures.md K9).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from connector.keeping.host import this_host
from connector.ledger import alerts, epoch, folder
from connector.ledger.backup import back_up, check_file, counts
from connector.ledger.connection import Ledger, LedgerError
from connector.ledger.times import stamp

NAME: Final = re.compile(r"ledger-([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6})Z\.db")
FAILED: Final = "backup failed"
OLD: Final = "backup is old"
"""Kinds of alerts that belong to no store."""


class Kept(msgspec.Struct, frozen=True):
    """A round of backups: the new file, "" where none came of it, and why; how many old ones were removed."""

    file: str = ""
    removed: int = 0
    problem: str = ""


def keep_backups(ledger: Ledger, place: Path, keep: int, now: datetime, *, host: str | None = None) -> Kept:
    """Make one more backup in the folder `place`, prove that it can be restored, and remove all but the newest `keep`.

    Where it fails every old one stays and an alert is opened, which the next good one closes (failures.md K3, K5). The
    live ledger's mark moves on, so that any of them put in its place is noticed (connector.ledger.epoch). Never raises
    for what the disk or the ledger does.
    """
    target = place / f"ledger-{now.astimezone(UTC):%Y-%m-%dT%H%M%S}Z.db"
    try:
        folder.make_private(place)
        before = counts(ledger.db)
        back_up(ledger, target)
        epoch.advance(ledger, this_host() if host is None else host)
        _refuse_worse(target, before)
        removed = _remove_oldest(place, keep, now)
    except (LedgerError, OSError) as err:
        problem = str(err) if isinstance(err, LedgerError) else f"{place}: no backup could be made ({err.strerror})."
        _call(ledger, FAILED, problem, now)
        return Kept(problem=problem)
    _close(ledger, now)
    return Kept(str(target), removed)


def _refuse_worse(target: Path, before: dict[str, int]) -> None:
    """Open it as a restore would. Raises LedgerError, and removes it, where it has less than the ledger had."""
    problems = check_file(target)
    lacking = [] if problems else [name for name, rows in counts_of(target).items() if rows < before[name]]
    if problems or lacking:
        target.unlink()
        why = problems[0] if problems else f"it has fewer rows of {lacking[0]} than the ledger"
        raise LedgerError(f"{target}: the backup can't be restored ({why}); older ones were kept.")


def counts_of(backup: Path) -> dict[str, int]:
    """Rows of each table of a backup. Raises LedgerError."""
    from connector.ledger.reading import reading_file

    with reading_file(backup) as db:
        return counts(db)


def backups_in(place: Path) -> list[tuple[datetime, Path]]:
    """Our backups in a folder with their times, oldest first; what has another name is not ours."""
    found = [(NAME.fullmatch(path.name), path) for path in place.iterdir()] if place.is_dir() else []
    dated = [(datetime.strptime(f"{name[1]}Z", "%Y-%m-%dT%H%M%S%z"), path) for name, path in found if name]
    return sorted(dated)


def made_by(place: Path, now: datetime) -> list[tuple[datetime, Path]]:
    """Those of `backups_in` that were made by now. One named for a time to come was made while the clock was ahead: how
    old it is can't be told, so it stands for no other (K10)."""
    return [one for one in backups_in(place) if one[0] <= now]


def _remove_oldest(place: Path, keep: int, now: datetime) -> int:
    """Those named for a time to come go too, once there are `keep` others."""
    made = made_by(place, now)
    ahead = backups_in(place)[len(made) :] if len(made) >= keep else []
    gone = made[: -max(keep, 1)] + ahead
    for _, path in gone:
        path.unlink()
    return len(gone)


def call_if_old(ledger: Ledger, place: Path, oldest: timedelta, now: datetime) -> str:
    """Open an alert where the newest backup is older than `oldest`, or there is none; "" where all is well (K10)."""
    found = made_by(place, now)
    if found and now - found[-1][0] <= oldest:
        return ""
    hours = int(oldest.total_seconds() // 3600)
    newest = f"is of {found[-1][0]:%Y-%m-%d %H:%M} UTC" if found else "is missing"
    problem = f"{place}: the newest backup {newest}; there should be one every {hours} hours."
    _call(ledger, OLD, problem, now)
    return problem


def _call(ledger: Ledger, kind: str, text: str, now: datetime) -> None:
    try:
        with ledger.writing() as db:
            alerts.open_alert(db, alerts.EVERYWHERE, None, kind, text, stamp(now))
    except LedgerError:
        pass  # the disk that takes no backup may take no alert either: the caller has the sentence


def _close(ledger: Ledger, now: datetime) -> None:
    with ledger.writing() as db:
        for kind in (FAILED, OLD):
            alerts.close_kind(db, alerts.EVERYWHERE, kind, stamp(now), "a backup was made")

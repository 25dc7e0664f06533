"""Puts a backup in the place of the ledger, behind the fence; and the drill that proves one could be. Sends nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from connector.keeping.backups import FAILED, OLD, made_by
from connector.keeping.host import this_host
from connector.ledger import alerts, epoch, fence, folder, queries
from connector.ledger.backup import check_file, counts
from connector.ledger.connection import FILE_NAME, LedgerError, open_ledger
from connector.ledger.reading import reading_file
from connector.ledger.times import stamp
from connector.lock import StoreLock

WHY: Final = "The ledger was restored from a backup"


class Restored(msgspec.Struct, frozen=True):
    """What a restore did. aside: where the old ledger lies now, "" where there was none; slips: how many it knows."""

    ledger: str
    aside: str
    slips: int


Locks = Iterable[AbstractContextManager[object]]


def restore(
    backup: Path, state: Path, now: datetime, stores: Iterable[str] = (), locks: Locks = (), host: str | None = None
) -> Restored:
    """Put a copy of the backup in the place of the ledger, its fence raised; the old one is kept aside, whole.

    Nothing else may use the ledger: every store's lock is taken (stores: of the store files; those the backup knows,
    and those that ever had a lock here, are added), and `locks` besides. The old ledger is not opened: that alone could
    change a damaged one. The copy is checked before anything is touched. Raises LedgerError, Busy.
    """
    _refuse_neighbours(backup)
    path = state / FILE_NAME
    folder.make_private(state)
    partial = path.with_name(f"{FILE_NAME}.restoring")
    with ExitStack() as held:
        for lock in locks:
            held.enter_context(lock)
        try:
            _copy(backup, partial)
            names = {*stores, *_stores_of(partial), *(lock.stem for lock in (state / "locks").glob("*.lock"))}
            for name in sorted(names):
                held.enter_context(StoreLock(state, name))
            slips = _fenced(partial, backup, now)
            aside = _put_aside(path, now)
            folder.sync(partial)
            partial.replace(path)
            folder.sync(state)
        finally:
            for ending in ("", *folder.BESIDE):
                partial.with_name(partial.name + ending).unlink(missing_ok=True)
        with open_ledger(state, create=False, now=now) as ledger:
            epoch.advance(ledger, this_host() if host is None else host)
    return Restored(str(path), aside, slips)


def _refuse_neighbours(backup: Path) -> None:
    """K11: a journal beside a backup belongs to a file that was copied while in use, or to another."""
    if not backup.is_file():
        raise LedgerError(f"{backup}: there is no such file.")
    for ending in folder.BESIDE:
        beside = backup.with_name(backup.name + ending)
        if beside.exists():
            raise LedgerError(
                f"{beside} stands beside the backup: a copy of a ledger in use is not a backup, and may be damaged. "
                "Use one made by `connector ledger backup`; if this is one, move that other file away first."
            )


def _copy(backup: Path, partial: Path) -> None:
    """Byte by byte, so that nothing but this file has a part in it; then checked."""
    try:
        partial.unlink(missing_ok=True)
        folder.make_private_file(partial)
        shutil.copyfile(backup, partial)
    except OSError as err:
        raise LedgerError(f"{backup}: it could not be copied ({err.strerror}); the ledger is as it was.") from err
    problems = check_file(partial)
    if problems:
        raise LedgerError(f"{backup}: it can't be restored ({problems[0]}); the ledger is as it was.")


def _stores_of(ledger: Path) -> list[str]:
    with reading_file(ledger, any_schema=True) as db:
        return queries.stores_known(db)


def _fenced(partial: Path, backup: Path, now: datetime) -> int:
    """Bring the copy's schema up to date and raise its fence, before it is anybody's ledger. How many slips it has."""
    work = Path(tempfile.mkdtemp(prefix="restoring-", dir=partial.parent))
    try:
        inside = work / FILE_NAME
        partial.replace(inside)
        with open_ledger(work, create=False, now=now) as ledger:
            with ledger.writing() as db:
                made = datetime.fromtimestamp(backup.stat().st_mtime, UTC)
                fence.raise_fence(db, f"{WHY} of {made:%Y-%m-%d %H:%M} UTC.", now)
                for kind in (FAILED, OLD):  # the very backup that this is was not there yet, or is here now
                    alerts.close_kind(db, alerts.EVERYWHERE, kind, stamp(now), "a backup was restored")
            found = counts(ledger.db)["slips"]
        inside.replace(partial)
        return found
    finally:
        shutil.rmtree(work)


def _put_aside(path: Path, now: datetime) -> str:
    """Copy the old ledger, with what stands beside it, then remove what stands beside it: SQLite would play an old
    journal into the new file (K11)."""
    if not path.exists():
        return ""
    aside = path.with_name(f"ledger.before-restore-{now.astimezone(UTC):%Y-%m-%dT%H%M%S}Z.db")
    try:
        for ending in ("", *folder.BESIDE):
            old, new = path.with_name(path.name + ending), aside.with_name(aside.name + ending)
            if old.exists():
                new.unlink(missing_ok=True)
                folder.make_private_file(new)
                shutil.copyfile(old, new)
                folder.sync(new)
        folder.sync(path.parent)
    except OSError as err:
        raise LedgerError(f"{aside}: the old ledger could not be kept ({err.strerror}); it is as it was.") from err
    for ending in folder.BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)
    return str(aside)


class Drill(msgspec.Struct, frozen=True):
    """A restore tried out in a folder of its own. slips  what the restored ledger knows; problem  "" where it works."""

    backup: str
    slips: int = 0
    problem: str = ""


def drill(place: Path, now: datetime) -> Drill:
    """Restore the newest backup of a folder into a temporary folder, open it, and count. Never raises for a bad one."""
    found = made_by(place, now)
    if not found:
        return Drill("", problem=f"{place}: there is no backup to try.")
    newest = str(found[-1][1])
    try:
        with tempfile.TemporaryDirectory(prefix=".drill-", dir=place) as folder_name:
            return Drill(newest, restore(Path(newest), Path(folder_name), now).slips)
    except LedgerError as err:
        return Drill(newest, problem=str(err))
    except OSError as err:
        return Drill(newest, problem=f"{place}: no backup could be tried ({err.strerror}).")

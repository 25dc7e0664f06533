"""What a kill or a power cut left of our own work, and damaged inboxes set aside: known by name, removed in time.

Nobody else removes them, and each may have all that a ledger or an inbox has about people (failures.md R5).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connector.inbox import file

UNDER_WAY: Final = timedelta(days=1)
"""Longer than any backup, drill or restore takes: what is older is left over."""


def half_done(state: Path, backups: Path | None = None) -> list[Path]:
    """Files and folders of backups, drills and restores that were cut short, or are under way just now."""
    found = [*state.glob("ledger.db.restoring*"), *state.glob("restoring-*")]
    if backups is not None:
        found += [*backups.glob("ledger-*.db.tmp*"), *backups.glob(".drill-*")]
    return sorted(found)


def damaged_inboxes(state: Path) -> list[Path]:
    """Inboxes that were set aside because they were damaged, with what SQLite kept beside them."""
    return sorted((state / file.FOLDER).glob(f"{file.FILE_NAME}.damaged-*"))


def kept_aside(state: Path) -> list[Path]:
    """The ledgers that upgrades and restores kept aside, with what SQLite kept beside them."""
    return sorted(state.glob("ledger.before-*"))


def remove(paths: Iterable[Path], before: datetime) -> int:
    """Remove those whose bytes and name have not changed since; how many."""
    removed = 0
    for path in paths:
        with suppress(FileNotFoundError):  # whose work it was is done with it
            if datetime.fromtimestamp(path.lstat().st_ctime, UTC) < before:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                removed += 1
    return removed

"""Housekeeping, restores and people's data, in words. Knows their values; does no work."""

from __future__ import annotations

from collections.abc import Iterable

from connector.keeping.deeds import FenceStanding
from connector.keeping.privacy import Account, Erased, Found
from connector.keeping.restore import Restored
from connector.keeping.retention import Pruned
from connector.keeping.tidy import Tidied
from connector.show.screen import Screen
from connector.show.words import counted, listed


def show_restored(screen: Screen, done: Restored) -> None:
    """What was put where, and what happens next."""
    if screen.as_json:
        screen.value(done)
        return
    screen.line(f"{done.ledger} is the backup now; it knows {counted(done.slips, 'slip')}.")
    if done.aside:
        screen.line(f"The old ledger lies at {done.aside}.")
    screen.line("Nothing is sent until each shop was read and GoSweetSpot was asked what it has: connector sync")


def show_tidied(screen: Screen, done: Tidied) -> None:
    """Each part of it; what went wrong is said last."""
    if screen.as_json:
        screen.value(done)
        return
    if done.backup and done.backup.file:
        screen.line(f"backup     {done.backup.file}, {counted(done.backup.removed, 'old one')} removed")
    if done.drill and not done.drill.problem:
        screen.line(f"drill      it can be restored: {counted(done.drill.slips, 'slip')}")
    for pruned in done.pruned:
        screen.line(f"{pruned.store}: {_removed(pruned)}{f'; {pruned.note}' if pruned.note else ''}")
    if done.deliveries or done.copies:
        screen.line(f"removed    {listed({'deliveries': done.deliveries, 'old ledgers': done.copies})}")
    screen.lines(done.notes, style="quiet")
    screen.lines(done.problems, style="bad")


def _removed(pruned: Pruned) -> str:
    counts = {
        "closed": pruned.slips,
        "older versions": pruned.versions,
        "passed over": pruned.passed_over,
        "alerts": pruned.alerts,
        "runs": pruned.runs,
    }
    return listed(counts) + (" forgotten" if any(counts.values()) else " to forget")


def show_fence(screen: Screen, standing: FenceStanding) -> None:
    """Whether the fence stands, for whom, and what is missing."""
    if screen.as_json:
        screen.value(standing)
    elif not standing.next:
        screen.line("No fence stands: every store may send.", "good")
    else:
        screen.line(f"{standing.why} Raised at {standing.raised_at}.", "bad")
        screen.line(f"May not send: {', '.join(standing.stands) or 'no store known yet'}")
        screen.line(standing.next)


def show_found(screen: Screen, found: Iterable[Found]) -> None:
    """Where the data is, never what it is."""
    places = list(found)
    if screen.as_json:
        for one in places:
            screen.value(one)
    elif places:
        rows = [(one.store, one.order, one.where, one.since, one.file) for one in places]
        screen.table(("store", "order", "where", "since", "file"), rows)
    else:
        screen.line("Nothing is held under these words.")


def show_erased(screen: Screen, done: Iterable[Erased]) -> None:
    """What is gone, and what a person must still look at."""
    for one in done:
        if screen.as_json:
            screen.value(one)
        elif one.later:
            screen.line(
                f"{one.store}  order {one.order} is {one.state} and may still ship: its data is erased by itself once "
                "it is over. To stop it, cancel it in the shop.",
                "warn",
            )
        else:
            deliveries = f", and {counted(one.deliveries, 'delivery')} of the shop" if one.deliveries else ""
            screen.line(f"{one.store}  order {one.order}: its data is gone{deliveries}. Backups lose it as they age.")


def show_account(screen: Screen, account: Account) -> None:
    """What is held, and the files it lies in."""
    if screen.as_json:
        screen.value(account)
        return
    screen.table(("rows", "what", "since"), [(one.rows, one.what, one.since) for one in account.held])
    screen.line()
    rows = [
        (one.mode, one.owner, one.bytes, one.since, one.file, "OTHERS CAN READ IT" if one.others_can_read else "")
        for one in account.files
    ]
    screen.table(("mode", "owner", "bytes", "changed", "file", ""), rows)

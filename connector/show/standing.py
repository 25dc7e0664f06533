"""Where everything stands, in words: what needs a person first. Knows Status; does no work."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from connector.ledger.queries import Run
from connector.ledger.times import moment
from connector.show.screen import Screen
from connector.show.words import age, counted, listed, span
from connector.status import Mendable, Status, StoreStanding
from connector.text import sentence, without_name


def show_status(screen: Screen, status: Status, now: datetime) -> None:
    """All of it."""
    if screen.as_json:
        screen.value(status)
        return
    show_needs(screen, status.needs, sum(status.needs_counted.values()), now)
    for standing in status.stores:
        screen.line()
        _show_store(screen, standing, now)
    if status.problems:
        screen.line()
    screen.lines(status.problems, style="bad")


def show_waiting(screen: Screen, status: Status, now: datetime) -> None:
    """What waits for a person, and how many slips there are beside it."""
    if screen.as_json:
        screen.value(status.needs)
        return
    show_needs(screen, status.needs, sum(status.needs_counted.values()), now)
    states: Counter[str] = Counter()
    for standing in status.stores:
        states.update(standing.states)
    screen.line(f"All slips: {listed(states)}. See: connector slips list", "quiet")


def show_needs(screen: Screen, needs: list[Mendable], total: int, now: datetime) -> None:
    """What waits for a person, each with its mend."""
    if not total:
        screen.line("Nothing waits for a person.", "good")
        return
    screen.line(f"{counted(total, 'thing')} {'waits' if total == 1 else 'wait'} for a person:", "head")
    for mendable in needs:
        need = mendable.need
        what = f"order {need.order}" if need.order else f"alert {need.alert}" if need.alert else "the ledger"
        store = need.store or "all stores"
        screen.line(f"  {store}  {what}  {need.kind}, {age(moment(need.since), now)}", "bad")
        screen.line(f"    {sentence(without_name(need.text, need.order))}")
        screen.line(f"    {mendable.mend}", "quiet")
    if total > len(needs):
        screen.line(f"  and {total - len(needs):,} more: connector slips list held --limit 1000")


def _show_store(screen: Screen, standing: StoreStanding, now: datetime) -> None:
    screen.line(standing.store, "head")
    screen.line(f"  slips      {listed(standing.states)}")
    screen.line(f"  no slips   {listed(standing.passed_over)}")
    screen.line(f"  owed       {_owed(standing, now)}")
    screen.line(f"  read back  {_when(standing, standing.next_read_back, now)}")
    if standing.fenced:
        screen.line(f"  fence      {standing.fenced}", "bad")
    if standing.last_run or not standing.shop_read_at:  # the daemon reads without runs
        screen.line(f"  last run   {_last_run(standing.last_run, now)}")
    screen.line(f"  polls      {_news(standing.shop_read_at, now)}")
    screen.line(f"  calls      {_calls(standing, now)}")


def _owed(standing: StoreStanding, now: datetime) -> str:
    owed = standing.owed
    if not owed.oldest:
        return "nothing"
    oldest, when = age(moment(owed.oldest), now), _when(standing, standing.next_send, now)
    return f"{owed.now:,} now, {owed.later:,} later, the oldest for {oldest}; next {when}"


def _when(standing: StoreStanding, stamp: str, now: datetime) -> str:
    """When something that is due at this stamp is done: not without a store file, behind the fence, or while the gate
    is shut."""
    if not stamp:
        return "nothing due"
    if not standing.has_file:
        return "once its store file is there again"
    if standing.fenced:
        return "once the store is through the fence"
    due = max(moment(at) for at in (stamp, standing.shut_until) if at)
    return "with the next sync" if due <= now else f"in {span(due - now)}"


def _ago(stamp: str, now: datetime) -> str:
    return f"{age(moment(stamp), now)} ago" if stamp else "never"


def _news(stamp: str, now: datetime) -> str:
    """The ledger knows when a poll brought something, not when one brought nothing; deliveries don't count."""
    return f"last brought news {age(moment(stamp), now)} ago" if stamp else "brought nothing yet"


def _last_run(run: Run | None, now: datetime) -> str:
    if run is None:
        return "never"
    ended = (
        "" if run.ended_at else ", not ended: it is under way, or was interrupted (the next one goes on where it was)"
    )
    counts = {name: run.counts.get(name, 0) for name in ("read", "new", "changed", "held", "withdrawn")}
    calls = counted(run.counts["calls"], "call") if run.counts.get("calls") else ""
    did = ", ".join(filter(None, (listed(counts) if any(counts.values()) else "", calls))) or "nothing"
    problem = f". {run.problem}" if run.problem else ""
    return f"{_ago(run.started_at, now)}{ended}: {did}{problem}"


def _calls(standing: StoreStanding, now: datetime) -> str:
    if standing.shut_until:
        return f"none for {span(moment(standing.shut_until) - now)}: {standing.shut_because}"
    left = [
        f"{count} left this {unit}"
        for count, unit in ((standing.calls_left_minute, "minute"), (standing.calls_left_hour, "hour"))
        if count is not None
    ]
    return ", ".join(left) or "no limit known"

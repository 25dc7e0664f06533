"""What a sync did, in words. Knows Outcome; does no work."""

from __future__ import annotations

import shlex

from connector.exit_codes import Code
from connector.problem import Problem, rendering
from connector.report import Report
from connector.show.screen import Screen
from connector.show.words import counted, listed
from connector.sync_stores import Outcome

READ = ("new", "changed", "held", "waiting", "skipped", "withdrawn", "unchanged", "stale")
"""The counts of a report that every order read is in exactly one of."""


def show_outcome(screen: Screen, outcome: Outcome) -> None:
    """One store's run."""
    if screen.as_json:
        screen.value(outcome)
        return
    if outcome.report is None:
        screen.trouble(outcome.failure)
        return
    style = "good" if outcome.code is Code.DONE else "warn" if outcome.code is Code.WAITS else "bad"
    screen.lines(lines_of(outcome, outcome.report), style=style)
    screen.lines(outcome.report.notes, indent="  note: ", style="quiet")
    if outcome.report.problem:
        screen.trouble([f"{outcome.store}: {outcome.report.problem}"])
    if outcome.report.pause:
        screen.trouble(
            [f"{outcome.store}: {outcome.report.pause.rstrip('.')}. What is owed stays owed for the next run."]
        )


def show_problems(screen: Screen, problems: tuple[Problem, ...]) -> None:
    """Store files that couldn't be used."""
    if problems:
        screen.trouble(rendering(problems))


def lines_of(outcome: Outcome, report: Report) -> list[str]:
    """The report as lines: what was read, what GSS took, what waits."""
    read = {name: getattr(report, name) for name in READ}
    lines = [f"{outcome.store}: {counted(report.read, 'order')} read" + (f": {listed(read)}" if report.read else "")]
    if report.missed:
        lines.append(
            f"  {counted(report.missed, 'order')} the cursor had missed; the sweep over open orders found them"
        )
    if report.gone:
        lines.append(f"  {counted(report.gone, 'order')} the shop no longer has; their slips are withdrawn")
    calls = f"{counted(report.calls, 'call')} to send, {report.read_back_calls:,} to read back"
    reached = f"; read back: {listed(report.states)}" if report.states else ""
    still = f"; {report.owed:,} still owed" if report.owed else ""
    lines.append(f"  GSS: {calls}{reached}{still}")
    if outcome.waits:
        lines.append(
            f"  waits for a person: {listed(outcome.waits)}. See: connector status {shlex.quote(outcome.store)}"
        )
    return lines

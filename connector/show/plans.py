"""What a sync would do, in words: an order a line, its slip and what differs below. Knows PlanLine; does no work."""

from __future__ import annotations

import json
from typing import Any, Final

from connector.dry_run import PlanEnd
from connector.exit_codes import Code
from connector.plan import Action, PlanLine
from connector.receipt import Receipt
from connector.report import Report
from connector.show.runs import READ
from connector.show.screen import Screen
from connector.show.words import counted, listed
from connector.text import without_name

_STYLES: Final = {
    Action.CREATE: "good",
    Action.UPDATE: "good",
    Action.DELETE: "warn",
    Action.HOLD: "bad",
    Action.LATE: "bad",
    Action.SKIP: "quiet",
    Action.WAIT: "quiet",
    Action.UNCHANGED: "quiet",
}


def show_plan_part(screen: Screen, part: PlanLine | PlanEnd, *, unchanged_too: bool) -> Code:
    """One order's plan, or the end of a store's; the exit code that this part alone would give."""
    is_hidden = isinstance(part, PlanLine) and part.action is Action.UNCHANGED and not unchanged_too
    if screen.as_json and not is_hidden:
        screen.value(part)
    elif isinstance(part, PlanEnd):
        show_plan_end(screen, part.report, part.owed)
    elif not is_hidden:
        show_plan_line(screen, part)
    return code_of(part)


def code_of(part: PlanLine | PlanEnd) -> Code:
    """What a sync would end with on account of this part, as far as it can be told beforehand."""
    if isinstance(part, PlanEnd):
        return Code.UNREACHED if part.report.problem else Code.WAITS if part.report.alerts else Code.DONE
    return Code.WAITS if part.action in (Action.HOLD, Action.LATE) else Code.DONE


def show_plan_line(screen: Screen, line: PlanLine) -> None:
    """One order."""
    number = f" as {line.number}" if line.number and line.number != line.order else ""
    reason = f": {without_name(line.reason, line.order)}" if line.reason else ""
    screen.line(f"{line.action:<9} {line.order}{number}{reason}", _STYLES[line.action])
    for difference in line.differences:
        screen.line(f"    {difference.field}: {_shown(difference.before)} -> {_shown(difference.after)}")
    if line.slip is not None:
        screen.line(f"    slip: {json.dumps(line.slip, ensure_ascii=False)}", "quiet")
    for receipt in line.receipts:
        screen.line(f"    {receipt_sentence(receipt)}", "quiet")


def receipt_sentence(receipt: Receipt) -> str:
    """What was changed on the way from the order to the slip."""
    return f"{receipt.field}: {_shown(receipt.before)} -> {_shown(receipt.after)} ({receipt.why})"


def show_plan_end(screen: Screen, report: Report, owed_before: int) -> None:
    """The counts, and what would be sent beside the orders listed."""
    counts = {name: getattr(report, name) for name in READ}
    screen.line(f"{report.store}: {counted(report.read, 'order')} read: {listed(counts)}", "head")
    screen.lines(report.notes, indent="  note: ", style="quiet")
    screen.lines(report.alerts, indent="  ", style="bad")
    if owed_before:
        screen.line(
            f"  {counted(owed_before, 'slip')} of earlier runs would be sent too: connector status {report.store}"
        )
    screen.line("  dry run: nothing was sent, nothing was recorded", "quiet")
    if report.problem:
        screen.trouble([f"{report.store}: {report.problem}"])


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

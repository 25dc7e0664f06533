"""What a check found, a line each. Knows Finding; does no work."""

from __future__ import annotations

from connector.check import Finding
from connector.exit_codes import Code
from connector.show.screen import Screen


def show_finding(screen: Screen, finding: Finding) -> None:
    """One finding, with its mend below."""
    if screen.as_json:
        screen.value(finding)
        return
    is_fine = finding.code is Code.DONE
    screen.line(f"{'ok     ' if is_fine else 'problem'}  {finding.about}: {finding.text}", "good" if is_fine else "bad")
    if finding.mend:
        screen.line(f"         {finding.mend.rstrip('.')}.")

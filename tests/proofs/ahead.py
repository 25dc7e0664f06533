"""The `connector` command with its clock set ahead: `python -m tests.proofs.ahead SECONDS sync ...`.

Nothing else of it is changed. A proof can't wait for the minutes a gate stays shut or a ghost window lasts; a run that
starts later needn't.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from connector import cli


def main(seconds: str, *arguments: str) -> int:
    """Run the command; its exit code."""
    now, ahead = cli._now, timedelta(seconds=float(seconds))
    cli._now = lambda: now() + ahead
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Holds the core rooms to their branch coverage; reads coverage.py's JSON report and knows no test.

Run as `python -m scripts.coverage_floor build/coverage.json`. Exit code 0 when the floors hold, 1 when one doesn't.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

CORE = (
    "connector/order.py",
    "connector/packing_slip.py",
    "connector/selection.py",
    "connector/slip.py",
    "connector/address.py",
    "connector/text.py",
    "connector/ledger/*.py",
    "connector/gosweetspot/*.py",
    "connector/sender.py",
    "connector/readback.py",
    "connector/sync.py",
    "connector/fetch.py",
    "connector/record.py",
    "connector/consider.py",
    "connector/hearing.py",
    "connector/inbox/*.py",
    "connector/wire/*.py",
)
"""Where a wrong branch ships a wrong parcel: together at least `FLOOR` percent of their branches."""

FLOOR = 95.0

WHOLE = ("connector/ledger/machine.py", "connector/gosweetspot/answers.py")
"""Where no line and no branch may be untried: what a state may become, what an answer means."""


@dataclass(frozen=True)
class Covered:
    """What one file's tests reached, as coverage.py counts it."""

    path: str
    lines: int
    lines_hit: int
    branches: int
    branches_hit: int

    def is_whole(self) -> bool:
        return self.lines == self.lines_hit and self.branches == self.branches_hit


def read(report: Path) -> list[Covered]:
    """The files of a JSON report made with branch coverage on; paths relative to the project."""
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    return [_covered(path, entry["summary"]) for path, entry in sorted(files.items())]


def _covered(path: str, summary: dict[str, int]) -> Covered:
    return Covered(
        path.replace("\\", "/"),
        summary["num_statements"],
        summary["covered_lines"],
        summary["num_branches"],
        summary["covered_branches"],
    )


def problems(files: list[Covered]) -> list[str]:
    """Every floor that doesn't hold, a sentence each; a room that matches no file counts as one, so none slips out."""
    found = [
        f"{room}: no such file in the report. Moved? Then move it in scripts/coverage_floor.py too."
        for room in _absent(files)
    ]
    reached = branch_percent(core(files))
    if reached < FLOOR:
        found.append(f"core rooms: {reached:.1f} % of branches, the floor is {FLOOR:.0f} %. Furthest below:")
        found += [f"  {file.path}: {file.branches - file.branches_hit} branches untried" for file in worst(core(files))]
    found += [
        f"{file.path}: {file.lines - file.lines_hit} lines and {file.branches - file.branches_hit} branches untried; "
        "this file is held to all of them."
        for file in files
        if file.path in WHOLE and not file.is_whole()
    ]
    return found


def _absent(files: list[Covered]) -> list[str]:
    return [room for room in (*CORE, *WHOLE) if not any(fnmatchcase(file.path, room) for file in files)]


def core(files: list[Covered]) -> list[Covered]:
    """The files of the core rooms."""
    return [file for file in files if any(fnmatchcase(file.path, room) for room in CORE)]


def worst(files: list[Covered], count: int = 5) -> list[Covered]:
    """The files with the most untried branches, the worst first."""
    short = [file for file in files if file.branches_hit < file.branches]
    return sorted(short, key=lambda file: file.branches_hit - file.branches)[:count]


def branch_percent(files: list[Covered]) -> float:
    """Branches reached of all branches, in percent; 100 where there are none."""
    branches = sum(file.branches for file in files)
    return 100.0 * sum(file.branches_hit for file in files) / branches if branches else 100.0


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m scripts.coverage_floor COVERAGE.json", file=sys.stderr)
        return 2
    files = read(Path(arguments[0]))
    found = problems(files)
    print(
        f"Branch coverage: {branch_percent(files):.1f} % of all, {branch_percent(core(files)):.1f} % of the core rooms."
    )
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""The coverage floor: which reports hold it, and what is said when one doesn't."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import coverage_floor
from scripts.coverage_floor import Covered

ROOMS = [room.replace("*", "one") for room in coverage_floor.CORE]
FULL = [Covered(path, 10, 10, 100, 100) for path in {*ROOMS, *coverage_floor.WHOLE}]


def with_file(changed: Covered) -> list[Covered]:
    return [changed, *(file for file in FULL if file.path != changed.path)]


def test_full_coverage_holds_the_floor() -> None:
    assert coverage_floor.problems(FULL) == []


def test_a_core_below_its_floor_names_its_worst_files() -> None:
    found = coverage_floor.problems(with_file(Covered("connector/slip.py", 10, 10, 1000, 700)))
    assert found[0].startswith("core rooms: 89.3 % of branches")
    assert found[1] == "  connector/slip.py: 300 branches untried"


def test_a_file_outside_the_core_does_not_lower_it() -> None:
    assert coverage_floor.problems([*FULL, Covered("connector/cli.py", 10, 0, 1000, 0)]) == []


@pytest.mark.parametrize("short", [(10, 9, 4, 4), (10, 10, 4, 3)])
def test_a_file_held_to_all_of_its_branches_may_miss_none(short: tuple[int, int, int, int]) -> None:
    [problem] = coverage_floor.problems(with_file(Covered(coverage_floor.WHOLE[0], *short)))
    assert problem.startswith(coverage_floor.WHOLE[0])


def test_a_core_room_that_vanished_from_the_report_is_told() -> None:
    [problem] = coverage_floor.problems([file for file in FULL if file.path != "connector/sync.py"])
    assert problem.startswith("connector/sync.py: no such file")


def test_a_report_of_coverage_py_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = {"num_statements": 10, "covered_lines": 10, "num_branches": 4, "covered_branches": 4}
    report = tmp_path / "coverage.json"
    report.write_text(json.dumps({"files": {file.path: {"summary": summary} for file in FULL}}), encoding="utf-8")
    assert coverage_floor.main([str(report)]) == 0
    assert "100.0 % of all, 100.0 % of the core rooms." in capsys.readouterr().out


def test_without_a_report_it_tells_its_usage() -> None:
    assert coverage_floor.main([]) == 2

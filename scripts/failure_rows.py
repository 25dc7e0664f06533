"""Which promised faults have no test: a list of row IDs against the names of the tests. Runs no test, imports none.

Run as `python -m scripts.failure_rows`. The list and the ratchet stand in failure_rows.txt beside this file.
Exit code 0 when no more rows are uncovered than the ratchet allows and nothing is amiss, else 1.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ROWS = PROJECT / "scripts" / "failure_rows.txt"
TESTS = PROJECT / "tests"
PROMISES = PROJECT / "connector" / "testing"
"""The suite that every source passes: its tests stand in the package, so that a stranger can import them."""
MATRIX = PROJECT.parent / "shared" / "failures.md"
"""The failure matrix itself; it may not stand beside a clone, then the list is taken at its word."""

ROW = re.compile(r"([A-Z]{1,3})([0-9]{1,2})")
NAMED = re.compile(r"test_((?:[A-Z]{1,3}[0-9]{1,2}_)+)")
MATRIX_ROW = re.compile(r"^\| \**([A-Z]{1,3}[0-9]{1,2})\** \|", re.MULTILINE)
QUESTION = "N"
"""The matrix numbers its questions to GoSweetSpot N1, N2 ...: those are no faults."""

TRAPS = ("tests/sources/", frozenset("DLW"))
"""Where the traps of platforms.md are tested, and the letters they share with faults of locks, ledger and webhooks.
There test_D6_... would claim the fault D6; a trap's test is named test_trap_D6_..."""


@dataclass(frozen=True)
class Promise:
    """failure_rows.txt, read: the rows to cover now, those of later, and how many may be uncovered."""

    now: tuple[str, ...]
    later: tuple[str, ...]
    uncovered: int


@dataclass(frozen=True)
class Proof:
    """One test function: where it stands, which rows its name carries, and why it covers none ("" when it does)."""

    place: str
    name: str
    rows: tuple[str, ...]
    hollow: str


def expand(words: Iterable[str]) -> Iterator[str]:
    """Row IDs of words such as "C1-C21" or "G9"; ValueError quotes a word that is neither."""
    for word in words:
        first, dash, last = word.partition("-")
        start, end = ROW.fullmatch(first), ROW.fullmatch(last if dash else first)
        if start is None or end is None or start[1] != end[1] or int(start[2]) > int(end[2]):
            raise ValueError(f"{word!r} is no row and no range of rows, such as C3 or C1-C21.")
        yield from (f"{start[1]}{number}" for number in range(int(start[2]), int(end[2]) + 1))


def read_promise(text: str) -> Promise:
    """Reads failure_rows.txt; ValueError quotes the line that can't be read, or names a row that stands twice."""
    rows: dict[str, list[str]] = {"now": [], "later": []}
    uncovered = None
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        word, *rest = line.split()
        if word in rows:
            rows[word] += expand(rest)
        elif word == "uncovered" and len(rest) == 1 and rest[0].isdigit():
            uncovered = int(rest[0])
        else:
            raise ValueError(f"{line!r} begins with none of: now, later, uncovered NUMBER.")
    if uncovered is None:
        raise ValueError("The line `uncovered NUMBER` is missing.")
    twice = [row for row, count in Counter(rows["now"] + rows["later"]).items() if count > 1]
    if twice:
        raise ValueError(f"Listed twice: {', '.join(twice)}.")
    return Promise(tuple(rows["now"]), tuple(rows["later"]), uncovered)


def read_tests(folder: Path, files: str = "test_*.py") -> list[Proof]:
    """Every test function below `folder`, by parsing: nothing is imported, so a broken import hides no row."""
    found = []
    for path in sorted(folder.rglob(files)):
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        place = path.relative_to(folder.parent).as_posix()
        found += [_proof(node, place) for node in ast.walk(tree) if _is_test(node)]
    return found


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _proof(node: ast.AST, place: str) -> Proof:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    named = NAMED.match(node.name)
    rows = tuple(named[1].rstrip("_").split("_")) if named else ()
    return Proof(f"{place}:{node.lineno}", node.name, rows, _misnomer(place, rows) or _hollowness(node))


def _misnomer(place: str, rows: tuple[str, ...]) -> str:
    """Why a name claims a fault that its test can't be about."""
    folder, letters = TRAPS
    traps = [row for row in rows if place.startswith(folder) and row.rstrip("0123456789") in letters]
    return (
        f"claims the fault {traps[0]} but is about the shops' trap of that name: put trap_ before it" if traps else ""
    )


def _hollowness(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Why a test proves nothing whatever the code does. A skip under a condition is honest and passes."""
    if any(re.match(r"(pytest\.)?mark\.(skip|xfail)\b", ast.unparse(decorator)) for decorator in node.decorator_list):
        return "is marked skip or xfail"
    body = [statement for statement in node.body if not _says_nothing(statement)]
    if not body:
        return "has an empty body"
    if re.match(r"(raise )?(pytest\.)?(skip|xfail)\(", ast.unparse(body[0])):
        return "skips itself first thing"
    return ""


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def read_matrix(text: str) -> set[str]:
    """The IDs of the failure matrix's rows."""
    return {row for row in MATRIX_ROW.findall(text) if not row.startswith(QUESTION)}


def uncovered(promise: Promise, tests: list[Proof]) -> list[str]:
    """Rows promised now that no test with a real body carries, in the order of the list."""
    carried = {row for test in tests if not test.hollow for row in test.rows}
    return [row for row in promise.now if row not in carried]


def problems(promise: Promise, tests: list[Proof], matrix: set[str]) -> list[str]:
    """What is amiss beside the count, a sentence each. `matrix` is empty where the matrix isn't at hand."""
    known = {*promise.now, *promise.later}
    found = [f"{test.place} {test.name} {test.hollow}." for test in tests if test.hollow]
    found += [
        f"{test.place} {test.name} carries {row}, which is no row of failure_rows.txt."
        for test in tests
        for row in test.rows
        if row not in known
    ]
    if matrix:
        found += [
            f"failure_rows.txt lists {row}, which the failure matrix doesn't know." for row in sorted(known - matrix)
        ]
        found += [f"The failure matrix has {row}; list it as now or later." for row in sorted(matrix - known)]
    return found


def summary(promise: Promise, missing: list[str], tests: list[Proof]) -> str:
    """The rows without a test, a line a group, and the count beside the ratchet."""
    lines = [f"  {group:<4}{' '.join(rows)}" for group, rows in _grouped(missing)]
    covered = len(promise.now) - len(missing)
    carrying = sum(1 for test in tests if test.rows)
    head = (
        f"Failure rows: {covered} of {len(promise.now)} have a test ({carrying} tests), "
        f"{len(promise.later)} wait for later rooms."
    )
    return "\n".join([head, *(["Without a test:"] if lines else []), *lines])


def _grouped(rows: list[str]) -> Iterator[tuple[str, list[str]]]:
    for group, members in groupby(rows, key=lambda row: row.rstrip("0123456789")):
        yield group, list(members)


def lowered(text: str, count: int) -> str:
    """failure_rows.txt with its ratchet at `count`; comments and all else stay as they are."""
    return re.sub(r"^uncovered \d+", f"uncovered {count}", text, flags=re.MULTILINE)


def check(rows: Path, tests_folder: Path, matrix_file: Path, *, update: bool, promises: Path | None = None) -> int:
    """Prints what is covered and what is amiss; the exit code."""
    text = rows.read_text(encoding="utf-8")
    promise, tests = read_promise(text), read_tests(tests_folder)
    tests += read_tests(promises, "promises_*.py") if promises else []
    matrix = read_matrix(matrix_file.read_text(encoding="utf-8")) if matrix_file.is_file() else set()
    missing = uncovered(promise, tests)
    print(summary(promise, missing, tests))
    found = problems(promise, tests, matrix)
    if len(missing) > promise.uncovered:
        found.append(f"{len(missing)} rows have no test; {promise.uncovered} are allowed.")
    elif update:
        rows.write_text(lowered(text, len(missing)), encoding="utf-8")
    elif len(missing) < promise.uncovered:
        print(f"The ratchet stands at {promise.uncovered}; lower it: python -m scripts.failure_rows --update")
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.failure_rows", description="Which promised faults have no test."
    )
    parser.add_argument(
        "--update", action="store_true", help="lower the ratchet to what is uncovered now; never raises it"
    )
    return check(ROWS, TESTS, MATRIX, update=parser.parse_args(arguments).update, promises=PROMISES)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

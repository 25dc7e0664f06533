"""The fault list's keeper: what it counts, what it refuses, and that it judges this very project."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import failure_rows

PROMISE = "now C1-C3 T1\nlater W1\nuncovered 1\n"


def write_tests(folder: Path, source: str) -> Path:
    tests = folder / "tests"
    tests.mkdir(exist_ok=True)
    (tests / "test_some.py").write_text(source, encoding="utf-8")
    return tests


def hollowness(tmp_path: Path, source: str) -> str:
    [found] = failure_rows.read_tests(write_tests(tmp_path, source))
    return found.hollow


def test_a_range_names_each_of_its_rows() -> None:
    assert list(failure_rows.expand(["SEC7-SEC9", "G2"])) == ["SEC7", "SEC8", "SEC9", "G2"]


@pytest.mark.parametrize("word", ["C1-T3", "C3-C1", "c1", "C", "C1-", "C1,C2"])
def test_a_word_that_is_no_range_is_quoted(word: str) -> None:
    with pytest.raises(ValueError, match=repr(word)):
        list(failure_rows.expand([word]))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("now C1\n", "is missing"),
        ("now C1-C3\nlater C2\nuncovered 0\n", "Listed twice: C2"),
        ("soon C1\nuncovered 0\n", "'soon C1'"),
        ("now C1\nuncovered few\n", "'uncovered few'"),
    ],
)
def test_a_list_that_can_not_be_read_says_where(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        failure_rows.read_promise(text)


def test_a_comment_lists_nothing() -> None:
    promise = failure_rows.read_promise("# now C9\nnow C1 # and C2\nuncovered 0\n")
    assert promise == failure_rows.Promise(("C1",), (), 0)


def test_a_test_covers_the_rows_its_name_begins_with(tmp_path: Path) -> None:
    source = """
def test_C1_C2_two_rows_at_once(): assert f()
class TestMore:
    async def test_T1_a_method_counts(self): assert f()
def test_no_row_here_though_C3_stands_later(): assert f()
def helper_C3_is_no_test(): assert f()
"""
    tests = failure_rows.read_tests(write_tests(tmp_path, source))
    promise = failure_rows.read_promise(PROMISE)
    assert {row for test in tests for row in test.rows} == {"C1", "C2", "T1"}
    assert failure_rows.uncovered(promise, tests) == ["C3"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def test_C1_x(): pass", "has an empty body"),
        ("def test_C1_x():\n    '''Only words.'''\n    ...", "has an empty body"),
        ("@pytest.mark.skip(reason='later')\ndef test_C1_x(): assert f()", "is marked skip or xfail"),
        ("@pytest.mark.xfail\ndef test_C1_x(): assert f()", "is marked skip or xfail"),
        ("def test_C1_x():\n    pytest.skip('later')\n    assert f()", "skips itself first thing"),
        ("def test_C1_x():\n    '''Doc.'''\n    raise SkipTest('later')", ""),
        ("@pytest.mark.skipif(cond, reason='no strace')\ndef test_C1_x(): assert f()", ""),
        ("def test_C1_x():\n    if not there: pytest.skip('no samples')\n    assert f()", ""),
    ],
)
def test_a_test_that_proves_nothing_is_told_from_one_that_skips_for_a_cause(
    tmp_path: Path, source: str, why: str
) -> None:
    assert hollowness(tmp_path, source) == why


def test_a_hollow_test_covers_no_row_and_is_named(tmp_path: Path) -> None:
    tests = failure_rows.read_tests(write_tests(tmp_path, "def test_C1_x(): pass"))
    promise = failure_rows.read_promise(PROMISE)
    assert "C1" in failure_rows.uncovered(promise, tests)
    assert failure_rows.problems(promise, tests, set()) == ["tests/test_some.py:1 test_C1_x has an empty body."]


def test_a_mistyped_row_in_a_name_is_told(tmp_path: Path) -> None:
    tests = failure_rows.read_tests(write_tests(tmp_path, "def test_C33_x(): assert f()"))
    [problem] = failure_rows.problems(failure_rows.read_promise(PROMISE), tests, set())
    assert "carries C33" in problem


def test_a_shop_s_trap_does_not_claim_the_fault_of_the_same_letter(tmp_path: Path) -> None:
    (tmp_path / "tests" / "sources").mkdir(parents=True)
    source = "def test_D6_bundles(): assert f()\ndef test_trap_D8_ids(): assert f()\ndef test_C1_cut(): assert f()\n"
    (tmp_path / "tests" / "sources" / "test_shop.py").write_text(source, encoding="utf-8")
    tests = failure_rows.read_tests(tmp_path / "tests")
    promise = failure_rows.read_promise("now C1 D6 D8\nuncovered 2\n")
    assert failure_rows.uncovered(promise, tests) == ["D6", "D8"]
    [problem] = failure_rows.problems(promise, tests, set())
    assert problem.endswith("claims the fault D6 but is about the shops' trap of that name: put trap_ before it.")


def test_the_list_and_the_matrix_must_know_the_same_rows() -> None:
    matrix = failure_rows.read_matrix(
        "| C1 | cut row |\n| **C2** | quote |\n| T1 | x |\n| W1 | y |\n| R9 | z |\n| N1 | a question? |\n"
    )
    found = failure_rows.problems(failure_rows.read_promise(PROMISE), [], matrix)
    assert found == [
        "failure_rows.txt lists C3, which the failure matrix doesn't know.",
        "The failure matrix has R9; list it as now or later.",
    ]


def run(tmp_path: Path, promise: str, source: str, *, update: bool = False) -> tuple[int, str]:
    rows = tmp_path / "failure_rows.txt"
    rows.write_text(promise, encoding="utf-8")
    code = failure_rows.check(rows, write_tests(tmp_path, source), tmp_path / "no-matrix.md", update=update)
    return code, rows.read_text(encoding="utf-8")


THREE_COVERED = "def test_C1_C2_x(): assert f()\ndef test_T1_x(): assert f()"


def test_more_uncovered_rows_than_the_ratchet_allows_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run(tmp_path, PROMISE, "def test_C1_x(): assert f()")
    said = capsys.readouterr()
    assert code == 1
    assert "  C   C2 C3\n  T   T1" in said.out
    assert "3 rows have no test; 1 are allowed." in said.err


def test_as_many_uncovered_rows_as_allowed_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, PROMISE, THREE_COVERED)[0] == 0
    assert "3 of 4 have a test (2 tests), 1 wait for later rooms." in capsys.readouterr().out


def test_update_lowers_the_ratchet(tmp_path: Path) -> None:
    _, text = run(tmp_path, PROMISE.replace("uncovered 1", "uncovered 3"), THREE_COVERED, update=True)
    assert text == PROMISE


def test_update_never_raises_the_ratchet(tmp_path: Path) -> None:
    code, text = run(tmp_path, PROMISE, "", update=True)
    assert code == 1
    assert text == PROMISE


def test_this_project_is_within_its_ratchet_and_no_test_of_it_is_hollow(capsys: pytest.CaptureFixture[str]) -> None:
    code = failure_rows.main([])
    assert code == 0, capsys.readouterr().err

"""Killed at any system call, starved of space at any write: what was recorded stays, what was not is read again."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.ledger.connection import LedgerDoubtful, LedgerFull, as_ledger_error, in_memory, open_ledger
from connector.ledger.reading import reading
from connector.ledger.soundness import check
from tests.faults import cycle
from tests.faults.strace import KILLED, needs_strace, under_strace
from tests.ledger.given import START, an_order, count, states, the_shop_shows

pytestmark = needs_strace
CYCLE = "tests.faults.cycle"
ORDERS_OF_PAGES = {"": set[str](), "1": {"0", "1", "2", "3"}, "2": {"0", "1", "2", "3", "4", "5"}}


def recorded(said: str) -> int:
    """How many orders the program said were surely recorded, before it died."""
    return max((int(each) for each in re.findall(r"^recorded (\d+)$", said, re.M)), default=0)


def held_to_what_was_promised(folder: Path, said: str) -> None:
    """What must hold the moment after the fault: failures.md 3.5, rules 2, 4 and 6, and no commit taken back."""
    if not (folder / "state/ledger.db").exists():
        assert recorded(said) == 0
        return
    with reading(folder / "state") as db:
        assert check(db) == []
        orders = {row[0] for row in db.execute("SELECT order_id FROM slips")}
        cursor = dict(db.execute("SELECT store, cursor FROM cursors").fetchall()).get("kiwi", "")
        attempted = {row[0] for row in db.execute(
            "SELECT s.number FROM slips s JOIN versions v ON v.slip_id = s.id"
            " JOIN attempt_versions a ON a.version_id = v.id"
        )}  # fmt: skip
        versions = db.execute("SELECT count(*) FROM versions").fetchone()[0]
    assert orders == ORDERS_OF_PAGES[cursor], "the cursor is beyond, or behind, what is in the ledger"
    assert versions >= recorded(said), "a version that was recorded is gone"
    told = {number for number, _ in cycle.GssFile(folder / "gss").told()}
    assert told <= attempted, "something left before it was written down"


def comes_to_rest(folder: Path) -> None:
    """Two undisturbed runs later GSS has each order once, as the shop shows it, and the ledger says so."""
    for _ in range(2):
        cycle.run(folder)
    pending = cycle.GssFile(folder / "gss").pending()
    assert {number: cycle.AT_REST[number] in body for number, body in pending.items()} == dict.fromkeys(
        cycle.AT_REST, True
    )
    with open_ledger(folder / "state", now=START) as ledger:
        assert count(ledger, "attempts", "outcome IS NULL") == 0
        assert states(ledger)["1"] in ("accepted", "withdrawn"), "cancelled after it was sent, or before"
        assert {state for order, state in states(ledger).items() if order != "1"} == {"accepted"}
        assert count(ledger, "versions") == 8


def killed_at(call: str, calls: range, tmp_path: Path) -> int:
    """Kill the run at these calls of a kind until one run ends unharmed. Returns how many were killed."""
    for kills, number in enumerate(calls):
        folder = tmp_path / f"{call}-{number}"
        folder.mkdir()
        ran = under_strace(CYCLE, folder, f"{call}:signal=SIGKILL:when={number}")
        held_to_what_was_promised(folder, ran.stdout)
        if ran.returncode == 0:
            return kills
        assert ran.returncode == KILLED, ran.stderr
        comes_to_rest(folder)
    return len(calls)


@pytest.mark.parametrize(
    ("call", "first", "step", "at_least"),
    [
        ("pwrite64", 37, 41, 5),
        ("fdatasync", 2, 7, 5),
        ("unlink", 2, 3, 2),
        ("write", 2, 3, 3),
        ("rename", 1, 1, 1),
    ],
)
def test_L1_M1_killed_at_any_call_it_goes_on_where_it_was(
    tmp_path: Path, call: str, first: int, step: int, at_least: int
) -> None:
    assert killed_at(call, range(first, 1000, step), tmp_path) >= at_least


@pytest.mark.slow
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync", "unlink", "write", "rename", "ftruncate", "flock"])
def test_L1_M1_killed_at_every_single_call(tmp_path: Path, call: str) -> None:
    assert killed_at(call, range(1, 2000), tmp_path) > 0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("pwrite64:error=ENOSPC:when=120", "LedgerFull"),
        ("pwrite64:error=ENOSPC:when=200+", "LedgerFull"),
        ("pwrite64:error=EDQUOT:when=150", "LedgerFull"),
        ("pwrite64:error=EDQUOT:when=230+", "LedgerFull"),
        ("pwrite64:error=EIO:when=180+", "LedgerFull"),
    ],
)
def test_L3_L24_M2_a_full_disk_leaves_whole_transactions_only_says_so_and_all_goes_on_with_space(
    tmp_path: Path, fault: str, error: str
) -> None:
    ran = under_strace(CYCLE, tmp_path, fault)
    assert ran.returncode == 3, ran.stderr
    assert re.search(rf"^{error}: .*ledger\.db: .*othing (was|is) (recorded|lost)", ran.stdout, re.M)
    held_to_what_was_promised(tmp_path, ran.stdout)
    comes_to_rest(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT", "EIO"])
@pytest.mark.parametrize("lasting", ["", "+"])
def test_L3_L24_a_full_disk_at_every_single_write(tmp_path: Path, error: str, lasting: str) -> None:
    for number in range(1, 2000, 3):
        folder = tmp_path / str(number)
        folder.mkdir()
        ran = under_strace(CYCLE, folder, f"pwrite64:error={error}:when={number}{lasting}")
        held_to_what_was_promised(folder, ran.stdout)
        if ran.returncode == 0 and number > 300:
            return
        assert ran.returncode in (0, 3), ran.stderr
        comes_to_rest(folder)


@pytest.mark.parametrize("when", [20, 30, 41])
def test_L4_a_failed_sync_is_not_tried_again_and_the_ledger_is_read_through_at_the_next_start(
    tmp_path: Path, when: int
) -> None:
    """Only one fdatasync fails; the next would be answered with success, though the pages may be gone."""
    log = tmp_path / "calls"
    ran = under_strace(CYCLE, tmp_path, f"fdatasync:error=EIO:when={when}", trace="pwrite64,fdatasync", log=log)
    assert ran.returncode == 3, ran.stderr
    assert "LedgerDoubtful: " in ran.stdout
    assert "Check the disk, then start again" in ran.stdout
    held_to_what_was_promised(tmp_path, ran.stdout)
    with reading(tmp_path / "state") as db:
        assert db.execute("SELECT count(*) FROM runs WHERE ended_at IS NULL").fetchone()[0] == 1, (
            "it shows as not ended"
        )
    comes_to_rest(tmp_path)


def test_L4_after_a_failed_sync_nothing_more_is_written_on_that_connection() -> None:
    err = sqlite3.OperationalError("disk I/O error")
    err.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    with in_memory() as ledger:
        with pytest.raises(LedgerDoubtful), ledger.writing():
            raise err
        for _ in range(2):
            with pytest.raises(LedgerDoubtful, match="Check the disk"):
                the_shop_shows(ledger, an_order())
        assert count(ledger, "slips") == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("openat:error=EROFS:when=1+", "can't be opened"),
        ("openat:error=EMFILE:when=2", "may open more files"),
        ("openat:error=EACCES:when=2+", "read-only"),
    ],
)
def test_L5_L17_a_journal_that_can_not_be_made_is_said_and_nothing_is_half_written(
    tmp_path: Path, fault: str, words: str
) -> None:
    cycle.run(tmp_path)
    before = (tmp_path / "state/ledger.db").read_bytes()
    journal = tmp_path / "state/ledger.db-journal"
    ran = under_strace(CYCLE, tmp_path, fault, only=journal)
    if ran.returncode == 0:
        pytest.skip("this journal mode opens no such file")
    assert ran.returncode == 3, ran.stderr
    assert ran.stdout.splitlines()[-1].startswith("LedgerFull: ")
    assert words in ran.stdout
    if "when=1+" in fault:
        assert (tmp_path / "state/ledger.db").read_bytes() == before
    comes_to_rest(tmp_path)


def test_L5_a_ledger_on_a_read_only_disk_is_refused_in_words(tmp_path: Path) -> None:
    cycle.run(tmp_path)
    ran = under_strace(CYCLE, tmp_path, "openat:error=EROFS:when=1+", only=tmp_path / "state/ledger.db")
    assert ran.returncode == 3, ran.stderr
    assert ran.stdout.startswith("LedgerFull: ")


WRITE = re.compile(r"\b(pwrite64|write|fdatasync|fsync|unlink)\((?:\d+<([^>]*)>|AT_FDCWD, |)\"?([^\",)]*)")


class Unsynced:
    """What a power cut could still take: files written but not synced, and folders whose names changed."""

    def __init__(self) -> None:
        self.files: set[str] = set()

    def see(self, line: str) -> tuple[str, str] | None:
        """Take in one traced call; (call, path) of it."""
        found = WRITE.search(line)
        if found is None or " = -1 " in line:
            return None
        call, by_handle, by_name = found.groups()
        path = by_handle or by_name
        if call in ("fdatasync", "fsync"):
            self.files.discard(path)
        elif "/ledger.db" in path and call == "pwrite64":
            assert f"{path}-journal" not in self.files, "a page is written before what could restore it is safe"
            self.files.add(path)
        elif "/ledger.db" in path and call == "unlink":
            self.files.discard(path)
            self.files.add(str(Path(path).parent))
        return call, path


def traced(folder: Path) -> Iterator[str]:
    log = folder / "calls"
    ran = under_strace(CYCLE, folder, trace="pwrite64,write,fdatasync,fsync,unlink", log=log, decoded=True)
    assert ran.returncode == 0, ran.stderr
    yield from log.read_text(encoding="utf-8", errors="replace").splitlines()


def test_L2_M6_nothing_is_promised_and_nothing_leaves_before_all_of_it_is_on_the_disk(tmp_path: Path) -> None:
    """A power cut takes what is not synced, the removal of a journal too: at each word to the outside nothing is left.

    The words are the lines on stdout (a page is recorded) and what GSS is told; the calls are those of a real run.
    """
    unsynced, words, synced = Unsynced(), 0, 0
    for line in traced(tmp_path):
        call, path = unsynced.see(line) or ("", "")
        synced += call in ("fdatasync", "fsync")
        if call == "write" and (path.endswith("/gss") or path.startswith("pipe:")):
            words += 1
            assert unsynced.files == set(), f"said before it was synced: {line[:120]}"
    assert words >= 8
    assert synced >= 20


def test_the_check_above_can_fail() -> None:
    unsynced = Unsynced()
    for line in ('1 pwrite64(3</s/ledger.db-journal>, "..", 9, 0) = 9', "1 fdatasync(3</s/ledger.db-journal>) = 0"):
        unsynced.see(line)
    assert unsynced.files == set()
    unsynced.see('1 unlink("/s/ledger.db-journal") = 0')
    assert unsynced.files == {"/s"}, "as with synchronous=FULL: the removed journal may come back and undo the commit"
    unsynced.see("1 fdatasync(4</s>) = 0")
    unsynced.see('1 pwrite64(3</s/ledger.db-journal>, "..", 9, 0) = 9')
    with pytest.raises(AssertionError, match="before what could restore it is safe"):
        unsynced.see('1 pwrite64(4</s/ledger.db>, "..", 9, 0) = 9')


def test_a_full_disk_is_told_from_a_failing_one() -> None:
    full, failing = sqlite3.OperationalError("full"), sqlite3.OperationalError("failing")
    full.sqlite_errorcode, failing.sqlite_errorcode = sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_FSYNC
    assert type(as_ledger_error(full, None)) is LedgerFull
    assert type(as_ledger_error(failing, None)) is LedgerDoubtful

"""The ledger's schema from release to release: old or new, never between, and never back."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connector.ledger import schema
from connector.ledger.connection import LedgerError, open_ledger
from connector.ledger.reading import reading
from connector.ledger.soundness import check
from tests.faults.strace import KILLED, needs_strace, under_strace
from tests.faults.upgrade import one_more
from tests.ledger.given import ROOT, an_order, claimed, sent, states, the_shop_shows
from tests.ledger.test_outbox import fill_with_old_rows

FIXTURES = Path(__file__).parent / "fixtures"
PROGRAM = "tests.faults.upgrade"
NEXT = schema.CURRENT + 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger of this release: two orders, one of them sent, one in an open attempt."""
    with open_ledger(tmp_path / "state") as ledger:
        the_shop_shows(ledger, an_order("1"))
        sent(ledger)
        the_shop_shows(ledger, an_order("2"))
        claimed(ledger)
    return tmp_path


def add_steps(monkeypatch: pytest.MonkeyPatch, *steps: schema.Step) -> None:
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, *steps))
    monkeypatch.setattr(schema, "CURRENT", len(schema.STEPS))


def version_and_notes(state: Path) -> tuple[int, bool]:
    """The schema's number, and whether what the next step brings is there."""
    db = sqlite3.connect(state / "ledger.db")
    columns = {row[1] for row in db.execute("PRAGMA table_info(slips)")}
    number = schema.version_of(db)
    assert check(db) == []
    assert db.execute("SELECT count(*) FROM slips").fetchone() == (2,)
    assert db.execute("SELECT cursor FROM cursors").fetchall() == [("read",)]
    db.close()
    return number, "note" in columns


OLD, NEW = (schema.CURRENT, False), (NEXT, True)


@pytest.mark.parametrize("dump", sorted(FIXTURES.glob("schema_*.sql")), ids=lambda path: path.stem)
def test_V1_a_ledger_of_every_release_opens_and_goes_on(tmp_path: Path, dump: Path) -> None:
    """Each dump holds one order that was sent and one left in an open attempt (V5)."""
    path = tmp_path / "ledger.db"
    path.touch(0o600)
    db = sqlite3.connect(path)
    db.executescript(dump.read_text(encoding="utf-8"))
    db.close()
    with open_ledger(tmp_path) as ledger:
        assert schema.version_of(ledger.db) == schema.CURRENT
        assert states(ledger) == {"1": "accepted", "2": "sending"}
        the_shop_shows(ledger, an_order("3"))
        assert sent(ledger) == ["#3"]


def test_every_release_has_its_dump() -> None:
    assert {path.stem for path in FIXTURES.glob("schema_*.sql")} == {f"schema_{n + 1}" for n in range(schema.CURRENT)}


def test_V1_an_upgrade_keeps_every_row_and_leaves_a_backup_of_the_old_ledger(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_steps(monkeypatch, one_more)
    with open_ledger(folder / "state") as ledger:
        assert states(ledger) == {"1": "accepted", "2": "sending"}
        assert ledger.db.execute("SELECT DISTINCT note FROM slips").fetchall() == [("carried over",)]
    assert version_and_notes(folder / "state") == NEW
    kept = sqlite3.connect(folder / "state" / f"ledger.before-schema-{NEXT}.db")
    assert schema.version_of(kept) == schema.CURRENT - 1
    kept.close()


def test_V1_several_steps_are_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(db: sqlite3.Connection) -> None:
        db.execute("UPDATE slips SET note = missing")

    add_steps(monkeypatch, one_more, broken)
    with pytest.raises(LedgerError, match="no such column"):
        open_ledger(folder / "state")
    assert version_and_notes(folder / "state") == OLD


@needs_strace
@pytest.mark.parametrize(("call", "first", "step"), [("pwrite64", 11, 31), ("fdatasync", 2, 3), ("unlink", 2, 2)])
def test_V1_an_upgrade_killed_at_any_call_leaves_the_old_or_the_new_schema_whole(
    folder: Path, call: str, first: int, step: int
) -> None:
    assert killed_while_upgrading(folder, call, range(first, 500, step)) >= 2


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync", "unlink", "rename", "flock", "ftruncate"])
def test_V1_an_upgrade_killed_at_every_single_call(folder: Path, call: str) -> None:
    killed_while_upgrading(folder, call, range(1, 800))


def killed_while_upgrading(folder: Path, call: str, calls: range) -> int:
    original = (folder / "state/ledger.db").read_bytes()
    for kills, number in enumerate(calls):
        put_back(folder, original)
        ran = under_strace(PROGRAM, folder, f"{call}:signal=SIGKILL:when={number}")
        assert version_and_notes(folder / "state") in (OLD, NEW)
        if ran.returncode == 0:
            return kills
        assert ran.returncode == KILLED, ran.stderr
        assert upgraded(folder) == f"schema {NEXT}\n"
        assert version_and_notes(folder / "state") == NEW
    return len(calls)


def put_back(folder: Path, original: bytes) -> None:
    for path in (folder / "state").glob("ledger*"):
        path.unlink()
    path = folder / "state/ledger.db"
    path.touch(0o600)
    path.write_bytes(original)


def upgraded(folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-m", PROGRAM, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    ).stdout


@needs_strace
@pytest.mark.parametrize("when", ["3+", "20", "36+", "45", "52+"])
def test_V2_an_upgrade_without_space_leaves_the_old_ledger_and_says_so(folder: Path, when: str) -> None:
    ran = under_strace(PROGRAM, folder, f"pwrite64:error=ENOSPC:when={when}")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "disk is full" in ran.stdout
    assert version_and_notes(folder / "state") == OLD
    assert upgraded(folder) == f"schema {NEXT}\n"


def test_V3_a_ledger_of_a_newer_program_is_refused_and_not_a_byte_of_it_is_touched(folder: Path) -> None:
    assert upgraded(folder) == f"schema {NEXT}\n"
    before = fingerprints(folder / "state")
    for _ in range(2):
        with pytest.raises(LedgerError, match=rf"newer connector \(schema {NEXT}, .*Nothing was touched"):
            open_ledger(folder / "state")
    with pytest.raises(LedgerError, match="a newer one needs a newer program"), reading(folder / "state"):
        pass
    assert fingerprints(folder / "state") == before


def test_V3_nor_is_it_taken_out_of_wal_mode(folder: Path) -> None:
    """The journal mode stands in the file: setting it would be the first byte touched."""
    assert upgraded(folder) == f"schema {NEXT}\n"
    db = sqlite3.connect(folder / "state/ledger.db")
    db.execute("PRAGMA journal_mode = wal")
    db.close()
    before = fingerprints(folder / "state")
    with pytest.raises(LedgerError, match="newer connector"):
        open_ledger(folder / "state")
    assert fingerprints(folder / "state") == before


def fingerprints(state: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in state.iterdir()}


def test_V7_rows_that_break_what_a_step_asks_for_stop_the_upgrade_and_the_old_ledger_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stricter(db: sqlite3.Connection) -> None:
        one_more(db)
        db.execute("CREATE TABLE strict (cursor TEXT CHECK (length(cursor) > 10)) STRICT")
        db.execute("INSERT INTO strict SELECT cursor FROM cursors")

    add_steps(monkeypatch, stricter)
    with pytest.raises(LedgerError, match="CHECK constraint failed"):
        open_ledger(folder / "state")
    assert version_and_notes(folder / "state") == OLD


def test_V7_an_upgrade_whose_check_fails_is_undone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(db: sqlite3.Connection) -> None:
        one_more(db)
        db.execute("CREATE TABLE notes (slip_id INTEGER REFERENCES slips (id) DEFERRABLE INITIALLY DEFERRED) STRICT")
        db.execute("INSERT INTO notes VALUES (99)")

    add_steps(monkeypatch, careless)
    with pytest.raises(LedgerError, match="would break table notes; the old ledger stays as it was"):
        open_ledger(folder / "state")
    assert version_and_notes(folder / "state") == OLD


def test_V8_of_two_processes_one_upgrades_and_the_other_sees_it_done(folder: Path) -> None:
    """The backup must be of the old ledger: the second one must not make it anew from the upgraded one."""
    two = [
        subprocess.Popen(
            [sys.executable, "-m", PROGRAM, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60) for process in two]
    assert said == [(f"schema {NEXT}\n".encode(), b"")] * 3
    assert version_and_notes(folder / "state") == NEW
    kept = sqlite3.connect(folder / "state" / f"ledger.before-schema-{NEXT}.db")
    assert schema.version_of(kept) == schema.CURRENT
    kept.close()


@needs_strace
def test_V8_one_that_is_slow_with_its_backup_is_waited_for(folder: Path) -> None:
    """Both come to the backup; strace holds each back for half a second before it gives the backup its name."""
    with ThreadPoolExecutor(2) as two:
        fault = "rename:delay_enter=500000"
        ran = list(two.map(lambda _: under_strace(PROGRAM, folder, fault), range(2)))
    assert [(each.returncode, each.stdout) for each in ran] == [(0, f"schema {NEXT}\n")] * 2
    kept = sqlite3.connect(folder / "state" / f"ledger.before-schema-{NEXT}.db")
    assert schema.version_of(kept) == schema.CURRENT
    kept.close()


START_LIMIT_S = 90
"""systemd's own, for a service that is starting."""


@pytest.mark.slow
def test_V6_a_million_old_orders_would_be_upgraded_within_the_start_limit_of_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured with a fifth of them, and a fifth of the time: backup, its check, the step, and the check after it."""
    with open_ledger(tmp_path) as ledger, ledger.writing() as db:
        fill_with_old_rows(db, 200_000)
    add_steps(monkeypatch, one_more)
    begun = time.perf_counter()
    open_ledger(tmp_path).close()
    took = time.perf_counter() - begun
    with capsys.disabled():
        print(f"\nan upgrade with 200,000 old orders: {took:.1f} s")
    assert took < START_LIMIT_S / 5


MAKE = """
import sys
from pathlib import Path
from connector.ledger.connection import open_ledger
with open_ledger(Path(sys.argv[1])) as ledger, ledger.writing() as db:
    db.execute("INSERT INTO stores VALUES (?, 'x', NULL)", (sys.argv[2],))
"""


def test_V8_of_three_that_make_the_ledger_at_once_one_does_and_nobody_s_rows_are_lost(tmp_path: Path) -> None:
    for number in range(4):
        state = tmp_path / str(number)
        three = [
            subprocess.Popen([sys.executable, "-c", MAKE, str(state), name], cwd=ROOT, stderr=subprocess.PIPE)
            for name in ("kiwi", "moa", "tui")
        ]
        assert [process.communicate(timeout=60)[1] for process in three] == [b""] * 3
        with reading(state) as db:
            assert [row[0] for row in db.execute("SELECT store FROM stores ORDER BY 1")] == ["kiwi", "moa", "tui"]


def test_a_step_and_its_record_are_written_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def watched(db: sqlite3.Connection) -> None:
        db.set_trace_callback(seen.append)
        one_more(db)

    add_steps(monkeypatch, watched)
    open_ledger(folder / "state").close()
    record = next(number for number, sql in enumerate(seen) if sql.startswith(f"PRAGMA user_version = {NEXT}"))
    assert "COMMIT" in seen[record:]
    assert "COMMIT" not in seen[:record]

"""The open ledger: how it is kept, who may not open it, and that a transaction is whole or never was."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.ledger import connection, folder
from connector.ledger.backup import back_up
from connector.ledger.connection import (
    Ledger,
    LedgerBusy,
    LedgerDoubtful,
    LedgerError,
    LedgerFull,
    LedgerUnfit,
    as_ledger_error,
    in_memory,
    journal,
    open_ledger,
)
from connector.ledger.reading import reading
from connector.lock import StoreLock
from tests.ledger.given import ROOT, an_order, count, sent, states, the_shop_shows

OLDER_SQLITE = sqlite3.sqlite_version_info < (3, 51, 3)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def ledger(state: Path) -> Iterator[Ledger]:
    with open_ledger(state) as ledger:
        yield ledger


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), ("delete", "extra")),
        ((3, 44, 5), ("delete", "extra")),
        ((3, 44, 6), ("wal", "full")),
        ((3, 45, 0), ("delete", "extra")),
        ((3, 50, 6), ("delete", "extra")),
        ((3, 50, 7), ("wal", "full")),
        ((3, 51, 0), ("delete", "extra")),
        ((3, 51, 2), ("delete", "extra")),
        ((3, 51, 3), ("wal", "full")),
        ((3, 52, 0), ("wal", "full")),
    ],
)
def test_L7_SEC43_wal_is_used_only_with_an_sqlite_whose_wal_is_sound(
    version: tuple[int, int, int], mode: tuple[str, str]
) -> None:
    assert journal(version) == mode


def test_SEC43_the_ledger_is_kept_as_this_sqlite_needs_it(ledger: Ledger) -> None:
    mode, synchronous = journal()
    number = {"full": 2, "extra": 3}[synchronous]
    assert ledger.db.execute("PRAGMA journal_mode").fetchone()[0] == mode
    assert ledger.db.execute("PRAGMA synchronous").fetchone()[0] == number


def test_L7_a_ledger_left_in_wal_mode_is_taken_out_of_it_where_wal_is_not_sound(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ledger(state).close()
    db = sqlite3.connect(state / "ledger.db")
    db.execute("PRAGMA journal_mode = wal")
    db.close()
    monkeypatch.setattr(connection, "journal", lambda: ("delete", "extra"))
    with open_ledger(state) as ledger:
        assert ledger.db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


def test_L7_a_ledger_that_another_process_keeps_in_wal_mode_is_refused_where_wal_is_not_sound(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ledger(state).close()
    with sqlite3.connect(state / "ledger.db") as other:
        other.execute("PRAGMA journal_mode = wal")
        other.execute("SELECT count(*) FROM slips").fetchone()
        monkeypatch.setattr(connection, "journal", lambda: ("delete", "extra"))
        monkeypatch.setattr(connection, "BUSY_TIMEOUT_MS", 10)
        with pytest.raises(LedgerBusy, match="another process"):
            open_ledger(state)
    other.close()


def test_L7_a_journal_mode_that_does_not_hold_is_refused_even_where_sqlite_says_nothing(tmp_path: Path) -> None:
    """As for a disk without shared memory, or here for a ledger in memory: the pragma answers with another mode."""
    db = sqlite3.connect(":memory:")
    with pytest.raises(LedgerBusy, match="keeps this ledger in journal mode memory"):
        connection._set_journal(db, tmp_path)
    db.close()


@pytest.mark.parametrize("kept", ["on disk", "in memory"])
def test_L19_SEC23_every_connection_has_the_pragmas_that_keep_it_safe(state: Path, kept: str) -> None:
    with open_ledger(state) if kept == "on disk" else in_memory() as ledger:
        found = {
            name: ledger.db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in (
                "foreign_keys",
                "trusted_schema",
                "cell_size_check",
                "secure_delete",
                "ignore_check_constraints",
            )
        }
    assert found == {
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "secure_delete": 1,
        "ignore_check_constraints": 0,
    }


def test_SEC23_no_extension_can_be_loaded(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.OperationalError, match="not authorized"):
        ledger.db.execute("SELECT load_extension('anything')")


def test_L19_a_row_that_points_nowhere_or_breaks_a_check_is_refused_whole(ledger: Ledger) -> None:
    for broken in (
        "INSERT INTO attempt_versions VALUES (7, 7, NULL)",
        "INSERT INTO alerts (store, slip_id, kind, text, opened_at) VALUES ('kiwi', 7, 'held', '', '')",
        "INSERT INTO passed_over VALUES ('kiwi', '1', '', '#1', 'perhaps', '', NULL, '1', NULL, '', '', '')",
    ):
        with pytest.raises(LedgerError, match="constraint failed"), ledger.writing() as db:
            db.execute("INSERT INTO stores VALUES ('kiwi', 'x', NULL)")
            db.execute(broken)
    assert count(ledger, "stores") == 0


def test_L21_an_exception_in_a_transaction_leaves_nothing_and_the_next_one_is_unharmed(ledger: Ledger) -> None:
    for error in (RuntimeError, KeyboardInterrupt, AssertionError):
        with pytest.raises(error), ledger.writing() as db:
            db.execute("INSERT INTO stores VALUES ('kiwi', 'x', NULL)")
            raise error
    assert not ledger.db.in_transaction
    with ledger.writing() as db:
        db.execute("INSERT INTO stores VALUES ('moa', 'y', NULL)")
    assert ledger.db.execute("SELECT store FROM stores").fetchall() == [("moa",)]


def test_L6_a_ledger_locked_for_too_long_is_busy_and_nothing_is_lost(state: Path, ledger: Ledger) -> None:
    other = sqlite3.connect(state / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger.db.execute("PRAGMA busy_timeout = 5")
    with pytest.raises(LedgerBusy, match="Try again"):
        the_shop_shows(ledger, an_order())
    other.execute("COMMIT")
    other.close()
    the_shop_shows(ledger, an_order())
    assert states(ledger) == {"1": "owed"}


def test_L6_a_writer_takes_the_lock_before_it_reads(ledger: Ledger) -> None:
    """Read-then-write in a deferred transaction fails at once when another wrote in between, whatever the time-out."""
    seen: list[str] = []
    ledger.db.set_trace_callback(seen.append)
    the_shop_shows(ledger, an_order())
    sent(ledger)
    begun = [sql for sql in seen if sql.startswith("BEGIN")]
    assert begun
    assert set(begun) == {"BEGIN IMMEDIATE"}


@pytest.mark.skipif(not OLDER_SQLITE, reason="a reader blocks no commit in WAL mode")
def test_L8_a_reader_that_stays_too_long_makes_the_writer_busy_and_nothing_is_half_written(
    state: Path, ledger: Ledger
) -> None:
    ledger.db.execute("PRAGMA busy_timeout = 5")
    with reading(state) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM slips").fetchone()
        with pytest.raises(LedgerBusy):
            the_shop_shows(ledger, an_order())
        assert reader.execute("SELECT count(*) FROM slips").fetchone()[0] == 0
        reader.execute("COMMIT")
    the_shop_shows(ledger, an_order())
    assert states(ledger) == {"1": "owed"}


@pytest.mark.parametrize("what", ["renamed", "deleted", "replaced"])
def test_L10_a_ledger_moved_while_open_stops_everything_before_the_next_write(
    state: Path, ledger: Ledger, what: str
) -> None:
    path = state / "ledger.db"
    if what == "renamed":
        path.rename(state / "old.db")
    elif what == "deleted":
        path.unlink()
    else:
        copy = back_up(ledger, state / "copy.db")
        copy.replace(path)
    with pytest.raises(LedgerError, match="moved or replaced while open"):
        the_shop_shows(ledger, an_order())


@pytest.mark.parametrize(
    ("folder_at", "kind"),
    [("/srv/shop/state", "nfs4"), ("/srv/local/state", "ext4"), ("/srv/with space/state", "cifs"), ("/srvx", "ext4")],
)
def test_L12_the_disk_under_a_folder_is_told_from_the_mounts(folder_at: str, kind: str) -> None:
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\nnas:/a /srv nfs4 rw 0 0\n//pc/b /srv/with\\040space cifs rw 0 0\n"
        "/dev/sdb1 /srv/local ext4 rw 0 0\ncut\n"
    )
    assert folder.file_system_of(Path(folder_at), mounts) == kind


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "fuse.s3fs", "9p"])
def test_L12_a_ledger_on_a_network_disk_is_refused_and_not_made(
    state: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "file_system_of", lambda at, mounts: kind)
    with pytest.raises(LedgerError, match=rf"network disk \({kind}\).*Use a local one"):
        open_ledger(state)
    assert not (state / "ledger.db").exists()


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "fuseblk", "overlay", "tmpfs", ""])
def test_L12_a_local_disk_is_not_refused(kind: str) -> None:
    assert not folder.is_network(kind)


def test_L13_a_ledger_with_a_second_name_is_refused(state: Path) -> None:
    open_ledger(state).close()
    os.link(state / "ledger.db", state / "other.db")
    with pytest.raises(LedgerError, match="second name"):
        open_ledger(state)


def test_L14_a_child_that_inherited_the_ledger_can_not_write_with_it(ledger: Ledger) -> None:
    child = os.fork()
    if child == 0:
        try:
            the_shop_shows(ledger, an_order())
        except LedgerError as err:
            os._exit(17 if "after a fork" in str(err) else 18)
        os._exit(19)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17


@pytest.mark.parametrize("ending", ["", "-journal", "-wal", "-shm"])
def test_L16_a_ledger_that_others_can_read_is_refused_with_the_command_that_mends_it(state: Path, ending: str) -> None:
    open_ledger(state).close()
    exposed = state / f"ledger.db{ending}"
    exposed.touch()
    exposed.chmod(0o640)
    with pytest.raises(LedgerError, match=rf"Run: chmod 600 .*ledger\.db{ending}$"):
        open_ledger(state)


def test_L16_an_open_folder_of_ours_is_closed(state: Path) -> None:
    state.mkdir(mode=0o755)
    open_ledger(state).close()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_L16_L24_SEC17_whatever_the_umask_all_the_ledger_leaves_is_ours_alone(state: Path) -> None:
    """In the middle of a transaction, so that the journal is there too; the umask is the loosest there is."""
    before = os.umask(0)
    try:
        with open_ledger(state) as ledger, StoreLock(state, "kiwi"):
            the_shop_shows(ledger, an_order())
            back_up(ledger, state / "copy.db")
            with ledger.writing() as db:
                db.execute("UPDATE slips SET ticket = 'T1'")
                modes = {str(path.relative_to(state)): stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*")}
    finally:
        os.umask(before)
    beside = "ledger.db-wal" if journal()[0] == "wal" else "ledger.db-journal"
    assert {"ledger.db", beside, "copy.db", "locks", "locks/kiwi.lock"} <= set(modes)
    assert modes.pop("locks") == 0o700
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_ledger_cut_to_nothing_never_passes_for_a_new_one(state: Path) -> None:
    """Taken for new, every order ever sent would be sent again."""
    open_ledger(state).close()
    os.truncate(state / "ledger.db", 0)
    with pytest.raises(LedgerError, match=r"the ledger is empty.*Restore a backup"):
        open_ledger(state)


def test_a_half_made_ledger_of_a_killed_process_is_made_anew(state: Path) -> None:
    state.mkdir()
    (state / "ledger.db.new").write_bytes(b"half")
    with open_ledger(state) as ledger:
        the_shop_shows(ledger, an_order())
    assert not (state / "ledger.db.new").exists()


def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(state: Path) -> None:
    state.mkdir(mode=0o700)
    path = state / "ledger.db"
    path.touch(0o600)
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE recipes (name)")
    db.close()
    found = path.read_bytes()
    with pytest.raises(LedgerError, match="no ledger of ours"):
        open_ledger(state)
    assert path.read_bytes() == found


def test_a_state_folder_that_is_a_file_is_said_to_be_unusable(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"can't be opened or made here \(File exists\)"):
        open_ledger(tmp_path / "state")


def test_L21_a_transaction_that_can_not_even_be_undone_is_an_error_of_the_ledger_s_own(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="closed database"), ledger.writing() as db:
        db.close()
        raise RuntimeError


def test_without_leave_to_make_one_a_missing_ledger_is_said_to_be_missing(state: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger yet"):
        open_ledger(state, create=False)
    assert not state.exists()


def test_a_folder_whose_name_means_something_in_a_uri_is_only_a_folder(tmp_path: Path) -> None:
    odd = tmp_path / "50% off?mode=memory#1"
    with open_ledger(odd) as ledger:
        the_shop_shows(ledger, an_order())
    with open_ledger(odd) as ledger:
        assert states(ledger) == {"1": "owed"}


NO_HANDLES = """
import resource, sys
from pathlib import Path
from connector.ledger.connection import LedgerFull, open_ledger
from tests.ledger.given import an_order, the_shop_shows, states
with open_ledger(Path(sys.argv[1])) as ledger:
    the_shop_shows(ledger, an_order("1"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (ledger_handles := len(list(Path("/proc/self/fd").iterdir())) - 1, 4096))
    try:
        the_shop_shows(ledger, an_order("2"))
    except LedgerFull as err:
        print(err)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    the_shop_shows(ledger, an_order("3"))
    print(states(ledger))
"""


def test_L17_without_a_file_handle_left_nothing_is_half_written_and_it_goes_on_when_there_is_one(state: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_HANDLES, str(state)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    said, stands = done.stdout.splitlines()
    assert "may open more files" in said
    assert stands == "{'1': 'owed', '3': 'owed'}"


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_BUSY, LedgerBusy, "Try again"),
        (sqlite3.SQLITE_FULL, LedgerFull, "Make space"),
        (sqlite3.SQLITE_READONLY, LedgerFull, "read-only"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, LedgerFull, "read-only"),
        (sqlite3.SQLITE_IOERR_WRITE, LedgerFull, "quota"),
        (sqlite3.SQLITE_CANTOPEN, LedgerFull, "may open more files"),
        (sqlite3.SQLITE_IOERR_FSYNC, LedgerDoubtful, "Check the disk, then start again"),
        (sqlite3.SQLITE_CORRUPT, LedgerUnfit, "Restore a backup"),
        (sqlite3.SQLITE_NOTADB, LedgerUnfit, "Restore a backup"),
        (sqlite3.SQLITE_ERROR, LedgerError, "odd"),
    ],
)
def test_L3_L5_an_error_of_sqlite_says_where_and_what_to_do(code: int, kind: type[LedgerError], words: str) -> None:
    err = sqlite3.OperationalError("odd")
    err.sqlite_errorcode = code
    found = as_ledger_error(err, Path("state/ledger.db"))
    assert type(found) is kind
    assert str(found).startswith("state/ledger.db: ")
    assert words in str(found)

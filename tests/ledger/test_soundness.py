"""A damaged or doctored ledger is found before anything is sent from it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.ledger import soundness
from connector.ledger.connection import Ledger, LedgerError, open_ledger
from connector.ledger.reading import reading
from connector.ledger.times import stamp
from tests.ledger.given import DAY, HOUR, MINUTE, START, an_order, claimed, count, sent, states, the_shop_shows

PAGE = 4096
ORDERS = 40


def what_is_owed(ledger: Ledger) -> list[bytes]:
    attempts = claimed(ledger)
    return [item.body or b"" for attempt in attempts for item in attempt.items]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[bytes]]:
    """A ledger with sent and owed slips: its bytes, and the bodies it owes."""
    state = tmp_path_factory.mktemp("whole")
    with open_ledger(state) as ledger:
        the_shop_shows(ledger, *(an_order(str(i)) for i in range(ORDERS)))
        sent(ledger)
        the_shop_shows(ledger, *(an_order(str(i), "2", f"{i} Rata Street") for i in range(ORDERS)))
    found = (state / "ledger.db").read_bytes()
    with open_ledger(state) as ledger:
        return found, what_is_owed(ledger)


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """One page flipped in a bit, zeroed, torn in the middle or filled with noise."""
    page = chance.randrange(len(whole) // PAGE) * PAGE
    at = page + chance.randrange(PAGE)
    kind = chance.choice(["flipped bit", "zeroed", "torn", "noise", "another page"])
    if kind == "flipped bit":
        return whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]
    if kind == "zeroed":
        return whole[:page] + bytes(PAGE) + whole[page + PAGE :]
    if kind == "torn":
        return whole[: page + PAGE // 2] + bytes(PAGE // 2) + whole[page + PAGE :]
    if kind == "noise":
        return whole[:page] + chance.randbytes(PAGE) + whole[page + PAGE :]
    other = chance.randrange(len(whole) // PAGE) * PAGE
    return whole[:page] + whole[other : other + PAGE] + whole[page + PAGE :]


def sends(state: Path, found: bytes) -> list[bytes] | None:
    """What a ledger of these bytes would send; None where it is refused."""
    state.mkdir(mode=0o700)
    path = state / "ledger.db"
    path.touch(0o600)
    path.write_bytes(found)
    try:
        with open_ledger(state) as ledger:
            return what_is_owed(ledger)
    except LedgerError:
        return None


def play(tmp_path: Path, whole: tuple[bytes, list[bytes]], seeds: range) -> int:
    """How many of these damages were noticed. With every other one, what is sent is what was recorded.

    Not all of it, in one damage of a thousand: SQLite has no checksums, and a bit flipped in a time puts a slip off.
    """
    found, owed = whole
    noticed = 0
    for seed in seeds:
        sending = sends(tmp_path / str(seed), damaged(found, random.Random(seed)))
        noticed += sending is None
        assert sending is None or set(sending) <= set(owed), f"seed {seed}: something else is sent"
    return noticed


def test_L9_nothing_but_what_was_recorded_is_ever_sent_from_a_damaged_ledger(
    tmp_path: Path, whole: tuple[bytes, list[bytes]]
) -> None:
    assert play(tmp_path, whole, range(100)) > 50


@pytest.mark.slow
def test_L9_a_thousand_random_damages(tmp_path: Path, whole: tuple[bytes, list[bytes]]) -> None:
    assert play(tmp_path, whole, range(1000)) > 500


@pytest.mark.parametrize("what", ["a zeroed header", "half a file", "a page short", "text"])
def test_L9_a_file_that_is_hardly_a_ledger_any_more_is_said_to_be_damaged(
    tmp_path: Path, whole: tuple[bytes, list[bytes]], what: str
) -> None:
    found = whole[0]
    state = tmp_path / "state"
    state.mkdir()
    path = state / "ledger.db"
    path.touch(0o600)
    path.write_bytes(
        {
            "a zeroed header": bytes(100) + found[100:],
            "half a file": found[: len(found) // 2],
            "a page short": found[:-PAGE],
            "text": b"to be restored\n" * 500,
        }[what]
    )
    with pytest.raises(LedgerError, match=r"damaged.*Restore a backup"):
        open_ledger(state)


def test_L9_a_letter_that_changed_in_an_address_is_noticed_before_it_is_sent(tmp_path: Path) -> None:
    """No check of SQLite's can see it; the hash recorded beside the body does."""
    with open_ledger(tmp_path) as ledger:
        the_shop_shows(ledger, an_order(street="1 Kowhai Road"))
    path = tmp_path / "ledger.db"
    path.write_bytes(path.read_bytes().replace(b"1 KOWHAI ROAD", b"7 KOWHAI ROAD").replace(b"1 Kowhai", b"7 Kowhai"))
    with open_ledger(tmp_path) as ledger, pytest.raises(LedgerError, match="slip #1 is not as it was recorded"):
        claimed(ledger)
    with open_ledger(tmp_path) as ledger:
        assert count(ledger, "attempts") == 0


DOCTORED = {
    "a trigger": "CREATE TRIGGER theft AFTER INSERT ON slips BEGIN DELETE FROM versions; END",
    "a view": "CREATE VIEW more AS SELECT 1",
    "a lost index": "DROP INDEX one_newest",
    "a lost trigger": "DROP TRIGGER actions_are_never_deleted",
    "a column": "ALTER TABLE slips ADD COLUMN more TEXT",
    "a table": "CREATE TABLE more (a)",
}


@pytest.mark.parametrize("what", DOCTORED)
def test_L23_a_ledger_whose_tables_were_changed_is_refused(tmp_path: Path, what: str) -> None:
    open_ledger(tmp_path).close()
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute(DOCTORED[what])
    db.close()
    with pytest.raises(LedgerError, match="somebody changed them"):
        open_ledger(tmp_path)


def test_L23_statistics_and_a_tidy_up_by_hand_are_no_change_of_the_tables(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        the_shop_shows(ledger, an_order())
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute("ANALYZE")
    db.execute("VACUUM")
    db.close()
    with open_ledger(tmp_path) as ledger:
        assert states(ledger) == {"1": "owed"}


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A ledger that counts as large, checked at START."""
    monkeypatch.setattr(soundness, "SMALL_BYTES", 0)
    with open_ledger(tmp_path, now=START) as ledger:
        the_shop_shows(ledger, an_order())
    yield tmp_path


def checked_at(state: Path) -> datetime:
    with reading(state) as db:
        return datetime.fromisoformat(db.execute("SELECT at FROM checks").fetchone()[0])


def test_L9_a_large_ledger_is_read_through_once_a_day(large: Path) -> None:
    open_ledger(large, now=START + DAY - MINUTE).close()
    assert checked_at(large) == START
    open_ledger(large, now=START + DAY + MINUTE).close()
    assert checked_at(large) == START + DAY + MINUTE


def test_L9_a_clock_set_back_does_not_put_off_the_check(large: Path) -> None:
    open_ledger(large, now=START - 30 * DAY).close()
    assert checked_at(large) == START - 30 * DAY


@pytest.mark.parametrize(("ended_at", "checked_again"), [(None, True), (stamp(START + HOUR), False)])
def test_L11_after_a_run_that_never_ended_a_large_ledger_is_read_through_once(
    large: Path, ended_at: str | None, checked_again: bool
) -> None:
    """A killed process may have left a journal, and a clean-up job may have removed it."""
    with open_ledger(large, now=START) as ledger, ledger.writing() as db:
        db.execute(
            "INSERT INTO runs (store, started_at, ended_at) VALUES ('kiwi', ?, ?)", (stamp(START + MINUTE), ended_at)
        )
    open_ledger(large, now=START + 2 * HOUR).close()
    assert (checked_at(large) == START + 2 * HOUR) is checked_again
    open_ledger(large, now=START + 3 * HOUR).close()
    assert (checked_at(large) == START + 2 * HOUR) is checked_again, "once is enough"


def test_L11_a_journal_removed_in_mid_commit_is_found_at_the_next_start(tmp_path: Path) -> None:
    """The pages of half a transaction, as a kill leaves them, and the journal that could undo them gone."""
    with open_ledger(tmp_path) as ledger:
        the_shop_shows(ledger, *(an_order(str(i)) for i in range(60)))
        before = (tmp_path / "ledger.db").read_bytes()
        sent(ledger)
    after = (tmp_path / "ledger.db").read_bytes()
    half = b"".join(
        (after if number % 2 else before)[number * PAGE : (number + 1) * PAGE] for number in range(len(after) // PAGE)
    )
    (tmp_path / "ledger.db").write_bytes(half)
    with pytest.raises(LedgerError, match="damaged"):
        open_ledger(tmp_path)


def test_V10_another_sqlite_underneath_reads_the_ledger_through_and_is_written_down(large: Path) -> None:
    db = sqlite3.connect(large / "ledger.db")
    with db:
        assert db.execute("SELECT sqlite FROM checks").fetchone() == (sqlite3.sqlite_version,)
        db.execute("UPDATE checks SET sqlite = '3.39.0'")
    db.close()
    open_ledger(large, now=START + HOUR).close()
    assert checked_at(large) == START + HOUR


def test_a_large_ledger_found_damaged_is_refused_and_the_next_start_looks_again(large: Path) -> None:
    db = sqlite3.connect(large / "ledger.db", isolation_level=None)
    db.execute("PRAGMA foreign_keys = off")
    db.execute("DELETE FROM slips")
    db.close()
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"damaged .*points to a missing row of slips"):
            open_ledger(large, now=START + 2 * DAY)
    assert checked_at(large) == START


def test_a_ledger_just_made_is_dated_by_the_clock_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soundness, "SMALL_BYTES", 0)
    before = datetime.now(UTC)
    open_ledger(tmp_path).close()
    assert before.replace(microsecond=0) <= checked_at(tmp_path) <= datetime.now(UTC)


def test_a_new_ledger_counts_as_checked_so_that_a_large_first_run_makes_no_later_start_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ledger(tmp_path / "state").close()
    read: list[object] = []
    monkeypatch.setattr(soundness, "SMALL_BYTES", 0)
    monkeypatch.setattr(soundness, "refuse_damaged", lambda *ledger: read.append(ledger))
    open_ledger(tmp_path / "state").close()
    assert read == []

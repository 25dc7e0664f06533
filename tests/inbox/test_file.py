"""The file survives what disks and people do to it, and nothing that was answered for goes without a word."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connector.inbox import file
from connector.inbox.errors import InboxError, InboxFull
from connector.ledger import folder
from connector.ledger.connection import journal
from tests.inbox.given import bodies, delivery, opened


def filled(state: Path, count: int = 200) -> Path:
    with opened(state) as inbox:
        inbox.add([delivery(body=b'{"id":%d}' % number + b" " * 5000) for number in range(count)])
        return inbox.path


def aside(path: Path) -> list[str]:
    return [each.name for each in path.parent.iterdir() if ".damaged-" in each.name]


def test_a_commit_is_synced_as_the_ledgers_are(tmp_path: Path) -> None:
    mode, synchronous = journal()
    with opened(tmp_path) as inbox:
        db = inbox._connected()
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == mode
        assert db.execute("PRAGMA synchronous").fetchone()[0] == {"full": 2, "extra": 3}[synchronous]
        assert db.execute("PRAGMA secure_delete").fetchone()[0] == 1
        assert db.execute("PRAGMA trusted_schema").fetchone()[0] == 0


def test_I1_a_file_that_was_not_finished_is_never_taken_for_an_inbox(tmp_path: Path) -> None:
    folder.make_private(tmp_path / "inbox")
    (tmp_path / "inbox" / f"{file.FILE_NAME}.new").write_bytes(b"half")
    with opened(tmp_path) as inbox:
        assert inbox.counts() == {}
    assert [each.name for each in (tmp_path / "inbox").iterdir()] == [file.FILE_NAME]


@pytest.mark.parametrize("left", [b"", b"not a database at all, " * 400, b"SQLite format 3\x00" + b"\xff" * 9000])
def test_I3_a_zero_or_cut_file_is_set_aside_with_an_alert(tmp_path: Path, left: bytes) -> None:
    path = filled(tmp_path, 3)
    path.write_bytes(left)
    with opened(tmp_path) as inbox:
        [alert] = inbox.alerts()
        assert alert.kind == file.DAMAGED
        assert "0 deliveries could be taken along" in alert.text
        assert inbox.add([delivery(9)]) == 1
    assert len(aside(path)) == 1


def test_I3_what_can_be_read_of_a_damaged_file_is_taken_along(tmp_path: Path) -> None:
    path = filled(tmp_path)
    held = bytearray(path.read_bytes())
    held[100 * file.PAGE_SIZE : 105 * file.PAGE_SIZE] = b"\xa5" * (5 * file.PAGE_SIZE)
    path.write_bytes(held)
    with opened(tmp_path) as inbox:
        kept = inbox.waiting("kiwi", 1000)
        assert 190 <= len(kept) < 200
        assert min(each.id for each in kept) > 200  # an id of the old file is none of the new one
        assert f"{len(kept)} deliveries could be taken along" in inbox.alerts()[0].text


def test_a_file_found_damaged_while_in_use_is_set_aside_by_the_next_use(tmp_path: Path) -> None:
    path = filled(tmp_path, 3)
    with opened(tmp_path) as inbox:
        inbox.counts()
        path.write_bytes(b"\x00" * path.stat().st_size)
        with pytest.raises(InboxError):
            inbox.waiting("kiwi", 9)
        assert inbox.add([delivery(7)]) == 1
        assert bodies(inbox) == [b'{"id":7}']


def test_a_second_program_goes_on_with_the_new_file(tmp_path: Path) -> None:
    path = filled(tmp_path, 3)
    with opened(tmp_path) as receiver:
        receiver.counts()
        path.write_bytes(b"")
        with opened(tmp_path) as daemon:
            receiver.add([delivery(8)])
            assert bodies(daemon) == [b'{"id":8}']


def test_a_journal_without_its_file_is_not_played_into_a_new_one(tmp_path: Path) -> None:
    path = filled(tmp_path, 3)
    path.unlink()
    path.with_name(path.name + "-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\x00" * 2000)
    path.with_name(path.name + "-journal").chmod(0o600)
    with opened(tmp_path) as inbox:
        assert inbox.counts() == {}
    assert len(aside(path)) == 1


def test_a_newer_programs_inbox_is_left_alone(tmp_path: Path) -> None:
    path = filled(tmp_path, 1)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(InboxError, match="newer connector"):
        opened(tmp_path)
    assert path.read_bytes() == before


def test_I13_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "file_system_of", lambda *_: "nfs4")
    with pytest.raises(InboxError, match="network disk"):
        opened(tmp_path)


def test_SEC17_an_inbox_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path, 1)
    path.chmod(0o644)
    with pytest.raises(InboxError, match="chmod 600"):
        opened(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(InboxFull, match="can't be made here"):
        opened(tmp_path / "state")

"""Deliveries once answered are never lost, never doubled, and never in the way of others."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from connector.inbox import box, file
from connector.inbox.box import FULL, QUARANTINED, Inbox
from connector.inbox.delivery import MEANING, State
from connector.inbox.errors import InboxBusy, InboxError, InboxFull, InboxGone
from tests.inbox.given import NOW, bodies, delivery, opened


def test_deliveries_wait_oldest_first_by_store(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        assert inbox.add([delivery(1), delivery(2), delivery(3, "moa")]) == 3
        assert inbox.stores_waiting() == ["kiwi", "moa"]
        assert bodies(inbox) == [b'{"id":1}', b'{"id":2}']
        assert bodies(inbox, most=1) == [b'{"id":1}']
        inbox.done([each.id for each in inbox.waiting("kiwi", 9)])
        assert inbox.stores_waiting() == ["moa"]
        assert inbox.counts() == {"kiwi": {State.DONE: 2}, "moa": {State.WAITING: 1}}


def test_every_state_has_its_words() -> None:
    assert set(MEANING) == set(State)


def test_W8_the_same_delivery_twice_is_one_row(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        assert inbox.add([delivery(1), delivery(1)]) == 1
        assert inbox.add([delivery(1)]) == 0
        [one] = inbox.waiting("kiwi", 9)
        assert one.times == 3
        assert inbox.add([delivery(1, "moa")]) == 1


def test_W9_one_delivery_id_for_two_orders_keeps_both(tmp_path: Path) -> None:
    one, other = delivery(1)._replace(delivery_id="same"), delivery(2)._replace(delivery_id="same")
    with opened(tmp_path) as inbox:
        assert inbox.add([one, other]) == 2


def test_what_comes_again_after_it_was_dealt_with_is_looked_at_again(tmp_path: Path) -> None:
    """{"id":42} is what WooCommerce sends for an order trashed, restored, and trashed once more."""
    with opened(tmp_path) as inbox:
        inbox.add([delivery(42)])
        inbox.done([1])
        assert inbox.add([delivery(42)]) == 0
        assert [each.id for each in inbox.waiting("kiwi", 9)] == [1]


def test_what_is_quarantined_or_erased_stays_so_however_often_it_comes(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1), delivery(2)])
        inbox.quarantine(1, "no id")
        inbox.blank([2], "asked for")
        inbox.add([delivery(1), delivery(2)])
        inbox.done([2])
        assert inbox.counts() == {"kiwi": {State.QUARANTINED: 1, State.ERASED: 1}}
        assert inbox.stores_waiting() == []


def test_SEC19_what_waits_is_wiped_once_it_was_looked_at_whatever_came_of_it(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1), delivery(2), delivery(3)])
        assert inbox.blank([1, 2], "asked for", once_heard=True) == 0
        assert bodies(inbox) == [b'{"id":1}', b'{"id":2}', b'{"id":3}']
        assert not inbox.replay(1)
        inbox.done([1, 3])
        inbox.quarantine(2, "no id")
        assert [(each.state, each.why, each.body) for each in inbox.after(0, 9)] == [
            ("erased", "asked for", b""),
            ("erased", "asked for", b""),
            ("done", "", b'{"id":3}'),
        ]


def test_W28_two_receivers_in_the_same_millisecond_lose_nothing(tmp_path: Path) -> None:
    opened(tmp_path).close()

    def receive(first: int) -> None:
        with opened(tmp_path) as inbox:
            for number in range(first, first + 40):
                inbox.add([delivery(number)])

    threads = [threading.Thread(target=receive, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened(tmp_path) as inbox:
        assert inbox.counts() == {"kiwi": {State.WAITING: 120}}


def test_I3_bytes_that_are_not_those_that_came_are_quarantined_with_an_alert(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1), delivery(2)])
        with closing(sqlite3.connect(inbox.path)) as db:
            db.execute("UPDATE deliveries SET body = x'' WHERE id = 1")
            db.commit()
        assert bodies(inbox) == [b'{"id":2}']
        assert inbox.counts() == {"kiwi": {State.WAITING: 1, State.QUARANTINED: 1}}
        assert [alert.kind for alert in inbox.alerts()] == [QUARANTINED]


def test_I6_hostile_words_are_values_and_nothing_else(tmp_path: Path) -> None:
    words = "../../x'); DROP TABLE deliveries;--\n\x00"
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1, words)._replace(topic=words, delivery_id=words)])
        [one] = inbox.waiting(words, 9)
        assert (one.store, one.topic, one.delivery_id) == (words, words, words)
        assert inbox.heads(store=words)[0].store == words
    assert [each.name for each in (tmp_path / "inbox").iterdir()] == [file.FILE_NAME]


def test_I7_a_hundred_thousand_deliveries_are_handed_out_in_lots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "_LOT", 1000)
    with opened(tmp_path) as inbox:
        inbox.add(delivery(number) for number in range(100_000))
        plan = inbox._connected().execute("EXPLAIN QUERY PLAN " + box._STORES_WAITING).fetchall()
        assert not [line for line in plan if "SCAN deliveries" in line[-1]]
        lot = inbox.waiting("kiwi", 100_000)
        assert sum(len(each.body) for each in lot) <= 1000
        assert [each.id for each in lot] == list(range(1, len(lot) + 1))


def test_one_large_body_is_handed_out_alone_and_not_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box, "_LOT", 10)
    with opened(tmp_path) as inbox:
        inbox.add([delivery(body=b"x" * 50), delivery(2)])
        assert bodies(inbox) == [b"x" * 50]


def test_I8_what_cannot_be_marked_as_done_waits_and_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1)])
        inbox._connected().execute("PRAGMA query_only = on")
        with pytest.raises(InboxFull):
            inbox.done([1])
        inbox._connected().execute("PRAGMA query_only = off")
        assert bodies(inbox) == [b'{"id":1}']


def test_I9_a_delivery_not_marked_done_before_a_crash_is_handed_out_again(tmp_path: Path) -> None:
    inbox = opened(tmp_path)
    inbox.add([delivery(1)])
    assert bodies(inbox) == [b'{"id":1}']
    inbox.close()  # the ledger has it, the inbox was not told
    with opened(tmp_path) as again:
        assert bodies(again) == [b'{"id":1}']
        again.done([1])
        again.done([1])
        assert bodies(again) == []


def test_I11_the_same_delivery_by_a_persons_hand_is_looked_at_again_and_doubles_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1)])
        inbox.done([1])
        assert inbox.replay(1)
        assert not inbox.replay(2)
        assert [each.id for each in inbox.waiting("kiwi", 9)] == [1]
        inbox.blank([1], "asked for")
        assert not inbox.replay(1)


def test_I14_a_quarantine_that_cannot_be_written_holds_up_nobody(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1), delivery(2)])
        with closing(sqlite3.connect(inbox.path)) as db:
            db.execute("UPDATE deliveries SET body = x'00' WHERE id = 1")
            db.commit()
        inbox._connected().execute("PRAGMA query_only = on")
        assert bodies(inbox) == [b'{"id":2}']
        assert inbox.counts() == {"kiwi": {State.WAITING: 2}}


def test_I15_times_decide_no_order(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1, at=NOW), delivery(2, at=NOW - timedelta(days=400)), delivery(3, at=NOW)])
        assert bodies(inbox) == [b'{"id":1}', b'{"id":2}', b'{"id":3}']


def test_W29_a_full_inbox_refuses_and_alerts_and_takes_again_once_there_is_room(tmp_path: Path) -> None:
    with opened(tmp_path, quota=400_000) as inbox:
        taken = 0
        with pytest.raises(InboxFull, match="Look whether the daemon runs"):
            for number in range(1000):
                inbox.add([delivery(body=b'{"id":%d}' % number + b" " * 5000)])
                taken += 1
        assert 20 < taken < 80
        assert inbox.size <= 400_000 + file.PAGE_SIZE
        assert FULL in [alert.kind for alert in inbox.alerts()]
        assert len(inbox.waiting("kiwi", 1000)) == taken
        inbox.done([each.id for each in inbox.waiting("kiwi", 1000)])
        assert inbox.add([delivery(1)]) == 1
        assert bodies(inbox) == [b'{"id":1}']


def test_the_alert_comes_before_the_inbox_is_full(tmp_path: Path) -> None:
    with opened(tmp_path, quota=400_000) as inbox:
        number = 0
        while not inbox.alerts():
            inbox.add([delivery(body=b'{"id":%d}' % number + b" " * 5000)])
            number += 1


def test_W15_a_disk_that_takes_nothing_is_an_error_and_nothing_is_half_written(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox._connected().execute("PRAGMA max_page_count = 20")
        with pytest.raises(InboxFull, match="Make space"):
            inbox.add([delivery(1), delivery(body=b"x" * 200_000)])
        assert inbox.counts() == {}
        inbox.add([delivery(1)])


def test_who_writes_too_long_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "BUSY_MS", 50)
    with opened(tmp_path) as inbox, opened(tmp_path) as other, other._writing() as db:
        db.execute("DELETE FROM deliveries")
        with pytest.raises(InboxBusy):
            inbox.add([delivery(1)])


def test_I16_a_file_that_is_gone_is_not_made_anew_and_is_used_once_it_is_back(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(1)])
        away = (tmp_path / "inbox").rename(tmp_path / "elsewhere")
        for use in (inbox.stores_waiting, inbox.data_version, lambda: inbox.add([delivery(2)])):
            with pytest.raises(InboxGone):
                use()
        assert not (tmp_path / "inbox").exists()
        away.rename(tmp_path / "inbox")
        inbox.add([delivery(2)])
        assert bodies(inbox) == [b'{"id":1}', b'{"id":2}']


def test_what_is_written_while_the_file_is_moved_is_not_answered_for(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox, pytest.raises(InboxGone, match="come again"), inbox._writing():
        inbox.path.rename(tmp_path / "aside")


def test_a_fork_does_not_share_the_file(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox._pid += 1
        with pytest.raises(InboxError, match="fork"):
            inbox.counts()
        inbox._pid -= 1


def test_another_connections_writing_is_seen_by_a_number(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox, opened(tmp_path) as receiver:
        before = inbox.data_version()
        assert inbox.data_version() == before
        receiver.add([delivery(1)])
        assert inbox.data_version() != before


def test_threads_share_an_inbox(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        wrong: list[Exception] = []

        def use(first: int) -> None:
            try:
                for number in range(first, first + 20):
                    inbox.add([delivery(number)])
                    inbox.done([each.id for each in inbox.waiting("kiwi", 5)])
                    inbox.data_version()
            except Exception as err:  # noqa: BLE001
                wrong.append(err)

        threads = [threading.Thread(target=use, args=(first,)) for first in (0, 100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert inbox.counts() == {"kiwi": {State.DONE: 40}}


def test_what_is_dealt_with_is_forgotten_in_time_and_what_waits_never(tmp_path: Path) -> None:
    clock = [NOW]
    with opened(tmp_path, now=lambda: clock[0]) as inbox:
        inbox.add([delivery(number) for number in range(5)])
        inbox.done([1, 2])
        clock[0] = NOW + timedelta(days=10)
        inbox.done([3])
        inbox.quarantine(4, "no id")
        assert inbox.forget(NOW + timedelta(days=1), most=1) == 1
        assert inbox.forget(NOW + timedelta(days=1)) == 1
        assert inbox.forget(NOW + timedelta(days=1)) == 0
        assert inbox.forget(NOW + timedelta(days=11)) == 2
        assert inbox.counts() == {"kiwi": {State.WAITING: 1}}


def test_W31_what_is_erased_is_in_no_byte_of_the_file(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(body=b'{"id":1,"name":"Canary Rimu"}' + b" " * 20_000)])
        assert inbox.blank([1], "asked for") == 1
        one = inbox.one(1)
        assert one is not None
        assert (one.body, one.state, one.why) == (b"", State.ERASED, "asked for")
    held = b"".join(path.read_bytes() for path in (tmp_path / "inbox").iterdir())
    assert b"Canary" not in held


def test_SEC17_the_folder_is_0700_and_every_file_0600(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(tmp_path / "state") as inbox, inbox._writing() as db:
            db.execute("DELETE FROM alerts")
            files = list((tmp_path / "state" / "inbox").iterdir())
            assert len(files) > 1  # the journal too
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state" / "inbox").stat().st_mode) == 0o700


def test_readiness_is_asked_without_writing(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        before = inbox.path.read_bytes()
        inbox.refuse_unwritable()
        assert inbox.path.read_bytes() == before
        assert inbox.alerts() == []


def test_alerts_are_one_of_a_kind_until_somebody_has_them(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        for _ in range(3):
            inbox.alert("clock", "kiwi", "look at it")
        [one] = inbox.alerts()
        inbox.close_alerts([one.id])
        assert inbox.alerts() == []
        inbox.alert("clock", "kiwi", "look at it")
        assert len(inbox.alerts()) == 1


def test_all_deliveries_can_be_gone_through_by_id(tmp_path: Path) -> None:
    with opened(tmp_path) as inbox:
        inbox.add([delivery(number) for number in range(5)])
        seen, last = [], 0
        while some := inbox.after(last, 2):
            seen += [each.id for each in some]
            last = some[-1].id
        assert seen == [1, 2, 3, 4, 5]
        assert [head.id for head in inbox.heads(most=2)] == [5, 4]


def test_an_inbox_that_is_only_looked_at_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InboxGone):
        Inbox.open(tmp_path, create=False)
    assert not (tmp_path / "inbox").exists()


def test_W8_a_delivery_that_comes_again_while_it_is_looked_at_goes_on_waiting(tmp_path: Path) -> None:
    """An order trashed, restored and trashed: the second trash says the same bytes, and must be looked at too."""
    with opened(tmp_path) as inbox:
        again = delivery(42)
        inbox.add([again])
        [looked_at] = inbox.waiting("kiwi", 9)
        inbox.add([again])
        inbox.done([looked_at.id], {looked_at.id: looked_at.times})
        [waiting] = inbox.waiting("kiwi", 9)
        assert waiting.times == looked_at.times + 1
        inbox.done([waiting.id], {waiting.id: waiting.times})
        assert inbox.waiting("kiwi", 9) == []

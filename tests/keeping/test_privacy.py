"""A canary person: found wherever she is, taken out wherever she may be, and shown by nothing that says so."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery
from connector.keeping.backups import keep_backups
from connector.keeping.deliveries import inbox_deliveries
from connector.keeping.privacy import erase, find, matcher, report
from connector.keeping.retention import erase_what_is_over, prune
from connector.keeping.tidy import tidy
from connector.ledger.alerts import open_alert
from connector.ledger.connection import Ledger, open_ledger
from connector.ledger.people import Refused
from connector.order import Address
from tests.commands.conftest import desk as desk
from tests.commands.conftest import kiwi as kiwi
from tests.commands.conftest import one_sandbox as one_sandbox
from tests.commands.conftest import sandbox as sandbox
from tests.commands.desk import Desk, order
from tests.keeping.test_retention import bytes_of, over
from tests.ledger.given import DAY, START, an_order, count, sent, state, the_shop_shows

WHO = Address(
    name="Mereana Canary", line1="1 Canary Road", city="Hamilton", postcode="3204", country="NZ", phone="021 555 0101"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    with open_ledger(folder, now=START) as ledger:
        the_shop_shows(ledger, an_order("1", ship_to=WHO, email="mereana@canary.example"), an_order("2"))
        the_shop_shows(ledger, an_order("3", number="for Canary", cancelled=True))
        yield ledger


@pytest.mark.parametrize(
    ("words", "text", "is_there"),
    [
        ("mereana canary", '"consignee":"Mereana  Canary"', True),
        ("Kōtuku", '"consignee":"K\\u014dtuku"', True),
        ("021 555 0101", '"contactphone":"+64 21 555 0101"', True),
        ("+64 21 555-0101", '"contactphone":"0215550101"', True),
        ("mereana@canary.example", '"email":"MEREANA@CANARY.EXAMPLE"', True),
        ("#1001", '"packingslipno":"#1001"', True),
        ("canary", '"consignee":"Aroha"', False),
        ("021 555 0102", '"contactphone":"021 555 0101"', False),
    ],
)
def test_words_are_found_however_they_are_written(words: str, text: str, is_there: bool) -> None:
    assert matcher(words)(text) is is_there


def test_words_too_short_to_search_for_are_refused() -> None:
    with pytest.raises(Refused, match="too short"):
        matcher("Al")


@pytest.mark.parametrize("words", ["Mereana Canary", "mereana@canary.example", "021 555 0101", "1 canary road"])
def test_SEC19_find_tells_where_somebody_is_and_since_when_and_nothing_more(
    ledger: Ledger, folder: Path, words: str
) -> None:
    found = list(find(folder, words))
    assert [(one.where, one.store, one.order, one.since[:10]) for one in found] == [
        ("a slip's body, version 1", "kiwi", "#1", "2026-05-04")
    ]
    assert "anary" not in repr(found)


def test_SEC19_find_looks_at_every_place_words_about_people_may_stand(ledger: Ledger, folder: Path) -> None:
    with ledger.writing() as db:
        db.execute("UPDATE versions SET reason = 'Canary asked' WHERE slip_id = 2")
        db.execute("UPDATE slips SET gss_status = 'Delivered to Canary' WHERE id = 2")
        db.execute("UPDATE bodies SET body = NULL, receipts = 'Canary Road' WHERE version_id = 2")  # held
        db.execute("INSERT INTO alerts (store, kind, text, opened_at) VALUES ('kiwi', 'x', 'Canary', 't')")
        db.execute("INSERT INTO actions (at, who, what, reason) VALUES ('t', 'anna', 'hold', 'Canary')")
        db.execute("INSERT INTO runs (store, started_at, problem) VALUES ('kiwi', 't', 'Canary')")
        db.execute("INSERT INTO set_aside (at, source, row, why) VALUES ('t', 'slips', 'Canary', '')")
        db.execute("INSERT INTO attempts VALUES (9, 'kiwi', 'put', 1, 't', 't', 'answered', 200, '')")
        db.execute("INSERT INTO attempt_versions VALUES (9, 2, 'refused: Canary has no street')")
    found = list(find(folder, "CANARY"))
    assert ("a slip's body, version 1", "#2") in {(one.where, one.order) for one in found}
    assert sorted({one.where.rstrip("0123456789 ") for one in found}) == [
        "GoSweetSpot's answer to call",
        "a row set aside by an upgrade,",
        "a slip's body, version",
        "a slip's order",
        "alert",
        "an order that got no slip",
        "what somebody wrote, action",
        "what stopped run",
        "why version 1 stands as it does",
    ]


def test_SEC19_erase_takes_out_what_is_over_and_no_file_has_it_any_more(ledger: Ledger, folder: Path) -> None:
    sent(ledger)
    over(ledger, "1")
    [done] = erase(ledger, ["#1"], None, "anna", START)
    assert (done.order, done.later) == ("#1", False)
    assert b"ereana" not in bytes_of(folder)
    assert list(find(folder, "Mereana")) == []
    assert state(ledger, "1") == "closed"
    assert ledger.db.execute("SELECT who, what, slip_id, reason FROM actions").fetchall() == [
        ("anna", "privacy erase", 1, "")
    ]


def test_SEC19_erase_takes_what_people_call_an_order_that_got_no_slip(ledger: Ledger, folder: Path) -> None:
    erase(ledger, ["for Canary"], None, "anna", START)
    assert [one.order for one in find(folder, "Canary")] == ["#1"]
    assert the_shop_shows(ledger, an_order("3", number="for Canary", cancelled=True)).new == 0


def test_R6_W31_what_may_still_ship_is_told_and_erased_once_it_is_over(ledger: Ledger, folder: Path) -> None:
    [done] = erase(ledger, ["#1"], "kiwi", "anna", START)
    assert (done.later, done.state) == (True, "owed")
    assert sent(ledger) == ["#1", "#2"], "it ships, with its address"
    assert erase_what_is_over(ledger, "kiwi", START) == 0
    over(ledger, "1")
    assert prune(ledger, "kiwi", 90 * DAY, START + DAY, None).slips == 1, "at once, and whatever the clock says"
    assert b"ereana" not in bytes_of(folder)


def test_SEC19_erase_takes_the_order_of_a_number_and_not_the_one_whose_id_it_is(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("9490", number="9478"), an_order("9502", number="9490"))
    assert [one.order for one in erase(ledger, ["9490"], None, "anna", START)] == ["9490"]
    assert count(ledger, "slips", "order_id = '9490' AND erase_at IS NOT NULL") == 0


def test_SEC19_erase_takes_nobody_where_two_orders_have_the_number(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("5", number="5001"), an_order("6", number="5001"))
    with pytest.raises(Refused, match=r"'5001' names 2 orders; nothing was erased.*: id:5 of kiwi, id:6 of kiwi\."):
        erase(ledger, ["5001"], None, "anna", START)
    assert [one.order for one in erase(ledger, ["id:6"], None, "anna", START)] == ["5001"]


def test_nothing_is_erased_where_one_of_the_orders_is_not_known(ledger: Ledger) -> None:
    over(ledger, "1", "2")
    with pytest.raises(Refused, match=r"no order is known by '#9'; nothing was erased.* privacy find WORDS"):
        erase(ledger, ["#1", "#9"], None, "anna", START)
    assert (state(ledger, "1"), count(ledger, "actions")) == ("processed", 0)


def delivery(body: bytes) -> Delivery:
    made = {"store": "kiwi", "topic": "orders/create", "delivery_id": "d", "received_at": START, "body": body}
    return Delivery(**made)  # type: ignore[arg-type]


def test_SEC19_deliveries_of_the_shop_are_searched_and_wiped_and_others_stay(ledger: Ledger, folder: Path) -> None:
    over(ledger, "1")
    with Inbox.open(folder) as inbox:
        inbox.add([
            delivery(b'{"id": 1, "name": "#1", "who": "Mereana Canary"}'), delivery(b'{"id": 11, "name": "#11"}')
        ])  # fmt: skip
        inbox.done([1, 2])
    with inbox_deliveries(folder) as deliveries:
        assert [one.where for one in find(folder, "Mereana", deliveries=deliveries)] == [
            "a slip's body, version 1",
            "delivery 1 of the shop",
        ]
        [done] = erase(ledger, ["#1"], None, "anna", START, deliveries)
        assert done.deliveries == 1
        assert list(find(folder, "Mereana", deliveries=deliveries)) == []
    assert b"ereana" not in bytes_of(folder)
    with Inbox.open(folder) as inbox:
        assert inbox.after(1, 5)[0].body == b'{"id": 11, "name": "#11"}'


def test_SEC19_I9_a_delivery_that_waits_is_looked_at_before_it_is_wiped_and_other_stores_keep_theirs(
    ledger: Ledger, folder: Path
) -> None:
    over(ledger, "1")
    twice = b'{"id": 977, "quantity": 1, "total": "1.00", "who": "Mereana Canary"}'
    with Inbox.open(folder) as inbox, inbox_deliveries(folder) as deliveries:
        inbox.add([delivery(twice), delivery(twice)._replace(store="moa")])
        inbox.done([2])
        [done] = erase(ledger, ["#1"], None, "anna", START, deliveries)
        assert (done.order, done.deliveries) == ("#1", 0)
        assert [one.body for one in inbox.waiting("kiwi", 9)] == [twice], "of order 977, for all that is known"
        inbox.done([1])
        assert [(one.state, one.body, one.why) for one in inbox.after(0, 9)] == [
            ("erased", b"", "somebody asked for it"),
            ("done", twice, ""),
        ]


def test_SEC19_part_of_an_amount_names_no_order(ledger: Ledger, folder: Path) -> None:
    over(ledger, "1")
    with Inbox.open(folder) as inbox, inbox_deliveries(folder) as deliveries:
        inbox.add([delivery(b'{"id": 977, "total": "1.00", "weight": 0.1}'), delivery(b'{"gid": "shop/Order/1"}')])
        inbox.done([1, 2])
        assert [one.deliveries for one in erase(ledger, ["#1"], None, "anna", START, deliveries)] == [1]
        assert [one.state for one in inbox.after(0, 9)] == ["done", "erased"]


def test_R5_deliveries_are_forgotten_in_time_and_waiting_ones_never(ledger: Ledger, folder: Path) -> None:
    with Inbox.open(folder, now=lambda: START) as inbox:
        inbox.add([delivery(b"Canary done"), delivery(b"Canary waiting")])
        inbox.done([1])
    with inbox_deliveries(folder) as deliveries:
        assert deliveries is not None
        assert (deliveries.forget(START), deliveries.forget(START + DAY)) == (0, 1)
    assert b"Canary done" not in bytes_of(folder)
    assert b"Canary waiting" in bytes_of(folder)


def test_R5_backups_and_ledgers_kept_aside_are_searched_and_have_an_end(
    ledger: Ledger, folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "backups"
    keep_backups(ledger, place, 2, START)
    over(ledger, "1")
    erase(ledger, ["#1"], None, "anna", START)
    [found] = find(folder, "Mereana", place)
    assert found.file == str(place / "ledger-2026-05-04T000000Z.db")
    for day in (1, 2):
        keep_backups(ledger, place, 2, START + day * DAY)
    assert list(find(folder, "Mereana", place)) == []
    assert b"ereana" not in bytes_of(tmp_path)


def told(at: datetime) -> Callable[[str], datetime | None]:
    return lambda _: at


def test_R5_a_ledger_kept_aside_by_an_upgrade_goes_when_its_orders_would_have(kiwi: Desk, tmp_path: Path) -> None:
    from connector.opening import stores_asked_for

    kiwi("sync")
    stores, _ = stores_asked_for(Path("config"), ())
    aside = tmp_path / "state" / "ledger.before-schema-2.db"
    aside.write_bytes(b"Canary")
    now = datetime.now(UTC)
    with open_ledger(tmp_path / "state") as ledger:
        assert tidy(ledger, stores, Path("state"), now, told_by=told(now)).copies == 0
        later = now + 91 * DAY
        assert tidy(ledger, stores, Path("state"), later, told_by=lambda _: None).copies == 0
        done = tidy(ledger, stores, Path("state"), later, told_by=told(later))
    assert (done.copies, aside.exists(), done.problems) == (1, False, [])


def test_SEC20_a_report_tells_what_is_held_since_when_and_who_can_read_it_and_nothing_of_it(
    ledger: Ledger, folder: Path
) -> None:
    exposed = folder / "copy.db"
    exposed.touch(0o644)
    exposed.chmod(0o644)
    account = report(folder)
    held = {one.what: (one.rows, one.since[:10]) for one in account.held}
    assert held["slips with names and addresses"] == (2, "2026-05-04")
    assert held["orders that got no slip"] == (1, "2026-05-04")
    modes = {Path(one.file).name: (one.mode, one.others_can_read) for one in account.files}
    assert modes["ledger.db"] == ("0600", False)
    assert modes["copy.db"] == ("0644", True)
    assert "anary" not in repr(account)


# The commands


def test_SEC17_everything_that_housekeeping_leaves_is_ours_alone(kiwi: Desk) -> None:
    kiwi("sync")
    kiwi("ledger", "tidy", "--backups", "state/backups")
    kiwi("ledger", "restore", next(str(path) for path in Path("state/backups").iterdir()))
    for path in [Path("state"), *Path("state").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_day_s_housekeeping_says_what_it_did(kiwi: Desk) -> None:
    kiwi("sync")
    said = kiwi("ledger", "tidy", "--backups", "backups")
    assert said.code == 0, said.out + said.err
    first, second, third, *_ = said.out.splitlines()
    assert first.startswith("backup     backups/ledger-20")
    assert second == "drill      it can be restored: 2 slips"
    assert third.startswith("kiwi: nothing to forget")
    assert kiwi("ledger", "tidy", "--json").value["problems"] == []


def test_a_fence_stands_where_no_store_is_known_yet(kiwi: Desk) -> None:
    kiwi("ledger", "adopt")
    out = kiwi("ledger", "fence").out
    assert "A person asked to take what GoSweetSpot has as known." in out
    assert "May not send: no store known yet" in out
    kiwi("sync")
    assert kiwi("ledger", "fence").out == "No fence stands: every store may send.\n"


def test_restore_then_fence_then_lift(kiwi: Desk) -> None:
    kiwi("sync")
    assert kiwi("ledger", "fence").out == "No fence stands: every store may send.\n"
    kiwi("ledger", "backup", "monday.db")
    kiwi.export(order(1003))
    said = kiwi("ledger", "restore", "monday.db")
    assert said.code == 0, said.err
    assert "it knows 2 slips" in said.out
    assert "May not send: kiwi" in kiwi("ledger", "fence").out
    assert kiwi("ledger", "fence", "--json").value["stands"] == ["kiwi"]
    refused = kiwi("ledger", "lift-fence", "--reason", "x")
    assert (refused.code, "no fence waits for a person" in refused.err) == (2, True)
    refused = kiwi("ledger", "adopt")
    assert (refused.code, "knows slips already" in refused.err) == (2, True)


def test_find_erase_and_report_by_their_commands(kiwi: Desk) -> None:
    kiwi("sync")
    assert "#1001" in kiwi("privacy", "find", "Aroha Example").out
    assert kiwi("privacy", "find", "Nobody At All").out == "Nothing is held under these words.\n"
    said = kiwi("privacy", "erase", "#1001")
    assert (said.code, "may still ship" in said.out) == (1, True)
    assert "slips with names and addresses" in kiwi("privacy", "report").out
    assert kiwi("privacy", "find", "1001 Kowhai", "--json").values[0]["order"] == "#1001"


def test_a_folder_of_backups_that_is_not_there_is_told(kiwi: Desk) -> None:
    kiwi("sync")
    for words in (("report",), ("find", "Aroha Example")):
        said = kiwi("privacy", *words, "--backups", "nope")
        assert (said.code, said.out) == (2, "")
        assert said.err == "connector: nope: there is no such folder, so no backup can be looked at.\n"


def test_the_first_backup_comes_back_without_the_call_for_one(kiwi: Desk) -> None:
    kiwi("sync")
    with open_ledger(kiwi.folder / "state") as ledger, ledger.writing() as db:
        open_alert(db, "", None, "backup is old", "the newest backup is missing", "2026-05-04T00:00:00.000Z")
    assert kiwi("status").code == 1
    kiwi("ledger", "tidy", "--backups", "backups")
    kiwi("ledger", "restore", next(str(path) for path in Path("backups").iterdir()))
    assert "backup is old" not in kiwi("status").out

"""`connector explain`: the whole story of one order, whatever became of it."""

from __future__ import annotations

import re

import pytest

from connector.ledger.connection import open_ledger
from connector.sandbox.handle import Sandbox
from tests.commands.desk import Desk, order


def test_a_confirmed_order_is_told_from_its_row_to_its_proof(kiwi: Desk) -> None:
    kiwi.export(order(1003, City="Ponsonby, Auckland"))
    kiwi("sync")
    said = kiwi("explain", "#1003")
    assert said.code == 0
    told = "\n".join(line[26:] for line in said.out.splitlines() if line.startswith("  20"))
    assert "last seen in exports/kiwi/orders_2026-11-02.csv row 2" in told
    assert "Version 1 of slip #1003 was made, with " in told
    assert "Version 1 was sent in call 2." in told
    assert "Call 2: GoSweetSpot took it." in told
    assert "stands as confirmed" in told
    assert 'suburb: "" -> "Ponsonby"' in said.out
    assert "asked about it again by the first sync after" in said.out


def test_the_others_of_a_call_are_counted(desk: Desk) -> None:
    desk.store()
    desk.export(order(1), order(2))
    desk("sync")
    desk.export(order(3), order(4), order(5))
    desk("sync")
    assert "was sent in call 1 with 1 other." in desk("explain", "#1").out
    assert "was sent in call 2 with 2 others." in desk("explain", "#3").out


def test_times_are_in_the_stores_own_zone(kiwi: Desk) -> None:
    kiwi("sync")
    assert " NZDT  " in kiwi("explain", "#1001").out
    assert kiwi("explain", "#1001", "--json").value["told"][0]["at"].endswith("Z")


def test_an_order_is_found_by_its_number_its_id_and_its_slip_number(desk: Desk) -> None:
    desk.store(prefix="K-")
    desk.export(order(1))
    desk("sync")
    found = [desk("explain", name, "--json").value["order_id"] for name in ("#1", "9001", "K-#1", "k-#1")]
    assert found == ["9001"] * 4


def test_an_order_passed_over_says_why_and_what_would_change_it(desk: Desk) -> None:
    desk.store()
    desk.export(order(1, Payment="pending"))
    desk("sync")
    said = desk("explain", "#1")
    assert 'It got no slip: it waits. Its payment is "pending"' in said.out
    assert "It is looked at again when the shop changes it." in said.out


def test_an_edit_a_late_ticket_and_a_persons_word_are_all_told(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi("sync")
    sandbox.ticket("#1001")
    kiwi.export(order(1001, Street="7 Rata Street"))
    kiwi("sync")
    assert "Stop the parcel or call the buyer" in kiwi("explain", "#1001").out
    kiwi("slips", "acknowledge", "#1001", "--reason", "called the buyer")
    out = kiwi("explain", "#1001").out
    for words in (
        "Version 2 of slip #1001 was made.",
        "GoSweetSpot had processed it already.",
        "A person was called (late)",
        "acknowledge: called the buyer.",
        "GoSweetSpot shows ticket SBX",
    ):
        assert words in out


def test_an_unclear_answer_is_told_and_when_it_is_sent_again(desk: Desk, sandbox: Sandbox) -> None:
    desk.store()
    desk.export(order(1))
    sandbox.fault("lost", times=None)
    desk("sync")
    out = desk("explain", "#1").out
    assert "broke before a whole answer was there" in out
    assert "connector sync kiwi" in out


def test_what_was_not_sent_is_not_called_sent_and_a_pause_is_told_with_its_end_and_why(
    kiwi: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiwi.store(url="http://127.0.0.1:9")
    kiwi("sync")
    out = kiwi("explain", "#1001").out
    assert "Version 1 was to be sent in call 1 with 1 other." in out
    assert "is not called before" not in out
    kiwi.store("moa", prefix="M-")
    kiwi.export(order(1), store="moa")
    monkeypatch.setenv("DESK_KEY", "not-the-key")
    kiwi("sync", "moa")
    *_, pause, follows = kiwi("explain", "M-#1").out.splitlines()
    assert re.match(r"  GoSweetSpot is not called before 20\S+ \S+ NZDT: GoSweetSpot does not accept the key", pause)
    assert re.match(r"  It is sent by the first sync after 20\S+ \S+ NZDT: connector sync moa$", follows)


def test_a_sentence_ends_with_one_stop_and_names_its_order_once(desk: Desk) -> None:
    desk.store()
    desk.export(order(1, Country="Atlantis"))
    desk("sync")
    desk("slips", "acknowledge", "#1", "--reason", "the buyer stopped it.")
    out = desk("explain", "#1").out
    assert "acknowledge: the buyer stopped it.\n" in out
    assert 'A person was called (held): The country "Atlantis"' in out
    assert ".." not in out.replace("'...'", "")


def test_an_order_that_is_shipped_otherwise_says_what_becomes_of_its_slip(kiwi: Desk) -> None:
    kiwi("sync")
    kiwi.export(order(1001, Status="fulfilled"))
    kiwi("sync")
    assert "What GoSweetSpot has of its slip stays there as it is." in kiwi("explain", "#1001").out


def test_of_an_order_that_was_erased_nothing_is_made_up(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi("sync")
    kiwi.export(order(1001, Street="7 Rata Street"))
    kiwi("sync")
    with open_ledger(kiwi.folder / "state") as ledger, ledger.writing() as db:
        db.execute("UPDATE versions SET state = 'processed', read_at = NULL WHERE newest = 1")
        db.execute("UPDATE versions SET state = 'superseded', read_at = NULL WHERE newest = 0")
    assert kiwi("privacy", "erase", "#1001").code == 0
    out = kiwi("explain", "#1001").out
    for words in ("no slip could be made", "last seen in", "makes a new version", " ."):
        assert words not in out
    assert "It is over: nothing more is sent for it." in out
    assert kiwi("slips", "show", "#1001").out.splitlines()[1].endswith(kiwi.url)


def test_an_unknown_order_ends_with_2_and_says_where_to_look(kiwi: Desk) -> None:
    kiwi("sync")
    said = kiwi("explain", "#77")
    assert (said.code, "connector slips list" in said.err) == (2, True)


def test_an_order_of_several_stores_is_told_for_each_or_for_the_one_named(desk: Desk) -> None:
    for name, prefix in (("kiwi", "K-"), ("moa", "M-")):
        desk.store(name, prefix=prefix)
        desk.export(order(1, Name=f"Aroha of {name}"), store=name)
    desk("sync")
    assert [one["store"] for one in desk("explain", "#1", "--json").values] == ["kiwi", "moa"]
    assert desk("explain", "#1", "--store", "moa", "--json").value["number"] == "M-#1"


def test_what_waits_is_told_of_the_order_it_is_about_though_another_has_its_number(desk: Desk) -> None:
    desk.store()
    desk.export(order(1, Id="1"), order(1, Id="2"))
    desk("sync")
    assert desk("slips", "release", "id:1").code == 0
    assert "connector sync kiwi --from-start" in desk("explain", "id:2").out
    assert "connector sync kiwi --from-start" not in desk("explain", "id:1").out

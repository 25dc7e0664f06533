"""`connector status`: what needs a person first, with the one command that mends it; then where each store stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.ledger import fence
from connector.ledger.connection import open_ledger
from connector.ledger.machine import Alarm
from connector.ledger.queries import Need, Run
from connector.mending import mend_of
from connector.sandbox.handle import Sandbox
from connector.show.standing import _last_run
from tests.commands.desk import Desk, order


def fenced(desk: Desk, *, asks: bool) -> None:
    with open_ledger(desk.folder / "state") as ledger, ledger.writing() as db:
        fence.raise_fence(db, "It came from elsewhere.", datetime.now(UTC), asks=asks)


def test_nothing_waits_and_the_store_is_told(kiwi: Desk) -> None:
    kiwi("sync")
    said = kiwi("status")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[:4] == ["Nothing waits for a person.", "", "kiwi", "  slips      2 confirmed"]
    assert "  owed       nothing" in lines
    assert lines[-2].startswith("  polls      last brought news ")


def test_a_held_order_comes_first_with_its_reason_and_its_mend(desk: Desk) -> None:
    desk.store()
    desk.export(order(1), order(2, Country="Atlantis"))
    desk("sync")
    said = desk("status")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == "1 thing waits for a person:"
    assert lines[1].startswith("  kiwi  order #2  held, ")
    assert lines[2].startswith('    The country "Atlantis" is not known')
    assert lines[3] == "    Correct the order in the shop, or kiwi's store file, then: connector sync kiwi --from-start"


def test_that_a_held_order_may_be_at_gss_all_the_same_is_told_until_it_is_over(kiwi: Desk) -> None:
    kiwi("sync")
    kiwi.export(order(1001, Country="Atlantis"))
    kiwi("sync")
    for seen_to in (False, True):
        if seen_to:
            kiwi("slips", "acknowledge", "#1001", "--reason", "seen")
        for command in ("status", "slips"):
            assert kiwi(command).out.splitlines()[2].endswith(". What was sent of it before may be pending at GSS.")


def test_each_mend_works_as_it_is_written(kiwi: Desk, sandbox: Sandbox) -> None:
    """A person copies the command: it must parse, and end the wait."""
    import shlex

    kiwi("sync")
    sandbox.ticket("#1001")
    kiwi.export(order(1001, Street="7 Rata Street"))
    kiwi("sync")
    mend = kiwi("status", "--json").value["needs"][0]["mend"]
    _, _, command = mend.partition("then: connector ")
    assert kiwi(*shlex.split(command)).code == 0
    assert kiwi("status").code == 0


def test_what_is_owed_is_told_with_its_age_and_why_nothing_is_sent(desk: Desk, sandbox: Sandbox) -> None:
    desk.store()
    desk.export(order(1))
    sandbox.fault("lost", times=None)
    desk("sync")
    sandbox.clear_faults()
    [store] = desk("status", "--json").value["stores"]
    assert store["owed"]["now"] + store["owed"]["later"] == 1
    assert store["owed"]["oldest"]
    assert "the oldest for" in desk("status").out


def test_calls_left_are_told_where_there_is_a_budget(kiwi: Desk) -> None:
    file = kiwi.folder / "config" / "kiwi.toml"
    file.write_text(file.read_text().replace("calls_per_minute = 0", "calls_per_minute = 60"))
    kiwi("sync")
    [store] = kiwi("status", "--json").value["stores"]
    assert (store["calls_left_minute"], store["calls_left_hour"]) == (58, None)


def test_status_works_without_a_store_file_and_without_a_key(kiwi: Desk) -> None:
    kiwi("sync")
    (kiwi.folder / "config" / "kiwi.toml").unlink()
    assert [store["store"] for store in kiwi("status", "--json").value["stores"]] == ["kiwi"]


def test_a_store_file_that_cannot_be_used_is_named_with_its_line_and_is_no_good_end(kiwi: Desk) -> None:
    kiwi("sync")
    file = kiwi.folder / "config" / "kiwi.toml"
    file.write_text(file.read_text().replace("[schedule]", "[schedule]\nevry = 3"))
    said = kiwi("status")
    assert said.code == 2
    assert said.out.splitlines()[-2] == "config/kiwi.toml: 1 problem"
    assert said.out.splitlines()[-1].endswith('[schedule] evry: no such key. Did you mean "every"?')


def test_K8_Z10_a_fence_that_only_a_person_lifts_waits_for_one(kiwi: Desk) -> None:
    kiwi("sync")
    fenced(kiwi, asks=True)
    kiwi.export(order(1003))
    assert kiwi("sync").code == 1
    said = kiwi("status", "kiwi")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == "1 thing waits for a person:"
    assert lines[1].startswith("  all stores  the ledger  fenced, ")
    assert lines[3].endswith("connector ledger lift-fence --reason '...'")
    assert "next once the store is through the fence" in said.out
    assert "  fence      Nothing is sent until a person has made sure" in said.out
    explained = kiwi("explain", "#1003").out
    assert ("with the next sync" in explained, "It is sent after that" in explained) == (False, True)
    assert kiwi("ledger", "lift-fence", "--reason", "the old server is off").code == 0
    assert kiwi("sync").code == 0
    assert kiwi("status").code == 0


def test_K8_the_fence_is_one_thing_however_many_stores_are_asked_for(desk: Desk) -> None:
    for name in ("kiwi", "moa"):
        desk.store(name, prefix=name)
        desk.export(order(1, Name=f"Aroha of {name}"), store=name)
    desk("sync")
    fenced(desk, asks=True)
    value = desk("status", "kiwi", "moa", "--json").value
    assert (value["needs_counted"], len(value["needs"])) == ({"fenced": 1}, 1)


def test_G5_a_store_whose_file_is_gone_is_a_problem_while_its_slips_are_open(desk: Desk, sandbox: Sandbox) -> None:
    for name in ("kiwi", "moa"):
        desk.store(name, prefix=name)
        desk.export(order(1, Name=f"Aroha of {name}"), store=name)
    sandbox.fault("lost", times=None)
    desk("sync")
    (desk.folder / "config" / "moa.toml").unlink()
    for said in (desk("status"), desk("status", "moa")):
        assert said.code == 2
        assert "next once its store file is there again" in said.out
        assert said.out.splitlines()[-1].startswith("  file  no store file for moa, whose slips are not all over (1 ")
    assert "connector sync moa" not in desk("explain", "moa#1").out.partition("store file: put it back first.")[0]
    assert "It is sent after that: connector sync moa" in desk("explain", "moa#1").out


def test_G5_a_store_whose_slips_are_over_needs_no_file(desk: Desk, sandbox: Sandbox) -> None:
    desk.store()
    desk.store("moa", prefix="m")
    desk.export(order(1, Status="cancelled"), store="moa")
    desk("sync", "moa")
    (desk.folder / "config" / "moa.toml").unlink()
    assert desk("status").code == 0


def test_a_folder_that_is_missing_or_empty_is_no_good_end(kiwi: Desk) -> None:
    kiwi("sync")
    said = kiwi("status", "--config", "nope")
    assert (said.code, "the folder can't be read" in said.out) == (2, True)
    (kiwi.folder / "empty").mkdir()
    said = kiwi("status", "--config", "empty")
    assert (said.code, "there is no store file" in said.out) == (2, True)


def test_nothing_is_promised_for_a_time_when_nothing_may_be_called(kiwi: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "not-the-key")
    assert "looks the same. What is owed stays owed" in kiwi("sync").err
    lines = kiwi("status").out.splitlines()
    owed, calls = (next(line for line in lines if line.startswith(f"  {word}")) for word in ("owed", "calls"))
    assert "none for " in calls
    assert "2 new, 1 call. GoSweetSpot does not accept the key" in next(one for one in lines if "last run" in one)
    assert ("with the next sync" in owed, "next in " in owed) == (False, True)


@pytest.mark.parametrize("command", [("status", "kiwy"), ("slips", "list", "--store", "kiwy")])
def test_a_store_that_nobody_knows_is_refused_as_by_sync(command: tuple[str, ...], kiwi: Desk) -> None:
    kiwi("sync")
    said = kiwi(*command)
    assert (said.code, said.out) == (2, "")
    assert "no store 'kiwy'. Did you mean \"kiwi\"?" in said.err


def test_a_run_that_only_called_says_how_often_and_not_nothing() -> None:
    run = Run("2026-11-23T09:30:00.000Z", "2026-11-23T09:30:01.000Z", {"calls": 1}, "")
    assert _last_run(run, datetime(2026, 11, 23, 9, 30, 5, tzinfo=UTC)) == "5 s ago: 1 call"


def test_without_a_ledger_it_says_what_makes_one(kiwi: Desk) -> None:
    said = kiwi("status")
    assert (said.code, said.err) == (
        3,
        "connector: state/ledger.db: there is no ledger yet. `connector sync` makes it.\n",
    )


def test_status_tells_no_address(desk: Desk) -> None:
    desk.store()
    desk.export(order(1, Street="12 Canary Street", Name="Canary Person", Country="Atlantis", Note="canary note"))
    desk("sync")
    for arguments in (("status",), ("status", "--json"), ("slips",), ("slips", "list")):
        assert "canary" not in desk(*arguments).out.casefold()


def test_every_alarm_has_a_mend_of_its_own() -> None:
    for alarm in Alarm:
        mend = mend_of(Need(7, "kiwi", "#1", "#1", alarm.value, "held", "", ""))
        assert "connector s" in mend
        assert "{" not in mend


def test_a_mend_quotes_for_the_shell_and_names_the_store_where_several_are_known() -> None:
    need = Need(7, "kiwi", "#1", "#1", "late", "late", "", "")
    assert "acknowledge '#1' --reason" in mend_of(need)
    assert "acknowledge '#1' --store kiwi --reason" in mend_of(need, name_store=True)

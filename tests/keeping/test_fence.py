"""An older, a foreign or a new ledger sends nothing before it has looked: at the shop, and at what GSS really has."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connector.consider import Rules
from connector.keeping import deeds
from connector.keeping.backups import keep_backups
from connector.keeping.comparing import Compared, Verdict, after_restore, pass_fence
from connector.keeping.host import this_host
from connector.keeping.restore import restore
from connector.ledger import epoch, fence, gates
from connector.ledger.backup import back_up
from connector.ledger.connection import Ledger, open_ledger
from connector.ledger.gates import Budget
from connector.ledger.machine import Shown
from connector.ledger.states import Op, State
from connector.order import Fulfilment, Payment
from connector.sandbox.handle import Sandbox
from connector.selection import SelectRules
from connector.sender import Terms
from connector.slip import SlipRules
from connector.sync import fetch_store, know_store
from tests.ledger.given import START, an_order, sent, state, the_shop_shows
from tests.road.conftest import one_sandbox as one_sandbox
from tests.road.world import Road

HERE, THERE = "machine aaaa", "machine bbbb"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "state", now=START) as ledger:
        the_shop_shows(ledger, an_order("1"))
        assert epoch.begin(ledger, HERE, START) == ""
        yield ledger


def again(tmp_path: Path, host: str = HERE) -> tuple[str, bool, bool]:
    """The next start: (why it is fenced, does the fence stand, must a person lift it)."""
    with open_ledger(tmp_path / "state", now=START) as ledger:
        why = epoch.begin(ledger, host, START)
        return why, fence.stands(ledger.db, "kiwi"), fence.fence_of(ledger.db).asks


def move(folder: Path) -> None:
    """Leave a copy of the folder in its place, as after a move to another disk."""
    shutil.copytree(folder, folder.with_name("copy"))
    shutil.rmtree(folder)
    folder.with_name("copy").rename(folder)


def test_a_ledger_that_goes_on_where_it_was_meets_no_fence(tmp_path: Path, ledger: Ledger) -> None:
    for _ in range(3):
        assert again(tmp_path) == ("", False, False)
    assert sent(ledger) == ["#1"]


def test_nothing_is_claimed_behind_the_fence_whoever_asks(ledger: Ledger) -> None:
    with ledger.writing() as db:
        fence.raise_fence(db, "a test", START)
    assert sent(ledger) == []
    assert state(ledger) == "owed"
    with ledger.writing() as db:
        fence.let_pass(db, "moa")
    assert sent(ledger) == []
    with ledger.writing() as db:
        fence.let_pass(db, "kiwi")
    assert sent(ledger) == ["#1"]


def test_a_store_that_the_restored_ledger_never_knew_stands_behind_the_fence_too(ledger: Ledger) -> None:
    with ledger.writing() as db:
        fence.raise_fence(db, "a test", START)
    assert fence.stands(ledger.db, "a store begun since")


@pytest.mark.parametrize("how", ["by the restore", "copied over it", "in its place", "with its folder"])
def test_K6_an_older_ledger_is_noticed_however_it_came_there(tmp_path: Path, ledger: Ledger, how: str) -> None:
    backup = Path(keep_backups(ledger, tmp_path / "backups", 3, START, host=HERE).file)
    path = tmp_path / "state" / "ledger.db"
    ledger.close()
    if how == "by the restore":
        restore(backup, tmp_path / "state", START, host=HERE)
        with open_ledger(tmp_path / "state") as restored:
            assert fence.stands(restored.db, "kiwi")
            assert fence.fence_of(restored.db).why.startswith("The ledger was restored from a backup of 2")
        assert again(tmp_path) == ("", True, False)
        return
    if how == "copied over it":
        path.write_bytes(backup.read_bytes())
    elif how == "in its place":
        path.unlink()
        shutil.copyfile(backup, path)
        path.chmod(0o600)
    else:
        move(tmp_path / "state")
    why, stands, asks = again(tmp_path)
    assert (bool(why), stands, asks) == (True, True, False)
    assert again(tmp_path) == ("", True, False), "said once, and it stands"


def test_K6_a_ledger_left_without_the_file_that_belongs_to_it_is_fenced(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "state" / "epoch").unlink()
    assert again(tmp_path)[1]


def test_K6_a_file_that_was_cut_by_a_power_loss_fences_too(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "state" / "epoch").write_bytes(b"")
    assert again(tmp_path)[1]


def test_a_file_that_fell_behind_the_ledger_is_no_doubt(tmp_path: Path, ledger: Ledger) -> None:
    """A kill between the commit and the file, or a disk that took no file."""
    before = (tmp_path / "state" / "epoch").read_bytes()
    epoch.advance(ledger, HERE)
    (tmp_path / "state" / "epoch").write_bytes(before)
    assert again(tmp_path) == ("", False, False)


@pytest.mark.parametrize("dies_at", [1, 2])
def test_Z2_a_kill_in_the_very_first_start_is_no_ledger_that_was_put_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Between the mark and the file beside it (found by the kill proof): else a new store would wait for its poll."""
    writes = 0
    write = epoch._write

    def die(path: Path, said: epoch.Epoch) -> None:
        nonlocal writes
        writes += 1
        if writes == dies_at:
            raise KeyboardInterrupt
        write(path, said)

    with open_ledger(tmp_path / "new") as fresh:
        monkeypatch.setattr(epoch, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            epoch.begin(fresh, HERE, START)
    monkeypatch.undo()
    with open_ledger(tmp_path / "new") as fresh:
        assert epoch.begin(fresh, HERE, START) == ""
        assert not fence.stands(fresh.db, "kiwi")


def test_K8_a_copy_of_the_folder_on_another_machine_asks_a_person_first(tmp_path: Path, ledger: Ledger) -> None:
    ledger.close()
    move(tmp_path / "state")
    why, stands, asks = again(tmp_path, THERE)
    assert (bool(why), stands, asks) == (True, True, True)
    with open_ledger(tmp_path / "state") as copied:
        with copied.writing() as db:
            assert fence.confirm(db, "anna", "the old machine is sold", START)
            assert not fence.confirm(db, "anna", "twice", START)
        assert fence.stands(copied.db, "kiwi"), "the shop and GSS are asked all the same"
        assert copied.db.execute("SELECT who, what FROM actions").fetchall() == [("anna", "lift the fence")]


def test_D8_two_machines_on_one_disk_are_told_by_the_ledger(tmp_path: Path, ledger: Ledger) -> None:
    assert again(tmp_path, THERE) == ("Another machine used this very ledger last.", True, True)


def test_a_container_that_has_another_name_after_each_start_is_no_other_machine(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "state", now=START) as ledger:
        epoch.begin(ledger, "name aaaa", START)
    assert again(tmp_path, "name bbbb") == ("", False, False)


def test_a_machine_is_named_by_its_id_and_by_its_host_name_where_it_has_none(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("0123456789abcdef0123456789abcdef\n")
    assert this_host(tmp_path / "id").startswith("machine ")
    assert "0123456789ab" not in this_host(tmp_path / "id")
    (tmp_path / "empty").write_text("\n")
    assert this_host(tmp_path / "empty") == this_host(tmp_path / "none")
    assert this_host(tmp_path / "none").startswith("name ")


def test_K7_a_ledger_begun_anew_where_there_was_one_adopts(tmp_path: Path, ledger: Ledger) -> None:
    ledger.close()
    (tmp_path / "state" / "ledger.db").unlink()
    assert again(tmp_path)[1]
    with open_ledger(tmp_path / "state") as new:
        assert fence.fence_of(new.db).adopts


def test_K7_an_adoption_stays_due_for_each_store_until_it_has_passed(tmp_path: Path) -> None:
    """Adopted, not yet synced to the end, and then the folder is moved to its server."""
    deeds.adopt(tmp_path / "state", START)
    for passes in ("moa", "kiwi"):
        with open_ledger(tmp_path / "state", now=START) as ledger:
            epoch.begin(ledger, HERE, START)
            assert fence.adopts(ledger.db, passes)
            with ledger.writing() as db:
                fence.let_pass(db, passes)
        move(tmp_path / "state")
        with open_ledger(tmp_path / "state", now=START) as ledger:
            assert "copied or restored" in epoch.begin(ledger, HERE, START)
            assert fence.stands(ledger.db, passes)
            assert not fence.adopts(ledger.db, passes), "it was adopted: what GSS has no more is no riddle"


def test_K7_a_ledger_adopts_anew_for_a_store_that_has_passed_with_nothing(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "state", now=START) as ledger, ledger.writing() as db:
        fence.raise_fence(db, "a test", START)
        fence.let_pass(db, "kiwi")
    deeds.adopt(tmp_path / "state", START)
    with open_ledger(tmp_path / "state", now=START) as ledger:
        assert fence.stands(ledger.db, "kiwi") and fence.adopts(ledger.db, "kiwi")


@pytest.mark.parametrize(
    ("state", "op", "was_sent", "shown", "ticketed", "adopts", "verdict"),
    [
        (State.OWED, Op.PUT, False, Shown.NOTHING, False, False, Verdict.LEAVE),
        (State.OWED, Op.PUT, True, Shown.NOTHING, False, False, Verdict.HOLD),
        (State.OWED, Op.PUT, False, Shown.NOTHING, False, True, Verdict.HOLD),
        (State.UNCLEAR, Op.PUT, True, Shown.NOTHING, False, False, Verdict.HOLD),
        (State.ACCEPTED, Op.PUT, True, Shown.NOTHING, False, False, Verdict.HOLD),
        (State.OWED, Op.DELETE, True, Shown.NOTHING, False, False, Verdict.LEAVE),
        (State.OWED, Op.DELETE, True, Shown.OLDER, False, False, Verdict.LEAVE),
        (State.OWED, Op.PUT, False, Shown.NEWEST, False, True, Verdict.KNOWN),
        (State.OWED, Op.PUT, False, Shown.FOREIGN, False, True, Verdict.LEAVE),
        (State.OWED, Op.PUT, True, Shown.OLDER, False, False, Verdict.LEAVE),
        (State.OWED, Op.PUT, False, Shown.FOREIGN, True, False, Verdict.TICKETED),
        (State.OWED, Op.PUT, True, Shown.NEWEST, True, False, Verdict.TICKETED),
        (State.ACCEPTED, Op.PUT, True, Shown.OLDER, False, False, Verdict.LEAVE),
        (State.CONFIRMED, Op.PUT, True, Shown.NOTHING, False, False, Verdict.LEAVE),
    ],
)
def test_what_becomes_of_a_slip_by_what_GSS_has(
    state: State, op: Op, was_sent: bool, shown: Shown, ticketed: bool, adopts: bool, verdict: Verdict
) -> None:
    assert after_restore(state, op, was_sent, shown, ticketed, adopts) is verdict


@pytest.fixture
def road(one_sandbox: Sandbox, tmp_path: Path) -> Iterator[Road]:
    one_sandbox.reset()
    road = Road(open_ledger(tmp_path / "state"), one_sandbox)
    yield road
    road.client.close()
    road.ledger.close()


def put_back(road: Road, backup: Path, tmp_path: Path) -> None:
    road.ledger.close()
    restore(backup, tmp_path / "state", road.clock.now())
    road.ledger = open_ledger(tmp_path / "state")


def poll(road: Road) -> None:
    """Read the shop, as the daemon does apart from sending."""
    puts = len(road.calls("PUT"))
    fetch_store(road.rules, road.terms, road.shop, road.ledger, road.hooks)
    assert len(road.calls("PUT")) == puts
    assert fence.was_polled(road.ledger.db, "kiwi")


def through(road: Road) -> Compared:
    return pass_fence(road.rules, road.terms, road.ledger, road.client, road.clock.now, road.clock.wait)


def test_K6_yesterday_s_ledger_sends_nothing_old_and_makes_nothing_anew_that_was_deleted(
    road: Road, tmp_path: Path
) -> None:
    road.send_and_confirm("A1", "A2", "A3", "A4")
    road.shop.add("B1")
    road.sync()  # accepted, as the backup knows it
    backup = back_up(road.ledger, tmp_path / "backup.db")

    road.shop.edit("A1", street="2 New Street")
    road.shop.cancel("A2")
    road.shop.add("C1", "C2", "C3")
    road.sync()
    road.settle()
    road.gss.delete("B1")  # in the portal
    road.gss.ticket("C2")
    road.gss.edit("A3", delvinstructions="BY HAND")
    road.shop.cancel("C3")

    put_back(road, backup, tmp_path)
    counts = road.gss.counts()
    assert through(road).problem.endswith("Nothing is sent until the shop was read to its end.")
    poll(road)
    assert road.gss.counts()["orders_created"] == counts["orders_created"]
    found = through(road)
    assert (found.problem, found.held, found.left_standing) == ("", 1, 1)
    road.sync()
    road.settle()

    after = road.gss.counts()
    assert after["orders_created"] == counts["orders_created"], "nothing was made anew"
    assert road.state("B1") == "held"
    assert "somebody may have deleted it there" in road.reason("B1")
    assert road.stored("A1") == "2 new street"
    assert road.gss.order("A2")["state"] == "deleted"
    assert road.gss.order("A3")["stored"]["delvinstructions"] == "BY HAND"
    assert (road.state("C1"), road.state("C2")) == ("confirmed", "processed")
    assert "left standing C3" in road.kinds()


def test_K6_an_older_version_is_never_sent_when_a_newer_one_is_at_GSS(road: Road, tmp_path: Path) -> None:
    road.shop.add("A1")
    road.read_the_shop()
    backup = back_up(road.ledger, tmp_path / "backup.db")  # owes the old street
    road.shop.edit("A1", street="2 New Street")
    road.sync()
    put_back(road, backup, tmp_path)
    poll(road)
    assert through(road).problem == ""
    road.sync()
    assert road.stored("A1") == "2 new street"
    assert [len(call) for call in road.calls("PUT")] == [1], "it was taken as known; no second call was needed"


def test_K6_the_fence_stands_while_GSS_does_not_answer(road: Road, tmp_path: Path) -> None:
    road.shop.add("A1")
    road.read_the_shop()
    put_back(road, back_up(road.ledger, tmp_path / "backup.db"), tmp_path)
    poll(road)
    road.gss.fault("status", status=503, method="GET")
    assert through(road).problem != ""
    assert fence.stands(road.ledger.db, "kiwi")
    road.gss.clear_faults()
    assert through(road).problem == ""
    road.sync()
    assert road.state("A1") == "accepted"


def half_minutes(road: Road, minutes: int) -> int:
    """Try to get through as often as the daemon does; the calls that it took."""
    before = len(road.calls("GET"))
    for _ in range(minutes * 2):
        if not fence.stands(road.ledger.db, "kiwi"):
            break
        through(road)
        road.clock.at += timedelta(seconds=30)
    return len(road.calls("GET")) - before


def fence_off(road: Road, *, adopts: bool = False) -> None:
    with road.ledger.writing() as db:
        know_store(db, road.terms)
        fence.raise_fence(db, "a test", road.clock.now(), adopts=adopts)
        fence.note_polled(db, "kiwi")


@pytest.mark.parametrize(
    ("status", "kind", "most"), [(401, "unauthorised", 10), (429, "no usable answer", 4), (503, "no usable answer", 9)]
)
def test_S15_S16_trouble_behind_the_fence_shuts_the_gate_and_calls_a_person_as_before_it(
    road: Road, status: int, kind: str, most: int
) -> None:
    """A restored ledger whose key was revoked since asked every 30 seconds, and nobody was told."""
    road.shop.add("A1")
    road.read_the_shop()
    fence_off(road)
    road.gss.fault("status", status=status, retry_after=900 if status == 429 else None, times=None)
    assert 1 < half_minutes(road, minutes=50) <= most
    assert road.kinds() == {kind}
    road.gss.clear_faults()
    road.clock.at += timedelta(minutes=15)
    assert through(road).problem == ""
    assert (gates.gate_of(road.ledger.db, "key").failures, road.kinds()) == (0, set())


def test_S19_while_another_store_owes_a_GET_behind_the_fence_does_not_pass_for_the_canary(road: Road) -> None:
    road.shop.add("A1")
    road.read_the_shop()
    fence_off(road)
    the_shop_shows(road.ledger, an_order("M1"), by=Rules("moa", SelectRules(), SlipRules()), to=as_moa(road))
    with road.ledger.writing() as db:
        know_store(db, as_moa(road))
        fence.let_pass(db, "moa")
        gates.keep_gate(db, "key", gates.Gate(1, road.clock.now(), "503"))
    assert through(road).problem == ""
    assert gates.gate_of(road.ledger.db, "key").failures == 1


def as_moa(road: Road) -> Terms:
    return msgspec.structs.replace(road.terms, store="moa")


@pytest.mark.parametrize("has_slips", [True, False])
def test_K6_a_store_that_needs_more_calls_than_an_hour_has_goes_on_where_it_was(
    road: Road, tmp_path: Path, has_slips: bool
) -> None:
    """It began anew each hour, took the whole hour of the key for it, and never got through."""
    road.shop.many(400)
    if not has_slips:
        for number in list(road.shop.orders):
            road.shop.edit(number, fulfilment=Fulfilment.FULFILLED)
    road.read_the_shop()
    fence_off(road, adopts=not has_slips)
    road.change_terms(budget=Budget(60, 3))
    assert half_minutes(road, minutes=50) == 3
    assert fence.stands(road.ledger.db, "kiwi")
    road.ledger.close()
    road.ledger = open_ledger(tmp_path / "state")  # a restart is no beginning
    assert half_minutes(road, minutes=240) <= 8
    assert not fence.stands(road.ledger.db, "kiwi")
    asked = [number for call in road.calls("GET") for number in call]
    assert sorted(asked) == sorted(road.shop.orders), "each once"
    assert road.calls("PUT") == []


def test_K6_what_became_a_slip_while_the_comparison_waited_is_asked_about_too(road: Road) -> None:
    road.shop.many(200)
    road.read_the_shop()
    fence_off(road)
    road.change_terms(budget=Budget(60, 2))
    half_minutes(road, minutes=50)
    road.shop.add("B1")
    road.read_the_shop()
    half_minutes(road, minutes=240)
    assert not fence.stands(road.ledger.db, "kiwi")
    assert "B1" in road.calls("GET")[-1]


def test_K6_a_fence_raised_anew_asks_about_all_of_them_anew(road: Road) -> None:
    road.shop.many(100)
    road.read_the_shop()
    fence_off(road)
    road.change_terms(budget=Budget(60, 1))
    assert half_minutes(road, minutes=50) == 1
    fence_off(road)
    road.change_terms(budget=Budget(0, 0))
    road.gss.reset()
    assert through(road).problem == ""
    assert sorted(number for call in road.calls("GET") for number in call) == sorted(road.shop.orders)


def test_K8_nobody_s_slips_are_compared_before_a_person_has_spoken(road: Road) -> None:
    with road.ledger.writing() as db:
        fence.raise_fence(db, "It came from elsewhere.", road.clock.now(), asks=True)
        fence.note_polled(db, "kiwi")
    assert "connector ledger lift-fence" in through(road).problem
    assert road.gss.counts()["gets"] == 0


def test_K7_a_lost_ledger_is_begun_anew_from_what_GSS_has(road: Road, tmp_path: Path) -> None:
    road.send_and_confirm("A1", "A2", "A3", "A4", "A5")
    epoch.begin(road.ledger, HERE, road.clock.now())
    road.gss.ticket("A2")
    road.gss.delete("A3")
    road.shop.edit("A4", fulfilment=Fulfilment.FULFILLED)
    road.gss.delete("A4")
    road.shop.cancel("A5")  # after the last run: still pending at GSS
    road.ledger.close()
    (tmp_path / "state" / "ledger.db").unlink()
    before = road.gss.counts()

    road.ledger = open_ledger(tmp_path / "state")
    assert "lost" in epoch.begin(road.ledger, HERE, road.clock.now())
    poll(road)
    found = through(road)
    assert (found.problem, found.known, found.held, found.left_standing) == ("", 2, 1, 1)
    road.sync()
    road.settle()
    assert road.gss.counts()["orders_created"] == before["orders_created"]
    assert road.gss.counts()["orders_updated"] == before["orders_updated"]
    assert [road.state(number) for number in ("A1", "A2", "A3")] == ["confirmed", "processed", "held"]
    assert "it was never sent, or somebody deleted it there" in road.reason("A3")
    assert "left standing A5" in road.kinds()


@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.parametrize("edit", [{"fulfilment": Fulfilment.ON_HOLD}, {"payment": Payment.PENDING}])
def test_K6_K7_an_order_that_was_sent_since_and_is_to_wait_now_calls_a_person(
    road: Road, tmp_path: Path, edit: dict[str, Any], is_lost: bool
) -> None:
    """A hold for fraud, say: GSS has it pending, and this ledger never knew that it was sent."""
    epoch.begin(road.ledger, HERE, road.clock.now())
    backup = back_up(road.ledger, tmp_path / "backup.db")
    road.shop.add("C1")
    road.sync()
    road.shop.edit("C1", **edit)
    if is_lost:
        road.ledger.close()
        (tmp_path / "state" / "ledger.db").unlink()
        road.ledger = open_ledger(tmp_path / "state")
        epoch.begin(road.ledger, HERE, road.clock.now())
    else:
        put_back(road, backup, tmp_path)
    poll(road)
    assert through(road).left_standing == 1
    assert "left standing C1" in road.kinds()


def test_the_number_of_an_order_without_a_slip_follows_the_store_s_rules(road: Road, tmp_path: Path) -> None:
    road.rules = type(road.rules)("kiwi", road.rules.select, SlipRules(prefix="KW-"))
    road.shop.add("A1")
    road.sync()
    with road.ledger.writing() as db:
        db.execute("DELETE FROM attempt_versions")
        db.execute("DELETE FROM bodies")
        db.execute("DELETE FROM versions")
        db.execute("DELETE FROM slips")
        fence.raise_fence(db, "a test", road.clock.now())
    road.shop.cancel("A1")
    poll(road)
    assert through(road).left_standing == 1
    assert "left standing KW-A1" in road.kinds()


def test_K6_a_plain_sync_leads_a_store_through_the_fence_and_sends(road: Road, tmp_path: Path) -> None:
    """Read, swept, compared, and only then sent, all in one run."""
    road.shop.add("A1")
    road.read_the_shop()
    backup = back_up(road.ledger, tmp_path / "backup.db")
    road.shop.edit("A1", street="2 New Street")
    road.sync()
    put_back(road, backup, tmp_path)
    road.shop.add("A2")
    report = road.sync()
    assert (report.pause, fence.stands(road.ledger.db, "kiwi")) == ("", False)
    assert (road.stored("A1"), road.state("A2")) == ("2 new street", "accepted")
    assert road.calls("PUT") == [["A1"], ["A2"]], "what GSS had already was not sent again"


def test_K8_a_sync_behind_a_fence_that_asks_sends_nothing_and_says_what_to_do(road: Road) -> None:
    with road.ledger.writing() as db:
        fence.raise_fence(db, "It came from elsewhere.", road.clock.now(), asks=True)
    road.shop.add("A1")
    report = road.sync()
    assert (road.gss.requests(), road.state("A1"), report.owed) == ([], "owed", 1)
    assert "connector ledger lift-fence" in report.pause

"""`connector sync --dry-run`: what would be done, order by order, and that nothing is."""

from __future__ import annotations

from connector.plan import Difference, differences
from connector.sandbox.handle import Sandbox
from tests.commands.desk import Desk, Said, order


def plans(said: Said) -> dict[str, dict[str, object]]:
    """The plan of each order, by its number."""
    return {line["order"]: line for line in said.values if "action" in line}


def actions(said: Said) -> dict[str, object]:
    return {number: line["action"] for number, line in plans(said).items()}


def test_S27_a_dry_run_sends_nothing_and_changes_no_state(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi("sync")
    kiwi.export(
        order(1001, Street="7 Rata Street"), order(1002, Status="cancelled"), order(1003), order(4, Country="X")
    )
    ledger, counts = kiwi.fingerprint(), sandbox.counts()
    for arguments in ((), ("--all",), ("--from-start", "--json")):
        kiwi("sync", "--dry-run", *arguments)
    assert sandbox.counts() == counts
    assert kiwi.fingerprint() == ledger


def test_S27_a_dry_run_makes_no_ledger(kiwi: Desk, sandbox: Sandbox) -> None:
    said = kiwi("sync", "--dry-run")
    assert said.code == 0
    assert not (kiwi.folder / "state").exists()
    assert sandbox.requests() == []


def test_a_dry_run_needs_no_key(desk: Desk) -> None:
    desk.store(key="NOT_SET")
    desk.export(order(1))
    assert desk("sync", "--dry-run").code == 0


def test_each_order_is_created_updated_deleted_held_waited_for_or_skipped(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi.export(order(1001), order(1002), order(1003), order(1004), order(1005, Payment="pending"), order(1008))
    kiwi("sync")
    sandbox.ticket("#1004")
    kiwi.export(
        order(1001, Street="7 Rata Street"),
        order(1002, Status="cancelled"),
        order(1003),
        order(1005),
        order(1006, Country="Atlantis"),
        order(1007, Payment="pending"),
        order(1008, Status="fulfilled"),
        order(1009, Status="cancelled"),
    )
    said = kiwi("sync", "--dry-run", "--json")
    assert said.code == 1
    assert actions(said) == {
        "#1001": "update",
        "#1002": "delete",
        "#1005": "create",
        "#1006": "hold",
        "#1007": "wait",
        "#1009": "skip",
    }
    assert actions(kiwi("sync", "--dry-run", "--json", "--all"))["#1003"] == "unchanged"


def test_the_plan_is_what_the_sync_then_does(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi("sync")
    kiwi.export(order(1001, Street="7 Rata Street"), order(1002, Status="cancelled"), order(1003))
    planned = plans(kiwi("sync", "--dry-run", "--json"))
    kiwi("sync")
    sent = {one["number"]: one["sent"] for one in sandbox.orders() if one["state"] != "deleted"}
    assert sent == {number: planned[number]["slip"] for number in ("#1001", "#1003")}
    assert sandbox.order("#1002")["state"] == "deleted"


def test_an_update_shows_what_differs_from_what_gosweetspot_has(kiwi: Desk) -> None:
    kiwi("sync")
    kiwi.export(order(1001, Street="7 Rata Street", Note="Ring twice"))
    said = kiwi("sync", "--dry-run")
    assert said.out.splitlines()[:3] == [
        "update    #1001",
        '    address2: "1001 Kowhai Road" -> "7 Rata Street"',
        '    delvinstructions: null -> "Ring twice"',
    ]
    assert '"address2": "7 Rata Street"' in said.out
    assert said.out.splitlines()[-1] == "  dry run: nothing was sent, nothing was recorded"


def test_a_change_of_a_ticketed_slip_is_late_and_not_sent(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi("sync")
    sandbox.ticket("#1001")
    kiwi.export(order(1001, Street="7 Rata Street"))
    kiwi("sync")
    kiwi.export(order(1001, Street="9 Rata Street"))
    said = kiwi("sync", "--dry-run", "--json")
    assert (actions(said), said.code) == ({"#1001": "late"}, 1)


def test_two_orders_that_want_one_number_are_held_in_the_plan_too(kiwi: Desk) -> None:
    kiwi("sync")
    kiwi.export(order(1003, Number="#1001"), order(1004, Number="#77"), order(1005, Number="#77"))
    said = kiwi("sync", "--dry-run", "--json")
    assert set(actions(said).values()) == {"hold"}
    assert {str(line["reason"]) for line in plans(said).values()} != {""}


def test_an_order_sent_that_must_wait_after_all_is_named(kiwi: Desk) -> None:
    kiwi("sync")
    kiwi.export(order(1001, Payment="pending"))
    said = kiwi("sync", "--dry-run", "--json")
    assert actions(said) == {"#1001": "wait"}
    assert "still at GSS" in str(plans(said)["#1001"]["reason"])


def test_what_earlier_runs_left_owed_is_counted(desk: Desk, sandbox: Sandbox) -> None:
    desk.store()
    desk.export(order(1))
    sandbox.fault("lost", times=None)
    desk("sync")
    sandbox.clear_faults()
    assert "1 slip of earlier runs would be sent too" in desk("sync", "--dry-run").out


def test_an_order_shown_by_two_exports_is_planned_as_each_shows_it(desk: Desk) -> None:
    desk.store()
    desk.export(order(1))
    desk.export(order(1, Street="7 Rata Street"))
    said = desk("sync", "--dry-run", "--json")
    assert [line["action"] for line in said.values if "action" in line] == ["create", "create"]
    assert said.values[-1]["report"]["new"] == 1


def test_a_shop_that_cannot_be_read_ends_with_3(desk: Desk) -> None:
    desk.store()
    (desk.folder / "exports" / "kiwi").rmdir()
    said = desk("sync", "--dry-run")
    assert (said.code, "there is no folder" in said.err) == (3, True)


def test_differences_go_by_field_in_the_order_of_the_api_page() -> None:
    before = '{"packingslipno": "1", "suburb": "A", "city": "B", "costcentre": "x"}'
    after = '{"packingslipno": "1", "suburb": "C", "city": "B", "email": null}'
    assert differences(before, after) == (Difference("suburb", "A", "C"), Difference("costcentre", "x", None))
    assert differences(None, after) == differences(before, None) == ()


def test_all_without_a_dry_run_is_a_mistake(kiwi: Desk) -> None:
    said = kiwi("sync", "--all")
    assert (said.code, "--all goes with --dry-run" in said.err) == (2, True)


def test_a_held_order_that_is_cancelled_is_skipped_without_a_call(kiwi: Desk) -> None:
    kiwi.export(order(1003, Country="Atlantis"))
    kiwi("sync")
    kiwi.export(order(1003, Country="Atlantis", Status="cancelled"))
    said = kiwi("sync", "--dry-run", "--json")
    assert actions(said) == {"#1003": "skip"}


def test_new_orders_of_one_export_never_hide_known_ones_of_the_next(kiwi: Desk) -> None:
    kiwi("sync")
    kiwi.export(order(1003))
    kiwi.export(order(1001, Street="7 Rata Street"))
    assert actions(kiwi("sync", "--dry-run", "--json")) == {"#1003": "create", "#1001": "update"}


def test_a_slip_that_no_call_brought_there_is_new_and_not_an_update(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi.export(order(1001))
    sandbox.fault("status", status=401, times=None)
    kiwi("sync")
    sandbox.clear_faults()
    kiwi.export(order(1001, Street="7 Rata Street"))
    assert actions(kiwi("sync", "--dry-run", "--json")) == {"#1001": "create"}


def test_an_order_fulfilled_before_any_call_reached_gss_is_skipped(kiwi: Desk, sandbox: Sandbox) -> None:
    kiwi.export(order(1001))
    sandbox.fault("status", status=401, times=None)
    kiwi("sync")
    kiwi.export(order(1001, Status="fulfilled"))
    assert actions(kiwi("sync", "--dry-run", "--json")) == {"#1001": "skip"}

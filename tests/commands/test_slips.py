"""`connector slips`: lists, one slip whole, and what people do by hand."""

from __future__ import annotations

import pytest

from connector.sandbox.handle import Sandbox
from tests.commands.desk import Desk, order


def held(desk: Desk) -> Desk:
    desk.store()
    desk.export(order(1), order(2, Country="Atlantis"))
    desk("sync")
    return desk


def test_alone_it_lists_what_waits_and_counts_the_rest(desk: Desk) -> None:
    said = held(desk)("slips")
    assert said.code == 1
    assert "order #2  held" in said.out
    assert said.out.splitlines()[-1] == "All slips: 1 confirmed, 1 held. See: connector slips list"
    assert [one["need"]["order"] for one in desk("slips", "--json").value] == ["#2"]


def test_lists_are_by_state_and_store_and_no_longer_than_asked(desk: Desk) -> None:
    held(desk)
    assert [one["name"] for one in desk("slips", "list", "--json").value] == ["#1", "#2"]
    assert [one["name"] for one in desk("slips", "list", "confirmed", "--json").value] == ["#1"]
    assert desk("slips", "list", "late").out == "No slips.\n"
    desk.store("moa", prefix="M-")
    assert desk("slips", "list", "--store", "moa", "--json").value == []
    assert "There may be more than these 1" in desk("slips", "list", "--limit", "1").out
    said = desk("slips", "list", "confrmed")
    assert (said.code, "no such state: confrmed" in said.err) == (2, True)


def test_a_list_in_a_pipe_is_aligned_and_has_no_empty_columns(desk: Desk) -> None:
    lines = held(desk)("slips", "list").out.splitlines()
    assert lines[0].split() == ["store", "order", "slip", "state", "version", "why"]
    assert lines[0].index("state") == lines[1].index("confirmed") == lines[2].index("held")


def test_a_slip_without_a_number_is_shown_without_one(desk: Desk) -> None:
    held(desk)
    assert desk("slips", "list", "held").out.splitlines()[1].split()[:4] == ["kiwi", "#2", "-", "held"]
    assert desk("slips", "show", "#2").out.startswith("slip - of kiwi, order #2: held")


@pytest.mark.parametrize("name", ["", " ", "id:"])
def test_an_empty_name_is_nobodys(name: str, desk: Desk) -> None:
    held(desk)
    for command in (
        ("explain", name),
        ("slips", "show", name),
        ("slips", "acknowledge", name, "--reason", "x"),
        ("privacy", "erase", name),
    ):
        said = desk(*command)
        assert (said.code, " known by " in said.err) == (2, True)


def test_a_held_slip_that_cannot_be_sent_is_told_so_by_whichever_command(desk: Desk) -> None:
    held(desk)
    said = [desk("slips", deed, "#2").err for deed in ("retry", "release")]
    assert said[0] == said[1]
    assert "connector sync --from-start" in said[0]


def test_the_store_is_asked_for_only_where_it_would_help(desk: Desk) -> None:
    desk.store()
    desk.export(order(1, Id="1"), order(1, Id="2"))
    desk("sync")
    assert "--store" not in desk("slips", "hold", "#1", "--reason", "x").err


def test_one_slip_shows_its_fields_versions_calls_and_receipts(kiwi: Desk) -> None:
    kiwi("sync")
    out = kiwi("slips", "show", "#1001").out
    assert '  address2         "1001 Kowhai Road"' in out
    assert "answered" in out
    value = kiwi("slips", "show", "#1001", "--json").value
    assert [len(value[part]) for part in ("versions", "attempts", "alerts", "actions")] == [1, 1, 0, 0]
    assert kiwi("slips", "show", "#77").code == 2


def test_a_slip_held_by_hand_is_not_sent_until_it_is_released(
    desk: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.store()
    desk.export(order(1))
    monkeypatch.setenv("DESK_KEY", "not-the-key")
    desk("sync")
    monkeypatch.setenv("DESK_KEY", sandbox.key)
    assert desk("slips", "hold", "#1", "--reason", "the buyer asked").code == 0
    assert "Let it go with: connector slips release '#1'" in desk("status").out
    desk("sync")
    assert sandbox.orders() == []
    assert desk("slips", "release", "#1").out == "#1 is owed again and goes out with the next sync.\n"
    desk("sync")
    assert len(sandbox.orders()) == 1


def test_what_cannot_be_done_ends_with_2_and_says_what_can(kiwi: Desk) -> None:
    kiwi("sync")
    said = kiwi("slips", "hold", "#1001", "--reason", "x")
    assert (said.code, "it is at GSS already" in said.err) == (2, True)
    assert kiwi("slips", "dismiss", "5", "--reason", "x").code == 2


def test_an_alert_of_a_slip_is_not_dismissed_but_acknowledged(desk: Desk) -> None:
    alert = held(desk)("status", "--json").value["needs"][0]["need"]["alert"]
    said = desk("slips", "dismiss", str(alert), "--reason", "x")
    assert (said.code, "connector slips acknowledge" in said.err) == (2, True)


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_empty_reason_is_none(reason: str, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    for deed, what in (("hold", "#1"), ("acknowledge", "#1"), ("dismiss", "1")):
        with pytest.raises(SystemExit) as end:
            desk("slips", deed, what, "--reason", reason)
        assert end.value.code == 2
        assert "--reason: it is empty: say in a few words why" in capsys.readouterr().err


def test_who_did_what_and_why_is_kept(desk: Desk) -> None:
    held(desk)("slips", "acknowledge", "#2", "--reason", "the buyer moved to Atlantis")
    [action] = desk("slips", "show", "#2", "--json").value["actions"]
    assert (action["what"], action["reason"]) == ("acknowledge", "the buyer moved to Atlantis")
    assert action["who"]

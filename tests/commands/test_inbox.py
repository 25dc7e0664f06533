"""`connector inbox`: what came in, without what buyers said unless it is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.arguments import DELIVERY_STATES
from connector.cli import main
from connector.inbox.box import Inbox
from connector.inbox.delivery import State
from tests.inbox.given import NOW, delivery

BODY = b'{"id":23,"billing":{"first_name":"Aroha","phone":"021 555 0101"}}'


@pytest.fixture
def state(tmp_path: Path) -> Path:
    with Inbox.open(tmp_path, now=lambda: NOW) as inbox:
        inbox.add([delivery(body=BODY), delivery(2, "moa")])
        inbox.quarantine(2, "it names no order")
    return tmp_path


def ran(state: Path, *words: str) -> int:
    return main(["--state", str(state), "inbox", *words])


def test_the_states_of_the_grammar_are_the_inboxes() -> None:
    assert set(DELIVERY_STATES) == {state.value for state in State}


def test_the_list_names_orders_and_no_person(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(state, "list") == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[1].split()[:3] == ["2", "moa", "quarantined"]
    assert "it names no order" in shown
    assert " 23 " in shown
    assert "Aroha" not in shown
    assert "555" not in shown


def test_the_list_can_be_narrowed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(state, "list", "waiting", "--store", "kiwi", "--json") == 0
    [row] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["id"], row["state"], row["names"]) == (1, "waiting", "23")
    assert ran(state, "list", "done") == 0
    assert capsys.readouterr().out == "no deliveries\n"
    assert ran(state, "list", "lost") == 2


def test_a_body_shows_only_where_it_is_asked_for(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(state, "show", "1") == 0
    assert "Aroha" not in capsys.readouterr().out
    assert ran(state, "show", "1", "--body") == 0
    assert "Aroha" in capsys.readouterr().out
    assert ran(state, "show", "9") == 2


def test_a_delivery_can_be_looked_at_again(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(state, "replay", "2") == 0
    assert "waits again" in capsys.readouterr().out
    with Inbox.open(state) as inbox:
        assert inbox.stores_waiting() == ["kiwi", "moa"]
        inbox.blank([2], "asked for")
    assert ran(state, "replay", "2") == 2


def test_where_there_is_no_inbox_none_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(tmp_path, "list") == 3
    assert "there is no inbox here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

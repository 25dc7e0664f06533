"""Every fault breaks what it says and nothing else: what the caller sees, and what the sandbox then holds."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection, HTTPException, IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connector.sandbox.faults import KINDS
from connector.sandbox.handle import OperatorError, Sandbox
from tests.sandbox.conftest import PATH, Caller, slip, until


def held_numbers(sandbox: Sandbox) -> list[str]:
    return [order["number"] for order in sandbox.orders()]


def assert_no_answer(caller: Caller, *numbers: str) -> None:
    with pytest.raises((HTTPException, ConnectionError)):
        caller.put(*numbers)


def test_store_then_timeout_stores_and_never_answers(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("store_then_timeout")
    assert_no_answer(caller, "#1")
    assert held_numbers(sandbox) == ["#1"]
    assert caller.put("#1").status == 200


def test_store_then_timeout_holds_the_connection_until_the_caller_gives_up(sandbox: Sandbox) -> None:
    sandbox.fault("store_then_timeout", seconds=600)
    connection = HTTPConnection(urlsplit(sandbox.url).netloc, timeout=0.2)
    connection.request("PUT", PATH, json.dumps([slip("#1")]), {"access_key": sandbox.key})
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert held_numbers(sandbox) == ["#1"]


def test_lost_stores_nothing_and_never_answers(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("lost")
    assert_no_answer(caller, "#1")
    assert sandbox.orders() == []
    assert sandbox.requests()[-1]["status"] == "no answer"
    assert sandbox.counts()["puts"] == 1


def test_a_ghost_is_applied_when_the_operator_says_even_over_a_newer_version(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("apply_later")
    with pytest.raises((HTTPException, ConnectionError)):
        caller.put("#1", city="Old")
    caller.put("#1", city="New")
    assert sandbox.held() == [{"method": "PUT", "numbers": ["#1"]}]

    assert sandbox.apply_held() == 1

    assert sandbox.order("#1")["sent"]["city"] == "Old"
    assert sandbox.held() == []
    assert sandbox.requests()[-1]["status"] == "applied late"


def test_a_ghost_comes_back_by_itself_after_its_seconds(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("apply_later", seconds=0.01)
    assert_no_answer(caller, "#1")
    until(sandbox.orders)
    assert held_numbers(sandbox) == ["#1"]


def test_a_ghost_of_a_delete_deletes_later(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    sandbox.fault("apply_later", method="DELETE")
    with pytest.raises((HTTPException, ConnectionError)):
        caller.delete("#1")
    assert sandbox.order("#1")["state"] == "pending"
    sandbox.apply_held()
    assert sandbox.order("#1")["state"] == "deleted"


def test_slow_answers_after_its_seconds(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("slow", seconds=0.05)
    begun = time.monotonic()
    assert caller.put("#1").json[0]["result"] is True
    assert time.monotonic() - begun >= 0.05


def test_hang_up_closes_an_idle_connection_without_a_word(sandbox: Sandbox) -> None:
    sandbox.fault("hang_up")
    connection = HTTPConnection(urlsplit(sandbox.url).netloc, timeout=5)
    headers = {"access_key": sandbox.key}
    connection.request("PUT", PATH, json.dumps([slip("#1")]), headers)
    first = connection.getresponse()
    assert first.read()
    assert first.getheader("Connection") is None
    assert connection.sock.recv(1) == b""
    connection.close()


@pytest.mark.parametrize(("fields", "status", "stored"), [({}, 500, []), ({"stores": 1}, 500, ["#1"])])
def test_an_html_page_may_have_stored_a_part(
    sandbox: Sandbox, caller: Caller, fields: dict[str, int], status: int, stored: list[str]
) -> None:
    sandbox.fault("html", **fields)
    answer = caller.put("#1", "#2")
    assert answer.status == status
    assert answer.headers["content-type"].startswith("text/html")
    assert held_numbers(sandbox) == stored


def test_an_html_page_with_status_200_stores_nothing(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("html", status=200)
    answer = caller.put("#1")
    assert (answer.status, answer.body[:15]) == (200, b"<!DOCTYPE html>")
    assert sandbox.orders() == []


@pytest.mark.parametrize("status", [401, 403, 429, 503])
@pytest.mark.parametrize("retry_after", [None, "7"])
def test_any_status_can_be_answered_with_or_without_retry_after(
    sandbox: Sandbox, caller: Caller, status: int, retry_after: str | None
) -> None:
    sandbox.fault("status", status=status, retry_after=retry_after)
    answer = caller.put("#1")
    assert (answer.status, answer.headers.get("retry-after")) == (status, retry_after)
    assert sandbox.orders() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_to_another_loopback_address(sandbox: Sandbox, caller: Caller, status: int) -> None:
    sandbox.fault("redirect", status=status, location="http://127.0.0.1:9/there")
    answer = caller.put("#1")
    assert (answer.status, answer.headers["location"]) == (status, "http://127.0.0.1:9/there")
    assert sandbox.orders() == []


@pytest.mark.parametrize("location", ["https://api.gosweetspot.com/", "//example.com", "http://127.0.0.1.nip.io/", "x"])
def test_SEC45_a_redirect_never_leads_off_this_machine(sandbox: Sandbox, location: str) -> None:
    with pytest.raises(OperatorError, match="loopback"):
        sandbox.fault("redirect", location=location)


@pytest.mark.parametrize("status", [400, 500])
def test_poison_spoils_every_batch_that_carries_it_and_no_other(sandbox: Sandbox, caller: Caller, status: int) -> None:
    sandbox.fault("poison", numbers=["#2"], status=status)
    assert caller.put("#1", "#2", "#3").status == status
    assert caller.put("#2").status == status
    assert sandbox.orders() == []
    assert caller.put("#1", "#3").status == 200


def test_too_large_refuses_batches_over_its_limit(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("too_large", orders=2)
    assert caller.put("#1", "#2", "#3").status == 413
    assert caller.put("#1", "#2").status == 200
    assert held_numbers(sandbox) == ["#1", "#2"]


def test_refuse_keeps_the_rest_of_the_batch(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("refuse", numbers=["#2"], msg="Suburb invalid")
    rows = caller.put("#1", "#2", "#3").json
    assert [(row["packingslipno"], row["result"], row["msg"]) for row in rows] == [
        ("#1", True, ""),
        ("#2", False, "Suburb invalid"),
        ("#3", True, ""),
    ]
    assert held_numbers(sandbox) == ["#1", "#3"]


def test_lie_answers_true_and_keeps_nothing(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("lie")
    assert [row["result"] for row in caller.put("#1", "#2").json] == [True, True]
    assert sandbox.orders() == []


def test_missing_rows_are_stored_all_the_same(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("missing_rows", rows=2)
    assert [row["packingslipno"] for row in caller.put("#1", "#2", "#3").json] == ["#3"]
    sandbox.fault("missing_rows", numbers=["#3"], method="GET")
    assert [row["packingslipno"] for row in caller.results()] == ["#1", "#2", "#3"]
    assert [row["packingslipno"] for row in caller.results("#2", "#3")] == ["#2"]
    assert held_numbers(sandbox) == ["#1", "#2", "#3"]


def test_extra_rows_speak_of_what_nobody_asked(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("extra_rows", number="#9")
    assert [row["packingslipno"] for row in caller.put("#1").json] == ["#1", "#9"]
    assert held_numbers(sandbox) == ["#1"]


def test_odd_case_changes_names_and_numbers(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("odd_case", times=3)
    assert caller.put("ab-1").json == [{"PACKINGSLIPNO": " AB-1 ", "RESULT": True, "MSG": ""}]
    assert caller.results("ab-1")[0]["PACKINGSLIPNO"] == " AB-1 "
    assert caller.delete("ab-1").json == {" AB-1 ": "Deleted."}


def test_rows_may_come_last_first(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("reversed_rows")
    assert [row["packingslipno"] for row in caller.put("#1", "#2").json] == ["#2", "#1"]


def test_opposite_rows_contradict_each_other(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("opposite_rows", numbers=["#2"])
    rows = [(row["packingslipno"], row["result"]) for row in caller.put("#1", "#2").json]
    assert rows == [("#1", True), ("#2", True), ("#2", False)]


@pytest.mark.parametrize("at", [0, 1, 20])
def test_a_cut_answer_with_its_length_is_seen_to_be_cut(sandbox: Sandbox, caller: Caller, at: int) -> None:
    sandbox.fault("cut", at=at)
    with pytest.raises(IncompleteRead) as caught:
        caller.put("#1")
    assert len(caught.value.partial) == at
    assert held_numbers(sandbox) == ["#1"]


def test_a_cut_answer_without_its_length_looks_whole(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("cut", at=9, declared=False)
    answer = caller.put("#1")
    assert (answer.status, answer.body) == (200, b'[{"packin')


@pytest.mark.parametrize(
    ("status", "body"), [(200, "[]"), (200, '{"Message": "no"}'), (202, "null"), (204, ""), (200, "")]
)
def test_any_answer_can_be_given_word_for_word(sandbox: Sandbox, caller: Caller, status: int, body: str) -> None:
    sandbox.fault("answer", status=status, body=body)
    answer = caller.put("#1")
    assert (answer.status, answer.body.decode()) == (status, body)
    assert held_numbers(sandbox) == ["#1"]


def test_faults_armed_one_after_the_other_are_a_script(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("status", status=503, times=2)
    sandbox.fault("status", status=429)
    assert [caller.put("#1").status for _ in range(4)] == [503, 503, 429, 200]
    assert sandbox.faults() == []


def test_a_fault_lets_the_first_calls_pass_and_keeps_to_its_method(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.fault("status", status=503, after=1, method="PUT", times=None)
    assert caller.get().status == 200
    assert [caller.put("#1").status for _ in range(3)] == [200, 503, 503]
    assert sandbox.faults()[0]["met"] == 2


def test_a_fault_by_chance_breaks_the_same_calls_for_the_same_seed(sandbox: Sandbox, caller: Caller) -> None:
    def run() -> list[int]:
        sandbox.clear_faults()
        sandbox.fault("status", status=503, probability=0.5, seed=7, times=None)
        return [caller.get().status for _ in range(20)]

    first = run()
    assert set(first) == {200, 503}
    assert run() == first


def test_one_fault_is_cleared_and_the_others_stay(sandbox: Sandbox) -> None:
    first, second = sandbox.fault("lost"), sandbox.fault("lie")
    sandbox.clear_faults(first)
    assert [armed["id"] for armed in sandbox.faults()] == [second]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("earthquake", {}),
        ("lost", {"secnds": 1}),
        ("slow", {"seconds": -1}),
        ("poison", {}),
        ("poison", {"numbers": []}),
        ("status", {"status": 42}),
        ("lost", {"times": 0}),
        ("redirect", {"location": "http://127.0.0.1/", "status": 200}),
    ],
)
def test_a_fault_that_cannot_be_understood_is_refused(sandbox: Sandbox, kind: str, fields: dict[str, object]) -> None:
    with pytest.raises(OperatorError, match="400"):
        sandbox.fault(kind, **fields)
    assert sandbox.faults() == []


def test_every_kind_of_fault_has_a_test_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [kind.kind() for kind in KINDS if f'fault("{kind.kind()}"' not in here] == []

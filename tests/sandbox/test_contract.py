"""The sandbox keeps the contract: the PUT page word for word, GET and DELETE as far as the docs tell."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.handle import Sandbox
from connector.sandbox.options import Options
from connector.sandbox.server import running
from tests.sandbox.conftest import PATH, Caller, slip

PAGE_REQUEST = (Path(__file__).parent / "put_page_request.json").read_bytes()
PAGE_RESPONSE = [
    ("test1-14-07-01", True, ""),
    ("test2-14-07-01", False, "already processed"),
]


def _send_with_curl(sandbox: Sandbox, body: bytes) -> bytes:
    curl = shutil.which("curl")
    if not curl:
        return Caller(sandbox.url, sandbox.key).put_body(body).body
    headers = [f"access_key: {sandbox.key}", "Content-Type: application/json; charset=utf-8"]
    command = [curl, "-sS", "--noproxy", "*", "-X", "PUT", sandbox.url + PATH, "--data-binary", "@-"]
    for header in headers:
        command += ["-H", header]
    return subprocess.run(command, input=body, capture_output=True, check=True, timeout=20).stdout


def test_the_request_of_the_put_page_gets_the_answer_of_the_put_page(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("test2-14-07-01")
    sandbox.ticket("test2-14-07-01")

    answer = json.loads(_send_with_curl(sandbox, PAGE_REQUEST), object_pairs_hook=list)

    assert answer == [
        [("packingslipno", number), ("result", result), ("msg", msg)] for number, result, msg in PAGE_RESPONSE
    ]


def test_a_new_order_is_created_a_pending_one_updated_a_processed_one_ignored(sandbox: Sandbox, caller: Caller) -> None:
    assert caller.put("#1", city="Auckland").json == [{"packingslipno": "#1", "result": True, "msg": ""}]
    assert caller.put("#1", city="Nelson").json == [{"packingslipno": "#1", "result": True, "msg": ""}]
    sandbox.ticket("#1")
    ignored = caller.put("#1", city="Dunedin").json

    assert ignored == [{"packingslipno": "#1", "result": False, "msg": "already processed"}]
    assert sandbox.order("#1")["sent"]["city"] == "Nelson"
    counts = sandbox.counts()
    assert (counts["orders_created"], counts["orders_updated"], counts["orders_ignored"]) == (1, 1, 1)


def test_a_deleted_order_that_is_put_again_is_created_anew(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    caller.delete("#1")
    assert caller.put("#1").json == [{"packingslipno": "#1", "result": True, "msg": ""}]
    assert sandbox.order("#1")["creations"] == 2


def test_numbers_are_found_in_any_case_and_echoed_as_sent(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("abc-1")
    assert caller.put(" ABC-1 ").json[0]["packingslipno"] == " ABC-1 "
    assert sandbox.counts()["orders_created"] == 1
    assert len(caller.results("aBc-1")) == 1


def test_field_names_are_read_in_any_case(sandbox: Sandbox, caller: Caller) -> None:
    caller.put_body(b'[{"PackingSlipNo": "#1", "CONSIGNEE": "Mere", "delvRef": 12}]')
    assert sandbox.order("#1")["stored"]["consignee"] == "MERE"
    assert caller.results("#1")[0]["delvref"] == "12"


def test_a_number_that_comes_as_a_json_number_is_its_text(caller: Caller) -> None:
    assert caller.put_body(b'[{"packingslipno": 1001}]').json[0]["packingslipno"] == "1001"


def test_the_same_number_twice_in_one_batch_leaves_the_last(sandbox: Sandbox, caller: Caller) -> None:
    batch = [slip("#1", city="Nelson"), slip("#1", city="Napier")]
    assert [row["result"] for row in caller.put_body(json.dumps(batch).encode()).json] == [True, True]
    assert sandbox.order("#1")["sent"]["city"] == "Napier"


def test_an_order_without_a_number_is_refused_alone(caller: Caller) -> None:
    rows = caller.put_body(b'[{"consignee": "Mere"}, {"packingslipno": "#2"}]').json
    assert [row["result"] for row in rows] == [False, True]
    assert "packingslipno" in rows[0]["msg"]


def test_an_empty_array_is_answered_by_an_empty_array(caller: Caller) -> None:
    assert caller.put_body(b"[]").json == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b'"text"',
        b"[1]",
        b"[null]",
        b"[{]",
        b'[{"packingslipno": "#1"}',
        b'[{"packingslipno": "\xff"}]',
        b'[{"packingslipno": "\\ud800"}]',
        b"[" * 100_000,
        b'[{"packingslipno": ' + b"[" * 100_000 + b"}]",
    ],
)
def test_what_is_no_array_of_orders_is_answered_400_and_stores_nothing(
    sandbox: Sandbox, caller: Caller, body: bytes
) -> None:
    answer = caller.put_body(body)
    assert answer.status == 400
    assert "not a JSON array of orders" in answer.json["Message"]
    assert sandbox.orders() == []


def test_get_answers_with_the_fields_and_the_mixed_names_of_the_get_page(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1", products=[{"productcode": "ABC", "units": 1}], costcentre="North")
    ticket = sandbox.ticket("#1")
    answer = caller.get("#1", includeProducts="true").json

    assert list(answer) == ["Page", "PageSize", "Pages", "Results"]
    assert (answer["Page"], answer["PageSize"], answer["Pages"]) == (1, 100, 1)
    (result,) = answer["Results"]
    assert list(result) == [
        *slip("#1"),
        "isrural",
        "notrural",
        "costcentre",
        "status",
        "products",
    ]
    assert list(result["status"]) == ["Status", "ticketnumber", "trackingurl", "Picked", "Delivered", "manualticket"]
    assert result["status"]["ticketnumber"] == ticket
    assert result["status"]["trackingurl"].endswith(ticket)
    assert result["products"] == [{"productcode": "ABC", "units": 1}]
    assert caller.results("#1")[0]["products"] == []
    assert result["costcentre"] == "North"


def test_status_goes_from_pending_to_picked_to_delivered(sandbox: Sandbox, caller: Caller) -> None:
    def status() -> tuple[Any, ...]:
        found = caller.results("#1")[0]["status"]
        return found["Status"], found["ticketnumber"] is not None, found["Picked"] is not None, found["Delivered"]

    caller.put("#1")
    assert status() == ("PENDING", False, False, None)
    sandbox.ticket("#1")
    assert status() == ("PENDING", True, False, None)
    sandbox.pick("#1")
    assert status() == ("PICKED", True, True, None)
    sandbox.deliver("#1")
    assert status()[0] == "DELIVERED"
    assert len(status()[3]) == len("2016-02-22T15:31:21")


def test_stored_text_is_rewritten_as_gosweetspot_does(caller: Caller) -> None:
    caller.put("#1", address1="1 Queens Street", suburb="Auckland Central", postcode="", country=None)
    (result,) = caller.results("#1")
    assert (result["address1"], result["address2"]) == ("", "1 QUEENS STREET")
    assert (result["postcode"], result["country"]) == ("1010", "NZ")
    assert result["consignee"] == "AROHA NGATA"


def test_a_building_beside_a_street_stays_where_it_is(caller: Caller) -> None:
    caller.put("#1", address1="Level 1", address2="3 Quay Street", email="Aroha@example.nz", consignee="x" * 90)
    (result,) = caller.results("#1")
    assert (result["address1"], result["address2"]) == ("LEVEL 1", "3 QUAY STREET")
    assert result["email"] == "Aroha@example.nz"
    assert len(result["consignee"]) == 50


def test_rewriting_can_be_switched_off() -> None:
    with running(Options(port=0, tidy=False)) as sandbox:
        caller = Caller(sandbox.url, sandbox.key)
        caller.put("#1", postcode="", country=None)
        (result,) = caller.results("#1")
    assert {name: result[name] for name in slip("#1")} == slip("#1", postcode="", country=None)


def test_get_pages_through_everything_in_order_of_creation(caller: Caller) -> None:
    caller.put(*(f"#{i}" for i in range(7)))
    pages = [caller.get(page=page, pagesize=3).json for page in (1, 2, 3, 4)]
    assert [page["Pages"] for page in pages] == [3, 3, 3, 3]
    assert [[r["packingslipno"] for r in page["Results"]] for page in pages] == [
        ["#0", "#1", "#2"],
        ["#3", "#4", "#5"],
        ["#6"],
        [],
    ]


def test_get_can_leave_out_what_is_processed_and_never_shows_what_is_deleted(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1", "#2", "#3")
    sandbox.ticket("#1")
    caller.delete("#2")
    assert [r["packingslipno"] for r in caller.results()] == ["#1", "#3"]
    assert [r["packingslipno"] for r in caller.results(excludecompleted="true")] == ["#3"]
    assert caller.results("#2") == []


@pytest.mark.parametrize(
    "long_ago",
    ["Monday, 15 February 2016 7:26:15 AM", "2016-02-15 07:26:15Z", "2016-02-15", "2016-02-15T07:26:15+13:00"],
)
def test_dates_are_read_in_every_style_of_the_docs(caller: Caller, long_ago: str) -> None:
    caller.put("#1")
    assert len(caller.results(createdfrom=long_ago)) == 1
    assert caller.results(createdto=long_ago) == []
    assert caller.results("#1", createdto=long_ago) == []


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "x"}, {"pagesize": "-1"}, {"createdfrom": "soon"}, {"excludecompleted": "maybe"}]
)
def test_a_query_that_makes_no_sense_is_answered_400(caller: Caller, query: dict[str, str]) -> None:
    answer = caller.get(**query)
    assert answer.status == 400
    assert next(iter(query)) in answer.json["Message"]


def test_delete_answers_each_number_with_the_documented_text(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("test#1234", "test#1235", "test#1236")
    sandbox.ticket("test#1234")
    caller.delete("test#1235")
    answer = caller.delete("test#1234", "test#1235", "TEST#1236", "test#1237")
    assert answer.json == {
        "test#1234": "Cannot be deleted. Already processed.",
        "test#1235": "Cannot be deleted. Already deleted.",
        "TEST#1236": "Deleted.",
        "test#1237": "Invalid packing slip number",
    }
    assert sandbox.counts()["orders_deleted"] == 2


def test_delete_without_a_number_is_400_and_with_more_than_fifty_409(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    assert caller.delete().status == 400
    assert caller.send("DELETE", PATH + "?packingslipno=,%20,").status == 400
    too_many = caller.delete("#1", *(f"x{i}" for i in range(50)))
    assert (too_many.status, too_many.json["Message"]) == (409, "Max delete limit is 50 packing slip numbers.")
    assert sandbox.order("#1")["state"] == "pending"


def test_a_wrong_or_missing_key_is_401_and_touches_nothing(sandbox: Sandbox) -> None:
    body = json.dumps([slip("#1")]).encode()
    for headers in ({}, {"access_key": "wrong"}, {"access-key": sandbox.key}):
        answer = Caller(sandbox.url, "").send("PUT", PATH, body, headers)
        assert answer.status == 401
        assert "access_key" in answer.json["Message"]
    assert sandbox.orders() == []
    assert sandbox.counts()["puts"] == 3


def test_keys_and_sites_have_orders_of_their_own() -> None:
    with running(Options(port=0, keys={"one": (), "two": ("4180", "4181")})) as sandbox:
        one, north, south = (
            Caller(sandbox.url, "one"),
            Caller(sandbox.url, "two", "4180"),
            Caller(sandbox.url, "two", "4181"),
        )
        for caller in (one, north, south):
            caller.put("#1")
        sandbox.ticket("#1", key="two", site="4181")
        tickets = [caller.results("#1")[0]["status"]["ticketnumber"] is not None for caller in (one, north, south)]
    assert tickets == [False, False, True]


@pytest.mark.parametrize(("site", "status"), [(None, 401), ("9", 401), ("4180", 200)])
def test_a_key_with_several_sites_must_name_one_of_them(site: str | None, status: int) -> None:
    with running(Options(port=0, keys={"two": ("4180", "4181")})) as sandbox:
        assert Caller(sandbox.url, "two", site).put("#1").status == status


def test_a_key_with_one_site_need_not_name_it() -> None:
    with running(Options(port=0, keys={"k": ("4180",)})) as sandbox:
        Caller(sandbox.url, "k").put("#1")
        assert len(Caller(sandbox.url, "k", "4180").results("#1")) == 1


def test_other_methods_and_addresses_are_refused_in_json(caller: Caller) -> None:
    assert caller.send("POST", PATH, b"[]").status == 405
    assert caller.send("GET", "/api/shipments").status == 404
    assert caller.send("PUT", "/API/CustomerOrders/", b"[]").status == 200

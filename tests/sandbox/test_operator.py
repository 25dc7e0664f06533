"""The operator: what people do in the portal, who may not, and the pages they look at."""

from __future__ import annotations

import json
import re

import pytest

from connector.sandbox.docs import docs_page
from connector.sandbox.faults import KINDS
from connector.sandbox.handle import OperatorError, Sandbox
from connector.sandbox.openapi import description
from tests.sandbox.conftest import Caller


def test_a_label_taken_back_makes_the_order_pending_again(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    first = sandbox.ticket("#1")
    sandbox.untick("#1")
    assert caller.put("#1").json[0]["result"] is True
    assert sandbox.ticket("#1") != first
    assert sandbox.order("#1")["labels"] == 2


def test_what_was_picked_up_keeps_its_label(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    sandbox.ticket("#1")
    sandbox.pick("#1")
    with pytest.raises(OperatorError, match=r"409.*picked up"):
        sandbox.untick("#1")


def test_only_a_ticketed_order_is_picked_up_or_delivered(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    for act in (sandbox.pick, sandbox.deliver, sandbox.untick):
        with pytest.raises(OperatorError, match=r"409.*only a processed order"):
            act("#1")


def test_delivered_is_picked_up_too(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    sandbox.ticket("#1")
    sandbox.deliver("#1")
    order = sandbox.order("#1")
    assert order["picked"] == order["delivered"] is not None


def test_a_processed_order_is_not_ticketed_edited_or_deleted(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    sandbox.ticket("#1")
    for act in (sandbox.ticket, sandbox.delete, lambda number: sandbox.edit(number, city="Nelson")):
        with pytest.raises(OperatorError, match=r"409.*only a pending order"):
            act("#1")


def test_an_edit_by_hand_shows_until_the_next_put(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    sandbox.edit("#1", address2="99 Other Street")
    assert caller.results("#1")[0]["address2"] == "99 Other Street"
    assert sandbox.order("#1")["sent"]["address2"] == ""
    caller.put("#1")
    assert caller.results("#1")[0]["address2"] == "12 BEACH ROAD"


def test_an_edit_of_an_unknown_field_names_the_fields(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    with pytest.raises(OperatorError, match=r"strret: no such field. The fields are consignee, address1"):
        sandbox.edit("#1", strret="x")


def test_an_order_deleted_by_hand_is_gone_for_the_api(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    sandbox.delete("#1")
    assert caller.results("#1") == []
    assert sandbox.counts()["orders_deleted"] == 0


def test_an_unknown_number_is_404(sandbox: Sandbox) -> None:
    with pytest.raises(OperatorError, match=r"404.*There is no order '#404'"):
        sandbox.ticket("#404")


def test_a_number_of_two_accounts_must_say_whose(sandbox: Sandbox) -> None:
    for site in ("1", "2"):
        Caller(sandbox.url, sandbox.key, site).put("#1")
    with pytest.raises(OperatorError, match=r"409.*Several accounts"):
        sandbox.ticket("#1")
    sandbox.ticket("#1", key=sandbox.key, site="2")
    assert [(order["site"], order["state"]) for order in sandbox.orders()] == [("1", "pending"), ("2", "processed")]


def test_reset_forgets_everything(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    sandbox.fault("lost", method="DELETE")
    sandbox.reset()
    assert (sandbox.orders(), sandbox.faults(), sandbox.requests(), sandbox.held()) == ([], [], [], [])
    assert set(sandbox.counts().values()) == {0}


def test_every_call_is_on_record_with_its_fault(sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1", "#2")
    sandbox.fault("status", status=503)
    caller.get("#1")
    caller.delete("#2")
    told = [(r["method"], r["orders"], r["numbers"], r["status"], r["fault"]) for r in sandbox.requests()]
    assert told == [
        ("PUT", 2, ["#1", "#2"], 200, None),
        ("GET", 1, ["#1"], 503, "status"),
        ("DELETE", 1, ["#2"], 200, None),
    ]
    assert {name: sandbox.counts()[name] for name in ("puts", "gets", "deletes")} == {
        "puts": 1,
        "gets": 1,
        "deletes": 1,
    }


def test_the_record_is_bounded_and_the_counts_are_not(sandbox: Sandbox) -> None:
    from connector.sandbox.record import KEPT, CallRecord

    record = CallRecord()
    for _ in range(KEPT + 5):
        record.count("PUT")
    assert record.calls["puts"] == KEPT + 5


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example", "Content-Type": "application/json"},
        {"Host": "127.0.0.1.evil.example", "Content-Type": "application/json"},
        {"Origin": "https://evil.example", "Content-Type": "application/json"},
        {"Origin": "null", "Content-Type": "application/json"},
        {"Content-Type": "text/plain"},
        {},
    ],
)
def test_other_peoples_web_pages_cannot_operate_it(sandbox: Sandbox, caller: Caller, headers: dict[str, str]) -> None:
    caller.put("#1")
    answer = caller.send("POST", "/operator/reset", b"{}", headers)
    assert answer.status == 403
    assert len(sandbox.orders()) == 1


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_from_elsewhere_and_run_only_their_own_script(caller: Caller, path: str) -> None:
    page = caller.send("GET", path)
    text = page.body.decode()
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert re.findall(r"(?:src|href)=[\"'](?!/|data:)[^\"']*", text) == []
    assert "innerHTML" not in text
    assert " style=" not in text
    assert " onclick=" not in text


def test_openapi_describes_every_address_and_every_fault(caller: Caller) -> None:
    document = caller.send("GET", "/openapi.json").json
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]["/api/customerorders"]) == {"put", "get", "delete"}
    schemas = document["components"]["schemas"]
    described = {
        schema["properties"]["kind"]["enum"][0] for schema in schemas.values() if "kind" in schema.get("properties", {})
    }
    assert described == {kind.kind() for kind in KINDS}
    assert all(schemas[kind.__name__]["description"] == kind.__doc__.strip() for kind in KINDS if kind.__doc__)


def test_every_address_of_the_operator_is_in_the_openapi_page_and_answers(sandbox: Sandbox, caller: Caller) -> None:
    for path, verbs in description()["paths"].items():
        if path.startswith("/operator/"):
            for verb in verbs:
                answer = caller.send(verb.upper(), path, b"{}", {"Content-Type": "application/json"})
                assert answer.status in (200, 400), (verb, path)


def test_every_reference_in_the_openapi_page_leads_somewhere() -> None:
    document = description()
    names = re.findall(r"#/components/schemas/([^\"]+)", json.dumps(document))
    assert set(names) <= set(document["components"]["schemas"])


def test_the_docs_page_tells_every_fault_with_an_example_that_can_be_armed(sandbox: Sandbox) -> None:
    from html import unescape

    page = docs_page(description())
    examples = [json.loads(unescape(text)) for text in re.findall(r"<pre>(\{.*?\})</pre>", page)]
    assert [example["kind"] for example in examples] == [kind.kind() for kind in KINDS]
    for example in examples:
        sandbox.fault(**example)
    assert "<!-- " not in page

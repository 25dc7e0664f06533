"""The client, call by call, against a server that answers by script."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from connector.gosweetspot import Answer, Client, Outcome, ReadBack, Verdict, pieces
from connector.gosweetspot.client import LONGEST_URL, PATH
from connector.wire.heard import Heard
from tests.gosweetspot.server import Reply, answer, calling, destination_of, reset, serving, then_close

A, B = ("A", b'{"packingslipno":"A","consignee":"\xc4\x80"}'), ("B", b'{ "packingslipno" : "B" }')
TAKEN = b'[{"packingslipno":"A","result":true,"msg":""},{"packingslipno":"B","result":true,"msg":""}]'


def page(*numbers: str, page: int = 1, pages: int = 1) -> bytes:
    results = [{"packingslipno": number, "status": {"status": "PENDING"}} for number in numbers]
    return answer(json.dumps({"Page": page, "PageSize": 100, "Pages": pages, "Results": results}).encode())


def test_a_put_sends_the_canonical_bodies_as_they_are_in_one_array() -> None:
    with serving(answer(TAKEN)) as server, calling(server) as client:
        heard = client.put([A, B])
        [request] = server.requests
        assert (request.method, request.path) == ("PUT", "/api/customerorders")
        assert request.body == b"[" + A[1] + b"," + B[1] + b"]"
        assert request.headers["content-length"] == str(len(request.body))
        assert heard.outcome is Outcome.ANSWERED
        assert [said.verdict for said in heard.rows.values()] == [Verdict.TAKEN, Verdict.TAKEN]


def test_S24_a_number_twice_in_a_batch_and_an_empty_batch_are_never_sent() -> None:
    with serving() as server, calling(server) as client:
        for slips in ([A, B, A], []):
            with pytest.raises(AssertionError):
                client.put(slips)
        for call in (client.delete, client.get):
            for numbers in ([], ["A"] * 51, ["#" * 20] * 40):
                with pytest.raises(AssertionError):
                    call(numbers)
        assert server.connections == 0


def test_X8_every_character_of_a_number_arrives_as_it_is() -> None:
    with serving(answer(b'{"#1001":"Deleted.","A/B":"Deleted."}'), page("#1001")) as server, calling(server) as client:
        heard = client.delete(["#1001", "A/B", "C&D=%20 E+", "Ā"])
        assert client.get(["#1001"], include_products=True).outcome is Outcome.ANSWERED
        paths = [request.path for request in server.requests]
        assert paths == [
            "/api/customerorders?packingslipno=%231001,A%2FB,C%26D%3D%2520%20E%2B,%C4%80",
            "/api/customerorders?packingslipno=%231001&includeProducts=true&pagesize=100",
        ]
        assert server.requests[0].method == "DELETE"
        assert server.requests[0].body == b""
        assert heard.rows["#1001"].verdict is Verdict.TAKEN
        assert heard.rows["Ā"].verdict is Verdict.UNCLEAR


@pytest.mark.parametrize("numbers", [[f"KIWI-{i}" for i in range(230)], ["#" * 20] * 120, ["A"], ["x" * 20] * 51])
def test_S13_X7_B9_pieces_hold_fifty_numbers_and_fit_an_address(numbers: list[str]) -> None:
    split = list(pieces(numbers))
    assert [number for piece in split for number in piece] == numbers
    for piece in split:
        assert 1 <= len(piece) <= 50
        address = f"https://api.gosweetspot.com{PATH}?packingslipno={','.join(piece).replace('#', '%23')}"
        assert len(address + "&includeProducts=true&pagesize=100&page=20") <= LONGEST_URL
    assert len(split) == {230: 5, 120: 6, 1: 1, 51: 2}[len(numbers)]


def test_pieces_of_nothing_are_none_and_a_number_too_long_stands_alone() -> None:
    assert list(pieces([])) == []
    assert list(pieces(["A", "B", "C"], most=2)) == [["A", "B"], ["C"]]
    assert list(pieces(["A", "B" * 2000, "C"])) == [["A"], ["B" * 2000], ["C"]]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("201 Created", Outcome.ANSWERED),
        ("202 Accepted", Outcome.UNKNOWN),
        ("203 Non-Authoritative", Outcome.UNKNOWN),
        ("204 No Content", Outcome.UNKNOWN),
        ("206 Partial Content", Outcome.UNKNOWN),
        ("207 Multi-Status", Outcome.UNKNOWN),
        ("304 Not Modified", Outcome.UNKNOWN),
        ("400 Bad Request", Outcome.REJECTED),
        ("401 Unauthorized", Outcome.UNAUTHORISED),
        ("403 Forbidden", Outcome.UNAUTHORISED),
        ("404 Not Found", Outcome.UNKNOWN),
        ("409 Conflict", Outcome.REJECTED),
        ("413 Too Large", Outcome.REJECTED),
        ("422 Unprocessable", Outcome.REJECTED),
        ("429 Too Many", Outcome.THROTTLED),
        ("500 Error", Outcome.SERVER_ERROR),
        ("502 Bad Gateway", Outcome.UNKNOWN),
        ("503 Unavailable", Outcome.UNKNOWN),
        ("504 Gateway Time-out", Outcome.UNKNOWN),
    ],
)
def test_S20_A21_a_good_answer_under_another_status_is_not_read(status: str, outcome: Outcome) -> None:
    body = b"" if status[:3] in ("204", "304") else TAKEN
    with serving(answer(body, status)) as server, calling(server) as client:
        heard = client.put([A, B])
    assert (heard.outcome, heard.status) == (outcome, int(status[:3]))
    assert bool(heard.rows) is (outcome is Outcome.ANSWERED)
    assert bool(heard.note) is (outcome is not Outcome.ANSWERED)


@pytest.mark.parametrize("status", ["429 Too Many", "503 Unavailable"])
def test_S15_S20_the_wait_gss_asks_for_comes_with_the_outcome(status: str) -> None:
    with serving(answer(b"", status, Retry_After="17")) as server, calling(server) as client:
        assert client.put([A]).retry_after_s == 17.0
        assert client.get(["A"]).retry_after_s == 17.0


@pytest.mark.parametrize("with_length", [True, False])
def test_A13_an_answer_cut_at_any_byte_takes_nothing(with_length: bool) -> None:
    body = b'[{"packingslipno":"A","result":true,"msg":""}]'
    whole = answer(body) if with_length else b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body
    cuts = [then_close(whole[:end]) for end in range(len(whole))]
    with serving(*cuts, then_close(whole)) as server, calling(server) as client:
        for _ in cuts:
            heard = client.put([A])
            assert (heard.outcome, heard.rows) == (Outcome.UNKNOWN, {})
        assert client.put([A]).rows["A"].verdict is Verdict.TAKEN


def test_a_read_back_shows_each_number_asked_and_nothing_for_those_gss_has_not() -> None:
    with serving(page("a", "B", "B", "X")) as server, calling(server) as client:
        heard = client.get(["A", "B", "C"])
        assert heard.outcome is Outcome.ANSWERED
        assert {number: len(records) for number, records in heard.records.items()} == {"A": 1, "B": 2, "C": 0}
        assert heard.records["A"][0].number == "a"
        assert heard.note.startswith("GoSweetSpot's answer has 1 row(s) about packing slips this call did not name")


def test_B1_every_page_is_read_and_a_record_seen_again_on_the_next_is_one() -> None:
    replies = (page("A", "B", pages=2), page("B", "C", page=2, pages=2))
    with serving(*replies) as server, calling(server) as client:
        heard = client.get(["A", "B", "C"])
        assert {number: len(records) for number, records in heard.records.items()} == {"A": 1, "B": 1, "C": 1}
        assert [request.path.partition("pagesize=100")[2] for request in server.requests] == ["", "&page=2"]


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param((page("A", pages=3),), id="always the first page"),
        pytest.param((page("A", pages=21),), id="more pages than fifty numbers can fill"),
        pytest.param((page("A", pages=2), answer(b"", "503 Unavailable")), id="an outage at the second page"),
        pytest.param((page("A", pages=2), reset), id="a reset at the second page"),
        pytest.param((page("A", pages=2), answer(b"<html>")), id="a web page at the second page"),
    ],
)
def test_B8_pages_that_do_not_add_up_show_nothing_at_all(replies: tuple[Reply, ...]) -> None:
    with serving(*replies) as server, calling(server) as client:
        heard = client.get(["A", "B"])
        assert (heard.outcome, heard.records) == (Outcome.UNKNOWN, {})
        assert heard.note


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (answer(b"", "401 No"), Outcome.UNAUTHORISED),
        (answer(b"", "429 Slow"), Outcome.THROTTLED),
        (answer(b"", "414 Long"), Outcome.REJECTED),
        (answer(b"", "500 Error"), Outcome.SERVER_ERROR),
        (answer(b"<html>sign in</html>"), Outcome.UNKNOWN),
        (page("A")[:-2], Outcome.UNKNOWN),
        (answer(b"[]"), Outcome.UNKNOWN),
        (answer(b"{}"), Outcome.UNKNOWN),
        (answer(b'{"Message":"x"}'), Outcome.UNKNOWN),
    ],
)
def test_B8_a_read_back_without_a_list_of_results_never_says_that_gss_has_nothing(
    reply: bytes, outcome: Outcome
) -> None:
    with serving(then_close(reply)) as server, calling(server) as client:
        heard = client.get(["A"])
        assert (heard.outcome, heard.records) == (outcome, {})
        assert heard.note


def test_all_pages_of_a_read_back_share_one_time_out() -> None:
    times = iter([0.0, 1.0, 4.9, 5.1])
    with serving(page("A", pages=3), page("B", page=2, pages=3)) as server:
        client = Client(destination_of(server, timeout_s=5.0), clock=lambda: next(times))
        heard = client.get(["A"])
        client.close()
        assert (heard.outcome, heard.records) == (Outcome.UNKNOWN, {})
        assert heard.note == "GoSweetSpot's pages did not end in time (5 s)."
        assert len(server.requests) == 2


CALLS: list[Callable[[Client], Answer | ReadBack]] = [
    lambda client: client.put([A, B]),
    lambda client: client.delete(["A", "B"]),
    lambda client: client.get(["A", "B"]),
]


@pytest.mark.parametrize("error", [RecursionError("k-canary"), MemoryError(), ValueError("k-canary"), OSError()])
@pytest.mark.parametrize("call", CALLS)
def test_S30_an_unknown_error_is_an_unknown_outcome_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[Client], Answer | ReadBack], error: Exception
) -> None:
    def broken(*_: object) -> Heard:
        raise error

    monkeypatch.setattr("connector.wire.door.Door.exchange", broken)
    with serving() as server, calling(server) as client:
        heard = call(client)
        assert heard.outcome is Outcome.UNKNOWN
        assert type(error).__name__ in heard.note
        assert "k-canary" not in heard.note


class _InjectedError(Exception):
    """No error any code of ours knows."""


@contextmanager
def raising_at_line(nth: int) -> Iterator[list[str]]:
    """Raise _InjectedError as the nth line of our package below a call of the client begins; yields where that was."""
    seen = 0
    raised: list[str] = []

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal seen
        name = frame.f_globals.get("__name__", "")
        if not name.startswith(("connector.gosweetspot", "connector.wire")) or name.endswith(".client"):
            return trace if event == "call" and name.endswith(".client") else None
        if event == "line":
            seen += 1
            if seen == nth and not raised:
                raised.append(f"{name}:{frame.f_lineno}")
                raise _InjectedError
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield raised
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("call", CALLS)
def test_S30_an_error_at_any_line_below_the_client_never_raises_and_never_says_taken(
    call: Callable[[Client], Answer | ReadBack],
) -> None:
    reply = {0: answer(TAKEN), 1: answer(b'{"A":"Deleted.","B":"Deleted."}'), 2: page("A", "B")}[CALLS.index(call)]
    with serving(reply) as server, calling(server) as client:
        assert call(client).outcome is Outcome.ANSWERED
        for nth in range(1, 1000):
            with raising_at_line(nth) as raised:
                heard = call(client)
            if not raised:
                break
            assert heard.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT), raised
        assert 50 < nth < 999

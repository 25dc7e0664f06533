"""The shop server and its faults: what goes over the wire, seen without any of our own clients."""

from __future__ import annotations

import gzip
import http.client
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from connector.testing import faults
from connector.testing.shop_server import Fault, Request, Response, ShopServer

SHOWN = b'{"orders":[{"id":1,"name":"Aroha Ngata"}]}'


def shop(request: Request) -> Response:
    return Response(200, SHOWN if request.path == "/orders" else request.body)


@pytest.fixture
def server() -> Iterator[ShopServer]:
    with ShopServer(shop) as running:
        yield running


@pytest.fixture
def client(server: ShopServer) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", int(server.url.rsplit(":", 1)[1]), timeout=5)) as connection:
        yield connection


def get(client: http.client.HTTPConnection, path: str = "/orders?page=2") -> http.client.HTTPResponse:
    client.request("GET", path)
    return client.getresponse()


def test_requests_are_heard_and_answered_over_one_connection(
    server: ShopServer, client: http.client.HTTPConnection
) -> None:
    assert get(client).read() == SHOWN
    client.request("POST", "/echo", b"kia ora", {"X-Test": "Yes"})
    assert client.getresponse().read() == b"kia ora"
    first, second = server.heard
    assert (first.method, first.path, first.query) == ("GET", "/orders", "page=2")
    assert (second.method, second.body, second.headers["x-test"]) == ("POST", b"kia ora", "Yes")


def test_a_fault_starts_after_some_requests_and_lasts_for_some(
    server: ShopServer, client: http.client.HTTPConnection
) -> None:
    server.fail(faults.says(503), times=2, after=2)
    statuses = []
    for _ in range(5):
        answer = get(client)
        answer.read()
        statuses.append(answer.status)
    assert statuses == [200, 200, 503, 503, 200]
    assert len(server.heard) == 5, "a spoiled request was heard too"


def test_a_fault_lasts_until_it_is_mended(server: ShopServer, client: http.client.HTTPConnection) -> None:
    server.fail(faults.nothing())
    assert [get(client).read() for _ in range(3)] == [b""] * 3
    server.mend()
    assert get(client).read() == SHOWN


def test_a_refused_connection_is_refused_and_open_ones_break(
    server: ShopServer, client: http.client.HTTPConnection
) -> None:
    get(client).read()
    server.refuse()
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        get(client)
    client.close()
    with pytest.raises(ConnectionRefusedError):
        get(client)
    client.close()
    server.mend()
    assert get(client).read() == SHOWN


def test_hanging_up_says_nothing(server: ShopServer, client: http.client.HTTPConnection) -> None:
    server.fail(faults.hang_up(), times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        get(client)
    assert len(server.heard) == 1


def test_a_caller_who_never_ends_is_hung_up_on(server: ShopServer, client: http.client.HTTPConnection) -> None:
    server.most = 2
    assert [get(client).read() for _ in range(2)] == [SHOWN] * 2
    with pytest.raises(http.client.RemoteDisconnected):
        get(client)


@pytest.mark.parametrize("at", [0, 1, len(SHOWN) - 1])
def test_a_cut_answer_promised_more_than_it_holds(
    server: ShopServer, client: http.client.HTTPConnection, at: int
) -> None:
    server.fail(faults.cut(at), times=1)
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(client).read()
    assert cut.value.partial == SHOWN[:at]


def test_a_stalled_answer_goes_on_when_it_is_released(server: ShopServer) -> None:
    server.fail(faults.stall(after=5))
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=5) as caller:
        caller.sendall(b"GET /orders HTTP/1.1\r\n\r\n")
        came = b""
        while not came.endswith(SHOWN[:5]):
            came += caller.recv(1000)
        caller.settimeout(0.1)
        with pytest.raises(TimeoutError):
            caller.recv(1)
        server.mend()
        caller.settimeout(5)
        rest = b""
        while piece := caller.recv(1000):
            rest += piece
        assert rest == SHOWN[5:]


def test_a_stalled_answer_holds_up_neither_others_nor_the_end(server: ShopServer) -> None:
    server.fail(faults.stall(), times=1)
    port = int(server.url.rsplit(":", 1)[1])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as one:
        get(one)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as other:
            assert get(other).read() == SHOWN
        server.__exit__()


def test_a_drip_comes_byte_by_byte_and_whole(server: ShopServer, client: http.client.HTTPConnection) -> None:
    server.fail(faults.drip(every_s=0.0))
    assert get(client).read() == SHOWN


@pytest.mark.parametrize(
    ("fault", "status", "body", "headers"),
    [
        (faults.says(401, b"{}"), 401, b"{}", {}),
        (faults.says(403), 403, b"", {}),
        (faults.throttles(), 429, b"{}", {"Retry-After": None}),
        (faults.throttles("-5"), 429, b"{}", {"Retry-After": "-5"}),
        (faults.throttles("Wed, 25 Nov 2026 01:00:00 GMT", "Wed, 25 Nov 2026 00:59:00 GMT"), 429, b"{}",
         {"Retry-After": "Wed, 25 Nov 2026 01:00:00 GMT", "Date": "Wed, 25 Nov 2026 00:59:00 GMT"}),
        (faults.page(), 200, faults.PAGE, {"Content-Type": "text/html; charset=UTF-8"}),
        (faults.page(502), 502, faults.PAGE, {"Content-Type": "text/html; charset=UTF-8"}),
        (faults.nothing(), 200, b"", {"Content-Length": "0"}),
        (faults.redirects("http://127.0.0.1:9", 308), 308, faults.PAGE,
         {"Location": "http://127.0.0.1:9/orders?page=2"}),
    ],
)  # fmt: skip
def test_what_a_fault_says(
    server: ShopServer,
    client: http.client.HTTPConnection,
    fault: Fault,
    status: int,
    body: bytes,
    headers: dict[str, str | None],
) -> None:
    server.fail(fault)
    answer = get(client)
    assert (answer.status, answer.read()) == (status, body)
    assert {name: answer.getheader(name) for name in headers} == headers


def test_a_huge_answer_begins_as_the_shops_own_and_keeps_its_size(
    server: ShopServer, client: http.client.HTTPConnection
) -> None:
    server.fail(faults.huge(3), times=1)
    answer = get(client)
    assert int(answer.getheader("Content-Length", "")) == 3 * faults.MEGABYTE + len(SHOWN)
    body = answer.read()
    assert len(body) == 3 * faults.MEGABYTE + len(SHOWN)
    assert body.rstrip() == SHOWN


def test_a_gzip_bomb_is_small_until_it_is_unpacked(server: ShopServer, client: http.client.HTTPConnection) -> None:
    server.fail(faults.gzip_bomb(50), times=1)
    answer = get(client)
    body = answer.read()
    assert answer.getheader("Content-Encoding") == "gzip"
    assert len(body) < faults.MEGABYTE
    assert len(gzip.decompress(body)) == 50 * faults.MEGABYTE + len(SHOWN)


@pytest.mark.parametrize("word", [b"Aroha", b"not there"])
def test_an_answer_that_is_no_utf8(server: ShopServer, client: http.client.HTTPConnection, word: bytes) -> None:
    server.fail(faults.not_utf8(word))
    with pytest.raises(UnicodeDecodeError):
        get(client).read().decode()


def test_what_is_no_http_ends_its_connection_and_nothing_else(
    server: ShopServer, client: http.client.HTTPConnection
) -> None:
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))) as odd:
        odd.sendall(b"hello\r\n\r\n")
        assert odd.recv(10) == b""
    assert get(client).read() == SHOWN

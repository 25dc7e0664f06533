"""The door to GSS over real sockets: what leaves, what never leaves, and when a call is over."""

from __future__ import annotations

import gzip
import io
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connector.gosweetspot import Answer, Client, Destination, Outcome, Verdict
from connector.wire.door import _Deadlined
from tests.gosweetspot.server import Reply, answer, calling, drip, reset, serving, silence, then_close

SLIPS = [("KIWI-1", b'{"packingslipno":"KIWI-1"}')]
TAKEN = b'[{"packingslipno":"KIWI-1","result":true,"msg":""}]'
CERTIFICATE = Path(__file__).with_name("localhost.pem")
PROJECT = Path(__file__).resolve().parents[2]


def put(destination: Destination) -> Answer:
    client = Client(destination)
    try:
        return client.put(SLIPS)
    finally:
        client.close()


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_S4_a_refused_connection_is_not_sent() -> None:
    heard = put(Destination(f"http://127.0.0.1:{closed_port()}", "key"))
    assert (heard.outcome, heard.status) == (Outcome.NOT_SENT, 0)
    assert heard.note == "Nothing was sent: 127.0.0.1 could not be reached (connection refused)."


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name was not found"),
        (OSError(101, "Network is unreachable"), "no connection"),
        (RuntimeError("k-canary"), "no connection"),
    ],
)
def test_S4_a_name_that_is_not_found_and_a_network_that_is_down_are_not_sent(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    heard = put(Destination("https://api.gss.example", "key"))
    assert heard.outcome is Outcome.NOT_SENT
    assert heard.note == f"Nothing was sent: api.gss.example could not be reached ({reason})."


def test_S4_a_certificate_nobody_vouches_for_is_not_sent() -> None:
    with serving(answer(TAKEN), tls=tls_context()) as server:
        heard = put(Destination(f"https://localhost:{server.port}", "key"))
        assert heard.outcome is Outcome.NOT_SENT
        assert "its certificate is not trusted" in heard.note
        assert server.requests == []


def test_S4_a_server_that_speaks_no_tls_is_not_sent() -> None:
    def speak_first(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        spoken = threads.submit(speak_first, listener)
        heard = put(Destination(f"https://localhost:{listener.getsockname()[1]}", "key"))
        spoken.result(5)
    assert heard.outcome is Outcome.NOT_SENT
    assert heard.note == "Nothing was sent: localhost could not be reached (the TLS handshake failed)."


def test_S4_no_connection_in_time_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]  # a full backlog drops the next connection's first packet
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        heard = put(Destination(f"http://127.0.0.1:{port}", "key", timeout_s=0.2))
        for one in waiting:
            one.close()
    assert heard.outcome is Outcome.NOT_SENT
    assert "no connection within" in heard.note


def test_a_bundle_of_ones_own_makes_tls_to_a_private_authority_work() -> None:
    with serving(answer(TAKEN), tls=tls_context()) as server:
        heard = put(Destination(f"https://localhost:{server.port}", "key", verify=str(CERTIFICATE)))
        assert heard.outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(reset, id="reset before the answer"),
        pytest.param(then_close(b""), id="hung up before the answer"),
        pytest.param(then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n["), id="hung up inside the answer"),
        pytest.param(then_close(b"no http at all\r\n\r\n"), id="another protocol"),
        pytest.param(
            then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\nzz\r\n"), id="broken chunks"
        ),
    ],
)
def test_S5_a_connection_that_breaks_after_the_first_byte_is_unknown(reply: Reply) -> None:
    with serving(reply) as server, calling(server) as client:
        heard = client.put(SLIPS)
        assert heard.outcome is Outcome.UNKNOWN
        assert heard.rows == {}
        assert "broke before a whole answer was there" in heard.note


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(silence, id="nothing"),
        pytest.param(drip(b"", b"H"), id="a status line without end"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), id="headers without end"),
        pytest.param(drip(b"HTTP/1.1 ", b"100 Continue\r\n\r\nHTTP/1.1 "), id="continue without end"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n[", b" "), id="a body a byte at a time"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), id="chunks"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n\r\n", b" ", every_s=0), id="bytes without a pause"),
    ],
)
def test_S6_a_stall_anywhere_in_the_answer_ends_at_the_total_deadline(reply: Reply) -> None:
    with serving(reply) as server, calling(server, timeout_s=0.25) as client:
        began = time.monotonic()
        heard = client.put(SLIPS)
        took_s = time.monotonic() - began
        assert heard.outcome is Outcome.UNKNOWN
        assert heard.note == "127.0.0.1 gave no whole answer in time (0.25 s)."
        assert 0.2 < took_s < 2


def test_S6_each_read_may_take_only_what_is_left_of_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 100.0, 112.5, 129.9, 130.0])
    monkeypatch.setattr("connector.wire.door.time.monotonic", lambda: next(times))
    with socket.socket() as sock:
        sock.settimeout(30.0)
        reader = _Deadlined(sock, io.BytesIO(b"abc"))  # type: ignore[arg-type]
        allowed = []
        for _ in range(3):
            assert reader.read(1)
            allowed.append(round(sock.gettimeout() or 0, 3))
        assert allowed == [30.0, 17.5, 0.1]
        with pytest.raises(TimeoutError):
            reader.read(1)


@pytest.mark.parametrize(
    "reply", [reset, then_close(b""), answer(b"", "503 Busy", Retry_After="0"), answer(b"", "408 X")]
)
def test_S8_the_transport_never_repeats_a_call(reply: Reply) -> None:
    with serving(reply) as server, calling(server) as client:
        assert client.put(SLIPS).outcome is Outcome.UNKNOWN
        assert client.delete(["KIWI-1"]).outcome is Outcome.UNKNOWN
        assert client.get(["KIWI-1"]).outcome is Outcome.UNKNOWN
        assert [request.method for request in server.requests] == ["PUT", "DELETE", "GET"]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_S9_SEC8_a_redirect_is_not_followed_and_the_key_goes_nowhere(status: int) -> None:
    with serving(answer(TAKEN)) as other:
        place = f"http://localhost:{other.port}/x?token=secret"
        with serving(answer(TAKEN, f"{status} Moved", Location=place)) as server, calling(server) as client:
            heard = client.put(SLIPS)
            assert (heard.outcome, heard.status) == (Outcome.UNKNOWN, status)
            assert "to localhost came" in heard.note
            assert "secret" not in heard.note
            assert client.get(["KIWI-1"]).outcome is Outcome.UNKNOWN
        assert (other.requests, other.connections) == ([], 0)


def test_S9_a_redirect_with_a_body_without_end_is_not_read() -> None:
    endless = drip(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 99999\r\n\r\n", b" ")
    with serving(endless) as server, calling(server, timeout_s=5.0) as client:
        began = time.monotonic()
        assert client.put(SLIPS).status == 302
        assert time.monotonic() - began < 2


def test_S10_nothing_in_the_environment_changes_where_a_call_goes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving(answer(TAKEN)) as proxy, serving(answer(TAKEN)) as server, calling(server) as client:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert client.put(SLIPS).outcome is Outcome.ANSWERED
        assert "authorization" not in server.requests[0].headers
        assert proxy.connections == 0


def test_S10_a_bundle_named_in_the_environment_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(CERTIFICATE))
    with serving(answer(TAKEN), tls=tls_context()) as server:
        assert put(Destination(f"https://localhost:{server.port}", "key")).outcome is Outcome.NOT_SENT


def test_S22_every_call_carries_the_key_the_site_and_the_contact_in_both_spellings() -> None:
    with serving(answer(TAKEN)) as server, calling(server, site_id=4180, support_email="it@example.nz") as client:
        client.put(SLIPS)
        client.delete(["KIWI-1"])
        client.get(["KIWI-1"])
        for request in server.requests:
            sent = request.headers
            assert sent["access_key"] == "k-canary"
            assert sent["site_id"] == "4180"
            assert sent["support_email"] == sent["supportemail"] == "it@example.nz"
            assert sent["content-type"] == "application/json; charset=utf-8"
            assert sent["accept"] == "application/json"
            assert sent["user-agent"].startswith("gosweetspot-connector/")
            assert "cookie" not in sent


def test_S22_a_store_without_site_and_contact_sends_neither_header() -> None:
    with serving(answer(TAKEN)) as server, calling(server) as client:
        client.put(SLIPS)
        assert not {"site_id", "support_email", "supportemail"} & server.requests[0].headers.keys()


def test_cookies_are_not_kept() -> None:
    with serving(answer(TAKEN, Set_Cookie="session=1")) as server, calling(server) as client:
        client.put(SLIPS)
        client.put(SLIPS)
        assert "cookie" not in server.requests[1].headers


def test_S29_a_kept_connection_that_is_reset_is_unknown_and_not_repeated() -> None:
    with serving(answer(TAKEN), reset, answer(TAKEN)) as server, calling(server) as client:
        assert client.put(SLIPS).outcome is Outcome.ANSWERED
        assert client.put(SLIPS).outcome is Outcome.UNKNOWN
        assert len(server.requests) == 2
        assert client.put(SLIPS).outcome is Outcome.ANSWERED


def test_a_connection_is_kept_from_call_to_call() -> None:
    with serving(answer(TAKEN)) as server, calling(server) as client:
        for _ in range(5):
            assert client.put(SLIPS).outcome is Outcome.ANSWERED
        assert server.connections == 1


def test_S32_an_address_that_does_not_answer_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    with serving(answer(TAKEN)) as server, calling(server, url=f"http://localhost:{server.port}") as client:
        both: list[Any] = [
            (socket.AF_INET6, *stream, ("::1", server.port, 0, 0)),
            (socket.AF_INET, *stream, ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        assert client.put(SLIPS).outcome is Outcome.ANSWERED


def test_S32_an_address_that_swallows_packets_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.wire.door.CONNECT_TIMEOUT_S", 0.2)
    stream = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # whoever comes after these is not answered
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        server = stack.enter_context(serving(answer(TAKEN)))
        client = stack.enter_context(calling(server, url=f"http://localhost:{server.port}", timeout_s=2.0))
        both: list[Any] = [
            (socket.AF_INET, *stream, full.getsockname()),
            (socket.AF_INET, *stream, ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        assert client.put(SLIPS).outcome is Outcome.ANSWERED


def test_several_threads_may_call_at_once() -> None:
    everybody = threading.Barrier(4, timeout=5)

    def together(*_: object) -> None:
        everybody.wait()

    def reply(server: object, connection: socket.socket) -> None:
        together()
        connection.sendall(answer(TAKEN))

    with serving(reply) as server, calling(server) as client, ThreadPoolExecutor(4) as threads:
        heard = list(threads.map(lambda _: client.put(SLIPS), range(4)))
        assert [one.rows["KIWI-1"].verdict for one in heard] == [Verdict.TAKEN] * 4
        assert server.connections == 4


def test_A20_an_answer_over_the_limit_is_not_read_to_its_end() -> None:
    large = b"[" + b" " * (9 * 1024 * 1024) + b"]"
    with serving(then_close(answer(large))) as server, calling(server) as client:
        heard = client.put(SLIPS)
        assert heard.outcome is Outcome.UNKNOWN
        assert "is larger than 8 MB" in heard.note


def test_A20_a_packed_answer_is_read_and_a_broken_or_twice_packed_one_is_unknown() -> None:
    packed = gzip.compress(TAKEN)
    replies = (
        answer(packed, Content_Encoding="gzip"),
        answer(packed[:-9] + b"nonsense!", Content_Encoding="gzip"),
        answer(gzip.compress(packed), Content_Encoding="gzip, gzip"),
    )
    with serving(*replies) as server, calling(server) as client:
        outcomes = [client.put(SLIPS).outcome for _ in replies]
        assert outcomes == [Outcome.ANSWERED, Outcome.UNKNOWN, Outcome.UNKNOWN]
        assert server.requests[0].headers["accept-encoding"] == "identity"


BOMB = """
import gzip, io, resource, sys
sys.path.insert(0, {project!r})
from tests.gosweetspot.server import answer, calling, serving
packed = io.BytesIO()
with gzip.GzipFile(fileobj=packed, mode="wb") as bomb:
    for _ in range(200):
        bomb.write(bytes(1_000_000))
with serving(answer(b"[]"), answer(packed.getvalue(), Content_Encoding="gzip")) as server, calling(server) as client:
    client.put([("A", b"{{}}")])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(client.put([("A", b"{{}}")]).outcome, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_SEC10_a_gzip_bomb_costs_less_than_64_megabytes() -> None:
    run = subprocess.run(
        [sys.executable, "-c", BOMB.format(project=str(PROJECT))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    outcome, megabytes = run.stdout.split()
    assert outcome == "unknown"
    assert int(megabytes) < 64


def test_the_key_is_in_no_note_and_no_repr_whatever_breaks() -> None:
    replies = (reset, answer(b"", "401 No"), answer(b"k-canary"), silence)
    with serving(*replies) as server, calling(server, timeout_s=0.2) as client:
        notes = [client.put(SLIPS).note for _ in replies]
    assert all(notes)
    assert "k-canary" not in repr(notes) + repr(Destination("https://api.gss.example", "k-canary"))

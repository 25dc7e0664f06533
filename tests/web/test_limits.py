"""Callers that are slow, large, malformed or many harm nobody but themselves. By raw sockets."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from pathlib import Path

import pytest

from connector.web.limits import Limits
from tests.web.knocking import Door, head, heard, receiving, sign, status

BODY = b'{"id":1}'


def test_W11_a_body_above_the_limit_is_413_before_it_is_read(door: Door) -> None:
    assert status(door.raw(head(2_000_001, b"x"))) == 413
    assert status(door.raw(head(99_999_999_999, b"x", "Expect: 100-continue"))) == 413
    assert door.all() == []


def test_W11_a_body_of_just_the_limit_is_taken(tmp_path: Path) -> None:
    body = BODY + b" " * 992
    with receiving(tmp_path, limits=Limits(body=1000)) as door:
        assert status(door.raw(head(1000, body, "Connection: close") + body)) == 200
        assert status(door.raw(head(1001, body + b" ", "Connection: close") + body + b" ")) == 413


@pytest.mark.parametrize("length", ["-1", "abc", "+8", "0x8", "8.0", "1" * 30, "8, 9", "\t", "٨"])
def test_W12_SEC4_a_content_length_that_is_no_number_is_refused_fast(door: Door, length: str) -> None:
    began = time.monotonic()
    assert status(door.raw(head(length, BODY, "Connection: close") + BODY)) in (400, 411, 413)
    assert time.monotonic() - began < 5
    assert door.all() == []
    assert door.deliver(BODY).status == 200


def test_W12_two_lengths_are_400(door: Door) -> None:
    assert status(door.raw(head(8, BODY, "Content-Length: 9") + BODY)) == 400
    assert door.all() == []


def test_W12_no_length_at_all_is_411_and_an_empty_body_400(door: Door) -> None:
    assert status(door.raw(head(None, b""))) == 411
    assert status(door.raw(head(0, b"", "Connection: close"))) == 400
    assert door.all() == []


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_W13_a_chunked_body_is_read_whole_and_under_the_same_limit(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(body=1000)) as door:
        start = head(None, BODY, "Transfer-Encoding: chunked", "Connection: close")
        assert status(door.raw(start + chunked(BODY[:3], BODY[3:]))) == 200
        assert [each.body for each in door.kept()] == [BODY]
        endless = chunked(*[b"x" * 100] * 11).removesuffix(b"0\r\n\r\n")
        assert status(door.raw(start + endless)) == 413
        assert status(door.raw(start + chunked())) == 400


def test_W13_a_body_with_two_ways_to_end_is_refused(door: Door) -> None:
    both = head(8, BODY, "Transfer-Encoding: chunked", "Connection: close")
    assert status(door.raw(both + chunked(BODY))) == 400
    assert status(door.raw(head(None, BODY, "Transfer-Encoding: gzip, chunked") + chunked(BODY))) in (400, 501)
    assert door.all() == []


def test_W13_who_asks_first_is_told_to_go_on(door: Door) -> None:
    with door.connect() as knock:
        knock.sendall(head(len(BODY), BODY, "Expect: 100-continue", "Connection: close"))
        assert knock.recv(1000).startswith(b"HTTP/1.1 100 ")
        knock.sendall(BODY)
        assert status(heard(knock)) == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_W13_a_compressed_body_is_415(door: Door, encoding: str) -> None:
    packed = gzip.compress(BODY)
    assert status(door.raw(head(len(packed), packed, f"Content-Encoding: {encoding}") + packed)) == 415
    assert door.all() == []


@pytest.mark.parametrize("begun", [b"", b"POST /in/kiwi HT", head(100, BODY), head(100, BODY) + b"{"])
def test_W14_who_does_not_finish_a_request_is_cut(tmp_path: Path, begun: bytes) -> None:
    with receiving(tmp_path, limits=Limits(request_s=0.2)) as door, door.connect() as knock:
        knock.sendall(begun)
        assert heard(knock) == b""
        assert door.deliver(BODY).status == 200


def test_W14_a_second_request_that_never_ends_is_cut_too(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(request_s=0.2, idle_s=0.2)) as door, door.connect() as knock:
        knock.sendall(head(len(BODY), BODY) + BODY + head(100, BODY))
        assert heard(knock).count(b"HTTP/1.1 ") == 1


def test_W14_a_thousand_idle_connections_keep_no_honest_caller_out(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(connections=40, request_s=60)) as door:
        idle = [door.connect() for _ in range(1000)]
        try:
            for number in range(10):
                assert door.deliver(b'{"id":%d}' % number).status == 200
            assert len(door.web._server.server_state.connections) <= 41
        finally:
            for each in idle:
                each.close()
    assert len(idle) == 1000


def test_W14_bodies_under_way_are_bounded_together(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(in_hand=200_000)) as door:
        slow: list[socket.socket] = []
        for _ in range(4):
            knock = door.connect()
            knock.sendall(head(1_000_000, b"x") + b" " * 64_000)
            slow.append(knock)
        answers = [status(door.raw(head(1_000_000, b"x") + b" " * 900_000))]
        for knock in slow:
            knock.close()
        assert answers == [503]
        assert door.deliver(BODY).status == 200


def test_a_head_without_end_is_refused(door: Door) -> None:
    assert status(door.raw(b"GET /health HTTP/1.1\r\nX: " + b"a" * 100_000)) in (0, 400)
    assert door.ask("/health").status == 200


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01\x02\x00\x01", b"hello\r\n\r\n"])
def test_what_is_no_http_is_refused(door: Door, nonsense: bytes) -> None:
    answer = door.raw(nonsense + b"\r\n\r\n")
    assert status(answer) in (0, 400, 505)
    assert b"Traceback" not in answer


def test_deliveries_one_after_another_on_one_connection(door: Door) -> None:
    with door.connect() as knock:
        for number in range(20):
            body = b'{"id":%d}' % number
            knock.sendall(head(len(body), body) + body)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += knock.recv(1000)
            assert status(answer) == 200
    assert len(door.kept()) == 20


def test_two_deliveries_in_one_packet_are_answered_both(door: Door) -> None:
    one, two = b'{"id":1}', b'{"id":2}'
    answer = door.raw(head(len(one), one) + one + head(len(two), two, "Connection: close") + two)
    assert answer.count(b"HTTP/1.1 200") == 2
    assert len(door.kept()) == 2


def test_W33_who_is_cut_in_the_middle_of_a_body_was_told_nothing(tmp_path: Path) -> None:
    with receiving(tmp_path, limits=Limits(stop_s=1)) as door:
        knock = door.connect()
        knock.sendall(head(len(BODY), BODY) + BODY[:4])
        while not door.web._server.server_state.tasks:
            time.sleep(0.005)
    assert heard(knock) == b""
    knock.close()
    assert door.all() == []


def is_open(door: Door) -> bool:
    try:
        door.connect().close()
    except ConnectionRefusedError:
        return False
    return True


def test_W33_what_was_begun_when_told_to_stop_is_finished(door: Door) -> None:
    with door.connect() as knock:
        knock.sendall(head(len(BODY), BODY) + BODY[:4])
        while not door.web._server.server_state.tasks:
            time.sleep(0.005)
        stopping = threading.Thread(target=door.web.stop)
        stopping.start()
        while is_open(door):
            time.sleep(0.005)
        time.sleep(0.3)  # a sender of some slowness; who is not waited for is cut within a tenth of a second
        knock.sendall(BODY[4:])
        assert status(knock.recv(1000)) == 200
        stopping.join()
    assert [each.body for each in door.kept()] == [BODY]


def test_signing_helpers_agree() -> None:
    assert sign(BODY) == sign(BODY) != sign(BODY + b" ")

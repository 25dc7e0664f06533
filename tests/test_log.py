"""The log: one event a line, nothing secret and nobody's data in it, and never in the way of the work."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import sys
import threading
import urllib.parse
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog

from connector import log
from connector.log.blots import LONGEST_TEXT, blotted
from connector.log.lines import Lines
from connector.order import Address
from connector.secret import Secret

CANARIES = (
    "K4narienvogel7Schluessel0Nr1",  # a key of GoSweetSpot
    "ck_0123456789abcdef0123456789abcdef01234567",
    "cs_0123456789abcdef0123456789abcdef01234567",
    "shpat_0123456789abcdef0123456789abcdef",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "XWmrwMey6OsLMeiZKwP4FppHH3cmAiiJJAweH5Jo4bM=",  # a signature
    "Mere.Kanary+shop@example.test",
    "021 555 0123",
    "+64 21 555 0123",
    "(09) 555-01234",
    "12a Kanary Gully Road",
    "Flat 3, 7/15 Te Kanary Street",
)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The process's hooks and logging as they were."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    root = logging.getLogger()
    logs = root.handlers[:], root.level, logging.lastResort, logging.raiseExceptions
    yield
    log.finish_now()
    structlog.reset_defaults()
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(False)
    root.handlers[:], root.level, logging.lastResort, logging.raiseExceptions = logs


def written(do: Callable[[Any], object], *, as_json: bool | None = None) -> str:
    """What stands in the log after something was done with a logger."""
    stream = io.StringIO()
    log.set_up(stream, as_json=as_json)
    do(log.logger(store="kiwi"))
    log.finish_now()
    return stream.getvalue()


def events(do: Callable[[Any], object]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(do).splitlines()]


# How it looks


def test_an_event_is_one_line_of_json_where_no_terminal_is() -> None:
    text = written(lambda told: told.info("sent", slips=["#1001", "#1002"], calls=1, note="two\nlines\x1b[2J"))
    assert text.count("\n") == 1
    event = json.loads(text)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "sent",
        "level": "info",
        "store": "kiwi",
        "slips": ["#1001", "#1002"],
        "calls": 1,
        "note": r"two\nlines\x1b[2J",
    }


def test_on_a_terminal_it_is_text_and_still_a_line() -> None:
    text = written(lambda told: told.info("sent\nhere", note="two\nlines\x1b[2J"), as_json=False)
    assert text.count("\n") == 1
    assert "[info     ]" in text
    assert "\x1b[2J" not in text
    assert "store=kiwi" in text


def test_an_endless_value_is_cut_and_a_value_of_no_plain_kind_tells_only_its_kind() -> None:
    somebody = Address(line1="12 Kanary Road", city="Hamilton", country="NZ")
    (event,) = events(
        lambda told: told.info("odd", long="a b " * 100_000, body=b"Kanary", who=somebody, deep=[[[[[1]]]]])
    )
    assert len(event["long"]) == LONGEST_TEXT + 1
    assert event["body"] == "<bytes>"
    assert event["who"] == "<Address>"
    assert event["deep"] == [[[["<list>"]]]]


# SEC14: neither secrets nor personal data


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize(
    "place",
    [
        "{}",
        "answered {} after all",
        "https://kiwi.example/wp-json/wc/v3/orders?after=2026&q={}&page=2",
        '{{"code": "bad", "message": "{}"}}',
        "Authorization: Bearer {}",
    ],
)
def test_SEC14_what_looks_like_a_secret_or_a_persons_data_is_blotted_out(canary: str, place: str) -> None:
    (event,) = events(lambda told: told.info(place.format(canary), note=place.format(canary), deep=[{"x": canary}]))
    text = json.dumps(event)
    assert canary not in text
    assert "anary" not in text
    assert "55501" not in text.replace(" ", "").replace("-", "")


@pytest.mark.parametrize(
    "name", ["access_key", "Authorization", "X-Shopify-Hmac-Sha256", "set_cookie", "email", "phone", "street_name"]
)
def test_SEC14_what_is_named_like_a_secret_is_blotted_out_whatever_it_is(name: str) -> None:
    (event,) = events(lambda told: told.info("odd", **{name: "plain"}, inside={name: ["plain"]}))
    assert "plain" not in json.dumps(event)


def test_SEC14_what_is_nobodys_stays_readable() -> None:
    plain = (
        "#1001", "K-2026-0001", "gid://shopify/Order/5551234567890", "2026-11-23T15:55:51.123456+00:00",
        "https://api.gosweetspot.example/api/customerorders", "127.0.0.1:8787", "config/kiwi.toml: 1 problem",
        "line 14  [schedule] evry: no such key", "9f1c2d3e-0a1b-4c2d-8e3f-0123456789ab", "1,234 orders in 12.5 s",
    )  # fmt: skip
    assert [blotted(one) for one in plain] == list(plain)
    assert blotted("?page=2&per_page=100") == "?page=***&per_page=***"


def test_SEC14_with_debug_on_no_library_tells_what_it_was_given(http: str) -> None:
    """urllib3 logs each URL at DEBUG; apscheduler its jobs with their arguments; both may quote keys."""

    def noise(_told: Any) -> None:
        for name in ("", "urllib3", "requests", "apscheduler", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        for canary in CANARIES:
            requests.get(f"{http}/{urllib.parse.quote(canary)}", params={"consumer_key": canary}, timeout=5)
            logging.getLogger("apscheduler.executors").debug("Job %s", canary)
            logging.getLogger("urllib3.connectionpool").warning("Connection pool is full, discarding: %s", canary)
            logging.getLogger("uvicorn.access").info("GET %s", canary)
            logging.getLogger("oddly").error(f"no {canary}")
            warnings.warn(canary, UserWarning, stacklevel=1)
            try:
                raise ValueError(canary)
            except ValueError:
                logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            told = events(noise)
    finally:
        for name in ("urllib3", "requests", "apscheduler", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    text = json.dumps(told, ensure_ascii=False)
    assert [canary for canary in CANARIES if canary in text or urllib.parse.quote(canary) in text] == []
    assert "anary" not in text
    assert {event["library"] for event in told} == {"urllib3.connectionpool", "oddly", "py.warnings", "uvicorn.error"}
    assert "Connection pool is full, discarding: %s" in {event["words"] for event in told}


@pytest.fixture
def http() -> Iterator[str]:
    """A server that says yes to anything."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Yes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Yes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


# SEC16: errors


def test_SEC16_an_error_is_told_by_its_class_and_its_way_without_a_value() -> None:
    def crash(told: Any) -> None:
        street = CANARIES[10]
        try:
            raise RuntimeError(f"no such street: {street}")
        except RuntimeError as err:
            told.exception("job failed")
            told.error("again", exc_info=err)

    for text in (written(crash), written(crash, as_json=False)):
        assert text.count("\n") == 2
        assert "unexpected error (RuntimeError) in tests/test_log.py" in text
        assert "anary" not in text


def test_SEC16_what_nobody_caught_in_a_thread_is_told_the_same_way() -> None:
    def crash(_told: Any) -> None:
        def work() -> None:
            raise RuntimeError(CANARIES[6])

        thread = threading.Thread(target=work, name="read kiwi")
        thread.start()
        thread.join()

    (event,) = events(crash)
    assert (event["event"], event["where"]) == ("nobody caught an error", "read kiwi")
    assert "RuntimeError" in event["why"]
    assert "anary" not in json.dumps(event)


def test_a_secret_in_an_event_is_not_shown() -> None:
    (event,) = events(lambda told: told.info("odd", value=Secret("hush"), values={"a": Secret("hush")}))
    assert "hush" not in json.dumps(event)


# Z3, Z4: a log that can't be written stops nothing


def test_Z3_a_full_pipe_neither_stops_the_work_nor_its_end() -> None:
    """Nobody reads. A write would wait for ever; the work goes on, and the end waits no longer than it is told to."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)
    with open(into, "w") as stream:  # noqa: PTH123
        log.set_up(stream)
        told = log.logger()
        for number in range(3000):
            told.info("sent", number=number)
        assert log.lost_lines() > 0
        log.finish_now(within_s=0.05)
        os.close(out)  # the write under way fails now, and its thread ends


def test_Z3_what_was_lost_is_told_once_somebody_reads_again() -> None:
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)
    with open(into, "w") as stream, open(out) as reader:  # noqa: PTH123
        log.set_up(stream)
        told = log.logger()
        for number in range(3000):
            told.info("sent", number=number)
        lost = log.lost_lines()
        seen = [json.loads(reader.readline())]
        while seen[-1]["event"] != log.LOST:
            seen.append(json.loads(reader.readline()))
        assert lost > 0
        assert (seen[-1]["lost"], seen[-1]["level"]) == (lost, "warning")
        assert len(seen) - 1 + lost >= 1
        drained = threading.Thread(target=reader.read)
        drained.start()
        log.finish_now()
        stream.close()
        drained.join()


@pytest.mark.parametrize("end", ["closed by its reader", "closed by us", "never there"])
def test_Z3_a_closed_stream_loses_lines_and_nothing_else(end: str) -> None:
    out, into = os.pipe()
    os.close(out)
    stream = open(into, "w")  # noqa: PTH123, SIM115
    if end == "closed by us":
        stream.close()
    lines = log.set_up(None if end == "never there" else stream)
    log.logger().info("sent")
    log.finish_now()
    assert lines.lost == 1
    stream.close()


def test_Z4_on_a_full_disk_lines_are_lost_and_counted() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        lines = log.set_up(full)
        for number in range(3):
            log.logger().info("sent", number=number)
        log.finish_now()
        assert lines.lost == 3


def test_Z4_once_there_is_space_again_the_log_goes_on_and_says_what_is_missing() -> None:
    out: list[bytes] = []
    room = threading.Event()
    tried = threading.Semaphore(0)

    def write(data: bytes) -> None:
        tried.release()
        if not room.is_set():
            raise OSError(28, "No space left on device")
        out.append(data)

    lines = Lines(write, lambda lost: f"lost {lost}")
    lines.msg("one")
    lines.msg("two")
    tried.acquire()
    tried.acquire()
    while lines.lost < 2:
        pass
    room.set()
    lines.msg("three")
    lines.msg("four")
    lines.finish()
    assert out == [b"lost 2\n", b"three\n", b"four\n"]
    assert lines.lost == 2


def test_Z4_a_line_the_disk_cut_off_is_ended_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put, calls = os.write, iter(["half", "no", "all", "all", "all"])

    def short(handle: int, data: memoryview) -> int:
        match next(calls):
            case "half":
                return put(handle, bytes(data[:5]))
            case "no":
                raise OSError(28, "No space left on device")
            case _:
                return put(handle, data)

    path = tmp_path / "connector.log"
    with path.open("w") as stream:
        lines = log.set_up(stream)
        monkeypatch.setattr("connector.log.lines.os.write", short)
        log.logger().info("one")
        log.logger().info("two")
        log.finish_now()
        monkeypatch.undo()
    torn, lost, two = path.read_text().splitlines()
    assert len(torn) == 5
    assert json.loads(lost)["lost"] == lines.lost == 1
    assert json.loads(two)["event"] == "two"


def test_the_log_does_not_keep_a_process_that_ends() -> None:
    """Its thread is no reason to stay, and what was said last is still written."""
    import subprocess

    said = "from connector import log; log.to_stderr(); [log.logger().info('sent', n=n) for n in range(100)]"
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, timeout=20, check=True)
    assert [json.loads(line)["n"] for line in ran.stderr.splitlines()] == list(range(100))

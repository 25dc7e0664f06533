"""Nothing is answered before all of it is on the disk: a power cut right after the 2xx takes nothing that was said."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.faults.strace import needs_strace, strace_of
from tests.proofs.inbox_kill import CONNECTOR
from tests.web.knocking import SECRETS, config_in, sign

CALL = re.compile(r"\b(pwrite64|write|sendto|fdatasync|fsync|unlink)\((?:\d+<([^>]*)>|AT_FDCWD, )?\"?([^\",)]*)")


def answers(lines: Iterable[str]) -> int:
    """How many deliveries were answered "200", each with nothing of the inbox left that a power cut could take."""
    unsynced: set[str] = set()
    answered = 0
    for line in lines:
        found = CALL.search(line)
        if found is None or " = -1 " in line:
            continue
        call, by_handle, by_name = found.groups()
        path = by_handle or by_name
        if call in ("fdatasync", "fsync"):
            unsynced.discard(path)
        elif call == "pwrite64" and "/inbox.sqlite3" in path:
            unsynced.add(path)
        elif call == "unlink" and "/inbox.sqlite3" in path:
            unsynced.discard(path)
            unsynced.add(str(Path(path).parent))
        elif call == "sendto" and "HTTP/1.1 200" in line:
            answered += 1
            assert unsynced == set(), f"answered before it was synced: {line[:160]}"
    return answered


@needs_strace
def test_W17_a_delivery_is_synced_before_its_answer_leaves(tmp_path: Path) -> None:
    """By the order of the system calls of a real receiver: what is not synced, a power cut takes."""
    log = tmp_path / "calls"
    words = [*CONNECTOR, "--config", str(config_in(tmp_path)), "--state", str(tmp_path / "state"), "inbox", "serve"]
    process = subprocess.Popen(
        [*strace_of("pwrite64,sendto,fdatasync,fsync,unlink", log), *words, "--listen", "127.0.0.1:0"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **SECRETS},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline().rpartition("/in/")[0].rpartition(":")[2])
        for number in range(5):
            assert delivered(port, b'{"id":%d}' % number) == 200
        stop(process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert answers(log.read_text(encoding="utf-8", errors="replace").splitlines()) == 5


def delivered(port: int, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", "/in/kiwi", body, {"X-WC-Webhook-Signature": sign(body)})
        return connection.getresponse().status
    finally:
        connection.close()


def stop(strace: subprocess.Popen[str]) -> None:
    """SIGTERM for the program under strace, which ends with it."""
    children = Path(f"/proc/{strace.pid}/task/{strace.pid}/children").read_text(encoding="ascii").split()
    os.kill(int(children[0]), signal.SIGTERM)
    strace.wait(20)


def test_the_check_above_can_fail() -> None:
    page = '1 pwrite64(9</s/inbox/inbox.sqlite3>, "..", 9, 0) = 9'
    synced = "1 fdatasync(9</s/inbox/inbox.sqlite3>) = 0"
    said = '1 sendto(7<socket:[1]>, "HTTP/1.1 200 OK\\r\\n", 9, 0, NULL, 0) = 9'
    assert answers([page, synced, said]) == 1
    with pytest.raises(AssertionError, match="before it was synced"):
        answers([page, said])
    with pytest.raises(AssertionError, match="before it was synced"):
        answers([page, synced, '1 unlink("/s/inbox/inbox.sqlite3-journal") = 0', said])

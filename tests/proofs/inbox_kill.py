"""Pieces of a proof: a receiver in a process of its own, killed at any moment, and a client that remembers its 2xx."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from connector.inbox.box import Inbox
from tests.web.knocking import sign

CONNECTOR = (sys.executable, "-c", "import sys; from connector.cli import main; sys.exit(main())")


class Receiver:
    """`connector inbox serve`, with these secrets in its environment and nothing else. Killed at the end."""

    def __init__(self, config: Path, state: Path, secrets: Mapping[str, str]) -> None:
        command = [*CONNECTOR, "--config", str(config), "--state", str(state), "inbox", "serve"]
        self.process = subprocess.Popen(
            [*command, "--listen", "127.0.0.1:0"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **secrets},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        self.port = int(said.rpartition("/in/")[0].rpartition(":")[2])

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def kill(self) -> None:
        """As a power cut would, but for the disk."""
        self.process.kill()

    def stop(self) -> int:
        """SIGTERM; how it ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def deliver(self, body: bytes, signature: str) -> int:
        """One delivery to kiwi; the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", "/in/kiwi", body, {"X-WC-Webhook-Signature": signature})
            return connection.getresponse().status
        finally:
            connection.close()


def deliver_until_dead(receiver: Receiver, secret: str, *, first: int, after: int, callers: int = 4) -> list[int]:
    """Deliver orders from `first` on, by several callers at once, and kill the receiver once `after` were answered.

    Returns the orders that were answered 200: the log of a sender that keeps what it was told.
    """
    answered: list[int] = []
    enough = threading.Event()

    def call(number: int) -> None:
        while True:
            body = b'{"id":%d}' % number
            try:
                if receiver.deliver(body, sign(body, secret)) == 200:
                    answered.append(number)
            except (OSError, http.client.HTTPException):
                return
            if len(answered) >= after:
                enough.set()
            number += callers

    threads = [threading.Thread(target=call, args=(first + caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    receiver.kill()
    for thread in threads:
        thread.join()
    return answered


def lost(state: Path, answered: Iterable[int]) -> list[int]:
    """The orders that were answered for and are not in the inbox."""
    with Inbox.open(state, create=False) as inbox:
        kept = {each.body for each in inbox.after(0, 1_000_000)}
    return [number for number in answered if b'{"id":%d}' % number not in kept]

"""A receiver on loopback for tests, and ways to knock: by http.client, and by raw sockets that say what they like."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import NamedTuple
from urllib.parse import urlsplit

from connector.config import load_stores
from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery
from connector.problem import Problem
from connector.store import Store
from connector.web.limits import Limits
from connector.web.numbers import Numbers
from connector.web.server import Served, listener, served
from tests.store_files import GOOD

SECRET = 'whsec "quoted" & ünï 1'
WOO = '\n[inbox]\nsecret = "env:KIWI_HOOK"\nscheme = "woocommerce"\n'
SHOPIFY = '\n[inbox]\nsecret = "env:MOA_HOOK"\nold_secret = "env:MOA_OLD_HOOK"\nscheme = "shopify"\n'
SECRETS = {"KIWI_HOOK": SECRET, "MOA_HOOK": "moa-new", "MOA_OLD_HOOK": "moa-old"}


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Host:
    """Two stores that take deliveries, kiwi (WooCommerce) and moa (Shopify), and tui, which takes none."""

    config: Path
    state: Path
    numbers: Numbers | None = None
    stored: list[set[str]] = field(default_factory=list)
    hints: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    hinted_at_all: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.now_stores: Sequence[Store] = load_stores(self.config, secrets=False)

    def stores(self) -> Sequence[Store]:
        return self.now_stores

    def heard(self, stores: set[str]) -> None:
        self.stored.append(stores)

    def hinted(self, store: str, numbers: tuple[str, ...]) -> None:
        self.hints.append((store, numbers))
        self.hinted_at_all.set()

    def stands_still(self) -> str:
        return ""

    def wrong(self, problems: Sequence[Problem]) -> None:
        self.problems += problems


@dataclass(frozen=True)
class Door:
    """A running receiver."""

    web: Served
    host: Host

    @property
    def port(self) -> int:
        return urlsplit(self.web.url).port or 0

    def ask(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str = ""
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def deliver(self, body: bytes, path: str = "/in/kiwi", secret: str = SECRET, **more: str) -> Answer:
        """One delivery as WooCommerce signs it."""
        headers = {"Content-Type": "application/json", "X-WC-Webhook-Topic": "order.updated", **more}
        return self.ask(path, body, {"X-WC-Webhook-Signature": sign(body, secret), **headers})

    def raw(self, *pieces: bytes, reads: bool = True) -> bytes:
        """Bytes as they are, on a connection of their own; what was answered until the receiver closed."""
        with self.connect() as knock:
            for piece in pieces:
                knock.sendall(piece)
            return heard(knock) if reads else b""

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def kept(self, store: str = "kiwi") -> list[Delivery]:
        """What waits in the inbox, by a connection of its own."""
        with Inbox.open(self.host.state, create=False) as inbox:
            return inbox.waiting(store, 10_000)

    def all(self) -> list[Delivery]:
        """Everything in the inbox."""
        with Inbox.open(self.host.state, create=False) as inbox:
            return inbox.after(0, 10_000)


def sign(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def head(length: int | str | None, body: bytes = b"", *more: str, path: str = "/in/kiwi") -> bytes:
    """The head of a rightly signed POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"X-WC-Webhook-Signature: {sign(body)}", *more]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def heard(knock: socket.socket) -> bytes:
    """Everything until the other side closes."""
    answer = b""
    try:
        while piece := knock.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def status(answer: bytes) -> int:
    """The status of a raw answer; 0 where there is none."""
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def config_in(folder: Path) -> Path:
    """The store files of kiwi, moa and tui."""
    config = folder / "config"
    config.mkdir(parents=True)
    for name, more in (("kiwi", WOO), ("moa", SHOPIFY), ("tui", "")):
        text = (
            GOOD.replace("KIWI_GSS_KEY", f"{name.upper()}_GSS_KEY") + f'\n[slip]\nprefix = "{name.upper()}-"\n' + more
        )
        (config / f"{name}.toml").write_text(text)
    return config


@contextmanager
def receiving(
    folder: Path, *, limits: Limits | None = None, hosts: Sequence[str] = (), inbox: Inbox | None = None
) -> Iterator[Door]:
    """A receiver for the length of a `with`. The secrets of SECRETS must be set."""
    host = Host(config_in(folder), folder / "state")
    with served(host, listener("127.0.0.1:0"), limits=limits, hosts=hosts, inbox=inbox) as web:
        yield Door(web, host)

"""`connector check --public-url`: over loopback, through proxies that are right and wrong, to the real receiver."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from connector.check import Finding
from connector.config import load_stores
from connector.exit_codes import Code
from connector.inbox.box import Inbox
from connector.problem import Problem
from connector.public_check import public_check, what_is_wrong
from connector.store import Store
from connector.web.server import listener, served
from tests.commands.desk import Desk

SECRET = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnk="


class Host:
    """A receiver's host with these stores."""

    numbers = None

    def __init__(self, state: Path, stores: Sequence[Store]) -> None:
        self.state = state
        self._stores = stores

    def stores(self) -> Sequence[Store]:
        return self._stores

    def heard(self, stores: set[str]) -> None:
        raise AssertionError(f"a check is no delivery, and was stored for {stores}")

    def hinted(self, store: str, numbers: tuple[str, ...]) -> None:
        raise AssertionError

    def stands_still(self) -> str:
        return ""

    def wrong(self, problems: Sequence[Problem]) -> None:
        raise AssertionError


def kiwi(desk: Desk, scheme: str = "woocommerce") -> Store:
    desk.store("kiwi", prefix="K-", more=f'[inbox]\nsecret = "env:KIWI_HOOK"\nscheme = "{scheme}"')
    (store,) = load_stores(desk.folder / "config", secrets=False)
    return store


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWI_HOOK", SECRET)


@contextmanager
def receiver(desk: Desk, store: Store) -> Iterator[str]:
    with served(Host(desk.folder / "state", [store]), listener("127.0.0.1:0")) as web:
        yield web.url


@contextmanager
def proxy(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Something in front of the receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def says(status: int, body: bytes = b"", location: str = "") -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(to: BaseHTTPRequestHandler) -> None:
        to.rfile.read(int(to.headers["Content-Length"]))
        to.send_response(status)
        if location:
            to.send_header("Location", location)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    return answer


def passes_on(url: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(to: BaseHTTPRequestHandler) -> None:
        body = to.rfile.read(int(to.headers["Content-Length"]))
        request = urllib.request.Request(url + to.path, body, dict(to.headers.items()))
        with urllib.request.urlopen(request, timeout=5) as got:
            said = got.read()
        to.send_response(200)
        to.send_header("Content-Length", str(len(said)))
        to.end_headers()
        to.wfile.write(said)

    return answer


def found(store: Store, url: str) -> Finding:
    (finding,) = public_check(store, url, datetime.now(UTC))
    return finding


@pytest.mark.parametrize("scheme", ["shopify", "woocommerce", "standard"])
def test_W22_a_signed_test_delivery_arrives_through_a_proxy_and_is_stored_nowhere(desk: Desk, scheme: str) -> None:
    store = kiwi(desk, scheme)
    with receiver(desk, store) as url, proxy(passes_on(url)) as public:
        finding = found(store, f"{public}/in/kiwi")
    assert (finding.code, finding.mend) == (Code.DONE, "")
    assert "arrives" in finding.text
    inbox = Inbox.open(desk.folder / "state")
    assert list(inbox.waiting("kiwi", 10)) == []
    inbox.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_W22_a_redirect_is_a_problem_though_it_leads_to_the_receiver(desk: Desk, status: int) -> None:
    """WooCommerce counts 301 and 302 as delivered, and does not go where they lead."""
    store = kiwi(desk)
    with receiver(desk, store) as url, proxy(says(status, location=f"{url}/in/kiwi")) as public:
        finding = found(store, f"{public}/in/kiwi")
    assert finding.code is Code.UNREACHED
    assert f"redirects ({status}, to 127.0.0.1)" in finding.text
    assert "counts that as delivered" in finding.text
    assert "Give the shop the address it leads to" in finding.mend


def test_W22_somebody_elses_200_is_not_taken_for_the_receivers(desk: Desk) -> None:
    with proxy(says(200, b"<html>Welcome</html>")) as public:
        finding = found(kiwi(desk), f"{public}/in/kiwi")
    assert finding.code is Code.UNREACHED
    assert "something else says that all is well (200)" in finding.text


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        (401, "restart the receiver"),
        (403, "pass POST /in/ on"),
        (404, "pass POST /in/ on"),
        (413, "Allow bodies of 2 MB"),
        (418, "See the log of the proxy"),
        (429, "rate limit"),
        (502, "Start the receiver"),
        (503, "See its log"),
    ],
)
def test_every_other_answer_has_its_mend(desk: Desk, status: int, mend: str) -> None:
    with proxy(says(status)) as public:
        finding = found(kiwi(desk), f"{public}/in/kiwi")
    assert finding.code is Code.UNREACHED
    assert mend in finding.mend
    assert SECRET not in finding.text + finding.mend


def test_another_secret_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    store = kiwi(desk)
    with receiver(desk, store) as url:
        monkeypatch.setenv("KIWI_HOOK", "another-secret-than-the-receivers")
        finding = found(store, f"{url}/in/kiwi")
    assert "does not take the signature (401)" in finding.text


def test_no_answer_in_the_time_shops_give_is_a_problem(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.public_check.TIMEOUT_S", 0.1)
    done = threading.Event()
    with proxy(lambda _to: [done.wait(10)].clear()) as public:
        began = time.monotonic()
        finding = found(kiwi(desk), f"{public}/in/kiwi")
        took = time.monotonic() - began
        done.set()
    assert "in time" in finding.text
    assert took < 5


def test_nobody_there_and_no_tls_there_are_told(desk: Desk) -> None:
    store = kiwi(desk)
    with proxy(says(200)) as public:
        spoken = found(store, public.replace("http:", "https:") + "/in/kiwi")
    assert "TLS" in spoken.text
    assert "Give the proxy a certificate" in spoken.mend
    refused = found(store, f"{public}/in/kiwi")
    assert "connection refused" in refused.text
    assert "Is the proxy running" in refused.mend


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/in/kiwi",
        "ftp://shop.example/in/kiwi",
        "shop.example/in/kiwi",
        "https://user:hush@shop.example/in/kiwi",
        "https://shop.example/in/kiwi?x=1",
        "https://shop.example:0x/in/kiwi",
        "https://shop.example/in/ki wi",
        "",
    ],
)
def test_an_address_no_shop_could_be_given_is_refused_and_not_quoted(url: str) -> None:
    wrong = what_is_wrong(url, "kiwi")
    assert wrong is not None
    assert "hush" not in " ".join(wrong)


def test_the_command_says_what_was_found(desk: Desk) -> None:
    store = kiwi(desk)
    with receiver(desk, store) as url:
        said = desk("check", "kiwi", "--public-url", f"{url}/in/kiwi")
    assert said.code == 0, said.out + said.err
    assert "arrives" in said.out
    assert desk("check", "--public-url", "https://shop.example/in/kiwi").code == Code.USAGE


def test_a_store_that_takes_no_deliveries_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store("moa", prefix="M-")
    (store,) = load_stores(desk.folder / "config", secrets=False)
    assert "takes no deliveries" in found(store, "https://shop.example/in/moa").text
    monkeypatch.delenv("KIWI_HOOK")
    desk.store("moa", prefix="M-", more='[inbox]\nsecret = "env:KIWI_HOOK"')
    (store,) = load_stores(desk.folder / "config", secrets=False)
    assert "env:KIWI_HOOK is not set" in found(store, "https://shop.example/in/moa").text

"""A fresh sandbox a test, and a bare HTTP caller: nothing of our client, so that neither hides the other's faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from connector.sandbox.handle import Sandbox
from connector.sandbox.server import running

PATH = "/api/customerorders"


class Answered(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """Calls the API with one key; each call on a connection of its own."""

    def __init__(self, url: str, key: str, site: str | None = None) -> None:
        self._netloc = urlsplit(url).netloc
        self._headers = {"access_key": key, **({"site_id": site} if site else {})}

    def put(self, *numbers: str, **fields: Any) -> Answered:
        return self.put_body(json.dumps([slip(number, **fields) for number in numbers]).encode())

    def put_body(self, body: bytes) -> Answered:
        return self.send("PUT", PATH, body)

    def get(self, *numbers: str, **query: Any) -> Answered:
        return self.send("GET", PATH + asked(numbers, query))

    def delete(self, *numbers: str) -> Answered:
        return self.send("DELETE", PATH + asked(numbers, {}))

    def results(self, *numbers: str, **query: Any) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self.get(*numbers, **query).json["Results"]
        return results

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answered:
        connection = HTTPConnection(self._netloc, timeout=10)
        try:
            connection.request(method, path, body, self._headers if headers is None else headers)
            return read(connection.getresponse())
        finally:
            connection.close()


def slip(number: str, **fields: Any) -> dict[str, Any]:
    return {
        "packingslipno": number,
        "consignee": "Aroha Ngata",
        "address1": "12 Beach Road",
        "address2": "",
        "suburb": "Mission Bay",
        "city": "Auckland",
        "postcode": "1071",
        "country": "NZ",
        "delvref": None,
        "delvinstructions": None,
        "contactname": None,
        "contactphone": None,
        "email": None,
        **fields,
    }


def asked(numbers: tuple[str, ...], query: dict[str, Any]) -> str:
    parts = [f"{name}={quote(str(value))}" for name, value in query.items()]
    if numbers:
        parts.append("packingslipno=" + ",".join(quote(number, safe="") for number in numbers))
    return "?" + "&".join(parts) if parts else ""


def until(happened: Callable[[], object]) -> None:
    """Wait for what another thread or process is about to do; fails after ten seconds."""
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.002)


def read(response: HTTPResponse) -> Answered:
    return Answered(response.status, response.read(), {name.lower(): value for name, value in response.getheaders()})


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:
    return Caller(sandbox.url, sandbox.key)

"""An HTTP server on loopback for shop doubles: hands each request to the shop, and gets in the way when told to.

Faults are the wire's and the host's, the same for every platform; what a platform itself does wrong is its double's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True):
    """What came in. path is without the query; query is raw, as sent; headers by lower-case name."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Response(msgspec.Struct, frozen=True):
    """What goes out. Content-Length is added."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {"Content-Type": "application/json; charset=UTF-8"}


Answer = Callable[[Request], Response]


class ShopServer:
    """A shop's door on loopback; `with ShopServer(answer) as server`. Requests are answered one at a time, in order.

    url    http://127.0.0.1:PORT
    heard  every request so far, the oldest first
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.heard: list[Request] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def _serve(self) -> None:
                path, _, query = self.path.partition("?")
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, path, query, headers, self.rfile.read(length))
                with shop._lock:
                    shop.heard.append(request)
                    response = shop._answer(request)
                self.send_response(response.status)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  the names http.server calls

            def log_message(self, *_: Any) -> None:
                """Nothing: tests read `heard`."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> ShopServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

"""The one door to the world: sends a request once and brings back what was heard. Knows nobody and judges nothing.

`requests` with its teeth drawn (failures.md 0.3, 0.4, E2, SEC7). Its transport adapter is used without a Session: the
Session is what reads proxies, netrc and CA bundles from the environment, follows redirects with our key in hand, keeps
cookies, and, even when told not to follow, reads a redirect's body to its end, however long and slow (requests 2.34,
`Session.send`). The adapter sets up the host's pool of connections, TLS included; calls go to the pool itself, which
makes each a third cheaper. Several threads may use it at once.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Container, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connector import __version__
from connector.wire.heard import Heard

CONNECT_TIMEOUT_S: Final = 5.0
"""For each address of the host; the next one is tried after it (failures.md S32)."""

USER_AGENT: Final = f"gosweetspot-connector/{__version__}"

_CHUNK: Final = 16 * 1024
"""Small, so that even an urllib3 that unpacks a whole chunk at once (before 2.6) makes no more than 16 MB of it."""

_CONNECTIONS: Final = 16
"""Kept open at the most: as many as calls may be in flight, or each call past them would connect anew."""


class NothingLeftError(Exception):
    """Connecting failed, so not a byte of the request has left. `__cause__` says why."""


class _OverLimitError(Exception):
    """The answer goes on past the limit."""


class Door:
    """Calls to one host, over connections that are kept open. Safe for several threads at once.

    url      scheme and host; headers  of every call; verify  True, or the path of a bundle of one's own
    largest  bytes of an answer's body, unpacked, past which it is dropped
    reads    the statuses whose bodies are read
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], *, verify: str | bool = True, largest: int, reads: Container[int]
    ) -> None:
        self._address = url.rstrip("/")
        self._host = urlsplit(url).hostname or ""
        self._folder = urlsplit(self._address).path
        self._headers = headers
        self._verify = verify
        self._largest = largest
        self._reads = reads
        self._connections: HTTPConnectionPool | None = None
        self._adapter = _Adapter(max_retries=0, pool_connections=1, pool_maxsize=_CONNECTIONS)

    def exchange(
        self, method: str, path: str, body: bytes | None, timeout_s: float, headers: Mapping[str, str] | None = None
    ) -> Heard:
        """One call, once: never repeated, never redirected, over in `timeout_s` (plus the look-up of the name).

        path  goes as it is, query and all; headers  of this call, over the door's own
        """
        timeout = urllib3.Timeout(total=timeout_s, connect=CONNECT_TIMEOUT_S)
        try:
            response = self._pool().urlopen(
                method,
                self._folder + path,
                body,
                self._headers_of(method, body, headers),
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
                preload_content=False,
                decode_content=False,
            )
        except NothingLeftError as err:
            return Heard(left=False, fault=self._sentence_on_no_connection(err.__cause__))
        except Exception as err:  # noqa: BLE001  whatever broke, the request may have arrived: that is "unknown" (S30)
            return self._broken_call(err, timeout_s)
        try:
            return self._heard(response)
        except _OverLimitError:
            return Heard(status=response.status, too_large=True, fault=self._sentence_on_size())
        except Exception as err:  # noqa: BLE001  as above
            return self._broken_call(err, timeout_s, response.status)
        finally:
            response.close()
            response.release_conn()

    def close(self) -> None:
        """Close the connections that are idle. A later call opens new ones."""
        pool, self._connections = self._connections, None
        if pool is not None:
            pool.close()  # urllib3 leaves it to the garbage collector, which may wait for long after an error
        self._adapter.close()

    def _pool(self) -> HTTPConnectionPool:
        """The host's connections, with TLS as `verify` says; they open when they are needed."""
        if self._connections is None:
            request = requests.PreparedRequest()
            request.url = self._address
            pool = cast(HTTPConnectionPool, self._adapter.get_connection_with_tls_context(request, self._verify))
            self._adapter.cert_verify(pool, self._address, self._verify, None)  # type: ignore[no-untyped-call]
            self._connections = pool
        return self._connections

    def _headers_of(self, method: str, body: bytes | None, headers: Mapping[str, str] | None) -> Mapping[str, str]:
        told = {**self._headers, **headers} if headers else dict(self._headers)
        if method != "GET":
            told["Content-Length"] = str(len(body or b""))
        return told

    def _heard(self, response: urllib3.BaseHTTPResponse) -> Heard:
        headers = response.headers
        return Heard(
            status=response.status,
            body=_whole_body(response, self._largest) if response.status in self._reads else b"",
            location=headers.get("Location", ""),
            retry_after=headers.get("Retry-After", ""),
            date=headers.get("Date", ""),
            headers=headers,
        )

    def _sentence_on_no_connection(self, cause: BaseException | None) -> str:
        return f"Nothing was sent: {self._host} could not be reached ({_reason(cause)})."

    def _broken_call(self, err: BaseException, timeout_s: float, status: int = 0) -> Heard:
        """By the error's class only: texts of `requests` quote addresses and even the key (failures.md 0.9)."""
        if any(isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) for cause in _causes(err)):
            fault = f"{self._host} gave no whole answer in time ({timeout_s:.3g} s)."
            return Heard(status=status, too_late=True, fault=fault)
        fault = f"The connection to {self._host} broke before a whole answer was there ({type(err).__name__})."
        return Heard(status=status, fault=fault)

    def _sentence_on_size(self) -> str:
        return f"The answer of {self._host} is larger than {self._largest // 2**20} MB, so it was not read to its end."


def _whole_body(response: urllib3.BaseHTTPResponse, largest: int) -> bytes:
    """The unpacked body, up to the limit. Codings stacked on each other multiply their growth: not unpacked."""
    if "," in response.headers.get("Content-Encoding", ""):
        raise _OverLimitError
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > largest:
            raise _OverLimitError
        chunks.append(chunk)
    return b"".join(chunks)


def _causes(err: BaseException) -> list[BaseException]:
    """An error and what it came from; `requests` and `urllib3` also wrap errors as arguments and as `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [err]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [*one.args, one.__cause__, one.__context__, getattr(one, "reason", None)]
    return found


def _reason(cause: BaseException | None) -> str:
    for one in _causes(cause) if cause else ():
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {one.verify_message}"
        if isinstance(one, ssl.SSLError):
            return "the TLS handshake failed"
        if isinstance(one, socket.gaierror):
            return "its name was not found"
        if isinstance(one, ConnectionRefusedError):
            return "connection refused"
        if isinstance(one, TimeoutError):
            return f"no connection within {CONNECT_TIMEOUT_S:g} s"
    return "no connection"


class _Deadlined(io.RawIOBase):
    """The bytes of one answer, all of them before one deadline.

    A socket's time-out starts anew with every byte, in the head of an answer as in its body: one byte every 0.3 s was
    an endless answer (failures.md S6, E2). So it is set, before each read, to what is left.
    """

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock, self._raw = sock, raw
        # urllib3 has just set what is left of the call's total time; None never comes, every call has one
        self._ends = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not whole at its deadline")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Deadlined(sock, self.fp.detach()))


class _TellsWhenNothingLeft:
    """Connecting, TLS included, ends before the first byte of a request: what fails in it proves that nothing left."""

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except Exception as err:
            raise NothingLeftError from err


class _Connection(_TellsWhenNothingLeft, HTTPConnection):
    response_class = _Response


class _TlsConnection(_TellsWhenNothingLeft, HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

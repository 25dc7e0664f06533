"""The one door to GSS: sends a request once and brings back what was heard. Knows no packing slips and judges nothing.

`requests` with its teeth drawn (failures.md 0.3, 0.4, E2, SEC7). Its transport adapter is used without a Session: the
Session is what reads proxies, netrc and CA bundles from the environment, follows redirects with our key in hand, keeps
cookies, and, even when told not to follow, reads a redirect's body to its end, however long and slow (requests 2.34,
`Session.send`). Without it a call is also a quarter cheaper. An adapter may be used by several threads at once.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import Any, Final, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connector import __version__
from connector.gosweetspot.destination import Destination
from connector.gosweetspot.heard import Heard

CONNECT_TIMEOUT_S: Final = 5.0
"""For each address of the host; the next one is tried after it (failures.md S32)."""

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes, unpacked. Fifty orders with their products are about 100 kB."""

_CHUNK: Final = 16 * 1024
"""Small, so that even an urllib3 that unpacks a whole chunk at once (before 2.6) makes no more than 16 MB of it."""

_CONNECTIONS: Final = 8


class NothingLeftError(Exception):
    """Connecting failed, so not a byte of the request has left. `__cause__` says why."""


class _OverLimitError(Exception):
    """The answer is larger than any answer of GSS's."""


class Door:
    """Calls to one destination, over connections that are kept open. Safe for several threads at once."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._verify = destination.verify
        self._adapter = _Adapter(max_retries=0, pool_connections=1, pool_maxsize=_CONNECTIONS)
        self._address = destination.url.rstrip("/")
        self._headers = headers_of(destination)

    def exchange(self, method: str, path: str, body: bytes | None, timeout_s: float) -> Heard:
        """One call, once: never repeated, never redirected, over in `timeout_s` (plus the look-up of the name)."""
        timeout = urllib3.Timeout(total=timeout_s, connect=CONNECT_TIMEOUT_S)
        try:
            response = self._adapter.send(
                self._request(method, path, body),
                stream=True,
                timeout=cast(Any, timeout),  # requests hands it through; its stubs don't say so
                verify=self._verify,
                proxies={},
            )
        except NothingLeftError as err:
            return Heard(left=False, fault=self._sentence_on_no_connection(err.__cause__))
        except Exception as err:  # noqa: BLE001  whatever broke, the request may have arrived: that is "unknown" (S30)
            return Heard(fault=self._sentence_on_broken_call(err))
        try:
            return _heard(response)
        except _OverLimitError:
            return Heard(status=response.status_code, fault=_TOO_LARGE)
        except Exception as err:  # noqa: BLE001  as above
            return Heard(status=response.status_code, fault=self._sentence_on_broken_call(err))
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections that are idle. A later call opens new ones."""
        pools = self._adapter.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118  no mapping: it can't be iterated over
            pools[key].close()  # urllib3 leaves it to the garbage collector, which may wait for long after an error
        self._adapter.close()

    def _request(self, method: str, path: str, body: bytes | None) -> requests.PreparedRequest:
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, self._address + path, body
        request.headers = requests.structures.CaseInsensitiveDict(self._headers)
        if method != "GET":
            request.headers["Content-Length"] = str(len(body or b""))
        return request

    def _sentence_on_no_connection(self, cause: BaseException | None) -> str:
        return f"Nothing was sent: {self._destination.host} could not be reached ({_reason(cause)})."

    def _sentence_on_broken_call(self, err: BaseException) -> str:
        """By the error's class only: texts of `requests` quote addresses and even the key (failures.md 0.9)."""
        if any(isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) for cause in _causes(err)):
            return f"{self._destination.host} gave no whole answer in time ({self._destination.timeout_s:g} s)."
        return (
            f"The connection to {self._destination.host} broke before a whole answer was there ({type(err).__name__})."
        )


_TOO_LARGE = "The answer is larger than any answer of GoSweetSpot's, so it was not read to its end."


def headers_of(destination: Destination) -> dict[str, str]:
    """The headers of every call; the contact's in both names that GSS's pages give it (gosweetspot-api.md 1.10)."""
    headers = {
        "access_key": destination.access_key,
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"gosweetspot-connector/{__version__}",
    }
    if destination.site_id is not None:
        headers["site_id"] = str(destination.site_id)
    if destination.support_email is not None:
        headers["support_email"] = headers["supportemail"] = destination.support_email
    return headers


def _heard(response: requests.Response) -> Heard:
    headers = response.headers
    return Heard(
        status=response.status_code,
        body=_whole_body(response) if response.status_code in (200, 201) else b"",
        location=headers.get("Location", ""),
        retry_after=headers.get("Retry-After", ""),
        date=headers.get("Date", ""),
    )


def _whole_body(response: requests.Response) -> bytes:
    """The unpacked body, up to the limit. Codings stacked on each other multiply their growth: not unpacked."""
    if "," in response.headers.get("Content-Encoding", ""):
        raise _OverLimitError
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > LARGEST_ANSWER:
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

"""The customerorders endpoint on ASGI: who calls, what is asked, and the reply on its way. Knows HTTP, and no orders.

Plain ASGI instead of a framework's request objects: benchmarks run against it, and a framework would cost as much as
the orders do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from connector.sandbox.call import Call, Ending, Reply, read_call, refused
from connector.sandbox.service import Service
from connector.sandbox.state import Account
from connector.sandbox.wire import UnreadableError

PATH: Final = "/api/customerorders"
BODY_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a PUT body; far above any batch, so that a runaway caller cannot eat the machine."""

_METHODS: Final = ("PUT", "GET", "DELETE")
TRANSPORT: Final = "transport"
"""Under this name the server puts the connection's transport into an ASGI scope's state: cuts and drops need it."""


async def customerorders(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one call of the API, or break it as an armed fault says."""
    service.record.count(scope["method"])
    if service.options.latency_s:
        await asyncio.sleep(service.options.latency_s)
    reply = _reply(service, scope, await _body(receive))
    await _deliver(reply, scope, receive, send)


def _reply(service: Service, scope: Scope, body: bytes | None) -> Reply:
    """Carry the call out, record it, and say what to send."""
    method, numbers, fault = scope["method"], [], None
    try:
        call = _understood(scope, body, service.options.keys)
        numbers = call.numbers
        reply, fault = service.reply(call)
    except UnreadableError as error:
        reply = refused(error.status, str(error))
    status: int | str = "no answer" if reply.ending is Ending.DROPPED else reply.status
    service.record.add(service.now(), method, numbers, status, fault.kind() if fault else None)
    return reply


def _understood(scope: Scope, body: bytes | None, keys: Mapping[str, tuple[str, ...]]) -> Call:
    account = account_of(scope["headers"], keys)
    if scope["path"].rstrip("/").lower() != PATH:
        raise UnreadableError(f"No HTTP resource was found that matches {scope['path']!r}.", 404)
    if scope["method"] not in _METHODS:
        raise UnreadableError(f"The requested resource does not support http method {scope['method']!r}.", 405)
    if body is None:
        raise UnreadableError(f"The body is over {BODY_LIMIT} bytes.", 413)
    return read_call(scope["method"], account, scope["query_string"], body)


def account_of(headers: Iterable[tuple[bytes, bytes]], keys: Mapping[str, tuple[str, ...]]) -> Account:
    """Whose call it is, by `access_key` and `site_id`; raises UnreadableError with status 401 or 400.

    A key set up with several sites must name one of them, a key with one may, a key with none may name any.
    """
    sent = dict(headers)
    key, site = sent.get(b"access_key", b"").decode("latin-1"), sent.get(b"site_id", b"").decode("latin-1")
    if key not in keys:
        raise UnreadableError("Authorization has been denied for this request: access_key is missing or wrong.", 401)
    sites = keys[key]
    if not sites or site in sites:
        return Account(key, site)
    if site:
        raise UnreadableError(f"Authorization has been denied for this request: this key has no site {site!r}.", 401)
    if len(sites) > 1:
        raise UnreadableError("site_id is missing: this key's user has access to several sites.", 401)
    return Account(key, sites[0])


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is over the limit (the rest is read and thrown away)."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY_LIMIT:
            parts.append(part)
    return b"".join(parts) if size <= BODY_LIMIT else None


async def _deliver(reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    if reply.wait_s:
        await _caller_gone(receive, reply.wait_s)
    if reply.ending is Ending.DROPPED:
        _transport(scope).abort()
    elif reply.ending is Ending.CUT:
        transport = _transport(scope)
        transport.write(_head(reply) + reply.body[: reply.cut_at])
        transport.close()
    else:
        await _send(reply, send)
        if reply.ending is Ending.HUNG_UP:
            _transport(scope).close()
        return
    await _caller_gone(receive, None)


async def _send(reply: Reply, send: Send) -> None:
    headers = [
        (b"content-type", reply.content_type.encode("latin-1")),
        (b"content-length", str(len(reply.body)).encode()),
        *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers),
    ]
    body = b"" if reply.status in (204, 304) else reply.body
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _head(reply: Reply) -> bytes:
    """Status line and headers of an answer that goes out past the HTTP library, which would refuse to cut it."""
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", f"Content-Type: {reply.content_type}"]
    if reply.declared:
        lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def _transport(scope: Scope) -> asyncio.Transport:
    state: MutableMapping[str, Any] = scope.get("state", {})
    if TRANSPORT not in state:
        raise RuntimeError("Connections are cut by the sandbox's own server only: start it by serve or running.")
    transport: asyncio.Transport = state[TRANSPORT]
    return transport


async def _caller_gone(receive: Receive, within_s: float | None) -> None:
    """Wait until the caller hangs up, or the time is over."""
    try:
        async with asyncio.timeout(within_s):
            while (await receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return

"""Starts the sandbox: in the foreground, in a thread for tests, or as an app for another server. Knows no orders."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from connector.sandbox.api import TRANSPORT
from connector.sandbox.app import app_of
from connector.sandbox.handle import Sandbox
from connector.sandbox.options import Options
from connector.sandbox.service import Service

_BACKLOG: Final = 2048
_KEEP_ALIVE_S: Final = 75
"""How long an idle connection stays open: longer than any test waits, so that stale ones appear only on demand."""


def create_app(options: Options | None = None) -> ASGIApp:
    """The sandbox as an ASGI app. Faults that cut connections need `serve` or `running`. Raises StoreError."""
    return app_of(_service(options or Options()))


def serve(options: Options | None = None, port_file: Path | None = None) -> None:
    """Run until SIGINT or SIGTERM, after printing where it is, the key, and what a store file needs to use it.

    port_file  gets the port, as text, once connections are taken; for programs that start the sandbox with port 0
    Raises StoreError, and OSError when the port is taken.
    """
    options = options or Options()
    service = _service(options)
    listener = _listen(options)
    url = _url(listener)
    if port_file:
        partial = port_file.with_name(port_file.name + ".partial")
        partial.write_text(f"{listener.getsockname()[1]}\n")
        partial.replace(port_file)  # whoever waits for the file never reads half of it
    sys.stdout.write(introduction(url, next(iter(options.keys))))
    sys.stdout.flush()
    try:
        asyncio.run(_run_until_signalled(service, listener))
    finally:
        service.store.close()


def introduction(url: str, key: str) -> str:
    """What a newcomer needs to know, as lines."""
    return (
        f"The sandbox stands in for GoSweetSpot at {url}\n"
        f"  page      {url}/       orders, labels, faults\n"
        f"  docs      {url}/docs   the endpoint, the operator, every fault\n"
        f"  key       {key}\n"
        "In the store file:\n\n"
        "  [gosweetspot]\n"
        f'  url = "{url}"\n'
        f'  access_key = "env:SANDBOX_KEY"    # export SANDBOX_KEY={key}\n\n'
        "Ctrl-C stops it.\n"
    )


@contextlib.contextmanager
def running(options: Options | None = None) -> Iterator[Sandbox]:
    """A sandbox on a free port in a thread of this process, for the length of a `with`; by default in memory.

    `options.port` is honoured when options are given. Raises StoreError.
    """
    options = options or Options(port=0)
    service = _service(options)
    listener = _listen(options)
    ready: list[Callable[[], Any]] = []
    started = threading.Event()

    async def run() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        ready.append(lambda: loop.call_soon_threadsafe(stop.set))
        async with _serving(service, listener):
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="sandbox", daemon=True)
    thread.start()
    started.wait()
    try:
        yield Sandbox(_url(listener), next(iter(options.keys)))
    finally:
        ready[0]()
        thread.join()
        service.store.close()


class _Protocol(H11Protocol):
    """uvicorn's HTTP, with the connection within reach of the app: cutting an answer is no part of ASGI."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Head and body leave in two writes: without this the second waits 40 ms for the first to be acknowledged.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, TRANSPORT: transport}


async def _run_until_signalled(service: Service, listener: socket.socket) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with _serving(service, listener):
        await stop.wait()


@contextlib.asynccontextmanager
async def _serving(service: Service, listener: socket.socket) -> AsyncIterator[None]:
    """Take connections. uvicorn's own Server looks only ten times a second whether to stop; tests would wait for it."""
    config = uvicorn.Config(
        app_of(service),
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    config.load()
    connections = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Protocol(config, connections, {}), sock=listener, backlog=_BACKLOG)
    try:
        yield
    finally:
        server.close()
        for connection in list(connections.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # lets the aborted connections close their sockets before the loop goes


def _service(options: Options) -> Service:
    return Service(
        options,
        now=lambda: datetime.now(UTC),
        later=lambda seconds, act: asyncio.get_running_loop().call_later(seconds, act),
    )


def _listen(options: Options) -> socket.socket:
    """A listening socket: who connects from here on is answered, however long the rest takes to start."""
    host = "127.0.0.1" if options.host == "localhost" else options.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, options.port), family=family, backlog=_BACKLOG)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""One HTTP connection, bounded in time and number: uvicorn bounds no slow head and no slow body. Knows no path."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from connector.web.limits import Limits


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP, and since when whole seconds of patience run.

    due  by the loop's clock: a connection that owes us the rest of a request by then is cut
    """

    limits = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.due = self.loop.time() + self.limits.request_s

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self.limits.connections:
            self._cut_another()
        super().connection_made(transport)

    def on_response_complete(self) -> None:
        """Answered: the next request has the idle time and its own."""
        self.due = self.loop.time() + self.limits.idle_s + self.limits.request_s
        super().on_response_complete()

    @property
    def is_answering(self) -> bool:
        """True while it is us who owe something."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _cut_another(self) -> None:
        """Room for the newcomer: whoever has let us wait longest goes, never one that waits for us (W14)."""
        others = [each for each in self.connections if isinstance(each, BoundedProtocol) and not each.is_answering]
        if others:
            min(others, key=lambda each: each.due).cut()

    def cut(self) -> None:
        """End the connection now, without an answer."""
        self.connections.discard(self)
        self.transport.abort()


def cut_overdue(state: ServerState, now: float) -> int:
    """Cut the connections whose request is not whole in time; how many. now  by the loop's clock."""
    overdue = [
        each
        for each in state.connections
        if isinstance(each, BoundedProtocol) and each.due < now and not each.is_answering
    ]
    for each in overdue:
        each.cut()
    return len(overdue)

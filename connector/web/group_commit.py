"""Deliveries that arrive in one turn of the event loop are written in one synced commit. Knows no request.

By the loop itself, without a thread: that is what is fast (performance.md). Once a commit was slow a thread takes over
for a minute, so that those who wait can be told in time to come again (failures.md W18). The slow commit itself, the
first after each such minute, holds up the loop for as long as the disk takes: nobody is told anything meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery
from connector.inbox.errors import InboxBusy, InboxError

SLOW_S: Final = 0.5
"""A commit that takes longer shows a slow disk; one takes about a millisecond."""
SLOW_FOR_S: Final = 60.0
ANSWER_S: Final = 3.5
"""Shops wait for 5 s, and the way to us takes some of it."""
LONGEST_QUEUE: Final = 2_000

_LATE: Final = InboxBusy("the disk is slow; deliveries are refused until it has caught up")


class Waiting(NamedTuple):
    """A delivery whose sender waits for the answer."""

    delivery: Delivery
    answered: asyncio.Future[InboxError | None]


class GroupCommit:
    """on_stored  called with the names of the stores, after each commit, by the loop"""

    def __init__(self, inbox: Inbox, on_stored: Callable[[set[str]], None]) -> None:
        self._inbox = inbox
        self._on_stored = on_stored
        self._queue: list[Waiting] = []
        self._is_due = False
        self._slow_until = 0.0
        self._thread: ThreadPoolExecutor | None = None

    async def store(self, delivery: Delivery) -> InboxError | None:
        """None once it is on disk; otherwise why it is not, or may not be in time."""
        loop = asyncio.get_running_loop()
        if len(self._queue) >= LONGEST_QUEUE:
            return _LATE
        waiting = Waiting(delivery, loop.create_future())
        self._queue.append(waiting)
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._write)
        if self._thread is None:
            return await waiting.answered
        timer = loop.call_later(ANSWER_S, _answer, [waiting], _LATE)
        try:
            return await waiting.answered
        finally:
            timer.cancel()

    def close(self) -> None:
        """Nobody waits any more."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    def _write(self) -> None:
        loop = asyncio.get_running_loop()
        if self._thread is not None and loop.time() > self._slow_until:
            self.close()
        group, self._queue = self._queue, []
        if self._thread is not None:
            began = loop.time()
            write = loop.run_in_executor(self._thread, self._added, group)
            write.add_done_callback(lambda done: self._settle(group, done.result(), loop.time() - began))
            return
        began = loop.time()
        trouble = self._added(group)
        self._settle(group, trouble, loop.time() - began)

    def _added(self, group: list[Waiting]) -> InboxError | None:
        try:
            self._inbox.add([waiting.delivery for waiting in group])
        except InboxError as err:
            return err
        except Exception as err:  # noqa: BLE001  whoever waits must be answered, and not with 2xx
            return InboxError(f"the inbox can't be used ({type(err).__name__})")
        return None

    def _settle(self, group: list[Waiting], trouble: InboxError | None, took_s: float) -> None:
        loop = asyncio.get_running_loop()
        _answer(group, trouble)
        if took_s > SLOW_S:
            self._slow_until = loop.time() + SLOW_FOR_S
            self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._is_due = bool(self._queue)
        if self._queue:
            loop.call_soon(self._write)
        if trouble is None:
            self._on_stored({waiting.delivery.store for waiting in group})


def _answer(group: list[Waiting], with_what: InboxError | None) -> None:
    for waiting in group:
        if not waiting.answered.done():
            waiting.answered.set_result(with_what)

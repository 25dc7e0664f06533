"""The sandbox itself: orders, armed faults and the record of calls, in one place. Knows no sockets.

Everything happens in one thread, a whole call at a time, and is on file before it is answered.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from connector.sandbox import wire
from connector.sandbox.call import Call, Reply, answered
from connector.sandbox.faults import Fault
from connector.sandbox.options import Options
from connector.sandbox.record import CallRecord
from connector.sandbox.state import Book, Order, number_key
from connector.sandbox.store import Store


class Armed(msgspec.Struct):
    """A fault waiting for its calls: how many it still meets (None: all), how many pass first, how many it met."""

    id: int
    fault: Fault
    left: int | None
    passes: int
    dice: random.Random
    met: int = 0


class Service:
    """One sandbox: what it holds, and what a call does to it.

    now    the clock: aware, UTC
    later  runs a function after some seconds (the server's event loop); how ghosts come back
    """

    def __init__(
        self,
        options: Options,
        now: Callable[[], datetime],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self.options = options
        self.now = now
        self._later = later
        self.store = Store(options.data)
        self.book = Book(self.store.load())
        self.record = CallRecord()
        self.held: list[Call] = []
        self._armed: list[Armed] = []
        self._last_fault = 0

    def reply(self, call: Call) -> tuple[Reply, Fault | None]:
        """Carry out or break one call: what to send, and the fault it met."""
        fault = self._fault_for(call)
        return (fault.meet(call, self) if fault else answered(self.perform(call))), fault

    def perform(self, call: Call) -> Any:
        """Do what the call asks; the value is the JSON answer."""
        if call.method == "PUT":
            rows, changed = self.book.put(call.account, call.records, self.now())
            self.store.save(changed)
            return rows
        if call.method == "DELETE":
            texts, deleted = self.book.delete(call.account, call.query.numbers or ())
            self.store.save(deleted)
            return texts
        asked = call.query.numbers
        keys = None if asked is None else [number_key(number) for number in asked]
        return wire.page_of(self.book.of(call.account), call.query, keys, self.options.tidy)

    def hold(self, call: Call, seconds: float | None) -> None:
        """Keep a call whose caller has given up, to be carried out later: a ghost."""
        self.held.append(call)
        if seconds is not None:
            self._later(seconds, lambda: self._apply(call))

    def apply_held(self) -> int:
        """Carry out every held call now, oldest first; how many there were."""
        count = len(self.held)
        for call in self.held[:]:
            self._apply(call)
        return count

    def _apply(self, call: Call) -> None:
        if call in self.held:
            self.held.remove(call)
            self.record.add(self.now(), call.method, call.numbers, status="applied late", fault="apply_later")
            self.perform(call)

    def arm(self, fault: Fault) -> int:
        """Let the fault wait for its calls, behind those already armed; its id."""
        self._last_fault += 1
        self._armed.append(
            Armed(self._last_fault, fault, fault.times, fault.after, random.Random(fault.seed))  # noqa: S311
        )
        return self._last_fault

    def armed(self) -> list[Armed]:
        """The faults that still wait, in the order they are tried."""
        return [armed for armed in self._armed if armed.left != 0]

    def disarm(self, fault_id: int | None = None) -> None:
        """Clear one fault, or all of them; clearing what is not there is no error."""
        self._armed = [armed for armed in self._armed if fault_id is not None and armed.id != fault_id]

    def changed(self, order: Order) -> None:
        """Keep what an operator did to an order."""
        self.store.save([order])

    def reset(self) -> None:
        """Forget every order, fault, held call and recorded call."""
        self.book = Book()
        self.store.clear()
        self.record = CallRecord()
        self.held.clear()
        self._armed.clear()

    def counts(self) -> dict[str, int]:
        """Calls and orders since the start or the last reset; a call that met a fault counts as a call."""
        book = self.book
        return {
            **self.record.calls,
            "orders_created": book.created,
            "orders_updated": book.updated,
            "orders_ignored": book.ignored,
            "orders_deleted": book.deleted,
        }

    def _fault_for(self, call: Call) -> Fault | None:
        for armed in self._armed:
            if armed.left == 0 or not armed.fault.matches(call):
                continue
            if armed.passes:
                armed.passes -= 1
            elif armed.dice.random() < armed.fault.probability:
                armed.met += 1
                armed.left = None if armed.left is None else armed.left - 1
                return armed.fault
        return None

"""A hand on a running sandbox: the operator's HTTP as plain methods, for tests and programs. Knows no server."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


class Sandbox:
    """A sandbox somewhere on this machine; every method is one call, over a connection of its own.

    url, key  where it is, and an access key it takes. Orders are named by their packing slip number, which must be
    unique over all accounts, or be followed by `key=` and `site=`. Raises OperatorError on anything but success.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key

    def counts(self) -> dict[str, int]:
        """puts, gets, deletes, orders_created, orders_updated, orders_ignored, orders_deleted since the last reset."""
        answer: dict[str, int] = self._call("GET", "counts")
        return answer

    def requests(self) -> list[dict[str, Any]]:
        """The last calls, oldest first: at, method, orders, numbers, status ("no answer" if none), fault."""
        answer: list[dict[str, Any]] = self._call("GET", "requests")
        return answer

    def orders(self) -> list[dict[str, Any]]:
        """Every order ever put, in order of creation: number, state, sent, stored, creations, ticketnumber ..."""
        answer: list[dict[str, Any]] = self._call("GET", "orders")
        return answer

    def order(self, number: str) -> dict[str, Any]:
        """The one order sent last under exactly this number; raises LookupError when there isn't just one."""
        found = [order for order in self.orders() if order["number"] == number]
        if len(found) != 1:
            raise LookupError(f"{len(found)} orders {number!r}")
        return found[0]

    def fault(self, kind: str, **fields: Any) -> int:
        """Arm a fault (faults.py lists the kinds and their fields); its id."""
        answer: dict[str, int] = self._call("POST", "faults", {"kind": kind, **fields})
        return answer["id"]

    def faults(self) -> list[dict[str, Any]]:
        """The faults that still wait: id, met, left (None: for ever), fault."""
        answer: list[dict[str, Any]] = self._call("GET", "faults")
        return answer

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Clear one fault, or all."""
        self._call("DELETE", "faults" if fault_id is None else f"faults?id={fault_id}")

    def held(self) -> list[dict[str, Any]]:
        """Calls whose callers gave up and that are still to be carried out: method, numbers."""
        answer: list[dict[str, Any]] = self._call("GET", "held")
        return answer

    def apply_held(self) -> int:
        """Carry them out now; how many there were."""
        answer: dict[str, int] = self._call("POST", "apply-held", {})
        return answer["applied"]

    def ticket(self, number: str, **account: str) -> str:
        """Print the label; the ticket number."""
        return str(self._act("ticket", number, account)["ticketnumber"])

    def untick(self, number: str, **account: str) -> None:
        """Delete the label: pending again."""
        self._act("untick", number, account)

    def pick(self, number: str, **account: str) -> None:
        """The courier picks it up."""
        self._act("pick", number, account)

    def deliver(self, number: str, **account: str) -> None:
        """The courier delivers it."""
        self._act("deliver", number, account)

    def delete(self, number: str, **account: str) -> None:
        """Somebody deletes the pending order in the portal."""
        self._act("delete", number, account)

    def edit(self, number: str, **fields: str) -> None:
        """Somebody changes fields of the pending order in the portal."""
        self._call("POST", "edit", {"number": number, "fields": fields})

    def reset(self) -> None:
        """Forget orders, faults, held calls and counts."""
        self._call("POST", "reset", {})

    def _act(self, name: str, number: str, account: dict[str, str]) -> dict[str, Any]:
        order: dict[str, Any] = self._call("POST", name, {"number": number, **account})
        return order

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, f"/operator/{path}", data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise OperatorError(f"{method} /operator/{path}: {response.status} {text.decode()}")
        return json.loads(text)


class OperatorError(Exception):
    """The sandbox refused what was asked of its operator; the message holds its words."""

"""One customerorders call as it was understood, and the reply it gets. Knows neither sockets nor orders."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from connector.sandbox.state import Account, Record
from connector.sandbox.wire import DELETE_LIMIT, Query, UnreadableError, encode, message, read_query, read_records

JSON: Final = "application/json; charset=utf-8"


class Call(msgspec.Struct, frozen=True, eq=False):
    """Whose call, and what it asks: `records` of a PUT, `query` of a GET or DELETE."""

    method: str
    account: Account
    records: Sequence[Record] = ()
    query: Query = Query()

    @property
    def numbers(self) -> list[str]:
        """The packing slip numbers it carries or asks for, in order, as they came."""
        return [record.number for record in self.records] or list(self.query.numbers or ())

    def only(self, records: Sequence[Record]) -> Call:
        """The same PUT with these records alone."""
        return Call(self.method, self.account, records)


def read_call(method: str, account: Account, query_string: bytes, body: bytes) -> Call:
    """Understand one call; raises UnreadableError with the status and text it must be answered with."""
    if method == "PUT":
        return Call(method, account, records=read_records(body))
    query = read_query(query_string)
    if method == "DELETE":
        if not query.numbers:
            raise UnreadableError("No packing slip numbers supplied.")
        if len(query.numbers) > DELETE_LIMIT:
            raise UnreadableError(f"Max delete limit is {DELETE_LIMIT} packing slip numbers.", 409)
    return Call(method, account, query=query)


class Ending(StrEnum):
    """What becomes of the connection: all is said, said and then silently closed, cut short, or nothing is said."""

    WHOLE = "whole"
    HUNG_UP = "hung_up"
    CUT = "cut"
    DROPPED = "dropped"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent back, and how. wait_s comes before the first byte; cut_at counts body bytes; declared says whether a
    cut answer carries the Content-Length of the whole one.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    wait_s: float = 0.0
    ending: Ending = Ending.WHOLE
    cut_at: int = 0
    declared: bool = True


def answered(answer: Any) -> Reply:
    """The ordinary reply: 200 and JSON."""
    return Reply(body=encode(answer))


def refused(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """An error with its text, as JSON."""
    return Reply(status=status, body=message(text), headers=headers)

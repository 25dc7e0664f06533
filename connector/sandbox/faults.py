"""Everything the sandbox can break, each kind a class whose docstring describes it. Knows no sockets and no clock.

A fault is armed by `POST /operator/faults` with its `kind` and fields. A call meets the first armed fault that matches
it, so faults armed one after the other with `times: 1` are a script. Kinds about rows change PUT answers, and GET and
DELETE answers where that makes sense.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from connector.sandbox.call import Call, Ending, Reply, answered, refused
from connector.sandbox.options import is_loopback
from connector.sandbox.rows import changed_rows, in_odd_case, opposite
from connector.sandbox.state import Row, number_key

Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Status = Annotated[int, msgspec.Meta(ge=200, le=599)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Desk(Protocol):
    """What a fault needs of the sandbox: to do what the call asks, or to keep the call for later."""

    def perform(self, call: Call) -> Any:
        """Do it; the value is the JSON answer."""
        ...

    def hold(self, call: Call, seconds: float | None) -> None:
        """Do it after so many seconds, or when the operator says (None)."""
        ...


def _kind(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag=_kind):
    """The fields every kind has.

    times        how many calls meet it; null for every one until it is cleared
    after        how many matching calls pass unharmed first
    method       PUT, GET or DELETE only; null for any
    numbers      only calls that carry one of these packing slip numbers; kinds about rows then touch just those
    probability  the chance that a matching call meets it, thrown with `seed`, so the same run breaks the same calls
    """

    times: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    after: Count = 0
    method: Literal["PUT", "GET", "DELETE"] | None = None
    numbers: tuple[str, ...] = ()
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0

    @classmethod
    def kind(cls) -> str:
        """Its name, as in a request's `kind`."""
        return str(cls.__struct_config__.tag)

    def matches(self, call: Call) -> bool:
        """Is this a call for it, chance and counts aside?"""
        if self.method and self.method != call.method:
            return False
        return not self.numbers or any(map(self.names, call.numbers))

    def names(self, number: str) -> bool:
        """Is this one of `numbers`? Every number is when none are given."""
        return not self.numbers or number_key(number) in map(number_key, self.numbers)

    def meet(self, call: Call, desk: Desk) -> Reply:
        """Break the call: what is done at the desk, and what is replied."""
        raise NotImplementedError


class StoreThenTimeout(Fault):
    """The call is carried out; its answer never comes: held for `seconds`, then the connection closes silently."""

    seconds: Seconds = 0.0

    def meet(self, call: Call, desk: Desk) -> Reply:
        desk.perform(call)
        return Reply(wait_s=self.seconds, ending=Ending.DROPPED)


class Lost(Fault):
    """The call never arrives: the connection closes after `seconds` without an answer, and nothing is done."""

    seconds: Seconds = 0.0

    def meet(self, call: Call, desk: Desk) -> Reply:
        return Reply(wait_s=self.seconds, ending=Ending.DROPPED)


class ApplyLater(Fault):
    """A ghost: no answer comes, and the call is carried out `seconds` later; null: on POST /operator/apply-held."""

    seconds: Seconds | None = None

    def meet(self, call: Call, desk: Desk) -> Reply:
        desk.hold(call, self.seconds)
        return Reply(ending=Ending.DROPPED)


class Slow(Fault):
    """The call is carried out and answered, `seconds` late."""

    seconds: Seconds = 1.0

    def meet(self, call: Call, desk: Desk) -> Reply:
        return msgspec.structs.replace(answered(desk.perform(call)), wait_s=self.seconds)


class HangUp(Fault):
    """The call is carried out and answered; then the idle keep-alive connection closes, without `Connection: close`."""

    def meet(self, call: Call, desk: Desk) -> Reply:
        return msgspec.structs.replace(answered(desk.perform(call)), ending=Ending.HUNG_UP)


class Html(Fault):
    """A page of HTML instead of JSON: a server error, or with status 200 the login page of a captive portal.

    stores is how many orders of the batch are kept all the same, from the first.
    """

    status: Status = 500
    stores: Count = 0

    def meet(self, call: Call, desk: Desk) -> Reply:
        if kept := call.records[: self.stores]:
            desk.perform(call.only(kept))
        page = f"<!DOCTYPE html><html><head><title>{self.status}</title></head><body><h1>Sorry</h1></body></html>"
        return Reply(status=self.status, body=page.encode(), content_type="text/html; charset=utf-8")


class StatusCode(Fault, tag="status", kw_only=True):
    """Nothing is done and `status` is answered: 401, 403, 429, 503 ... with Retry-After when retry_after is given."""

    status: Status
    retry_after: str | int | None = None

    def meet(self, call: Call, desk: Desk) -> Reply:
        headers = () if self.retry_after is None else (("Retry-After", str(self.retry_after)),)
        return refused(self.status, f"The sandbox was told to answer {self.status}.", headers)


class Redirect(Fault, kw_only=True):
    """Nothing is done and the caller is sent to `location`, which must be a loopback address."""

    location: str
    status: Literal[301, 302, 303, 307, 308] = 307

    def __post_init__(self) -> None:
        if not is_loopback(urlsplit(self.location).hostname or ""):
            raise ValueError("location must lead to a loopback address, so that no call ever leaves this machine")

    def meet(self, call: Call, desk: Desk) -> Reply:
        return refused(self.status, "Moved.", (("Location", self.location),))


class Poison(Fault, kw_only=True):
    """A batch with one of `numbers` in it is answered `status`, and nothing of it is kept; alone it fares no better."""

    numbers: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    method: Literal["PUT", "GET", "DELETE"] | None = "PUT"
    status: Status = 400

    def meet(self, call: Call, desk: Desk) -> Reply:
        return refused(self.status, "The request is invalid." if self.status == 400 else "An error has occurred.")


class TooLarge(Fault, kw_only=True):
    """Calls with more than `orders` numbers are answered 413, and nothing of them is done."""

    orders: Count
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def matches(self, call: Call) -> bool:
        return super().matches(call) and len(call.numbers) > self.orders

    def meet(self, call: Call, desk: Desk) -> Reply:
        return refused(413, "Request Entity Too Large")


class Refuse(Fault):
    """Rows answer `result: false` with `msg`, and those orders are not kept; the rest of the batch is."""

    msg: str = "Address could not be validated"
    method: Literal["PUT", "GET", "DELETE"] | None = "PUT"

    def meet(self, call: Call, desk: Desk) -> Reply:
        return answered(_rows_without(self, call, desk, result=False, msg=self.msg))


class Lie(Fault):
    """Rows answer `result: true`, and those orders are not kept; the rest of the batch is."""

    method: Literal["PUT", "GET", "DELETE"] | None = "PUT"

    def meet(self, call: Call, desk: Desk) -> Reply:
        return answered(_rows_without(self, call, desk, result=True, msg=""))


def _rows_without(fault: Fault, call: Call, desk: Desk, *, result: bool, msg: str) -> list[Row]:
    kept: list[Row] = desk.perform(call.only([record for record in call.records if not fault.names(record.number)]))
    rest = iter(kept)
    return [Row(r.number, result, msg) if fault.names(r.number) else next(rest) for r in call.records]


class MissingRows(Fault):
    """The call is carried out; the answer lacks the rows of `numbers`, or its first `rows` when none are given."""

    rows: Count = 1

    def meet(self, call: Call, desk: Desk) -> Reply:
        def fewer(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [row for row in rows if not self.names(row["packingslipno"])] if self.numbers else rows[self.rows :]

        return answered(changed_rows(desk.perform(call), fewer))


class ExtraRows(Fault):
    """The call is carried out; the answer ends with one more row, about `number`, which nobody asked for."""

    number: str = "SANDBOX-EXTRA"

    def meet(self, call: Call, desk: Desk) -> Reply:
        def more(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            last = rows[-1] if rows else {"result": True, "msg": ""}
            return [*rows, {**last, "packingslipno": self.number}]

        return answered(changed_rows(desk.perform(call), more))


class OddCase(Fault):
    """The call is carried out; the answer's field names and numbers come in the other case, numbers between spaces."""

    def meet(self, call: Call, desk: Desk) -> Reply:
        return answered(changed_rows(desk.perform(call), lambda rows: [in_odd_case(row) for row in rows]))


class ReversedRows(Fault):
    """The call is carried out; the answer's rows come last first."""

    def meet(self, call: Call, desk: Desk) -> Reply:
        return answered(changed_rows(desk.perform(call), lambda rows: rows[::-1]))


class OppositeRows(Fault):
    """The call is carried out; each row (of `numbers`, if given) comes a second time, saying the opposite."""

    method: Literal["PUT", "GET", "DELETE"] | None = "PUT"

    def meet(self, call: Call, desk: Desk) -> Reply:
        def twice(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [*rows, *(opposite(row) for row in rows if self.names(row["packingslipno"]))]

        return answered(changed_rows(desk.perform(call), twice))


class Cut(Fault):
    """The call is carried out; the answer stops after `at` bytes of its body and the connection closes.

    declared: whether it says the Content-Length of the whole; without, a part looks like the whole.
    """

    at: Count = 0
    declared: bool = True

    def meet(self, call: Call, desk: Desk) -> Reply:
        whole = answered(desk.perform(call))
        return msgspec.structs.replace(whole, ending=Ending.CUT, cut_at=self.at, declared=self.declared)


class Answer(Fault, kw_only=True):
    """Exactly `status` and `body` are answered, whatever they are; the call is carried out unless `stores` is false."""

    body: str
    status: Status = 200
    content_type: str = "application/json; charset=utf-8"
    stores: bool = True

    def meet(self, call: Call, desk: Desk) -> Reply:
        if self.stores:
            desk.perform(call)
        return Reply(
            status=self.status, body=self.body.encode("utf-8", "surrogatepass"), content_type=self.content_type
        )


KINDS: Final[tuple[type[Fault], ...]] = (
    StoreThenTimeout,
    Lost,
    ApplyLater,
    Slow,
    HangUp,
    Html,
    StatusCode,
    Redirect,
    Poison,
    TooLarge,
    Refuse,
    Lie,
    MissingRows,
    ExtraRows,
    OddCase,
    ReversedRows,
    OppositeRows,
    Cut,
    Answer,
)
"""Every kind, in the order the docs show them."""

AnyFault = (
    StoreThenTimeout
    | Lost
    | ApplyLater
    | Slow
    | HangUp
    | Html
    | StatusCode
    | Redirect
    | Poison
    | TooLarge
    | Refuse
    | Lie
    | MissingRows
    | ExtraRows
    | OddCase
    | ReversedRows
    | OppositeRows
    | Cut
    | Answer
)
"""The same, as the type a request body is read into."""

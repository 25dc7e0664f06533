"""One question to Shopify's GraphQL Admin API: its whole answer, or one of the contract's errors. Knows no order.

GraphQL says what went wrong inside an answer that HTTP calls fine (platforms.md 4.1, failures.md P5): every such answer
is a failure, also where some of the data came with it. Calls are paid for in points, which come back by the second;
what a query costs and what is left stands in every answer, https://shopify.dev/docs/api/usage/limits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from connector.sources import json_body
from connector.sources.base import Malformed, SourceError, Throttled, TooLarge, Unauthorised, Unreachable
from connector.sources.shop_calls import ShopCalls
from connector.sources.shopify_token import Token
from connector.wire.heard import Heard, http_date

LONGEST_WAIT_S: Final = 60.0
"""For points to come back, in one question: a full bucket of the smallest plan is back in ten seconds."""

_OPERATION: Final = re.compile(r"query (\w+)")
_SCOPE: Final = re.compile(r"(?:read|write)_[a-z_]+")
_NOT_GRANTED: Final = ("protected-customer-data", "not approved")
_BUSY_INSIDE: Final = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})

Data = TypeVar("Data")


class CursorRefusedError(Malformed):
    """Shopify does not take the cursor of a page (any more): the list must be read from its first page."""


class FailedInsideError(Unreachable):
    """Shopify had an error of its own: at one of the orders that were asked for, or at all. Fewer may do."""


class _PointsSpentError(Exception):
    """THROTTLED: the points for this query are there in so many seconds."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(pause_s)
        self.pause_s = pause_s


class _Throttle(msgspec.Struct, rename="camel"):
    currently_available: float = 0.0
    restore_rate: float = 0.0


class _Cost(msgspec.Struct, rename="camel"):
    requested_query_cost: float | None = None
    throttle_status: _Throttle | None = None


class _Search(msgspec.Struct):
    """A search text that was not taken as it was meant: Shopify leaves out what it doesn't understand (L6)."""

    warnings: list[Any] = []


class _Extensions(msgspec.Struct):
    cost: _Cost | None = None
    search: list[_Search] | None = None


_NULL: Final = msgspec.Raw(b"null")


class _Answer(msgspec.Struct):
    data: msgspec.Raw = _NULL
    errors: Any = None
    extensions: msgspec.Raw = _NULL


_NO_ANSWER: Final = _Answer()
_TELLING: Final = frozenset({200, 400, 429})
"""Statuses whose errors say more than the status does: THROTTLED comes with 200 or 429 (platforms.md 4.1)."""

_answers: Final = msgspec.json.Decoder(_Answer)
_extensions: Final = msgspec.json.Decoder(_Extensions | None)


class ShopifyApi:
    """Questions to one shop, one after another.

    version    asked for in the path; served  the one that answered, "" before the first answer
    shop_time  the shop's clock at its last answer (aware, UTC); None where it told none
    """

    def __init__(
        self,
        calls: ShopCalls,
        token: Token,
        version: str,
        now: Callable[[], datetime],
        wait: Callable[[float], bool | None],
    ) -> None:
        self._calls = calls
        self._token = token
        self._now = now
        self._wait = wait
        self._path = f"/admin/api/{version}/graphql.json"
        self._costs: dict[str, float] = {}
        self._left: tuple[float, float] | None = None
        self.version = version
        self.served = ""
        self.shop_time: datetime | None = None

    def ask(self, query: str, variables: Mapping[str, Any], shape: type[Data]) -> Data:
        """The answer's data, as `shape`. Raises SourceError; TooLarge and FailedInsideError where a smaller page may
        do, CursorRefusedError.

        Waits for points, up to a minute; past that it raises Throttled.
        """
        found = _OPERATION.search(query)
        operation = found[1] if found else ""
        waited = self._spare(operation)
        may_renew = True
        while True:
            try:
                return _shaped(self._asked(operation, query, variables), shape, operation)
            except Unauthorised:
                if not (may_renew and self._token.can_be_renewed()):
                    raise
                may_renew = False
            except _PointsSpentError as busy:
                waited = self._pause(max(busy.pause_s, waited / 2), waited)
            except Throttled as busy:
                waited = self._pause((busy.until - self._now()).total_seconds(), waited)

    def close(self) -> None:
        """Close idle connections."""
        self._calls.close()

    def _asked(self, operation: str, query: str, variables: Mapping[str, Any]) -> msgspec.Raw:
        headers = {"Content-Type": "application/json", "X-Shopify-Access-Token": self._token.text()}
        body = msgspec.json.encode({"query": query, "operationName": operation, "variables": variables})
        heard = self._calls.hear("POST", self._path, body, headers)
        self.served = heard.headers.get("X-Shopify-Api-Version", "") or self.served
        self.shop_time = http_date(heard.date) or self.shop_time
        answer = _answer_of(heard)
        extensions = _extensions_of(answer)
        cost = extensions.cost or _Cost()
        self._note(operation, cost)
        if answer.errors and heard.status in _TELLING:
            raise _error_of(answer.errors, cost, is_paged=bool(variables.get("after") or variables.get("partsAfter")))
        _check_status(self._calls.judged(heard))
        if answer is _NO_ANSWER:
            raise Unreachable(
                "Shopify answered with a page that is no answer of its API (such as a page of HTML); it is asked again "
                "later."
            )
        if bytes(answer.data) == b"null":
            raise Malformed(f"Shopify answered query {operation} without data and without an error; nothing was read.")
        if any(search.warnings for search in extensions.search or ()):
            raise Malformed(
                f"Shopify did not understand the search of query {operation} and left some of it out; nothing was "
                "read. Look whether a newer connector is out."
            )
        return answer.data

    def _note(self, operation: str, cost: _Cost) -> None:
        if cost.requested_query_cost:
            self._costs[operation] = cost.requested_query_cost
        if cost.throttle_status:
            self._left = cost.throttle_status.currently_available, cost.throttle_status.restore_rate

    def _spare(self, operation: str) -> float:
        """Wait until the points for this query should be there; the seconds waited."""
        cost = self._costs.get(operation, 0.0)
        if self._left is None or self._left[0] >= cost:
            return 0.0
        pause_s = _seconds(cost, *self._left)
        self._left = None
        return self._pause(pause_s, 0.0)

    def _pause(self, pause_s: float, waited: float) -> float:
        if waited + pause_s > LONGEST_WAIT_S or self._wait(pause_s):  # too long, or we are to stop
            until = self._now() + timedelta(seconds=pause_s)
            raise Throttled("Shopify asks us to slow down; the shop is read on later.", until)
        return waited + pause_s


def _answer_of(heard: Heard) -> _Answer:
    """The answer; _NO_ANSWER for what is none. One with half an emoji in it is one (failures.md T4)."""
    try:
        return _answers.decode(heard.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _answers.decode(json_body.encoded(json.loads(heard.body)))
    except (ValueError, RecursionError):  # msgspec's DecodeError is a ValueError
        return _NO_ANSWER


def _check_status(heard: Heard) -> None:
    if heard.status < 400:
        return
    if heard.status == 404:
        raise Malformed("Shopify knows no such shop or API version (HTTP 404). Check shop in the store file.")
    if heard.status in (402, 423):
        raise Unauthorised(f"Shopify says that this shop is frozen or locked (HTTP {heard.status}). Ask its owner.")
    raise Malformed(f"Shopify refused the question (HTTP {heard.status}).")


def _shaped(data: msgspec.Raw, shape: type[Data], operation: str) -> Data:
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(
            f"Shopify's answer to query {operation} lacks what such answers always have; nothing was read. Look "
            "whether a newer connector is out."
        ) from error


def _extensions_of(answer: _Answer) -> _Extensions:
    try:
        return _extensions.decode(answer.extensions) or _Extensions()
    except msgspec.DecodeError:
        return _Extensions()


def _error_of(errors: Any, cost: _Cost, *, is_paged: bool) -> SourceError | _PointsSpentError:
    """What to raise for the list under "errors": the first that is known decides."""
    told = [_told(error) for error in (errors if isinstance(errors, list) else [errors])]
    codes, texts = {code for code, _ in told}, " ".join(text for _, text in told)
    if "THROTTLED" in codes or texts.casefold().startswith("throttled"):
        available, rate = _left_of(cost)
        return _PointsSpentError(max(_seconds(cost.requested_query_cost or available + rate, available, rate), 0.1))
    if "MAX_COST_EXCEEDED" in codes or "max cost" in texts.casefold():
        return TooLarge("Shopify finds the question too expensive; it is asked for fewer orders at once.")
    if "ACCESS_DENIED" in codes or "access denied" in texts.casefold():
        return _denied(texts)
    if is_paged and "cursor" in texts.casefold():
        return CursorRefusedError("Shopify no longer takes the cursor of this page.")
    if codes & _BUSY_INSIDE or any(map(_names_a_node, errors if isinstance(errors, list) else ())):
        return FailedInsideError("Shopify had an error of its own; it is asked again later.")
    said = json_body.quoted(texts or "nothing more")
    return Malformed(f"Shopify refused the question: {said}. Nothing was read. Look whether a newer connector is out.")


def _told(error: Any) -> tuple[str, str]:
    """Code and text of one error, which is an object, or a bare sentence."""
    if not isinstance(error, dict):
        return "", str(error)
    extensions = error.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    text = f"{error.get('message') or ''} {extensions.get('requiredAccess') or ''}".strip()
    return str(extensions.get("code") or "").upper(), text


def _names_a_node(error: Any) -> bool:
    """Whether its path leads into one item of a list: ["orders", "nodes", 2, "fulfillmentOrders"]."""
    path = error.get("path") if isinstance(error, dict) else None
    return isinstance(path, list) and any(isinstance(step, int) for step in path)


def _denied(texts: str) -> Unauthorised:
    if any(word in texts for word in _NOT_GRANTED):
        return Unauthorised(
            "Shopify keeps the buyers' names and addresses from this app: protected customer data is not granted. Ask "
            "for it, with name, address, phone and e-mail, in the app's settings (API access)."
        )
    scopes = ", ".join(sorted(set(_SCOPE.findall(texts)))) or "a scope that Shopify did not name"
    return Unauthorised(f"Shopify denies access: the app lacks {scopes}. Grant it in the app's settings and reinstall.")


def _left_of(cost: _Cost) -> tuple[float, float]:
    throttle = cost.throttle_status
    return (throttle.currently_available, throttle.restore_rate) if throttle else (0.0, 0.0)


def _seconds(cost: float, available: float, rate: float) -> float:
    """Until the points are there: (requested - available) / restore rate; a second where no rate is told."""
    return max(cost - available, 0.0) / rate if rate > 0 else 1.0

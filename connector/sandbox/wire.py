"""The customerorders wire: bodies and queries read, answers written. Knows the API pages; no server, no faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec

from connector.sandbox.state import Order, Record, State
from connector.sandbox.tidy import as_sent, tidied

_NZ: Final = ZoneInfo("Pacific/Auckland")
_DATE_STYLES: Final = ("%A, %d %B %Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%SZ")
"""Beside ISO: the style of the GET page's example, and the .NET "u" style of GoSweetSpot's own client."""

DELETE_LIMIT: Final = 50
TRACKING: Final = "https://track.invalid/"
"""`.invalid` never resolves (RFC 2606): a sandbox's tracking link must lead nowhere."""

encode = msgspec.json.Encoder().encode
_array = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, Any])


class UnreadableError(Exception):
    """HTTP 400, or `status`: the call cannot be understood; the message says what is wrong with it."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Query(msgspec.Struct, frozen=True):
    """What GET and DELETE ask for; names as on the GET page. numbers None means no packingslipno was given at all."""

    numbers: tuple[str, ...] | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    exclude_completed: bool = False
    page: int = 1
    page_size: int = 100
    include_products: bool = False


def read_records(body: bytes) -> list[Record]:
    """The orders of a PUT body, in order; raises UnreadableError unless it is a JSON array of objects."""
    try:
        body.decode()
        return [_record(raw) for raw in _array.decode(body)]
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise UnreadableError(f"The body is not a JSON array of orders: {error}.") from error


def _record(raw: msgspec.Raw) -> Record:
    fields = _object.decode(raw)
    number = fields.get("packingslipno")
    if number is None or not all(map(str.islower, fields)):
        lowered = {name.lower(): value for name, value in fields.items()}
        return Record(_number(lowered.get("packingslipno")), encode(lowered))
    return Record(_number(number), bytes(raw))


def _number(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def read_query(query_string: bytes) -> Query:
    """A query string, its names in any case; raises UnreadableError on a value that isn't what the name asks for."""
    asked = {name.lower(): value for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)}
    return Query(
        numbers=_numbers(asked["packingslipno"]) if "packingslipno" in asked else None,
        created_from=_moment(asked, "createdfrom"),
        created_to=_moment(asked, "createdto"),
        exclude_completed=_flag(asked, "excludecompleted"),
        page=_count(asked, "page", 1),
        page_size=_count(asked, "pagesize", 100),
        include_products=_flag(asked, "includeproducts"),
    )


def _numbers(text: str) -> tuple[str, ...]:
    return tuple(number.strip() for number in text.split(",") if number.strip())


def _flag(asked: dict[str, str], name: str) -> bool:
    text = asked.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise UnreadableError(f"{name} is true or false, not {text!r}.")
    return text == "true"


def _count(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise UnreadableError(f"{name} is a whole number from 1, not {text!r}.")
    return int(text)


def _moment(asked: dict[str, str], name: str) -> datetime | None:
    """A date in one of the three styles the docs use, or ISO; without a zone it is UTC, as the GET page says."""
    text = asked.get(name)
    if not text:
        return None
    for style in _DATE_STYLES:
        try:
            return datetime.strptime(text, style).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableError(f"{name} is no date and time: {text!r}.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def page_of(orders: dict[str, Order], query: Query, number_keys: Sequence[str] | None, tidy: bool) -> dict[str, Any]:
    """The GET answer `{Page, PageSize, Pages, Results}`; the dates narrow a question by number too (1.10 no. 11).

    orders  the account's, by number key; number_keys  the keys asked for, None for all
    """
    among: Iterable[Order] = orders.values()
    if number_keys is not None:
        among = [orders[key] for key in dict.fromkeys(number_keys) if key in orders]
    found = [order for order in among if _is_asked(order, query)]
    first = (query.page - 1) * query.page_size
    shown = found[first : first + query.page_size]
    return {
        "Page": query.page,
        "PageSize": query.page_size,
        "Pages": -(-len(found) // query.page_size),
        "Results": [result(order, tidy, query.include_products) for order in shown],
    }


def _is_asked(order: Order, query: Query) -> bool:
    if order.state is State.DELETED or (query.exclude_completed and order.state is State.PROCESSED):
        return False
    if query.created_from and order.created < query.created_from:
        return False
    return not (query.created_to and order.created > query.created_to)


def fields_of(order: Order, tidy: bool) -> dict[str, Any]:
    """The thirteen fields as the sandbox keeps them: as sent, rewritten unless `tidy` is off, then edited by hand."""
    sent = _object.decode(order.sent)
    kept = tidied(sent) if tidy else as_sent(sent)
    return {**kept, **order.edits} if order.edits else kept


def result(order: Order, tidy: bool, include_products: bool) -> dict[str, Any]:
    """One order as GET shows it, field names in the mixed case of the GET page's example."""
    sent = _object.decode(order.sent)
    shown = fields_of(order, tidy)
    products = sent.get("products") if include_products else None
    return {
        **shown,
        "isrural": None,
        "notrural": None,
        "costcentre": sent.get("costcentre"),
        "status": {
            "Status": status_text(order),
            "ticketnumber": order.ticket or None,
            "trackingurl": TRACKING + order.ticket if order.ticket else None,
            "Picked": local_text(order.picked),
            "Delivered": local_text(order.delivered),
            "manualticket": False,
        },
        "products": products or [],
    }


def status_text(order: Order) -> str:
    """PENDING, PICKED or DELIVERED: the docs name no other, so a printed label shows by its ticket number only."""
    if order.delivered:
        return "DELIVERED"
    return "PICKED" if order.picked else "PENDING"


def local_text(moment: datetime | None) -> str | None:
    """New Zealand time without an offset, as the docs show it: "2016-02-22T15:31:21"."""
    return moment.astimezone(_NZ).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def message(text: str) -> bytes:
    """An error as its JSON body."""
    return encode({"Message": text})

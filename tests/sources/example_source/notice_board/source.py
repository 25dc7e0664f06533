"""The Notice Board source: a shop's notices, asked for over its JSON API, become pages of orders.

The API, as its (made-up) handbook has it: GET /api/notices lists by (time of last change, id), the oldest first, from
`since` on, or strictly after (`since`, `after`); GET /api/notices/ID is one of them. Times are UTC in whole seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from connector.order import Address, Fulfilment, Order, OrderLine, Payment
from connector.sources.base import Finding, Malformed, Page, SourceContext, SourceError, Unreachable
from connector.sources.shop_calls import ShopCalls
from connector.store_values import Reference
from connector.wire.heard import Heard

Shape = TypeVar("Shape")

OVERLAP: Final = timedelta(minutes=10)
"""How far each poll looks back: the board's list lags a little."""
SWEPT: Final = timedelta(hours=48)
MOST_SKEW: Final = timedelta(minutes=2)
NAME: Final = "Notice Board"


class Meaning(NamedTuple):
    """What a state says."""

    payment: Payment = Payment.PAID
    fulfilment: Fulfilment = Fulfilment.UNFULFILLED
    cancelled: bool = False


STATES: Final[Mapping[str, Meaning]] = {
    # Notice Board handbook, "The life of a notice".
    "wanted": Meaning(),
    "unpaid": Meaning(payment=Payment.PENDING),
    "sent": Meaning(fulfilment=Fulfilment.FULFILLED),
    "money back": Meaning(payment=Payment.REFUNDED),
    "withdrawn": Meaning(cancelled=True),
}
OPEN: Final = "unpaid,wanted"


class NoticeBoardOptions(BaseModel):
    """The [source] table of a store whose kind is "notice-board".

    url  the shop's address; token  from its page "For machines"; page_size  notices in one answer
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"^https?://[^/?#@\s]+$")
    token: Reference
    page_size: int = Field(50, ge=1, le=100)


class Buyer(msgspec.Struct, frozen=True):
    name: str
    street: str
    town: str
    code: str
    country: str
    firm: str = ""
    more: str = ""
    region: str = ""
    mail: str = ""
    phone: str = ""


class Thing(msgspec.Struct, frozen=True):
    what: str
    code: str
    count: int


class Notice(msgspec.Struct, frozen=True):
    """One order. changed  null until it is changed for the first time."""

    id: int
    title: str
    placed: datetime
    changed: datetime | None
    state: str
    buyer: Buyer
    things: list[Thing]
    message: str = ""


class Row(msgspec.Struct, frozen=True):
    """What paging needs of a notice, whatever else is wrong with it."""

    id: int
    placed: datetime
    changed: datetime | None = None

    @property
    def place(self) -> tuple[datetime, int]:
        return (self.changed or self.placed, self.id)


class Listed(msgspec.Struct, frozen=True):
    """One answer of the list. now  the shop's clock."""

    now: datetime
    notices: list[msgspec.Raw]


class NoticeBoardSource:
    """A board as a source. Its cursor is the newest change seen, by the board's own clock."""

    kind = "notice-board"

    @classmethod
    def options(cls) -> type[NoticeBoardOptions]:
        return NoticeBoardOptions

    def __init__(self, options: Any, context: SourceContext) -> None:
        self._options: NoticeBoardOptions = options
        self._context = context
        self._made: ShopCalls | None = None

    @property
    def _calls(self) -> ShopCalls:
        """Made with the first call: a key is read when it is needed, and `connector --help` needs none."""
        if self._made is None:
            token = self._options.token._replace(folder=Path(self._context.folder)).resolve()
            headers = {"X-Board-Token": token.reveal()}
            self._made = ShopCalls(self._options.url, NAME, self._context.now, headers=headers)
        return self._made

    def pages(self, cursor: str) -> Iterator[Page]:
        """What changed since the cursor, oldest change first. Pages of one reading never overlap; readings do."""
        newest = _newest(cursor)
        since = newest - OVERLAP if newest else datetime(1970, 1, 1, tzinfo=UTC)
        for rows in self._walk(since):
            newest = max([row.place[0] for row, _ in rows], default=newest)
            yield Page(tuple(_order(row, raw) for row, raw in rows), _cursor(newest))

    def sweep(self) -> Iterator[Page]:
        """Open notices of any age, then all that changed in two days, by the shop's clock."""
        begin = datetime(1970, 1, 1, tzinfo=UTC)
        now = self._list(begin, limit=1).now
        for since, states in ((begin, OPEN), (now - SWEPT, "")):
            for rows in self._walk(since, states):
                yield Page(tuple(_order(row, raw) for row, raw in rows), "")

    def reread(self, ids: Sequence[str]) -> Iterator[Page]:
        """One by one: the board has no list by ids. Only its own "no such notice" means gone, not any 404."""
        for one in ids:
            heard = self._calls.ask("GET", f"/api/notices/{quote(one, safe='')}")
            if heard.status == 404 and _decoded(heard, dict[str, Any]).get("error") == "no such notice":
                yield Page((), "", gone=(one,))
                continue
            raw = _body(heard, msgspec.Raw)
            order = _order(_row(raw), raw)
            if order.id != one:
                raise Malformed(f"{NAME} was asked for one notice and showed another. Tell whoever runs the shop.")
            yield Page((order,), "")

    def probe(self) -> Iterator[Finding]:
        """Reached and let in, the two clocks, one order."""
        try:
            listed = self._list(datetime(1970, 1, 1, tzinfo=UTC), limit=1)
            yield Finding(f"{NAME} takes the token.")
            if abs(listed.now - self._context.now()) > MOST_SKEW:
                yield Finding("The shop's clock and this machine's differ.", "Set the one that is wrong.")
            for raw in listed.notices:
                order = _order(_row(raw), raw)
                yield Finding(f"{order.number} was read.", " ".join(order.problems))
        except SourceError as err:
            yield Finding(str(err), "See [source] in the store file.")

    def close(self) -> None:
        """Close idle connections."""
        if self._made:
            self._made.close()

    def _walk(self, since: datetime, states: str = "") -> Iterator[list[tuple[Row, msgspec.Raw]]]:
        """All from `since` on, an answer at a time. Each question starts behind the last row seen, by time and id, so
        that rows which move or go meanwhile push none past us."""
        place: tuple[datetime, int] = (since, 0)
        while True:
            listed = self._list(*place, limit=self._options.page_size, states=states)
            rows = [(_row(raw), raw) for raw in listed.notices]
            yield rows
            if len(rows) < self._options.page_size:
                return
            last = rows[-1][0].place
            if last <= place:
                raise Malformed(f"{NAME} shows the same page again. Nothing is lost; tell whoever runs the shop.")
            place = last

    def _list(self, since: datetime, after: int = 0, *, limit: int, states: str = "") -> Listed:
        asked = {"since": _text(since), "after": after, "limit": limit, "states": states}
        return _body(self._calls.ask("GET", f"/api/notices?{urlencode(asked)}"), Listed)


def _order(row: Row, raw: msgspec.Raw) -> Order:
    """The notice as an order; one that can't be read comes out held, with its id and its place in time."""
    id_, number, revision = str(row.id), f"N-{row.id}", _text(row.place[0])
    try:
        notice = msgspec.json.decode(raw, type=Notice)
    except msgspec.ValidationError:
        problem = "The notice is not as the handbook describes it. Open it in the shop."
        return Order(id_, number, revision, problems=(problem,))
    meaning = STATES.get(notice.state, Meaning(Payment.UNKNOWN, Fulfilment.UNKNOWN))
    unknown = () if notice.state in STATES else (f'The state "{notice.state[:40]}" is not known here.',)
    buyer = notice.buyer
    return Order(
        id_,
        number,
        revision,
        status=notice.state,
        payment=meaning.payment,
        fulfilment=meaning.fulfilment,
        cancelled=meaning.cancelled,
        created_at=notice.placed,
        ship_to=Address(
            name=buyer.name,
            company=buyer.firm,
            line1=buyer.street,
            line2=buyer.more,
            city=buyer.town,
            region=buyer.region,
            postcode=buyer.code,
            country=buyer.country,
            phone=buyer.phone,
        ),
        email=buyer.mail,
        phone=buyer.phone,
        buyer_note=notice.message,
        lines=tuple(OrderLine(thing.what, thing.code, Decimal(thing.count)) for thing in notice.things),
        problems=unknown,
    )


def _row(raw: msgspec.Raw) -> Row:
    """Raises Malformed: without an id and a time nobody can tell what was read."""
    try:
        return msgspec.json.decode(raw, type=Row)
    except msgspec.DecodeError:
        raise Malformed(f"{NAME} shows a notice without id or time. Tell whoever runs the shop.") from None


def _body(heard: Heard, shape: type[Shape]) -> Shape:
    """A 200's body. Raises Unreachable for any other status."""
    if heard.status != 200:
        raise Unreachable(f"{NAME} answered HTTP {heard.status}. It is asked again later.")
    return _decoded(heard, shape)


def _decoded(heard: Heard, shape: type[Shape]) -> Shape:
    """The body as `shape`. Raises Unreachable: a page of a cache or a firewall is no answer of the shop."""
    try:
        heard.body.decode()
        return msgspec.json.decode(heard.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreachable(f"{NAME} gave no answer of its own (HTTP {heard.status}). It is asked again later.") from None


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _cursor(newest: datetime | None) -> str:
    return json.dumps({"newest": _text(newest)}) if newest else ""


def _newest(cursor: str) -> datetime | None:
    """What the cursor remembers; None for none and for one nobody can read: then all is read again."""
    try:
        return datetime.fromisoformat(json.loads(cursor)["newest"])
    except (ValueError, TypeError, KeyError):
        return None

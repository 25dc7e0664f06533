"""Lists of orders: one page of one, with its count; smaller where an answer is too large or an order breaks it.

Knows no cursor. Past the end of a list HPOS shops say X-WP-Total 0 (recorded: list-page-beyond), which is no error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Final

import msgspec

from connector.order import Order
from connector.sources import json_body
from connector.sources.base import SourceError, TooLarge
from connector.sources.woocommerce_api import WooCommerceApi
from connector.sources.woocommerce_ids import MOST, Read, by_ids, orders_of
from connector.sources.woocommerce_refusal import Broke, Strange, shop_time
from connector.wire.heard import Heard

BASE: Final = {"status": "any", "orderby": "id", "order": "asc"}
"""Any status, for the default hides some (L8); by id, since orderby=modified loses orders before 10.4 (7, Woo 1)."""

SMALL: Final = 8
"""Rows of a page that are rather asked for by their ids than halved once more."""

_TRIES: Final = 10
"""Orders, the latest change first, that are tried for the latest change of all."""

_PEEK: Final = 10
"""Rows that are asked for to see whether a list goes on: more than one, since some may be left out."""

_NAMES: Final = {"_fields": "id,date_modified_gmt,date_created_gmt"}
_PAST_THE_END: Final = {"per_page": "1", "offset": "1000000000", **_NAMES}


class Listed(msgspec.Struct, frozen=True):
    """A page of a list.

    ids      of its rows, as listed, those that could not be read included, as far as they are known
    nameless rows whose id could not be had either
    size     rows that were asked for; total  rows of the whole list, None where the shop doesn't say
    newest   the latest change among them, "" without any; clock  the shop's, "" where it doesn't say
    goes_on  without a total: whether a row comes after these
    """

    orders: tuple[Order, ...] = ()
    ids: tuple[int, ...] = ()
    nameless: int = 0
    size: int = 0
    total: int | None = None
    newest: str = ""
    clock: str = ""
    alerts: tuple[str, ...] = ()
    goes_on: bool = False

    @property
    def rows(self) -> int:
        return len(self.ids) + self.nameless

    def reaches_the_end(self, start: int) -> bool:
        """True when no row comes after this page, which began at `start`. A short page is no sign of it: themes and
        plug-ins clamp a page to rows of their own, or leave some out."""
        return not self.goes_on if self.total is None else start + self.rows >= self.total


class _Name(msgspec.Struct):
    """A row by its id and dates alone; plug-ins write ids as text. "" is a row that tells no id."""

    id: int | str = ""
    date_modified_gmt: str | None = None
    date_created_gmt: str | None = None

    @property
    def number(self) -> int:
        """0 for what can't be an id of WooCommerce's."""
        return 0 if json_body.id_problem(str(self.id)) else int(self.id)

    @property
    def changed(self) -> str:
        when = json_body.utc_or_none(self.date_modified_gmt or self.date_created_gmt, UTC)
        return json_body.revision(when).removesuffix("Z") if when else ""


_names: Final = msgspec.json.Decoder(list[_Name])


class Lister:
    """Lists of one shop. size  rows of a page, two or more, since a walk's pages overlap; it shrinks for good once an
    answer was too large."""

    def __init__(self, api: WooCommerceApi, size: int) -> None:
        self._api = api
        self.size = max(size, 2)

    def page(self, filters: Mapping[str, str], start: int) -> Listed:
        """The rows from `start` on (0 is the first). Raises SourceError."""
        alerts: tuple[str, ...] = ()
        whole = 0
        while True:
            try:
                listed = self._page(filters, start)
            except TooLarge as err:
                if self.size <= SMALL:
                    listed = self._apart(filters, start)
                else:
                    self.size //= 2
                    alerts = (_halved(str(err), self.size),)
                    continue
            except Broke as err:
                self.prove_alive(err)
                if err.may_be_too_much and self.size > SMALL:
                    whole = whole or self.size
                    self.size //= 2
                    alerts = (_halved(f"{self._api.name} breaks off long answers ({err.how}).", self.size),)
                    continue
                if whole:
                    self.size, alerts = whole, ()  # it was not too much: one order is to blame
                listed = self._apart(filters, start)
            goes_on = listed.total is None and self._goes_on(filters, start, listed)
            return msgspec.structs.replace(listed, goes_on=goes_on, alerts=alerts + listed.alerts)

    def _goes_on(self, filters: Mapping[str, str], start: int, listed: Listed) -> bool:
        """Whether a row comes after these, where no total says so: one small call behind a page that is not full."""
        if listed.rows >= listed.size or not listed.rows:
            return bool(listed.rows)
        try:
            heard = self._api.get("orders", {**_query(filters, start + listed.rows, _PEEK), **_NAMES})
            return bool(self._named(heard))
        except Broke as err:
            self.prove_alive(err)
            return True

    def newest(self) -> tuple[str, str]:
        """The latest change of any order, and the shop's clock; "" each where there is none. Raises SourceError, also
        where the shop has orders and dates none of them: nothing would be remembered, and a sweep would be empty.

        The first row by change is right whatever the second key of the sort is (platforms.md 7, WooCommerce 1). Where
        the order in it can't be listed (L13), or has no date, an earlier one stands for it: a mark may lie too early,
        never too late. So do rows that are counted and not shown: behind one the next are asked for together.
        """
        by_change = {"orderby": "modified", "order": "desc", **_NAMES}
        trouble: SourceError | None = None
        offset, rows = 0, 1
        for _ in range(_TRIES):
            try:
                heard = self._api.get("orders", {**_query({}, offset, rows), **by_change})
            except Broke as err:
                self.prove_alive(err)
                trouble = trouble or err
                offset, rows = offset + rows, 1
                continue
            names, total = self._named(heard), _total(heard)
            changed = max((name.changed for name in names), default="")
            is_past_the_end = not names and (rows > 1 if total is None else total <= offset + rows)
            if changed or (is_past_the_end and not isinstance(trouble, Strange)):
                return changed, _clock(heard)
            if names:
                trouble = _undated(self._api.name)
            offset, rows = offset + rows, 1 if names else MOST
        raise trouble or _undated(self._api.name)

    def count(self, filters: Mapping[str, str]) -> int:
        """How many orders the shop counts; 0 where it fails over one of them."""
        try:
            return _total(self._api.get("orders", {**_query(filters, 0, 1), **_NAMES})) or 0
        except Broke as err:
            self.prove_alive(err)
            return 0

    def read(self, ids: Sequence[str]) -> Read:
        """Orders by their ids, in as many calls as it takes. Raises SourceError. Where a page full of them was too much
        for one answer, smaller ones are asked for from then on: each try may cost a minute."""
        read = by_ids(self._api, ids, self.prove_alive)
        if len(ids) < self.size or read.fits >= self.size:
            return read
        self.size = max(read.fits, SMALL)
        return read + Read(alerts=(_halved(f"Long answers of {self._api.name} do not come through.", self.size),))

    def _page(self, filters: Mapping[str, str], start: int) -> Listed:
        heard = self._api.get("orders", _query(filters, start, self.size))
        found = orders_of(heard, self._api.name)
        orders = tuple(one for one in found if isinstance(one, Order))
        ids = tuple(int(order.id) for order in orders if not json_body.id_problem(order.id))
        return Listed(
            orders,
            ids,
            len(found) - len(ids),
            self.size,
            _total(heard),
            max((order.revision for order in orders), default="").removesuffix("Z"),
            _clock(heard),
            tuple(f"{self._api.name}: {one.reason}" for one in found if not isinstance(one, Order)),
        )

    def _apart(self, filters: Mapping[str, str], start: int) -> Listed:
        """The same page, its orders asked for by their ids, so that one that can't be had hides no other (L13)."""
        names, heard = self._names(filters, start, self.size)
        known = [name for name in names if name]
        read = self.read([str(name.id) for name in known])
        ids = tuple(name.number for name in known if name.number)
        return Listed(
            read.orders,
            ids,
            len(names) - len(ids),
            self.size,
            _total(heard) if heard else None,
            max((name.changed for name in known), default=""),
            _clock(heard) if heard else "",
            (*read.alerts, *_nameless(self._api.name, names)),
        )

    def _names(self, filters: Mapping[str, str], start: int, size: int) -> tuple[list[_Name | None], Heard | None]:
        """Ids and dates of the rows, None for one that breaks even that; and an answer that counts the list."""
        try:
            heard = self._api.get("orders", {**_query(filters, start, size), **_NAMES})
            return list(self._named(heard)), heard
        except Broke as err:
            self.prove_alive(err)
            if size == 1:
                return [None], None
        half = size // 2
        left, told = self._names(filters, start, half)
        right, also = self._names(filters, start + half, size - half)
        return left + right, also if also and _total(also) else told

    def _named(self, heard: Heard) -> list[_Name]:
        """Raises Malformed for anything but a list of objects."""
        try:
            return _names.decode(heard.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            orders_of(heard, self._api.name)
        return [_name_of(item) for item in json_body.objects(heard.body) or []]

    def prove_alive(self, err: SourceError) -> None:
        """Raises err where the shop can't even answer with an empty list: then no order is to blame."""
        try:
            self._api.get("orders", {**BASE, **_PAST_THE_END})
        except Broke:
            raise err from None


def _name_of(item: Any) -> _Name:
    try:
        return msgspec.convert(item, _Name)
    except msgspec.ValidationError:
        return _Name()


def _undated(name: str) -> Strange:
    return Strange(
        f"{name} tells of none of its latest orders when it was changed, so nothing tells what is new.",
        "See which plug-in changes the dates in WooCommerce's REST API.",
    )


def _query(filters: Mapping[str, str], start: int, size: int) -> dict[str, str]:
    return {**BASE, **filters, "per_page": str(size), "offset": str(start)}


def _total(heard: Heard) -> int | None:
    text = heard.headers.get("X-WP-Total", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _clock(heard: Heard) -> str:
    time = shop_time(heard)
    return time.strftime("%Y-%m-%dT%H:%M:%S") if time else ""


def _halved(why: str, size: int) -> str:
    return f"{why} Pages of {size} orders are asked for now: write page_size = {size} under [source]."


def _nameless(name: str, names: list[_Name | None]) -> tuple[str, ...]:
    """Where in the shop's list the orders stand that break even a list of ids."""
    alerts, last = [], 0
    for one in names:
        if one:
            last = one.number or last
        else:
            after = f"after order {last}" if last else "before the others of its page"
            alerts.append(
                f"{name} breaks off whenever the order that comes next {after} (by id) is in a list. Open it in "
                "the shop and save it; the daily sweep tries it again."
            )
    return tuple(alerts)

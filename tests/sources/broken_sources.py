"""Sources with one mistake each, as real connectors have made them, for showing that the suite notices.

Each is the example source with one part replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import requests
from msgspec.structs import replace

from connector.sources.base import Malformed, Page, Unreachable
from tests.sources.example_source.notice_board import source as board
from tests.sources.example_source.notice_board.source import Listed, NoticeBoardSource, Row

BEGIN = datetime(1970, 1, 1, tzinfo=UTC)

Rows = list[tuple[Row, msgspec.Raw]]


def orders_of(rows: Rows) -> tuple[Any, ...]:
    return tuple(board._order(row, raw) for row, raw in rows)


class NoOverlap(NoticeBoardSource):
    """The mark is the newest change seen, and nothing before it is ever looked at again."""

    def _since(self, newest: datetime) -> datetime:
        return newest

    def pages(self, cursor: str) -> Iterator[Page]:
        newest = board._newest(cursor)
        for rows in self._walk(self._since(newest) if newest else BEGIN):
            newest = max([row.place[0] for row, _ in rows], default=newest)
            yield Page(orders_of(rows), board._cursor(newest))


class StrictlyAfter(NoOverlap):
    """L1: `>` instead of `>=`."""

    def _since(self, newest: datetime) -> datetime:
        return newest + timedelta(seconds=1)


class WholeDays(NoOverlap):
    """L11: `DATE(changed) > DATE(mark)`."""

    def _since(self, newest: datetime) -> datetime:
        return newest.replace(hour=0, minute=0, second=0) + timedelta(days=1)


class OurClock(NoticeBoardSource):
    """L2: the mark is when we asked, by our own clock."""

    def pages(self, cursor: str) -> Iterator[Page]:
        for page in super().pages(cursor):
            yield replace(page, cursor=board._cursor(self._context.now()))


class MarkAhead(NoticeBoardSource):
    """Every page carries the mark of the last one: a crash between two pages skips the rest."""

    def pages(self, cursor: str) -> Iterator[Page]:
        pages = list(super().pages(cursor))
        yield from (replace(page, cursor=pages[-1].cursor) for page in pages)


class NewestFirst(NoticeBoardSource):
    """L10: the newest first, and no more than two pages."""

    def _walk(self, since: datetime, states: str = "") -> Iterator[Rows]:
        rows = [row for page in super()._walk(since, states) for row in page][::-1]
        size = self._options.page_size
        yield from (rows[at : at + size] for at in range(0, size * 2, size))


class ByOffset(NoticeBoardSource):
    """L9: the n-th page of a list that moves."""

    def _walk(self, since: datetime, states: str = "") -> Iterator[Rows]:
        size, at = self._options.page_size, 0
        while True:
            rows = [row for page in super()._walk(since, states) for row in page][at : at + size]
            yield rows
            if len(rows) < size:
                return
            at += size


class OnlyChanged(NoticeBoardSource):
    """L5: a range on the change date, which is null until the first change."""

    def _list(self, since: datetime, after: int = 0, *, limit: int, states: str = "") -> Listed:
        listed = super()._list(since, after, limit=limit, states=states)
        return replace(listed, notices=[raw for raw in listed.notices if board._row(raw).changed])


class OpenOnly(NoticeBoardSource):
    """L8: the list's default filter, which leaves out what was cancelled."""

    def _list(self, since: datetime, after: int = 0, *, limit: int, states: str = "") -> Listed:
        return super()._list(since, after, limit=limit, states=states or board.OPEN)


class NeverEnds(NoticeBoardSource):
    """L12: on to the next page until one is empty."""

    def _walk(self, since: datetime, states: str = "") -> Iterator[Rows]:
        place = (since, 0)
        while rows := [
            (board._row(raw), raw) for raw in self._list(*place, limit=self._options.page_size, states=states).notices
        ]:
            yield rows
            place = rows[-1][0].place


class AllAtOnce(NoticeBoardSource):
    """The whole shop in memory before the first page."""

    def pages(self, cursor: str) -> Iterator[Page]:
        yield from list(super().pages(cursor))


class OneBadAllBad(NoticeBoardSource):
    """L13: one record that can't be read ends the page."""

    def pages(self, cursor: str) -> Iterator[Page]:
        for page in super().pages(cursor):
            if any(order.problems for order in page.orders):
                raise Malformed("One notice could not be read.")
            yield page


class SkipsTheBad(NoticeBoardSource):
    """What can't be read is left out, and nobody is told."""

    def pages(self, cursor: str) -> Iterator[Page]:
        for page in super().pages(cursor):
            yield replace(page, orders=tuple(order for order in page.orders if not order.problems))


class NothingIsEmpty(NoticeBoardSource):
    """What is no list is read as a list of nothing."""

    def _list(self, since: datetime, after: int = 0, *, limit: int, states: str = "") -> Listed:
        try:
            return super()._list(since, after, limit=limit, states=states)
        except Unreachable as err:
            if "no answer of its own" in str(err):
                return Listed(self._context.now(), [])
            raise


class AnyAnswerIsGone(NoticeBoardSource):
    """Whatever isn't an order was deleted."""

    def reread(self, ids: Sequence[str]) -> Iterator[Page]:
        for one in ids:
            try:
                yield from super().reread([one])
            except Unreachable:
                yield Page((), "", gone=(one,))


class Talkative(NoticeBoardSource):
    """The library's own words in the message, address, key and all."""

    def _list(self, since: datetime, after: int = 0, *, limit: int, states: str = "") -> Listed:
        try:
            return super()._list(since, after, limit=limit, states=states)
        except Unreachable as err:
            token = self._options.token.resolve().reveal()
            raise Unreachable(f"GET {self._options.url}/api/notices?token={token} failed.") from err


class PlainRequests(NoticeBoardSource):
    """The usual five lines with `requests`: redirects, proxies, no deadline, no limit, its own exceptions."""

    def _list(self, since: datetime, after: int = 0, *, limit: int, states: str = "") -> Listed:
        asked: dict[str, Any] = {"since": board._text(since), "after": after, "limit": limit, "states": states}
        headers = {"X-Board-Token": self._options.token.resolve().reveal()}
        with requests.get(f"{self._options.url}/api/notices", params=asked, headers=headers, timeout=60) as answer:
            return msgspec.json.decode(answer.content, type=Listed)


class FirstAddress(NoticeBoardSource):
    """W2: the first row's address copied to all."""

    def pages(self, cursor: str) -> Iterator[Page]:
        for page in super().pages(cursor):
            yield replace(page, orders=tuple(replace(one, ship_to=page.orders[0].ship_to) for one in page.orders))


class NumberAsId(NoticeBoardSource):
    """D8: the shown number as key."""

    def pages(self, cursor: str) -> Iterator[Page]:
        for page in super().pages(cursor):
            yield replace(page, orders=tuple(replace(one, id=one.number) for one in page.orders))


class SweepsByCursor(NoticeBoardSource):
    """The sweep is the poll once more."""

    def sweep(self) -> Iterator[Page]:
        now = self._list(BEGIN, limit=1).now
        for rows in self._walk(now - board.OVERLAP):
            yield Page(orders_of(rows), "")

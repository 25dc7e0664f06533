"""The client: put, delete and get customer orders, each one call that never raises for what the network or GSS does.

It makes the request and hands the answer to its reader. It retries nothing, waits for nothing and keeps no state of a
slip: the ledger does (failures.md 0.3).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import msgspec

from connector.gosweetspot.answers import Answer, Outcome, read_delete, read_put
from connector.gosweetspot.destination import Destination, headers_of
from connector.gosweetspot.heard import note_of, outcome_of
from connector.gosweetspot.records import ReadBack, Record, RecordPage, RecordsError, by_number, read_page
from connector.wire.heard import Heard, retry_after_s

PATH: Final = "/api/customerorders"
MOST_NUMBERS: Final = 50
"""GSS takes no more in one DELETE (409 above); the same holds for our GETs (failures.md X7, B9)."""
LONGEST_URL: Final = 1500
"""Characters. Some servers and proxies end at 2 048."""
LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes, unpacked. Fifty orders with their products are about 100 kB."""
MOST_PAGES: Final = 20
"""Fifty numbers fill one page of a hundred; an answer of more pages than this is no answer to them."""

_ROOM_FOR_REST = len(f"{PATH}?packingslipno=&includeProducts=true&pagesize=100&page=00") + 100  # 100 for the host


def pieces(numbers: Iterable[str], most: int = MOST_NUMBERS, longest_url: int = LONGEST_URL) -> Iterator[list[str]]:
    """Split numbers, in their order, so that each piece fits one GET or DELETE."""
    piece: list[str] = []
    length = _ROOM_FOR_REST
    for number in numbers:
        longer = len(_quoted(number)) + 1
        if piece and (len(piece) == most or length + longer > longest_url):
            yield piece
            piece, length = [], _ROOM_FOR_REST
        piece.append(number)
        length += longer
    if piece:
        yield piece


@lru_cache(maxsize=4096)  # asked for twice: where numbers are split into calls, and where a call's address is made
def _quoted(number: str) -> str:
    """Percent-encoded whole, `#` too: otherwise it ends the query, and `#1001` asks for everything."""
    return quote(number, safe="")


class Recent(msgspec.Struct, frozen=True):
    """A page of what was created of late. pages  how many there are; note  why nothing was learnt, a sentence"""

    outcome: Outcome
    pages: int = 0
    records: tuple[Record, ...] = ()
    note: str = ""


class Client:
    """Calls to one destination. Several threads may call at once; connections are kept open between calls."""

    def __init__(self, destination: Destination, *, clock: Callable[[], float] = time.monotonic) -> None:
        from connector.wire.door import Door  # requests takes 0.15 s to import: only who calls pays

        headers = headers_of(destination)
        self._door = Door(destination.url, headers, verify=destination.verify, largest=LARGEST_ANSWER, reads=(200, 201))
        self._timeout_s = destination.timeout_s
        self._clock = clock

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        """Create or update slips: (number, canonical body) each. The bodies go as they are, never encoded again."""
        numbers = [number for number, _ in slips]
        assert numbers, "a PUT of no slips"
        assert len(set(numbers)) == len(numbers), "a slip number stands twice in one batch (failures.md S24)"
        body = b"[" + b",".join([body for _, body in slips]) + b"]"
        return self._call("PUT", PATH, body, numbers, read_put)

    def delete(self, numbers: Sequence[str]) -> Answer:
        """Withdraw slips that are still pending; at most one of `pieces` at a time."""
        return self._call("DELETE", _path_of(numbers), None, numbers, read_delete)

    def get(self, numbers: Sequence[str], *, include_products: bool = False) -> ReadBack:
        """What GSS has for these numbers, all pages of it, within one time-out; at most one of `pieces` at a time."""
        path = _path_of(numbers) + ("&includeProducts=true" if include_products else "") + "&pagesize=100"
        try:
            return self._read_back(path, numbers)
        except Exception as err:  # noqa: BLE001  nothing was learnt, and nobody's thread dies of it (S30)
            return ReadBack(Outcome.UNKNOWN, note=_sentence_on_surprise(err))

    def recent(self, created_from: datetime, created_to: datetime, page: int = 1) -> Recent:
        """One page of what was created between two times (aware), by whoever: one call (gosweetspot-api.md 1.4)."""
        path = f"{PATH}?createdfrom={_moment(created_from)}&createdto={_moment(created_to)}&pagesize=100&page={page}"
        try:
            heard = self._door.exchange("GET", path, None, self._timeout_s)
            if outcome_of(heard) is not Outcome.ANSWERED:
                return Recent(outcome_of(heard), note=note_of(heard))
            told = read_page(heard.body)
        except RecordsError as err:
            return Recent(Outcome.UNKNOWN, note=str(err))
        except Exception as err:  # noqa: BLE001  as with get
            return Recent(Outcome.UNKNOWN, note=_sentence_on_surprise(err))
        if told.page != page:
            return Recent(Outcome.UNKNOWN, note=_sentence_on_pages(page, told))
        return Recent(Outcome.ANSWERED, told.pages, told.records)

    def close(self) -> None:
        """Close idle connections."""
        self._door.close()

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None,
        numbers: Sequence[str],
        read: Callable[[Sequence[str], bytes, int], Answer],
    ) -> Answer:
        try:
            heard = self._door.exchange(method, path, body, self._timeout_s)
            outcome = outcome_of(heard)
            if outcome is Outcome.ANSWERED:
                return read(numbers, heard.body, heard.status)
            return Answer(outcome, heard.status, note=note_of(heard), retry_after_s=retry_after_s(heard))
        except Exception as err:  # noqa: BLE001  it may have arrived: unknown, never sent, never a dead thread (S30)
            return Answer(Outcome.UNKNOWN, note=_sentence_on_surprise(err))

    def _read_back(self, path: str, numbers: Sequence[str]) -> ReadBack:
        ends = self._clock() + self._timeout_s
        records: list[Record] = []
        page, pages = 0, 1
        status = 0
        while page < pages:
            page += 1
            heard = self._ask(path if page == 1 else f"{path}&page={page}", ends)
            status = heard.status
            if outcome_of(heard) is not Outcome.ANSWERED:
                return ReadBack(outcome_of(heard), status, note=note_of(heard), retry_after_s=retry_after_s(heard))
            try:
                told = read_page(heard.body)
            except RecordsError as err:
                return ReadBack(Outcome.UNKNOWN, status, note=str(err))
            if told.page != page or told.pages > MOST_PAGES:
                return ReadBack(Outcome.UNKNOWN, status, note=_sentence_on_pages(page, told))
            # A record that a page shift shows twice is one record; twice on one page is two (failures.md B1, B7).
            earlier = frozenset(records)
            records += [record for record in told.records if record not in earlier]
            pages = told.pages
        found, note = by_number(numbers, records)
        return ReadBack(Outcome.ANSWERED, status, found, note)

    def _ask(self, path: str, ends: float) -> Heard:
        left = ends - self._clock()
        if left <= 0:
            return Heard(fault=f"GoSweetSpot's pages did not end in time ({self._timeout_s:g} s).")
        return self._door.exchange("GET", path, None, left)


def _path_of(numbers: Sequence[str]) -> str:
    assert numbers, "a call about no slips would be about all of them"
    assert len(numbers) <= MOST_NUMBERS, "more numbers than one call takes; use pieces()"
    path = f"{PATH}?packingslipno={','.join(map(_quoted, numbers))}"
    assert len(path) <= LONGEST_URL, "longer than an address may be; use pieces()"
    return path


def _moment(at: datetime) -> str:
    """As GoSweetSpot's own client writes a time, in UTC: 2026-11-23 07:26:15Z."""
    return _quoted(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}")


def _sentence_on_pages(page: int, told: RecordPage) -> str:
    return f"GoSweetSpot was asked for page {page} and answered with page {told.page} of {told.pages}; it was not used."


def _sentence_on_surprise(err: Exception) -> str:
    """By its class only: the text of an unknown error may quote a key or an address."""
    return f"The call to GoSweetSpot failed in an unforeseen way ({type(err).__name__}); what it came to is unknown."

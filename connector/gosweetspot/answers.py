"""What GSS says about each slip of one PUT or DELETE, read from the bytes of its answer. Knows no network.

An answer counts only for the slips that were in this very call, matched by number and never by position, and only where
it can be read in one way. Rules: failures.md 2.8, A1 to A23.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from connector.gosweetspot.strict_json import JsonError, folded, plain, read_json
from connector.packing_slip import number_key


class Outcome(StrEnum):
    """How a whole call ended; the ledger's move hangs on it (failures.md 3.4)."""

    ANSWERED = "answered"
    """A usable answer: look at its rows."""
    NOT_SENT = "not_sent"
    """Nothing left this machine: no name, no connection, no TLS. Owed again, no ghost window."""
    UNKNOWN = "unknown"
    """Something may have arrived and may still be applied: read back."""
    SERVER_ERROR = "server_error"
    """500: GSS stumbled over this body, and may have stored a part of it."""
    REJECTED = "rejected"
    """400, 409, 413, 414, 415, 422: GSS refuses the call as it is."""
    UNAUTHORISED = "unauthorised"
    """401, 403: the key, not the slips."""
    THROTTLED = "throttled"
    """429: the whole destination waits."""


class Verdict(StrEnum):
    """What GSS says about one slip."""

    TAKEN = "taken"
    """PUT: `result: true`. DELETE: "Deleted."."""
    PROCESSED = "processed"
    """The label was printed before: GSS ignored this."""
    GONE = "gone"
    """DELETE: GSS has no such slip. Holds only after the ghost window: a late PUT can still make it."""
    REFUSED = "refused"
    """PUT: false, with a text of GSS's own."""
    UNCLEAR = "unclear"
    """Nothing that counts was said about it."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """GSS's word on one slip. msg is GSS's text, at most 500 characters, not escaped for any screen."""

    verdict: Verdict
    msg: str = ""


class Answer(msgspec.Struct, frozen=True):
    """How one PUT or DELETE ended.

    status         HTTP status, 0 where none came
    rows           by the number as it was sent; when ANSWERED every number sent is there, otherwise it is empty
    note           a sentence for people where something is odd or went wrong, else ""
    retry_after_s  how long GSS asked us to wait
    strangers      rows about slips that were not in this call: never used, always worth an alert
    """

    outcome: Outcome
    status: int = 0
    rows: dict[str, Row] = {}  # msgspec gives every Answer its own
    note: str = ""
    retry_after_s: float | None = None
    strangers: int = 0


_TAKEN: Final = Row(Verdict.TAKEN)
_UNCLEAR: Final = Row(Verdict.UNCLEAR)
_ALREADY_PROCESSED = re.compile(r"\balready\s+(?:been\s+)?processed\b", re.IGNORECASE)

_DELETE_TEXTS: Final = {
    # gosweetspot-api.md 1.5 (GIT customerorders/delete.md); full stops, case and spaces don't count
    "deleted": Verdict.TAKEN,
    "cannot be deleted already processed": Verdict.PROCESSED,
    "already processed": Verdict.PROCESSED,
    "cannot be deleted already deleted": Verdict.GONE,
    "already deleted": Verdict.GONE,
    "invalid packing slip number": Verdict.GONE,
}

Claim = tuple[str, Row]
"""A number as GSS wrote it, and what it says of it."""


def read_put(numbers: Sequence[str], body: bytes, status: int = 200) -> Answer:
    """The rows of a PUT's answer for the `numbers` sent; UNKNOWN where the body is no usable list."""
    try:
        document = read_json(body)
    except JsonError:
        return Answer(Outcome.UNKNOWN, status, note=note_on_unreadable(body))
    if type(document) is not list:
        return Answer(Outcome.UNKNOWN, status, note="GoSweetSpot answered, but not with a list of packing slips.")
    return _answer(numbers, _put_claims(document), status)


def read_delete(numbers: Sequence[str], body: bytes, status: int = 200) -> Answer:
    """The rows of a DELETE's answer, an object of number and text; UNKNOWN where the body is none."""
    try:
        document = read_json(body)
    except JsonError:
        return Answer(Outcome.UNKNOWN, status, note=note_on_unreadable(body))
    if type(document) is not dict:
        return Answer(Outcome.UNKNOWN, status, note="GoSweetSpot answered, but not with an object of packing slips.")
    return _answer(numbers, ((number, _delete_row(text)) for number, text in document.items()), status)


def _put_claims(rows: list[Any]) -> Iterator[Claim]:
    for row in rows:
        if type(row) is not dict:
            continue
        number = row.get("packingslipno")
        if type(number) is str and len(row) == 3 and row.get("msg") == "" and row.get("result") is True:
            yield number, _TAKEN  # all but a few rows are exactly this
        else:
            yield from _odd_claims(row)


def _odd_claims(row: dict[str, Any]) -> Iterator[Claim]:
    """A row in any case of names; one that says something twice makes each slip it names unclear."""
    fields = folded(row)
    if fields is None:
        for name, value in row.items():
            if name.lower() == "packingslipno" and (number := number_text(value)):
                yield number, _UNCLEAR
    elif number := number_text(fields.get("packingslipno")):
        yield number, _put_row(fields.get("result"), fields.get("msg"))


def number_text(value: object) -> str:
    """A slip number as its text, "" where it is none. A JSON number counts: some servers drop the quotes (A4)."""
    if type(value) is int:
        return str(value)
    return value if type(value) is str else ""


def _put_row(result: object, msg: object) -> Row:
    """Only JSON's true and false count (A6); false without a reason proves nothing (A9)."""
    text = plain(msg) if type(msg) is str else ""
    if result is True:
        return Row(Verdict.TAKEN, text)
    if result is not False or not text.strip():
        return Row(Verdict.UNCLEAR, text)
    return Row(Verdict.PROCESSED if _ALREADY_PROCESSED.search(text) else Verdict.REFUSED, text)


def _delete_row(text: object) -> Row:
    if type(text) is not str:
        return _UNCLEAR
    text = plain(text)
    words = " ".join(text.replace(".", " ").casefold().split())
    return Row(_DELETE_TEXTS.get(words, Verdict.UNCLEAR), text)


def _answer(numbers: Sequence[str], claims: Iterable[Claim], status: int) -> Answer:
    said, strangers = _said_of(numbers, claims)
    if not said:
        note = "GoSweetSpot's answer names none of the packing slips that were sent."
        return Answer(Outcome.UNKNOWN, status, note=note, strangers=strangers)
    rows = {number: said.get(number, _UNCLEAR) for number in numbers}
    note = " ".join(filter(None, (_note_on_no_use(rows), note_on_strangers(strangers))))
    return Answer(Outcome.ANSWERED, status, rows, note, strangers=strangers)


def _said_of(numbers: Sequence[str], claims: Iterable[Claim]) -> tuple[dict[str, Row], int]:
    """What was said of each slip sent, unclear where it was said in two ways (A5), and how many rows fit none."""
    resolve = Resolver(numbers)
    said: dict[str, Row] = {}
    strangers = 0
    for claimed, row in claims:
        number = resolve(claimed)
        if number is None:
            strangers += 1
        elif number in said and said[number].verdict is not row.verdict:
            said[number] = _UNCLEAR
        else:
            said.setdefault(number, row)
    return said, strangers


class Resolver:
    """Which number of this call GSS means: the very same text, else the only one with the same key (A3)."""

    def __init__(self, numbers: Sequence[str]) -> None:
        self._numbers = frozenset(numbers)
        self._by_key: dict[str, str | None] | None = None

    def __call__(self, claimed: str) -> str | None:
        """The number as it was sent, or None for a stranger."""
        if claimed in self._numbers:
            return claimed
        if self._by_key is None:  # built only when GSS echoes a number in other letters
            self._by_key = {}
            for number in self._numbers:
                key = number_key(number)
                self._by_key[key] = None if key in self._by_key else number
        return self._by_key.get(number_key(claimed))


def note_on_strangers(strangers: int) -> str:
    """The sentence about rows that were not asked for, "" for none."""
    if not strangers:
        return ""
    return f"GoSweetSpot's answer has {strangers} row(s) about packing slips this call did not name; they were ignored."


def _note_on_no_use(rows: dict[str, Row]) -> str:
    """The sentence about rows none of which says what became of its slip, "" where one does."""
    if any(row.verdict is not Verdict.UNCLEAR for row in rows.values()):
        return ""
    words = next((f': "{row.msg}"' for row in rows.values() if row.msg.strip()), "")
    return f"GoSweetSpot's answer doesn't say whether it took the packing slips that were sent{words}."


def note_on_unreadable(body: bytes) -> str:
    """The sentence about a body with a good status that is no answer."""
    if not body.strip():
        return "GoSweetSpot answered with nothing."
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return (
            "A web page came where GoSweetSpot's answer should be: a sign-in page of this network, maintenance, "
            "or a key that is not accepted. Check url and access_key."
        )
    return "GoSweetSpot's answer is cut off or garbled, so nothing in it was used."

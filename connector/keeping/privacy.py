"""People's questions about their data: where is it, take it out, and what is held at all. Shows no data itself.

For the NZ Privacy Act 2020 (IPP 6, 7, 9) and the GDPR (articles 15, 17): docs/privacy.md.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec

from connector.keeping.backups import backups_in
from connector.keeping.leftovers import damaged_inboxes, half_done, kept_aside
from connector.ledger import people_data
from connector.ledger.connection import Ledger, LedgerError
from connector.ledger.naming import ID
from connector.ledger.people import Refused
from connector.ledger.people_data import Asked, Held, Place
from connector.ledger.reading import reading, reading_file
from connector.ledger.times import stamp

SHORTEST: Final = 3
"""Characters of a word searched for: anything shorter is found everywhere."""


class Deliveries(Protocol):
    """What the inbox gives, where there is one: connector.inbox says what a shop delivered."""

    def search(self, matches: Callable[[str], bool]) -> Iterator[Place]: ...

    def erase(self, store: str, orders: Sequence[str]) -> int: ...


def matcher(name: str) -> Callable[[str], bool]:
    """Whether a text has this name, e-mail address, telephone or order number: in any case, however JSON writes its
    letters; a telephone by its digits, with or without country code. Raises Refused for too short a word."""
    wanted = _plain(name)
    if len(wanted) < SHORTEST:
        raise Refused(f"{name!r} is too short to search for; give {SHORTEST} characters or more.")
    digits = _digits(name) if re.fullmatch(r"[+0-9 ()./-]{6,30}", name.strip()) else ""
    if len(digits) >= 6:
        return lambda text: wanted in _plain(text) or digits in re.sub(r"[ ()./-]", "", text)
    return lambda text: wanted in _plain(text)


def _plain(text: str) -> str:
    if "\\" in text:
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return " ".join(text.casefold().split())


def _digits(text: str) -> str:
    """021 555 0101 and +64 21 555 0101 have 215550101 in common."""
    digits = re.sub(r"\D", "", text)
    return digits.removeprefix("64" if text.strip().startswith("+64") else "0")


class Found(msgspec.Struct, frozen=True):
    """Where somebody's data is: in the ledger, in deliveries, in backups (file: "" for the live ones)."""

    where: str
    store: str
    order: str
    since: str
    file: str = ""


def find(state: Path, name: str, backups: Path | None = None, deliveries: Deliveries | None = None) -> Iterator[Found]:
    """Every place that has this name, e-mail address, telephone or order number. Raises LedgerError, Refused."""
    matches = matcher(name)
    _refuse_missing(backups)
    with reading(state) as db:
        yield from (_found(place) for place in people_data.search(db, matches))
    if deliveries is not None:
        yield from (_found(place) for place in deliveries.search(matches))
    for path in copies(state, backups):
        try:
            with reading_file(path, any_schema=True) as db:
                yield from (_found(place, str(path)) for place in people_data.search(db, matches))
        except LedgerError as err:
            yield Found(f"a copy that can't be read: {err}", "", "", "", str(path))
    for path in [*half_done(state, backups), *damaged_inboxes(state)]:
        yield Found("not looked into: damaged, or left over from work that was cut short", "", "", "", str(path))


def _found(place: Place, file: str = "") -> Found:
    return Found(place.where, place.store, place.order, place.since, file)


def _refuse_missing(backups: Path | None) -> None:
    if backups is not None and not backups.is_dir():
        raise Refused(f"{backups}: there is no such folder, so no backup can be looked at.")


def copies(state: Path, backups: Path | None = None) -> list[Path]:
    """Every copy of the ledger that we made: backups, and what upgrades and restores kept aside."""
    aside = [path for path in kept_aside(state) if path.suffix == ".db"]
    return aside + ([path for _, path in backups_in(backups)] if backups else [])


class Erased(msgspec.Struct, frozen=True):
    """What became of one order. later: it may still ship, so its data goes once it is over; state "" without a slip."""

    store: str
    order: str
    state: str
    later: bool
    deliveries: int = 0


def erase(
    ledger: Ledger,
    names: Iterable[str],
    store: str | None,
    who: str,
    now: datetime,
    deliveries: Deliveries | None = None,
) -> list[Erased]:
    """Take out what is about people in these orders (number, id or slip number: connector.ledger.naming). What may
    still ship is only marked, and erased by housekeeping when it is over. Written down without the data. Raises
    Refused, before anything is done, where an order is not known or a name is that of several; LedgerError."""
    with ledger.writing() as db:
        found = []
        for name in names:
            orders = people_data.orders_named(db, name, store)
            if not orders:
                raise Refused(
                    f"no order is known by {name!r}; nothing was erased. Find it by a name, an e-mail address or a "
                    "telephone: connector privacy find WORDS"
                )
            found += _of_one(name, orders)
        for order in found:
            people_data.erase(db, order, now)
            people_data.write_down(db, who, "privacy erase", order.slip_id, now)
    done = []
    for order in found:
        gone = deliveries.erase(order.store, [order.order, order.order_id]) if deliveries and order.is_over else 0
        done.append(Erased(order.store, order.order, order.state, not order.is_over, gone))
    return done


def _of_one(name: str, orders: list[Asked]) -> list[Asked]:
    """All the parts of one order. Raises Refused where the name is that of several: one of them is somebody else's."""
    ids = sorted({(one.store, one.order_id) for one in orders})
    if len(ids) > 1:
        each = ", ".join(f"{ID}{order_id} of {store}" for store, order_id in ids)
        raise Refused(
            f"{name!r} names {len(ids)} orders; nothing was erased. Name the store with --store, or the id: {each}."
        )
    return orders


class FileMode(msgspec.Struct, frozen=True):
    """A file that may have data about people: who can read it, and since when it is there."""

    file: str
    mode: str
    owner: int
    bytes: int
    since: str
    others_can_read: bool


class Account(msgspec.Struct, frozen=True):
    """What is held, since when, and who can read it, without any of it: what a breach report needs (SEC20)."""

    held: list[Held]
    files: list[FileMode]


def report(state: Path, backups: Path | None = None) -> Account:
    """Raises LedgerError where there is no ledger, Refused where there is no such folder of backups."""
    _refuse_missing(backups)
    with reading(state) as db:
        found = people_data.held(db)
    return Account(found, [_mode(path) for path in _files(state, backups)])


def _files(state: Path, backups: Path | None) -> list[Path]:
    places = [state, *([backups] if backups else [])]
    return [path for place in places for path in (place, *sorted(place.rglob("*"))) if path.exists()]


def _mode(path: Path) -> FileMode:
    found = path.stat()
    return FileMode(
        f"{path}{'/' if path.is_dir() else ''}",
        f"{stat.S_IMODE(found.st_mode):04o}",
        found.st_uid,
        0 if path.is_dir() else found.st_size,
        stamp(datetime.fromtimestamp(found.st_mtime, UTC)),
        bool(stat.S_IMODE(found.st_mode) & 0o077),
    )

"""Where everything stands: what waits for a person, each store's slips, debts, runs, calls. Reads; knows no screen."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from connector import opening
from connector.config import load_store, refuse_missing, store_files
from connector.exit_codes import UsageError
from connector.ledger import fence, gates, outbox, proofs, queries
from connector.ledger.alerts import EVERYWHERE
from connector.ledger.queries import Need, Owed, Run
from connector.ledger.reading import reading
from connector.ledger.states import OVER
from connector.ledger.times import stamp
from connector.mending import mend_of
from connector.problem import ConfigError, Problem, rendering
from connector.secret import SecretError
from connector.sender import Terms
from connector.store import Store

MOST_NEEDS = 100
"""How many needs are listed; needs_counted has them all."""


class Mendable(msgspec.Struct, frozen=True):
    """What waits for a person, and what to do about it."""

    need: Need
    mend: str


class StoreStanding(msgspec.Struct, frozen=True):
    """One store. Times are the ledger's stamps (UTC), "" for none.

    calls_left_minute, calls_left_hour  None without a limit, and where the store's file or key can't be read
    shut_until, shut_because            while nothing may be called after trouble
    has_file                            whether it has a store file: without one nothing is read or sent for it
    fenced                              what leads it through the fence, "" where it may send
    """

    store: str
    states: dict[str, int]
    passed_over: dict[str, int]
    owed: Owed
    next_send: str
    next_read_back: str
    last_run: Run | None
    shop_read_at: str
    calls_left_minute: int | None = None
    calls_left_hour: int | None = None
    shut_until: str = ""
    shut_because: str = ""
    has_file: bool = True
    fenced: str = ""


class Status(msgspec.Struct, frozen=True):
    """All of it; problems are the lines about store files that can't be used."""

    needs: list[Mendable]
    needs_counted: dict[str, int]
    stores: list[StoreStanding]
    problems: list[str]


def status_of(config: Path, state: Path, names: Sequence[str], now: datetime) -> Status:
    """The standing of these stores, or of all with a store file or known to the ledger. Raises LedgerError, and
    ConfigError for a store that is neither."""
    with reading(state) as db:
        known = queries.stores_known(db)
        refuse_unknown(config, names, known)
        files = _files(config, names, known)
        by_name = {store.name: store for store in files.stores}
        shown = list(names) or sorted({*by_name, *known})
        one = names[0] if len(names) == 1 else None
        listed = queries.needs(db, one, MOST_NEEDS)
        standings = [
            msgspec.structs.replace(_standing(db, name, by_name.get(name), now), has_file=name in files.present)
            for name in shown
        ]
        return Status(
            [
                Mendable(need, mend_of(need, name_store=len(known) > 1))
                for need in listed
                if not names or need.store in (*names, EVERYWHERE)
            ],
            _counted(db, names),
            standings,
            list(rendering([*files.problems, *_without_file(config, standings)])),
        )


def refuse_unknown(config: Path, names: Sequence[str], known: Sequence[str]) -> None:
    """Raises ConfigError for stores that neither have a file nor are known to the ledger."""
    unknown = [name for name in names if name not in known]
    if unknown:
        refuse_missing(config, unknown)


class _Files(NamedTuple):
    """present: the stores that have a file; stores: those of them that can be used; problems: why others can't."""

    present: set[str]
    stores: list[Store]
    problems: tuple[Problem, ...]


def _files(config: Path, names: Sequence[str], known: Sequence[str]) -> _Files:
    """Status works without any configuration, since the ledger is what it shows; what is missing is a problem. Of a
    store the ledger knows its standing says that."""
    try:
        present = {file.stem for file in store_files(config)}
        asked = [name for name in names if name in present or name not in known]
        if names and not asked:
            return _Files(present, [], ())
        return _Files(present, *opening.stores_asked_for(config, asked))
    except ConfigError as err:
        return _Files(set(), [], err.problems)
    except UsageError:
        mend = "Name the folder with --config, or write one with: connector init NAME"
        return _Files(set(), [], (Problem(str(config), 0, "", "there is no store file", mend),))


def _without_file(config: Path, standings: list[StoreStanding]) -> Iterator[Problem]:
    """Stores whose file is gone while their slips are not over (failures.md G5)."""
    for one in standings:
        still_open = sum(count for state, count in one.states.items() if state not in OVER)
        if still_open and not one.has_file:
            what = f"no store file for {one.store}, whose slips are not all over ({still_open:,} still open)"
            mend = f"Put its file back, or look at them: connector slips list --store {shlex.quote(one.store)}"
            yield Problem(str(config), 0, "", what, mend)


def _counted(db: sqlite3.Connection, names: Sequence[str]) -> dict[str, int]:
    total: dict[str, int] = {}
    for name in names or (None,):
        for kind, count in queries.needs_counted(db, name).items():
            total[kind] = 1 if kind == queries.FENCED else total.get(kind, 0) + count
    return total


def _standing(db: sqlite3.Connection, name: str, store: Store | None, now: datetime) -> StoreStanding:
    send_at, read_at = outbox.next_due(db, name, now), proofs.due_again(db, name, now)
    standing = StoreStanding(
        name,
        queries.states_counted(db, name),
        queries.passed_over_counted(db, name),
        queries.owed(db, name, stamp(now)),
        stamp(send_at) if send_at else "",
        stamp(read_at) if read_at else "",
        queries.last_run(db, name),
        queries.cursor_moved_at(db, name),
        fenced=fence.leads_through(db, name),
    )
    return _with_gate(db, standing, store, now) if store else standing


def _with_gate(db: sqlite3.Connection, standing: StoreStanding, store: Store, now: datetime) -> StoreStanding:
    try:
        terms = opening.terms_of(store, store.gosweetspot.access_key.resolve())
    except SecretError:
        return standing
    minute, hour = gates.calls_left(db, terms.gate, terms.budget, now)
    shut = _shut(db, terms, now)
    return msgspec.structs.replace(
        standing,
        calls_left_minute=minute,
        calls_left_hour=hour,
        shut_until=shut.until,
        shut_because=shut.because,
    )


class Shut(NamedTuple):
    """Until when nothing may be called after trouble (a stamp), and why; "" where calls may be made."""

    until: str = ""
    because: str = ""


def shut_of(config: Path, db: sqlite3.Connection, name: str, now: datetime) -> Shut:
    """Whether a store's calls pause; not where its file or its key can't be read."""
    with suppress(ConfigError, SecretError):
        store = load_store(config, name, secrets=False)
        return _shut(db, opening.terms_of(store, store.gosweetspot.access_key.resolve()), now)
    return Shut()


def _shut(db: sqlite3.Connection, terms: Terms, now: datetime) -> Shut:
    gate = gates.gate_of(db, terms.gate)
    return Shut(stamp(gate.shut_until), gate.reason) if gate.shut_until and gate.is_shut(now) else Shut()

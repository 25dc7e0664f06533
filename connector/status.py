"""Where everything stands: what waits for a person, each store's slips, debts, runs, calls. Reads; knows no screen."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from connector import opening
from connector.exit_codes import UsageError
from connector.ledger import gates, outbox, proofs, queries
from connector.ledger.queries import Need, Owed, Run
from connector.ledger.reading import reading
from connector.ledger.times import stamp
from connector.mending import mend_of
from connector.problem import ConfigError, Problem, rendering
from connector.secret import SecretError
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


class Status(msgspec.Struct, frozen=True):
    """All of it; problems are the lines about store files that can't be used."""

    needs: list[Mendable]
    needs_counted: dict[str, int]
    stores: list[StoreStanding]
    problems: list[str]


def status_of(config: Path, state: Path, names: Sequence[str], now: datetime) -> Status:
    """The standing of these stores, or of all with a store file or known to the ledger. Raises LedgerError."""
    stores, problems = _stores(config, names)
    by_name = {store.name: store for store in stores}
    with reading(state) as db:
        shown = list(names) or sorted({*by_name, *queries.stores_known(db)})
        one = names[0] if len(names) == 1 else None
        listed = queries.needs(db, one, MOST_NEEDS)
        several = len(queries.stores_known(db)) > 1
        return Status(
            [Mendable(need, mend_of(need, name_store=several)) for need in listed if not names or need.store in names],
            _counted(db, names),
            [_standing(db, name, by_name.get(name), now) for name in shown],
            list(rendering(problems)),
        )


def _stores(config: Path, names: Sequence[str]) -> tuple[list[Store], tuple[Problem, ...]]:
    """Status works without any configuration: the ledger is what it shows."""
    try:
        return opening.stores_asked_for(config, names)
    except (ConfigError, UsageError):
        return [], ()


def _counted(db: sqlite3.Connection, names: Sequence[str]) -> dict[str, int]:
    total: dict[str, int] = {}
    for name in names or (None,):
        for kind, count in queries.needs_counted(db, name).items():
            total[kind] = total.get(kind, 0) + count
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
    )
    return _with_gate(db, standing, store, now) if store else standing


def _with_gate(db: sqlite3.Connection, standing: StoreStanding, store: Store, now: datetime) -> StoreStanding:
    try:
        terms = opening.terms_of(store, store.gosweetspot.access_key.resolve())
    except SecretError:
        return standing
    minute, hour = gates.calls_left(db, terms.gate, terms.budget, now)
    gate = gates.gate_of(db, terms.gate)
    shut = stamp(gate.shut_until) if gate.shut_until and gate.is_shut(now) else ""
    return msgspec.structs.replace(
        standing,
        calls_left_minute=minute,
        calls_left_hour=hour,
        shut_until=shut,
        shut_because=gate.reason if shut else "",
    )

"""Is all as it should be? Store files, keys, shops, ledger, disk, clock, GSS: all problems at once. Mends none."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from connector import opening, sane_clock
from connector.exit_codes import Code, UsageError, failure_of
from connector.ledger import connection, folder, soundness
from connector.ledger.connection import FILE_NAME, LedgerError
from connector.ledger.reading import reading
from connector.ledger.times import moment
from connector.problem import ConfigError
from connector.secret import Secret, SecretError
from connector.selection import LOOKS_AT
from connector.sources.base import LiveSource, Page, Source
from connector.store import Store
from connector.store_secrets import NamedReference, missing

LEAST_SPACE: Final = 200 * 1024 * 1024
"""Bytes free beside the ledger below which a person is told: a busy day's orders take a tenth of that."""
MOST_SKEW: Final = timedelta(minutes=1)
ODD_NUMBER: Final = "connector-check"
"""A slip number no order has: asking GSS for it shows whether the key is taken, and nothing about anybody."""


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at.

    text  what was found; mend  what to do, "" where all is well; code  the exit code it alone would give
    """

    about: str
    text: str
    mend: str = ""
    code: Code = Code.DONE


def check(
    config: Path, state: Path, names: Sequence[str], now: Callable[[], datetime], *, offline: bool = False
) -> Iterator[Finding]:
    """Every finding, good and bad, as it is found. offline: neither live shops nor GSS are called."""
    stores, findings = _store_files(config, names)
    yield from findings
    yield from clock(now())
    yield from ledger(state, now())
    yield from disk(state)
    asked: set[str] = set()
    for store in stores:
        yield Finding(store.name, f"its file is sound; {store.source_kind} to {store.gosweetspot.destination}")
        yield from selects_by_nothing(store)
        lacking = dict(missing(store))
        yield from (_lacking(store, secret, err) for secret, err in lacking.items())
        lacks = {secret.table for secret in lacking}
        if "source" not in lacks:
            yield from shop(store, now, offline=offline)
        if "gosweetspot" not in lacks and not offline:
            key = store.gosweetspot.access_key.resolve()
            if (gate := opening.gate_name(store.gosweetspot.destination, key)) not in asked:
                asked.add(gate)
                yield gosweetspot(store, key)


def deliveries(config: Path, names: Sequence[str], url: str, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Whether deliveries for one store reach its receiver through the public address. Raises UsageError."""
    from connector.public_check import public_check

    if len(names) != 1:
        raise UsageError("--public-url goes with one store: connector check kiwi --public-url https://.../in/kiwi")
    stores, findings = _store_files(config, names)
    yield from findings
    for store in stores:
        yield from public_check(store, url, now())


def _store_files(config: Path, names: Sequence[str]) -> tuple[list[Store], list[Finding]]:
    try:
        stores, problems = opening.stores_asked_for(config, names)
    except ConfigError as err:
        stores, problems = [], err.problems
    except UsageError as err:
        return [], [Finding("store files", str(err), code=Code.USAGE)]
    return stores, [Finding(problem.file, problem.placed(), code=Code.USAGE) for problem in problems]


def _lacking(store: Store, secret: NamedReference, err: SecretError) -> Finding:
    return Finding(store.name, f"[{secret.table}] {secret.key}: {err.what}", err.mend, Code.USAGE)


def selects_by_nothing(store: Store) -> Iterator[Finding]:
    """The keys of [select] that look at what the store's source never fills."""
    lacks: frozenset[str] = getattr(store.source_options, "lacks", frozenset())
    for key, field in LOOKS_AT.items():
        if field in lacks and getattr(store.select, key):
            text = f"[select] {key} looks at {field} of an order, which [source] gives for none"
            mend = f"Leave {key} out, or say in [source] where {field} stands, if its kind can"
            yield Finding(store.name, text, mend, Code.USAGE)


def shop(store: Store, now: Callable[[], datetime], *, offline: bool = False) -> Iterator[Finding]:
    """Whether the shop can be read: a live one is put to the proof by its source, of others the first page is read.

    offline: a live one is not called.
    Never raises: what goes wrong is a finding, and the other checks go on.
    """
    try:
        with opening.source_of(store, now) as source:
            if isinstance(source, LiveSource):
                yield from () if offline else _probed(store, source)
            else:
                yield _first_page(store, source)
    except Exception as err:  # noqa: BLE001  a source may be a stranger's, and whatever it raises is told
        failure = failure_of(err)
        mend = "See [source] in its store file" if failure.code is not Code.FAULT else ""
        yield Finding(store.name, " ".join(failure.lines), mend, failure.code)


def _probed(store: Store, source: LiveSource) -> Iterator[Finding]:
    for found in source.probe():
        yield Finding(store.name, found.text, found.mend, Code.UNREACHED if found.mend else Code.DONE)


def _first_page(store: Store, source: Source) -> Finding:
    page = next(iter(source.pages("")), Page((), ""))
    if page.alerts:
        return Finding(store.name, " ".join(page.alerts), "Mend the export, or [source] in its store file", Code.USAGE)
    if not page.orders:
        return Finding(store.name, " ".join(page.notes) or "the shop can be read; it has no orders")
    orders = f"{len(page.orders):,} order{'s' * (len(page.orders) != 1)}"
    return Finding(store.name, f"the shop can be read: {orders} on its first page, first {page.orders[0].number}")


def gosweetspot(store: Store, key: Secret) -> Finding:
    """Whether GSS is there and takes the key: it is asked for an order that nobody has."""
    client = opening.client_of(store, key)
    try:
        answer = client.get([ODD_NUMBER])
    finally:
        client.close()
    if answer.outcome.value == "answered":
        return Finding(store.name, f"GoSweetSpot at {store.gosweetspot.destination} takes the key")
    return Finding(store.name, answer.note, "See [gosweetspot] in its store file", Code.UNREACHED)


def ledger(state: Path, now: datetime, *, whole: bool = False) -> Iterator[Finding]:
    """Whether the ledger can be used, how it is kept safe and why so, and whether our clock is behind its last entry.

    whole: read every page and reference of it, which takes a while for a large one; a small one is read whole anyway.
    """
    yield Finding("ledger", how_it_is_kept())
    path = state / FILE_NAME
    if not path.exists():
        yield Finding("ledger", f"there is none in {state} yet; the first sync makes it")
        return
    try:
        folder.refuse_network(state)
        folder.refuse_exposed(path)
        with reading(state) as db:
            yield from _clock(db, now)
            soundness.refuse_changed_tables(db, path)
            is_read = whole or soundness.is_small(db)
            if is_read:
                soundness.refuse_damaged(db, path)
    except LedgerError as err:
        yield Finding("ledger", str(err), code=Code.UNREACHED)
        return
    pages = "every page and reference in it is" if is_read else "its tables are"
    yield Finding("ledger", f"{path} is private (mode {stat.S_IMODE(path.stat().st_mode):04o}); {pages} sound")


def how_it_is_kept() -> str:
    """The journal mode with this SQLite, and why (failures.md SEC43)."""
    mode, synchronous = connection.journal()
    why = (
        "its WAL is sound"
        if connection.wal_is_sound()
        else "WAL of this version can corrupt a file used by several connections"
    )
    return f"SQLite {sqlite3.sqlite_version}: journal {mode}, synchronous {synchronous}, since {why}"


def clock(now: datetime) -> Iterator[Finding]:
    """Whether this machine's clock was ever set."""
    if why := sane_clock.doubt(now):
        yield Finding("clock", why, "Until then shops refuse what we sign, and their certificates seem not valid yet",
                      Code.UNREACHED)  # fmt: skip


def _clock(db: sqlite3.Connection, now: datetime) -> Iterable[Finding]:
    last = db.execute("SELECT max(started_at) FROM runs").fetchone()[0]
    if last and moment(last) > now + MOST_SKEW:
        text = f"this machine's clock stands before the ledger's last run ({last})"
        return [
            Finding("clock", text, "Set the clock; nothing is lost, but waits and budgets count wrong", Code.UNREACHED)
        ]
    return [Finding("clock", "runs with the ledger")]


def disk(state: Path) -> Iterator[Finding]:
    """Whether there is space beside the ledger."""
    nearest = next(one for one in (state.absolute(), *state.absolute().parents) if one.exists())
    free = shutil.disk_usage(nearest).free
    text = f"{free // 1024**2:,} MB free"
    if free < LEAST_SPACE:
        yield Finding(
            "disk", text, f"Make space: under {LEAST_SPACE // 1024**2} MB a busy day may not fit", Code.UNREACHED
        )
    else:
        yield Finding("disk", text)

"""From store files to what a run needs: stores, rules, terms, source, client. Decides nothing, opens no connection."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from connector.config import load_store, load_stores, store_files
from connector.consider import Rules
from connector.exit_codes import UsageError
from connector.fetch import Visit
from connector.gosweetspot.destination import Destination
from connector.late_client import LateClient
from connector.ledger.gates import Budget
from connector.problem import ConfigError, Problem
from connector.secret import Secret
from connector.sender import Terms
from connector.sources.base import LiveSource, Source, SourceContext
from connector.sources.registry import source_class
from connector.store import Store

FINGERPRINT: Final = 12
"""Hex digits of a key's hash that name its gate: enough to tell keys apart, useless for finding one."""


def stores_asked_for(
    config: Path, names: Sequence[str], *, secrets: bool = False
) -> tuple[list[Store], tuple[Problem, ...]]:
    """The stores of these names, or all, and the problems of those that can't be used: they don't stop the others.

    secrets: look whether the keys can be had.
    Raises ConfigError where there is no folder, UsageError where there is no store.
    """
    if not names:
        with suppress(ConfigError):  # then one by one: who is asked for all wants those that can be had
            return _all(load_stores(config, secrets=secrets), config), ()
        names = [file.stem for file in store_files(config)]
    found: list[Store] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            found.append(load_store(config, name, secrets=secrets))
        except ConfigError as err:
            problems += err.problems
    return found, tuple(problems)


def _all(stores: list[Store], config: Path) -> list[Store]:
    if not stores:
        raise UsageError(f"{config}: there is no store file. Write one with: connector init NAME")
    return stores


def rules_of(store: Store) -> Rules:
    """How the store's orders become slips."""
    return Rules(store.name, store.select, store.slip)


def gate_name(destination: str, key: Secret | None) -> str:
    """What stores with one key at one destination share; without a key (nothing is called) the destination alone."""
    if key is None:
        return destination
    return f"{destination} key {hashlib.sha256(key.reveal().encode()).hexdigest()[:FINGERPRINT]}"


def terms_of(store: Store, key: Secret | None) -> Terms:
    """How the store sends. key None: for reading and planning only."""
    gss = store.gosweetspot
    return Terms(
        store.name,
        gss.destination,
        gate_name(gss.destination, key),
        batch_size=gss.batch_size,
        in_flight=gss.in_flight,
        budget=Budget(gss.calls_per_minute, gss.calls_per_hour),
        ghost_window=gss.ghost_window,
        read_back=gss.read_back,
    )


@contextmanager
def source_of(
    store: Store, now: Callable[[], datetime], wait: Callable[[float], bool | None] = time.sleep
) -> Iterator[Source]:
    """The store's shop, closed at the end where it is a live one."""
    context = SourceContext(store.name, str(store.folder), store.schedule.timezone, now, wait)
    source = source_class(store.source_kind)(store.source_options, context)
    try:
        yield source
    finally:
        if isinstance(source, LiveSource):
            source.close()


def visit_of(store: Store, *, from_the_start: bool = False, sweep: bool = False) -> Visit:
    """How the store's shop is read. sweep: over every open order now, due or not."""
    return Visit(from_the_start, timedelta(0) if sweep else store.schedule.sweep)


def client_of(store: Store, key: Secret) -> LateClient:
    """The store's account at GSS. The caller closes it."""
    gss = store.gosweetspot
    timeout_s = gss.timeout.total_seconds()
    destination = Destination(gss.url, key.reveal(), gss.site_id, gss.support_email, timeout_s)
    return LateClient(destination, sends_products=store.slip.products)


def zones(config: Path) -> dict[str, ZoneInfo]:
    """Each store's time zone; of those stores whose files can be read."""
    with suppress(ConfigError, UsageError):
        return {store.name: store.zone for store in stores_asked_for(config, ())[0]}
    return {}


def has_file(config: Path, name: str) -> bool:
    """Whether the store has a file, readable or not."""
    with suppress(ConfigError):
        return name in {file.stem for file in store_files(config)}
    return False

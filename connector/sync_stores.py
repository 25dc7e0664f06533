"""Every store asked for, once: each under its lock, none stopped by another's trouble. Knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from connector import opening
from connector.exit_codes import Code, Failure, failure_of
from connector.fetch import Visit
from connector.hearing import hear_store
from connector.inbox.errors import InboxError
from connector.keeping.host import this_host
from connector.ledger import epoch, gates, queries
from connector.ledger.connection import Ledger, open_ledger
from connector.lock import StoreLock
from connector.report import Hooks, Report
from connector.sender import Terms
from connector.sources.base import Source, only_tells
from connector.store import Store
from connector.sync import sync_store


class Outcome(msgspec.Struct, frozen=True):
    """What became of one store: a report, or the failure that left none.

    waits  what waits for a person now, from this run or an earlier one: how many of which kind
    """

    store: str
    code: Code
    report: Report | None = None
    waits: dict[str, int] = {}
    failure: tuple[str, ...] = ()


def sync_stores(
    stores: Iterable[Store],
    state: Path,
    hooks: Hooks,
    *,
    from_the_start: bool = False,
    sweep: bool = False,
    failure_of: Callable[[Exception], Failure] = failure_of,
) -> Iterator[Outcome]:
    """Sync each store in turn; ends early when hooks.stopping says so. Raises LedgerError where none can be used.

    from_the_start: read the shops from their beginning, as after a change of [select] or [slip]; nothing is sent twice.
    sweep: look at every open order of live shops now, whatever their change dates say.
    """
    with open_ledger(state) as ledger:
        epoch.begin(ledger, this_host(), hooks.now())
        for store in stores:
            if hooks.stopping():
                return
            try:
                visit = opening.visit_of(store, from_the_start=from_the_start, sweep=sweep)
                with StoreLock(state, store.name) as lock:
                    outcome = _sync(store, ledger, state, _while_held(hooks, lock), visit)
                    lock.refuse_if_lost()
            except Exception as err:  # noqa: BLE001  the other stores have done nothing wrong
                failure = failure_of(err)
                outcome = Outcome(store.name, failure.code, failure=failure.lines)
            yield outcome


def _while_held(hooks: Hooks, lock: StoreLock) -> Hooks:
    """A run whose lock file was taken away starts nothing more: another may hold the store by now (failures.md D7)."""
    return msgspec.structs.replace(hooks, stopping=lambda: hooks.stopping() or not lock.is_ours())


def _sync(store: Store, ledger: Ledger, state: Path, hooks: Hooks, visit: Visit) -> Outcome:
    key = store.gosweetspot.access_key.resolve()
    terms = opening.terms_of(store, key)
    client = opening.client_of(store, key)
    try:
        with opening.source_of(store, hooks.now, hooks.wait) as source:
            heard = _heard(store, terms, source, ledger, state, hooks)
            report = sync_store(opening.rules_of(store), terms, source, ledger, client, hooks, visit, heard)
    finally:
        client.close()
    waits = queries.needs_counted(ledger.db, store.name)
    return Outcome(store.name, code_of(report, waits, is_shut_out=_is_shut_out(ledger, terms, report)), report, waits)


def _heard(store: Store, terms: Terms, source: Source, ledger: Ledger, state: Path, hooks: Hooks) -> Report:
    """What waits of a shop that can't be asked: its deliveries are its pages. An inbox that can't be used ends up in
    the report. Raises LedgerError."""
    if not only_tells(source):
        return Report(store.name)
    from connector.inbox.box import Inbox  # few stores have such a shop

    try:
        with Inbox.open(state, now=hooks.now) as inbox:
            return hear_store(opening.rules_of(store), terms, source, ledger, inbox, hooks)
    except InboxError as err:
        return Report(store.name, problem=str(err))


def _is_shut_out(ledger: Ledger, terms: Terms, report: Report) -> bool:
    """Whether GSS could not be reached, or refused us, in this run or before, with something owed."""
    tried = bool(report.calls or report.read_back_calls or report.pause)
    return tried and gates.gate_of(ledger.db, terms.gate).failures > 0


def code_of(report: Report, waits: dict[str, int], *, is_shut_out: bool) -> Code:
    """The exit code of one store's run. What is only owed until the call budget allows more is done by rule (Z10)."""
    if report.problem or is_shut_out:
        return Code.UNREACHED
    return Code.WAITS if waits else Code.DONE

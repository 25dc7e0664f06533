"""One store, once: read its shop, record what is new, send what is owed, read back what was sent. Knows no screen.

The steps never wait for each other: a page is recorded, whatever is owed by then goes out while the next page is read.
Whatever stops, the ledger has what was read, and what is owed in it is sent by the next run.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Protocol

import msgspec

from connector.consider import Rules
from connector.fetch import USUAL, Fetch, Visit
from connector.ledger import fence, gates, outbox, proofs
from connector.ledger.connection import Ledger, LedgerError
from connector.ledger.times import stamp
from connector.readback import Reads, read_back
from connector.report import HOOKS, Hooks, Report
from connector.sender import Pause, Sender, Sends, Terms, close_gate_alerts
from connector.sources.base import Source

if TYPE_CHECKING:
    import sqlite3

ROUNDS = 4
"""How often sending and reading back may follow each other in one run: ghosts found by a read-back are sent again."""
LONGEST_WAIT = timedelta(seconds=61)
"""What a one-shot waits for its call budget; past that the rest stays owed for the next run."""


class Client(Sends, Reads, Protocol):
    """A GSS client as a whole."""


class Fenced(Exception):
    """The store may not send yet, and the message says why. Others that share its key may."""


class WrongDestination(LedgerError):
    """The store file names another GSS account or site than the one its slips were sent to."""


def sync_store(
    rules: Rules,
    terms: Terms,
    source: Source | None,
    ledger: Ledger,
    client: Client,
    hooks: Hooks = HOOKS,
    visit: Visit = USUAL,
    report: Report | None = None,
) -> Report:
    """Bring one store and GSS into step. The caller holds the store's lock.

    source None: nothing is read, only sent and read back. report: of what was heard just before, gone on with. Raises
    LedgerError; everything else ends up in the Report.
    """
    report = report or Report(rules.store)
    with ledger.writing() as db:
        know_store(db, terms)
        outbox.recover(db, terms.store, hooks.now(), terms.ghost_window)
        run_id = _open_run(db, terms.store, hooks.now())
    sender = Sender(ledger, client, terms, hooks.now)
    try:
        if source is not None:
            Fetch(rules, terms, source, ledger, report, hooks, visit, lambda: sender.turn(wait=False)).run()
        if _may_pass(rules, terms, ledger, client, report, hooks):
            _send_and_read_back(terms, ledger, client, sender, report, hooks)
    finally:
        sender.close()
        report.calls = sender.calls
        _tell_why_not_sent(ledger.db, terms, report)
        _close_run(ledger, terms, run_id, report, hooks.now())
    return report


def fetch_store(
    rules: Rules,
    terms: Terms,
    source: Source,
    ledger: Ledger,
    hooks: Hooks = HOOKS,
    visit: Visit = USUAL,
    report: Report | None = None,
) -> Report:
    """Read one store's shop and record what is new; no call to GSS, no attempt touched, so that it may go on beside
    `send_store`. Where nothing is new, nothing is written. The caller holds the store's lock. Raises LedgerError.

    report: of what was heard just before, gone on with.
    """
    report = report or Report(rules.store)
    if _is_new(ledger.db, terms):
        with ledger.writing() as db:
            know_store(db, terms)
    Fetch(rules, terms, source, ledger, report, hooks, visit).run()
    return report


def send_store(
    rules: Rules, terms: Terms, ledger: Ledger, client: Client, hooks: Hooks = HOOKS, most_calls: float = inf
) -> Report:
    """Send what a store owes and read back what is due, once, with at most so many calls of each. The caller holds the
    store's lock and is the only one that sends for it. Raises Fenced, LedgerError.

    Report.pause  why the rest waits; whether there is a rest, `next_call` tells, given Report.look_at.
    """
    report = Report(terms.store)
    with ledger.writing() as db:
        know_store(db, terms)
        outbox.recover(db, terms.store, hooks.now(), terms.ghost_window)
    if not _may_pass(rules, terms, ledger, client, report, hooks):
        raise Fenced(report.pause)
    sender = Sender(ledger, client, terms, hooks.now, most_calls)
    try:
        while sender.turn(wait=True, stopping=hooks.stopping):
            hooks.progress(report)
    finally:
        sender.close()
        report.calls = sender.calls
    pause = sender.pause
    if terms.read_back and pause is None and not hooks.stopping():
        findings = read_back(ledger, client, terms, hooks.now, hooks.stopping, most_calls)
        report.read_back_calls = findings.calls
        report.states = {state.value: count for state, count in findings.states.items()}
        pause = findings.pause
        if pause is not None and pause.is_budget:  # a quarter of it is kept for sending
            report.look_at, pause = pause.until, None
    if pause is not None:
        report.pause, report.pause_until = pause.reason, pause.until
    with ledger.writing() as db:
        close_gate_alerts(db, terms, hooks.now())
    report.owed = outbox.owed(ledger.db, terms.store)
    return report


def next_call(terms: Terms, ledger: Ledger, now: datetime, look_at: datetime | None = None) -> datetime | None:
    """When GSS is to be called next for this store; None when nothing is owed or to be read back.

    look_at: reading back waits until then; a time further off than an hour's budget is one of a clock that was ahead.
    """
    read = proofs.due_again(ledger.db, terms.store, now) if terms.read_back else None
    if read is not None and look_at is not None and look_at - now <= outbox.LONGEST_WAIT:
        read = max(read, look_at)
    times = [one for one in (outbox.next_due(ledger.db, terms.store, now), read) if one is not None]
    return min(times, default=None)


def _may_pass(rules: Rules, terms: Terms, ledger: Ledger, client: Client, report: Report, hooks: Hooks) -> bool:
    """Whether the store may send: a ledger that may not know what was sent since is compared with GSS first (K6)."""
    if not fence.stands(ledger.db, terms.store):
        return True
    from connector.keeping import comparing  # once in a lifetime

    found = comparing.pass_fence(rules, terms, ledger, client, hooks.now, hooks.wait, hooks.stopping)
    report.read_back_calls += found.calls
    report.pause = found.problem
    report.owed = outbox.owed(ledger.db, terms.store)
    return not found.problem


def _is_new(db: sqlite3.Connection, terms: Terms) -> bool:
    """True where the ledger doesn't know the store yet. Raises WrongDestination where it knows it differently."""
    row = db.execute("SELECT destination FROM stores WHERE store = ?", (terms.store,)).fetchone()
    if row is not None and row[0] != terms.destination:
        raise WrongDestination(
            f"store {terms.store}: its slips belong to {row[0]}, but the store file now names {terms.destination}. "
            "Sending known slips to another account would double them. Put the old url, site_id and mode back, or give "
            "the new account a store file with a name of its own, with since in its [select] for the orders that the "
            "old account has ticketed already.",
        )
    return row is None


def know_store(db: sqlite3.Connection, terms: Terms) -> None:
    """Have the ledger know the store, in the caller's transaction. Raises WrongDestination."""
    if _is_new(db, terms):
        db.execute("INSERT INTO stores (store, destination) VALUES (?, ?)", (terms.store, terms.destination))


def _send_and_read_back(
    terms: Terms, ledger: Ledger, client: Client, sender: Sender, report: Report, hooks: Hooks
) -> None:
    """Send what is owed, read back what was sent, and send again what that found missing; a few rounds at the most."""
    states: Counter[str] = Counter()
    for _ in range(ROUNDS):
        _drain(sender, report, hooks)
        if not terms.read_back or hooks.stopping():
            break
        findings = read_back(ledger, client, terms, hooks.now, hooks.stopping)
        report.read_back_calls += findings.calls
        states.update({state.value: count for state, count in findings.states.items()})
        hooks.progress(report)
        if findings.pause is None and not outbox.is_due(ledger.db, terms.store, hooks.now()):
            break
        if not _waited(findings.pause, report, hooks):
            break
    report.states = dict(states)
    report.owed = outbox.owed(ledger.db, terms.store)


def _drain(sender: Sender, report: Report, hooks: Hooks) -> None:
    while True:
        while sender.turn(wait=True, stopping=hooks.stopping):
            report.calls = sender.calls
            hooks.progress(report)
        if hooks.stopping() or sender.pause is None or not _waited(sender.pause, report, hooks):
            return


def _waited(pause: Pause | None, report: Report, hooks: Hooks) -> bool:
    """Wait out a pause that only the budget of this minute asks for; any other ends the run, the rest stays owed."""
    if pause is None:
        return True
    length = pause.until - hooks.now()
    if not pause.is_budget or length > LONGEST_WAIT:
        report.pause, report.pause_until = pause.reason, pause.until
        return False
    hooks.wait(max(length.total_seconds(), 0.0))
    return True


def _tell_why_not_sent(db: sqlite3.Connection, terms: Terms, report: Report) -> None:
    """The first failure shuts no gate, but is no less a reason; so it is for a run that finds nothing due after it."""
    gate = gates.gate_of(db, terms.gate)
    if gate.failures and not report.pause and (report.calls or report.read_back_calls or outbox.owed(db, terms.store)):
        report.pause, report.pause_until = gate.reason, gate.shut_until


def _open_run(db: sqlite3.Connection, store: str, now: datetime) -> int:
    cursor = db.execute("INSERT INTO runs (store, started_at) VALUES (?, ?)", (store, stamp(now)))
    return int(cursor.lastrowid or 0)


def _close_run(ledger: Ledger, terms: Terms, run_id: int, report: Report, now: datetime) -> None:
    counts = {name: value for name, value in msgspec.to_builtins(report).items() if isinstance(value, int)}
    with ledger.writing() as db:
        close_gate_alerts(db, terms, now)
        db.execute(
            "UPDATE runs SET ended_at = ?, counts = ?, problem = ? WHERE id = ? AND store = ?",
            (stamp(now), json.dumps(counts), report.problem or report.pause or None, run_id, terms.store),
        )

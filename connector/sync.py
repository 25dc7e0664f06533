"""One store, once: read its shop, record what is new, send what is owed, read back what was sent. Knows no screen.

The steps never wait for each other: a page is recorded, whatever is owed by then goes out while the next page is read.
Whatever stops, the ledger has what was read, and what is owed in it is sent by the next run.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from connector.consider import Considered, Rules, consider
from connector.ledger import alerts, intake, outbox
from connector.ledger.connection import Ledger, LedgerError
from connector.ledger.intake import Kind
from connector.ledger.known import PassedOver, orders_passed_over, slips_known
from connector.ledger.machine import Accept
from connector.ledger.times import stamp
from connector.order import Order, content_hash
from connector.readback import Reads, read_back
from connector.sender import Pause, Sender, Sends, Terms, close_gate_alerts
from connector.sources.base import Malformed, Page, Source, SourceError

if TYPE_CHECKING:
    import sqlite3

ROUNDS = 4
"""How often sending and reading back may follow each other in one run: ghosts found by a read-back are sent again."""
CONTRADICTION = "The shop shows this order twice with different contents. Correct it in the shop, then export again."
LONGEST_WAIT = timedelta(seconds=61)
"""What a one-shot waits for its call budget; past that the rest stays owed for the next run."""


class Client(Sends, Reads, Protocol):
    """A GSS client as a whole."""


class WrongDestination(LedgerError):
    """The store file names another GSS account or site than the one its slips were sent to."""


class Report(msgspec.Struct):
    """What one run of one store did. Every order read is in exactly one of the counts from `new` to `stale`.

    problem    why the shop could not be read to its end; pause  why nothing more may be sent now
    source_down, refused  the shop, or GSS, can't be reached or refuses the credentials
    """

    store: str
    read: int = 0
    new: int = 0
    changed: int = 0
    held: int = 0
    waiting: int = 0
    skipped: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    stale: int = 0
    calls: int = 0
    read_back_calls: int = 0
    owed: int = 0
    states: dict[str, int] = msgspec.field(default_factory=dict)
    notes: list[str] = msgspec.field(default_factory=list)
    alerts: list[str] = msgspec.field(default_factory=list)
    problem: str = ""
    pause: str = ""
    scanned: int = 0
    total: int = 0


class Hooks(msgspec.Struct, frozen=True):
    """What the outside world gives a run: the time, a way to wait, a wish to stop, and somebody who watches."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    wait: Callable[[float], None] = time.sleep
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[Report], None] = lambda _: None


HOOKS = Hooks()


def sync_store(
    rules: Rules, terms: Terms, source: Source | None, ledger: Ledger, client: Client, hooks: Hooks = HOOKS
) -> Report:
    """Bring one store and GSS into step. The caller holds the store's lock.

    source None: nothing is read, only sent and read back. Raises LedgerError; everything else ends up in the Report.
    """
    report = Report(rules.store)
    with ledger.writing() as db:
        _begin(db, terms, hooks.now())
        run_id = _open_run(db, terms.store, hooks.now())
    sender = Sender(ledger, client, terms, hooks.now)
    try:
        if source is not None:
            _fetch(rules, terms, source, ledger, sender, report, hooks)
        _send_and_read_back(terms, ledger, client, sender, report, hooks)
    finally:
        sender.close()
        report.calls = sender.calls
        _close_run(ledger, terms, run_id, report, hooks.now())
    return report


def _begin(db: sqlite3.Connection, terms: Terms, now: datetime) -> None:
    row = db.execute("SELECT destination FROM stores WHERE store = ?", (terms.store,)).fetchone()
    if row is None:
        db.execute("INSERT INTO stores (store, destination) VALUES (?, ?)", (terms.store, terms.destination))
    elif row[0] != terms.destination:
        raise WrongDestination(
            f"store {terms.store}: its slips belong to {row[0]}, but the store file now names {terms.destination}. "
            "Sending known slips to another account would double them. Put the old url and site_id back, or give the "
            "new account a store file with a name of its own.",
        )
    outbox.recover(db, terms.store, now, terms.ghost_window)


def _fetch(
    rules: Rules, terms: Terms, source: Source, ledger: Ledger, sender: Sender, report: Report, hooks: Hooks
) -> None:
    """Record page after page; after each, give the sender a turn that doesn't wait."""
    cursor = intake.cursor_of(ledger.db, terms.store)
    try:
        for page in _pages(source, cursor):
            record_page(rules, terms, page, ledger, report, hooks.now())
            hooks.progress(report)
            if hooks.stopping():
                return
            sender.turn(wait=False)
        with ledger.writing() as db:
            alerts.close_kind(db, terms.store, "shop", stamp(hooks.now()), "the shop was read again")
    except SourceError as err:
        report.problem = str(err)
        with ledger.writing() as db:
            alerts.open_alert(db, terms.store, None, "shop", str(err), stamp(hooks.now()))


def _pages(source: Source, cursor: str) -> Iterator[Page]:
    """The source's pages; an error that is none of the contract's is one more reason why the shop can't be read, and
    keeps nothing that is owed from being sent."""
    try:
        yield from source.pages(cursor)
    except SourceError:
        raise
    except Exception as err:
        raise Malformed(
            f"the shop could not be read further: the {source.kind} source met something it does not know "
            f"({type(err).__name__}). What was read before is kept. Please report it."
        ) from err


def record_page(rules: Rules, terms: Terms, page: Page, ledger: Ledger, report: Report, now: datetime) -> None:
    """Take a page into the ledger in one transaction: orders, versions and the cursor together, or nothing."""
    orders = _newest_of_each(page.orders)
    ids = [order.id for order in orders]
    with ledger.writing() as db:
        known = slips_known(db, terms.store, ids) if ids else {}
        passed = orders_passed_over(db, terms.store, ids) if ids else {}
        changes, same = [], []
        for order in orders:
            key = (order.id, order.part)
            before, over = known.get(key), passed.get(key)
            considered = consider(order, before, over, rules, now)
            _count(report, considered, over)
            if considered.change is not None:
                changes.append((considered.change, before, over is not None))
            elif considered.accept is Accept.SAME:
                same.append((order.revision, order.origin, terms.store, *key))
        intake.record(db, terms.store, terms.destination, changes, now, terms.ghost_window)
        intake.note_same(db, same)
        for text in page.alerts:
            alerts.open_alert(db, terms.store, None, f"input: {text[:60]}", text, stamp(now))
        intake.keep_cursor(db, terms.store, page.cursor, now)
    report.read += len(page.orders)
    report.stale += len(page.orders) - len(orders)
    report.scanned, report.total = page.scanned, page.total
    report.notes.extend(page.notes)
    report.alerts.extend(page.alerts)


def _newest_of_each(orders: tuple[Order, ...]) -> list[Order]:
    """A page may show an order twice: the newest revision counts, and a repeat of it is dropped.

    Two contents under one revision are a contradiction: neither is chosen by luck, the order is held (failures.md C14).
    """
    newest: dict[tuple[str, str], Order] = {}
    for order in orders:
        key = (order.id, order.part)
        other = newest.get(key)
        if other is None or other.revision < order.revision:
            newest[key] = order
        elif other.revision == order.revision and content_hash(other) != content_hash(order):
            newest[key] = msgspec.structs.replace(other, problems=(*other.problems, CONTRADICTION))
    return list(newest.values())


_COUNTED = {
    Kind.SHIP: "new",
    Kind.HELD: "held",
    Kind.WAIT: "waiting",
    Kind.SKIP: "skipped",
    Kind.WITHDRAW: "withdrawn",
}


def _count(report: Report, considered: Considered, over: PassedOver | None) -> None:
    change = considered.change
    if considered.accept is Accept.STALE:
        name = "stale"
    elif change is None:
        name = "unchanged"
    elif change.kind is Kind.SHIP and considered.accept is not Accept.NEW and over is None:
        name = "changed"
    else:
        name = _COUNTED[change.kind]
    setattr(report, name, getattr(report, name) + 1)


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
        while sender.turn(wait=True, more=not hooks.stopping()):
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
        report.pause = pause.reason
        return False
    hooks.wait(max(length.total_seconds(), 0.0))
    return True


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

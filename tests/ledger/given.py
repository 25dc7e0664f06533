"""The words of the ledger's tests: what a shop shows, what goes out, what is answered, and what stands then."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from connector.consider import Rules
from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.ledger.connection import Ledger
from connector.ledger.gates import Budget
from connector.ledger.outbox import Attempt
from connector.order import Address, Order
from connector.record import record_page
from connector.report import Report
from connector.selection import SelectRules
from connector.sender import Terms, Turn, exchange
from connector.slip import SlipRules
from connector.sources.base import Page
from tests.ledger.start import START as START

G = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NO_LIMIT = Budget(0, 0)
DESTINATION = "https://gss.example"
ROOT = Path(__file__).resolve().parents[2]


def rules(store: str = "kiwi", prefix: str = "") -> Rules:
    return Rules(store, SelectRules(), SlipRules(prefix=prefix))


def terms(store: str = "kiwi", **more: object) -> Terms:
    one = Terms(store, DESTINATION, "a key", batch_size=50, in_flight=4, budget=NO_LIMIT, ghost_window=G)
    return msgspec.structs.replace(one, **more)


def an_order(order_id: str = "1", revision: str = "1", street: str = "1 Kowhai Road", **more: object) -> Order:
    order = Order(
        id=order_id,
        number=f"#{order_id}",
        revision=f"{revision:>06}",
        ship_to=Address(name="Aroha Example", line1=street, city="Hamilton", postcode="3204", country="NZ"),
    )
    return msgspec.structs.replace(order, **more)


def the_shop_shows(
    ledger: Ledger,
    *orders: Order,
    by: Rules | None = None,
    to: Terms | None = None,
    cursor: str = "read",
    now: datetime = START,
) -> Report:
    """Record the orders as one page."""
    by = by or rules()
    report = Report(by.store)
    record_page(by, to or terms(by.store), Page(orders, cursor), ledger, report, now)
    return report


def claimed(ledger: Ledger, to: Terms | None = None, places: int = 1, now: datetime = START) -> tuple[Attempt, ...]:
    """Write down the next attempts, as the sender does before it calls."""
    return exchange(ledger, to or terms(), [], places, False, now).attempts


def answers(attempt: Attempt, verdict: Verdict = Verdict.TAKEN, msg: str = "") -> Answer:
    return Answer(Outcome.ANSWERED, 200, {item.number: Row(verdict, msg) for item in attempt.items}, "", None, 0)


def fails(outcome: Outcome, note: str = "failed", retry_after_s: float | None = None) -> Answer:
    return Answer(outcome, 0, {}, note, retry_after_s, 0)


def settled(ledger: Ledger, attempt: Attempt, answer: Answer, to: Terms | None = None, now: datetime = START) -> Turn:
    return exchange(ledger, to or terms(), [(attempt, answer)], 0, False, now)


def sent(
    ledger: Ledger, verdict: Verdict = Verdict.TAKEN, msg: str = "", to: Terms | None = None, now: datetime = START
) -> list[str]:
    """Send all that is due, every slip answered alike; the numbers that went out, in order."""
    numbers: list[str] = []
    while attempts := claimed(ledger, to, now=now):
        for attempt in attempts:
            numbers += [item.number for item in attempt.items]
            settled(ledger, attempt, answers(attempt, verdict, msg), to, now)
    return numbers


def states(ledger: Ledger, store: str = "kiwi") -> dict[str, str]:
    """Where the newest version of each order stands."""
    rows = ledger.db.execute(
        "SELECT s.order_id, v.state FROM versions v JOIN slips s ON s.id = v.slip_id AND v.newest = 1"
        " WHERE v.store = ? ORDER BY s.id",
        (store,),
    )
    return dict(rows.fetchall())


def state(ledger: Ledger, order_id: str = "1", store: str = "kiwi") -> str:
    return states(ledger, store)[order_id]


def reason(ledger: Ledger, order_id: str = "1", store: str = "kiwi") -> str:
    row = ledger.db.execute(
        "SELECT v.reason FROM versions v JOIN slips s ON s.id = v.slip_id AND v.newest = 1"
        " WHERE s.order_id = ? AND v.store = ?",
        (order_id, store),
    ).fetchone()
    return str(row[0])


def count(ledger: Ledger, table: str, where: str = "1") -> int:
    return int(ledger.db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])


def open_alerts(ledger: Ledger) -> list[str]:
    """The kinds of the alerts that are open, oldest first."""
    return [row[0] for row in ledger.db.execute("SELECT kind FROM alerts WHERE closed_at IS NULL ORDER BY id")]

"""Whether another connector sends to the same account: a copied machine, a test box with the real key. Sends nothing.

Once a day GSS is asked what was created of late (failures.md D9). A number with a store's prefix that the ledger does
not know was not sent from here, since numbers are written down before they are sent. Stores without a prefix are left
out: nothing tells their slips from those of other programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Final, Protocol

from connector import opening
from connector.gosweetspot.answers import Outcome
from connector.gosweetspot.client import Client, Recent
from connector.gosweetspot.destination import Destination
from connector.ledger import alerts, comparison, gates
from connector.ledger.connection import Ledger
from connector.ledger.times import stamp
from connector.packing_slip import number_key
from connector.report import HOOKS, Hooks
from connector.secret import SecretError
from connector.sender import Terms
from connector.store import Store

TWIN: Final = "somebody else sends"
LOOKS_BACK: Final = timedelta(hours=26)
"""A day, and what two nights' housekeeping may be apart beyond it."""
MOST_PAGES: Final = 20
"""Calls to one account: two thousand slips."""
MOST_NAMED: Final = 10


class Asked(Protocol):
    """What is needed of a GSS client."""

    def recent(self, created_from: datetime, created_to: datetime, page: int = 1) -> Recent: ...


@contextmanager
def asking(store: Store) -> Iterator[Client]:
    """The store's account. Raises SecretError where its key can't be had."""
    gss = store.gosweetspot
    key = gss.access_key.resolve()
    client = Client(Destination(gss.url, key.reveal(), gss.site_id, gss.support_email, gss.timeout.total_seconds()))
    try:
        yield client
    finally:
        client.close()


def look_for(
    ledger: Ledger,
    stores: Sequence[Store],
    now: datetime,
    asking: Callable[[Store], AbstractContextManager[Asked]] = asking,
    hooks: Hooks = HOOKS,
) -> list[str]:
    """Open an alert for each store under whose prefix somebody else sends. Why an account could not be asked, or not
    to its end: a sentence each. Takes a call of the key's budget for each page, as of its own time, and asks before
    each whether to stop. Raises LedgerError."""
    notes = []
    for account in _accounts(stores):
        terms = _terms(account[0])
        try:
            with asking(account[0]) as client:
                numbers, note = _numbers(ledger, terms, client, now, hooks)
        except SecretError:
            numbers, note = [], "its key can't be had"
        for store in account:
            _tell(ledger, store, numbers, now)
        if note:
            names = ", ".join(store.name for store in account)
            notes.append(f"{names}: GoSweetSpot was not asked to the end whether somebody else sends too: {note}")
    return notes


def _accounts(stores: Sequence[Store]) -> list[list[Store]]:
    """The stores that have a prefix, by account: each is asked once."""
    accounts: dict[str, list[Store]] = {}
    for store in stores:
        if store.slip.prefix:
            accounts.setdefault(_terms(store).gate, []).append(store)
    return list(accounts.values())


def _terms(store: Store) -> Terms:
    try:
        key = store.gosweetspot.access_key.resolve()
    except SecretError:
        key = None
    return opening.terms_of(store, key)


def _numbers(ledger: Ledger, terms: Terms, client: Asked, now: datetime, hooks: Hooks) -> tuple[list[str], str]:
    """The numbers that GSS has of late and the ledger doesn't know; and why there may be more, "" where not."""
    found: list[str] = []
    page, pages = 0, 1
    while page < pages:
        page += 1
        if page > MOST_PAGES:
            return found, f"it has more than {MOST_PAGES} pages of new slips"
        if why := _not_now(ledger, terms, hooks):
            return found, why
        told = client.recent(now - LOOKS_BACK, now + timedelta(hours=1), page)  # an hour: its clock may be ahead
        if told.outcome is not Outcome.ANSWERED:
            return found, told.note
        pages = told.pages
        found += [
            record.number
            for record in told.records
            if not comparison.is_a_slip_s(ledger.db, terms.destination, record.key)
        ]
    return found, ""


def _not_now(ledger: Ledger, terms: Terms, hooks: Hooks) -> str:
    """Take one call from the key's budget, or say why none may be made; nothing is waited for."""
    if hooks.stopping():
        return "the run was stopped"
    now = hooks.now()
    with ledger.writing() as db:
        if gates.gate_of(db, terms.gate).is_shut(now):
            return "calls pause after trouble"
        return "the call budget of this key is used up" if gates.take_call(db, terms.gate, terms.budget, now) else ""


def _tell(ledger: Ledger, store: Store, numbers: Sequence[str], now: datetime) -> None:
    prefix = number_key(store.slip.prefix)
    ours = sorted({number for number in numbers if number_key(number).startswith(prefix)})
    if not ours:
        return
    named = ", ".join(ours[:MOST_NAMED]) + (f" and {len(ours) - MOST_NAMED} more" if len(ours) > MOST_NAMED else "")
    text = (
        f"GoSweetSpot has slips with this store's prefix that were not sent from here: {named}. Is there another "
        "connector with this key, on a copied machine or a test box? Stop it: two of them send orders twice. If "
        "another program uses this prefix, give the store one of its own."
    )
    with ledger.writing() as db:
        alerts.open_alert(db, store.name, None, TWIN, text, stamp(now))

"""The whole story of one order as the ledger has it: read, decided, sent, shown, what comes next. Knows no screen."""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from connector.exit_codes import UsageError
from connector.gosweetspot.answers import Outcome
from connector.ledger import fence, history, queries
from connector.ledger.history import AttemptLine, History, Passed, VersionLine
from connector.ledger.machine import Event
from connector.ledger.queries import Need
from connector.ledger.states import MEANING, State
from connector.mending import mend_of
from connector.receipt import Receipt
from connector.status import Shut
from connector.text import ended, sentence, without_name


class Told(msgspec.Struct, frozen=True):
    """One thing that happened: when (a stamp of the ledger, UTC), and a sentence."""

    at: str
    text: str


class Story(msgspec.Struct, frozen=True):
    """One order's story, oldest first.

    number, state  of its slip, "" for an order that got none; slip: what GSS should have, None where nothing
    receipts       what was changed on the way from the order to that slip
    next           what happens next, by itself or by a person's hand: sentences
    """

    store: str
    order: str
    order_id: str
    part: str
    number: str
    state: str
    told: list[Told]
    next: list[str]
    slip: dict[str, Any] | None = None
    receipts: tuple[Receipt, ...] = ()
    tracking_url: str = ""


def stories(
    db: sqlite3.Connection,
    name: str,
    store: str | None,
    now: str,
    has_file: Callable[[str], bool] = lambda _: True,
    shut: Callable[[str], Shut] = lambda _: Shut(),
) -> list[Story]:
    """The story of each order of this number or id; now: a stamp; has_file: whether a store can be synced; shut:
    whether its calls pause. Raises UsageError where the ledger has none."""
    found = [
        _of_slip(db, one, now, has_file(one.slip.store), shut(one.slip.store))
        for one in history.histories(db, name, store)
    ]
    found += [_of_passed(one) for one in history.passed_over_named(db, name, store)]
    if not found:
        where = f" of store {store}" if store else ""
        raise UsageError(
            f"no order or slip{where} is known by {name!r}. If the shop has it, read the shop: connector sync. "
            "What is known: connector slips list"
        )
    return found


def _of_passed(passed: Passed) -> Story:
    verb = "waits" if passed.decision == "wait" else "is skipped"
    text = f"Read from {passed.origin or 'the shop'}. It got no slip: it {verb}. {passed.reason}".rstrip()
    told = [Told(passed.seen_at, text)]
    follows = "It is looked at again when the shop changes it"
    if passed.until:
        follows += f", and from {passed.until} on it may ship"
    return Story(passed.store, passed.order, passed.order_id, passed.part, "", passed.decision, told, [f"{follows}."])


def _of_slip(db: sqlite3.Connection, one: History, now: str, has_file: bool, shut: Shut) -> Story:
    slip, newest = one.slip, one.newest
    several = len(queries.stores_known(db)) > 1
    needs = [need for need in queries.needs(db, slip.store, 10_000) if _is_about(need, one)]
    barrier = fence.leads_through(db, slip.store) if has_file else f"{slip.store} has no store file: put it back first."
    return Story(
        slip.store,
        slip.order,
        slip.order_id,
        slip.part,
        slip.number,
        newest.state,
        sorted(_told(one), key=lambda told: told.at),
        list(_next(one, needs, now, several, barrier, shut)),
        json.loads(newest.body) if newest.body else None,
        msgspec.json.decode(newest.receipts, type=tuple[Receipt, ...]) if newest.receipts else (),
        slip.tracking_url,
    )


def _is_about(need: Need, one: History) -> bool:
    """Two orders may have one name: the alert tells, and without one how the slip stands, and since when."""
    if need.alert is not None:
        return need.alert in {alert.id for alert in one.alerts}
    newest = one.newest
    return (need.name, need.state, need.since) == (one.slip.name, newest.state, newest.changed_at)


def _told(one: History) -> Iterator[Told]:
    """What happened, in the order in which things of one moment follow from each other."""
    slip = one.slip
    seen = f" (last seen in {slip.origin})" if slip.origin else ""  # none is kept of one whose data was removed
    yield Told(slip.created_at, f"Read from the shop{seen}; its slip goes to {slip.destination}.")
    for version in one.versions:
        yield Told(version.created_at, _recorded(version, slip.name))
    for attempt in one.attempts:
        yield from _called(attempt)
    for alert in one.alerts:
        text = sentence(without_name(alert.text, slip.order))
        yield Told(alert.opened_at, f"A person was called ({alert.kind}): {text}")
        if alert.closed_at:
            yield Told(alert.closed_at, f"The call for a person ({alert.kind}) was closed: {alert.closed_by}.")
    for action in one.actions:
        reason = f": {action.reason}" if action.reason else ""
        yield Told(action.at, ended(f"{action.who} did: {action.what}{reason}"))
    yield Told(one.newest.changed_at, _stands(one.newest))
    if slip.ticket:
        yield Told(one.newest.changed_at, _shown(one))


def _recorded(version: VersionLine, name: str) -> str:
    if version.op == "delete":
        return f"Version {version.seq}: GoSweetSpot should have no slip {name} any more."
    if version.state == State.CLOSED:
        return f"Version {version.seq} of slip {name}: what it said was removed since."
    if version.body is None:
        return f"Version {version.seq}: no slip could be made of it."
    receipts = len(json.loads(version.receipts)) if version.receipts else 0
    changed = f", with {receipts} thing{'s' if receipts != 1 else ''} changed on the way" if receipts else ""
    return f"Version {version.seq} of slip {name} was made{changed}."


def _called(attempt: AttemptLine) -> Iterator[Told]:
    more = attempt.slips - 1
    others = f" with {more} other{'s' if more > 1 else ''}" if more else ""
    verb = "taken back" if attempt.op == "delete" else "sent"
    was = "was to be" if {attempt.answer, attempt.outcome} & _NOT_MADE else "was"
    yield Told(attempt.started_at, f"Version {attempt.seq} {was} {verb} in call {attempt.id}{others}.")
    if attempt.ended_at:
        yield Told(attempt.ended_at, f"Call {attempt.id}: {_answer(attempt)}")


_NOT_MADE: Final = {Event.NOT_TRIED, Event.NOT_SENT, Outcome.NOT_SENT}
"""Answers and outcomes of calls by which nothing left this machine."""

_ANSWERS: Final = {
    Event.TAKEN: "GoSweetSpot took it.",
    Event.GONE: "GoSweetSpot has it no more.",
    Event.PROCESSED: "GoSweetSpot had processed it already.",
    Event.REFUSED: "GoSweetSpot refused it.",
}


def _answer(attempt: AttemptLine) -> str:
    """What the call came to for this version: its own answer ("refused: words of GSS"), else the whole call's."""
    if attempt.outcome == Outcome.ANSWERED and not attempt.answer:
        return _ANSWERS[Event.TAKEN]
    word, _, words = attempt.answer.partition(": ")
    sentence = _ANSWERS.get(Event(word)) if word in set(Event) else None
    if sentence is None:
        return " ".join(filter(None, (f"{attempt.answer or attempt.outcome}.", attempt.note)))
    return f'{sentence} It said "{words}".' if words and words.casefold() != word else sentence


def _stands(newest: VersionLine) -> str:
    reason = f" {sentence(newest.reason)}" if newest.reason else ""
    if newest.state == State.CLOSED:
        reason = f" Before that it was {ended(newest.reason)}"
    return f"Since then it stands as {newest.state}: {MEANING[State(newest.state)]}.{reason}"


def _shown(one: History) -> str:
    slip = one.slip
    parts = [f"GoSweetSpot shows ticket {slip.ticket}"]
    parts += [f"status {slip.gss_status}"] if slip.gss_status else []
    parts += [f"picked up {slip.picked}"] if slip.picked else []
    parts += [f"delivered {slip.delivered}"] if slip.delivered else []
    return ", ".join(parts) + "."


def _next(one: History, needs: list[Need], now: str, several: bool, barrier: str, shut: Shut) -> Iterator[str]:
    """barrier: what must happen before anything is sent for this store, "" for nothing."""
    slip, newest = one.slip, one.newest
    for need in needs:
        yield mend_of(need, name_store=several)
    if slip.stop_reason:
        yield f"The shop says: {ended(slip.stop_reason)} What GoSweetSpot has of its slip stays there as it is."
    if barrier and (newest.send_at or newest.read_at):
        yield barrier
    elif shut.until and (newest.send_at or newest.read_at):
        yield f"GoSweetSpot is not called before {shut.until}: {ended(shut.because)}"
    if newest.send_at:
        when = _when(max(newest.send_at, shut.until), now, barrier)
        yield f"It is sent {when}: connector sync {shlex.quote(slip.store)}"
    if newest.read_at:
        yield f"GoSweetSpot is asked about it again {_when(max(newest.read_at, shut.until), now, barrier)}."
    if newest.state == State.CLOSED:
        yield "It is over: nothing more is sent for it."
    elif not needs and not newest.send_at:
        yield "When the shop changes or cancels the order, that makes a new version."


def _when(stamp: str, now: str, barrier: str) -> str:
    if barrier:
        return "after that"
    return "with the next sync" if stamp <= now else f"by the first sync after {stamp}"

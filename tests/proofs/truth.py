"""What must hold of a ledger and of GSS: after every kill, and in the end. Reads both, changes neither."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from connector.ledger import soundness
from connector.ledger.connection import FILE_NAME, open_ledger

GssOrders = Mapping[str, Mapping[str, Any]]
"""What the sandbox truly has, by packing slip number."""

AT_REST = frozenset({"confirmed", "processed", "late", "withdrawn"})


class Phase(StrEnum):
    """What a run was doing when it was killed, as far as the ledger tells."""

    STARTING = "starting"
    READING = "reading"
    SENDING = "sending"
    READING_BACK = "reading back"
    ENDING = "ending"


class Wreck(msgspec.Struct, frozen=True):
    """What a kill left behind: what the run was doing, and how many calls it had written down and not settled."""

    phase: Phase
    open_attempts: int


@contextmanager
def copy_of(state: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the ledger, opened as the program opens it: the ledger itself is left to the program."""
    copy = state.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(state, copy)
    with open_ledger(copy) as ledger:
        yield ledger.db


def after_a_kill(state: Path, runs_before: int, exports: int, gss: GssOrders) -> Wreck:
    """Look at what a kill left; AssertionError where it is not sound.

    runs_before: runs the ledger had before the one that was killed; exports: how many files the shop showed.
    """
    if not (state / FILE_NAME).exists():
        assert not gss, "something was sent before there was a ledger"
        return Wreck(Phase.STARTING, 0)
    with copy_of(state) as db:
        assert soundness.check(db) == []
        assert _rows(db, _IN_TWO_OPEN_ATTEMPTS) == []
        unknown = set(gss) - {number for (number,) in _rows(db, _WRITTEN_DOWN)}
        assert not unknown, f"sent before it was written down: {sorted(unknown)[:5]}"
        open_attempts = _rows(db, "SELECT count(*) FROM attempts WHERE outcome IS NULL")[0][0]
        return Wreck(_phase(db, runs_before, exports, open_attempts), open_attempts)


_IN_TWO_OPEN_ATTEMPTS = """
SELECT v.slip_id
FROM attempts a JOIN attempt_versions av ON av.attempt_id = a.id JOIN versions v ON v.id = av.version_id
WHERE a.outcome IS NULL GROUP BY v.slip_id HAVING count(*) > 1
"""
_WRITTEN_DOWN = "SELECT DISTINCT s.number FROM slips s JOIN versions v ON v.slip_id = s.id WHERE v.tries > 0"


def _phase(db: sqlite3.Connection, runs_before: int, exports: int, open_attempts: int) -> Phase:
    runs = _rows(db, "SELECT ended_at FROM runs ORDER BY id")
    if len(runs) == runs_before:
        return Phase.STARTING
    if runs[-1][0] is not None:
        return Phase.ENDING
    if _exports_read(db) < exports:
        return Phase.READING
    return Phase.SENDING if open_attempts else Phase.READING_BACK


def _exports_read(db: sqlite3.Connection) -> int:
    cursors = _rows(db, "SELECT cursor FROM cursors")
    marks = json.loads(cursors[0][0]).get("files", {}).values() if cursors else ()
    return sum(mark.get("state", "read") == "read" for mark in marks)


def runs_of(state: Path) -> int:
    """How many runs the ledger knows."""
    if not (state / FILE_NAME).exists():
        return 0
    with copy_of(state) as db:
        return int(_rows(db, "SELECT count(*) FROM runs")[0][0])


def states_of(state: Path) -> dict[str, str]:
    """Where each slip stands, by its number: the state of its newest version."""
    with copy_of(state) as db:
        return dict(
            _rows(db, "SELECT s.number, v.state FROM versions v JOIN slips s ON s.id = v.slip_id WHERE v.newest = 1")
        )


def all_wrong(state: Path, wanted: Mapping[str, str | None], gss: GssOrders, *, are_labels_read: bool) -> list[str]:
    """Everything that is not as the shop wants it and the ledger claims it, a sentence each; empty when all is well.

    wanted: each order's street as the shop said last, None for a cancelled one.
    are_labels_read: whether every label that was printed must be known by now; of the right version it may be news.
    """
    states = states_of(state)
    with copy_of(state) as db:
        late = {row[0] for row in _rows(db, _LATE_ALERTS)}
        wrong = [f"{number}: nobody ordered it" for number in gss if number not in wanted]
        for number, street in wanted.items():
            stands = states.get(number, "unknown")
            if stands == "late" and number not in late:
                stands = "late without an alert"
            if stands == "confirmed" and not are_labels_read and gss.get(number, {}).get("state") == "processed":
                stands = "processed"
            if found := _wrong(street, gss.get(number), stands):
                wrong.append(f"{number}: {found}; {_history(db, number)}")
    return wrong


_LATE_ALERTS = """
SELECT s.number FROM alerts a JOIN slips s ON s.id = a.slip_id WHERE a.kind = 'late' AND a.closed_at IS NULL
"""


def _wrong(street: str | None, order: Mapping[str, Any] | None, stands: str) -> str:
    """What is wrong with one order that stands so in the ledger; "" for nothing."""
    if order is None or order["state"] == "deleted":
        found, right = "not at GSS", street is None and stands == "withdrawn"
    elif street is not None and order["creations"] != 1:
        found, right = f"made {order['creations']} times at GSS", False
    else:
        is_newest = order["sent"]["address2"] == street
        found = f"{order['state']} at GSS in {'its newest' if is_newest else 'an older'} version"
        right = stands == _STANDS.get((order["state"], is_newest))
    return "" if right else f"{found}, {stands} in the ledger"


_STANDS = {("pending", True): "confirmed", ("processed", True): "processed", ("processed", False): "late"}
"""(state at GSS, whether it has the newest version there) -> the state the ledger must have it in."""


def _history(db: sqlite3.Connection, number: str) -> str:
    """A slip's versions and the attempts that carried them: what one needs to understand what went wrong."""
    rows = _rows(
        db,
        "SELECT v.seq, v.op, v.state, v.ghosts, v.send_at, v.read_at, a.id, a.outcome, av.answer, a.ended_at"
        " FROM slips s JOIN versions v ON v.slip_id = s.id LEFT JOIN attempt_versions av ON av.version_id = v.id"
        " LEFT JOIN attempts a ON a.id = av.attempt_id WHERE s.number = ? ORDER BY v.seq, a.id",
        number,
    )
    return " | ".join(" ".join(str(value) for value in row if value is not None) for row in rows)


def _rows(db: sqlite3.Connection, query: str, *values: str) -> list[Any]:
    return db.execute(query, values).fetchall()

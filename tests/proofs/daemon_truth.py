"""What must hold of ledger, inbox and GSS after a kill of receiver or daemon, and in the end. Changes none of them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from connector.inbox.file import path_of
from connector.ledger import soundness
from connector.ledger.connection import FILE_NAME, open_ledger
from tests.proofs import truth
from tests.proofs.truth import AT_REST, GssOrders


def after_a_kill(state: Path, orders: list[dict[str, Any]]) -> int:
    """How many calls were under way; AssertionError where what the daemon left is not sound.

    orders: what GSS had after the kill. The daemon must be dead.
    """
    if not (state / FILE_NAME).exists():
        assert not orders, "something was sent before there was a ledger"
        return 0
    with copy_of(state) as db:
        assert soundness.check(db) == []
        assert db.execute(truth._IN_TWO_OPEN_ATTEMPTS).fetchall() == []
        unknown = {order["number"] for order in orders} - {number for (number,) in db.execute(truth._WRITTEN_DOWN)}
        assert not unknown, f"sent before it was written down: {sorted(unknown)[:5]}"
        claims = _claims_beyond_proof(db, {order["number"]: order for order in orders})
        assert not claims, claims[:5]
        open_attempts: int = db.execute("SELECT count(*) FROM attempts WHERE outcome IS NULL").fetchone()[0]
        return open_attempts


_CONFIRMED: str = """
SELECT s.number, v.op, b.body FROM versions v JOIN slips s ON s.id = v.slip_id LEFT JOIN bodies b ON b.version_id = v.id
WHERE v.newest = 1 AND v.state = ?
"""


def _claims_beyond_proof(db: sqlite3.Connection, gss: GssOrders) -> list[str]:
    """Slips that the ledger calls confirmed or withdrawn and GSS does not hold so."""
    wrong = []
    for number, _, body in db.execute(_CONFIRMED, ("confirmed",)):
        order = gss.get(number)
        if order is None or order["state"] == "deleted":
            wrong.append(f"{number}: confirmed, and not at GSS")
        elif order["sent"]["address2"] != json.loads(body)["address2"]:
            wrong.append(f"{number}: confirmed, and GSS has another version; {truth._history(db, number)}")
    for number, _, _ in db.execute(_CONFIRMED, ("withdrawn",)):
        if number in gss and gss[number]["state"] != "deleted":
            wrong.append(f"{number}: withdrawn, and still at GSS; {truth._history(db, number)}")
    return wrong


@contextmanager
def copy_of(state: Path) -> Iterator[sqlite3.Connection]:
    """A copy of a dead daemon's ledger, opened as the program opens it. The inbox, which may live, is left out."""
    copy = state.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(mode=0o700)
    for file in state.glob(f"{FILE_NAME}*"):
        shutil.copy2(file, copy / file.name)
    with open_ledger(copy) as ledger:
        yield ledger.db


def waiting(state: Path) -> int:
    """How many deliveries of a living inbox are still to be looked at."""
    with closing(_read_only(path_of(state))) as db:
        found: int = db.execute("SELECT count(*) FROM deliveries WHERE state = 'waiting'").fetchone()[0]
        return found


def lost_deliveries(state: Path, answered: Iterable[tuple[str, bytes]]) -> list[str]:
    """Deliveries that were answered 2xx, by store and hash, and are not in the inbox as dealt with."""
    with closing(_read_only(path_of(state))) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        states = {(store, hashed): how for store, hashed, how in db.execute(_DELIVERIES)}
    wrong = []
    for store, hashed in answered:
        if (how := states.get((store, hashed))) != "done":
            wrong.append(f"a delivery to {store} that was answered 2xx is {how or 'lost'}")
    return wrong


_DELIVERIES = "SELECT store, body_hash, state FROM deliveries"


def moving(state: Path) -> list[str]:
    """Slips of a living ledger that are not at rest; one whose journal only its daemon may roll back is at none."""
    with closing(_read_only(state / FILE_NAME)) as db:
        try:
            newest = _newest(db)
        except sqlite3.OperationalError as err:
            if not err.sqlite_errorname.startswith("SQLITE_READONLY"):
                raise
            return ["whatever stands in the journal that the daemon before left"]
    return [f"{number} {how}" for number, (how, _) in newest.items() if how not in AT_REST]


def unlike(state: Path, wanted: Mapping[str, str | None]) -> list[str]:
    """Orders of a living ledger whose newest version is not what the shop said last."""
    with closing(_read_only(state / FILE_NAME)) as db:
        newest = _newest(db)
    return [number for number, street in wanted.items() if newest.get(number, ("", None))[1] != street]


_NEWEST = """
SELECT s.number, v.state, v.op, b.body FROM versions v JOIN slips s ON s.id = v.slip_id
LEFT JOIN bodies b ON b.version_id = v.id WHERE v.newest = 1 AND s.number IS NOT NULL
"""


def _newest(db: sqlite3.Connection) -> dict[str, tuple[str, str | None]]:
    """Each slip's state and street, None for a cancelled one."""
    return {
        number: (how, json.loads(body)["address2"] if op == "put" and body else None)
        for number, how, op, body in db.execute(_NEWEST)
    }


def all_wrong(state: Path, wanted: Mapping[str, str | None], gss: GssOrders) -> list[str]:
    """Everything that is not as the shops want it and the ledger claims it, a sentence each. The daemon has stopped."""
    with copy_of(state) as db:
        wrong = [*soundness.check(db), *_claims_beyond_proof(db, gss)]
        if open_attempts := db.execute("SELECT count(*) FROM attempts WHERE outcome IS NULL").fetchone()[0]:
            wrong.append(f"{open_attempts} attempts are still open")
        known = _newest(db)
        told = {number for (number,) in db.execute(truth._LATE_ALERTS)}
        # A shop that goes back to what is on the label leaves the slip late, as it once was: that is a person's to
        # close. A cancelled one may be made anew by a ghost, a call that outlived the daemon which made it (X5).
        back = {
            number
            for number, (how, _) in known.items()
            if how == "late" and number in told and gss.get(number, {}).get("state") == "processed"
        }
        wrong += [
            f"{number}: made {gss[number]['creations']} times at GSS, {how}; {truth._history(db, number)}"
            for number, (how, _) in known.items()
            if number in back and wanted.get(number) is not None and gss[number]["creations"] != 1
        ]
    never_told = {number for number, street in wanted.items() if street is None and number not in known}
    wrong += [f"{number}: cancelled before it was known, and at GSS" for number in never_told & gss.keys()]
    rest = {number: street for number, street in wanted.items() if number not in never_told | back}
    there = {number: order for number, order in gss.items() if number not in never_told | back}
    return wrong + truth.all_wrong(state, rest, there, are_labels_read=False)


def _read_only(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    db.execute("PRAGMA query_only = on")
    return db

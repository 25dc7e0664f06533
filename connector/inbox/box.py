"""The inbox: deliveries that were answered and are still to be looked at. Knows no signature and no shop.

One SQLite file apart from the ledger, so that a receiver needs neither the ledger nor any key but its own. A delivery
is one row by store and body, however often it comes; nothing that was answered for is lost by a crash after the answer.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any, Final

from connector.inbox import file
from connector.inbox.delivery import Delivery, Head, InboxAlert, State
from connector.inbox.errors import (
    UNREADABLE,
    InboxDamaged,
    InboxDoubtful,
    InboxError,
    InboxFull,
    InboxGone,
    as_inbox_error,
)
from connector.ledger.times import moment, stamp

QUOTA: Final = 500_000_000
"""How many bytes the inbox may take unless told otherwise."""
ROOMY: Final = 0.8
"""The part of the quota up to which nothing has to make room."""
_ROW: Final = 400
"""What a delivery takes beside its body, about, in bytes."""
_LOT: Final = 8_000_000
"""Bodies handed out at once, in bytes: a lot of large ones is a short one."""

FULL: Final = "inbox full"
QUARANTINED: Final = "delivery quarantined"

# A delivery that comes again after it was dealt with is looked at again: the same few bytes, {"id":42}, are sent for an
# order that is trashed, restored and trashed once more (recorded: woocommerce-live, order.deleted).
_ADD: Final = """
INSERT INTO deliveries (store, topic, delivery_id, received_at, body_hash, state, why, handled_at, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (store, body_hash) DO UPDATE SET
    times = times + 1, state = CASE state WHEN 'done' THEN 'waiting' ELSE state END
"""
_CAME_AGAIN: Final = "SELECT id FROM deliveries WHERE id = ? AND times <> ?"
_STORES_WAITING: Final = """
WITH RECURSIVE found (store) AS (
    SELECT min(store) FROM deliveries WHERE state = 'waiting'
    UNION ALL
    SELECT (SELECT min(store) FROM deliveries WHERE state = 'waiting' AND store > found.store)
    FROM found WHERE found.store IS NOT NULL
)
SELECT store FROM found WHERE store IS NOT NULL
"""
_WHOLE: Final = "store, topic, delivery_id, received_at, body, state, why, times, id, body_hash"
_HEAD: Final = "id, store, topic, delivery_id, received_at, state, why, times, length(body)"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Inbox:
    """One open connection, which threads may share: each call has it alone. Every call raises InboxError.

    A file that was damaged, replaced, or whose disk failed is opened anew by the next call; one that is gone is not
    made again (open does that).
    """

    def __init__(self, path: Path, quota: int, now: Callable[[], datetime]) -> None:
        self.path = path
        self._quota = quota
        self._now = now
        self._alone = RLock()
        self._openings = 0
        self._pid = os.getpid()
        self._db: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    @classmethod
    def open(
        cls, state: Path, *, create: bool = True, quota: int = QUOTA, now: Callable[[], datetime] = _utc_now
    ) -> Inbox:
        """The inbox of a state folder; made if there is none, or InboxGone where create is False.

        quota  bytes; above it deliveries are refused. now  aware; when something was dealt with.
        """
        inbox = cls(file.find_or_make(state) if create else file.path_of(state), quota, now)
        inbox._connected()
        return inbox

    def add(self, deliveries: Iterable[Delivery]) -> int:
        """Write them all in one commit, synced when this returns; how many had not come before.

        Who answers 2xx does so after this. Raises InboxFull where they would not fit: nothing was written then.
        """
        rows = [_row(each) for each in deliveries]
        try:
            with self._writing() as db:
                return self._added(db, rows)
        except InboxFull:
            with suppress(InboxError):
                self.alert(FULL, "", _full_text(self.size, self._quota))
            raise

    def _added(self, db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> int:
        self._make_room(db, sum(len(row[-1]) + _ROW for row in rows))
        before = _last_id(db)
        db.executemany(_ADD, rows)
        new: int = db.execute("SELECT count(*) FROM deliveries WHERE id > ?", (before,)).fetchone()[0]
        for store in {row[0] for row in rows if row[5] == State.QUARANTINED} if new else ():
            self._alert(db, QUARANTINED, store, _quarantine_text(store))
        return new

    def stores_waiting(self) -> list[str]:
        """The stores that have something to be looked at, by name; cheap however much waits."""
        with self._reading() as db:
            return [store for (store,) in db.execute(_STORES_WAITING)]

    def waiting(self, store: str, most: int) -> list[Delivery]:
        """What a store has waiting, the oldest first; fewer than asked for where bodies are large, never none.

        One whose bytes are not those that were signed (a disk that lies) is quarantined and not handed out (I3).
        """
        return self._lot(State.WAITING, store, 0, most)

    def looked_at(self, store: str, after: int, most: int) -> list[Delivery]:
        """What a store told that was looked at and is still kept, the oldest first, from the one after `after` (an id;
        0: the first); as `waiting` hands it out."""
        return self._lot(State.DONE, store, after, most)

    def _lot(self, state: State, store: str, after: int, most: int) -> list[Delivery]:
        found: list[Delivery] = []
        damaged: list[int] = []
        size = 0
        with self._reading() as db:
            rows = db.execute(
                f"SELECT {_WHOLE} FROM deliveries WHERE state = ? AND store = ? AND id > ? ORDER BY id LIMIT ?",  # noqa: S608
                (state.value, store, after, most),
            )
            for row in rows:
                size += len(row[4])
                if found and size > _LOT:
                    break
                if sha256(row[4]).digest() != row[-1]:
                    damaged.append(row[-2])
                    continue
                found.append(_delivery(row))
            rows.close()
        for each in damaged:
            with suppress(InboxFull):  # then it waits, and the others go on (I14)
                self.quarantine(each, "its bytes are not those that came")
        return found

    def done(self, ids: Sequence[int], times: Mapping[int, int] | None = None) -> None:
        """These were looked at, and what came of it is on disk. Called after that commit: a crash between has them
        looked at once more, which changes nothing (I9).

        times  how often each had come when it was looked at: one that came again since goes on waiting
        """
        seen = times or {}
        with self._writing() as db:
            again = {row[0] for one in seen for row in db.execute(_CAME_AGAIN, (one, seen[one]))}
            self._move(db, [one for one in ids if one not in again], State.DONE, "")

    def quarantine(self, one: int, why: str) -> None:
        """Nothing can be made of this one. why  in a person's words, without the body's."""
        with self._writing() as db:
            store = db.execute("SELECT store FROM deliveries WHERE id = ?", (one,)).fetchone()
            self._move(db, [one], State.QUARANTINED, why)
            if store:
                self._alert(db, QUARANTINED, store[0], _quarantine_text(store[0]))

    def replay(self, one: int) -> bool:
        """Have a delivery looked at again; False where there is none, or its body was erased or is to be."""
        with self._writing() as db:
            moved = db.execute(
                "UPDATE deliveries SET state = 'waiting', why = '', handled_at = NULL WHERE id = ?"
                " AND state <> 'erased' AND (state <> 'waiting' OR why = '')",
                (one,),
            ).rowcount
        return moved == 1

    def data_version(self) -> int:
        """A number that changes once another connection has written (PRAGMA data_version): a cheap look."""
        with self._reading() as db:
            version: int = db.execute("PRAGMA data_version").fetchone()[0]
            return (self._openings << 32) + version

    def counts(self) -> dict[str, dict[State, int]]:
        """How many deliveries each store has in each state; states with none are left out."""
        found: dict[str, dict[State, int]] = {}
        with self._reading() as db:
            for state, store, count in db.execute(
                "SELECT state, store, count(*) FROM deliveries GROUP BY state, store"
            ):
                found.setdefault(store, {})[State(state)] = count
        return found

    @property
    def size(self) -> int:
        """Bytes in use; the quota bounds these."""
        with self._reading() as db:
            return _used(db)

    @property
    def quota(self) -> int:
        return self._quota

    def oldest_waiting(self) -> datetime | None:
        """When the delivery came that has waited longest; None where none waits."""
        with self._reading() as db:
            row = db.execute(
                "SELECT received_at FROM deliveries WHERE state = 'waiting' ORDER BY id LIMIT 1"
            ).fetchone()
        return moment(row[0]) if row else None

    def heads(self, *, store: str | None = None, states: Sequence[State] = (), most: int = 100) -> list[Head]:
        """The newest deliveries, without their bodies."""
        wanted = [state.value for state in (states or State)]
        marks = ", ".join("?" * len(wanted))
        with self._reading() as db:
            rows = db.execute(
                f"SELECT {_HEAD} FROM deliveries WHERE state IN ({marks}) AND (? IS NULL OR store = ?)"  # noqa: S608
                " ORDER BY id DESC LIMIT ?",
                (*wanted, store, store, most),
            )
            return [_head(row) for row in rows]

    def one(self, one: int) -> Delivery | None:
        """A delivery, whatever became of it."""
        with self._reading() as db:
            row = db.execute(f"SELECT {_WHOLE} FROM deliveries WHERE id = ?", (one,)).fetchone()  # noqa: S608
        return _delivery(row) if row else None

    def after(self, last: int, most: int) -> list[Delivery]:
        """Deliveries of every store and state by id, from the one after `last` (0: the first): to search them all."""
        with self._reading() as db:
            rows = db.execute(f"SELECT {_WHOLE} FROM deliveries WHERE id > ? ORDER BY id LIMIT ?", (last, most))  # noqa: S608
            return [_delivery(row) for row in rows]

    def forget(self, before: datetime, most: int = 1_000, store: str | None = None) -> int:
        """Remove what was dealt with before a time, at most so many, of one store or of all; how many. What waits is
        never forgotten."""
        with self._writing() as db:
            return db.execute(
                "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state <> 'waiting'"
                " AND handled_at < ? AND (? IS NULL OR store = ?) LIMIT ?)",
                (stamp(before), store, store, most),
            ).rowcount

    def blank(self, ids: Sequence[int], why: str, *, once_heard: bool = False) -> int:
        """Wipe the bodies of these, whatever their state; how many. Fingerprints stay: a replay brings none back.

        once_heard  one that waits is only marked with the reason, and wiped when it was looked at
        """
        with self._writing() as db:
            if once_heard:
                marked = [(why, one) for one in ids]
                db.executemany("UPDATE deliveries SET why = ? WHERE id = ? AND state = 'waiting'", marked)
            return db.executemany(
                "UPDATE deliveries SET state = 'erased', body = x'', why = ?, handled_at = ? WHERE id = ?"
                " AND NOT (? AND state = 'waiting')",
                [(why, stamp(self._now()), one, once_heard) for one in ids],
            ).rowcount

    def alert(self, kind: str, store: str, text: str) -> None:
        """Open an alert, or leave the one of its kind that is open. text  without anything of a customer (SEC47)."""
        with self._writing() as db:
            self._alert(db, kind, store, text)

    def alerts(self) -> list[InboxAlert]:
        """What a person must look at; the daemon carries them into the ledger's alerts."""
        with self._reading() as db:
            rows = db.execute("SELECT id, kind, store, text, opened_at FROM alerts WHERE closed_at IS NULL ORDER BY id")
            return [InboxAlert(one, kind, store, text, moment(at)) for one, kind, store, text, at in rows]

    def close_alerts(self, ids: Sequence[int]) -> None:
        """Somebody has them now."""
        with self._writing() as db:
            db.executemany("UPDATE alerts SET closed_at = ? WHERE id = ?", [(stamp(self._now()), one) for one in ids])

    def refuse_unwritable(self) -> None:
        """Raise InboxError where a delivery could not be written now. Nothing is written."""
        with self._alone, self._translated():
            db = self._connected()
            self._refuse_full(_used(db) + _ROW)
            db.execute("BEGIN IMMEDIATE")
            try:
                db.execute("INSERT INTO alerts (kind, store, text, opened_at) VALUES ('a try', '', '', '')")
            finally:
                db.execute("ROLLBACK")

    def close(self) -> None:
        """Let the file go. A later call opens it again."""
        with self._alone:
            if self._db is not None:
                self._db.close()
            self._db = None

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._alone, self._translated():
            yield self._connected()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing, synced when it returns."""
        with self._alone, self._translated():
            db = self._connected()
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            if _identity(self.path) != self._identity:  # set aside while we wrote: what we wrote lies in no inbox
                raise InboxGone(f"{self.path}: the inbox was moved while a delivery was written; it has to come again.")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except UNREADABLE as err:
            found = as_inbox_error(err, self.path)
            if isinstance(found, InboxDamaged | InboxDoubtful):
                self.close()
            raise found from err

    def _connected(self) -> sqlite3.Connection:
        """The connection, to the file that lies there now."""
        if os.getpid() != self._pid:
            raise InboxError("the inbox was opened by another process; open it anew after a fork")
        if self._db is not None and _identity(self.path) == self._identity:
            return self._db
        self.close()
        self._db = file.open_file(self.path)
        self._identity = _identity(self.path)
        self._openings += 1
        return self._db

    # Parts of a transaction

    def _move(self, db: sqlite3.Connection, ids: Sequence[int], state: State, why: str) -> None:
        """What waits with a reason is to be wiped (see `blank`): so it is, whatever came of it."""
        at = stamp(self._now())
        db.executemany(
            "UPDATE deliveries SET state = 'erased', body = x'', handled_at = ?"
            " WHERE id = ? AND state = 'waiting' AND why <> ''",
            [(at, one) for one in ids],
        )
        db.executemany(
            "UPDATE deliveries SET state = ?, why = ?, handled_at = ? WHERE id = ? AND state <> 'erased'",
            [(state.value, why, at, one) for one in ids],
        )

    def _alert(self, db: sqlite3.Connection, kind: str, store: str, text: str) -> None:
        db.execute(
            "INSERT OR IGNORE INTO alerts (kind, store, text, opened_at) VALUES (?, ?, ?, ?)",
            (kind, store, text, stamp(self._now())),
        )

    def _make_room(self, db: sqlite3.Connection, size: int) -> None:
        """Above the roomy part what was dealt with goes first, the oldest; what waits never does."""
        used = _used(db)
        if used + size <= self._quota * ROOMY:
            return
        gone = db.execute(
            "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state IN ('done', 'erased')"
            " ORDER BY id LIMIT 1000)"
        ).rowcount
        if not gone:
            self._alert(db, FULL, "", _full_text(used, self._quota))
        self._refuse_full(_used(db) + size)

    def _refuse_full(self, size: int) -> None:
        if size > self._quota:
            raise InboxFull(
                f"{self.path}: the inbox is full ({self._quota // 1_000_000} MB); deliveries are refused until those "
                "that wait were looked at. Look whether the daemon runs."
            )


def _row(each: Delivery) -> tuple[Any, ...]:
    at = stamp(each.received_at)
    handled = None if each.state == State.WAITING else at
    return (
        each.store, each.topic, each.delivery_id, at, each.body_hash, each.state.value, each.why, handled, each.body,
    )  # fmt: skip


def _delivery(row: tuple[Any, ...]) -> Delivery:
    store, topic, delivery_id, at, body, state, why, times, one, _ = row
    return Delivery(store, topic, delivery_id, moment(at), body, State(state), why, times, one)


def _head(row: tuple[Any, ...]) -> Head:
    one, store, topic, delivery_id, at, state, why, times, size = row
    return Head(one, store, topic, delivery_id, moment(at), State(state), why, times, size)


def _last_id(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT max(id) FROM deliveries").fetchone()
    return int(row[0] or 0)


def _used(db: sqlite3.Connection) -> int:
    pages: int = db.execute("PRAGMA page_count").fetchone()[0]
    free: int = db.execute("PRAGMA freelist_count").fetchone()[0]
    return (pages - free) * file.PAGE_SIZE


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _quarantine_text(store: str) -> str:
    return (
        f"A signed delivery to {store} can't be understood and is kept apart. Look at it with: connector inbox list "
        f"quarantined --store {store}"
    )


def _full_text(used: int, quota: int) -> str:
    return (
        f"The inbox holds {used // 1_000_000} MB of at most {quota // 1_000_000} MB, all of it waiting. Once it is "
        "full, deliveries are refused. Look whether the daemon runs, and what holds it up."
    )

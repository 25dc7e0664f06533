"""The ledger's tables and how an older ledger becomes a newer one. Plain SQL, applied step by step; knows no rules.

Every step is one named function, applied in one transaction with its own record (PRAGMA user_version), so a crash
leaves the old or the new schema whole. Times are text that sorts and reads well, UTC: `2026-11-23T09:30:00.000Z`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from typing import Final


def first_tables(db: sqlite3.Connection) -> None:
    """0 to 1: everything."""
    for statement in _FIRST.split(";\n\n"):
        db.execute(statement)


_FIRST: Final = """
CREATE TABLE slips (
    id INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    order_id TEXT NOT NULL,
    part TEXT NOT NULL DEFAULT '',
    order_number TEXT NOT NULL,          -- what people call the order
    number TEXT,                         -- the packing slip number, given once; null while two orders want it
    number_key TEXT NOT NULL,            -- the number as GSS may compare it (case, width, spaces)
    clash_key TEXT NOT NULL DEFAULT '',  -- the same without the zeros in front of figures
    destination TEXT NOT NULL,           -- GSS account and site, frozen with the number
    revision TEXT NOT NULL,              -- the shop's revision of the newest change recorded
    content BLOB,                        -- hash of what the shop said then
    origin TEXT NOT NULL DEFAULT '',     -- where it was read last
    ticket TEXT,
    tracking_url TEXT,
    gss_status TEXT,
    picked TEXT,
    delivered TEXT,
    created_at TEXT NOT NULL,
    erase_at TEXT,                       -- since when its personal data is to go as soon as the order is over
    stop TEXT CHECK (stop = 'wait' OR stop = 'skip'),     -- what GSS hasn't of it is not made there, the shop says
    stop_reason TEXT,
    shipment TEXT NOT NULL DEFAULT '',   -- the shop's key of what this part ships: it stays this slip's
    UNIQUE (store, order_id, part)
) STRICT;

CREATE UNIQUE INDEX one_slip_per_number ON slips (destination, number_key) WHERE number IS NOT NULL;

CREATE INDEX slips_by_clash_key ON slips (clash_key);

CREATE INDEX slips_by_order_number ON slips (order_number);

CREATE TABLE versions (
    id INTEGER PRIMARY KEY,
    slip_id INTEGER NOT NULL REFERENCES slips (id),
    seq INTEGER NOT NULL,
    store TEXT NOT NULL,
    newest INTEGER NOT NULL DEFAULT 1 CHECK (newest IN (0, 1)),
    op TEXT NOT NULL CHECK (op IN ('put', 'delete')),
    state TEXT NOT NULL CHECK (          -- not IN: SQLite would make a table of its values for each row
        state = 'owed' OR state = 'sending' OR state = 'accepted' OR state = 'confirmed' OR state = 'unclear'
        OR state = 'held' OR state = 'ticketed' OR state = 'processed' OR state = 'late' OR state = 'refused'
        OR state = 'withdrawn' OR state = 'superseded' OR state = 'closed'),
    reason TEXT NOT NULL DEFAULT '',
    hash TEXT,                           -- of the body; null for a delete and where no slip could be made
    revision TEXT NOT NULL,
    urgency INTEGER,                     -- 0 cancel, 1 change, 2 new; null when nothing is to be sent
    lot TEXT NOT NULL DEFAULT '',        -- part of a batch that was split
    send_at TEXT,
    read_at TEXT,                        -- when GSS is asked about it next
    tries INTEGER NOT NULL DEFAULT 0,
    strikes INTEGER NOT NULL DEFAULT 0,
    struck_at TEXT,
    ghosts INTEGER NOT NULL DEFAULT 0,
    attempt_id INTEGER REFERENCES attempts (id),
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    UNIQUE (slip_id, seq)
) STRICT;

CREATE UNIQUE INDEX one_newest ON versions (slip_id) WHERE newest = 1;

CREATE UNIQUE INDEX one_open_attempt ON versions (slip_id) WHERE state = 'sending';

CREATE INDEX versions_owed ON versions (store, urgency, id) WHERE urgency IS NOT NULL;

CREATE INDEX versions_to_read ON versions (store, read_at) WHERE read_at IS NOT NULL;

CREATE INDEX versions_waiting ON versions (store, state)
WHERE newest = 1 AND (state = 'held' OR state = 'refused' OR state = 'late');

CREATE TABLE bodies (                    -- apart from versions, so that a move doesn't write them again
    version_id INTEGER PRIMARY KEY REFERENCES versions (id),
    body TEXT,                           -- the exact JSON for GSS; null where no slip could be made
    receipts TEXT                        -- JSON: what was moved, cut or mended
) STRICT;

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    op TEXT NOT NULL,
    slips INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,                        -- null while open
    http_status INTEGER,
    note TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX attempts_open ON attempts (store) WHERE outcome IS NULL;

CREATE TABLE attempt_versions (
    attempt_id INTEGER NOT NULL REFERENCES attempts (id),
    version_id INTEGER NOT NULL REFERENCES versions (id),
    answer TEXT,                         -- null while open, and where the call's outcome says it all
    PRIMARY KEY (attempt_id, version_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_of_version ON attempt_versions (version_id);

CREATE TABLE passed_over (
    store TEXT NOT NULL,
    order_id TEXT NOT NULL,
    part TEXT NOT NULL DEFAULT '',
    order_number TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('wait', 'skip')),
    reason TEXT NOT NULL,
    until TEXT,
    revision TEXT NOT NULL,
    content BLOB,
    origin TEXT NOT NULL DEFAULT '',
    seen_at TEXT NOT NULL,
    shipment TEXT NOT NULL DEFAULT '',   -- as in slips
    PRIMARY KEY (store, order_id, part)
) STRICT, WITHOUT ROWID;

CREATE INDEX passed_over_until ON passed_over (store, until) WHERE until IS NOT NULL;

CREATE TABLE cursors (
    store TEXT PRIMARY KEY,
    cursor TEXT NOT NULL,
    moved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stores (
    store TEXT PRIMARY KEY,
    destination TEXT NOT NULL,
    swept_at TEXT                        -- when a sweep over the shop's open orders last came to its end
) STRICT, WITHOUT ROWID;

CREATE TABLE gates (
    gate TEXT PRIMARY KEY,               -- a destination and the fingerprint of the key used there
    failures INTEGER NOT NULL DEFAULT 0,
    shut_until TEXT,
    reason TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
    gate TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX calls_by_gate ON calls (gate, at);

CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    slip_id INTEGER REFERENCES slips (id),
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    closed_at TEXT,
    closed_by TEXT
) STRICT;

CREATE UNIQUE INDEX one_open_alert ON alerts ( -- what a shop's pages tell is told apart by its words
    store, coalesce(slip_id, 0), kind, CASE kind WHEN 'input' THEN text ELSE '' END
) WHERE closed_at IS NULL;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    counts TEXT NOT NULL DEFAULT '{}',
    problem TEXT
) STRICT;

CREATE INDEX runs_by_store ON runs (store, id);

CREATE INDEX runs_not_ended ON runs (started_at) WHERE ended_at IS NULL;

CREATE TABLE checks (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at TEXT NOT NULL,                    -- when every page was last read and found sound
    sqlite TEXT NOT NULL                 -- by which SQLite
) STRICT;

CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    slip_id INTEGER,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TRIGGER actions_are_never_changed BEFORE UPDATE ON actions -- but for a reason's words, which may go
WHEN new.reason != '' OR (new.id, new.at, new.who, new.what, new.slip_id)
IS NOT (old.id, old.at, old.who, old.what, old.slip_id)
BEGIN SELECT raise(ABORT, 'actions are append-only'); END;

CREATE TRIGGER actions_are_never_deleted BEFORE DELETE ON actions
BEGIN SELECT raise(ABORT, 'actions are append-only'); END;

CREATE TABLE house (                     -- which ledger this is, how far it has come, and the fence before GSS
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,                 -- the ledger's own name; a new one each time the fence is raised
    mark INTEGER NOT NULL DEFAULT 0,     -- goes up with each start and each backup; the file beside the ledger knows it
    host TEXT NOT NULL DEFAULT '',       -- the machine that used it last
    fence INTEGER NOT NULL DEFAULT 0,    -- how often the fence was raised
    raised_at TEXT,
    why TEXT NOT NULL DEFAULT '',
    asks INTEGER NOT NULL DEFAULT 0 CHECK (asks IN (0, 1)),    -- a person must say that no other machine sends
    adopts INTEGER NOT NULL DEFAULT 0 CHECK (adopts IN (0, 1)) -- the ledger was lost: what GSS has is taken as known
) STRICT;

INSERT INTO house (id, epoch) VALUES (1, lower(hex(randomblob(16))));

CREATE TABLE passes (                    -- which stores may send again; a store without a row never met a fence
    store TEXT PRIMARY KEY,
    polled INTEGER NOT NULL DEFAULT 0,   -- the fence behind which its shop was read and swept to the end
    passed INTEGER NOT NULL DEFAULT 0,   -- the fence it has passed
    asked INTEGER NOT NULL DEFAULT 0,    -- the fence behind which GSS was asked up to this slip and this order:
    slip_id INTEGER NOT NULL DEFAULT 0,
    order_id TEXT NOT NULL DEFAULT '',
    part TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE set_aside (                 -- rows that an upgrade could not carry over
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    source TEXT NOT NULL,                -- the table it stood in
    row TEXT NOT NULL,                   -- JSON; bytes as hex
    why TEXT NOT NULL
) STRICT;

CREATE VIEW orders AS
SELECT s.store, s.order_number, s.number AS slip, v.seq AS version, v.op, v.state, v.reason, s.ticket, v.changed_at
FROM slips s JOIN versions v ON v.slip_id = s.id AND v.newest = 1
UNION ALL
SELECT store, order_number, NULL, NULL, NULL, decision, reason, NULL, seen_at FROM passed_over
"""

Step = Callable[[sqlite3.Connection], None]
STEPS: Final[tuple[Step, ...]] = (first_tables,)
"""Each step takes the ledger from its index to the next number. A released step is never changed."""

CURRENT: Final = len(STEPS)


def version_of(db: sqlite3.Connection) -> int:
    """The schema number of this ledger; 0 for a new file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def apply_step(db: sqlite3.Connection, number: int) -> None:
    """Take the ledger from `number` to the next, within the caller's transaction."""
    STEPS[number](db)
    db.execute(f"PRAGMA user_version = {number + 1:d}")


def fingerprint(db: sqlite3.Connection) -> str:
    """A hash over tables, indexes, triggers and views as they stand (L23); ANALYZE's own tables are left out."""
    rows = db.execute(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND substr(name, 1, 7) != 'sqlite_' ORDER BY type, name"
    ).fetchall()
    return hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest()


def expected_fingerprint() -> str:
    """The fingerprint of a ledger as this program makes it."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for number in range(CURRENT):
            apply_step(db, number)
        return fingerprint(db)
    finally:
        db.close()

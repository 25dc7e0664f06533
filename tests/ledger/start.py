"""When the tests of the ledger begin. A file of its own: programs that are killed again and again start by it."""

from __future__ import annotations

from datetime import UTC, datetime

START = datetime(2026, 5, 4, 0, 0, tzinfo=UTC)

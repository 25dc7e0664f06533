"""A receipt: what was changed on the way from an order to its slip, so that nothing is lost silently. Knows nobody.

Receipts may hold personal data (`before`, `after`): they live in the ledger only, never in a log or an error.
"""

from __future__ import annotations

import msgspec


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """One change: in which field, what stood there, what stands there now, and why (no personal details in it)."""

    field: str
    before: str
    after: str
    why: str

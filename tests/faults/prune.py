"""One run of housekeeping, to be killed or starved: `python -m tests.faults.prune FOLDER`, on FOLDER/state."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from connector.keeping.retention import prune
from connector.ledger.connection import LedgerError, open_ledger
from tests.ledger.start import START

if __name__ == "__main__":
    later = START + timedelta(days=91)
    try:
        with open_ledger(Path(sys.argv[1]) / "state", now=later) as ledger:
            prune(ledger, "kiwi", timedelta(days=90), later, later, piece=3)
    except LedgerError as err:
        os.write(1, f"{err}\n".encode())
        sys.exit(3)

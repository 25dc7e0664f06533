"""One backup, to be killed or starved: `python -m tests.faults.backup FOLDER`, of FOLDER/state to FOLDER/backup.db."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from connector.ledger.backup import back_up
from connector.ledger.connection import LedgerError, open_ledger

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with open_ledger(folder / "state") as ledger:
        try:
            back_up(ledger, folder / "backup.db")
        except LedgerError as err:
            os.write(1, f"{err}\n".encode())
            sys.exit(3)

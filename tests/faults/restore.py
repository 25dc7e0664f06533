"""One restore, to be killed: `python -m tests.faults.restore FOLDER`, of FOLDER/backups' newest to FOLDER/state."""

from __future__ import annotations

import sys
from pathlib import Path

from connector.keeping.backups import backups_in
from connector.keeping.restore import restore
from tests.ledger.start import START

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    restore(backups_in(folder / "backups")[-1][1], folder / "state", START)

"""Which machine this is: enough to notice that a ledger came from another one. Knows no ledger."""

from __future__ import annotations

import hashlib
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

_MACHINE_ID: Final = Path("/etc/machine-id")
"""One for each installed system (machine-id(5)); where it is missing or empty, as in many containers, the name stands
in, which a container changes with every start: so it counts only beside another doubt (connector.ledger.epoch)."""


def this_host(machine_id: Path = _MACHINE_ID) -> str:
    """ "machine ..." or "name ...", hashed: machine-id(5) asks not to show the id itself."""
    with suppress(OSError):
        found = machine_id.read_text(encoding="ascii", errors="replace").strip()
        if found:
            return f"machine {_hashed(found)}"
    return f"name {_hashed(socket.gethostname())}"


def _hashed(text: str) -> str:
    return hashlib.sha256(f"connector ledger {text}".encode()).hexdigest()[:12]

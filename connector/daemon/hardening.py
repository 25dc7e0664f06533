"""What a long-running process gives up at its start, whoever started it and however. Knows no jobs.

A unit file or a container takes more away (deploy/); this is what the program does where there is neither.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4
"""prctl(2)."""


def harden() -> None:
    """No core dump, no other process of this user looking into our memory, files for us alone. What the system doesn't
    know is left out; to be called before anything is opened."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _keep_memory_private()


def _keep_memory_private() -> None:
    """Dumps piped to a program go by this mark and not by the limit (core(5)); so do ptrace and /proc/PID/mem."""
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (ImportError, OSError, MemoryError, AttributeError):
        return

"""What a long-running process gives up at its start."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import ctypes, os, resource
from connector.daemon.hardening import harden
harden()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), oct(os.umask(0)))
"""


def test_SEC34_no_core_no_look_into_memory_and_files_for_us_alone() -> None:
    ran = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=20, check=True)
    assert ran.stdout.split("\n")[0] == "(0, 0) 0 0o77"


def test_Z3_where_the_first_handles_are_closed_no_file_of_ours_gets_them() -> None:
    """Handle 2 would be the next file opened, and what a library prints as an error would be written into it."""
    look = "import os; from connector import handles; handles.take_the_first_handles(); os._exit(os.open('/', 0))"
    ran = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -c "$1" <&- >&- 2>&-', "sh", look], timeout=20, check=False
    )
    assert ran.returncode > 2

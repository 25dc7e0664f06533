"""One program run as a whole process: wall time, processor time and peak memory. Knows no program."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """What one process took: seconds on the clock, seconds of processor (user and system), peak resident megabytes."""

    wall_s: float
    cpu_s: float
    peak_mb: float


class ProgramError(Exception):
    """A measured program ended with an exit code other than 0; the message ends with what it wrote last."""


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """Runs `command` to its end with only `environment`; raises ProgramError.

    The kernel's peak memory of a child begins at ours when it is started, so this process must stay small: whoever
    measures makes its files in processes of their own.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2000:]
            raise ProgramError(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)

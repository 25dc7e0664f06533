"""Runs a program of ours under strace, which kills it, or has a system call fail, at the n-th call of its kind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.given import ROOT

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

KILLED = -9
"""The exit code of a program that strace killed: strace ends itself by the same signal."""


def under_strace(
    program: str,
    folder: Path,
    *inject: str,
    only: Path | None = None,
    trace: str = "",
    log: Path | None = None,
    decoded: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `python -m program folder`. Without --seccomp-bpf: with it, strace 6.1 injects no signal.

    inject: as strace's own option; only: calls about this path; trace: more calls;
    log: where to write them; decoded: with the path behind each handle.
    """
    command = ["strace", "-f", "--quiet=all", "-o", str(log or "/dev/null")]
    calls = trace or ",".join(each.split(":")[0] for each in inject)
    command += ["-e", f"trace={calls}", *(word for each in inject for word in ("-e", f"inject={each}"))]
    if decoded:
        command.append("--decode-fds=path")
    if only:
        command += ["-P", str(only)]
    command += [sys.executable, "-m", program, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def strace_of(calls: str, log: Path) -> list[str]:
    """What to put before a program's words to have these calls of it, and of all it starts, written down with paths."""
    return ["strace", "-f", "--quiet=all", "--decode-fds=path", "-o", str(log), "-e", f"trace={calls}"]

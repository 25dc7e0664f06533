"""The three handles every program begins with: put back where it was started without one, and stopped by no letter.
Knows nobody."""

from __future__ import annotations

import io
import os
import sys
from typing import Final

_FIRST: Final = (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w"))


def take_the_first_handles() -> None:
    """Where a process begins with handle 2 closed, the next file to be opened gets it, and whatever a library prints
    as an error lands in that file: /dev/null takes its place first. Python has no stream then either (failures.md Z3).

    To be called before anything is opened."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    for name, number, mode in _FIRST:
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  as long as we live


def write_every_letter() -> None:
    """A letter that the output's encoding lacks (LANG=C, PYTHONIOENCODING) is written out as its code: else it, and all
    that follows, would be lost."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

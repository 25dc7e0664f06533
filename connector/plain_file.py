"""A small file read once it is known to be one: never a FIFO that blocks, never half of a swap. Knows no meaning."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple


class PlainFile(NamedTuple):
    """What was found. content is empty unless is_plain; mode is the rights alone; size is the whole file in bytes."""

    is_plain: bool
    mode: int
    size: int
    content: bytes


def read(path: Path, largest: int) -> PlainFile:
    """The first `largest` bytes, with what tells whether to trust them. Links are followed. Raises OSError."""
    # Opened first and looked at then, so that nobody can swap it; not blocking, since a FIFO would wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        is_plain = stat.S_ISREG(status.st_mode)
        content = os.read(handle, largest) if is_plain else b""
        return PlainFile(is_plain, stat.S_IMODE(status.st_mode), status.st_size, content)
    finally:
        os.close(handle)


def reason(err: OSError) -> str:
    """Why the system refused, in its own few words ("no such file or directory")."""
    return (err.strerror or type(err).__name__).lower()

"""Lines on their way out: taken without ever waiting, written by a thread of their own. Knows no events.

A reader that went to sleep leaves its pipe full, and a write to it would wait for ever; a full disk refuses
(failures.md Z3, Z4). So the work hands its line over and goes on; what finds no room, or can't be written, is lost and
counted, and the next line that gets through tells how many were.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final, TextIO

MOST_WAITING: Final = 2000
"""Lines kept while nobody reads; with LONGEST_LINE at most 16 MB."""
LONGEST_LINE: Final = 8000
"""Characters of one line."""


class Lines:
    """Where structlog leaves its rendered events.

    write  puts all of these bytes out, and may wait; raises OSError or ValueError where it can't
    told  the line that says so many were lost
    lost  how many, since the start
    """

    def __init__(self, write: Callable[[bytes], None], told: Callable[[int], str], most: int = MOST_WAITING) -> None:
        self.lost = 0
        self._write = write
        self._told = told
        self._most = most
        self._untold = 0
        self._counting = threading.RLock()
        # Neither its put() nor the lock above stops a signal handler that logs while its thread does.
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._put_out, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.finish)

    def msg(self, line: str) -> None:
        if self._waiting.qsize() >= self._most or not self._thread.is_alive():
            self._lose()
        else:
            self._waiting.put(line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…")

    debug = info = warning = warn = error = critical = fatal = exception = log = msg

    def finish(self, within_s: float = 2.0) -> None:
        """Write what waits, for so long at the most; later lines are lost."""
        atexit.unregister(self.finish)
        self._waiting.put(None)
        self._thread.join(within_s)

    def _put_out(self) -> None:
        while (line := self._waiting.get()) is not None:
            untold = self._untold
            try:
                if untold:
                    self._write(f"{self._told(untold)}\n".encode(errors="replace"))
                    self._have_told(untold)
                self._write(f"{line}\n".encode(errors="replace"))
            except (OSError, ValueError):
                self._lose()

    def _have_told(self, lost: int) -> None:
        with self._counting:
            self._untold -= lost

    def _lose(self) -> None:
        with self._counting:
            self.lost += 1
            self._untold += 1


def writer_to(stream: TextIO | None) -> Callable[[bytes], None]:
    """What puts bytes out to a stream: past its buffer where it has a handle of the system."""
    if stream is None:
        return _nowhere
    try:
        handle = stream.fileno()
    except (OSError, ValueError):  # a stream in memory, or one that is closed
        return lambda data: _to_text(stream, data)
    torn = False

    def write(data: bytes) -> None:
        """What the disk cut off is ended first, so that one event stays one line."""
        nonlocal torn
        rest = memoryview(b"\n" + data if torn else data)
        while rest:
            rest = rest[os.write(handle, rest) :]
            torn = bool(rest)

    return write


def _to_text(stream: TextIO, data: bytes) -> None:
    stream.write(data.decode())
    stream.flush()


def _nowhere(_data: bytes) -> None:
    raise OSError

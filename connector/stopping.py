"""A wish to stop, made by SIGINT (Ctrl-C) or SIGTERM: the call under way is finished and settled, then the run ends.

A call that nobody answers has a deadline of its own, longer than anybody waits who asked us to stop. So after a grace
the run leaves it: its attempt is on disk, and the next run asks what became of it (failures.md S28, Z1).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from connector.exit_codes import INTERRUPTED, Code

SLICE_S: Final = 0.25
"""A wait is slept in slices of this, so that a wish to stop is heard."""
GRACE_S: Final = 8.0
"""What the call under way gets; systemd and containers kill after ten."""
SHOW_CURSOR: Final = b"\x1b[?25h"
"""A bar hides it, and whoever ends at once does not come back to the bar's own end."""

LEFT: Final = b"connector: a call under way is not answered; left it. The next run asks what became of it.\n"


@contextmanager
def stopping_on_signals(grace_s: float = GRACE_S) -> Iterator[Callable[[], bool]]:
    """The question whether to stop, for the length of a `with`. A second signal ends the program at once, with 130.

    What a run leaves behind then, or after its grace, is what a power cut leaves: the next run finds the open attempts
    and goes on.
    """
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            _end(INTERRUPTED)
        asked = True
        signal.setitimer(signal.ITIMER_REAL, grace_s)

    handlers = {signal.SIGINT: ask, signal.SIGTERM: ask, signal.SIGALRM: _leave}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield lambda: asked
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(_number: int, _frame: FrameType | None) -> None:
    _end(Code.UNREACHED, LEFT)


def _end(code: int, last_words: bytes = b"") -> NoReturn:
    """In a handler no lock may be waited for, so neither a stream nor a thread is touched: those of calls under way
    would be waited for."""
    os.write(2, (SHOW_CURSOR if os.isatty(2) else b"") + last_words)
    os._exit(code)


def wait(seconds: float, stopping: Callable[[], bool]) -> bool:
    """Sleep for so long, or until we are to stop. Returns whether we are."""
    ends = time.monotonic() + seconds
    while not (stops := stopping()) and (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_S))
    return stops

"""A wish to stop, made by SIGINT (Ctrl-C) or SIGTERM: the call under way is finished and settled, then the run ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SLICE_S: Final = 0.25
"""A wait is slept in slices of this, so that a wish to stop is heard."""


@contextmanager
def stopping_on_signals() -> Iterator[Callable[[], bool]]:
    """The question whether to stop, for the length of a `with`. A second signal ends the program at once, as before.

    What a run leaves behind then is what a power cut leaves: the next run finds the open attempts and goes on.
    """
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait(seconds: float, stopping: Callable[[], bool]) -> None:
    """Sleep for so long, or until we are to stop."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0 and not stopping():
        time.sleep(min(left, SLICE_S))

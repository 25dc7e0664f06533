"""What others would write to the log: libraries, and errors that nobody caught. Knows no events of ours.

A library's message may quote a URL with its keys, a body or an address, and a traceback an exception's words. So of a
library's warning the log tells whose it is, where it was made, and its words before any value was put into them; of an
error its class and place (failures.md SEC14, SEC16). What libraries say below a warning is not told, whatever level
somebody sets.
"""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import Any


def route(log: Any) -> None:
    """From now on libraries and uncaught errors speak through this log, and through nothing else."""
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, _Retold):
            root.removeHandler(handler)
    logging.lastResort = None
    root.addHandler(_Retold(log))
    root.setLevel(logging.WARNING)
    sys.excepthook = lambda _kind, err, _trace: _uncaught(log, err, "main")
    threading.excepthook = lambda told: _uncaught(
        log, told.exc_value, told.thread.name if told.thread else "a thread that is gone"
    )
    sys.unraisablehook = lambda told: _uncaught(log, told.exc_value, "clean-up")


class _Retold(logging.Handler):
    def __init__(self, log: Any) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        # Words without values to put in may be words that have them already.
        words = str(record.msg) if record.args else ""
        tell = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        tell(
            "a library warns", library=record.name, words=words, exc_info=record.exc_info,
            place=f"{Path(record.pathname).name}:{record.lineno}",
        )  # fmt: skip


def _uncaught(log: Any, err: BaseException | None, where: str) -> None:
    if isinstance(err, Exception):
        log.error("nobody caught an error", where=where, exc_info=err)
    elif err is not None:
        log.error("ended", where=where, why=type(err).__name__)

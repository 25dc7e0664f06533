"""The daemon's log: one event a line, text on a terminal and JSON elsewhere. Knows no jobs.

An event is a few words and named values: a store, a run, slip numbers, counts. Never a key, never personal data; what
looks like either is blotted out besides (failures.md SEC14). A log that can't be written stops nothing (Z3, Z4).
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final, TextIO

import structlog

from connector.log import others
from connector.log.blots import blot_out
from connector.log.lines import Lines, writer_to

LOST: Final = "lines of this log were lost"
"""The event that says so, with their number."""
_lines: Lines | None = None


def logger(**bound: Any) -> Any:
    """A logger with these values in each of its events."""
    return structlog.get_logger().bind(**bound)


def set_up(stream: TextIO | None, *, as_json: bool | None = None) -> Lines:
    """Where the log goes, and how it looks; JSON unless the stream is a terminal, or as asked for.

    stream  None where the process began without one: then all lines are lost, and counted
    Libraries' logs and errors that nobody caught go the same way (connector.log.others).
    """
    is_json = as_json if as_json is not None else not _is_terminal(stream)
    look: Any = structlog.processors.JSONRenderer() if is_json else _on_terminal()
    finish: list[Any] = [
        structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), blot_out, look,
    ]  # fmt: skip

    def told(lost: int) -> str:
        event: Any = {"event": LOST, "lost": lost}
        for step in finish:
            event = step(None, "warning", event)
        return str(event)

    finish_now()
    global _lines
    lines = _lines = Lines(writer_to(stream), told)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *finish],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    others.route(logger())
    return lines


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _on_terminal() -> Any:
    return structlog.dev.ConsoleRenderer(pad_event_to=24, colors="NO_COLOR" not in os.environ)


def to_stderr() -> Lines:
    """The usual log of a service: standard error, which systemd and containers collect."""
    return set_up(sys.stderr)


def lost_lines() -> int:
    """How many lines could not be written since the start, for /metrics."""
    return _lines.lost if _lines else 0


def finish_now(within_s: float = 2.0) -> None:
    """Write what is still to be written, for so long at the most. To be called before a process ends by os._exit."""
    if _lines is not None:
        _lines.finish(within_s)

"""What a command ends with: an exit code, and the lines that say why. Knows no terminal.

The codes are design.md's, and one for our own faults: to call a crash "something waits" would be a lie. LedgerError
has no line there; nothing was done and trying again is right, as with an unreachable shop, so it shares code 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple


class Code(IntEnum):
    """How a command ended; MEANING has the words for people."""

    DONE = 0
    WAITS = 1
    USAGE = 2
    UNREACHED = 3
    FAULT = 70
    BUSY = 75


INTERRUPTED: Final = 130
"""What a shell makes of a program that Ctrl-C ended."""

MEANING: Final[dict[Code, str]] = {
    Code.DONE: "done",
    Code.WAITS: "done, and something waits for a person (held, refused, late, missing)",
    Code.USAGE: "usage or configuration",
    Code.UNREACHED: "a shop, GSS or the ledger could not be reached, or refused the credentials",
    Code.FAULT: "a fault of the connector itself",
    Code.BUSY: "another run holds the store",
}

_FROM_BEST_TO_WORST: Final = (Code.DONE, Code.WAITS, Code.BUSY, Code.UNREACHED, Code.USAGE, Code.FAULT)
"""A busy store mends itself, an unreachable shop perhaps, a store file never; of several stores the worst counts."""


def worst(codes: Iterable[Code]) -> Code:
    """The code of several that counts; DONE for none."""
    return max(codes, key=_FROM_BEST_TO_WORST.index, default=Code.DONE)


class Failure(NamedTuple):
    """Why a command, or one store of it, came to nothing."""

    code: Code
    lines: tuple[str, ...]


def failure_of(err: Exception, *, trace: bool = False) -> Failure:
    """An error as exit code and lines. Ours speak for themselves; of any other only its class is shown, and where.

    trace: add the way there. Neither has values in it: a stranger's message may quote an address or a key (SEC16).
    """
    code = _code_of(err)
    if code is Code.FAULT:
        return Failure(code, _fault(err, trace))
    return Failure(code, tuple(str(err).splitlines()) or (type(err).__name__,))


def _code_of(err: Exception) -> Code:
    # Imported here: all of them together cost more than most commands' start, and only a failing one needs them.
    from connector.inbox.errors import InboxBusy, InboxError
    from connector.ledger.connection import LedgerBusy, LedgerError
    from connector.ledger.people import Refused
    from connector.lock import Busy
    from connector.problem import ConfigError
    from connector.secret import SecretError
    from connector.sources.base import SourceError
    from connector.sync import WrongDestination

    kinds: tuple[tuple[type[Exception], Code], ...] = (
        (Busy, Code.BUSY),
        (LedgerBusy, Code.BUSY),
        (InboxBusy, Code.BUSY),
        (UsageError, Code.USAGE),
        (Refused, Code.USAGE),
        (WrongDestination, Code.USAGE),
        (ConfigError, Code.USAGE),
        (SecretError, Code.USAGE),
        (LedgerError, Code.UNREACHED),
        (InboxError, Code.UNREACHED),
        (SourceError, Code.UNREACHED),
    )
    return next((code for kind, code in kinds if isinstance(err, kind)), Code.FAULT)


class UsageError(Exception):
    """What was asked for can't be done as it was asked; the message says what can."""


def _fault(err: Exception, trace: bool) -> tuple[str, ...]:
    import traceback

    frames = traceback.extract_tb(err.__traceback__)
    place = f" in {_module(frames[-1].filename)}, line {frames[-1].lineno}" if frames else ""
    line = f"unexpected error ({type(err).__name__}){place}. What is in the ledger is safe."
    if not trace:
        return (f"{line} Run it again with --debug to see the way there, and report it.",)
    return (line, *_way_to(err))


def _way_to(err: BaseException) -> Iterable[str]:
    """The frames of the error and of its causes, by file, line and function; no message, no local, no source text."""
    import traceback

    cause = err.__cause__ or err.__context__
    if cause is not None:
        yield from _way_to(cause)
        yield "then, on account of that:"
    for frame in traceback.extract_tb(err.__traceback__):
        yield f"  {_module(frame.filename)}:{frame.lineno} {frame.name}"
    yield f"  {type(err).__name__}"


def _module(path: str) -> str:
    """The end of a source file's path: enough to find it, and nothing about the machine."""
    return "/".join(Path(path).parts[-2:])

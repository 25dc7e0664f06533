"""Values that store files hold, whichever table they stand in: lengths of time, and references to secrets.

Sources with such keys of their own use these types too, so that every mistake reads alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from connector.problem import Unfit
from connector.secret import SecretError, SecretReference, parse_reference

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours"}
_DURATION: Final = re.compile(r"([0-9]{1,6}) ?([smh])")


def duration(text: object) -> timedelta:
    """A length of time as store files write it: a whole number and s, m or h. Raises Unfit."""
    parts = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise Unfit("is no length of time", 'Write a number with s, m or h, as in "90s", "2m" or "1h"')
    return timedelta(**{_UNITS[parts[2]]: int(parts[1])})


def between(shortest: str, longest: str) -> Callable[[object], timedelta]:
    """A check that a length of time lies from one to the other, both as a store file writes them."""

    def checked(text: object) -> timedelta:
        value = duration(text)
        if not duration(shortest) <= value <= duration(longest):
            raise Unfit(f"is not from {shortest} to {longest}", f'Write something from "{shortest}" to "{longest}"')
        return value

    return checked


_DAYS: Final = re.compile(r"([0-9]{1,4}) ?d")


def days_between(shortest: str, longest: str) -> Callable[[object], timedelta]:
    """A check that a number of days, "90d", lies from one to the other, both written so. Raises Unfit."""

    def read(text: object) -> timedelta | None:
        parts = _DAYS.fullmatch(text) if isinstance(text, str) else None
        return timedelta(days=int(parts[1])) if parts else None

    least, most = read(shortest), read(longest)
    assert least is not None
    assert most is not None

    def checked(text: object) -> timedelta:
        value = read(text)
        if value is None:
            raise Unfit("is no number of days", 'Write a number with d, as in "90d"')
        if not least <= value <= most:
            raise Unfit(f"is not from {shortest} to {longest}", f'Write something from "{shortest}" to "{longest}"')
        return value

    return checked


def _reference(value: object, info: ValidationInfo, *, is_needed: bool = True) -> SecretReference:
    if not isinstance(value, str):
        raise SecretError("this is no text, and not shown", "Write env:NAME, file:PATH or keyring:SERVICE/NAME")
    context = info.context or {}
    reference = parse_reference(value, context.get("folder", Path()))
    if context.get("secrets") and is_needed:
        reference.resolve()
    return reference


def _later_reference(value: object, info: ValidationInfo) -> SecretReference:
    return _reference(value, info, is_needed=False)


DAYS_SHAPE: Final = WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,4} ?d$"})
DURATION_SHAPE: Final = WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6} ?[smh]$"})
_REFERENCE_SHAPE: Final = WithJsonSchema({"type": "string", "pattern": "^(env:[A-Za-z_]|file:.|keyring:[^/]+/.)"})

Reference = Annotated[SecretReference, PlainValidator(_reference), _REFERENCE_SHAPE]
"""The type of every key that refers to a secret.

Read with the context {"folder": what relative paths start from, "secrets": True to look whether the secret can be had}.
"""

LaterReference = Annotated[SecretReference, PlainValidator(_later_reference), _REFERENCE_SHAPE]
"""A reference that is never looked up with the others: another program, or another user, needs it."""

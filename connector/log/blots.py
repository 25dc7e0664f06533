"""What no line of the log may hold: keys, signatures, personal data. Knows no events of ours.

We don't log such things. This is the second lock on the same door: values under telling names are blotted out, whatever
looks like a secret or like a person's data is, and of a value that is not plain only its kind is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any, Final

from connector.exit_codes import failure_of
from connector.problem import printable

BLOT: Final = "***"
LONGEST_TEXT: Final = 600
MOST_ITEMS: Final = 50
_DEEPEST: Final = 4

_TELLING_NAMES: Final = re.compile(
    r"key|secret|token|password|passwd|signature|hmac|authori[sz]ation|cookie|credential"
    r"|e-?mail|phone|mobile|street|suburb|postcode|address|customer|buyer|recipient|(?:first|last|full)_?name",
    re.IGNORECASE,
)
_NUMBERS_ARE_FINE: Final = (bool, int, float, Decimal, type(None))
"""Under such a name a count ("keys=2") is no secret."""

_STREETS: Final = (
    "street|st|road|rd|avenue|ave|drive|dr|lane|ln|place|pl|crescent|cres|terrace|tce|highway|hwy|way|court|ct|parade"
    "|pde|quay|esplanade|close|grove|gr|boulevard|blvd|rise|square|sq"
)
_BLOTTED: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (r"\b(basic|bearer|token)[ =:]{1,3}[\w.~+/=-]{6,600}", rf"\1 {BLOT}"),  # an Authorization header
        (r"\b(?:shp[a-z]{2,3}|c[ks]|whsec)_[\w+/=-]{6,600}", BLOT),  # of Shopify, WooCommerce, standard webhooks
        (r"(?<![a-z0-9+/])[a-z0-9+/]{43}=", BLOT),  # an HMAC-SHA256 in base64
        (r"(?=[a-z]{0,19}[0-9])[a-z0-9]{20}[\w+/=-]{0,600}", BLOT),  # anything else that may be a key
        (r"[\w.+%-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}", BLOT),  # an e-mail address
        (r"\+[0-9](?:[ ().-]{0,2}[0-9]){6,14}", BLOT),  # a telephone number, abroad
        (r"(?<![\w.:-])[(]?[0-9](?:[ ()./-]{0,2}[0-9]){8,11}(?![\w:-]|\.[0-9])", BLOT),  # and at home
        (
            rf"\b[0-9]{{1,5}}[a-z]?(?:[/-][0-9]{{1,5}}[a-z]?)? (?:[\w'’-]{{1,30}} ){{1,4}}(?:{_STREETS})\b\.?",
            BLOT,
        ),  # a house in a street
        (r"([?&;][\w.\[\]-]{1,64}=)[^&;\s\"']{1,600}", rf"\1{BLOT}"),  # what a query says
    )
)


def blot_out(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: the event with plain, short, printable values, and blots."""
    err = _error_of(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if err is not None:
        event["why"], *way = failure_of(err, trace=True).lines
        if way:
            event["way"] = [step.strip() for step in way]
    return {name: value if name == "timestamp" else _seen(name, value, 0) for name, value in event.items()}


def blotted(text: str) -> str:
    """The text on one line, cut to a length, without what looks like a secret or like a person's data."""
    shown = printable(text[:LONGEST_TEXT]) + ("…" if len(text) > LONGEST_TEXT else "")
    for pattern, instead in _BLOTTED:
        shown = pattern.sub(instead, shown)
    return shown


def _seen(name: str, value: Any, depth: int) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, _NUMBERS_ARE_FINE):
        return value if isinstance(value, int | float | None) else str(value)
    if _TELLING_NAMES.search(name):
        return BLOT
    if isinstance(value, str):
        return blotted(value)
    if isinstance(value, date | timedelta | Path):
        return blotted(str(value))
    if isinstance(value, Exception):
        return blotted(" ".join(failure_of(value).lines))
    return _parts(name, value, depth)


def _parts(name: str, value: Any, depth: int) -> Any:
    """What is in a value of several parts; of anything else its kind, since its repr may tell everything."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        some = islice(value.items(), MOST_ITEMS)
        return {blotted(str(key)): _seen(str(key), one, depth + 1) for key, one in some}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview) and depth < _DEEPEST:
        return [_seen(name, one, depth + 1) for one in islice(value, MOST_ITEMS)]
    return f"<{type(value).__name__}>"


def _error_of(said: Any) -> Exception | None:
    """What `exc_info` names: an error, True for the one under way, or the three values of sys.exc_info()."""
    import sys

    if said is True:
        said = sys.exc_info()
    if isinstance(said, tuple):
        said = said[1]
    return said if isinstance(said, Exception) else None

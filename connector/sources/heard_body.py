"""What the bodies of deliveries have in common: JSON objects with ids. Knows no shop, raises nothing.

Sentences name fields and never their values, but for an id.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from connector.sources.base import Hint
from connector.sources.json_body import id_problem, id_text

_FORM: Final = re.compile(rb"[a-z_]{1,40}=[^\r\n{}\[\]\"]{0,200}")


def body_of(body: bytes) -> dict[str, Any] | str:
    """The body's JSON object, or a sentence why there is none. A byte order mark is no part of it."""
    try:
        value = json.loads(body.removeprefix(b"\xef\xbb\xbf").decode())
    except (ValueError, RecursionError):
        return "A signed delivery is not JSON in UTF-8, so it can't be read."
    if not isinstance(value, dict):
        return "A signed delivery is JSON and no object, so it names no order."
    return value


def is_form(body: bytes) -> bool:
    """True for `webhook_id=7`, which is no more than a shop's way to ask whether we are there."""
    return _FORM.fullmatch(body) is not None


def id_in(fields: dict[str, Any], name: str) -> Hint:
    """The order whose id stands in this field is to be read again; a fault where it is no id."""
    order_id = id_text(fields.get(name))
    if not order_id:
        return Hint(fault=f"A signed delivery has no order id in its field {name}, so it names no order.")
    problem = id_problem(order_id)
    return Hint(fault=f"A signed delivery names no order. {problem}") if problem else Hint(ids=(order_id,))

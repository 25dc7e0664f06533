"""Where a value stands in a JSON body: "order.addresses.0.city". Knows no order.

A name leads into an object, a number into a list, from 0. Names with a dot in them can't be led into.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from connector.problem import Unfit

DEEPEST: Final = 12
"""Names in a path; bodies of shops have five or six levels."""
LONGEST: Final = 200
NOTHING: Final = object()
"""What stands where nothing stands."""


def checked(path: str) -> str:
    """The path as it is. Raises Unfit for one that leads nowhere."""
    names = path.split(".")
    if not all(name.strip() == name and name.isprintable() and name for name in names):
        raise Unfit("is no path", 'Write names with dots between, as in "order.addresses.0.city"')
    if len(names) > DEEPEST:
        raise Unfit("is too deep a path", f"Write {DEEPEST} names at the most")
    return path


Path = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(checked)]
"""The type of a key that holds one path."""
Paths = Path | Annotated[list[Path], Field(min_length=1, max_length=5)]
"""Of one that may hold several, whose texts are joined with a space."""


def at(body: Any, path: str) -> Any:
    """The value there, NOTHING where there is none; null is None."""
    for name in path.split("."):
        if isinstance(body, dict):
            body = body.get(name, NOTHING)
        elif isinstance(body, list) and name.isascii() and name.isdigit() and int(name) < len(body):
            body = body[int(name)]
        else:
            return NOTHING
    return body

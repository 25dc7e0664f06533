"""The stores that take deliveries, each with the keys its shop signs by. Resolves no other secret (SEC6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from connector.inbox.signatures import key_of
from connector.problem import Problem
from connector.secret import SecretError
from connector.store import Store


class Door(NamedTuple):
    """How one store's deliveries are signed. keys  the bytes that sign, the present one first; shown by nothing."""

    scheme: str
    keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Door({self.scheme}, {len(self.keys)} keys)"


def doors_of(stores: Iterable[Store]) -> tuple[dict[str, Door], list[Problem]]:
    """The doors of those stores that have an [inbox] secret, by name, and why others stay closed."""
    doors: dict[str, Door] = {}
    problems: list[Problem] = []
    for store in stores:
        if store.inbox.secret is None:
            continue
        scheme = store.inbox.scheme_of(store.source_kind)
        keys: list[bytes] = []
        for name in ("secret", "old_secret"):
            reference = getattr(store.inbox, name)
            try:
                if reference is not None:
                    keys.append(key_of(scheme, reference.resolve(as_typed=True)))
            except SecretError as err:
                problems.append(Problem(str(store.path), 0, f"[inbox] {name}", err.what, err.mend))
        if keys:
            doors[store.name] = Door(scheme, tuple(keys))
    return doors, problems

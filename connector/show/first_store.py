"""That a first store file is written, and what is to do next. Knows Store; does no work."""

from __future__ import annotations

from connector.first_store import left_to_do
from connector.show.screen import Screen
from connector.store import Store


def show_first_store(screen: Screen, store: Store) -> None:
    """The file, the secrets still to be put where it says they are, and the next command."""
    if screen.as_json:
        screen.value(str(store.path))
        return
    left = list(left_to_do(store))
    if not left:
        screen.line(f"{store.path} is written. Next: connector check {store.name}")
        return
    screen.line(f"{store.path} is written. Still to be put where it says:")
    for reference, where in left:
        screen.line(f"  {reference}")
        screen.line(f"      {where}")
    screen.line(f"Then: connector check {store.name}")

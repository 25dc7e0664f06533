"""Which kinds of source there are, and the class of each. Knows no store.

A package of its own adds a kind through the entry-point group `connector.sources`; the connector's own kinds are found
without a search, since looking through every installed package costs more than reading the configuration.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from connector.sources.base import Source

GROUP: Final = "connector.sources"

OWN: Final = {
    "csv": "connector.sources.csv_export:CsvSource",
    "inbox": "connector.sources.json_inbox:JsonInboxSource",
    "shopify": "connector.sources.shopify:ShopifySource",
    "woocommerce": "connector.sources.woocommerce:WooCommerceSource",
}
"""Our own kinds; the same lines stand in pyproject.toml, and a test keeps the two alike."""


class UnknownKind(LookupError):
    """No source of this kind is installed."""


class BrokenSource(Exception):
    """A source is installed and can't be loaded. The message names its place and the kind of error, no more."""


def kinds() -> list[str]:
    """All kinds that a store file may name, sorted."""
    from importlib.metadata import entry_points

    return sorted({*OWN, *(entry.name for entry in entry_points(group=GROUP))})


def source_class(kind: str) -> type[Source]:
    """The class of this kind. Raises UnknownKind or BrokenSource. A package can't take the place of one of our own."""
    place = OWN.get(kind) or _installed(kind)
    module, _, name = place.partition(":")
    try:
        found: type[Source] = getattr(import_module(module), name)
    except (ImportError, AttributeError, SyntaxError) as err:
        raise BrokenSource(f"{place} ({type(err).__name__})") from err
    return found


def _installed(kind: str) -> str:
    from importlib.metadata import entry_points

    places = [entry.value for entry in entry_points(group=GROUP, name=kind)]
    if not places:
        raise UnknownKind(kind)
    return places[0]

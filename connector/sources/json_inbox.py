"""The source of a shop of one's own that signs its orders and posts them: the delivery is the order. Knows no HTTP.

There is nothing to ask, so nothing is polled and nothing swept: what such a shop does not deliver is not known. It must
deliver again until it is answered, and every delivery must hold the order as it is then. Which of two is the newer is
told by the shop's own revision, so that order and repeats of deliveries don't matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from connector.sources.base import Hint, Page, SourceContext
from connector.sources.json_inbox_options import JsonInboxOptions
from connector.sources.json_inbox_order import Unusable, order_of


class JsonInboxSource:
    """A shop that only tells. Memory is one delivery."""

    kind = "inbox"

    @classmethod
    def options(cls) -> type[JsonInboxOptions]:
        return JsonInboxOptions

    def __init__(self, options: Any, context: SourceContext) -> None:
        self._options: JsonInboxOptions = options
        self._zone = ZoneInfo(context.timezone)

    def pages(self, cursor: str) -> Iterator[Page]:
        """Nothing: there is no shop to read."""
        return iter(())

    def heard(self, topic: str, body: bytes) -> Hint:
        """The order in a delivery; a fault where it can't be told which order it is, or how new. Never raises."""
        try:
            return Hint(orders=(order_of(body, self._options, self._zone),))
        except Unusable as err:
            return Hint(fault=str(err))

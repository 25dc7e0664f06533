"""A GSS client that comes into being with its first call. Knows no wire.

Most runs of a schedule have nothing to send or to read back, and what the client is built on takes longer to import
than the rest of such a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from connector.gosweetspot.answers import Answer
from connector.gosweetspot.client import Client
from connector.gosweetspot.destination import Destination
from connector.gosweetspot.records import ReadBack


class LateClient:
    """`Client`, by the same calls. Several threads may call at once, the first time too.

    sends_products: the store's slips carry product lines, so a read-back asks for them too, to compare them.
    """

    def __init__(self, destination: Destination, *, sends_products: bool = False) -> None:
        self._destination = destination
        self._sends_products = sends_products
        self._lock = Lock()
        self._client: Client | None = None

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        return self._there().put(slips)

    def delete(self, numbers: Sequence[str]) -> Answer:
        return self._there().delete(numbers)

    def get(self, numbers: Sequence[str]) -> ReadBack:
        return self._there().get(numbers, include_products=self._sends_products)

    def close(self) -> None:
        """Close it, if it ever was there."""
        if self._client is not None:
            self._client.close()

    def _there(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = Client(self._destination)
            return self._client

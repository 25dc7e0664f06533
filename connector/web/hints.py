"""GoSweetSpot's own webhooks: unsigned, so each is only a hint that slips be read back (failures.md W30).

Nothing of them is kept; of their bodies the slip numbers alone are read, if they can be. A store's hints are passed on
at once, and then at most once in each interval. Bodies are JSON, or JSON in a JSON text (gosweetspot-api.md 1.7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from connector.web.asgi import BodyReader, Receive, Scope, Send, answer_stored
from connector.web.limits import Limits
from connector.web.tally import Tally

MOST: Final = 500
"""Numbers remembered for the next time: ten times what one webhook carries."""
_LONGEST: Final = 50

OnHint = Callable[[str, tuple[str, ...]], None]


class _Shipment(msgspec.Struct):
    number: str | None = msgspec.field(name="PackingSlipNo", default=None)


_SHIPMENTS: Final = msgspec.json.Decoder(list[_Shipment] | _Shipment)
_TEXT: Final = msgspec.json.Decoder(str)


class Hints:
    """stores  whose hints are passed on, by name; others are answered alike and counted
    on_hint  called with the store's name and the slip numbers by the event loop: must return at once
    """

    def __init__(self, tally: Tally, on_hint: OnHint, limits: Limits) -> None:
        self.stores: frozenset[str] = frozenset()
        self._tally = tally
        self._on_hint = on_hint
        self._every_s = limits.hint_every_s
        self._bodies = BodyReader(limits.hint, limits.in_hand)
        self._later: dict[str, dict[str, None]] = {}

    async def hint(self, store: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST. Raises Refused and Gone."""
        body = await self._bodies.read(scope["headers"], receive)
        if store in self.stores:
            self._tally.hints[store] += 1
            if numbers := slip_numbers(body):
                self._pass_on(store, numbers)
        else:
            self._tally.refused["hint for an unknown store"] += 1
        await answer_stored(send)

    def _pass_on(self, store: str, numbers: tuple[str, ...]) -> None:
        later = self._later.get(store)
        if later is None:
            self._later[store] = {}
            asyncio.get_running_loop().call_later(self._every_s, self._interval_ends, store)
            self._on_hint(store, numbers)
        elif len(later) < MOST:
            later.update(dict.fromkeys(numbers))

    def _interval_ends(self, store: str) -> None:
        if later := self._later.pop(store):
            self._pass_on(store, tuple(later))


def slip_numbers(body: bytes) -> tuple[str, ...]:
    """The slip numbers that a webhook of GoSweetSpot names; none where it can't be read."""
    try:
        text = _TEXT.decode(body) if body[:1] == b'"' else body
        found = _SHIPMENTS.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ()
    shipments = found if isinstance(found, list) else [found]
    return tuple(each.number for each in shipments[:MOST] if each.number and len(each.number) <= _LONGEST)

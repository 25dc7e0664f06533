"""How much a caller may ask of the receiver. Knows nobody."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """body         bytes of a delivery; the largest recorded order has 40 kB, and Shopify's own bound is about 1 MB
    hint         bytes of one of GoSweetSpot's own webhooks, which are never kept
    in_hand      bytes of all bodies that are being read, together
    request_s    from the first byte of a request, or from the connection, to the last of its body
    idle_s       how long a connection may stay between two requests
    connections  open at once; one more, and the one that has asked for nothing longest is cut
    hint_every_s GoSweetSpot's webhooks of one store are passed on at most this often
    stop_s       what requests under way get when we are told to stop
    """

    body: int = 2_000_000
    hint: int = 64_000
    in_hand: int = 64_000_000
    request_s: float = 10.0
    idle_s: float = 30.0
    connections: int = 2_000
    hint_every_s: float = 5.0
    stop_s: float = 4.0

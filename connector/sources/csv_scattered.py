"""Which orders of a file stand in several places of it. Knows keys only, and takes the same memory for any number.

Orders are written as they are read, a page at a time; one that comes twice must be put together before it is believed
(failures.md C14), and keeping every key of a million orders would cost more than all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

from connector.sources.base import Malformed

SCATTERED: Final = 1000
"""Orders that may stand in several places of one file: they are kept in memory until its end."""

SUSPECTS: Final = 50 * SCATTERED
"""Keys that may have been there before, until they are counted."""

_SPREAD: Final = 0x9E3779B1
"""An odd number that makes a second place of one checksum (2**32 by the golden ratio)."""


class Seen:
    """Which keys were there before, in eight megabytes whatever their number: a Bloom filter of two bits a key.

    It never forgets a key. Among a million it takes some 300 for known that aren't: these wait for the file's end for
    nothing, and no harm is done.
    """

    def __init__(self) -> None:
        self.suspects: set[str] = set()
        self._bits = bytearray(1 << 23)
        self._last = ""

    def note(self, keys: Sequence[str]) -> None:
        """The next keys, in the file's order; "" goes on with the one before. Raises Malformed for far too many."""
        bits, last = self._bits, self._last
        for key in keys:
            if key == last or not key:
                continue
            last = key
            digest = crc32(key.encode())  # the same in every process: a resumed reading must suspect the same keys
            one, two = digest >> 6, (digest * _SPREAD & 0xFFFFFFFF) >> 6
            one_bit, two_bit = 1 << (one & 7), 1 << (two & 7)
            one, two = one >> 3, two >> 3
            if bits[one] & one_bit and bits[two] & two_bit:
                self.suspects.add(key)
            else:
                bits[one] |= one_bit
                bits[two] |= two_bit
        self._last = last
        _refuse_more_than(SUSPECTS, self.suspects)


def counted(suspects: set[str], keys: Iterable[str]) -> set[str]:
    """The suspects, if few; else those of them that really stand in several places. Raises Malformed for too many."""
    if len(suspects) <= SCATTERED:
        return suspects
    once: set[str] = set()
    scattered: set[str] = set()
    last = ""
    for key in filter(None, keys):
        if key != last and key in suspects:
            (scattered if key in once else once).add(key)
        last = key
    _refuse_more_than(SCATTERED, scattered)
    return scattered


def _refuse_more_than(limit: int, scattered: set[str]) -> None:
    if len(scattered) > limit:
        raise Malformed(
            f"more than {SCATTERED:,} orders stand in several places, not on rows next to each other. "
            "Export again sorted by order number, each order once."
        )

"""The suite every source passes: one test per promise, against a double of its shop. Import it and write two lines.

    from connector.testing.conformance import SourceConformance

    class TestNoticeBoard(SourceConformance):
        def open_shop(self):
            return NoticeBoardDouble()

It knows a shop by connector/testing/shop_double.py only. What doesn't apply to a shop or a source is a skip that says
"not applicable" and why; `SourceConformance.promises` lists them. Names carry the rows of the failure list (P13, C13)
and the traps of shops (L1, D4) they are about. Needs pytest.
"""

from __future__ import annotations

from connector.testing.promises_of_orders import OrderPromises
from connector.testing.promises_of_the_wire import WirePromises
from connector.testing.promises_when_asked import AskedPromises


class SourceConformance(OrderPromises, AskedPromises, WirePromises):
    """All promises. `open_shop` is to be written; `cannot` names what a shop can't do, with the reason."""

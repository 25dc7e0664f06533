"""The source keeps every promise of the connector's suite."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connector.testing.conformance import SourceConformance
from connector.testing.shop_double import ShopDouble

from .double import NoticeBoardDouble


class TestNoticeBoard(SourceConformance):
    def open_shop(self) -> AbstractContextManager[ShopDouble]:
        return NoticeBoardDouble()

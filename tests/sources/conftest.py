"""Small pages for the sources' tests, so that a few hundred orders have edges to be cut at."""

from __future__ import annotations

import pytest

from connector.sources import csv_pages


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_pages, "PAGE", 250)

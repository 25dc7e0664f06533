"""For the sources' tests: small pages, so that a few hundred orders have edges to be cut at; no other test's token."""

from __future__ import annotations

import pytest

from connector.sources import csv_pages, shopify_token


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_pages, "PAGE", 250)


@pytest.fixture(autouse=True)
def no_token_yet() -> None:
    shopify_token.granted.clear()

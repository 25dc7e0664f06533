"""For the sources' tests: small pages, so that a few hundred orders have edges to be cut at; no other test's token."""

from __future__ import annotations

import pytest

from connector.sources import csv_pages, shopify_token

WITHOUT_COVERAGE = ("test_C13_memory", "test_P25", "test_the_suite_notices")
"""Promises over thousands of orders: the same lines again and again, which others cover."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.name.startswith(WITHOUT_COVERAGE):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_pages, "PAGE", 250)


@pytest.fixture(autouse=True)
def no_token_yet() -> None:
    shopify_token.granted.clear()

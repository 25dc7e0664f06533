"""A receiver on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.knocking import SECRETS, Door, receiving


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets of deliveries, and no key of GoSweetSpot (SEC6)."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with receiving(tmp_path) as made:
        yield made

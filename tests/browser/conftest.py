"""One browser for all tests of pages; tests are skipped where no Chromium is installed (.ci/run installs it)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.browser.chromium import BINARY, Browser, browser


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if shutil.which(BINARY) is None:
        pytest.skip(f"{BINARY} is not installed")
    with browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running

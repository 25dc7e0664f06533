"""The world every test lives in: no home, no proxy, one time zone, one umask, Hypothesis without luck."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile("search", max_examples=2000, deadline=None, database=None, print_blob=True)
settings.load_profile("steady")

AMBIENT = (
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NETRC",
    "CONNECTOR_CONFIG",
    "CONNECTOR_STATE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "FORCE_COLOR",
)
"""What a developer's shell may carry that would change an outcome; removed in both spellings of their case."""

UNMEASURED = tuple(
    str(Path(__file__).parent / name)
    for name in (
        "browser/",
        "deploy/",
        "hearing/test_living_shops.py",
        "hearing/test_recorded_deliveries.py",
        "proofs/",
        "shops/",
        "simulation/",
        "sources/test_conformance.py",
        "sources/test_example_source.py",
        "sources/test_woocommerce_live.py",
        "test_benchmarks.py",
        "test_docs.py",
        "test_failure_rows.py",
        "test_only_linux.py",
        "test_static.py",
    )
)
"""Tests below this folder that run other programs, read source text, or walk for a long time over lines that others
walk too. They are left out of the branch coverage: measuring them doubles their time and would show nothing more."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if str(item.path).startswith(UNMEASURED):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session", autouse=True)
def isolation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty home, UTC, a fixed width, and the umask most machines have: a 0600 must be the program's own doing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in AMBIENT:
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("TZ", "UTC")
        patch.setenv("COLUMNS", "100")
        patch.setenv("NO_COLOR", "1")
        time.tzset()
        before = os.umask(0o022)
        yield
        os.umask(before)
    time.tzset()

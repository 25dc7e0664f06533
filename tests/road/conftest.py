"""One sandbox for all, emptied for each test; a fresh ledger and shop a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.ledger.connection import open_ledger
from connector.sandbox.handle import Sandbox
from connector.sandbox.options import Options
from connector.sandbox.server import running
from tests.road.world import Road


@pytest.fixture(scope="session")
def one_sandbox() -> Iterator[Sandbox]:
    with running(Options(port=0)) as sandbox:
        yield sandbox


@pytest.fixture
def road(one_sandbox: Sandbox, tmp_path: Path) -> Iterator[Road]:
    one_sandbox.reset()
    with open_ledger(tmp_path / "state") as ledger:
        road = Road(ledger, one_sandbox)
        yield road
        road.client.close()

"""A sandbox for the tests of hearing; each test finds it empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.sandbox.handle import Sandbox
from connector.sandbox.server import running


@pytest.fixture(scope="session")
def one_sandbox() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Sandbox) -> Sandbox:
    one_sandbox.reset()
    return one_sandbox

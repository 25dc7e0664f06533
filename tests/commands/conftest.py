"""A merchant's desk beside a sandbox; each test finds both empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox.handle import Sandbox
from connector.sandbox.server import running
from tests.commands.desk import Desk, order


@pytest.fixture(scope="session")
def one_sandbox() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Sandbox) -> Sandbox:
    one_sandbox.reset()
    return one_sandbox


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A desk with no store yet, in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DESK_KEY", sandbox.key)
    (tmp_path / "config").mkdir()
    return Desk(tmp_path, sandbox.url, capsys)


@pytest.fixture
def kiwi(desk: Desk) -> Desk:
    """A desk with one store, whose shop shows two orders."""
    desk.store()
    desk.export(order(1001), order(1002))
    return desk

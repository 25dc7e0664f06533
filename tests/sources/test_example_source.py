"""A source in a package of its own: installed, found by its entry point, checked, synced and held to every promise."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.sandbox.handle import Sandbox
from connector.sandbox.server import running
from connector.testing.conformance import SourceConformance
from connector.testing.shop_double import Draft
from connector.testing.visit import NOW
from tests.sources.example_source.notice_board.double import NoticeBoardDouble
from tests.sources.example_source.notice_board.source import NoticeBoardSource
from tests.sources.test_conformance import Board

EXAMPLE = Path(__file__).parent / "example_source"
ROOT = Path(__file__).parents[2]

STORE = """\
[source]
kind = "notice-board"
url = "{board}"
token = "env:BOARD_TOKEN"

[gosweetspot]
url = "{gss}"
access_key = "env:BOARD_GSS_KEY"

[schedule]
timezone = "Pacific/Auckland"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip has installed the example into, without a network, built from a copy."""
    target = tmp_path_factory.mktemp("installed")
    work = tmp_path_factory.mktemp("work")
    subprocess.run(["cp", "-r", str(EXAMPLE), str(work)], check=True)
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(work / EXAMPLE.name)]
    subprocess.run(pip, check=True, capture_output=True, timeout=60)
    return target


@pytest.fixture
def gss() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


class Office:
    """A folder with one store file, and the `connector` command in a process of its own."""

    def __init__(self, folder: Path, installed: Path, board: NoticeBoardDouble, gss: Sandbox) -> None:
        (folder / "config").mkdir()
        assert board.server
        text = STORE.format(board=board.server.url, gss=gss.url)
        (folder / "config" / "notices.toml").write_text(text)
        (folder / "config" / "notices.toml").chmod(0o600)
        self._folder = folder
        token = Path(board.source_table()["token"].removeprefix("file:")).read_text()
        self._environment = {
            **os.environ,
            "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}",
            "BOARD_TOKEN": token,
            "BOARD_GSS_KEY": gss.key,
        }

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("connector")), *arguments]
        return subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )


def test_a_package_of_its_own_is_found_by_its_entry_point_checked_and_synced(
    tmp_path: Path, installed: Path, gss: Sandbox
) -> None:
    with NoticeBoardDouble() as board:
        office = Office(tmp_path, installed, board, gss)
        now = datetime.now(UTC)  # the command has no clock to set; the shop's has to agree with it
        board.set_clock(now)
        here = board.place(Draft(), now)
        board.place(Draft(), now, paid=False)
        board.cancel(board.place(Draft(), now), now)

        checked = office("check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "notice-board" in checked.stdout

        planned = office("sync", "--dry-run")
        assert planned.returncode == 0, planned.stdout + planned.stderr
        assert f"N-{here}" in planned.stdout
        assert "Kowhai" in planned.stdout

        assert office("sync").returncode == 0
        assert office("sync").returncode == 0
        assert f"N-{here}" in office("slips", "list").stdout


def test_an_unknown_kind_names_what_is_installed(tmp_path: Path, installed: Path, gss: Sandbox) -> None:
    with NoticeBoardDouble() as board:
        office = Office(tmp_path, installed, board, gss)
        file = tmp_path / "config" / "notices.toml"
        file.write_text(file.read_text().replace('"notice-board"', '"notice-bord"'))
        checked = office("check")
    assert checked.returncode == 2
    assert "notice-board" in checked.stdout + checked.stderr, "the near miss is not suggested"


def test_the_example_keeps_every_promise_as_a_stranger_would_try_it(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(installed / "notice_board")]
    environment = {**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"}
    tried = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert tried.returncode == 0, tried.stdout[-4000:]
    count = sum(name.startswith("test_") for name in dir(SourceConformance))
    assert f"{count} passed" in tried.stdout, "a promise was left out"


def test_trap_L17_reading_marks_nothing_in_the_shop() -> None:
    with Board(NoticeBoardSource).visiting() as visit:
        placed = visit.place(7)
        before = visit.sweep().orders
        visit.read()
        visit.reread(placed)
        assert {request.method for request in visit.server.heard} == {"GET"}
        assert visit.sweep().orders == before


def test_trap_D5_an_order_that_is_replaced_by_a_new_one_shows_both() -> None:
    with Board(NoticeBoardSource).visiting() as visit:
        first = visit.shop.place(Draft(), NOW - timedelta(hours=1))
        told = visit.read()
        second = visit.shop.place(Draft(line1="7 Rimu Road"), NOW - timedelta(minutes=1))
        visit.shop.cancel(first, NOW - timedelta(minutes=1))
        after = visit.read(told.cursor)
        assert after.order(first).cancelled
        assert not after.order(second).cancelled


def test_an_unknown_state_is_held_and_quoted() -> None:
    with Board(NoticeBoardSource).visiting() as visit:
        assert isinstance(visit.shop, NoticeBoardDouble)
        placed = visit.shop.place(Draft(), NOW - timedelta(hours=1))
        visit.shop._change(placed, NOW, state="gone fishing")
        assert visit.read().order(placed).problems == ('The state "gone fishing" is not known here.',)

"""Elsewhere than on Linux the program says so, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from connector import only_linux
from connector.cli import main

ELSEWHERE = """
import sys
sys.platform = "win32"
for name in ("fcntl", "resource", "pwd", "grp", "termios"):  # what Windows lacks
    sys.modules[name] = None
from connector.cli import main
sys.exit(main({words!r}))
"""


@pytest.mark.parametrize("words", [["run"], ["sync"], ["inbox", "serve"], ["ledger", "check"]])
def test_Z12_on_windows_every_command_says_where_it_runs_instead_of_a_trace(words: list[str]) -> None:
    """With the modules taken away that Windows lacks: none of them is imported before it is said."""
    program = ELSEWHERE.format(words=words)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("connector: this system (win32) can't run the connector: that takes Linux")
    assert len(ran.stderr.splitlines()) == 1


def test_Z12_help_is_given_anywhere(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="0"):
        main(["sync", "--help"])
    assert "connector sync" in capsys.readouterr().out


def test_on_linux_nothing_is_said() -> None:
    assert only_linux.refusal("linux") == ""

"""The screen: a terminal gets colour and wrapped words, a pipe gets plain lines, a closed pipe stops nothing."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector.cli import main
from connector.report import Report
from connector.sandbox.handle import Sandbox
from connector.show.progress import LINE_EVERY_S, sentence, watching
from connector.show.rows import show_rows
from connector.show.screen import Screen
from connector.show.words import age, at, counted, listed, span
from tests.commands.desk import Desk, order


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Closed(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


class Full(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def colourful(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    return Terminal()


def test_a_terminal_gets_colour_and_a_pipe_does_not(colourful: Terminal) -> None:
    pipe = io.StringIO()
    for out in (colourful, pipe):
        Screen(out, io.StringIO()).line("held", "bad")
    assert "\x1b[31mheld" in colourful.getvalue()
    assert pipe.getvalue() == "held\n"


def test_an_empty_line_is_a_line_on_a_terminal_too(colourful: Terminal) -> None:
    Screen(colourful, io.StringIO()).line()
    assert colourful.getvalue() == "\n"


def test_no_color_means_no_colour(colourful: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    Screen(colourful, io.StringIO(), color=False).line("held", "bad")
    assert "\x1b[31m" not in colourful.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen(colourful, io.StringIO()).color


def test_words_wrap_on_a_terminal_and_keep_their_indent(colourful: Terminal) -> None:
    Screen(colourful, io.StringIO()).line("    " + "word " * 20)
    lines = colourful.getvalue().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("    word") and len(line) <= 40 for line in lines)


def test_a_table_too_wide_puts_its_last_cell_below(colourful: Terminal) -> None:
    Screen(colourful, io.StringIO(), color=False).table(
        ("order", "why"), [("#1", "a reason that is much longer than the terminal is wide")]
    )
    lines = [line.rstrip() for line in colourful.getvalue().splitlines()]
    assert lines[1:] == ["#1", "    a reason that is much longer than", "    the terminal is wide"]


def test_wide_letters_count_as_two_columns(colourful: Terminal) -> None:
    Screen(colourful, io.StringIO(), color=False).table(("name", "city"), [("花田", "東京"), ("Aroha", "Napier")])
    lines = colourful.getvalue().splitlines()
    assert lines[1].rstrip() == "花田   東京"
    assert lines[2].rstrip() == "Aroha  Napier"


def test_an_escape_on_a_terminal_is_shown_and_not_done(colourful: Terminal) -> None:
    screen = Screen(colourful, io.StringIO(), color=False)
    screen.line("a\x1b[2Jb [red]c[/red]")
    screen.table(("x",), [("\x1b[2J",)])
    assert "\x1b[2J" not in colourful.getvalue()
    assert "a\\x1b[2Jb [red]c[/red]" in colourful.getvalue()


def test_a_reader_who_left_stops_nothing() -> None:
    screen = Screen(Closed(), Closed())
    screen.line("one")
    screen.line("two")
    screen.note("three")
    screen.close()
    assert not screen.is_open


def test_Z4_a_full_disk_under_the_output_keeps_no_store_from_being_synced(
    desk: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("kiwi", "moa")):
        desk.store(name, prefix=name)
        desk.export(order(number), store=name)
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code = main(("sync", "--json"))
    assert len(sandbox.orders()) == 2
    assert code == 1
    assert "what was to be shown is lost (No space left on device); the work itself went on." in capsys.readouterr().err


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_Z4_help_that_a_full_disk_swallows_is_no_good_end(word: str) -> None:
    connector = Path(sys.executable).with_name("connector")
    ran = subprocess.run(f"'{connector}' {word} >/dev/full", shell=True, capture_output=True, text=True, check=False)
    assert (ran.returncode, "is lost (No space left on device)" in ran.stderr) == (1, True)


def test_Z4_a_full_disk_under_the_errors_changes_no_exit_code(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    assert main(("sync", "nope")) == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_Z3_a_command_begins_and_ends_without_its_first_handles(closed: str, desk: Desk) -> None:
    connector = Path(sys.executable).with_name("connector")
    ran = subprocess.run(f"'{connector}' sync {closed}", shell=True, cwd=desk.folder, capture_output=True, check=False)
    assert (ran.returncode, b"Traceback" in ran.stderr) == (2, False), "there is no store yet"


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
def test_a_letter_that_the_output_cannot_write_takes_nothing_else_with_it(
    encoding: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.store()
    desk.export(order(1, Name="Tāmihana Ünwin 花"))
    desk("sync")
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    shown = desk.outside("slips", "show", "#1", errors="replace")
    assert (shown.returncode, "T\\u0101mihana" in shown.stdout, "versions" in shown.stdout) == (0, True, True)
    value = json.loads(desk.outside("slips", "show", "#1", "--json", errors="replace").stdout)
    assert json.loads(value["versions"][0]["body"])["consignee"] == "Tāmihana Ünwin 花"


def test_head_may_close_the_pipe(kiwi: Desk) -> None:
    kiwi("sync")
    connector = Path(sys.executable).with_name("connector")
    piped = subprocess.run(
        f"'{connector}' completion bash | head -1",
        shell=True,
        cwd=kiwi.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert piped.stderr == ""


def test_progress_is_a_line_every_few_seconds_in_a_pipe() -> None:
    err, now = io.StringIO(), [0.0]
    with watching(Screen(io.StringIO(), err), lambda: now[0]) as watch:
        for now[0] in (1.0, LINE_EVERY_S + 1, LINE_EVERY_S + 2):
            watch(Report("kiwi", read=1200, scanned=30, total=40))
    assert err.getvalue() == "kiwi: 1,200 orders read, 75 % of the input\n"


def test_progress_is_silent_for_programs() -> None:
    err = io.StringIO()
    with watching(Screen(io.StringIO(), err, as_json=True), lambda: 1e9) as watch:
        watch(Report("kiwi", read=1))
    assert err.getvalue() == ""


def test_a_short_run_draws_no_bar_and_a_long_one_does(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with watching(Screen(io.StringIO(), Terminal()), lambda: now[0]) as watch:
        watch(Report("kiwi", read=1))
        assert capsys.readouterr().err == ""
        now[0] = 2.0
        watch(Report("kiwi", read=2, scanned=1, total=4))
        watch(Report("kiwi", read=3, read_back_calls=2))
    assert sentence(Report("kiwi", read=3, read_back_calls=2)) == "kiwi: 3 orders read, 2 calls to read back"


def test_no_rows_show_nothing() -> None:
    out = io.StringIO()
    show_rows(Screen(out, io.StringIO()), [])
    assert out.getvalue() == ""


def test_numbers_and_times_in_words() -> None:
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    assert (counted(1, "order"), counted(1200, "order")) == ("1 order", "1,200 orders")
    assert listed({"held": 3, "late": 0, "new": 1}) == "3 held, 1 new"
    assert listed({}) == "nothing"
    assert at("2026-11-23T09:30:00.000Z", ZoneInfo("Pacific/Auckland")) == "2026-11-23 22:30:00 NZDT"
    assert at("", UTC) == ""
    assert [span(timedelta(seconds=s)) for s in (-5, 119, 120, 7200, 172_800)] == [
        "0 s",
        "119 s",
        "2 min",
        "2 h",
        "2 days",
    ]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert age(now - timedelta(minutes=3), now) == "3 min"

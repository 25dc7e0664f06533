"""The grammar and its help: words are interface, and `--help` must be there at once."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest

from connector import __version__, cli
from connector.arguments import STATES, parser
from connector.exit_codes import Code
from connector.ledger.states import State
from tests.commands.desk import Desk


@cache
def grammar() -> argparse.ArgumentParser:
    """The whole of it, made once."""
    return parser()


def commands(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def all_parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for name, command in commands(grammar()).items():
        yield name, command
        for deed, one in commands(command).items():
            yield f"{name} {deed}", one


def test_every_command_is_there_and_does_something() -> None:
    assert list(commands(grammar())) == list(cli._COMMANDS)


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_a_command_made_alone_is_the_one_of_the_whole_grammar(name: str) -> None:
    alone = commands(parser(name))
    assert list(alone) == [name]
    assert alone[name].format_help() == commands(grammar())[name].format_help()


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_every_command_teaches_by_an_example_that_parses(name: str) -> None:
    import shlex

    text = commands(grammar())[name].format_help()
    examples = re.findall(r"^  connector (.*?)(?:   .*|  ?>.*)?$", text, re.MULTILINE)
    assert examples
    for example in examples:
        assert grammar().parse_args(shlex.split(example)).command == name


def test_every_option_and_argument_says_what_it_is() -> None:
    silent = [
        (name, action.dest)
        for name, one in all_parsers()
        for action in one._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert silent == []


def test_help_fits_eighty_columns_but_for_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name, one in [("", parser()), *all_parsers()]:
        wide = [line for line in one.format_help().splitlines() if len(line) > 80 and "  connector" not in line]
        assert wide == [], name


def test_exit_codes_stand_in_the_help() -> None:
    text = grammar().format_help()
    for code in Code:
        assert re.search(rf"^  {code:<3} \w", text, re.MULTILINE)


def test_the_states_a_list_may_be_asked_for_are_the_ledgers() -> None:
    assert set(STATES) == {state.value for state in State}


def test_options_for_all_stand_before_or_after_the_command() -> None:
    for words in (["--json", "--state", "s", "status"], ["status", "--json", "--state", "s"]):
        asked = parser().parse_args(words)
        assert (asked.json, str(asked.state), str(asked.config)) == (True, "s", "config")


def test_the_environment_names_the_folders_where_no_option_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def folders(*words: str) -> tuple[str, str]:
        asked = parser().parse_args(["status", *words])
        return str(asked.config), str(asked.state)

    monkeypatch.setenv("CONNECTOR_CONFIG", "/etc/connector")
    monkeypatch.setenv("CONNECTOR_STATE", "/var/lib/connector")
    assert folders() == ("/etc/connector", "/var/lib/connector")
    assert folders("--config", "c") == ("c", "/var/lib/connector")
    monkeypatch.setenv("CONNECTOR_CONFIG", "")
    assert folders() == ("config", "/var/lib/connector")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["synk"], 'no such command: synk. Did you mean "sync"?'),
        (["slips", "relase", "x"], 'Did you mean "release"?'),
        (["sync", "--dry-ran"], "unrecognized arguments: --dry-ran"),
        (["slips", "hold", "x"], "--reason"),
        (["slips", "list", "--limit", "0"], "--limit"),
        ([], "COMMAND"),
    ],
)
def test_what_cannot_be_understood_ends_with_2_and_a_hint(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    assert left.value.code == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sandbox", "--port", "99999"), "argument --port: '99999' is not a port: 0 to 65535"),
        (("demo", "--port", "-1"), "argument --port: '-1' is not a port: 0 to 65535"),
        (("slips", "list", "--limit", "0"), "argument --limit: '0' is not a number from 1 on"),
        (("slips", "dismiss", "abc", "--reason", "x"), "argument ALERT: 'abc' is not a number from 1 on"),
    ],
)
def test_a_number_that_cannot_be_meant_is_told_in_plain_words(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(words)
    assert told in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"connector {__version__}\n"


def test_help_imports_nothing_that_takes_time() -> None:
    """Start-up is a bound of ours: what help needs is argparse and nothing installed."""
    script = "import sys; from connector.arguments import parser; parser().format_help(); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"msgspec", "pydantic", "requests", "sqlite3", "rich", "starlette", "apscheduler", "json", "zoneinfo"}
    assert heavy.isdisjoint(loaded)
    assert [name for name in loaded if name.startswith("connector.")] == ["connector.arguments", "connector.exit_codes"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(desk: Desk, shell: str) -> None:
    out = desk("completion", shell).out
    assert all(name in out for name in cli._COMMANDS)


def test_a_completion_for_bash_is_bash(desk: Desk) -> None:
    (desk.folder / "completion").write_text(desk("completion", "bash").out)
    subprocess.run(["bash", "-n", "completion"], cwd=desk.folder, check=True)


def test_the_installed_command_runs_in_a_process_of_its_own(kiwi: Desk) -> None:
    done = kiwi.outside("sync")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("kiwi: 2 orders read: 2 new\n")

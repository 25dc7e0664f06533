"""The docs are held to the program: commands run, states, codes and names are those of the code, links lead somewhere.

Tables and pictures that can be made from the code stand between `<!-- made: NAME -->` and `<!-- end -->`. After a
change: GOLDEN_REWRITE=1 pytest tests/test_docs.py -k made
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.address import AddressRules, shape
from connector.arguments import parser
from connector.exit_codes import Code
from connector.ledger.asking import answers
from connector.ledger.connection import in_memory, open_ledger
from connector.ledger.machine import Alarm
from connector.ledger.states import State
from connector.order import Address
from connector.sandbox.options import DEFAULT_KEY
from connector.sandbox.server import running
from tests.doc_parts import PARTS, all_commands

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
MADE = re.compile(r"(<!-- made: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
STOPS = {"|", "||", "&&", "&", ";", ">", ">>", "<", "2>", "2>>", "2>&1"}
"""Where a shell goes on with something else than the command's words."""


def page(name: str) -> str:
    return (ROOT / name).read_text()


def anchors(path: Path) -> set[str]:
    """What `#...` may name in a page, by GitHub's rule."""
    heads = re.findall(r"^#+ (.*)$", re.sub(BLOCK, "", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


# What is made from the code


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_as_the_code_makes_it(path: Path) -> None:
    text = path.read_text()
    made = MADE.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}{found[4]}", text)
    if os.environ.get("GOLDEN_REWRITE") == "1":
        path.write_text(made)
    assert path.read_text() == made, "run: GOLDEN_REWRITE=1 pytest tests/test_docs.py -k made"


def test_each_part_that_can_be_made_stands_on_one_page() -> None:
    shown = [found[2] for path in PAGES for found in MADE.finditer(path.read_text())]
    assert sorted(shown) == sorted(PARTS)


# Commands


def commands_written() -> Iterator[tuple[str, str]]:
    """(page, command) for every line of a fenced block, and every piece of inline code, that calls the connector."""
    for path in PAGES:
        text = MADE.sub("", path.read_text())
        fenced = "\n".join(block.replace("\\\n", " ") for _, block in BLOCK.findall(text))
        found = re.findall(r"(?:^|&& |[/ ])(connector [a-z].*)$", fenced, re.MULTILINE)
        found += re.findall(r"`(connector [a-z][^`]*)`", BLOCK.sub("", text))
        yield from ((path.name, one) for one in found)


def words_of(command: str) -> list[str]:
    """The arguments of a command as a shell would give them; what follows a pipe or a comment is not the command's."""
    words = shlex.split(re.sub(r"\s+#.*$", "", command))[1:]
    stop = next((at for at, word in enumerate(words) if word in STOPS), len(words))
    return words[:stop]


def test_every_command_written_anywhere_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    names = {"connector ledger"} | {f"connector {name}" for name, _ in all_commands()}
    grammar = parser()
    wrong = []
    for name, command in commands_written():
        if command in names:
            continue
        try:
            grammar.parse_args(words_of(command))
        except SystemExit as left:
            if left.code:
                wrong.append((name, command, capsys.readouterr().err.splitlines()[-1]))
    assert wrong == []


def test_every_command_is_used_somewhere() -> None:
    used = {" ".join(words_of(command)) for _, command in commands_written()}
    unused = [name for name, _ in all_commands() if not any(f"{one} ".startswith(f"{name} ") for one in used)]
    assert unused == []


def test_every_make_target_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    named = {one for path in PAGES for one in re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(), re.MULTILINE)}
    assert {"demo", "test", "bench"} <= named <= targets


@pytest.mark.parametrize("name", ["README.md", "docs/first-store.md"])
def test_the_shell_commands_of_a_page_run_as_they_stand(name: str, tmp_path: Path) -> None:
    """In a folder laid out like a clone, with the sandbox at another port than the page says, lest it be taken."""
    lines = [line for kind, block in BLOCK.findall(page(name)) if kind == "sh" for line in block.splitlines()]
    lines = [line for line in lines if not line.startswith(("make ", "connector sandbox"))]
    # The shop shows three orders that no slip can be made of: a command is done, and something waits.
    checked = [f"{line} || test $? -eq {Code.WAITS:d}" if line.startswith("connector ") else line for line in lines]
    clone = tmp_path / "clone"
    (clone / "connector").mkdir(parents=True)
    shutil.copytree(ROOT / "connector" / "demo_data", clone / "connector" / "demo_data")
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "activate").write_text(f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n")
    with running() as sandbox:
        script = "\n".join(checked).replace("http://127.0.0.1:8750", sandbox.url)
        ran = subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=clone,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TZ": "UTC"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        sent = sandbox.counts()
    assert DEFAULT_KEY in script
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert sent["orders_created"] == 19
    assert sent["orders_updated"] == sent["orders_ignored"] == 0


def test_every_question_to_the_ledger_can_be_asked(tmp_path: Path) -> None:
    open_ledger(tmp_path).close()
    blocks = [block for path in PAGES for kind, block in BLOCK.findall(path.read_text()) if kind == "sql"]
    written = re.findall(r'connector ledger query "([^"]*)"', "\n".join(path.read_text() for path in PAGES))
    questions = [one.strip() for block in blocks for one in block.split(";") if one.strip()] + written
    assert len(questions) > 4
    for question in questions:
        list(answers(tmp_path, question))


def test_the_examples_of_address_rules_are_what_comes_of_them() -> None:
    rows = [
        [cell.strip("` ") for cell in row.split("|")[1:-1]]
        for row in re.findall(r"^\|.*`.*\|$", rules_page(), re.MULTILINE)
    ]
    for typed, *shown in rows:
        if len(shown) == 2:
            line1, _, line2 = typed.replace("`", "").partition(" / ")
            shaped = shape(Address(line1=line1, line2=line2, city="Hamilton", country="NZ"), AddressRules())
            assert [shaped.address1, shaped.address2] == shown, typed
        else:
            town, state, postcode, country = typed.split(", ")
            address = Address(line1="1 Main Street", city=town, region_name=state, postcode=postcode, country=country)
            shaped = shape(address, AddressRules())
            assert [shaped.suburb, shaped.city, shaped.postcode] == shown, typed
    assert len(rows) == 11


def rules_page() -> str:
    """The address rules, without what is made from the code and what only names sources."""
    return MADE.sub("", page("docs/address-rules.md")).partition("\n## Sources")[0]


# Words that must be there


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("docs/states.md", [state.value for state in State]),
        ("docs/operations.md", [str(code.value) for code in Code]),
        ("docs/operations.md", [alarm.value for alarm in Alarm]),
    ],
    ids=["states", "exit codes", "alarms"],
)
def test_every_word_of_the_program_is_explained(name: str, words: list[str]) -> None:
    text = page(name)
    assert [word for word in words if f"| `{word}` |" not in text] == []


def test_every_table_of_the_ledger_is_explained() -> None:
    text = page("docs/ledger.md")
    with in_memory() as ledger:
        rows = ledger.db.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").fetchall()
    assert [name for (name,) in rows if f"| `{name}` |" not in text] == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(page("pyproject.toml"))
    extras = [one for group in project["project"]["optional-dependencies"].values() for one in group]
    needed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"], *extras]
    section = page("ARCHITECTURE.md").partition("\n## Dependencies\n")[2].partition("\n## ")[0]
    names = [re.split(r"[<>=]", one)[0] for one in needed]
    assert [name for name in names if f"| `{name}` |" not in section] == []


def test_every_module_of_the_first_floor_has_its_place_in_the_rooms() -> None:
    rooms = page("ARCHITECTURE.md").partition("\n## Rooms\n")[2].partition("\n## ")[0]
    names = [path.name for path in (ROOT / "connector").glob("*.py") if path.stem != "__init__"]
    names += [f"{path.parent.name}/" for path in (ROOT / "connector").glob("*/__init__.py")]
    assert [name for name in sorted(names) if not re.search(rf"(?<![\w/]){re.escape(name)}", rooms)] == []


# Arrows of ARCHITECTURE.md: who may know whom


def imports_of(room: str) -> set[str]:
    """What the modules of a room import of ours, as dotted names below `connector`."""
    place = ROOT / "connector" / room
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    found: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
            elif isinstance(node, ast.Import):
                found |= {one.name for one in node.names}
    return {name.removeprefix("connector.") for name in found if name.startswith("connector.")}


@pytest.mark.parametrize(
    ("room", "never"),
    [
        ("order", ""),
        ("packing_slip", ""),
        ("ledger", "gosweetspot sources sender readback sync show sandbox config store requests"),
        ("sources", "ledger gosweetspot slip selection sync show sandbox config store"),
        ("gosweetspot", "ledger sources order slip sync show sandbox config store"),
        ("slip", "ledger sources gosweetspot sync show config store"),
        ("selection", "ledger sources gosweetspot slip packing_slip sync show config store"),
        ("sandbox", "ledger sources gosweetspot slip packing_slip order sync show config store"),
        ("sync", "show cli config store sandbox arguments"),
    ],
)
def test_arrows_go_one_way(room: str, never: str) -> None:
    known = {name.partition(".")[0] for name in imports_of(room)} - {room, "__version__"}
    assert known.isdisjoint(never.split()) if never else known == set()


def test_only_the_commands_and_the_demo_know_a_screen() -> None:
    rooms = {path.stem for path in (ROOT / "connector").iterdir() if path.suffix == ".py" or path.is_dir()}
    knowing = {room for room in rooms if any(f"{name}.".startswith("show.") for name in imports_of(room))}
    assert knowing == {"cli", "demo", "show"}


# References


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", path.read_text())):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        if not place.exists() or (anchor and anchor not in anchors(place)):
            dead.append(target)
    assert dead == []


def test_every_page_is_reached_from_the_readme() -> None:
    linked = set(re.findall(r"\]\(([^)#\s]+)", page("README.md")))
    assert [path.name for path in PAGES[1:] if str(path.relative_to(ROOT)) not in linked] == []


def test_every_proof_named_is_a_test() -> None:
    named = [one for path in PAGES for one in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", path.read_text())]
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or not re.search(rf"def {name}\(", (ROOT / file).read_text())
    ]
    assert missing == []
    assert len(named) > 50


def test_every_guarantee_names_its_proof() -> None:
    promises = re.findall(r"^\d+\. \*\*.*?(?=^\d+\. \*\*|^#|\Z)", page("docs/guarantees.md"), re.DOTALL | re.MULTILINE)
    assert len(promises) > 20
    assert [promise.splitlines()[0] for promise in promises if "`tests/" not in promise] == []


def test_no_page_knows_the_machine_it_was_written_on() -> None:
    told = re.compile(r"/work/|/tmp/|/home/\w|/root/")
    assert [path.name for path in PAGES if told.search(path.read_text())] == []

"""What must never stand in the code, and what must always stand in the docs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEVER_READ = {"zipfile", "tarfile", "gzip", "bz2", "lzma", "xml", "pickle", "marshal", "shelve", "plistlib"}


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def attributes_of(module: str, file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module:
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module == module:
            yield from (name.name for name in node.names)


def test_SEC38_nothing_unpacks_archives_parses_xml_or_unpickles() -> None:
    files = list((ROOT / "connector").rglob("*.py"))
    assert len(files) > 50
    assert {f"{file.name}: {name}" for file in files for name in imports(file) if name in NEVER_READ} == set()


def test_SEC24_nothing_writes_a_file_whose_cells_a_spreadsheet_would_run() -> None:
    """What came in a cell stays as it is (C16), and goes into JSON and onto the terminal alone. Who writes a CSV one
    day puts an apostrophe before = + - @, tab and return, and their full-width forms."""
    files = list((ROOT / "connector").rglob("*.py"))
    of_csv = {name for file in files for name in attributes_of("csv", file)}
    assert "reader" in of_csv
    assert of_csv.isdisjoint({"writer", "DictWriter"})


def test_K1_the_docs_and_the_help_name_the_only_safe_way_to_copy_a_ledger() -> None:
    told = " ".join((ROOT / "docs/ledger.md").read_text(encoding="utf-8").split())
    assert "only `connector ledger backup` makes a sound copy" in told

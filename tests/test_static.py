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


def test_SEC38_nothing_unpacks_archives_parses_xml_or_unpickles() -> None:
    files = list((ROOT / "connector").rglob("*.py"))
    assert len(files) > 50
    assert {f"{file.name}: {name}" for file in files for name in imports(file) if name in NEVER_READ} == set()


def test_K1_the_docs_and_the_help_name_the_only_safe_way_to_copy_a_ledger() -> None:
    told = " ".join((ROOT / "docs/ledger.md").read_text(encoding="utf-8").split())
    assert "only `connector ledger backup` makes a sound copy" in told

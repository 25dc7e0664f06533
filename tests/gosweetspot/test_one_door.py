"""Only the doors open connections: a rule about the source text of every module (failures.md SEC7)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "connector"
WIRES = ("requests", "urllib3", "httpx", "aiohttp", "http.client", "urllib.request", "socket", "ftplib", "smtplib")
ALLOWED = {
    "wire/door.py": WIRES,  # the door to the world
    "sandbox/": ("socket", "http.client"),  # listens on loopback, and calls nobody but itself
    "testing/": ("socket", "http.client"),  # shops on loopback for the tests of sources
    "web/": ("socket",),  # listens
    "daemon/notify.py": ("socket",),  # tells systemd that it lives
    "keeping/host.py": ("socket",),  # the same
    "lock.py": ("socket",),  # asks for this machine's name
}
"""What a file, or a folder's files, may import, and why. A shop's key has no more business elsewhere than GSS's."""


def wires_of(source: str) -> Iterator[str]:
    """The wire modules a source text imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (wire for wire in WIRES for name in names if f"{name}.".startswith(f"{wire}."))


def offences(path: str, source: str) -> list[str]:
    allowed = {wire for place, wires in ALLOWED.items() for wire in wires if path.startswith(place)}
    return [f"{path} imports {wire}" for wire in wires_of(source) if wire not in allowed]


def test_SEC7_no_module_but_the_doors_opens_connections() -> None:
    files = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert "wire/door.py" in files
    assert [offence for path, source in files.items() for offence in offences(path, source)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "from http import client",
        "import urllib3.util as u",
        "def f():\n    from requests import get",
    ],
)
def test_SEC7_the_rule_sees_every_way_to_import(source: str) -> None:
    assert offences("sync.py", source)
    assert offences("web/page.py", source)
    assert not offences("wire/door.py", source)
    assert not offences("sync.py", "import requests_like\nfrom http import HTTPStatus\nimport urllib.parse")


@pytest.mark.parametrize("switch", ["allow_redirects=True", "verify=False", "trust_env=True", "requests.Session("])
def test_SEC7_the_door_has_none_of_the_switches_that_let_a_key_out(switch: str) -> None:
    source = (PACKAGE / "wire" / "door.py").read_text(encoding="utf-8")
    assert switch not in source
    assert "max_retries=0" in source

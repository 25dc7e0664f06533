"""Store files for tests: a good one, a way to write one, and what a merchant is told about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import ConfigError, Store, load_stores

ROOT = Path(__file__).resolve().parents[1]

GOOD = """\
[source]
kind = "csv"
path = "exports/*.csv"
dialect = "shopify"

[gosweetspot]
access_key = "env:KIWI_GSS_KEY"
"""


def write(folder: Path, text: str | bytes, name: str = "kiwi.toml", mode: int = 0o644) -> Path:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return file


def problems(folder: Path, text: str | bytes | None = None) -> list[str]:
    """The lines that a merchant sees, without the file's own; they name no folder of this machine."""
    if text is not None:
        write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_stores(folder)
    shown = str(caught.value).splitlines()
    return [line.strip() for line in shown if line.startswith("  ")]


def gosweetspot(folder: Path, lines: str, key: str = "env:KIWI_GSS_KEY") -> Store:
    write(folder, GOOD.replace("env:KIWI_GSS_KEY", key) + lines)
    [store] = load_stores(folder)
    return store

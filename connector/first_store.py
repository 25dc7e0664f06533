"""What `connector init` does with its options: a store file, after asking for what is missing. Knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from connector.exit_codes import UsageError
from connector.init import ask, write_store_file

NEEDED: Final = {"path": "--path", "dialect": "--dialect", "key_reference": "--key"}
"""What has no default; where nobody can be asked, the options must say it."""


def write_first_store(
    config: Path,
    name: str | None,
    given: Mapping[str, Any],
    say: Callable[[str], None] | None,
    prompt: Callable[[str], str],
) -> Path:
    """Write the file of a new store and return its path.

    given  what write_store_file takes, as far as it was said
    say    shows a line to who can answer `prompt`; None where nobody can
    Raises UsageError where something is missing and nobody can be asked, ConfigError where the file can't be written.
    """
    missing = [option for key, option in NEEDED.items() if key not in given]
    if name and not missing:
        return write_store_file(config, name, **given)
    if say is None:
        wanted = " ".join(["NAME"] * (name is None) + [f"{option} ..." for option in missing])
        raise UsageError(f"nobody is there to be asked. Give what is missing: connector init {wanted}")
    answers = ask(_answers(name, prompt), say)
    return write_store_file(config, **{**answers._asdict(), **given})


def _answers(name: str | None, prompt: Callable[[str], str]) -> Callable[[str, str], str]:
    """How questions are put: the first one is the store's name, which may have been given."""
    waiting = [name] if name else []
    return lambda question, default: waiting.pop() if waiting else prompt(f"{question} [{default}]: ")

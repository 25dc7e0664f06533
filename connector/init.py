"""A first store file is written: all of it or none, over no other, and nothing that couldn't be read back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from connector.config import STORE_NAME
from connector.plain_file import reason
from connector.problem import ConfigError, Problem, quoted
from connector.store import Store
from connector.store_file import read_store
from connector.store_text import NewStore, store_text

NAME_RULE: Final = "Use a-z, 0-9 and -, at most 40 of them, as in kiwi-shop"


def write_store_file(folder: Path, new: NewStore) -> Store:
    """Writes folder/NAME.toml, readable by its owner alone, and answers the store it describes.

    Raises ConfigError, and writes nothing, when there is such a file already or the new one couldn't be read back.
    Whether the keys can be had is not looked at: they may be set later, and for another user.
    """
    file = checked_file(folder, new.name)
    text = store_text(new)
    try:
        store = read_store(text, name=new.name, path=file, folder=folder.absolute().parent, secrets=False)
    except ConfigError as err:  # of a file that isn't there: its lines would say nothing
        raise ConfigError(problem._replace(file="connector init", line=0) for problem in err.problems) from None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(file, text.encode())
    except FileExistsError:
        raise _there_already(file) from None
    except OSError as err:
        raise _refusal(file, f"the file can't be written ({reason(err)})", "Mend that, and run it again") from None
    return store


def checked_file(folder: Path, name: str) -> Path:
    """Where a new store's file would be. Raises ConfigError where the name can't be one, or is taken."""
    file = folder / f"{name}.toml"
    if not STORE_NAME.fullmatch(name):
        raise _refusal(folder, f"{quoted(name) or 'this'} is no name for a store", NAME_RULE)
    if file.exists():
        raise _there_already(file)
    return file


def _there_already(file: Path) -> ConfigError:
    return _refusal(file, "there is such a store already", "Edit the file, or choose another name")


def _write_new(file: Path, content: bytes) -> None:
    """All of it, or no file at all. Raises FileExistsError rather than write over a store."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        file.hardlink_to(draft)
    finally:
        draft.unlink()


def _refusal(file: Path, what: str, mend: str) -> ConfigError:
    return ConfigError([Problem(str(file), 0, "", what, mend)])

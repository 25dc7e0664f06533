"""Store files become validated stores, or one error that names each file, line, key and mend. Knows no ledger, no GSS.

One TOML file per store in `config/`; the file's name is the store's name. Files that end in .example.toml, and hidden
ones, are no stores. All problems of all files come at once, in a ConfigError.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

from connector import plain_file
from connector.packing_slip import number_key
from connector.problem import ConfigError, Problem, printable
from connector.store import GoSweetSpot, Schedule, Store
from connector.store_file import read_store
from connector.suggest import did_you_mean

__all__ = ["ConfigError", "GoSweetSpot", "Problem", "Schedule", "Store", "load_store", "load_stores", "store_files"]

LARGEST: Final = 256 * 1024
"""The largest store file read, in bytes; a long one has a hundredth of that."""

STORE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def load_stores(folder: Path, *, secrets: bool = True) -> list[Store]:
    """Every store of the folder, by name; none when it has no store file. Raises ConfigError.

    secrets  look whether each secret can be had; False for commands that send nothing
    """
    stores, problems = _read_all(store_files(folder), secrets)
    problems += _same_numbers(stores)
    if problems:
        raise ConfigError(problems)
    return stores


def load_store(folder: Path, name: str, *, secrets: bool = True) -> Store:
    """One store. Another store's mistakes don't stop it, unless both could send one number. Raises ConfigError."""
    refuse_missing(folder, [name])
    files = {file.stem: file for file in store_files(folder)}
    stores, problems = _read_all([files.pop(name)], secrets)
    others, _ = _read_all(files.values(), secrets=False)
    problems += [clash for store in stores for other in others for clash in _same_numbers([other, store])]
    if problems:
        raise ConfigError(problems)
    return stores[0]


def refuse_missing(folder: Path, names: Iterable[str]) -> None:
    """Raises ConfigError where a store of these has no file, or there is no folder."""
    files = {file.stem for file in store_files(folder)}
    problems = []
    for name in names:
        if name not in files:
            mend = did_you_mean(name, files) or "Write its file with: connector init"
            problems.append(Problem(str(folder), 0, "", f"no store {printable(name)[:40]!r}", mend))
    if problems:
        raise ConfigError(problems)


def store_files(folder: Path) -> list[Path]:
    """The store files of the folder, by name. Raises ConfigError when there is no such folder."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as err:
        what = f"the folder can't be read ({plain_file.reason(err)})"
        raise ConfigError(
            [Problem(str(folder), 0, "", what, "Name it with --config, or run: connector init")]
        ) from None
    return [folder / name for name in names if _is_store_file(name)]


def _is_store_file(name: str) -> bool:
    return name.endswith(".toml") and not name.endswith(".example.toml") and not name.startswith(".")


def _read_all(files: Iterable[Path], secrets: bool) -> tuple[list[Store], list[Problem]]:
    stores: list[Store] = []
    problems: list[Problem] = []
    for file in files:
        try:
            stores.append(_read(file, secrets))
        except ConfigError as error:
            problems += error.problems
    return stores, problems


def _read(file: Path, secrets: bool) -> Store:
    if not STORE_NAME.fullmatch(file.stem):
        _refuse(file, "a store's name is made of a-z, 0-9 and -, at most 40 of them", "Rename the file")
    folder = file.parent.absolute().parent
    return read_store(_text(file), name=file.stem, path=file, folder=folder, secrets=secrets)


def _text(file: Path) -> str:
    """What the file holds, as text. Raises ConfigError with one clear problem."""
    content = _content(file)
    if b"\0" in content:
        _refuse(file, "this is no text (it holds zero bytes)", "Save it as plain text in UTF-8")
    try:
        text = content.decode("utf-8-sig")  # Notepad begins a file with a mark that tomllib refuses
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        _refuse(file, "this is not UTF-8", "Save it as plain text in UTF-8", line)
    if not text.strip():
        _refuse(file, "the file is empty", "Remove it, and write it anew with: connector init")
    return text


def _content(file: Path) -> bytes:
    try:
        found = plain_file.read(file, LARGEST + 1)
    except OSError as err:
        _refuse(file, f"the file can't be read ({plain_file.reason(err)})", "Let the user that runs connector read it")
    if not found.is_plain:
        _refuse(file, "this is no plain file", "Move it out of this folder")
    if found.mode & 0o022:
        # Who may change the url gets the key and every address (G9). Reading is free: the file holds no secret, and the
        # files that do are refused unless they are their owner's alone (connector.secret).
        _refuse(
            file, "others on this machine may change the file", f"Run: chmod go-w {printable(shlex.quote(str(file)))}"
        )
    if len(found.content) > LARGEST:
        _refuse(
            file, f"the file is larger than {LARGEST // 1024} kB, and no store file is", "Move it out of this folder"
        )
    return found.content


def _refuse(file: Path, what: str, mend: str, line: int = 0) -> NoReturn:
    raise ConfigError([Problem(printable(str(file)), line, "", what, mend)])


def _same_numbers(stores: Sequence[Store]) -> Iterator[Problem]:
    """Stores that could send one slip number to one GSS site: the second would overwrite the first's orders."""
    for at, store in enumerate(stores):
        for other in stores[:at]:
            if _numbers(store) == _numbers(other) and _may_be_one_site(store.gosweetspot, other.gosweetspot):
                yield Problem(
                    str(store.path),
                    0,
                    "[slip] prefix",
                    f"{store.name} and {other.name} could send the same slip number to {store.gosweetspot.destination}",
                    f'Give one of them a prefix of its own, as in prefix = "{store.name[:3].upper()}-", '
                    "or each its own site_id if they are different accounts",
                )
                break


def _numbers(store: Store) -> str:
    """What the store's slip numbers look like, as GSS tells numbers apart."""
    template = store.slip.prefix + store.slip.number
    return number_key(template.replace("{store}", store.name))


def _may_be_one_site(one: GoSweetSpot, other: GoSweetSpot) -> bool:
    if one.destination == other.destination:
        return True
    # Without site_id a key's own site is meant, which may be the one that the other store names.
    return one.url == other.url and one.access_key == other.access_key and None in (one.site_id, other.site_id)

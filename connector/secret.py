"""Secrets by reference: where a key is kept, and the key itself, which nothing shows. Knows no store and no GSS.

A store file says where a secret is (`env:NAME`, `file:PATH`, `keyring:SERVICE/NAME`), never the secret. It is read each
time it is needed, so a rotated key is in use from the next run on (failures.md G3).
"""

from __future__ import annotations

import os
import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

from connector import plain_file

_LONGEST: Final = 4096
_CREDENTIALS: Final = "$CREDENTIALS_DIRECTORY/"
_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LIKE_A_KEY: Final = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20}")


class SecretError(ValueError):
    """A secret can't be had: what is wrong, and what to do now. Neither ever holds the secret."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}. {mend}.")
        self.what = what
        self.mend = mend


class Secret:
    """A secret in memory. str, repr and every error show "***"; `reveal` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself: for the header it belongs in, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


class SecretReference(NamedTuple):
    """Where a secret is kept.

    kind    "env", "file" or "keyring"
    place   the variable's name, the path as the store file has it, or "SERVICE/NAME"
    folder  what a relative path starts from
    """

    kind: str
    place: str
    folder: Path = Path()

    def __str__(self) -> str:
        """As written; the place is left out where somebody may have put the key itself in its stead."""
        return f"{self.kind}:..." if may_be_a_key(self.place) else f"{self.kind}:{self.place}"

    def __repr__(self) -> str:
        return f"SecretReference({self})"

    def resolve(self, *, as_typed: bool = False) -> Secret:
        """The secret, read now. Raises SecretError with a message fit for the merchant.

        as_typed  for a secret that signs and never stands in a header: any one line may be one. WooCommerce makes them
                  with spaces, and people type other letters (recorded: woocommerce-live)
        """
        value = _READERS[self.kind](self)
        if (wrong := what_is_wrong(value, as_typed=as_typed)) is not None:
            raise SecretError(f"{self} {wrong[0]}", wrong[1])
        return Secret(value)


def parse_reference(text: str, folder: Path) -> SecretReference:
    """The reference written as `text`. Raises SecretError that doesn't quote it: it may be the key itself."""
    kind, colon, place = text.partition(":")
    service, _, name = place.partition("/")
    if not colon or kind not in _READERS:
        raise SecretError(
            "this is no reference to a secret, and not shown, since it may be the key itself",
            "Write env:NAME, file:PATH or keyring:SERVICE/NAME. If it was the key, have a new one made",
        )
    if kind == "env" and not _ENV_NAME.fullmatch(place):
        raise SecretError("env: is not followed by a variable's name", "Write env:KIWI_GSS_KEY or the like")
    if kind == "file" and not (place and place.isprintable()):
        raise SecretError("file: is not followed by a path", "Write file:secrets/kiwi-gss.key or the like")
    if kind == "keyring" and not (service and name):
        raise SecretError("keyring: is not followed by SERVICE/NAME", "Write keyring:gosweetspot/kiwi or the like")
    return SecretReference(kind, place, folder)


def may_be_a_key(text: str) -> bool:
    """True when the text has a run of twenty letters and digits with a digit among them: names have none, keys do."""
    return _LIKE_A_KEY.search(text) is not None


def what_is_wrong(value: str, *, as_typed: bool = False) -> tuple[str, str] | None:
    """Why this text can't be a key, and what to do, without quoting it; None when it can.

    A header takes printable ASCII only, and `requests` quotes the whole value in its error when a newline is in it
    (failures.md E2, S11), so the value is checked before it goes near a header.
    """
    if not value:
        return "is empty", "Put the key in it"
    if "\n" in value or "\r" in value:
        return "holds more than one line", "Keep the key alone in it, on one line"
    if as_typed:
        return ("is not text in UTF-8", "Save it as plain text in UTF-8") if "\ufffd" in value else None
    if value != value.strip():
        return "begins or ends with a space", "Take the space away"
    if not all("!" <= character <= "~" for character in value):
        return "holds a character that no key has, such as a space or a long dash", "Copy the key once more"
    return None


def _read_env(reference: SecretReference) -> str:
    value = os.environ.get(reference.place)
    if value is None:
        raise SecretError(f"{reference} is not set", "Set it for the service, or use file:PATH")
    return value


def _read_file(reference: SecretReference) -> str:
    try:
        path = reference.folder / Path(_in_credentials(reference)).expanduser()
        found = plain_file.read(path, _LONGEST)
    except OSError as err:
        what = f"{reference} can't be read ({plain_file.reason(err)})"
        raise SecretError(what, "Put the key in that file, and let the user that runs connector read it") from None
    except RuntimeError:  # pathlib's, where the user has no home
        raise SecretError(f"{reference} begins with ~, and this user has no home", "Write the whole path") from None
    if not found.is_plain:
        raise SecretError(f"{reference} is no plain file", "Name a file that holds the key and nothing else")
    if found.mode & 0o077 and not _is_credential(path):
        shown = "the file" if may_be_a_key(reference.place) else _for_a_shell(reference.place)
        raise SecretError(f"{reference} is open to others on this machine", f"Run: chmod 600 {shown}")
    if found.size > _LONGEST:
        raise SecretError(f"{reference} is too long for a key", "Name a file that holds the key and nothing else")
    # An editor or `echo` ends the file with a newline that is not the key's.
    return found.content.rstrip(b"\r\n").decode("utf-8", "replace")


def _for_a_shell(place: str) -> str:
    """The place as a shell takes it, which knows ~ too, as long as it isn't quoted."""
    home = "~/" if place.startswith("~/") else ""
    return home + shlex.quote(place.removeprefix(home))


def _in_credentials(reference: SecretReference) -> str:
    """The place, with systemd's folder of this service's credentials put in where it begins with its variable."""
    if not reference.place.startswith(_CREDENTIALS):
        return reference.place
    if not (folder := os.environ.get("CREDENTIALS_DIRECTORY")):
        raise SecretError(
            f"{reference} is a credential of a systemd service, and this is none",
            "Run the command as the service does: sudo connector ..., set up as docs/deploy.md shows",
        )
    return f"{folder}/{reference.place.removeprefix(_CREDENTIALS)}"


def _is_credential(path: Path) -> bool:
    """True for a file that systemd laid out for this service alone (LoadCredential=).

    Its folder is closed to all others, and its group bits are the mask of an access list, not a group's rights
    (systemd.exec(5), "Credentials").
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and path.absolute().parent == Path(str(folder))


def _read_keyring(reference: SecretReference) -> str:
    try:
        keyring = import_module("keyring")  # an optional extra, and slow to import
    except ImportError:
        raise SecretError(
            f"{reference} needs the keyring package", "Run: pip install 'gosweetspot-connector[keyring]'"
        ) from None
    service, _, name = reference.place.partition("/")
    try:
        value = keyring.get_password(service, name)
    except Exception as err:  # noqa: BLE001 - a back end raises whatever its desktop raises, and may quote anything
        what = f"{reference} can't be read ({type(err).__name__})"
        raise SecretError(what, "Unlock the keyring for this user, or use file:PATH") from None
    if value is None:
        raise SecretError(
            f"{reference} is not in the keyring", f"Run: keyring set {shlex.quote(service)} {shlex.quote(name)}"
        )
    return str(value)


_READERS: Final = {"env": _read_env, "file": _read_file, "keyring": _read_keyring}

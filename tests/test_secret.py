"""Secrets by reference: had from where the store file says, checked, and shown by nothing."""

from __future__ import annotations

import os
import pickle
import sys
import types
from pathlib import Path

import pytest

from connector.secret import Secret, SecretError, SecretReference, may_be_a_key, parse_reference

CANARY = "Canary7Zz91Qq"


def refused(reference: SecretReference) -> str:
    """The message of a secret that can't be had."""
    with pytest.raises(SecretError) as caught:
        reference.resolve()
    assert caught.value.__cause__ is None
    assert CANARY not in str(caught.value) + repr(caught.value)
    return str(caught.value)


def key_file(folder: Path, content: bytes, mode: int = 0o600) -> SecretReference:
    file = folder / "gss.key"
    file.write_bytes(content)
    file.chmod(mode)
    return parse_reference("file:gss.key", folder)


def test_a_key_in_a_variable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWI_GSS_KEY", CANARY)
    assert parse_reference("env:KIWI_GSS_KEY", Path()).resolve().reveal() == CANARY


def test_a_variable_that_is_not_set_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIWI_GSS_KEY", raising=False)
    message = refused(parse_reference("env:KIWI_GSS_KEY", Path()))
    assert message == "env:KIWI_GSS_KEY is not set. Set it for the service, or use file:PATH."


def test_G3_a_rotated_key_is_used_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = parse_reference("env:KIWI_GSS_KEY", Path())
    monkeypatch.setenv("KIWI_GSS_KEY", "old")
    assert reference.resolve().reveal() == "old"
    monkeypatch.setenv("KIWI_GSS_KEY", "new")
    assert reference.resolve().reveal() == "new"


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\n\n"])
def test_SEC12_newlines_at_the_end_of_a_key_file_are_not_the_keys(tmp_path: Path, ending: bytes) -> None:
    assert key_file(tmp_path, CANARY.encode() + ending).resolve().reveal() == CANARY


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (f"{CANARY}\n{CANARY}".encode(), "more than one line"),
        (f" {CANARY}".encode(), "begins or ends with a space"),
        (f"{CANARY} ".encode(), "begins or ends with a space"),
        (f"{CANARY} {CANARY}".encode(), "a character that no key has"),
        (f"{CANARY}\u2013x".encode(), "a character that no key has"),
        (f"\ufeff{CANARY}".encode(), "a character that no key has"),
        (f"{CANARY}\0".encode(), "a character that no key has"),
        (f"{CANARY}\x7f".encode(), "a character that no key has"),
    ],
)
def test_S11_SEC12_a_key_that_cannot_be_one_is_refused_without_being_shown(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    assert reason in refused(key_file(tmp_path, content))


@pytest.mark.parametrize("value", [f"{CANARY}\n", f"{CANARY}\u2013", f"{CANARY} x", ""])
def test_S11_a_key_in_a_variable_is_checked_as_well(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("KIWI_GSS_KEY", value)
    refused(parse_reference("env:KIWI_GSS_KEY", Path()))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620])
def test_SEC13_a_key_file_open_to_others_is_refused_with_the_chmod(tmp_path: Path, mode: int) -> None:
    message = refused(key_file(tmp_path, CANARY.encode(), mode))
    assert message == "file:gss.key is open to others on this machine. Run: chmod 600 gss.key."


@pytest.mark.parametrize(("place", "shown"), [("my keys/gss", "'my keys/gss'"), ("~/my keys/gss", "~/'my keys/gss'")])
def test_SEC13_the_chmod_can_be_typed_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, shown: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my keys").mkdir()
    (tmp_path / "my keys" / "gss").write_text("x")
    (tmp_path / "my keys" / "gss").chmod(0o644)
    assert refused(parse_reference(f"file:{place}", tmp_path)).endswith(f"Run: chmod 600 {shown}.")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_SEC13_a_key_file_of_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    assert key_file(tmp_path, CANARY.encode(), mode).resolve().reveal() == CANARY


def test_SEC13_a_file_laid_out_by_systemd_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = key_file(tmp_path, CANARY.encode(), 0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert reference.resolve().reveal() == CANARY
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path.parent))
    assert "open to others" in refused(reference)


def test_a_key_file_that_is_missing_a_folder_a_pipe_or_huge_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    assert "no such file" in refused(parse_reference("file:nowhere", tmp_path))
    assert "is no plain file" in refused(parse_reference("file:pipe", tmp_path))
    assert "is no plain file" in refused(parse_reference("file:folder", tmp_path))
    assert "too long" in refused(key_file(tmp_path, CANARY.encode() * 1000))


def test_a_home_that_nobody_has_is_said(tmp_path: Path) -> None:
    assert "has no home" in refused(parse_reference("file:~nobody-of-this-name/gss.key", tmp_path))


def test_a_relative_path_starts_from_the_projects_folder_and_an_absolute_one_does_not(tmp_path: Path) -> None:
    key_file(tmp_path, b"here")
    assert parse_reference("file:gss.key", tmp_path).resolve().reveal() == "here"
    assert parse_reference(f"file:{tmp_path}/gss.key", Path("elsewhere")).resolve().reveal() == "here"


NO_REFERENCES = [
    "", ":", "CANARY", "key CANARY", "ENV:CANARY", "vault:CANARY", "http://CANARY", "env:", "env:1A", "env:CANARY-9",
    "env:CANARY\n", "file:", "file:CANARY\n", "keyring:", "keyring:CANARY", "keyring:/CANARY",
]  # fmt: skip


@pytest.mark.parametrize("text", [text.replace("CANARY", CANARY) for text in NO_REFERENCES])
def test_what_is_no_reference_is_refused_and_not_shown_since_it_may_be_the_key(text: str) -> None:
    with pytest.raises(SecretError) as caught:
        parse_reference(text, Path())
    assert CANARY not in str(caught.value)


def test_a_key_put_where_its_place_belongs_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "9F86D081884C7D659A2FEAA0C55AD015"
    monkeypatch.delenv(key, raising=False)
    reference = parse_reference(f"env:A{key}", Path())
    with pytest.raises(SecretError) as caught:
        reference.resolve()
    assert key not in f"{caught.value} {reference} {reference!r}"
    assert may_be_a_key(key)
    assert not may_be_a_key("env:KIWI_CHRISTCHURCH_GSS_TEST_KEY")


def test_SEC12_nothing_shows_a_secret() -> None:
    secret = Secret(CANARY)
    shown = f"{secret} {secret!r} {[secret]} {secret.__class__.__dict__}"
    assert CANARY not in shown
    assert str(secret) == "***"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def keyring_of(passwords: dict[tuple[str, str], str], error: Exception | None = None) -> types.ModuleType:
    def get_password(service: str, name: str) -> str | None:
        if error:
            raise error
        return passwords.get((service, name))

    module = types.ModuleType("keyring")
    module.get_password = get_password  # type: ignore[attr-defined]
    return module


def test_a_key_in_the_keyring_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", keyring_of({("gss", "kiwi/main"): CANARY}))
    assert parse_reference("keyring:gss/kiwi/main", Path()).resolve().reveal() == CANARY
    assert "Run: keyring set gss tui" in refused(parse_reference("keyring:gss/tui", Path()))


def test_a_keyring_that_fails_tells_its_error_but_not_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", keyring_of({}, RuntimeError(f"locked: {CANARY}")))
    assert "can't be read (RuntimeError)" in refused(parse_reference("keyring:gss/kiwi", Path()))


def test_without_the_keyring_package_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "pip install 'gosweetspot-connector[keyring]'" in refused(parse_reference("keyring:gss/kiwi", Path()))

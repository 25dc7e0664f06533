"""Keys that systemd hands to a service: where a store file says they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.secret import SecretError, parse_reference


def test_SEC13_a_credential_is_found_where_systemd_laid_it_for_this_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys_kiwi-gss").write_text("the-key-1\n")
    (tmp_path / "keys_kiwi-gss").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    reference = parse_reference("file:$CREDENTIALS_DIRECTORY/keys_kiwi-gss", Path("/etc/connector"))
    assert reference.resolve().reveal() == "the-key-1"


def test_SEC13_outside_a_service_it_is_said_how_to_run_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(SecretError, match="is a credential of a systemd service, and this is none"):
        parse_reference("file:$CREDENTIALS_DIRECTORY/keys_kiwi-gss", Path()).resolve()

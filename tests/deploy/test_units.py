"""The units of deploy/systemd: bound to least power, and to what the program needs. systemd itself judges them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.arguments import parser
from connector.exit_codes import Code

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
DAEMON, RECEIVER = (DEPLOY / "systemd" / name for name in ("connector.service", "connector-inbox.service"))
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
MOST_EXPOSED = 2.0


def settings(unit: Path) -> dict[str, list[str]]:
    """Every setting of a unit file, with its values as written."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([A-Za-z]+)=(.*)$", unit.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_SEC32_systemd_finds_the_units_little_exposed(
    unit: Path, record_property: Callable[[str, object], None]
) -> None:
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", ran.stdout)
    assert found is not None, ran.stderr
    record_property("exposure", found[1])
    assert float(found[1]) <= MOST_EXPOSED, ran.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("PrivateUsers", "yes"),
        ("CapabilityBoundingSet", ""),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("SystemCallFilter", "@system-service"),
        ("MemoryDenyWriteExecute", "yes"),
        ("LockPersonality", "yes"),
        ("UMask", "0077"),
        ("User", "connector"),
    ],
)
def test_SEC32_each_unit_takes_this_power_away(unit: Path, name: str, value: str) -> None:
    assert settings(unit)[name][0] == value


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_SEC34_no_unit_leaves_a_core_dump(unit: Path) -> None:
    assert settings(unit)["LimitCORE"] == ["0"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_SEC13_no_secret_is_on_a_command_line_or_in_the_environment_of_a_unit(unit: Path) -> None:
    found = settings(unit)
    (command,) = found["ExecStart"]
    program, *words = command.split()
    assert program == "/opt/connector/current/bin/connector"
    parser().parse_args(words)  # and it is one that there is
    assert "key" not in command
    assert found["Environment"] == ["PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1"]
    assert "EnvironmentFile" not in found


def test_SEC6_the_receiver_is_given_no_key_and_sees_of_the_state_the_inbox_only() -> None:
    found = settings(RECEIVER)
    assert found["LoadCredential"] == ["webhooks:/etc/connector/webhooks"]
    assert "-/etc/connector/keys" in found["InaccessiblePaths"][0].split()
    assert found["TemporaryFileSystem"] == ["/var/lib/connector:ro"]
    assert found["BindPaths"] == ["/var/lib/connector/inbox"]
    assert "StateDirectory" not in found
    assert "process_vm_readv" in found["SystemCallFilter"][1]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_Z7_a_crash_loop_is_slow_has_an_end_and_a_wrong_store_file_is_none(unit: Path) -> None:
    found = settings(unit)
    assert found["Restart"] == ["on-failure"]
    assert int(found["RestartSec"][0]) >= 5
    assert int(found["StartLimitBurst"][0]) * int(found["RestartSec"][0]) < 600
    assert found["StartLimitIntervalSec"] == ["10min"]
    assert found["RestartPreventExitStatus"] == [str(int(Code.USAGE))]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_each_unit_reads_its_store_files_anew_when_it_is_reloaded(unit: Path) -> None:
    assert settings(unit)["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_the_daemon_gets_longer_to_stop_than_it_takes_and_is_watched() -> None:
    from connector.daemon.daemon import GRACE_S

    found = settings(DAEMON)
    assert found["Type"] == ["notify"]
    assert int(found["WatchdogSec"][0]) >= 30
    assert int(found["TimeoutStopSec"][0]) >= GRACE_S + 5


def test_SEC33_the_image_is_built_by_hash_runs_as_nobody_of_note_and_holds_no_secret() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    last = text.rpartition("\nFROM ")[2]
    assert "USER 10001:10001" in last
    assert "STOPSIGNAL SIGTERM" in last
    assert 'ENTRYPOINT ["connector"]' in last  # no shell between the engine's signals and the program (Z9)
    assert text.count("--require-hashes") == 2
    assert not re.search(r"^(ARG|ENV).*(KEY|SECRET|TOKEN)", text, re.MULTILINE | re.IGNORECASE)
    assert (DEPLOY / "Dockerfile.dockerignore").read_text().startswith("*\n")  # neither config nor keys nor state


@pytest.mark.parametrize("name", ["Makefile", "deploy/Dockerfile", "docs/deploy.md"])
def test_what_installs_from_a_lock_asks_no_resolver(name: str) -> None:
    """pip 23.2 prefers a newer coverage for `coverage[toml]` to the locked one, and then misses its hash."""
    installs = re.findall(r"^.*pip install.*-r requirements.*$", (DEPLOY.parent / name).read_text(), re.MULTILINE)
    assert installs
    assert all("--no-deps --require-hashes" in line for line in installs)


def test_SEC33_Z8_compose_runs_it_read_only_without_a_right() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    for line in ('user: "10001:10001"', "read_only: true", "cap_drop: [ALL]", '["no-new-privileges:true"]', "core: 0"):
        assert line in text


def test_H5_what_runs_without_the_systems_time_zones_brings_its_own() -> None:
    lock = (DEPLOY.parent / "requirements-run.lock").read_text()
    assert re.search(r"^tzdata==", lock, re.MULTILINE)


def test_the_lock_for_running_is_part_of_the_whole_one() -> None:
    root = DEPLOY.parent
    whole, part = (
        set(re.findall(r"^([a-z0-9-]+==\S+)", (root / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-run.lock")
    )
    assert part < whole
    assert not any(one.startswith(("pytest==", "mypy==", "ruff==")) for one in part)

#!/usr/bin/env bash
# Writes requirements.lock from pyproject.toml: the project and its dev group, every file by hash, no registry named;
# and requirements-run.lock, the part of it that the program needs where it runs (deploy/).
# pip-tools lives in a folder of its own for the length of the run, so that it never becomes a dependency.
# Versions already locked stay where they still fit; `scripts/lock.sh --upgrade` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check 'pip-tools>=7.5'

# pip-compile knows extras but no dependency groups, so the dev group is handed over as a file.
"$tools/bin/python" - >"$tools/dev.in" <<'PYTHON'
import tomllib
from pathlib import Path

print(*tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["dependency-groups"]["dev"], sep="\n")
PYTHON

how=(--generate-hashes --strip-extras --allow-unsafe --quiet --no-header --no-annotate --no-emit-options
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host)
"$tools/bin/pip-compile" pyproject.toml "$tools/dev.in" --output-file requirements.lock "${how[@]}" "$@"
"$tools/bin/pip-compile" pyproject.toml --constraint requirements.lock --output-file requirements-run.lock "${how[@]}"
echo "requirements.lock: $(grep -c '==' requirements.lock) packages. Review the diff, then: make check"

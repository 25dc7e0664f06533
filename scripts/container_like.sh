#!/usr/bin/env bash
# The steps of deploy/Dockerfile and deploy/compose.yaml where there is no container engine: what the image holds, bound
# read-only into bubblewrap; user 10001, no capability, process 1, nothing to write but /state and /tmp, no environment.
#   scripts/container_like.sh PYTHON CONFIG KEYS STATE
# PYTHON is the venv's; prints what the container prints; ends as it ends. CONFIG, KEYS, STATE: as compose.yaml binds them.
set -euo pipefail
python=$1 config=$2 keys=$3 state=$4
venv=$(cd "$(dirname "$python")/.." && pwd)
python=$venv/bin/python
base=$("$python" -c 'import sys; print(sys.base_prefix)')
package=$("$python" -c 'import connector, pathlib; print(pathlib.Path(connector.__file__).parents[1])')
# /tmp comes first: the project itself may lie below it.
# Only what Python needs: no shell's folders, no /etc, and so no time zones of the system either (failures.md H5).
bound=(--ro-bind "$venv" "$venv" --ro-bind "$package" "$package" --ro-bind /usr/lib /usr/lib --symlink usr/lib /lib)
[[ -d /usr/lib64 ]] && bound+=(--ro-bind /usr/lib64 /usr/lib64 --symlink usr/lib64 /lib64)
[[ $base == /usr ]] && bound+=(--ro-bind "$(readlink -f "$python")" "$(readlink -f "$python")") || bound+=(--ro-bind "$base" "$base")
exec bwrap --unshare-user --unshare-pid --unshare-ipc --unshare-uts --uid 10001 --gid 10001 --cap-drop ALL --clearenv \
    --tmpfs /tmp "${bound[@]}" --proc /proc --dev /dev --ro-bind "$config" /config --ro-bind "$keys" /run/keys \
    --bind "$state" /state --remount-ro / --chdir /state --as-pid-1 --die-with-parent \
    --setenv PYTHONUNBUFFERED 1 --setenv PYTHONDONTWRITEBYTECODE 1 \
    "$python" -m connector.cli run --config /config --state /state --listen "${CONTAINER_LISTEN:-127.0.0.1:8787}" --wait 5

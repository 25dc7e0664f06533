"""The folder of store files, watched: whether anything in it has changed since it was last looked at. Reads no file."""

from __future__ import annotations

from pathlib import Path

Signature = tuple[tuple[str, int, int, int], ...]


class Watched:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = self._signature()

    def has_changed(self) -> bool:
        """Since the last time this was asked."""
        now = self._signature()
        changed, self._seen = now != self._seen, now
        return changed

    def _signature(self) -> Signature:
        try:
            found = [(path.name, path.stat()) for path in self._folder.glob("*.toml")]
        except OSError:
            return ()
        return tuple(sorted((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in found))

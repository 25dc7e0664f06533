"""A merchant's desk for tests of the commands: a folder with store files and exports, and hands that type commands."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connector.cli import main

COLUMNS = ("Id", "Number", "Name", "Street", "City", "Postcode", "Country", "Payment", "Status", "Note")

STORE_FILE = """\
[source]
kind = "csv"
path = "exports/{name}/*.csv"
settle = 0

[source.columns]
id = "Id"
number = "Number"
name = "Name"
line1 = "Street"
city = "City"
postcode = "Postcode"
country = "Country"
payment = "Payment"
status = "Status"
buyer_note = "Note"

[gosweetspot]
url = "{url}"
access_key = "env:{key}"
ghost_window = "0s"
batch_size = {batch_size}
calls_per_minute = 0
calls_per_hour = 0

[schedule]
timezone = "Pacific/Auckland"

[slip]
prefix = "{prefix}"
{more}
"""


def order(number: int, **changes: str) -> dict[str, str]:
    """An order of somebody invented, ready to ship; **changes by column."""
    row = {
        "Id": str(9000 + number),
        "Number": f"#{number}",
        "Name": "Aroha Example",
        "Street": f"{number} Kowhai Road",
        "City": "Hamilton",
        "Postcode": "3200",
        "Country": "NZ",
        "Payment": "paid",
        "Status": "unfulfilled",
        "Note": "",
    }
    return row | changes


@dataclass
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)

    @property
    def values(self) -> list[Any]:
        """The JSON values on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Desk:
    """A folder to run commands in."""

    folder: Path
    url: str
    capsys: pytest.CaptureFixture[str]
    exports: dict[str, int] = field(default_factory=dict)

    def store(
        self,
        name: str = "kiwi",
        *,
        prefix: str = "",
        key: str = "DESK_KEY",
        batch_size: int = 50,
        url: str = "",
        more: str = "",
    ) -> Path:
        """Write a store file."""
        file = self.folder / "config" / f"{name}.toml"
        file.parent.mkdir(exist_ok=True)
        (self.folder / "exports" / name).mkdir(parents=True, exist_ok=True)
        file.write_text(
            STORE_FILE.format(name=name, url=url or self.url, key=key, batch_size=batch_size, prefix=prefix, more=more)
        )
        file.chmod(0o600)
        return file

    def export(self, *orders: dict[str, str], store: str = "kiwi") -> Path:
        """The shop's next export."""
        day = self.exports[store] = self.exports.get(store, 0) + 1
        file = self.folder / "exports" / store / f"orders_2026-11-{day:02}.csv"
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, COLUMNS)
            writer.writeheader()
            writer.writerows(orders)
        return file

    def __call__(self, *arguments: str) -> Said:
        """Run a command in this process."""
        code = main(arguments)
        said = self.capsys.readouterr()
        return Said(int(code), said.out, said.err)

    def outside(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the installed command in a process of its own."""
        command = [str(Path(sys.executable).with_name("connector")), *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=os.environ, capture_output=True, text=True, timeout=60, check=False, **options
        )

    def fingerprint(self) -> str:
        """A hash over every file of the state folder, by name and content."""
        digest = hashlib.sha256()
        for file in sorted((self.folder / "state").rglob("*")):
            digest.update(f"{file.relative_to(self.folder)}\n".encode())
            digest.update(file.read_bytes() if file.is_file() else b"")
        return digest.hexdigest()

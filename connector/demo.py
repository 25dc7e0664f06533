"""`connector demo`: two made-up shops, a made-up GoSweetSpot, every step shown. Knows no real account."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from connector.config import load_stores
from connector.exit_codes import Code, UsageError
from connector.ledger import queries
from connector.ledger.reading import reading
from connector.report import Hooks
from connector.sandbox.handle import Sandbox
from connector.sandbox.options import DEFAULT_KEY, Options
from connector.sandbox.server import running
from connector.show.runs import show_outcome
from connector.show.screen import Screen
from connector.show.standing import show_needs
from connector.status import status_of
from connector.sync_stores import sync_stores

EXPORTS: Final = Path(__file__).with_name("demo_data")
SHOPS: Final = {
    "harakeke": ("shopify", 101, "shopify_orders.csv"),
    "longdrop": ("woocommerce", 102, "woocommerce_orders.csv"),
}
"""Store: its dialect, its site at GoSweetSpot, and the first export of its shop."""
TICKETED, MOVED, CANCELLED, PAID, FRESH = "#1002", "#1003", "#1005", "#1016", "#1030"
"""Orders of the later export, by what happens to them (demo_data/README.md)."""

STORE_FILE: Final = """\
[source]
kind = "csv"
path = "exports/{name}/*.csv"
dialect = "{dialect}"

[gosweetspot]
url = "{url}"
access_key = "file:sandbox.key"
site_id = {site}
ghost_window = "0s"     # goes with a sandbox only: it applies no call later than it answers
"""


class Stage(NamedTuple):
    """Where the demo plays."""

    folder: Path
    sandbox: Sandbox
    screen: Screen


def demo(screen: Screen, keep: Path | None, port: int) -> Code:
    """Play it through, in under a minute; DONE where every promise it shows was kept, WAITS where one was not.

    keep: leave config, exports and state in this folder, which must be new or empty. Raises UsageError.
    """
    try:
        with _folder(keep) as folder, running(_options(folder, keep, port)) as sandbox:
            stage = Stage(folder, sandbox, screen)
            _build(stage)
            kept = [_first_sync(stage), _second_sync(stage), _ticketed(stage), _later(stage)]
            _farewell(stage, keep)
    except OSError as err:
        raise UsageError(f"the demo can't be set up: {err.strerror or type(err).__name__}") from err
    return Code.DONE if all(kept) else Code.WAITS


def _options(folder: Path, keep: Path | None, port: int) -> Options:
    sites = tuple(str(site) for _, site, _ in SHOPS.values())
    return Options(port=port, data=folder / "sandbox.db" if keep else None, keys={DEFAULT_KEY: sites})


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="connector-demo-") as folder:
            yield Path(folder)
        return
    if keep.exists() and any(keep.iterdir()):
        raise UsageError(f"{keep} is not empty; name a new folder")
    keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield keep


def _build(stage: Stage) -> None:
    """Two store files, a key, and the shops' first exports."""
    (stage.folder / "config").mkdir(mode=0o700)
    key = stage.folder / "sandbox.key"
    key.touch(mode=0o600)
    key.write_text(stage.sandbox.key + "\n")
    for name, (dialect, site, export) in SHOPS.items():
        text = STORE_FILE.format(name=name, dialect=dialect, site=site, url=stage.sandbox.url)
        file = stage.folder / "config" / f"{name}.toml"
        file.write_text(text)
        file.chmod(0o600)
        _deliver(stage, name, export, "2026-11-20")


def _deliver(stage: Stage, store: str, export: str, day: str) -> None:
    """Put an export into the shop's folder, long enough ago that nobody can still be writing to it."""
    target = stage.folder / "exports" / store / f"orders_{day}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(EXPORTS / export, target)
    a_minute_ago = datetime.now(UTC).timestamp() - 60
    os.utime(target, (a_minute_ago, a_minute_ago))


def _heading(stage: Stage, number: int, text: str, look_at: str) -> None:
    stage.screen.line()
    stage.screen.line(f"{number}. {text}", "head")
    stage.screen.line(f"   {look_at}", "quiet")


def _sync(stage: Stage) -> int:
    """Sync both stores, show what came of it, and return how many PUTs and DELETEs that took."""
    before = _sends(stage)
    for outcome in sync_stores(load_stores(stage.folder / "config"), stage.folder / "state", Hooks()):
        show_outcome(stage.screen, outcome)
    return _sends(stage) - before


def _sends(stage: Stage) -> int:
    counts = stage.sandbox.counts()
    return counts["puts"] + counts["deletes"]


def _promise(stage: Stage, kept: bool, text: str) -> bool:
    stage.screen.line(f"{'ok' if kept else 'BROKEN'}: {text}", "good" if kept else "bad")
    return kept


def _first_sync(stage: Stage) -> bool:
    _heading(
        stage, 1, "Two shops are read, their orders become packing slips",
        "Look at what was moved to where freight wants it, what is held and why, and what is none of freight's "
        "business.",
    )  # fmt: skip
    _sync(stage)
    stage.screen.line()
    with reading(stage.folder / "state") as db:
        rows = [row for name in SHOPS for row in _became(db, name)]
    stage.screen.table(("order", "became", "changed on the way, or why not"), rows)
    at_gss = stage.sandbox.orders()
    once = all(order["creations"] == 1 for order in at_gss)
    return _promise(
        stage, once and bool(at_gss), f"{len(rows)} orders read, {len(at_gss)} slips at GoSweetSpot, each made once"
    )


def _became(db: sqlite3.Connection, store: str) -> Iterator[tuple[str, str, str]]:
    receipts = queries.receipts_of_newest(db, store)
    rows = [
        (slip.order, slip.state, slip.reason or _changed(receipts.get(slip.order)))
        for slip in queries.slips(db, store, most=1000)
    ]
    rows += queries.passed_over(db, store)
    yield from sorted(rows)


def _changed(receipts: str | None) -> str:
    """Which fields were changed, and why: receipts in a few words."""
    return " ".join(f"{one['field']}: {one['why']}" for one in json.loads(receipts)) if receipts else ""


def _second_sync(stage: Stage) -> bool:
    _heading(stage, 2, "The same again", "Look at the calls: nothing has changed, so nothing is sent.")
    sends = _sync(stage)
    return _promise(stage, sends == 0, f"{sends} PUTs and DELETEs in this run")


def _ticketed(stage: Stage) -> bool:
    _heading(
        stage, 3, f"Somebody at the freight desk prints the label of {TICKETED}",
        "From now on GoSweetSpot ignores changes of that order, and says so.",
    )  # fmt: skip
    ticket = stage.sandbox.ticket(TICKETED)
    stage.screen.line(f"{TICKETED} has ticket {ticket}.")
    return True


def _later(stage: Stage) -> bool:
    _heading(
        stage, 4, f"Three days later: {MOVED} moved house, {CANCELLED} was cancelled, {PAID} was paid, {FRESH} is new, "
        f"and {TICKETED} changed its address too late",
        "Look at the one order that needs a person: its parcel may be going to the old address.",
    )  # fmt: skip
    before = {order["number"]: order for order in stage.sandbox.orders()}
    _deliver(stage, "harakeke", "shopify_orders_later.csv", "2026-11-23")
    _sync(stage)
    after = {order["number"]: order for order in stage.sandbox.orders()}
    status = status_of(stage.folder / "config", stage.folder / "state", (), datetime.now(UTC))
    late = [one for one in status.needs if one.need.kind == "late"]
    stage.screen.line()
    show_needs(stage.screen, late, sum(status.needs_counted.values()), datetime.now(UTC))
    return all(
        [
            _promise(
                stage, _moved(before, after), f"{MOVED} has its new address at GoSweetSpot, and is still one order"
            ),
            _promise(stage, after[CANCELLED]["state"] == "deleted", f"{CANCELLED} is gone from GoSweetSpot"),
            _promise(stage, {PAID, FRESH} <= after.keys(), f"{PAID} and {FRESH} are there"),
            _promise(
                stage, [one.need.order for one in late] == [TICKETED], f"{TICKETED} is late, and a person is told"
            ),
        ]
    )


def _moved(before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]) -> bool:
    return before[MOVED]["sent"] != after[MOVED]["sent"] and after[MOVED]["creations"] == 1


def _farewell(stage: Stage, keep: Path | None) -> None:
    line = stage.screen.line
    line()
    line("What next", "head")
    if keep:
        where = f"--config {keep}/config --state {keep}/state"
        port = stage.sandbox.url.rpartition(":")[2]
        line(f"  connector status {where}")
        line(f"  connector explain '{TICKETED}' {where}")
        line(f"  connector sandbox --port {port} --data {keep}/sandbox.db      and in another window:")
        line(f"  connector sync {where}")
    else:
        line("  connector demo --keep demo     the same, with its folder kept, to try the other commands on")
    line("  connector sandbox              a GoSweetSpot of your own to try things on")
    line("  connector init kiwi            write the file of your own store, then: connector check")

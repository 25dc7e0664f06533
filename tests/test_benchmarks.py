"""The benchmarks' pieces: an export like a shop's, a peer that does honest work, a verdict that adds up."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from benchmarks import make_export, script
from benchmarks.measure import Run
from benchmarks.verdict import Comparison, Limit, as_json, memory_limits, table


def export(orders: int) -> str:
    out = io.StringIO(newline="")
    make_export.write(orders, out)
    return out.getvalue()


def first_rows(text: str) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["Financial Status"]]


def test_the_same_arguments_make_the_same_export() -> None:
    assert export(50) == export(50)
    assert export(49).splitlines() == export(50).splitlines()[: len(export(49).splitlines())]


def test_an_export_has_the_79_columns_and_rows_that_are_as_wide() -> None:
    widths = {len(row) for row in csv.reader(io.StringIO(export(200), newline=""), strict=True)}
    assert widths == {79}


def test_an_export_has_the_shape_the_figures_were_measured_on() -> None:
    text = export(4000)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    orders = first_rows(text)
    assert len({row["Name"] for row in rows}) == len(orders) == 4000
    assert len(rows) / 4000 == pytest.approx(2.28, rel=0.03)
    assert sum(map(script.is_ready, orders)) / 4000 == pytest.approx(0.85, abs=0.02)
    assert 600 < len(text) / 4000 < 900


def test_rows_after_an_orders_first_carry_only_their_line() -> None:
    rows = csv.DictReader(io.StringIO(export(200), newline=""))
    carried = {name for row in rows if not row["Financial Status"] for name, cell in row.items() if cell}
    lines = {name for name in make_export.COLUMNS if name.startswith("Lineitem")} - {"Lineitem compare at price"}
    assert carried == lines | {"Name", "Email", "Created at", "Vendor"}


@contextmanager
def stub(refused: str = "") -> Iterator[tuple[str, list[list[dict[str, str]]]]]:
    """An endpoint that takes everything but one number, and remembers the batches."""
    batches: list[list[dict[str, str]]] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert self.headers["access_key"] == "a-key"
            batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            batches.append(batch)
            numbers = [slip["packingslipno"] for slip in batch]
            rows = [{"packingslipno": n, "result": n != refused, "msg": "no" * (n == refused)} for n in numbers]
            body = json.dumps(rows).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", batches
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture()
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GSS_KEY", "a-key")
    path = tmp_path / "orders_export.csv"
    path.write_text(export(300), encoding="utf-8", newline="")
    return path


def test_the_script_sends_every_order_that_is_ready_once(shop: Path, tmp_path: Path) -> None:
    ready = [row["Name"] for row in first_rows(shop.read_text(encoding="utf-8")) if script.is_ready(row)]
    with stub() as (url, batches):
        assert script.main(str(shop), url, str(tmp_path / "sent.db")) == 0
        assert script.main(str(shop), url, str(tmp_path / "sent.db")) == 0
    assert [slip["packingslipno"] for batch in batches for slip in batch] == ready
    assert [len(batch) for batch in batches] == [100, 100, len(ready) - 200]


def test_the_script_tries_a_refused_order_again(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with stub(refused="#1001") as (url, batches):
        script.main(str(shop), url, str(tmp_path / "sent.db"))
        script.main(str(shop), url, str(tmp_path / "sent.db"))
    assert [slip["packingslipno"] for slip in batches[-1]] == ["#1001"]
    assert "#1001: no" in capsys.readouterr().err
    remembered = sqlite3.connect(tmp_path / "sent.db")
    assert remembered.execute("SELECT count(*) FROM sent WHERE number = '#1001'").fetchone() == (0,)
    remembered.close()


def seconds(*walls: float) -> list[Run]:
    return [Run(wall, wall / 2, 30.0) for wall in walls]


def test_a_ratio_is_the_median_of_the_pairs_and_not_of_the_sides() -> None:
    comparison = Comparison("x", 0.5, peer=seconds(10, 2, 4), ours=seconds(4, 1, 8))
    assert comparison.ratio() == 0.5
    assert comparison.holds() is True


def test_a_bound_that_is_missed_is_called_so() -> None:
    findings = [Comparison("first", 0.4, seconds(2), seconds(1)), Comparison("shown", None, seconds(2), seconds(1))]
    lines = table([*findings, Limit("memory", 79.9, 80.0)]).splitlines()
    assert lines[2].endswith("0.50    0.40  MISS")
    assert lines[4].endswith("0.50")
    assert lines[5].endswith("79.90   80.00  PASS")


def test_memory_is_judged_by_its_growth_and_by_its_size() -> None:
    limits = memory_limits(Run(1, 1, 50), Run(100, 100, 70))
    assert [(limit.value, limit.holds()) for limit in limits] == [(1.4, False), (70, True)]


def test_the_json_twin_carries_every_run_and_the_verdict() -> None:
    [entry, limit] = as_json([Comparison("first", 0.9, seconds(2), seconds(1)), Limit("memory", 90.0, 80.0)])
    assert entry["ratio"] == 0.5
    assert entry["verdict"] == "PASS"
    assert entry["peer"] == [{"wall_s": 2, "cpu_s": 1, "peak_mb": 30.0}]
    assert limit == {"name": "memory", "value": 90.0, "bound": 80.0, "verdict": "MISS"}

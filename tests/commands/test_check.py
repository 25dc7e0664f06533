"""`connector check`: every problem at once, each with its mend; and that it changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from connector.check import disk, how_it_is_kept, ledger
from connector.exit_codes import Code
from connector.ledger import connection
from connector.sandbox.handle import Sandbox
from connector.selection import LOOKS_AT
from connector.sources import registry
from connector.sources.base import Finding, SourceError, Throttled, Unreachable
from connector.sources.csv_export import CsvOptions
from connector.sources.json_inbox_options import JsonInboxOptions
from tests.commands import live_source
from tests.commands.desk import Desk, order


def test_all_is_well(kiwi: Desk) -> None:
    kiwi("sync")
    before = kiwi.fingerprint()
    said = kiwi("check")
    assert said.code == 0
    assert {line[:7] for line in said.out.splitlines()} == {"ok     "}
    assert "the shop can be read: 2 orders on its first page, first #1001" in said.out
    assert "takes the key" in said.out
    assert kiwi.fingerprint() == before


def test_before_the_first_sync_it_makes_no_ledger(kiwi: Desk) -> None:
    assert kiwi("check").code == 0
    assert not (kiwi.folder / "state").exists()


def test_every_problem_is_told_at_once(desk: Desk) -> None:
    desk.store("kiwi", prefix="K-", key="NOT_SET")
    desk.store("moa", prefix="M-", more="prefixx = 1")
    desk.store("tui", prefix="T-")
    (desk.folder / "exports" / "tui").rmdir()
    said = desk("check")
    assert said.code == 2
    problems = [line for line in said.out.splitlines() if line.startswith("problem")]
    assert [
        any(word in line for line in problems)
        for word in ("config/moa.toml: line 31: [slip] prefixx", "env:NOT_SET is not set", "there is no folder")
    ] == [True] * 3
    assert len(problems) == 3, "no heading counts as a problem"
    assert "         Set it for the service, or use file:PATH." in said.out


def test_keys_of_select_that_the_source_can_t_feed_are_named(desk: Desk) -> None:
    select = '[select]\nsince = 2026-11-01\nskip_tags = ["hold"]\nstatuses = ["unfulfilled"]'
    desk.store("kiwi", more=select)
    desk.export(order(1001))
    said = desk("check", "--offline")
    assert said.code == 2
    assert "[select] since looks at created_at of an order, which [source] gives for none" in said.out
    assert "Leave skip_tags out, or say in [source] where tags stands, if its kind can" in said.out
    assert "statuses" not in said.out
    assert [line[:7] for line in said.out.splitlines() if "[select]" in line] == ["problem"] * 2


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        (CsvOptions(path=".", dialect="shopify"), set()),
        (CsvOptions(path=".", dialect="woocommerce"), {"tags"}),
        (CsvOptions(path=".", dialect="woocommerce", columns={"tags": "Labels"}), set()),
        (JsonInboxOptions(id="id", revision="v"), {"created_at", "tags", "shipping_method", "status"}),
        (JsonInboxOptions(id="id", revision="v", created_at="made", payment="paid"), {"tags", "shipping_method"}),
    ],
)
def test_what_each_source_never_fills(options: CsvOptions | JsonInboxOptions, lacking: set[str]) -> None:
    assert options.lacks & set(LOOKS_AT.values()) == lacking


def test_a_wrong_key_is_told_and_offline_it_is_not_asked_for(
    kiwi: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_KEY", "not-the-key")
    said = kiwi("check")
    assert (said.code, "does not accept the key" in said.out) == (3, True)
    calls = len(sandbox.requests())
    assert kiwi("check", "--offline").code == 0
    assert len(sandbox.requests()) == calls


def test_stores_that_share_a_key_ask_once(desk: Desk, sandbox: Sandbox) -> None:
    desk.store("kiwi", prefix="K-")
    desk.store("moa", prefix="M-")
    desk("check")
    assert sandbox.counts()["gets"] == 1


def test_an_export_that_cannot_be_read_is_a_problem(kiwi: Desk) -> None:
    (kiwi.folder / "exports" / "kiwi" / "orders_2026-11-01.csv").write_text('Id,Number\n1,"#1\n')
    assert kiwi("check").code == 2


def test_a_damaged_ledger_is_told(kiwi: Desk) -> None:
    kiwi("sync")
    (kiwi.folder / "state" / "ledger.db").write_bytes(b"no ledger at all" * 100)
    said = kiwi("check")
    assert (said.code, "the ledger is damaged" in said.out) == (3, True)
    assert kiwi("ledger", "check").code == 3


def test_a_clock_before_the_last_run_is_told(kiwi: Desk) -> None:
    kiwi("sync")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    findings = list(ledger(kiwi.folder / "state", yesterday))
    assert [finding.code for finding in findings if finding.about == "clock"] == [Code.UNREACHED]


def test_a_full_disk_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000_000))
    [finding] = disk(tmp_path / "not" / "there")
    assert (finding.code, "Make space" in finding.mend) == (Code.UNREACHED, True)


def test_SEC43_it_says_which_journal_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "journal" in how_it_is_kept()
    monkeypatch.setattr(connection, "wal_is_sound", lambda: True)
    monkeypatch.setattr(connection, "journal", lambda: ("wal", "full"))
    assert how_it_is_kept().endswith("journal wal, synchronous full, since its WAL is sound")
    monkeypatch.setattr(connection, "wal_is_sound", lambda: False)
    monkeypatch.setattr(connection, "journal", lambda: ("delete", "extra"))
    assert how_it_is_kept().endswith("since WAL of this version can corrupt a file used by several connections")


def test_findings_are_json_lines_too(desk: Desk) -> None:
    desk.store()
    desk.export(order(1))
    assert {finding["code"] for finding in desk("check", "--json").values} == {0}


# A live shop


@pytest.fixture
def parrot(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with one live store, whose shop finds nothing wrong until a test says otherwise."""
    monkeypatch.setitem(registry.OWN, "parrot", "tests.commands.live_source:ParrotSource")
    monkeypatch.setenv("PARROT_TOKEN", "polly")
    monkeypatch.setenv("PARROT_OTHER", "polly")
    monkeypatch.setattr(live_source.ParrotSource, "deeds", [], raising=False)
    says(monkeypatch, Finding("the shop is there, and takes the keys"), Finding("an order was read whole"))
    file = desk.folder / "config" / "moa.toml"
    file.write_text(live_source.STORE_FILE.format(url=desk.url))
    file.chmod(0o600)
    return desk


def says(monkeypatch: pytest.MonkeyPatch, *found: Finding, then: Exception | None = None) -> None:
    def probe() -> Iterator[Finding]:
        yield from found
        if then:
            raise then

    monkeypatch.setattr(live_source.ParrotSource, "says", staticmethod(probe), raising=False)


def of_moa(desk: Desk, *options: str) -> list[tuple[str, str, int]]:
    """What is said of the store itself: (text, mend, code), without its file and GoSweetSpot."""
    found = [one for one in desk("check", "--json", *options).values if one["about"] == "moa"]
    kept = [one for one in found if "its file is sound" not in one["text"] and "GoSweetSpot" not in one["text"]]
    return [(one["text"], one["mend"], one["code"]) for one in kept]


def test_a_live_shop_is_put_to_the_proof_by_its_source_and_not_read_besides(parrot: Desk) -> None:
    said = parrot("check")
    assert said.code == 0
    assert "ok       moa: the shop is there, and takes the keys\nok       moa: an order was read whole\n" in said.out
    assert live_source.ParrotSource.deeds == ["made", "probe", "close"]


def test_what_the_shop_finds_wrong_is_told_with_its_mend_and_ends_with_3(
    parrot: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, Finding("the shop is there"), Finding("the key may not read orders", "Give it Read rights."))
    said = parrot("check")
    assert said.code == 3
    assert "problem  moa: the key may not read orders\n         Give it Read rights.\n" in said.out
    assert "GoSweetSpot at" in said.out
    assert live_source.ParrotSource.deeds[-1] == "close"


@pytest.mark.parametrize(
    ("err", "text", "code"),
    [
        (lambda: Unreachable("parrot.example can't be reached."), "parrot.example can't be reached.", 3),
        (lambda: Throttled("wait a little", datetime.now(UTC)), "wait a little", 3),
        (lambda: SourceError("no"), "no", 3),
        (lambda: ZeroDivisionError("polly"), "unexpected error (ZeroDivisionError)", 70),
    ],
)
def test_a_probe_that_raises_is_a_finding_and_the_rest_is_checked(
    parrot: Desk, monkeypatch: pytest.MonkeyPatch, err: Callable[[], Exception], text: str, code: int
) -> None:
    says(monkeypatch, Finding("the shop is there"), then=err())
    first, last = of_moa(parrot)
    assert first == ("the shop is there", "", 0)
    assert (last[0].startswith(text), last[2], "polly" in str(last)) == (True, code, False)
    assert live_source.ParrotSource.deeds[-1] == "close"
    assert "takes the key" in parrot("check").out


def test_secrets_of_the_shop_that_cannot_be_had_are_all_named_and_the_shop_is_not_called(
    parrot: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARROT_TOKEN")
    monkeypatch.setenv("PARROT_OTHER", "two words")
    mend = "Set it for the service, or use file:PATH"
    assert of_moa(parrot) == [
        ("[source] token: env:PARROT_TOKEN is not set", mend, 2),
        (
            "[source] other: env:PARROT_OTHER holds a character that no key has, such as a space or a long dash",
            "Copy the key once more",
            2,
        ),
    ]
    assert live_source.ParrotSource.deeds == []
    assert parrot("check").code == 2


def test_offline_a_live_shop_is_not_called(parrot: Desk) -> None:
    assert of_moa(parrot, "--offline") == []
    assert "probe" not in live_source.ParrotSource.deeds
    assert live_source.ParrotSource.deeds[-1] == "close"


def test_a_source_that_cannot_be_made_is_a_finding(parrot: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, options: object, context: object) -> None:
        raise Unreachable("no way")

    monkeypatch.setattr(live_source.ParrotSource, "__init__", broken)
    assert of_moa(parrot) == [("no way", "See [source] in its store file", 3)]

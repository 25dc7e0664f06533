"""A new user's first live store, with nothing but the help texts: init, check, sync --dry-run, sync, and a day later.

Each shop is a double over loopback, GoSweetSpot is the sandbox, and the folder is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from connector.sandbox.handle import Sandbox
from connector.testing.shop_double import Draft, ShopDouble
from tests.commands.desk import Desk
from tests.shops.shopify import DOMAIN, ShopifyDouble
from tests.shops.woocommerce import WooCommerceDouble


class FirstShop(NamedTuple):
    """A shop with the words its owner types, and what the owner puts where `init` says.

    secrets  by variable; mend  what has to be done to the file since the shop is a double
    """

    double: Any
    words: tuple[str, ...]
    secrets: dict[str, str]
    mend: Callable[[str], str] = str


@contextmanager
def woocommerce() -> Iterator[FirstShop]:
    with WooCommerceDouble() as shop:
        words = ("--source", "woocommerce", "--shop", shop.server.url)
        yield FirstShop(shop, words, {"KIWI_WOO_KEY": shop.key.key, "KIWI_WOO_SECRET": shop.key.secret})


@contextmanager
def shopify() -> Iterator[FirstShop]:
    with ShopifyDouble(permanent_token=False) as shop:
        words = ("--source", "shopify", "--shop", DOMAIN, "--client-id", shop.client_id)
        yield FirstShop(shop, words, {"KIWI_SHOPIFY_SECRET": shop.client_secret}, lambda text: on_loopback(text, shop))


@contextmanager
def shopify_with_a_token() -> Iterator[FirstShop]:
    with ShopifyDouble() as shop:
        words = ("--source", "shopify", "--shop", DOMAIN, "--access-token", "env:KIWI_SHOPIFY_TOKEN")
        yield FirstShop(shop, words, {"KIWI_SHOPIFY_TOKEN": shop.token}, lambda text: on_loopback(text, shop))


def on_loopback(text: str, shop: ShopDouble) -> str:
    """A file of Shopify's, with the double's address: `init` has no option for what only tests need."""
    assert shop.server
    return text.replace('kind = "shopify"', f'kind = "shopify"\nurl = "{shop.server.url}"')


Made = Callable[[], AbstractContextManager[FirstShop]]

SHOPS: list[Made] = [woocommerce, shopify, shopify_with_a_token]


@pytest.fixture(params=SHOPS, ids=lambda made: made.__name__)
def first(request: pytest.FixtureRequest) -> Iterator[FirstShop]:
    with request.param() as shop:
        yield shop


@pytest.fixture
def empty(desk: Desk) -> Desk:
    """A desk in an empty folder."""
    (desk.folder / "config").rmdir()
    return desk


def some_orders(shop: ShopDouble) -> list[str]:
    """Two that ship and one that waits for its money; the ids."""
    now = datetime.now(UTC).replace(microsecond=0)
    shop.set_clock(now)
    return [
        shop.place(Draft(name="Aroha Ngata", line1="12 Kowhai Street"), now - timedelta(hours=3)),
        shop.place(Draft(name="Wiremu Example", line1="8 Rata Road", city="Hamilton"), now - timedelta(hours=2)),
        shop.place(Draft(name="Mere Example", line1="1 Rimu Lane"), now - timedelta(hours=1), paid=False),
    ]


def problems(checked: str) -> list[str]:
    """What `check` found wrong with the shop, but for what a shop over plain http always hears."""
    found = [line for line in checked.splitlines() if line.startswith("problem")]
    return [line for line in found if "over plain http" not in line]


def streets(sandbox: Sandbox) -> list[str]:
    """Where GoSweetSpot would send parcels now."""
    return sorted(order["sent"]["address2"] for order in sandbox.orders() if order["state"] == "pending")


def set_up(empty: Desk, first: FirstShop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that `init` asks for is done."""
    said = empty("init", "kiwi", *first.words, "--url", sandbox.url)
    assert said.code == 0, said.err
    file = empty.folder / "config" / "kiwi.toml"
    file.write_text(first.mend(file.read_text()))
    for name, value in (first.secrets | {"KIWI_GSS_TEST_KEY": sandbox.key}).items():
        assert f"  env:{name}\n" in said.out
        monkeypatch.setenv(name, value)


def test_the_help_names_every_step(empty: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        empty("--help")
    steps = re.findall(r"^  connector (\w+)", capsys.readouterr().out, re.MULTILINE)
    assert steps == ["demo", "init", "check", "sync", "sync"]
    with pytest.raises(SystemExit):
        empty("init", "--help")
    told = capsys.readouterr().out
    for option in ("--source", "--shop", "--client-id", "--access-token", "--url"):
        assert option in told


def test_check_names_the_secrets_that_are_not_there_yet(empty: Desk, first: FirstShop, sandbox: Sandbox) -> None:
    said = empty("init", "kiwi", *first.words, "--url", sandbox.url)
    assert said.code == 0, said.err
    checked = empty("check")
    assert checked.code == 2
    for name in first.secrets | {"KIWI_GSS_TEST_KEY": ""}:
        assert f"env:{name} is not set" in checked.out
    assert first.double.server.heard == []


def test_from_nothing_to_orders_at_gosweetspot(
    empty: Desk, first: FirstShop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_orders(first.double)
    set_up(empty, first, sandbox, monkeypatch)

    checked = empty("check")
    assert problems(checked.out) == []

    planned = empty("sync", "--dry-run")
    assert planned.code == 0, planned.out + planned.err
    assert "12 Kowhai Street" in planned.out
    assert "8 Rata Road" in planned.out
    assert sandbox.counts()["orders_created"] == 0

    sent = empty("sync")
    assert (sent.code, sandbox.counts()["orders_created"]) == (0, 2), sent.out + sent.err

    again = empty("sync")
    assert (again.code, sandbox.counts()["puts"]) == (0, 1), again.out + again.err


def test_what_changes_in_the_shop_arrives(
    empty: Desk, first: FirstShop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited, cancelled, paid = some_orders(first.double)
    set_up(empty, first, sandbox, monkeypatch)
    assert empty("sync").code == 0

    now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    first.double.set_clock(now)
    first.double.edit(edited, Draft(name="Aroha Ngata", line1="99 Totara Avenue"), now)
    first.double.cancel(cancelled, now)
    first.double.pay(paid, now)
    said = empty("sync")
    assert said.code == 0, said.out + said.err
    assert streets(sandbox) == ["1 Rimu Lane", "99 Totara Avenue"]


def test_no_secret_and_no_buyer_is_shown_by_check(
    empty: Desk, first: FirstShop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_orders(first.double)
    set_up(empty, first, sandbox, monkeypatch)
    shown = empty("check").out + empty("check", "--json").out
    for hidden in (*first.secrets.values(), sandbox.key, "Aroha", "Kowhai Street", "aroha@example.test", "021 555"):
        assert hidden not in shown


def test_a_wrong_secret_is_told_with_its_mend(
    empty: Desk, first: FirstShop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_orders(first.double)
    set_up(empty, first, sandbox, monkeypatch)
    monkeypatch.setenv(list(first.secrets)[-1], "not-this-one")
    said = empty("check")
    assert said.code == 3
    lines = said.out.splitlines()
    [at] = [number for number, line in enumerate(lines) if line.startswith("problem  kiwi:")]
    assert lines[at + 1].startswith("         ")
    assert "takes the key" in said.out
    assert empty("sync").code == 3


@pytest.mark.parametrize("made", SHOPS[:2])
def test_a_shop_that_is_not_there_is_told_with_its_mend(
    empty: Desk, made: Made, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with made() as first:
        set_up(empty, first, sandbox, monkeypatch)
    said = empty("check")
    assert said.code == 3, said.out
    [at] = [number for number, line in enumerate(said.out.splitlines()) if line.startswith("problem  kiwi:")]
    assert said.out.splitlines()[at + 1].startswith("         ")


@pytest.mark.parametrize("first", SHOPS[:1], indirect=True, ids=lambda made: made.__name__)
def test_the_installed_command_walks_the_same_way(
    empty: Desk, first: FirstShop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_orders(first.double)
    set_up(empty, first, sandbox, monkeypatch)
    checked = empty.outside("check")
    assert (problems(checked.stdout), checked.stderr) == ([], "")
    for words in (["sync", "--dry-run"], ["sync"], ["status"]):
        done = empty.outside(*words)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert sandbox.counts()["orders_created"] == 2

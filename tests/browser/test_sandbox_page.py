"""The sandbox's operator page as people see it: in a real browser, on a wide screen and on a telephone's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.sandbox.handle import Sandbox
from connector.sandbox.server import running
from tests.browser.chromium import Browser, Page
from tests.sandbox.conftest import Caller

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
ENDLESS = "Taumatawhakatangihangakoauauotamateaturipukakapikimaungahoronukupokaiwhenuakitanatahu"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:
    return Caller(sandbox.url, sandbox.key)


def shown(chromium: Browser, sandbox: Sandbox, width: int = 1200) -> Page:
    """The page, once it has drawn what the sandbox has."""
    page = chromium.open(sandbox.url + "/", width)
    page.until("document.querySelectorAll('#counts li').length > 0")
    return page


def rows(page: Page, table: str) -> list[str]:
    """The text of each row of a table's body."""
    found: list[str] = page.evaluate(f"[...document.querySelectorAll('#{table} tr')].map(row => row.textContent)")
    return found


def test_orders_are_shown_newest_first_with_their_state(chromium: Browser, sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1", "#2", "#3")
    ticket = sandbox.ticket("#2")
    caller.delete("#3")
    page = shown(chromium, sandbox)
    deleted, processed, pending = rows(page, "orders")
    assert ("#3" in deleted, "deleted" in deleted) == (True, True)
    assert ("#2" in processed, "processed" in processed, ticket in processed) == (True, True, True)
    assert ("#1" in pending, "pending" in pending, "AROHA NGATA" in pending) == (True, True, True)
    assert [row.count("DELETE") for row in rows(page, "requests")] == [1, 0]
    assert page.complaints() == []


def test_what_happens_later_appears_by_itself(chromium: Browser, sandbox: Sandbox, caller: Caller) -> None:
    page = shown(chromium, sandbox)
    assert page.evaluate("document.getElementById('no-orders').checkVisibility()") is True
    caller.put("#1")
    page.until("document.querySelectorAll('#orders tr').length === 1")
    assert page.evaluate("document.getElementById('no-orders').checkVisibility()") is False


def test_a_button_prints_the_label(chromium: Browser, sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1")
    page = shown(chromium, sandbox)
    page.evaluate("document.querySelector('[aria-label=\"Ticket: #1\"]').click()")
    page.until("document.querySelector('#orders .badge').textContent === 'processed'")
    assert sandbox.order("#1")["state"] == "processed"
    assert page.text("#said") == "#1: ticket, done."


def test_a_fault_is_armed_by_the_form(chromium: Browser, sandbox: Sandbox) -> None:
    page = shown(chromium, sandbox)
    page.evaluate("document.getElementById('kind').value = 'lost'")
    page.evaluate("document.querySelector('#arm button').click()")
    page.until("document.querySelectorAll('#faults tr').length === 1")
    assert [armed["fault"]["kind"] for armed in sandbox.faults()] == ["lost"]
    assert page.complaints() == []


def test_T13_hostile_text_stays_text(chromium: Browser, sandbox: Sandbox, caller: Caller) -> None:
    caller.put("#1", HOSTILE, address1=HOSTILE, delvinstructions=HOSTILE)
    sandbox.edit("#1", consignee=HOSTILE, city=HOSTILE)
    page = shown(chromium, sandbox)
    assert HOSTILE in page.text("#orders")
    assert HOSTILE in page.text("#requests")
    assert page.evaluate("document.querySelectorAll('img, #orders script, #requests script').length") == 0
    assert page.evaluate("document.title") == "Sandbox: orders"
    assert page.complaints() == []


def test_a_telephone_shows_all_of_it_without_scrolling_sideways(
    chromium: Browser, sandbox: Sandbox, caller: Caller
) -> None:
    caller.put("#1", ENDLESS, consignee="W" * 50, address1=ENDLESS, email=f"{ENDLESS}@example.nz")
    sandbox.fault("redirect", location=f"http://127.0.0.1:9/{ENDLESS}")
    page = shown(chromium, sandbox, width=400)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    beyond = "box => box.getBoundingClientRect().right > 400 && box.checkVisibility()"
    assert page.evaluate(f"[...document.querySelectorAll('td *, button, input')].filter({beyond}).length") == 0
    assert len(page.screenshot()) > 10_000, "a blank picture is a few hundred bytes"


def test_the_page_loads_nothing_from_elsewhere(chromium: Browser, sandbox: Sandbox) -> None:
    page = shown(chromium, sandbox)
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert loaded
    assert all(address.startswith(f"{sandbox.url}/") for address in loaded)

"""A webhook that was switched off, or taken away, is noticed by the daily sweep; what it did not tell is polled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sources.woocommerce_webhooks import TOPICS
from connector.testing import faults as wire
from connector.testing.shop_server import Fault
from tests.hearing.shops import SWEEP, Ear, listening
from tests.sources.woo_shop import Visit, visiting

OURS = "https://hooks.example.test/gss/in/kiwi"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Visit]:
    with visiting(tmp_path) as visit:
        visit.place(1)
        yield visit


@pytest.fixture
def ear(shop: Visit, tmp_path: Path) -> Iterator[Ear]:
    with listening(shop.source, tmp_path) as ear:
        yield ear


def swept(ear: Ear) -> list[str]:
    ear.poll()
    return ear.poll(SWEEP).alerts


def hooks(url: str = OURS, **statuses: str) -> list[dict[str, object]]:
    """As GET webhooks shows them (recorded: webhooks-list, webhook-disabled)."""
    return [
        {"id": number, "status": statuses.get(topic.partition(".")[2], "active"), "topic": topic, "delivery_url": url}
        for number, topic in enumerate(TOPICS, 1)
    ]


def test_webhooks_that_are_on_say_nothing(shop: Visit, ear: Ear) -> None:
    shop.shop.webhooks = hooks()
    assert swept(ear) == []


@pytest.mark.parametrize("status", ["disabled", "paused"])
def test_W23_trap_L15_a_webhook_that_was_switched_off_is_told(shop: Visit, ear: Ear, status: str) -> None:
    shop.shop.webhooks = hooks(updated=status)
    [alert] = swept(ear)
    assert alert.startswith("The webhook for order.updated is switched off")
    assert alert in ear.alerts().values()


def test_W23_trap_L15_a_webhook_that_was_taken_away_is_told(shop: Visit, ear: Ear) -> None:
    shop.shop.webhooks = hooks()[:2]
    [alert] = swept(ear)
    assert alert.startswith("There is no webhook for order.restored any more")


def test_a_second_webhook_that_is_on_is_enough(shop: Visit, ear: Ear) -> None:
    shop.shop.webhooks = [*hooks(updated="disabled"), *hooks()]
    assert swept(ear) == []


@pytest.mark.parametrize("url", ["https://erp.example.test/hook", "https://x.test/in/other", "http://[", ""])
def test_other_peoples_webhooks_are_none_of_ours(shop: Visit, ear: Ear, url: str) -> None:
    shop.shop.webhooks = hooks(url, updated="disabled")
    assert swept(ear) == []


@pytest.mark.parametrize("fault", [wire.says(403), wire.says(404), wire.says(500), wire.page(), wire.hang_up()])
def test_a_key_that_may_not_see_webhooks_stops_no_sweep(shop: Visit, fault: Fault) -> None:
    shop.shop.webhooks = hooks(updated="disabled")
    assert [page.alerts for page in shop.source.sweep() if page.alerts]
    calls = shop.calls()
    shop.shop.server.fail(fault, 50, after=calls - 1)
    assert [page.alerts for page in shop.source.sweep() if page.alerts] == []
    assert shop.calls() >= 2 * calls

"""The daemon and a shop that only tells: what is kept of it is heard again behind the fence, though nothing waits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery
from connector.ledger import fence
from connector.ledger.connection import open_ledger
from connector.sandbox.options import Options
from connector.sandbox.server import running as sandbox_running
from tests.daemon.running import Place, running, until
from tests.hearing.test_own_shop import PAGE, SANDBOX, body


def test_K6_the_daemon_hears_a_fenced_shop_of_ones_own_again_at_once(tmp_path: Path) -> None:
    with sandbox_running(Options(port=0)) as gss:
        place = Place(tmp_path, gss.url)
        place.env |= {"OWN_GSS_KEY": gss.key}
        [text] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
        (place.config / "own.toml").write_text(text + SANDBOX.format(url=gss.url, prefix="OWN-"))
        with Inbox.open(place.state) as inbox:
            inbox.add([Delivery("own", "", "", datetime.now(UTC), body("2026-11-23T10:00:00Z"))])
            inbox.done([1])
        with open_ledger(place.state) as ledger, ledger.writing() as db:
            fence.raise_fence(db, "It was restored before this delivery came.", datetime.now(UTC))
        with running(place) as daemon:
            until(lambda: [order["number"] for order in gss.orders()] == ["OWN-42"], "the order at GSS")
            assert daemon.wait_for("read", store="own")["new"] == 1
            assert daemon.stop()[0] == 0

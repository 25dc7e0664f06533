"""Deliveries become orders in the ledger: read again, in lots, once; and whatever fails loses none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from connector import hearing
from connector.hearing import look_again
from connector.inbox.delivery import State
from connector.ledger.connection import Ledger, open_ledger
from connector.order import Order
from connector.sources.base import Hint, Page, Throttled
from connector.sources.csv_export import CsvSource
from connector.testing import faults as wire
from connector.testing.shop_double import Draft
from tests.hearing.shops import NOW, STORE, Ear, listening
from tests.sources.woo_shop import Visit, visiting


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Visit]:
    with visiting(tmp_path) as visit:
        yield visit


@pytest.fixture
def ear(shop: Visit, tmp_path: Path) -> Iterator[Ear]:
    with listening(shop.source, tmp_path) as ear:
        yield ear


def told(shop: Visit, ear: Ear) -> int:
    """The shop delivers all that waits; how many bodies were new."""
    return ear.told(*(each.body for each in shop.shop.deliveries(NOW)))


def test_an_order_that_is_told_of_is_read_and_owed(shop: Visit, ear: Ear) -> None:
    [order] = shop.place(1)
    told(shop, ear)
    report = ear.hear()
    assert (report.read, report.new, report.problem) == (1, 1, "")
    assert ear.slips() == {order: "owed"}
    assert ear.waiting() == 0


def test_a_hundred_deliveries_are_one_call_to_the_shop(shop: Visit, ear: Ear) -> None:
    shop.place(60)
    assert told(shop, ear) == 60, "created and updated have one body, so they are one delivery"
    ear.hear()
    assert shop.calls() == 1
    assert len(ear.slips()) == 60


def test_more_than_a_lot_is_taken_lot_by_lot(shop: Visit, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "LOT", 4)
    ids = shop.place(10)
    told(shop, ear)
    ear.hear()
    assert shop.calls() == 3
    assert set(ear.slips()) == set(ids)
    assert ear.waiting() == 0


def test_a_delivery_moves_no_cursor(shop: Visit, ear: Ear) -> None:
    shop.place(2)
    ear.poll()
    [before] = ear.ledger.db.execute("SELECT cursor FROM cursors").fetchall()
    shop.place(1)
    told(shop, ear)
    ear.hear()
    assert ear.ledger.db.execute("SELECT cursor FROM cursors").fetchall() == [before]


def test_orders_that_a_delivery_itself_holds_move_no_cursor(shop: Visit, ear: Ear) -> None:
    shop.place(1)
    ear.poll()
    [before] = ear.ledger.db.execute("SELECT cursor FROM cursors").fetchall()
    ear.source = Odd(Hint(orders=(Order("7", "7", "2026-11-23T00:00:00Z"),)))
    ear.told(b"{}")
    ear.hear()
    assert "7" in ear.slips()
    assert ear.ledger.db.execute("SELECT cursor FROM cursors").fetchall() == [before]


def test_W6_the_body_decides_and_no_header_does(shop: Visit, ear: Ear) -> None:
    [order] = shop.place(1)
    [delivery, *_] = shop.shop.deliveries(NOW)
    ear.told(delivery.body, topic="order.deleted")
    ear.hear()
    assert ear.slips() == {order: "owed"}


def test_W7_trap_D9_an_old_body_that_comes_again_changes_nothing(shop: Visit, ear: Ear) -> None:
    [order] = shop.place(1)
    old = shop.shop.deliveries(NOW)[0].body
    shop.shop.edit(order, Draft(line1="99 Rata Road"), NOW)
    told(shop, ear)
    ear.hear()
    for number in range(5):
        ear.told(old, topic=f"again {number}")
        ear.hear()
    assert "99 RATA ROAD" in ear.bodies()[0].upper()
    assert ear.versions() == 1


def test_W7_a_thousand_replays_are_one_delivery(shop: Visit, ear: Ear) -> None:
    shop.place(1)
    bodies = [each.body for each in shop.shop.deliveries(NOW)]
    assert sum(ear.told(*bodies) for _ in range(1000)) == 1
    ear.hear()
    assert ear.versions() == 1


def test_W9_trap_D3_two_orders_of_one_delivery_id_are_both_kept(shop: Visit, ear: Ear) -> None:
    ids = shop.place(2)
    deliveries = shop.shop.deliveries(NOW)
    assert len({each.headers["X-WC-Webhook-Delivery-ID"] for each in deliveries}) < len(deliveries)
    ear.told(*(each.body for each in deliveries))
    ear.hear()
    assert set(ear.slips()) == set(ids)


def test_W10_an_update_and_a_cancel_before_the_create_end_as_the_shop_does(shop: Visit, ear: Ear) -> None:
    one, other = shop.place(2)
    created = [each.body for each in shop.shop.deliveries(NOW)]
    shop.shop.edit(one, Draft(line1="99 Rata Road"), NOW)
    shop.shop.cancel(other, NOW)
    later = [each.body for each in shop.shop.deliveries(NOW)]
    ear.told(*later)
    ear.hear()
    ear.told(*created)
    ear.hear()
    assert ear.slips()[one] == "owed"
    assert ear.slips()[other] in ("skip", "cancel withdrawn")
    assert "99 RATA ROAD" in ear.bodies()[0].upper()


def test_trap_D2_the_same_event_many_times_is_one_version(shop: Visit, ear: Ear) -> None:
    [order] = shop.place(1)
    told(shop, ear)
    ear.hear()
    for _ in range(15):
        shop.shop.touch(order, NOW + timedelta(seconds=1))
        told(shop, ear)
        ear.hear()
    assert ear.versions() == 1


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[1]", b'"x"', b"{", b'{"name":"no id"}', b'{"id":"x"}'])
def test_W20_W32_a_body_without_use_is_set_aside_with_one_alert_and_hides_no_other(
    shop: Visit, ear: Ear, body: bytes
) -> None:
    [order] = shop.place(1)
    ear.told(body)
    told(shop, ear)
    ear.hear()
    assert ear.counts() == {State.QUARANTINED: 1, State.DONE: 1}
    assert ear.slips() == {order: "owed"}
    assert list(ear.alerts()) == ["delivery quarantined"]
    [head] = ear.inbox.heads(states=[State.QUARANTINED])
    assert head.why in ear.alerts()["delivery quarantined"]
    ear.told(body[:-1] + b"}" if body.endswith(b"}") else b"not this either")
    ear.hear()
    assert len(ear.alerts()) == 1


def test_a_source_that_hears_nothing_sets_deliveries_aside(tmp_path: Path) -> None:
    source = CsvSource.__new__(CsvSource)
    with listening(source, tmp_path) as ear:
        ear.told(b'{"id":1}')
        assert "a source of kind csv hears none" in ear.hear().alerts[0]
        assert ear.counts() == {State.QUARANTINED: 1}


class Odd:
    """A source of somebody else's. says  what it makes of a delivery"""

    kind = "odd"

    def __init__(self, says: Hint | None = None) -> None:
        self._says = says

    @classmethod
    def options(cls) -> type[Any]:
        raise NotImplementedError

    def pages(self, _cursor: str) -> Iterator[Page]:
        return iter(())

    def heard(self, _topic: str, _body: bytes) -> Hint:
        if self._says is None:
            raise KeyError("a customer's name")
        return self._says


def test_a_source_that_breaks_its_promise_loses_nothing_and_tells_no_secret(tmp_path: Path) -> None:
    with listening(Odd(), tmp_path) as ear:
        ear.told(b"{}")
        [alert] = ear.hear().alerts
        assert "KeyError" in alert
        assert "name" not in alert
        assert ear.counts() == {State.QUARANTINED: 1}


def test_ids_of_a_source_that_can_not_be_asked_are_set_aside(tmp_path: Path) -> None:
    with listening(Odd(Hint(ids=("1",))), tmp_path) as ear:
        ear.told(b"{}")
        assert "can't be asked" in ear.hear().alerts[0]


def test_an_order_that_a_source_calls_gone_is_withdrawn(shop: Visit, ear: Ear, tmp_path: Path) -> None:
    [order] = shop.place(1)
    told(shop, ear)
    ear.hear()
    ear.source = Odd(Hint(gone=(order,)))
    ear.told(b"{}")
    assert ear.hear().gone == 1
    assert ear.slips() == {order: "cancel withdrawn"}


def test_a_deleted_order_is_looked_for_and_only_then_withdrawn(shop: Visit, ear: Ear) -> None:
    kept, deleted = shop.place(2)
    told(shop, ear)
    ear.hear()
    shop.shop.delete(deleted)
    ear.told(json.dumps({"id": int(kept)}).encode(), json.dumps({"id": int(deleted)}).encode(), topic="order.deleted")
    ear.hear()
    assert ear.slips() == {kept: "owed", deleted: "cancel withdrawn"}


@pytest.mark.parametrize("fault", [wire.says(401), wire.says(503), wire.page(), wire.hang_up(), wire.throttles("60")])
def test_I10_a_shop_that_can_not_be_asked_leaves_deliveries_waiting(shop: Visit, ear: Ear, fault: Any) -> None:
    [order] = shop.place(1)
    told(shop, ear)
    shop.shop.server.fail(fault, 50)
    report = ear.hear()
    assert report.problem
    assert ear.waiting() == 1
    assert len(ear.alerts()) == 1
    calls = shop.calls()
    shop.shop.server.mend()
    assert not ear.hear().problem
    assert shop.calls() == calls + 1, "one try for each call of ours: the caller decides when"
    assert ear.slips() == {order: "owed"}


def test_when_a_shop_asks_for_patience_its_time_is_told(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    until = NOW + timedelta(minutes=5)

    def throttled(_ids: Sequence[str]) -> Iterator[Page]:
        raise Throttled("The shop asks for patience.", until)

    monkeypatch.setattr(ear.source, "reread", throttled)
    ear.told(b'{"id":1}')
    assert ear.hear().shop_until == until
    assert list(ear.alerts()) == ["shop throttles"]


def test_a_fault_in_a_source_is_a_problem_of_the_shop_and_loses_nothing(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_ids: Sequence[str]) -> Iterator[Page]:
        raise ZeroDivisionError

    monkeypatch.setattr(ear.source, "reread", broken)
    ear.told(b'{"id":1}')
    assert "ZeroDivisionError" in ear.hear().problem
    assert ear.waiting() == 1


def test_a_wish_to_stop_leaves_the_rest_waiting(shop: Visit, ear: Ear) -> None:
    shop.place(3)
    told(shop, ear)
    ear.hear(stopping=lambda: True)
    assert ear.waiting() == 3
    assert shop.calls() == 0


class Killed(BaseException):
    pass


def test_I9_a_kill_between_the_ledgers_commit_and_the_inboxs_repeats_to_no_effect(
    shop: Visit, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    [order] = shop.place(1)
    told(shop, ear)
    ear.told(b"nonsense")

    def killed(*_: object) -> None:
        raise Killed

    for step in ("quarantine", "done"):
        with monkeypatch.context() as patch:
            patch.setattr(ear.inbox, step, killed)
            with pytest.raises(Killed):
                ear.hear()
        assert ear.slips() == {order: "owed"}
    ear.hear()
    assert (ear.versions(), ear.waiting(), len(ear.alerts())) == (1, 0, 1)
    assert ear.counts() == {State.QUARANTINED: 1, State.DONE: 1}


def test_P23_trap_D13_a_poll_and_a_delivery_of_one_change_make_one_version(shop: Visit, tmp_path: Path) -> None:
    ids = shop.place(5)
    path = tmp_path / "ledger"
    with listening(shop.source, tmp_path) as ear, open_ledger(path) as one, open_ledger(path) as other:
        told(shop, ear)
        start = Barrier(2)
        failures: list[BaseException] = []

        def run(ledger: Ledger, deed: str) -> None:
            try:
                with_own = Ear(shop.new_source(), ear.inbox, ledger)
                start.wait(5)
                getattr(with_own, deed)()
            except BaseException as err:  # noqa: BLE001  shown by the test
                failures.append(err)

        threads = [Thread(target=run, args=(one, "hear")), Thread(target=run, args=(other, "poll"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert failures == []
        ear.ledger = one
        assert ear.versions() == 5
        assert set(ear.slips()) == set(ids)


def test_trap_L14_what_was_told_while_we_were_away_is_polled(shop: Visit, ear: Ear) -> None:
    ids = shop.place(3)
    shop.shop.deliveries(NOW)  # answered by nobody: WooCommerce never sends them again
    ear.poll()
    assert set(ear.slips()) == set(ids)


def test_trap_L16_a_change_that_no_webhook_told_is_polled(shop: Visit, ear: Ear) -> None:
    [order] = shop.place(1)
    told(shop, ear)
    ear.hear()
    shop.shop.edit(order, Draft(line1="99 Rata Road"), NOW)
    shop.shop.deliveries(NOW)
    ear.poll()
    assert "99 RATA ROAD" in ear.bodies()[0].upper()


def test_W31_what_is_to_be_forgotten_is_noted_and_what_has_not_left_is_named(shop: Visit, ear: Ear) -> None:
    one, other = shop.place(2)
    told(shop, ear)
    ear.hear()
    db = ear.ledger.db
    db.execute(
        "UPDATE versions SET state = 'processed', urgency = NULL WHERE slip_id ="
        " (SELECT id FROM slips WHERE order_id = ?)", (other,),
    )  # fmt: skip
    ear.source = Odd(Hint(redact=(one, other, "404")))
    for again in range(2):
        ear.told(b"%d" % again)
        ear.hear()
    assert db.execute("SELECT count(*) FROM slips WHERE erase_at IS NOT NULL").fetchone() == (2,)
    [text] = ear.alerts().values()
    assert f"order {one}:" in text
    assert ear.slips()[one] == "owed", "a parcel that is to go still goes"


def test_W30_a_hint_from_GSS_only_makes_a_look_due_sooner(shop: Visit, ear: Ear) -> None:
    one, other = shop.place(2)
    told(shop, ear)
    ear.hear()
    db = ear.ledger.db
    db.execute("UPDATE versions SET state = 'confirmed', urgency = NULL, read_at = '2026-11-24T00:00:00.000Z'")
    numbers = [row[0] for row in db.execute("SELECT number FROM slips WHERE order_id = ?", (one,))]
    before = ear.slips()
    assert look_again(ear.ledger, "another", numbers, NOW) == 0
    assert look_again(ear.ledger, STORE, [numbers[0].lower(), "none of ours"], NOW) == 1
    assert look_again(ear.ledger, STORE, numbers, NOW + timedelta(seconds=5)) == 0, "a look is due already"
    times = dict(db.execute("SELECT s.order_id, v.read_at FROM versions v JOIN slips s ON s.id = v.slip_id").fetchall())
    assert times == {one: "2026-11-23T01:00:10.000Z", other: "2026-11-24T00:00:00.000Z"}
    assert ear.slips() == before


def test_W30_a_slip_that_is_on_its_way_is_left_alone(shop: Visit, ear: Ear) -> None:
    shop.place(1)
    told(shop, ear)
    ear.hear()
    [[number]] = ear.ledger.db.execute("SELECT number FROM slips").fetchall()
    assert look_again(ear.ledger, STORE, [number], NOW) == 0

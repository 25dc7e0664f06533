"""The road without faults: once each, nothing unchanged again, nothing stopped by an empty page, numbers for good."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.consider import Rules
from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.ledger import intake
from connector.ledger.connection import in_memory
from connector.ledger.gates import Budget
from connector.order import OrderLine
from connector.packing_slip import number_key
from connector.record import record_page
from connector.report import Report
from connector.selection import SelectRules
from connector.sender import Sender, Terms
from connector.slip import SlipRules
from connector.sources.base import Page, Unauthorised, Unreachable
from connector.sync import WrongDestination
from tests.road.source import ListShop, address
from tests.road.world import Clock, Road


def test_an_order_is_sent_once_and_confirmed_when_no_older_call_can_arrive(road: Road) -> None:
    road.shop.add("A1")
    road.sync()
    assert (road.state("A1"), road.gss.counts()["puts"]) == ("accepted", 1)
    road.settle()
    assert (road.state("A1"), road.gss.counts()["puts"]) == ("confirmed", 1)


def test_a_second_sync_of_an_unchanged_shop_makes_no_put_at_all(road: Road) -> None:
    road.shop.many(120)
    road.sync()
    puts = road.gss.counts()["puts"]
    report = road.later(minutes=10)
    whole = road.sync(road.whole_shop())
    assert (road.gss.counts()["puts"], report.calls, whole.unchanged) == (puts, 0, 120)


def test_every_order_read_is_counted_once(road: Road) -> None:
    """What is cancelled and never had a slip is not withdrawn, but skipped."""
    road.shop.add("new")
    road.shop.add("bad", ship_to=msgspec.structs.replace(road.shop.orders["new"].ship_to, country="Atlantis"))
    road.shop.add("gone", cancelled=True)
    road.shop.add("pickup", shipping_method="Pick up in store")
    report = road.sync()
    assert (report.read, report.new, report.held, report.withdrawn, report.skipped) == (4, 1, 1, 0, 2)


def test_a_held_order_is_made_anew_when_it_is_read_and_changes_only_when_the_store_file_mends_it(road: Road) -> None:
    road.shop.add("A1", ship_to=msgspec.structs.replace(address("1 Kowhai Road"), country=""))
    for _ in range(3):
        road.sync(road.whole_shop())
    assert (road.states("A1"), road.kinds("A1")) == (["held"], {"held"})
    road.rules = Rules("kiwi", SelectRules(), SlipRules(default_country="NZ"))
    road.sync(road.whole_shop())
    assert (road.states("A1"), road.alerts("A1")) == (["superseded", "accepted"], {})


def test_C19_an_empty_page_cancels_nothing(road: Road) -> None:
    road.shop.add("A1", "A2")
    road.sync()
    road.settle()
    road.shop.orders.clear()
    road.later(road.whole_shop(), minutes=1)
    assert road.standing() == {"confirmed": 2}
    assert road.gss.counts()["deletes"] == 0


def test_P16_a_crash_between_the_page_and_its_cursor_records_neither(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    road.shop.add("A1", "A2")
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(intake, "keep_cursor", _out_of_memory)
        road.sync()
    assert (road.standing(), intake.cursor_of(road.ledger.db, "kiwi")) == ({}, "")
    road.sync()
    road.sync(road.whole_shop())
    assert (road.states("A1"), road.states("A2"), road.gss.counts()["puts"]) == (["accepted"], ["accepted"], 1)


def _out_of_memory(*_: object) -> None:
    raise MemoryError


def test_P1_what_was_read_before_a_shop_failed_is_sent_and_the_rest_is_read_next_time(road: Road) -> None:
    road.shop.many(25)
    road.shop.page_size = 10
    road.shop.fails_after = (2, Unreachable("The shop could not be reached."))
    report = road.sync()
    assert (report.problem, report.read, road.gss.counts()["orders_created"]) == (
        "The shop could not be reached.", 20, 20,
    )  # fmt: skip
    assert road.alerts() == {"shop": "The shop could not be reached."}
    road.shop.fails_after = None
    assert road.sync().read == 5
    assert (road.gss.counts()["orders_created"], road.alerts()) == (25, {})


def test_P6_keys_that_are_revoked_while_the_shop_can_not_be_reached_are_told(road: Road) -> None:
    """One alert for a shop that can't be read, as old as the trouble; its words are the newest cause's."""
    road.shop.fails_after = (0, Unreachable("It is asked again later."))
    road.sync()
    road.shop.fails_after = (0, Unauthorised("Make a new key."))
    road.later(minutes=5)
    rows = road.ledger.db.execute("SELECT text, opened_at FROM alerts").fetchall()
    assert rows == [("Make a new key.", "2026-11-23T09:00:00.000Z")]


def test_S24_no_call_carries_a_number_twice_whatever_the_orders_are_called() -> None:
    numbers = st.text("aAbB1０ß#-. \u200b", min_size=1, max_size=4)

    @given(st.lists(numbers, max_size=12), st.integers(1, 50))
    def check(names: list[str], batch_size: int) -> None:
        calls = _calls_of(names, batch_size)
        for call in calls:
            keys = [number_key(number) for number in call]
            assert len(set(keys)) == len(keys)
        sent = [number_key(number) for call in calls for number in call]
        assert len(set(sent)) == len(sent)

    check()


class Recording:
    """A GSS that takes everything and remembers which numbers came together."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def put(self, slips: list[tuple[str, bytes]]) -> Answer:
        self.calls.append([number for number, _ in slips])
        return Answer(Outcome.ANSWERED, 200, {number: Row(Verdict.TAKEN) for number, _ in slips})

    def delete(self, numbers: list[str]) -> Answer:
        raise AssertionError("nothing was cancelled")


def _calls_of(names: list[str], batch_size: int) -> list[list[str]]:
    """The calls made for orders of these numbers, each with an id of its own."""
    shop, gss, clock = ListShop(), Recording(), Clock()
    for order_id, name in enumerate(names):
        shop.add(f"{order_id}", number=name)
    with in_memory() as ledger:
        terms = Terms("kiwi", "there", "key", batch_size, in_flight=1, budget=Budget(0, 0))
        sender = Sender(ledger, gss, terms, clock.now)  # type: ignore[arg-type]
        for page in shop.pages(""):
            record_page(Rules("kiwi", SelectRules(), SlipRules()), terms, page, ledger, Report("kiwi"), clock.now())
        while sender.turn(wait=True):
            pass
    return gss.calls


def test_T10_a_line_that_is_removed_makes_a_new_version(road: Road) -> None:
    road.rules = Rules("kiwi", SelectRules(), SlipRules(products=True))
    mug, tea = OrderLine("Mug", "MUG", Decimal(2)), OrderLine("Tea", "TEA", Decimal(1))
    road.shop.add("A1", lines=(mug, tea))
    road.sync()
    road.shop.edit("A1", lines=(mug,))
    road.later(minutes=1)
    assert road.states("A1") == ["superseded", "accepted"]
    assert [line["productcode"] for line in road.gss.order("A1")["sent"]["products"]] == ["MUG"]


def test_T16_changed_rules_send_nothing_again_but_what_the_shop_changes(road: Road) -> None:
    road.shop.add("A1", "A2", "A3")
    road.sync()
    road.settle()
    road.rules = Rules("kiwi", SelectRules(), SlipRules(street="address1", delvref="Order {number}"))
    road.shop.edit("A2", street="7 Rata Street")
    report = road.later(road.whole_shop(), minutes=1)
    assert (report.unchanged, report.changed) == (2, 1)
    assert road.calls("PUT") == [["A1", "A2", "A3"], ["A2"]]


@pytest.mark.parametrize("slip", [SlipRules(prefix="NEW-"), SlipRules(number="{id}-{number}")])
def test_G4_a_known_order_keeps_its_slip_number_when_the_template_changes(road: Road, slip: SlipRules) -> None:
    road.shop.add("A1")
    road.sync()
    road.rules = Rules("kiwi", SelectRules(), slip)
    road.shop.edit("A1", street="7 Rata Street")
    road.shop.add("A2")
    road.later(minutes=1)
    assert [order["number"] for order in road.gss.orders()] == ["A1", "NEW-A2" if slip.prefix else "A2-A2"]
    assert "rata" in road.stored("A1")


@pytest.mark.parametrize("elsewhere", ["https://other.example", "{url} site 7", "{url} (test)"])
def test_G6_S23_known_slips_are_never_sent_to_another_destination(road: Road, elsewhere: str) -> None:
    road.shop.add("A1")
    road.sync()
    road.shop.edit("A1", street="7 Rata Street")
    calls = len(road.gss.requests())
    home = road.terms.destination
    road.change_terms(destination=elsewhere.format(url=home))
    with pytest.raises(WrongDestination, match="Put the old url, site_id and mode back"):
        road.sync()
    assert len(road.gss.requests()) == calls
    road.change_terms(destination=home)
    road.sync()
    assert "rata" in road.stored("A1")


def test_U10_an_order_renamed_in_the_shop_keeps_its_slip_number(road: Road) -> None:
    road.shop.add("A1")
    road.sync()
    road.shop.edit("A1", number="B9", street="7 Rata Street")
    road.later(minutes=1)
    assert [order["number"] for order in road.gss.orders()] == ["A1"]


def test_T6_two_orders_that_want_one_number_are_both_held_before_anything_is_sent(road: Road) -> None:
    for first, second in combinations(["a-7", "A-7", " a-7"], 2):
        road.shop.add(f"id {first}|{second} 1", number=first)
        road.shop.add(f"id {first}|{second} 2", number=second)
    road.sync()
    assert road.gss.counts()["puts"] == 0
    assert road.standing() == {"held": 6}
    assert road.alerts_open() == 6


def test_a_source_that_breaks_keeps_nothing_owed_from_being_sent(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.shop.many(1)
    road.read_the_shop()

    def broken(cursor: str) -> Iterator[Page]:
        fields: dict[str, list[Page]] = {}
        yield from fields["one nobody thought of"]

    monkeypatch.setattr(road.shop, "pages", broken)
    report = road.sync()
    assert "met something it does not know (KeyError)" in report.problem
    assert (report.calls, road.standing()) == (1, {"accepted": 1})

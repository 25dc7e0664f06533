"""What the ledger makes of what a shop shows: which change counts, which number it gets, what is never sent again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from connector.consider import Rules
from connector.gosweetspot.answers import Outcome, Verdict
from connector.ledger import intake, outbox, queries
from connector.ledger.connection import Ledger, LedgerError, in_memory
from connector.ledger.schema import CURRENT
from connector.order import Address, Fulfilment, Order
from connector.selection import SelectRules
from connector.slip import SlipRules
from connector.sources.base import Page
from connector.sync import WrongDestination, sync_store
from tests.ledger.given import (
    DAY,
    START,
    G,
    an_order,
    answers,
    claimed,
    count,
    fails,
    open_alerts,
    reason,
    rules,
    sent,
    settled,
    state,
    states,
    terms,
    the_shop_shows,
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with in_memory() as ledger:
        yield ledger


def numbers(ledger: Ledger) -> dict[str, str | None]:
    return dict(ledger.db.execute("SELECT store || ' ' || order_id, number FROM slips ORDER BY id").fetchall())


def test_a_page_is_taken_whole_with_its_cursor_or_not_at_all(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="a time without a zone"):
        the_shop_shows(ledger, an_order("1"), an_order("2"), cursor="far", now=START.replace(tzinfo=None))
    assert (count(ledger, "slips"), count(ledger, "versions"), count(ledger, "cursors")) == (0, 0, 0)
    the_shop_shows(ledger, an_order("1"), an_order("2"), cursor="far")
    assert intake.cursor_of(ledger.db, "kiwi") == "far"
    assert states(ledger) == {"1": "owed", "2": "owed"}


def test_3_5_rule_7_every_order_read_is_in_exactly_one_count(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("same"), an_order("edited"), an_order("gone"), an_order("old", "5"))
    report = the_shop_shows(
        ledger,
        an_order("same", "2"),
        an_order("edited", "2", "2 Rata Street"),
        an_order("gone", "2", cancelled=True),
        an_order("old", "4", "2 Rata Street"),
        an_order("new"),
        an_order("cancelled", cancelled=True),
        an_order("nowhere", problems=("line 3: no address",)),
    )
    counts = msgspec.to_builtins(report)
    found = {name: counts[name] for name in ("new", "changed", "held", "skipped", "withdrawn", "unchanged", "stale")}
    assert found == {"new": 1, "changed": 1, "held": 1, "skipped": 1, "withdrawn": 1, "unchanged": 1, "stale": 1}
    assert sum(found.values()) == report.read == 7


def test_C15_an_older_export_never_replaces_what_a_newer_one_said(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(revision="7", street="7 New Street"))
    report = the_shop_shows(ledger, an_order(revision="6", street="6 Old Street"))
    assert report.stale == 1
    assert b"7 New Street" in (claimed(ledger)[0].items[0].body or b"")
    assert count(ledger, "versions") == 1


def test_C15_an_order_seen_again_unchanged_in_a_newer_export_is_not_replaced_by_the_one_between(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(revision="1"))
    the_shop_shows(ledger, an_order(revision="3"))
    assert the_shop_shows(ledger, an_order(revision="2", street="2 Between Lane")).stale == 1


def test_C15_an_old_cancel_does_not_withdraw_an_order_brought_back_since(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(revision="3"))
    the_shop_shows(ledger, an_order(revision="2", cancelled=True))
    assert state(ledger) == "owed"


def test_an_older_change_of_an_order_passed_over_is_stale_too(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(revision="3", cancelled=True))
    assert the_shop_shows(ledger, an_order(revision="2")).stale == 1
    assert states(ledger) == {}


@pytest.mark.parametrize("width", ["#1", "＃1", "#1\u200b", " #1 "])
def test_T6_two_orders_that_want_one_number_are_both_held_before_anything_is_sent(ledger: Ledger, width: str) -> None:
    """On one page or on two; alike, or alike to GSS only."""
    the_shop_shows(ledger, an_order("1", number="#1"), an_order("2", number=width))
    assert states(ledger) == {"1": "held", "2": "held"}
    assert sent(ledger) == []
    assert open_alerts(ledger) == ["held", "held"]


def test_T6_on_two_pages_the_first_is_held_as_well_while_nothing_of_it_was_sent(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1", number="#1"))
    the_shop_shows(ledger, an_order("2", number="#1"))
    assert states(ledger) == {"1": "held", "2": "held"}
    assert sent(ledger) == []
    assert "another order wants the same packing slip number" in reason(ledger, "1")
    assert "Order #1 of store kiwi wants the same packing slip number" in reason(ledger, "2")


def test_T6_Z10_a_clash_of_two_stores_waits_in_the_status_of_both(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    the_shop_shows(ledger, an_order("9", number="#1"), by=rules("moa"))
    assert [(need.store, need.order) for need in queries.needs(ledger.db, "kiwi")] == [("kiwi", "#1")]
    assert [need.store for need in queries.needs(ledger.db, "moa")] == ["moa"]


def test_T6_an_order_whose_slip_was_sent_keeps_its_number_and_only_the_other_is_held(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1", number="#1"))
    sent(ledger)
    the_shop_shows(ledger, an_order("2", number="#1"))
    assert states(ledger) == {"1": "accepted", "2": "held"}
    assert numbers(ledger) == {"kiwi 1": "#1", "kiwi 2": None}


@pytest.mark.parametrize(("first", "second"), [("000000812", "812"), ("812", "000000812"), ("A-007", "a-7")])
def test_C21_a_number_that_differs_in_zeros_from_one_that_was_sent_is_held(
    ledger: Ledger, first: str, second: str
) -> None:
    """A spreadsheet saved the second export: to GSS they would be two orders, and two parcels."""
    the_shop_shows(ledger, an_order("1", number=first))
    assert sent(ledger) == [first]
    the_shop_shows(ledger, an_order("2", number=second))
    assert (sent(ledger), states(ledger)) == ([], {"1": "accepted", "2": "held"})
    assert "zeros in front make no difference" in reason(ledger, "2")


def test_C21_the_first_of_two_such_orders_is_held_for_as_long_as_the_other_wants_its_number(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1", number="000812"))
    the_shop_shows(ledger, an_order("2", number="812"))
    the_shop_shows(ledger, an_order("2", "2", number="812", street="2 Kowhai Road"))
    assert (sent(ledger), states(ledger)) == ([], {"1": "held", "2": "held"})
    the_shop_shows(ledger, an_order("2", "3", number="812", cancelled=True))
    assert sent(ledger) == ["000812"]


def test_C21_zeros_within_and_behind_figures_tell_numbers_apart(ledger: Ledger) -> None:
    numbers = ("#1", "#10", "#100", "#101", "#1001", "A0", "A")
    the_shop_shows(ledger, *(an_order(number, number=number) for number in numbers))
    assert sorted(sent(ledger)) == sorted(numbers)


def test_T6_an_edit_of_an_order_that_was_sent_goes_out_though_another_wants_its_number(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    sent(ledger)
    the_shop_shows(ledger, an_order("1", "2", "2 Rata Street"))
    the_shop_shows(ledger, an_order("2", number="#1"))
    assert states(ledger) == {"1": "owed", "2": "held"}


def test_T6_two_shops_with_the_same_number_are_held_and_with_a_prefix_they_are_not(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1", number="#1001"))
    the_shop_shows(ledger, an_order("1", number="#1001"), by=rules("moa"))
    assert states(ledger, "kiwi") == states(ledger, "moa") == {"1": "held"}
    the_shop_shows(ledger, an_order("1", number="#1001"), by=rules("moa", prefix="M"))
    assert state(ledger, store="moa") == "owed"
    assert numbers(ledger)["moa 1"] == "M#1001"


def test_T6_two_shops_of_two_gss_sites_may_have_the_same_numbers(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    the_shop_shows(ledger, an_order(), by=rules("moa"), to=terms("moa", destination="https://gss.example site 7"))
    assert state(ledger, store="kiwi") == state(ledger, store="moa") == "owed"


def test_T6_an_order_renamed_in_the_shop_gets_its_new_number_and_goes_out(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1", number="#1"), an_order("2", number="#1"))
    the_shop_shows(ledger, an_order("2", "2", number="#2"))
    assert sent(ledger) == ["#2"]
    assert open_alerts(ledger) == ["held"]


def test_T16_G4_a_changed_rule_sends_nothing_again_and_renumbers_nothing(ledger: Ledger) -> None:
    """Only new and changed orders are made by the new rule, and a changed one keeps the number it was given."""
    orders = [an_order(str(i)) for i in range(20)]
    the_shop_shows(ledger, *orders)
    sent(ledger)
    after = Rules("kiwi", SelectRules(), SlipRules(prefix="NEW-", rawaddress=True, email=False))
    again = [msgspec.structs.replace(order, revision="000002") for order in orders]
    report = the_shop_shows(ledger, *again, by=after)
    assert report.unchanged == 20
    assert sent(ledger) == []
    the_shop_shows(ledger, an_order("3", "3", "3 Totara Lane"), an_order("77"), by=after)
    assert sent(ledger) == ["#3", "NEW-#77"]


def test_T16_a_selection_rule_that_would_let_a_passed_over_order_through_lets_it_through(ledger: Ledger) -> None:
    """Nothing of it was sent, so nothing is sent again."""
    tagged = an_order(tags=("later",))
    skipping = Rules("kiwi", SelectRules(skip_tags=("later",)), SlipRules())
    assert the_shop_shows(ledger, tagged, by=skipping).skipped == 1
    assert the_shop_shows(ledger, tagged).new == 1
    assert count(ledger, "passed_over") == 0


def test_T16_a_held_order_goes_out_once_the_store_file_is_mended_though_the_shop_changed_nothing(
    ledger: Ledger,
) -> None:
    order = an_order(ship_to=Address(name="Aroha Example", line1="1 Kowhai Road", city="Hamilton", postcode="3204"))
    for _ in range(3):
        the_shop_shows(ledger, order)
    assert (state(ledger), count(ledger, "versions")) == ("held", 1)
    at_home = Rules("kiwi", SelectRules(), SlipRules(default_country="NZ"))
    the_shop_shows(ledger, order, by=at_home)
    assert sent(ledger) == ["#1"]
    assert open_alerts(ledger) == []


def test_an_order_put_on_hold_in_the_shop_waits_as_one_version_however_often_it_is_read(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    for _ in range(3):
        the_shop_shows(ledger, an_order(revision="2", fulfilment=Fulfilment.ON_HOLD))
    assert (state(ledger), count(ledger, "versions")) == ("held", 2)
    the_shop_shows(ledger, an_order(revision="3"))
    assert sent(ledger) == ["#1"]


def test_two_contents_under_one_revision_are_held_until_the_shop_saves_the_order_once_more(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order(revision="2"))
    the_shop_shows(ledger, an_order(revision="2", street="2 Rata Street"))
    assert state(ledger) == "held"
    the_shop_shows(ledger, an_order(revision="3", street="2 Rata Street"))
    assert state(ledger) == "owed"


def test_an_order_whose_id_ends_in_a_character_sqlite_cuts_texts_at_is_known_when_it_is_seen_again(
    ledger: Ledger,
) -> None:
    """It passed for new each time, broke the UNIQUE of the slips, and with it every page it stood on."""
    for revision in ("1", "2"):
        the_shop_shows(ledger, an_order("1\x00b", revision, number="#1"), an_order("1", revision, number="#2"))
    assert count(ledger, "versions") == count(ledger, "slips") == 2


def test_an_order_back_from_a_cancel_before_it_was_sent_is_owed_again_and_no_call_was_made(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    the_shop_shows(ledger, an_order(revision="2", cancelled=True))
    assert state(ledger) == "withdrawn"
    assert sent(ledger) == []
    the_shop_shows(ledger, an_order(revision="3"))
    assert sent(ledger) == ["#1"]


TICKETED = "GSS had already ticketed it"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ship_to": Address(name="Aroha Example", line1="2 Rata Street", city="Hamilton", country="NZ")}, "changed"),
        ({"problems": ("row 3: no street",)}, "row 3: no street"),
        ({"cancelled": True}, TICKETED),
    ],
)
def test_row_25_whatever_changes_after_the_label_is_late_no_call_is_made_and_a_person_is_told(
    ledger: Ledger, change: dict[str, Any], word: str
) -> None:
    the_shop_shows(ledger, an_order())
    sent(ledger, Verdict.PROCESSED)
    the_shop_shows(ledger, msgspec.structs.replace(an_order(revision="2"), **change))
    assert (state(ledger), open_alerts(ledger)) == ("late", ["late"])
    assert word in reason(ledger)
    assert sent(ledger) == []


@pytest.mark.parametrize("change", [{"fulfilment": Fulfilment.FULFILLED}, {"fulfilment": Fulfilment.ON_HOLD}])
def test_an_order_the_shop_calls_fulfilled_or_holds_after_the_label_is_not_late(
    ledger: Ledger, change: dict[str, Any]
) -> None:
    the_shop_shows(ledger, an_order())
    sent(ledger, Verdict.PROCESSED)
    the_shop_shows(ledger, msgspec.structs.replace(an_order(revision="2"), **change))
    assert (state(ledger), open_alerts(ledger)) == ("ticketed", [])


def test_an_order_put_on_hold_after_it_was_sent_stays_at_gss_and_a_person_is_told(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    sent(ledger)
    for _ in range(2):
        the_shop_shows(ledger, an_order(revision="2", fulfilment=Fulfilment.ON_HOLD))
    assert (state(ledger), open_alerts(ledger)) == ("accepted", ["held"])


def test_an_order_fulfilled_before_it_was_sent_is_withdrawn_and_after_that_left_alone(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order("1"))
    sent(ledger)
    the_shop_shows(ledger, an_order("2"))
    the_shop_shows(ledger, *(an_order(each, "2", fulfilment=Fulfilment.FULFILLED) for each in ("1", "2")))
    assert states(ledger) == {"1": "accepted", "2": "withdrawn"}
    assert sent(ledger) == []


def test_G6_a_store_file_that_names_another_account_stops_before_anything_is_read_or_sent(ledger: Ledger) -> None:
    shop: Any = Shop(an_order())
    gss: Any = Nobody()
    sync_store(rules(), terms(read_back=False), None, ledger, gss)
    for other in ("https://gss.example site 7", "https://api.elsewhere.example"):
        with pytest.raises(
            WrongDestination, match=r"belong to https://gss\.example, but .* now names .*Put the old url"
        ):
            sync_store(rules(), terms(destination=other), shop, ledger, gss)
    assert (shop.read, gss.calls, count(ledger, "slips"), count(ledger, "runs")) == (0, 0, 0, 1)


class Shop:
    """Shows its orders on one page, and counts how often it was read."""

    kind = "test"

    def __init__(self, *orders: Order) -> None:
        self.orders = orders
        self.read = 0

    def pages(self, cursor: str) -> Iterator[Page]:
        self.read += 1
        yield Page(self.orders, "read")


class Nobody:
    """A client nobody should call."""

    calls = 0

    def __getattr__(self, name: str) -> object:
        self.calls += 1
        raise AssertionError(f"{name} was called")


def test_M1_L21_what_a_dead_process_left_sending_is_unclear_at_the_next_start_and_goes_out_again(
    ledger: Ledger,
) -> None:
    the_shop_shows(ledger, an_order("1"), an_order("2"))
    claimed(ledger)
    assert set(states(ledger).values()) == {"sending"}
    with ledger.writing() as db:
        assert outbox.recover(db, "moa", START, G) == 0, "another store's attempts are left alone"
        assert outbox.recover(db, "kiwi", START, G) == 2
    assert set(states(ledger).values()) == {"unclear"}
    assert sent(ledger) == ["#1", "#2"]


def test_V5_an_open_attempt_is_carried_through_an_upgrade_as_unclear(ledger: Ledger) -> None:
    """The steps touch no rows: recovery, at each start, finds what stood open whatever schema it was written under."""
    the_shop_shows(ledger, an_order())
    claimed(ledger)
    assert ledger.db.execute("PRAGMA user_version").fetchone()[0] == CURRENT
    with ledger.writing() as db:
        outbox.recover(db, "kiwi", START + DAY, G)
    assert state(ledger) == "unclear"


def test_a_cancel_while_the_first_call_is_under_way_waits_for_it_and_then_deletes(ledger: Ledger) -> None:
    the_shop_shows(ledger, an_order())
    [attempt] = claimed(ledger)
    the_shop_shows(ledger, an_order(revision="2", cancelled=True))
    assert claimed(ledger) == (), "one open attempt per slip"
    settled(ledger, attempt, fails(Outcome.UNKNOWN))
    [cancel] = claimed(ledger)
    assert (cancel.op, cancel.items[0].body) == ("delete", None)
    settled(ledger, cancel, answers(cancel, Verdict.TAKEN))
    assert state(ledger) == "accepted"


def test_a_ledger_error_names_no_customer(ledger: Ledger) -> None:
    with ledger.writing() as db:
        db.execute("CREATE TEMP TRIGGER bad BEFORE INSERT ON versions BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(LedgerError) as caught:
        the_shop_shows(ledger, an_order(), now=START + timedelta(seconds=1))
    assert "Aroha" not in str(caught.value)
    assert "Kowhai" not in str(caught.value)

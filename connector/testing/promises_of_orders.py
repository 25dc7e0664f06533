"""Promises about orders: each is seen, none is skipped, whatever moves meanwhile. For every source there is."""
# ruff: noqa: N802  names carry rows of the failure list

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from connector.order import Fulfilment, Payment, content_hash
from connector.sources.base import SourceError
from connector.testing.promise import Promises, promise
from connector.testing.shop_double import Draft
from connector.testing.visit import NOW, Reading, Visit

LITTLE_LATE: Final = timedelta(seconds=60)
"""A list that lags this much is ordinary; every overlap covers it."""

FURTHER: Final = 400
"""Orders added where memory is measured; with their notes some megabytes."""

EDITED: Final = Draft(name="Wiremu Parata", line1="7 Rimu Road", city="Napier", postcode="4110", sku="BOWL-2")

ODD: Final = {
    "macrons": Draft(name="Māui Tūī-Pōtiki", line1="1 Ōtāhuhu Rōhe", city="Whāngārei"),
    "emoji": Draft(name="Zoë 🥝 Test", line1="3 Pōhutukawa Way 🌺", note="Leave it at the door 🐕 👨‍👩‍👧"),
    "han": Draft(name="山田 花子", company="株式会社キウイ", line1="千代田区1-2-3", city="東京"),
    "arabic": Draft(name="ليلى حسن", line1="12 شارع النيل", city="القاهرة"),
    "quotes": Draft(name="Miro O'Neil", company='"Tui, Rata" & <Sons>; Ltd', line1="Unit 3/12, \\Back\\ Lane"),
    "lines": Draft(name="Hana Test", note='first line\nsecond "line"\n\nfourth, last'),
    "long": Draft(name="Ripeka Test", company="Kererū " * 20 + "Ltd", note="Please ring the bell. " * 200),
    "bare": Draft(name="Sole", company="", line1="1 A St", region="", phone="", note="", email=""),
}
"""What buyers type."""


class OrderPromises(Promises):
    @promise()
    def test_an_empty_shop_is_no_error_and_its_first_order_comes(self, visit: Visit) -> None:
        """An empty shop is read without complaint, and what is placed in it next comes."""
        nothing = done(visit.read())
        assert not nothing.ids
        visit.clock(NOW + timedelta(minutes=5))
        placed = visit.place(1, until=NOW + timedelta(minutes=5))
        assert done(visit.read(nothing.cursor)).ids == set(placed)

    @promise()
    def test_every_order_is_seen_whatever_their_number(self, visit: Visit) -> None:
        """Every order is seen: none, one, a page, a page and one, several pages; a page past the end hides nothing."""
        placed: set[str] = set()
        for _ in range(14):
            assert done(visit.read()).ids == placed
            placed.update(visit.place(1, until=NOW - timedelta(hours=20 - len(placed))))

    @promise()
    def test_P16_reading_from_any_kept_cursor_skips_nothing(self, visit: Visit) -> None:
        """A run that ended after any page goes on from its cursor, and all are seen."""
        placed = set(visit.place(23))
        for seen, told in each_stop(visit, done(visit.read())):
            assert seen | told.ids == placed

    @promise()
    def test_P13_several_hundred_orders_of_one_second_are_all_seen(self, visit: Visit) -> None:
        """Orders of one second, over many page edges, are all seen, and after a stop at any of them too."""
        placed = {*visit.place(2, until=NOW - timedelta(days=2))}
        placed.update(visit.place(300, every_s=0, until=NOW - timedelta(days=1)))
        placed.update(visit.place(2, until=NOW))
        told = done(visit.read())
        assert told.ids == placed
        for seen, rest in each_stop(visit, told, most=4):
            assert seen | rest.ids == placed

    @promise()
    def test_trap_L1_a_second_order_of_a_second_that_was_read_is_seen(self, visit: Visit) -> None:
        """An order placed in the very second up to which the shop was read is not skipped by a strict `>`."""
        at = NOW - timedelta(seconds=1)
        visit.shop.place(Draft(), at)
        told = done(visit.read())
        second = visit.shop.place(Draft(), at)
        assert second in done(visit.read(told.cursor)).ids

    @promise()
    def test_P11_orders_that_change_while_they_are_paged_are_all_seen(self, visit: Visit) -> None:
        """Changes between two pages move rows about; no order is lost, and what changed is shown as it is now."""
        placed = visit.place(24, until=NOW - timedelta(hours=1))
        changed: list[str] = []

        def change(page: int) -> None:
            for order_id in {placed[page % 24], placed[(7 * page + 11) % 24]} - set(changed):
                visit.clock(NOW + timedelta(seconds=page + 1))
                visit.shop.edit(order_id, EDITED, NOW + timedelta(seconds=page + 1))
                changed.append(order_id)

        told = visit.read(between=change)
        while_paged = told.ids
        after = done(visit.read_on(told.cursor))
        assert while_paged | after.ids == set(placed)
        newest = {**told.orders, **after.orders, **(done(visit.sweep()).orders if visit.is_live else {})}
        assert {one for one in changed if newest[one].ship_to.city != EDITED.city} == set()

    @promise()
    def test_trap_L9_orders_deleted_while_paging_hide_none_of_the_others(self, visit: Visit) -> None:
        """Where a row leaves, its neighbours move up a place: the first of the next page must not be lost by it."""
        placed = visit.place(24)
        gone: list[str] = []

        def delete(page: int) -> None:
            if page < 6:
                gone.append(placed[page])
                visit.shop.delete(placed[page])

        told = visit.read(between=delete)
        seen = told.ids | done(visit.read_on(told.cursor)).ids
        assert set(placed) - set(gone) <= seen

    @promise()
    def test_P12_an_order_that_shows_a_minute_late_is_seen(self, visit: Visit) -> None:
        """A list may lag: what shows a minute late, with a time before the mark, is still read."""
        late = visit.shop.place(Draft(), NOW - timedelta(seconds=30))
        visit.shop.hide(late, NOW + LITTLE_LATE)
        visit.place(3, until=NOW)
        told = done(visit.read_on())
        assert late not in told.ids, "the double does not hide what it was told to hide"
        visit.clock(NOW + LITTLE_LATE)
        assert late in done(visit.read(told.cursor)).ids

    @promise()
    def test_trap_D1_what_repeats_is_the_same_order_word_for_word(self, visit: Visit) -> None:
        """Reading the same again shows the same: ids, revisions and contents, so that nothing is sent twice for it."""
        visit.place(9)
        first, again = done(visit.read()), done(visit.read())
        assert as_said(first.orders.values()) == as_said(again.orders.values())
        assert as_said(order for page in first.pages for order in page.orders) == as_said(first.orders.values())

    @promise()
    def test_trap_D4_a_touched_order_is_the_same_order(self, visit: Visit) -> None:
        """Where only the change date moved, the content says so: its hash stays, its revision never goes back."""
        placed = visit.shop.place(Draft(), NOW - timedelta(hours=1))
        before = done(visit.read()).order(placed)
        visit.shop.touch(placed, NOW - timedelta(minutes=1))
        after = done(visit.read()).order(placed)
        assert content_hash(after) == content_hash(before)
        assert after.revision >= before.revision

    @promise()
    def test_an_edited_order_is_shown_as_it_is_now_and_its_revision_never_goes_back(self, visit: Visit) -> None:
        """An edit shows in the order's content; its revision is later, or the same where the shop's date stays."""
        placed = visit.shop.place(Draft(), NOW - timedelta(hours=1))
        before = done(visit.read()).order(placed)
        visit.shop.edit(placed, EDITED, NOW - timedelta(minutes=1))
        after = done(visit.read()).order(placed)
        assert (after.ship_to.line1, after.ship_to.city) == (EDITED.line1, EDITED.city)
        assert [line.sku for line in after.lines if line.quantity] == [EDITED.sku]
        assert after.revision >= before.revision

    @promise()
    def test_P26_one_order_that_can_not_be_read_hides_no_other(self, visit: Visit) -> None:
        """Among good ones, orders that break the platform's contract are held or named, and all others come (L13)."""
        placed = visit.place(12)
        for spoiled in ({placed[5]}, {placed[0], placed[5]}, {placed[0], placed[5], placed[11]}):
            for one in spoiled:
                visit.shop.spoil(one)
            told = done(visit.read())
            assert set(placed) - spoiled <= told.ids - told.held
            silent = spoiled & (told.ids - told.held)
            assert not silent, "a record that breaks the contract came out as a sound order"
            assert told.held >= spoiled or told.alerts, "an order that could not be read is named by nobody"
            assert done(visit.read(told.cursor)).error is None

    @promise()
    def test_odd_alphabets_emoji_and_long_texts_are_kept(self, visit: Visit) -> None:
        """What a buyer types comes out as typed: every alphabet, quotes, line ends, empty and very long texts."""
        placed = {visit.shop.place(draft, NOW - timedelta(minutes=1)): name for name, draft in ODD.items()}
        told = done(visit.read())
        for order_id, name in placed.items():
            order, draft = told.order(order_id), ODD[name]
            to = order.ship_to
            said = (to.name, to.company, to.line1, to.city, order.buyer_note.replace("\r\n", "\n"))
            assert tuple(map(str.strip, said)) == tuple(
                map(str.strip, (draft.name, draft.company, draft.line1, draft.city, draft.note))
            ), name

    @promise()
    def test_P14_a_clock_of_ours_that_is_wrong_by_a_day_changes_nothing(self, visit: Visit) -> None:
        """The cursor comes from the shop's own times: a day early or late, we see and keep the same."""
        placed = set(visit.place(7, every_s=60))
        right = done(visit.read())
        for wrong_by in (-self.wrong_clock, self.wrong_clock):
            visit.now = NOW + wrong_by
            wrong = done(visit.read())
            assert wrong.ids == placed
            assert wrong.cursor == right.cursor
            late = visit.shop.place(Draft(), NOW - timedelta(seconds=1))
            placed.add(late)
            assert late in done(visit.read(wrong.cursor)).ids
            visit.now = NOW
            right = done(visit.read())

    @promise()
    def test_P15_times_of_the_shop_have_one_meaning(self, visit: Visit) -> None:
        """`created_at` is the moment the order was placed, whatever zone the shop writes it in."""
        at = NOW - timedelta(hours=13, seconds=7)
        placed = visit.shop.place(Draft(), at)
        assert done(visit.read()).order(placed).created_at in (at, None)

    @promise()
    def test_P18_cancelled_refunded_and_shipped_orders_come(self, visit: Visit) -> None:
        """No default filter hides what must be stopped: whatever becomes of an order, it comes and says so (L8)."""
        cancelled, refunded, shipped, untouched = visit.place(4, until=NOW - timedelta(hours=2))
        told = done(visit.read())
        visit.shop.cancel(cancelled, NOW - timedelta(minutes=3))
        visit.shop.refund(refunded, NOW - timedelta(minutes=2))
        visit.shop.fulfil(shipped, NOW - timedelta(minutes=1))
        for again in (done(visit.read_on(told.cursor)), done(visit.read())):
            assert again.order(cancelled).cancelled
            money = again.order(refunded)
            assert money.cancelled or money.payment in (Payment.REFUNDED, Payment.VOIDED)
            assert again.order(shipped).fulfilment is Fulfilment.FULFILLED
        untouched_now = done(visit.read()).order(untouched)
        assert not untouched_now.cancelled
        assert untouched_now.payment is Payment.PAID

    @promise()
    def test_trap_L18_an_order_that_is_paid_later_comes_again(self, visit: Visit) -> None:
        """Seen unpaid, then paid: it comes again, and says so."""
        placed = visit.shop.place(Draft(), NOW - timedelta(hours=2), paid=False)
        told = done(visit.read())
        assert told.order(placed).payment is not Payment.PAID
        visit.shop.pay(placed, NOW - timedelta(minutes=1))
        again = done(visit.read(told.cursor)).order(placed)
        assert again.payment is Payment.PAID
        assert not again.draft

    @promise()
    def test_P20_ids_are_the_shops_own_as_text(self, visit: Visit) -> None:
        """An id is kept as text, the same in every reading, and no two orders share one (D8, W3)."""
        placed = visit.place(5)
        assert len(set(placed)) == 5
        assert {type(one) for one in done(visit.read()).ids} == {str}
        assert done(visit.read()).ids == set(placed)

    @promise()
    def test_trap_W2_each_order_has_its_own_address(self, visit: Visit) -> None:
        """Nothing of one order's address is copied to another's."""
        here, there = Draft(), Draft(name="Ruby Example", line1="9 Wattle St", city="Perth", region="WA",
                                     postcode="6000", country="AU")  # fmt: skip
        placed = {visit.shop.place(draft, NOW - timedelta(seconds=1)): draft for draft in (here, there, here)}
        for order_id, order in done(visit.read()).orders.items():
            draft = placed[order_id]
            assert (order.ship_to.line1, order.ship_to.postcode.lstrip("'")) == (draft.line1, draft.postcode)
            assert order.ship_to.country == draft.country

    @promise()
    def test_P9_a_cursor_that_nobody_can_read_is_refused_or_starts_anew(self, visit: Visit) -> None:
        """A cursor of an older version, or a damaged one, never makes orders vanish and never crashes."""
        placed = set(visit.place(3))
        for cursor in ("{}", "[]", "null", '"2026-11-23"', '{"version": 99}', "{", "not json"):
            told = visit.read(cursor)
            assert told.error is not None or told.ids == placed, cursor

    @promise()
    def test_C13_memory_is_that_of_a_page_whatever_the_number_of_orders(self, visit: Visit) -> None:
        """Several megabytes of orders more make no more than a page's memory: each page is let go before the next."""
        talkative = Draft(note="Leave it at the door. " * 300)
        visit.place(100, until=NOW - timedelta(hours=1), draft=talkative)
        small = height(visit)
        visit.place(FURTHER, until=NOW, draft=talkative)
        large = height(visit)
        most = FURTHER * len(talkative.note) // 2
        assert large - small < most, f"{large - small:,} bytes for {FURTHER} further orders; at most {most:,}"


def done(told: Reading) -> Reading:
    """A reading that ended well."""
    if told.error:
        raise AssertionError(f"{type(told.error).__name__}: {told.error}") from told.error
    return told


def each_stop(visit: Visit, told: Reading, most: int = 12) -> Iterable[tuple[set[str], Reading]]:
    """For some of the pages: what had been seen up to it, and what a new run from its cursor shows."""
    step = max(1, len(told.pages) // most)
    for stop in range(0, len(told.pages), step):
        seen = {order.id for page in told.pages[: stop + 1] for order in page.orders}
        yield seen, done(visit.read(told.pages[stop].cursor))


def as_said(orders: Iterable[object]) -> list[str]:
    return sorted({repr(order) for order in orders})


def height(visit: Visit) -> int:
    """Bytes at the highest, reading all of the shop and keeping no page. Measured at each page, when the shop rests,
    and the second time, when what the double keeps of its orders is kept already."""
    done(visit.read())
    pages = visit.source().pages("")
    highest = 0
    gc.collect()
    tracemalloc.start()
    try:
        for page in pages:
            highest = max(highest, tracemalloc.get_traced_memory()[0])
            del page
    except SourceError as err:
        raise AssertionError(f"{type(err).__name__}: {err}") from err
    finally:
        tracemalloc.stop()
    return highest

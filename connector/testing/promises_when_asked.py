"""Promises about shops that can be asked: the sweep, the second look at single orders, the probe."""
# ruff: noqa: N802  names carry rows of the failure list

from __future__ import annotations

from datetime import timedelta

from connector.sources.base import LiveSource, SourceError
from connector.testing import faults
from connector.testing.promise import Need, Promises, promise
from connector.testing.promises_of_orders import EDITED, done
from connector.testing.shop_double import Draft
from connector.testing.visit import NOW, Visit, refuse_customers


class AskedPromises(Promises):
    @promise(Need.ASKING)
    def test_the_sweep_shows_every_open_order_whatever_the_cursor(self, visit: Visit) -> None:
        """What may still become freight is shown however old it is, paid or not."""
        old = visit.place(9, until=NOW - timedelta(days=20))
        unpaid = visit.shop.place(Draft(), NOW - timedelta(days=9), paid=False)
        done(visit.read_on())
        assert {*old, unpaid} <= done(visit.sweep()).ids

    @promise(Need.ASKING)
    def test_the_sweep_shows_what_changed_in_two_days(self, visit: Visit) -> None:
        """What was closed lately is shown too, so that a lost change is mended."""
        cancelled, refunded, shipped = visit.place(3, until=NOW - timedelta(days=10))
        visit.shop.cancel(cancelled, NOW - timedelta(hours=47))
        visit.shop.refund(refunded, NOW - timedelta(hours=25))
        visit.shop.fulfil(shipped, NOW - timedelta(hours=1))
        assert {cancelled, refunded, shipped} <= done(visit.sweep()).ids

    @promise(Need.ASKING)
    def test_P12_P29_the_sweep_finds_what_no_cursor_showed(self, visit: Visit) -> None:
        """An order that shows hours late, beyond every overlap, is found by the sweep (L3)."""
        late = visit.shop.place(Draft(), NOW - timedelta(seconds=30))
        visit.shop.hide(late, NOW + timedelta(hours=3))
        visit.place(3, until=NOW)
        visit.clock(NOW + timedelta(hours=2))
        visit.place(3, until=NOW + timedelta(hours=2))
        done(visit.read_on())
        visit.clock(NOW + timedelta(hours=3))
        assert late in done(visit.sweep()).ids

    @promise(Need.ASKING)
    def test_P22_an_edit_dated_back_is_seen_by_the_sweep(self, visit: Visit) -> None:
        """A change whose date lies before the mark (a restored shop, a wrong clock) is shown by the sweep."""
        placed = visit.shop.place(Draft(), NOW - timedelta(hours=5))
        visit.place(3, until=NOW)
        done(visit.read_on())
        visit.shop.edit(placed, EDITED, NOW - timedelta(hours=6))
        assert done(visit.sweep()).order(placed).ship_to.city == EDITED.city

    @promise(Need.ASKING)
    def test_a_sweep_of_many_pages_misses_none_while_orders_change(self, visit: Visit) -> None:
        """The sweep pages too: what changes or goes meanwhile hides no other order."""
        placed = visit.place(24, until=NOW - timedelta(days=3))
        source = visit.live()
        seen: set[str] = set()
        for number, page in enumerate(source.sweep()):
            seen.update(order.id for order in page.orders)
            visit.shop.edit(placed[(5 * number) % 24], EDITED, NOW - timedelta(seconds=60 - number % 50))
        assert seen == set(placed)

    @promise(Need.ASKING)
    def test_P17_a_second_look_shows_what_is_and_names_what_is_gone(self, visit: Visit) -> None:
        """Asked for by id: today's content, whatever the change date says; and what the shop has no more."""
        kept, edited, deleted = visit.place(3, until=NOW - timedelta(hours=5))
        visit.shop.edit(edited, EDITED, NOW - timedelta(hours=4))
        visit.shop.delete(deleted)
        told = done(visit.reread([kept, edited, deleted]))
        assert (told.ids, told.gone) == ({kept, edited}, {deleted})
        assert told.order(edited).ship_to.city == EDITED.city
        assert as_now(visit, kept) == told.order(kept)

    @promise(Need.ASKING, Need.WIRE)
    def test_P17_a_404_of_the_host_is_not_the_shops_word_that_an_order_is_gone(self, visit: Visit) -> None:
        """A page that was moved, a cache, a firewall: only the shop's own answer may cancel an order."""
        placed = visit.place(3)
        for fault in (faults.page(404), faults.says(404), faults.page(410), faults.page(400)):
            visit.server.fail(fault)
            told = visit.reread(placed)
            assert told.error is not None
            assert told.gone == set()

    @promise(Need.ASKING)
    def test_a_second_look_at_a_hundred_orders_accounts_for_each(self, visit: Visit) -> None:
        """Every id asked for is in one page's orders or in its `gone`, never in neither."""
        placed = visit.place(100)
        deleted = set(placed[::7])
        for one in deleted:
            visit.shop.delete(one)
        told = done(visit.reread(placed))
        assert (told.ids, told.gone) == (set(placed) - deleted, deleted)
        assert not any(set(page.gone) & {order.id for order in page.orders} for page in told.pages)

    @promise(Need.ASKING)
    def test_a_second_look_at_nothing_asks_nothing(self, visit: Visit) -> None:
        """No ids, no orders, no error."""
        visit.place(2)
        told = done(visit.reread([]))
        assert (told.ids, told.gone) == (set(), set())

    @promise(Need.ASKING)
    def test_P20_an_id_that_is_none_of_the_shops_is_gone_named_or_refused(self, visit: Visit) -> None:
        """An id of another shop, or one made to lead elsewhere, never shows another order, and never crashes. Best is
        an alert that names it: refused, it hides the others, and gone, its order is cancelled."""
        [placed] = visit.place(1)
        for odd in ("0", "99999999999999999999999", "-1", "../orders", f"{placed}/../{placed}", "1?x=1", "a b", "é"):
            told = visit.reread([odd])
            assert told.ids == set(), odd
            is_named = any(odd in alert for alert in told.alerts)
            assert told.error is not None or told.gone == {odd} or (is_named and not told.gone), odd

    @promise(Need.ASKING)
    def test_P26_one_order_that_can_not_be_read_hides_no_other_in_sweep_and_second_look(self, visit: Visit) -> None:
        """As in the pages: held or named, and all others come."""
        placed = visit.place(9)
        spoiled = placed[4]
        visit.shop.spoil(spoiled)
        for told in (done(visit.sweep()), done(visit.reread(placed))):
            assert set(placed) - {spoiled} <= told.ids - told.held
            assert spoiled in told.held or told.alerts, "an order that could not be read is named by nobody"
            assert spoiled not in told.gone, "an order that can't be read is not gone: it would be cancelled"

    @promise(Need.ASKING)
    def test_the_probe_finds_a_sound_shop_sound(self, visit: Visit) -> None:
        """All is well: at least one finding, none with something to mend, with orders and without."""
        for count in (0, 3):
            visit.place(count)
            findings = list(visit.live().probe())
            assert findings
            assert [(one.text, one.mend) for one in findings if one.mend] == []

    @promise(Need.ASKING, Need.WIRE)
    def test_the_probe_never_raises_and_says_what_to_mend(self, visit: Visit) -> None:
        """Whatever goes wrong, the probe ends with a finding that says what to do, and with no secret in it."""
        visit.place(3)
        for fault in faults.TROUBLES:
            for after in (0, 1):
                visit.server.fail(fault, after=after)
                found = list(visit.live().probe())
                if not after:
                    assert any(one.mend for one in found), [one.text for one in found]
                for one in found:
                    visit.refuse_secrets(one.text, one.mend)
                    refuse_customers(one.text)

    @promise(Need.ASKING)
    def test_closing_twice_is_no_error(self, visit: Visit) -> None:
        """A source is closed whether or not it was used, and once more."""
        visit.place(1)
        used, unused = visit.live(), visit.live()
        read_all(used)
        for source in (used, used, unused, unused):
            source.close()


def as_now(visit: Visit, order_id: str) -> object:
    return done(visit.reread([order_id])).order(order_id)


def read_all(source: LiveSource) -> None:
    try:
        for _ in source.pages(""):
            pass
    except SourceError as err:
        raise AssertionError(str(err)) from err

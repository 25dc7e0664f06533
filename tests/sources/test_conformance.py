"""Every source that is installed keeps every promise, against a double of its shop; and the suite can fail.

A shop's double joins by a class here. A registered source without one fails the build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from connector.sources import csv_pages, registry
from connector.sources.base import Source
from connector.testing.conformance import SourceConformance
from connector.testing.promise import Need
from connector.testing.shop_double import ShopDouble
from tests.shops.csv import CsvDouble
from tests.shops.shopify import ShopifyDouble
from tests.shops.woocommerce import WooCommerceDouble
from tests.sources import broken_sources as broken
from tests.sources.example_source.notice_board.double import NoticeBoardDouble
from tests.sources.example_source.notice_board.source import NoticeBoardSource


class TestCsv(SourceConformance):
    def open_shop(self) -> AbstractContextManager[ShopDouble]:
        return CsvDouble()

    @pytest.fixture(autouse=True)
    def _small_pages(self, small_pages: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_pages, "PAGE", 5)


class TestWooCommerce(SourceConformance):
    options: ClassVar[Mapping[str, Any]] = {"page_size": 5}
    wrong_clock = timedelta(minutes=14)  # over plain http the shop itself refuses a clock that is wrong by fifteen
    public = ("consumer_key",)  # OAuth 1.0a sends it with every call; alone it opens nothing

    def open_shop(self) -> AbstractContextManager[ShopDouble]:
        return WooCommerceDouble()


class TestWooCommercePosts(TestWooCommerce):
    def open_shop(self) -> AbstractContextManager[ShopDouble]:
        return WooCommerceDouble("posts")


class TestWooCommerceBefore104(TestWooCommerce):
    def open_shop(self) -> AbstractContextManager[ShopDouble]:
        return WooCommerceDouble("before-10.4")


class TestShopify(SourceConformance):
    options: ClassVar[Mapping[str, Any]] = {"page_size": 5}

    @contextmanager
    def open_shop(self) -> Iterator[ShopDouble]:
        with ShopifyDouble() as shop, pytest.MonkeyPatch.context() as patch:
            for name, value in shop.environment().items():
                patch.setenv(name, value)
            yield shop


SUITES: tuple[type[SourceConformance], ...] = (
    TestCsv,
    TestWooCommerce,
    TestWooCommercePosts,
    TestWooCommerceBefore104,
    TestShopify,
)


def kinds_in_suites() -> set[str]:
    kinds = set()
    for suite in SUITES:
        with suite().open_shop() as shop:
            kinds.add(shop.kind)
    return kinds


def test_no_registered_source_is_without_a_shop_double(monkeypatch: pytest.MonkeyPatch) -> None:
    joined = kinds_in_suites() | {"inbox"}  # it only hears: test_json_inbox.py has its promises
    assert set(registry.OWN) <= joined, "write a double of this shop and a class of the suite above"
    monkeypatch.setitem(registry.OWN, "another", "connector.sources.another:AnotherSource")
    assert set(registry.OWN) - joined == {"another"}, "a new kind would not be noticed"


def test_what_does_not_apply_is_named_with_its_reason() -> None:
    listed = {promise.name: promise for promise in TestCsv().promises()}
    assert listed["test_P1_a_shop_that_can_not_be_reached_is_unreachable"].reason == Need.WIRE.value
    assert listed["test_P17_a_second_look_shows_what_is_and_names_what_is_gone"].reason == Need.ASKING.value
    tried = [promise for promise in listed.values() if not promise.reason]
    assert len(tried) > 15
    assert all(promise.says.endswith(".") for promise in listed.values())


@pytest.mark.parametrize("suite", SUITES)
def test_a_promise_that_is_left_out_exists(suite: type[SourceConformance]) -> None:
    assert {name for name in suite.cannot if not hasattr(suite, name)} == set()


def test_a_promise_left_out_is_skipped_with_its_reason() -> None:
    class Left(TestCsv):
        cannot: ClassVar[Mapping[str, str]] = {P13: "this shop never sells two things in one second"}

    with pytest.raises(pytest.skip.Exception, match="not applicable: this shop never sells"):
        Left().test_P13_several_hundred_orders_of_one_second_are_all_seen()


# The suite can fail: sources with one mistake each, and the promises that notice it

COUNTS = "test_every_order_is_seen_whatever_their_number"
P9 = "test_P9_a_cursor_that_nobody_can_read_is_refused_or_starts_anew"
P11 = "test_P11_orders_that_change_while_they_are_paged_are_all_seen"
P12 = "test_P12_an_order_that_shows_a_minute_late_is_seen"
P12_SWEEP = "test_P12_P29_the_sweep_finds_what_no_cursor_showed"
P13 = "test_P13_several_hundred_orders_of_one_second_are_all_seen"
P14 = "test_P14_a_clock_of_ours_that_is_wrong_by_a_day_changes_nothing"
P16 = "test_P16_reading_from_any_kept_cursor_skips_nothing"
P17_HOST = "test_P17_a_404_of_the_host_is_not_the_shops_word_that_an_order_is_gone"
P18 = "test_P18_cancelled_refunded_and_shipped_orders_come"
P20 = "test_P20_ids_are_the_shops_own_as_text"
P22 = "test_P22_an_edit_dated_back_is_seen_by_the_sweep"
P26 = "test_P26_one_order_that_can_not_be_read_hides_no_other"
P7 = "test_P7_an_error_of_the_host_is_never_no_orders"
REDIRECT = "test_P10_P27_a_redirect_is_not_followed"
ENVIRONMENT = "test_P28_the_environment_leads_nobody_astray"
BOMB = "test_P25_an_endless_answer_or_a_gzip_bomb_is_cut_off_in_flat_memory"
MEMORY = "test_C13_memory_is_that_of_a_page_whatever_the_number_of_orders"
L1 = "test_trap_L1_a_second_order_of_a_second_that_was_read_is_seen"
L9 = "test_trap_L9_orders_deleted_while_paging_hide_none_of_the_others"
L12 = "test_trap_L12_a_list_that_never_ends_is_left"
W2 = "test_trap_W2_each_order_has_its_own_address"
SECRETS = "test_no_secret_is_written_anywhere"
SWEEP = "test_the_sweep_shows_every_open_order_whatever_the_cursor"


class Board(SourceConformance):
    """The example shop, read by any source one likes. (Not collected: its name does not begin with Test.)"""

    def __init__(self, source: type[Source]) -> None:
        self._source = source

    def open_shop(self) -> AbstractContextManager[ShopDouble]:
        return NoticeBoardDouble()

    def source_class(self, kind: str) -> type[Source]:
        return self._source


def notices(promise: str, source: type[Source]) -> bool:
    """Does this promise fail for this source? It must fail by its own words, or by an exception a source may not
    raise; and it must hold for the same source without the mistake."""
    getattr(Board(NoticeBoardSource), promise)()
    try:
        getattr(Board(source), promise)()
    except (AssertionError, OSError, ValueError):
        return True
    return False


@pytest.mark.parametrize(
    ("source", "promise"),
    [
        (broken.NoOverlap, P12),
        (broken.StrictlyAfter, L1),
        (broken.StrictlyAfter, P12),
        (broken.StrictlyAfter, P13),
        (broken.OurClock, P14),
        (broken.MarkAhead, P16),
        (broken.MarkAhead, P13),
        (broken.ByOffset, L9),
        (broken.OpenOnly, P18),
        (broken.AllAtOnce, MEMORY),
        (broken.OneBadAllBad, P26),
        (broken.SkipsTheBad, P26),
        (broken.NothingIsEmpty, P7),
        (broken.AnyAnswerIsGone, P17_HOST),
        (broken.Talkative, SECRETS),
        (broken.PlainRequests, REDIRECT),
        (broken.PlainRequests, ENVIRONMENT),
        (broken.PlainRequests, P7),
        (broken.NumberAsId, P20),
        (broken.SweepsByCursor, SWEEP),
        (broken.SweepsByCursor, P12_SWEEP),
        (broken.SweepsByCursor, P22),
    ],
)
def test_the_suite_notices(source: type[Source], promise: str) -> None:
    assert notices(promise, source)


def test_trap_L5_a_change_date_that_is_null_at_first_is_noticed() -> None:
    assert notices(COUNTS, broken.OnlyChanged)
    assert notices(P13, broken.OnlyChanged)


def test_trap_L10_newest_first_with_a_cap_is_noticed() -> None:
    assert notices(COUNTS, broken.NewestFirst)
    assert notices(P16, broken.NewestFirst)


def test_trap_L11_a_filter_of_whole_days_is_noticed() -> None:
    assert notices(L1, broken.WholeDays)
    assert notices(P12, broken.WholeDays)


def test_trap_L12_reading_until_a_page_is_empty_is_noticed() -> None:
    assert notices(L12, broken.NeverEnds)


def test_trap_W2_an_address_copied_to_others_is_noticed() -> None:
    assert notices(W2, broken.FirstAddress)

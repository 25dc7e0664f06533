"""The sweep of a Shopify, single orders, the probe, and what the store file may say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connector.order import Fulfilment
from connector.sources.base import Finding, LiveSource, Malformed, Unreachable
from connector.sources.shopify import ShopifySource
from connector.sources.shopify_options import ShopifyOptions
from connector.testing.faults import page
from connector.testing.shop_double import Draft
from connector.testing.shop_server import Request, Response
from tests.shops.shopify import ALL_SCOPES, Line, ShopifyDouble
from tests.sources.shopify_shop import at, calls, ids, orders, placed, source, walked

DAYS = 24 * 60


def swept(shop: ShopifyDouble, patch: pytest.MonkeyPatch) -> set[str]:
    pages = list(source(shop, patch).sweep())
    assert {page.cursor for page in pages} <= {""}
    return ids(pages)


def test_the_source_is_a_live_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        reader = source(shop, monkeypatch)
        assert isinstance(reader, LiveSource)
        reader.close()


def test_the_sweep_has_all_that_may_still_ship_and_all_that_changed_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        opened, held, unpaid, partly, sent, gone = placed(shop, 6)
        shop.hold(held, at(10))
        shop.fulfil(sent, at(11))
        shop.cancel(gone, at(12))
        scheduled = shop.place(Draft(), at(13), fulfil_at=at(100 * DAYS))
        pending = shop.place(Draft(), at(14), paid=False)
        half = shop.place(Draft(), at(15), locations=2)
        shop.fulfil(half, at(16), part=shop.parts(half)[0])
        late = shop.place(Draft(), at(30 * DAYS))
        lately_sent = shop.place(Draft(), at(29 * DAYS))
        shop.fulfil(lately_sent, at(29 * DAYS + 1))
        assert swept(shop, monkeypatch) == {
            opened, held, unpaid, partly, scheduled, pending, half, late, lately_sent
        }  # fmt: skip


def test_P29_what_changed_lately_is_swept_though_the_list_of_all_that_is_open_never_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 3)
        lately = shop.place(Draft(), at(30 * DAYS))
        answer = shop.answer

        def breaks_off(request: Request) -> Response:
            is_long = b"-fulfillment_status:fulfilled" in request.body
            return Response(502) if is_long else answer(request)

        monkeypatch.setattr(shop.server, "_answer", breaks_off)
        seen: list[str] = []
        with pytest.raises(Unreachable):
            for page in source(shop, monkeypatch).sweep():
                seen += [order.id for order in page.orders]
        assert seen == [lately]


def test_P22_the_sweep_sees_what_no_change_date_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        order_id = shop.place(Draft(), at(0))
        _, cursor = walked(source(shop, monkeypatch))
        shop.place(Draft(), at(60))
        _, cursor = walked(source(shop, monkeypatch), cursor)
        shop.edit(order_id, Draft(line1="99 Rata Road"), at(-30))
        read = {order.id: order for order in orders(list(source(shop, monkeypatch).sweep()))}
        assert read[order_id].ship_to.line1 == "99 Rata Road"


def test_an_empty_shop_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        assert swept(shop, monkeypatch) == set()


def test_a_sweep_whose_page_cursor_is_refused_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = set(placed(shop, 40))
        pages = source(shop, monkeypatch).sweep()
        next(pages)
        shop.expire_cursors()
        assert ids(list(pages)) == wanted


def test_P17_single_orders_are_read_and_those_that_are_gone_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        wanted = placed(shop, 40)
        shop.delete(wanted[7])
        pages = list(source(shop, monkeypatch).reread([*wanted, "12"]))
        assert ids(pages) == set(wanted) - {wanted[7]}
        assert {order_id for page in pages for order_id in page.gone} == {wanted[7], "12"}


def test_a_hundred_orders_are_reread_in_lots_that_cost_no_more_than_shopify_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ShopifyDouble() as shop:
        wanted = placed(shop, 100)
        read = source(shop, monkeypatch, locations=["64000000"]).reread(wanted)
        assert [order.id for page in read for order in page.orders] == wanted
        assert calls(shop) == 10  # none was answered MAX_COST_EXCEEDED, and asked again in halves


@pytest.mark.parametrize("size", [50, 250])
def test_the_largest_page_costs_no_more_than_shopify_allows(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 3)
        reader = source(shop, monkeypatch, page_size=size, locations=["64000000"])
        _, cursor = walked(reader)
        before = calls(shop)
        walked(reader, cursor)
        assert calls(shop) == before + 1


def test_P20_an_id_that_is_none_is_named_and_fails_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        [order_id] = placed(shop, 1)
        pages = list(source(shop, monkeypatch).reread(["-5", "kiwi/1", order_id]))
        assert ids(pages) == {order_id}
        assert [each for page in pages for each in page.gone] == []
        named = [alert.partition(" is no id of a Shopify order")[0] for page in pages for alert in page.alerts]
        assert named == ['"-5"', '"kiwi/1"']


def test_a_long_sweep_is_cut_into_searches_before_shopify_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.sources import shopify_cursor

    monkeypatch.setattr(shopify_cursor, "ROWS", 20)
    with ShopifyDouble() as shop:
        wanted = placed(shop, 75)
        pages = list(source(shop, monkeypatch).sweep())
        assert ids(pages) == set(wanted)
        assert len(orders(pages)) == 2 * len(wanted)  # once as open, once as changed lately


def test_a_shop_that_refuses_every_page_cursor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 40)
        for pages in (source(shop, monkeypatch).sweep(), source(shop, monkeypatch).pages("")):
            with pytest.raises(Malformed, match="cursor"):
                for _ in pages:
                    shop.expire_cursors()


def test_a_long_order_is_reread_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        order_id = shop.place(Draft(), at(0), lines=[Line(f"SKU-{n}") for n in range(60)])
        [order] = orders(list(source(shop, monkeypatch).reread([order_id])))
        assert (len(order.lines), order.problems) == (60, ())


def test_trap_L7_an_order_that_is_only_out_of_sight_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(scopes=ALL_SCOPES - {"read_all_orders"}) as shop:
        old = shop.place(Draft(), at(0))
        young, deleted = placed(shop, 2, start_min=80 * DAYS)
        shop.place(Draft(), at(80 * DAYS - 5))
        shop.delete(deleted)
        pages = list(source(shop, monkeypatch).reread([old, young, deleted]))
        assert ids(pages) == {young}
        assert [order_id for page in pages for order_id in page.gone] == [deleted]
        [alert] = [alert for page in pages for alert in page.alerts]
        assert old in alert
        assert "read_all_orders" in alert


def probed(double: ShopifyDouble, patch: pytest.MonkeyPatch, **options: Any) -> tuple[list[Finding], str]:
    found = list(source(double, patch, **options).probe())
    return [finding for finding in found if finding.mend], " ".join(finding.text for finding in found)


def test_the_probe_of_a_shop_that_is_as_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        placed(shop, 1)
        mends, told = probed(shop, monkeypatch)
        assert mends == []
        for words in ('"Kowhai Pottery"', "Pacific/Auckland", "2026-10", "clock", "read_orders", "1 fulfilment order"):
            assert words in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scopes": ALL_SCOPES - {"read_orders"}}, "read_orders"),
        ({"scopes": frozenset({"read_orders"})}, "read_merchant_managed_fulfillment_orders"),
        ({"protected": "null"}, "protected customer data"),
        ({"served_version": "2027-01"}, "2027-01"),
    ],
)
def test_the_probe_tells_each_thing_that_is_wrong_with_its_mend(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], words: str
) -> None:
    with ShopifyDouble(**options) as shop:
        placed(shop, 1)
        mends, _ = probed(shop, monkeypatch)
        assert any(words in finding.text for finding in mends)


def test_the_probe_tells_of_the_sixty_days(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble(scopes=ALL_SCOPES - {"read_all_orders"}) as shop:
        mends, told = probed(shop, monkeypatch)
        assert "last 60 days" in told
        assert "no order yet" in told
        assert not mends


def test_the_probe_tells_of_a_wrong_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        reader = source(shop, monkeypatch)
        ahead = shop.now + timedelta(minutes=9)
        from connector.sources.shopify_probe import findings

        found = list(findings(reader._api, reader._reader, "", lambda: ahead))
        assert any("differ by 9 minutes" in finding.text and finding.mend for finding in found)


def test_the_probe_tells_of_a_shop_that_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        mends, _ = probed(shop, monkeypatch, shop="kiwi.myshopify.com")
        assert "as shop in [source]" in mends[0].mend


def test_the_probe_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        assert shop.server is not None
        shop.server.fail(page())
        [finding] = source(shop, monkeypatch).probe()
        assert finding.mend
        with pytest.raises(Unreachable):
            walked(source(shop, monkeypatch))
        shop.server.mend()
        shop.tokens.revoke()
        monkeypatch.setattr(shop, "environment", dict)
        [finding] = source(shop, monkeypatch).probe()
        assert "token" in finding.mend


TOKEN = {"access_token": "env:KIWI_TOKEN"}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (TOKEN, "which shop"),
        ({**TOKEN, "shop": "kiwi.example"}, "no shop of Shopify"),
        ({**TOKEN, "shop": "kiwi.myshopify.com.evil.example"}, "no shop of Shopify"),
        ({**TOKEN, "shop": "evil.example/kiwi.myshopify.com"}, "no shop of Shopify"),
        ({**TOKEN, "url": "https://shop.example"}, "not on this machine"),
        ({"shop": "kiwi.myshopify.com"}, "how to sign in"),
        ({"shop": "kiwi.myshopify.com", "client_id": "abc"}, "how to sign in"),
        ({"shop": "kiwi.myshopify.com", "client_secret": "env:KIWI_SECRET"}, "without client_id"),
        ({**TOKEN, "shop": "kiwi.myshopify.com", "client_id": "abc", "client_secret": "env:KIWI_SECRET"}, "beside"),
        ({**TOKEN, "shop": "kiwi.myshopify.com", "page_size": 251}, "250"),
        ({**TOKEN, "shop": "kiwi.myshopify.com", "version": "latest"}, "pattern"),
        ({**TOKEN, "shop": "kiwi.myshopify.com", "overlap": "1 day"}, "no length of time"),
        ({**TOKEN, "shop": "kiwi.myshopify.com", "unknown": 1}, "Extra inputs"),
    ],
)
def test_what_can_t_be_meant_is_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ShopifyOptions.model_validate(table)


def test_the_shop_s_address_has_one_form() -> None:
    read = ShopifyOptions.model_validate({**TOKEN, "shop": "https://Kiwi.MyShopify.com/"})
    assert (read.shop, read.address) == ("kiwi.myshopify.com", "https://kiwi.myshopify.com")
    assert ShopifySource.options() is ShopifyOptions


def test_what_is_on_hold_comes_as_on_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    with ShopifyDouble() as shop:
        [order_id] = placed(shop, 1)
        shop.hold(order_id, at(1), reason="INCORRECT_ADDRESS")
        [order] = orders(list(source(shop, monkeypatch).reread([order_id])))
        assert order.fulfilment is Fulfilment.ON_HOLD
        assert "incorrect" in order.hold_reason.casefold()

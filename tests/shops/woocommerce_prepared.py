"""A shop with one order in it that is like a recorded body: same buyer, same goods, same times, same state.

What the double has no words for (fees, coupons, other currencies, prices written by hand) stays as it is in the double,
so a comparison shows it.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from connector.testing.shop_double import Draft
from tests.shops.woocommerce_bodies import Shop
from tests.shops.woocommerce_shop import WooCommerceShop
from tests.shops.woocommerce_state import BEHAVIOURS, Product, Setup, ShopOrder

Body = dict[str, Any]
ZONE: Final = ZoneInfo("Pacific/Auckland")


def prepared(body: Body) -> tuple[WooCommerceShop, ShopOrder]:
    face = Shop("https://shop.example", ZONE, BEHAVIOURS["hpos"])
    shop = WooCommerceShop(face, Setup(tuple(map(_product, body["line_items"]))))
    (sku, quantity), *more = ((line["sku"] or "", line["quantity"]) for line in body["line_items"])
    billing = _draft(body["billing"], body["customer_note"], sku, quantity)
    blank = not body["shipping"]["address_1"]
    metas = {meta["key"]: meta["value"] for meta in body["meta_data"]}
    shop.place(
        billing if blank else _draft(body["shipping"], body["customer_note"], sku, quantity),
        at(body["date_created_gmt"]),
        status=body["status"],
        method=body["shipping_lines"][0]["method_id"] if body["shipping_lines"] else "",
        via=body["created_via"],
        billing=billing,
        blank=blank,
        more=more,
        metas=metas if body["created_via"] == "rest-api" else {},
        customer=body["customer_id"],
        order_id=body["id"],
    )
    order = shop.orders[body["id"]]
    if body["refunds"]:
        shop.refund(str(order.id), order.modified)
    order.modified = at(body["date_modified_gmt"])
    order.paid = at(body["date_paid_gmt"]) if body["date_paid_gmt"] else None
    order.completed = at(body["date_completed_gmt"]) if body["date_completed_gmt"] else None
    return shop, order


def at(gmt: str) -> datetime:
    """A _gmt field, aware."""
    return datetime.fromisoformat(gmt).replace(tzinfo=UTC)


def _draft(block: dict[str, str], note: str, sku: str, quantity: int) -> Draft:
    """What the buyer typed; storefronts encode it afterwards."""
    return Draft(
        name=html.unescape(f"{block['first_name']} {block['last_name']}".strip()),
        company=block["company"],
        line1=block["address_1"],
        line2=block["address_2"],
        city=block["city"],
        region=block["state"],
        postcode=block["postcode"],
        country=block["country"],
        email=block.get("email", ""),
        phone=block["phone"],
        note=note,
        sku=sku,
        quantity=quantity,
    )


def _product(line: Body) -> Product:
    """price is without tax, of which New Zealand's part is put on again; the gift card has none."""
    taxed = line["name"] != "Gift card $50"
    keys = {meta["key"]: meta["value"] for meta in line["meta_data"]}
    return Product(
        id=line["product_id"],
        sku=line["sku"] or "",
        name=line["name"],
        price=(Decimal(str(line["price"])) * (Decimal("1.15") if taxed else 1)).quantize(Decimal("0.01")),
        taxed=taxed,
        downloads=False,
        stocked="_reduced_stock" in keys,
        variation=line["variation_id"],
        parent=line["parent_name"],
        attributes=tuple((key, value) for key, value in keys.items() if not key.startswith("_")),
    )

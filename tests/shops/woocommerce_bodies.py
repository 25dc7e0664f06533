"""Orders as WooCommerce's JSON: the same keys, types and oddities as recorded. Knows no HTTP."""

from __future__ import annotations

import html
import json
import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from hashlib import md5
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from connector.testing.shop_double import Draft
from tests.shops import woocommerce_times as times
from tests.shops.woocommerce_state import Habits, Line, Refund, ShopOrder

CENT: Final = Decimal("0.01")
UNTOUCHED: Final = frozenset({"pending", "cancelled", "failed", "checkout-draft"})
"""In these the stock is not, or no longer, reduced."""
FREIGHT: Final = {"NZ": Decimal("7.50"), "": Decimal("18.00")}


class Tax(msgspec.Struct, frozen=True):
    id: int
    code: str
    label: str
    percent: int


TAXES: Final = {
    "NZ": Tax(1, "NZ-GST-1", "GST", 15),
    "AU": Tax(2, "AU-GST-1", "GST", 10),
    "GB": Tax(3, "GB-VAT-1", "VAT", 20),
    "JP": Tax(4, "JP-\u6d88\u8cbb\u7a0e-1", "\u6d88\u8cbb\u7a0e", 10),
}


class Shop(msgspec.Struct, frozen=True):
    """What every body of one shop shares. url  with the folder, without a slash at the end."""

    url: str
    zone: ZoneInfo
    habits: Habits
    folder: str = ""


def dumps(body: object) -> bytes:
    """JSON as PHP writes it: no spaces, every slash and every letter beyond ASCII escaped."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def order_body(order: ShopOrder, shop: Shop) -> dict[str, Any]:
    tax = _tax_of(order)
    lines = [line_body(line, tax, order.status) for line in order.lines]
    freight = _freight(order)
    cart_tax = _sum(line["total_tax"] for line in lines)
    freight_tax = _tax(freight, tax, half_down=True)
    total = _sum(line["total"] for line in lines) + cart_tax + freight + freight_tax
    key = f"wc_order_{md5(str(order.id).encode(), usedforsecurity=False).hexdigest()[:13]}"
    storefront = order.via in ("store-api", "checkout")
    draft = order.status == "checkout-draft"
    body = {
        "id": order.id,
        "parent_id": 0,
        "status": order.status,
        "currency": "NZD",
        "version": shop.habits.version,
        "prices_include_tax": True,
        "date_created": times.local(order.created, shop.zone),
        "date_modified": times.local(order.modified, shop.zone),
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": f"{freight:.2f}",
        "shipping_tax": f"{freight_tax:.2f}",
        "cart_tax": f"{cart_tax:.2f}",
        "total": f"{total:.2f}",
        "total_tax": f"{cart_tax + freight_tax:.2f}",
        "customer_id": order.customer,
        "order_key": key,
        "billing": _address(order.billing, order, shop.habits, billing=True),
        "shipping": _address(NOBODY if order.blank else order.draft, order, shop.habits),
        "payment_method": "" if draft else "bacs",
        "payment_method_title": "" if draft else "Direct bank transfer",
        "transaction_id": "",
        "customer_ip_address": "127.0.0.1" if storefront else "",
        "customer_user_agent": "Mozilla/5.0" if storefront else "",
        "created_via": order.via,
        "customer_note": _note(order, shop.habits),
        "date_completed": _local(order.completed, shop.zone),
        "date_paid": _local(order.paid, shop.zone),
        "cart_hash": md5(key.encode(), usedforsecurity=False).hexdigest() if storefront else "",
        "number": order.number,
        "meta_data": _metas(order, storefront),
        "line_items": lines,
        "tax_lines": _tax_lines(order, tax, cart_tax, freight_tax),
        "shipping_lines": _shipping_lines(order, freight, freight_tax, tax, storefront),
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [_refund_line(refund) for refund in reversed(order.refunds)],
        "payment_url": f"{shop.url}/checkout/order-pay/{order.id}/?pay_for_order=true&key={key}",
        "is_editable": order.status in ("pending", "on-hold", "auto-draft"),
        "needs_payment": order.status in ("pending", "failed", "checkout-draft") and total > 0,
        "needs_processing": any(bool(line.product.id) and not line.product.downloads for line in order.lines),
        "date_created_gmt": times.gmt(order.created),
        "date_modified_gmt": times.gmt(order.modified),
        "date_completed_gmt": times.gmt(order.completed) if order.completed else None,
        "date_paid_gmt": times.gmt(order.paid) if order.paid else None,
        "currency_symbol": "$",
        "_links": _links(shop, order),
    }
    return body | _BROKEN if order.broken else body


NOBODY: Final = Draft(name="", line1="", city="", region="", postcode="", country="", email="", phone="")
_BROKEN: Final[dict[str, Any]] = {"shipping": [], "line_items": "", "date_modified_gmt": None}
"""What a plug-in that filters the answer may leave behind: an empty PHP array where an object was."""


def order_total(order: ShopOrder) -> Decimal:
    """What was paid, tax and freight included."""
    tax, freight = _tax_of(order), _freight(order)
    goods = [cents(line.quantity * _net(line)) for line in order.lines]
    taxes = [_tax(line.quantity * _net(line), tax if line.product.taxed else None) for line in order.lines]
    return sum(goods, Decimal(0)) + sum(taxes, Decimal(0)) + freight + _tax(freight, tax, half_down=True)


def _address(draft: Draft, order: ShopOrder, habits: Habits, *, billing: bool = False) -> dict[str, str]:
    """The old stores have no telephone beside the shipping address in every version; these have."""
    first, _, last = draft.name.partition(" ")
    told = {
        "first_name": first,
        "last_name": last,
        "company": draft.company,
        "address_1": draft.line1,
        "address_2": draft.line2,
        "city": draft.city,
        "state": draft.region,
        "postcode": draft.postcode,
        "country": draft.country,
        **({"email": draft.email} if billing else {}),
        "phone": draft.phone,
    }
    if order.via not in ("store-api", "checkout"):
        return told
    return {key: _typed_in_a_storefront(text, key, habits) for key, text in told.items()}


def _typed_in_a_storefront(text: str, key: str, habits: Habits) -> str:
    """Tags are cut out everywhere, and in 11.0.1 an ampersand of a name is encoded (platforms.md 7, WooCommerce 9)."""
    bare = _untagged(text)
    encoded = habits.encodes == "names" and key in ("first_name", "last_name", "company")
    return bare.replace("&", "&amp;") if encoded else bare


def _untagged(text: str) -> str:
    return re.sub(r"<[^>]*>", "", text)


def _note(order: ShopOrder, habits: Habits) -> str:
    encoded = order.via in ("store-api", "checkout") and habits.encodes == "note"
    return html.escape(order.draft.note) if encoded else order.draft.note


def line_body(line: Line, tax: Tax | None, status: str = "processing") -> dict[str, Any]:
    """sku, and global_unique_id, are null once the product is deleted (recorded: single-line-of-deleted-product)."""
    product = line.product
    net = line.quantity * _net(line)
    taxed = tax if product.taxed else None
    money, on_top = f"{cents(net):.2f}", f"{_tax(net, taxed):.2f}"
    return {
        "id": line.id,
        "name": product.name,
        "product_id": product.id,
        "variation_id": product.variation,
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": money,
        "subtotal_tax": on_top,
        "total": money,
        "total_tax": on_top,
        "taxes": [{"id": taxed.id, "total": on_top, "subtotal": on_top}] if taxed else [],
        "meta_data": _line_metas(line, status),
        "sku": product.sku if product.id else None,
        "global_unique_id": "" if product.id else None,
        "price": _price(net, line.quantity),
        "image": {"id": "" if product.id and not product.variation else 0, "src": ""},
        "parent_name": product.parent,
    }


def _line_metas(line: Line, status: str) -> list[dict[str, Any]]:
    """A choice, and how much the stock went down for it."""
    told = [(key, value, key.capitalize()) for key, value in line.product.attributes]
    if line.product.stocked and status not in UNTOUCHED:
        told.append(("_reduced_stock", str(line.quantity), "_reduced_stock"))
    return [
        {"id": line.id * 10 + place, "key": key, "value": value, "display_key": shown, "display_value": value}
        for place, (key, value, shown) in enumerate(told)
    ]


def _price(net: Decimal, quantity: int) -> float | int:
    """A float with noise, or a whole number (recorded: 21.652173833333332, 50)."""
    rounded = float(net.quantize(Decimal("0.000001"), ROUND_HALF_UP))
    price = rounded / quantity if quantity else rounded
    return int(price) if price.is_integer() else price


def _net(line: Line) -> Decimal:
    """Without tax."""
    return line.product.price / Decimal("1.15") if line.product.taxed else line.product.price


def _tax_of(order: ShopOrder) -> Tax | None:
    """By the address; without a country by the shop's own (recorded: put-checkout-draft)."""
    return TAXES.get(order.address.country or "NZ")


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _tax(amount: Decimal, tax: Tax | None, *, half_down: bool = False) -> Decimal:
    """Freight's total_tax is a cent below its taxes[].total (recorded: 1.12 beside 1.13)."""
    if not tax:
        return Decimal("0.00")
    on_top = amount * tax.percent / 100
    return on_top.quantize(CENT, "ROUND_HALF_DOWN" if half_down else ROUND_HALF_UP)


def _sum(amounts: Any) -> Decimal:
    return sum(map(Decimal, amounts), Decimal(0))


def _local(at: datetime | None, zone: ZoneInfo) -> str | None:
    return times.local(at, zone) if at else None


def _freight(order: ShopOrder) -> Decimal:
    if order.method in ("", "local_pickup"):
        return Decimal("0.00")
    return FREIGHT.get(order.address.country, FREIGHT[""])


def _tax_lines(order: ShopOrder, tax: Tax | None, cart: Decimal, freight: Decimal) -> list[dict[str, Any]]:
    if not tax or not (order.method or any(line.product.taxed for line in order.lines)):
        return []
    return [
        {
            "id": order.first_id,
            "rate_code": tax.code,
            "rate_id": tax.id,
            "label": tax.label,
            "compound": False,
            "tax_total": f"{cart:.2f}",
            "shipping_tax_total": f"{freight:.2f}",
            "rate_percent": tax.percent,
            "meta_data": [],
        }
    ]


TITLES: Final = {"local_pickup": "Local pickup"}


def _shipping_lines(
    order: ShopOrder, freight: Decimal, freight_tax: Decimal, tax: Tax | None, storefront: bool
) -> list[dict[str, Any]]:
    if not order.method:
        return []
    abroad = order.address.country != "NZ"
    instance = {"local_pickup": "2"}.get(order.method, "3" if abroad else "1")
    items = ", ".join(f"{_untagged(line.product.name)} &times; {line.quantity}" for line in order.lines)
    meta = {"id": order.first_id + 2, "key": "Items", "value": items, "display_key": "Items", "display_value": items}
    return [
        {
            "id": order.first_id + 1,
            "method_title": TITLES.get(order.method, "International tracked" if abroad else "Tracked courier"),
            "method_id": order.method,
            "instance_id": instance if storefront else "",
            "total": f"{freight:.2f}",
            "total_tax": f"{freight_tax:.2f}",
            "taxes": [{"id": tax.id, "total": f"{_tax(freight, tax):.2f}", "subtotal": ""}] if tax else [],
            "tax_status": "taxable",
            "meta_data": [meta] if storefront else [],
        }
    ]


def _metas(order: ShopOrder, storefront: bool) -> list[dict[str, Any]]:
    """The block checkout leaves hashes of its basket."""
    first: tuple[tuple[str, object], ...] = (("is_vat_exempt", "no"),) if storefront else ()
    if order.via == "store-api":
        first = (*((f"_{word}_hash", "0" * 32) for word in ("coupons", "fees", "shipping", "taxes")), *first)
    told = (*first, *order.metas)
    return [{"id": order.first_id * 10 + place, "key": key, "value": value} for place, (key, value) in enumerate(told)]


def _refund_line(refund: Refund) -> dict[str, Any]:
    return {"id": refund.id, "reason": refund.reason, "total": f"-{refund.total:.2f}", "total_tax": "0.00"}


def _links(shop: Shop, order: ShopOrder) -> dict[str, Any]:
    api = f"{shop.url}/wp-json/wc/v3"
    here = f"{api}/orders/{order.id}"
    customer = {"customer": [{"href": f"{api}/customers/{order.customer}"}]} if order.customer else {}
    return {
        "self": [{"href": here, "targetHints": {"allow": ["GET", "POST", "PUT", "PATCH", "DELETE"]}}],
        "collection": [{"href": f"{api}/orders"}],
        "email_templates": [{"embeddable": True, "href": f"{here}/actions/email_templates"}],
        **customer,
    }

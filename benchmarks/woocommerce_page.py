"""A page of a hundred WooCommerce orders becomes Orders, beside json.loads of the same bytes. Exit code 1 where slower.

Run as `python -m benchmarks.woocommerce_page`. The bodies have the fields and the size of recorded ones (platforms.md
7: some 2.8 kB an order); people and goods are invented. Both sides take turns, and each one's best time counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from connector.sources.woocommerce_order import orders_from_woocommerce

ORDERS: Final = 100
ROUNDS: Final = 40
BOUND: Final = 1.0


def main() -> int:
    """Prints both times and their ratio; 0 where ours is below BOUND."""
    page = a_page()
    assert len(orders_from_woocommerce(page)) == ORDERS
    ours, theirs = best_of((orders_from_woocommerce, json.loads), page)
    ratio = ours / theirs
    print(f"{len(page):,} bytes, {ORDERS} orders: ours {ours * 1000:.3f} ms, json.loads {theirs * 1000:.3f} ms")
    print(f"ratio {ratio:.2f}, bound {BOUND:.2f}: {'PASS' if ratio < BOUND else 'MISS'}")
    return 0 if ratio < BOUND else 1


def best_of(readers: tuple[Callable[[bytes], Any], ...], page: bytes) -> list[float]:
    """Each reader's shortest time, in seconds."""
    best = [float("inf")] * len(readers)
    for _ in range(ROUNDS):
        for place, read in enumerate(readers):
            started = time.perf_counter()
            read(page)
            best[place] = min(best[place], time.perf_counter() - started)
    return best


def a_page(orders: int = ORDERS) -> bytes:
    """The answer of GET /wp-json/wc/v3/orders?per_page=100."""
    return json.dumps([an_order(number) for number in range(1001, 1001 + orders)], separators=(",", ":")).encode()


def an_order(number: int) -> dict[str, Any]:
    """With every field that WooCommerce 11 sends."""
    address = {
        "first_name": "Aroha",
        "last_name": f"Larkspur {number}",
        "company": "",
        "address_1": f"{number} Kōwhai Street",
        "address_2": "Grey Lynn",
        "city": "Auckland",
        "state": "AUK",
        "postcode": "1021",
        "country": "NZ",
        "phone": "021 555 0101",
    }
    at = "2026-11-23T06:56:21"
    link = f"https://shop.example/wp-json/wc/v3/orders/{number}"
    return {
        "id": number,
        "parent_id": 0,
        "status": "processing",
        "currency": "NZD",
        "version": "11.0.1",
        "prices_include_tax": True,
        "date_created": at,
        "date_modified": at,
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": "7.50",
        "shipping_tax": "1.12",
        "cart_tax": "3.25",
        "total": "33.52",
        "total_tax": "4.37",
        "customer_id": 0,
        "order_key": f"wc_order_{number}abcdefgh",
        "billing": {**address, "email": f"buyer{number}@example.test"},
        "shipping": address,
        "payment_method": "bacs",
        "payment_method_title": "Direct bank transfer",
        "transaction_id": "",
        "customer_ip_address": "192.0.2.1",
        "customer_user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "created_via": "checkout",
        "customer_note": "Leave at the front door please",
        "date_completed": None,
        "date_paid": at,
        "cart_hash": "0123456789abcdef0123456789abcdef",
        "number": str(number),
        "meta_data": [
            {"id": number * 10 + place, "key": f"_wc_order_attribution_{word}", "value": "(direct)"}
            for place, word in enumerate(("source_type", "utm_source", "session_entry", "device_type"))
        ],
        "line_items": [a_line(number, place) for place in range(1 + number % 3)],
        "tax_lines": [{"id": number + 5, "rate_code": "NZ-GST-1", "rate_id": 1, "label": "GST", "tax_total": "3.25"}],
        "shipping_lines": [
            {
                "id": number + 6,
                "method_title": "Flat rate",
                "method_id": "flat_rate",
                "instance_id": "1",
                "total": "7.50",
                "total_tax": "1.12",
                "taxes": [{"id": 1, "total": "1.13", "subtotal": ""}],
                "meta_data": [{"id": number + 7, "key": "Items", "value": "Honey &times; 1"}],
            }
        ],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "payment_url": f"https://shop.example/checkout/order-pay/{number}/?pay_for_order=true",
        "is_editable": False,
        "needs_payment": False,
        "needs_processing": True,
        "date_created_gmt": at,
        "date_modified_gmt": at,
        "date_completed_gmt": None,
        "date_paid_gmt": at,
        "currency_symbol": "$",
        "_links": {"self": [{"href": link}], "collection": [{"href": link.rpartition("/")[0]}]},
    }


def a_line(number: int, place: int) -> dict[str, Any]:
    """One of an order's lines."""
    return {
        "id": number * 100 + place,
        "name": "Harakeke &amp; Rata Honey 250 g",
        "product_id": 11,
        "variation_id": 0,
        "quantity": 1,
        "tax_class": "",
        "subtotal": "21.65",
        "subtotal_tax": "3.25",
        "total": "21.65",
        "total_tax": "3.25",
        "taxes": [{"id": 1, "total": "3.247826", "subtotal": "3.247826"}],
        "meta_data": [],
        "sku": "HON-250",
        "global_unique_id": "",
        "price": 21.652174,
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


if __name__ == "__main__":
    sys.exit(main())

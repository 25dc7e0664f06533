"""What was asked of a real WooCommerce 11.0.1 and what it answered, without a word of any buyer's.

woocommerce_recorded.json is taken from the recordings beside the project (`take`); GOLDEN_REWRITE=1 takes it anew.
Only lists at rest are in it: the shop had 28 orders and two in its trash, and nobody wrote.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec

FILE: Final = Path(__file__).with_name("woocommerce_recorded.json")
RECORDED: Final = Path(__file__).resolve().parents[2] / "../shared/samples/woocommerce-live"

AT_REST: Final = re.compile(r"Mon, 23 Nov 2026 06:58:(0[7-9]|1[0-3]) GMT")
"""When nobody wrote."""
ANSWERED: Final = re.compile(r"/wp-json/wc/v3/orders(\?(?!search|customer).*|/statuses|/\d+)?|/index\.php\?.*")
"""What the double has; it knows no search and no customers."""
MORE: Final = frozenset({"get-trashed", "get-deleted", "store-order-draft"})
"""Asked at other times, with an answer that would have been the same."""


class Exchange(msgspec.Struct, frozen=True):
    """One recorded request and its answer.

    host           of the request, with its port: 8441 is https, 8081 plain http
    date           the shop's clock
    link           the Link header
    ids            of the orders in the answer, as they came; None where it is no list of orders
    told           the answer's JSON where no person is in it
    """

    name: str
    method: str
    target: str
    host: str
    authorization: str
    date: str
    status: int
    total: str
    pages: str
    link: str
    ids: list[int] | None
    told: Any


class Traffic(msgspec.Struct, frozen=True):
    """orders  id, status, created and modified (UTC) of all thirty."""

    orders: list[tuple[int, str, str, str]]
    exchanges: list[Exchange]


def traffic() -> Traffic:
    return msgspec.json.decode(FILE.read_bytes(), type=Traffic)


def take(folder: Path) -> Traffic:
    """From the raw recordings."""
    shown = [*_told(folder, "list-per-page-100"), *_told(folder, "status-trash")]
    orders = [(each["id"], each["status"], each["date_created_gmt"], each["date_modified_gmt"]) for each in shown]
    exchanges = [_exchange(folder, path.stem) for path in sorted(folder.glob("*.headers"))]
    return Traffic(sorted(orders), [each for each in exchanges if _is_wanted(each)])


def _is_wanted(each: Exchange) -> bool:
    at_rest = AT_REST.fullmatch(each.date) and ANSWERED.fullmatch(each.target)
    return each.name in MORE or at_rest is not None


def write(taken: Traffic) -> None:
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(taken), indent=1) + b"\n")


def _exchange(folder: Path, name: str) -> Exchange:
    head = (folder / f"{name}.headers").read_text(encoding="utf-8")
    method, target = _found(head, r"> ([A-Z]+ /.*)").split(" ", 1)
    told = _told(folder, name)
    shown = [each for each in (told if isinstance(told, list) else [told]) if isinstance(each, dict) and "id" in each]
    return Exchange(
        name=name,
        method=method,
        target=target,
        host=_found(head, r"> Host: (.*)"),
        authorization=_found(head, r"> Authorization: (.*)"),
        date=_found(head, r"< Date: (.*)"),
        status=int(_found(head, r"< HTTP/1.1 (\d+) .*")),
        total=_found(head, r"< X-WP-Total: (.*)"),
        pages=_found(head, r"< X-WP-TotalPages: (.*)"),
        link=_found(head, r"< Link: (.*)"),
        ids=[each["id"] for each in shown] if shown or told == [] else None,
        told=None if any("billing" in each for each in shown) else told,
    )


def _found(head: str, pattern: str) -> str:
    match = re.search(rf"^{pattern}$", head, re.MULTILINE)
    return match[1] if match else ""


def _told(folder: Path, name: str) -> Any:
    body = (folder / f"{name}.body").read_bytes()
    return json.loads(body) if body else None

"""What happens in a WooCommerce shop: orders are placed, paid, edited, refunded, deleted. Knows no HTTP.

Which of it moves date_modified is the habit of the shop's version and store; which of it sends a webhook is not.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from connector.testing.shop_double import Draft
from tests.shops import woocommerce_bodies as bodies
from tests.shops.woocommerce_hooks import Delivery, Hooks
from tests.shops.woocommerce_standing import Standing, standing
from tests.shops.woocommerce_state import OLD_STATES, Line, Note, Product, Refund, Setup, ShopOrder


class WooCommerceShop:
    """The shop without its API. face  address, zone and habits; setup  its plug-ins and products."""

    def __init__(self, face: bodies.Shop, setup: Setup) -> None:
        self.face = face
        self.hooks = Hooks(face)
        self.webhooks: list[dict[str, object]] = []
        self.orders: dict[int, ShopOrder] = {}
        self._setup = setup
        self._products = {product.sku: product for product in setup.products}
        self._clock: datetime | None = None
        self._last_id = 100

    def place(
        self,
        draft: Draft,
        at: datetime,
        *,
        paid: bool = True,
        status: str = "",
        method: str = "flat_rate",
        via: str = "rest-api",
        billing: Draft | None = None,
        blank: bool = False,
        more: Iterable[tuple[str, int]] = (),
        metas: Mapping[str, object] | None = None,
        customer: int = 0,
        order_id: int = 0,
    ) -> str:
        """A new order; its id.

        status  instead of processing, or on-hold where it waits for money; method  "local_pickup", "" for none
        via     rest-api, store-api, checkout, admin; billing  another payer; blank  shipping is empty
        more    further lines, SKU and quantity; order_id  the id it gets
        """
        number = order_id or self._next_id()
        self._last_id = max(self._last_id, number)
        self.orders[number] = ShopOrder(
            id=number,
            number=f"W-{number + 7000}" if self._setup.numbering == "number" else str(number),
            draft=self._with_states(draft),
            billing=self._with_states(billing or draft),
            status=status or ("processing" if paid else "on-hold"),
            created=_second(at),
            modified=_second(at),
            paid=_second(at) if paid and via != "store-api" else None,
            lines=self._lines(number, [(draft.sku, draft.quantity), *more]),
            method=method,
            via=via,
            blank=blank,
            customer=customer,
            metas=(*self._number_meta(number), *(metas or {}).items()),
            first_id=number * 100,
        )
        self.hooks.placed(number, from_storefront=via in ("store-api", "checkout"))
        return str(number)

    def pay(self, order_id: str, at: datetime) -> None:
        self._order(order_id).paid = _second(at)
        self.set_status(order_id, "processing", at)

    def edit(self, order_id: str, draft: Draft, at: datetime) -> None:
        """Another address, and lines that take the place of the first; a note that changes moves the date always."""
        order = self._order(order_id)
        renoted = draft.note != order.draft.note
        order.draft = self._with_states(draft)
        order.blank = False
        order.lines = self._lines(order.id, [(draft.sku, draft.quantity)])
        self._changed(order, at, moves=self.face.habits.edits_move_dates or renoted)

    def write_meta(self, order_id: str, key: str, value: object, at: datetime) -> None:
        """A plug-in, or a connector, writes meta data."""
        order = self._order(order_id)
        order.metas = (*(pair for pair in order.metas if pair[0] != key), (key, value))
        self._changed(order, at, moves=self.face.habits.edits_move_dates)

    def touch(self, order_id: str, at: datetime) -> None:
        self._changed(self._order(order_id), at, moves=True)

    def set_status(self, order_id: str, status: str, at: datetime) -> None:
        order = self._order(order_id)
        order.status = status
        self._changed(order, at, moves=True)

    def cancel(self, order_id: str, at: datetime) -> None:
        self.set_status(order_id, "cancelled", at)

    def refund(self, order_id: str, at: datetime) -> None:
        order = self._order(order_id)
        self._refunded(order, at, bodies.order_total(order), {}, "Lost in post")
        self.set_status(order_id, "refunded", at)

    def refund_part(self, order_id: str, at: datetime, quantities: Mapping[str, int], reason: str = "Broken") -> None:
        """Some of the goods, by SKU. Lines and totals stay as they were (platforms.md 7, WooCommerce 11)."""
        order = self._order(order_id)
        lines = {line.product.sku: line for line in order.lines}
        total = sum((lines[sku].product.price * count for sku, count in quantities.items()), Decimal(0))
        self._refunded(order, at, total, {lines[sku].id: count for sku, count in quantities.items()}, reason)
        self._changed(order, at, moves=self.face.habits.edits_move_dates)

    def unrefund(self, order_id: str) -> None:
        """The newest refund is deleted: no date moves, nothing is sent."""
        order = self._order(order_id)
        order.refunds, order.rendered = order.refunds[:-1], b""

    def fulfil(self, order_id: str, at: datetime) -> None:
        self._order(order_id).completed = _second(at)
        self.set_status(order_id, "completed", at)

    def trash(self, order_id: str, at: datetime) -> None:
        order = self._order(order_id)
        order.before, order.status = order.status, "trash"
        self._changed(order, at, moves=True, event="deleted")

    def restore(self, order_id: str, at: datetime) -> None:
        order = self._order(order_id)
        order.status = order.before
        self._changed(order, at, moves=True, event="restored")

    def delete(self, order_id: str) -> None:
        del self.orders[int(order_id)]

    def delete_product(self, sku: str) -> None:
        """Lines lose their SKU and product_id; no date moves (platforms.md 7, WooCommerce 10)."""
        for order in self.orders.values():
            order.lines = tuple(_without(line, sku) for line in order.lines)
            order.rendered = b""

    def add_note(self, order_id: str, text: str, at: datetime, *, to_buyer: bool = False) -> None:
        """The shop's own note: no date moves, nothing is sent."""
        order = self._order(order_id)
        order.notes = (Note(self._next_id(), _second(at), text, to_buyer), *order.notes)

    def spoil(self, order_id: str) -> None:
        order = self._order(order_id)
        order.broken, order.rendered = True, b""

    def hide(self, order_id: str, until: datetime) -> None:
        self._order(order_id).hidden_until = until

    def set_clock(self, at: datetime) -> None:
        self._clock = at

    def now(self) -> datetime:
        """The shop's clock; the machine's where none was set."""
        return self._clock or datetime.fromtimestamp(int(time.time()), UTC)

    def now_holds(self) -> dict[str, Standing]:
        """What the shop says now of every order that isn't gone for good, by id."""
        return {str(number): standing(order) for number, order in self.orders.items()}

    def deliveries(self, at: datetime) -> list[Delivery]:
        """The webhooks that wait, as they are sent now: each body is the order's of this moment."""
        return self.hooks.sent(self.orders, _second(at))

    def rendered(self, order: ShopOrder) -> bytes:
        """Its JSON, made once for every change."""
        if not order.rendered:
            order.rendered = bodies.dumps(bodies.order_body(order, self.face))
        return order.rendered

    def _order(self, order_id: str) -> ShopOrder:
        order = self.orders[int(order_id)]
        order.rendered = b""
        return order

    def _changed(self, order: ShopOrder, at: datetime, *, moves: bool, event: str = "updated") -> None:
        """The webhook is sent whether the date moves or not (platforms.md 7, WooCommerce 2)."""
        if moves:
            order.modified = _second(at)
        order.rendered = b""
        self.hooks.changed(order.id, event)

    def _refunded(
        self, order: ShopOrder, at: datetime, total: Decimal, quantities: Mapping[int, int], reason: str
    ) -> None:
        refund = Refund(self._next_id(), _second(at), total, reason, tuple(quantities.items()))
        order.refunds = (*order.refunds, refund)

    def _next_id(self) -> int:
        """Orders, refunds and notes share one series."""
        self._last_id += 1
        return self._last_id

    def _lines(self, number: int, wanted: Iterable[tuple[str, int]]) -> tuple[Line, ...]:
        return tuple(
            Line(number * 100 + place, self._product(sku), quantity)
            for place, (sku, quantity) in enumerate(wanted, start=10)
        )

    def _product(self, sku: str) -> Product:
        if sku not in self._products:
            number = 1000 + len(self._products)
            self._products[sku] = Product(number, sku, f"Article {sku}", Decimal("24.90"))
        return self._products[sku]

    def _with_states(self, draft: Draft) -> Draft:
        if not self._setup.old_states or draft.country != "NZ":
            return draft
        return msgspec.structs.replace(draft, region=OLD_STATES.get(draft.region, draft.region))

    def _number_meta(self, number: int) -> tuple[tuple[str, object], ...]:
        return (("_order_number_formatted", f"W-{number + 7000}"),) if self._setup.numbering == "meta" else ()


def _second(at: datetime) -> datetime:
    assert at.tzinfo, "a shop's times are aware here"
    return at.replace(microsecond=0)


def _without(line: Line, sku: str) -> Line:
    if line.product.sku != sku:
        return line
    return msgspec.structs.replace(line, product=msgspec.structs.replace(line.product, id=0))

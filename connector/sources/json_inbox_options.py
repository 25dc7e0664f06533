"""What the [source] table of a shop of one's own may say, which delivers its orders as JSON. Knows no body."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from connector.problem import Unfit
from connector.sources.csv_words import StatusMap
from connector.sources.json_inbox_paths import Path, Paths

OF_LINES: Final = ("sku", "quantity", "item")


class JsonInboxOptions(BaseModel):
    """The [source] table of a store whose kind is "inbox". Most values are paths into the body (json_inbox_paths).

    id           the shop's own key of the order, which never changes
    revision     what tells an older delivery of the order from a newer one
    revision_is  "time": an ISO date and time, in the store's zone where it names none; "counter": a whole number that
                 grows with every change, such as a version or a Unix time
    number       what people call the order; left out, it is the id
    status, payment, fulfilment  the shop's words for where the order stands; status_map says what they mean
    created_at   when the order was made, an ISO date and time; [select] since goes by it
    cancelled    true, yes or a date once the order is cancelled; false, null, 0, no, a date of zeros or nothing before
    name ... country  the address it goes to, each one path or several whose texts are joined
    note         the buyer's words
    lines        the list of what was ordered; sku, quantity, item (what it is called) are paths in each of its entries
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Path = Field(examples=["order.id"])
    revision: Path = Field(examples=["order.updated_at"])
    revision_is: Literal["time", "counter"] = "time"
    number: Path | None = Field(None, examples=["order.number"])
    status: Path | None = Field(None, examples=["order.status"])
    payment: Path | None = Field(None, examples=["order.payment.state"])
    fulfilment: Path | None = Field(None, examples=["order.shipment.state"])
    cancelled: Path | None = Field(None, examples=["order.cancelled_at"])
    created_at: Path | None = Field(None, examples=["order.created_at"])
    status_map: StatusMap = {}
    name: Paths | None = Field(None, examples=["order.ship_to.name"])
    company: Paths | None = Field(None, examples=["order.ship_to.company"])
    line1: Paths | None = Field(None, examples=["order.ship_to.street.0"])
    line2: Paths | None = Field(None, examples=["order.ship_to.street.1"])
    suburb: Paths | None = Field(None, examples=["order.ship_to.suburb"])
    city: Paths | None = Field(None, examples=["order.ship_to.city"])
    region: Paths | None = Field(None, examples=["order.ship_to.state"])
    postcode: Paths | None = Field(None, examples=["order.ship_to.postcode"])
    country: Paths | None = Field(None, examples=["order.ship_to.country"])
    email: Paths | None = Field(None, examples=["order.customer.email"])
    phone: Paths | None = Field(None, examples=["order.customer.phone"])
    note: Paths | None = Field(None, examples=["order.comment"])
    shipping_method: Paths | None = Field(None, examples=["order.shipping.title"])
    lines: Path | None = Field(None, examples=["order.items"])
    sku: Path | None = Field(None, examples=["sku"])
    quantity: Path | None = Field(None, examples=["qty"])
    item: Paths | None = Field(None, examples=["title"])

    @property
    def lacks(self) -> frozenset[str]:
        """The fields of an order that there is no path for."""
        without = {name for name in ("created_at", "shipping_method") if getattr(self, name) is None}
        has_status = self.status or self.payment or self.fulfilment  # any of these is shown as the order's status
        return frozenset({"tags", *without, *(() if has_status else ("status",))})

    @field_validator(*OF_LINES)
    @classmethod
    def _has_lines(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and "lines" in info.data and info.data["lines"] is None:
            raise Unfit("is a path in the entries of lines, and there is no lines", "Write lines, or leave this out")
        return value

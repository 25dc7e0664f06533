"""What the [source] table of a WooCommerce store may say. Knows no network."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, field_validator

from connector import api_url
from connector.problem import Unfit
from connector.secret import SecretError
from connector.store_values import DURATION_SHAPE, Reference, between

_WRITE: Final = "Write the shop's address, as in https://shop.example or https://shop.example/nz"
_TAILS: Final = ("/wp-json", "/wp-admin", "/wp-login.php", "/index.php")
"""What people copy along from a browser's address line."""


class WooCommerceOptions(BaseModel):
    """The [source] table of a store whose kind is "woocommerce".

    url            the shop's address ("WordPress Address"), with the folder WordPress lives in if it has one. Over
                   plain http calls are signed with OAuth 1.0a, and buyers' addresses can be read on the way
    consumer_key, consumer_secret  WooCommerce > Settings > Advanced > REST API; "Read" is enough
    ca_file        certificates to trust for this shop, where its own is no public one; relative to the store's folder
    overlap        how far each poll looks back beyond the newest change it knows
    page_size      orders in one answer; fewer for slow hosts
    statuses       further statuses whose orders the daily sweep asks for; those that plug-ins add are found by
                   themselves where the key may see the reports
    query_auth     put the key into the address, for hosts that keep the Authorization header from WordPress
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lacks: ClassVar[frozenset[str]] = frozenset({"tags"})

    url: str = Field(examples=["https://shop.example"])
    consumer_key: Reference = Field(examples=["env:KIWI_WOO_KEY"])
    consumer_secret: Reference = Field(examples=["env:KIWI_WOO_SECRET"])
    ca_file: Annotated[str, Field(min_length=1)] | None = Field(None, examples=["secrets/shop-ca.pem"])
    overlap: Annotated[timedelta, PlainValidator(between("1m", "48h")), DURATION_SHAPE] = Field(
        timedelta(minutes=10), examples=["10m"]
    )
    page_size: int = Field(100, ge=1, le=100)
    statuses: list[Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]] = Field([], examples=[["packed"]])
    query_auth: bool = False

    @field_validator("url")
    @classmethod
    def _is_a_shop(cls, url: str) -> str:
        return shop_address(url)

    @field_validator("ca_file", "query_auth")
    @classmethod
    def _goes_with_https(cls, value: str | bool | None, info: ValidationInfo) -> str | bool | None:
        if value and str(info.data.get("url", "https:")).startswith("http:"):
            raise Unfit("goes with an https url only", "Leave it out, or write the shop's https address")
        return value


def shop_address(text: str) -> str:
    """The address in its one form: scheme and host in lower case, no default port, no slash at the end.

    Raises Unfit, or SecretError where it may hold a password.
    """
    if "@" in text or "?" in text:
        raise SecretError("this address may hold a password or a key, and is not shown", f"Take it out. {_WRITE}")
    parts = api_url.split(text, _WRITE, never=' \\#"<>')
    path = parts.path.rstrip("/")
    if tail := next((tail for tail in _TAILS if tail in path), ""):
        raise Unfit(f"goes on past the shop's own address ({tail})", f"The connector adds the rest. {_WRITE}")
    host = parts.hostname or ""
    port = "" if parts.port in (None, api_url.PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{path}"

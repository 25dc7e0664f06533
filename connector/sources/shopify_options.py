"""What the [source] table of a Shopify store may say. Knows no network."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, field_validator, model_validator

from connector import api_url
from connector.problem import Unfit
from connector.store_values import DURATION_SHAPE, Reference, between

VERSION: Final = "2026-10"
"""Of the Admin API: the one that the questions are written for, https://shopify.dev/docs/api/usage/versioning."""

_SHOP: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\.myshopify\.com")
_WRITE: Final = "Write the shop's own address at Shopify, as in kiwi.myshopify.com (Settings > Domains)"


class ShopifyOptions(BaseModel):
    """The [source] table of a store whose kind is "shopify".

    shop          the shop's own address at Shopify; nothing else is ever called
    url           instead of it, a stand-in on this machine, for tests
    access_token  of an app made in the shop's admin (before 2026)
    client_id, client_secret  of an app from the Dev Dashboard: a token is got for a day at a time
    overlap       how far each poll looks back beyond the newest change it knows
    page_size     orders in one answer; halved by itself where Shopify finds it too expensive (1,000 points,
                  https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits)
    locations     names or ids of the locations that ship from here; none: all do
    version       of the Admin API
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shop: str | None = Field(None, examples=["kiwi.myshopify.com"])
    url: str | None = Field(None, examples=["http://127.0.0.1:8080"])
    access_token: Reference | None = Field(None, examples=["env:KIWI_SHOPIFY_TOKEN"])
    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")] | None = Field(
        None, examples=["4f2c9ab1d0e84c7fb6a35e21c8d97f60"]
    )
    client_secret: Reference | None = Field(None, examples=["env:KIWI_SHOPIFY_SECRET"])
    overlap: Annotated[timedelta, PlainValidator(between("1m", "48h")), DURATION_SHAPE] = Field(
        timedelta(minutes=10), examples=["10m"]
    )
    page_size: int = Field(50, ge=1, le=250)
    locations: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field([], examples=[["Penrose Warehouse"]])
    version: Annotated[str, Field(pattern=r"^20[0-9]{2}-(01|04|07|10)$")] = VERSION

    @field_validator("shop")
    @classmethod
    def _is_a_shop(cls, shop: str | None) -> str | None:
        if shop is None:
            return None
        found = shop.strip().casefold().removeprefix("https://").rstrip("/")
        if not _SHOP.fullmatch(found):
            raise Unfit("is no shop of Shopify's", _WRITE)
        return found

    @field_validator("url")
    @classmethod
    def _is_this_machine(cls, url: str | None) -> str | None:
        if url is None:
            return None
        checked = api_url.checked(url)
        if not api_url.is_loopback(checked):
            raise Unfit("is not on this machine", "Leave it out: shop says which shop is read")
        return checked

    @field_validator("client_secret")
    @classmethod
    def _has_an_id(cls, secret: object, info: ValidationInfo) -> object:
        if secret is not None and "client_id" in info.data and info.data["client_id"] is None:
            raise Unfit("stands without client_id", "Write both, from the Dev Dashboard (your app, Settings)")
        return secret

    @model_validator(mode="after")
    def _has_one_way_in(self) -> ShopifyOptions:
        if self.shop is None and self.url is None:
            raise Unfit("nothing says which shop is read (shop)", _WRITE)
        if self.access_token is not None and self.client_id is not None:
            raise Unfit("access_token stands beside client_id", "Keep one of the two")
        if self.access_token is None and (self.client_id is None or self.client_secret is None):
            raise Unfit("nothing says how to sign in", "Write access_token, or client_id and client_secret")
        return self

    @property
    def name(self) -> str:
        """What the shop is called in messages."""
        return self.shop or "The shop on this machine"

    @property
    def address(self) -> str:
        """Scheme and host of all calls."""
        return self.url or f"https://{self.shop}"

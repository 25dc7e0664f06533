"""The [inbox] table of a store file: how its shop's deliveries are signed. Knows no file and resolves no secret."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from connector.problem import Unfit
from connector.store_values import LaterReference

OF_KIND: Final = {"shopify": "shopify", "woocommerce": "woocommerce"}
"""How each kind of shop signs; every other as Standard Webhooks has it."""


class InboxOptions(BaseModel):
    """The [inbox] table. Without a secret the store takes no deliveries.

    secret      where the secret is kept that signs deliveries. Looked up by whoever receives them, and by nobody else:
                who sends needs not be able to read it
    old_secret  the one before, taken as well while the shop changes over (Shopify signs with it for up to an hour)
    scheme      how deliveries are signed; left out, as the kind of shop does
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: LaterReference | None = Field(None, examples=["env:KIWI_WEBHOOK_SECRET"])
    old_secret: LaterReference | None = Field(None, examples=["env:KIWI_OLD_WEBHOOK_SECRET"])
    scheme: Literal["shopify", "woocommerce", "standard"] | None = None

    @field_validator("old_secret", "scheme")
    @classmethod
    def _has_a_secret(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and "secret" in info.data and info.data["secret"] is None:
            raise Unfit("stands without a secret", "Write secret, or leave this out")
        return value

    def scheme_of(self, kind: str) -> str:
        """How a shop of this kind signs."""
        return self.scheme or OF_KIND.get(kind, "standard")

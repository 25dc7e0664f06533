"""What a store file may say in [keep], validated. Knows no file."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from connector.store_values import DAYS_SHAPE, days_between


class KeepOptions(BaseModel):
    """The [keep] table: how long what is about people is kept.

    retention  how long after an order is over its names and addresses go; its numbers stay (failures.md SEC18)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    retention: Annotated[timedelta, PlainValidator(days_between("7d", "3650d")), DAYS_SHAPE] = Field(
        timedelta(days=90), examples=["90d"]
    )

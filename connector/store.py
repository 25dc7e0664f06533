"""What a store file may say, validated once and frozen: the tables [gosweetspot] and [schedule], and the store itself.

Knows no file, no TOML and no network. The tables [source], [select] and [slip] are their own rooms' models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    field_validator,
)

from connector import api_url
from connector.cron import checked as checked_cron
from connector.inbox.options import InboxOptions
from connector.keeping.options import KeepOptions
from connector.problem import Unfit, quoted
from connector.secret import SecretReference
from connector.selection import SelectRules
from connector.slip import SlipRules
from connector.store_values import DURATION_SHAPE, Reference, between
from connector.suggest import near

_EMAIL: Final = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,24}")
_TEST_WORDS: Final = frozenset(("test", "testing", "sandbox", "demo"))
_LIVE_WORDS: Final = frozenset(("live", "prod", "production"))
_TO_THIS_MACHINE: Final = "is allowed only where url is this machine (a sandbox)"


def _limit(value: object) -> object:
    return 0 if value == "none" else value


Calls = Annotated[int, BeforeValidator(_limit, json_schema_input_type=int | Literal["none"])]
"""A number of calls; 0 or "none" is no limit."""


class GoSweetSpot(BaseModel):
    """The [gosweetspot] table: which account, and how it is called.

    url                https, or http to this machine; in its one form (connector.api_url)
    access_key         where the key is kept; resolve() it for each run, so that a rotated key is used
    batch_size         orders in one PUT; gosweetspot-api.md 1.10, question 2
    calls_per_minute, calls_per_hour  the budget of the key, shared by all stores that use it; 0 is no limit. GSS asks
                       for at most 60 a minute and 1000 an hour (gosweetspot-api.md 1.1)
    in_flight          PUTs on their way at once
    ghost_window       how long a call we gave up on may still be applied (failures.md 3.1, G)
    read_back          ask GSS what it has before a slip counts as confirmed
    timeout            of one call, from its first byte to its last
    mode               "test": nothing sent becomes freight (a sandbox); left out, it follows the url
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = api_url.DEFAULT
    access_key: Reference = Field(examples=["env:KIWI_GSS_KEY"])
    site_id: Annotated[int, Field(ge=1, le=10**12)] | None = Field(None, examples=[4180])
    support_email: str | None = Field(None, examples=["it@example.nz"])
    batch_size: int = Field(50, ge=1, le=100)
    calls_per_minute: Calls = Field(60, ge=0, le=6000)
    calls_per_hour: Calls = Field(1000, ge=0, le=360_000)
    in_flight: int = Field(8, ge=1, le=16)
    ghost_window: Annotated[timedelta, PlainValidator(between("0s", "1h")), DURATION_SHAPE] = Field(
        timedelta(minutes=5), examples=["5m"]
    )
    read_back: bool = True
    timeout: Annotated[timedelta, PlainValidator(between("1s", "5m")), DURATION_SHAPE] = Field(
        timedelta(seconds=30), examples=["30s"]
    )
    mode: Literal["live", "test"] = Field(
        default_factory=lambda before: "test" if api_url.is_loopback(before["url"]) else "live", validate_default=True
    )

    @field_validator("url")
    @classmethod
    def _is_an_api(cls, url: str) -> str:
        return api_url.checked(url)

    @field_validator("support_email")
    @classmethod
    def _is_an_email(cls, email: str | None) -> str | None:
        if email is not None and not _EMAIL.fullmatch(email):
            raise Unfit("is no e-mail address", "Write one address, as in it@example.nz")
        return email

    @field_validator("calls_per_minute", "calls_per_hour")
    @classmethod
    def _is_limited(cls, calls: int, info: ValidationInfo) -> int:
        if calls == 0 and _is_outside(info):
            raise Unfit(f"means no limit, which {_TO_THIS_MACHINE}", "Write a number, or leave it out")
        return calls

    @field_validator("ghost_window")
    @classmethod
    def _outlasts_a_ghost(cls, window: timedelta, info: ValidationInfo) -> timedelta:
        if window < timedelta(minutes=1) and _is_outside(info):
            raise Unfit(f"is under a minute, which {_TO_THIS_MACHINE}", "Write 5m, or leave it out")
        return window

    @field_validator("read_back")
    @classmethod
    def _is_proven(cls, read_back: bool, info: ValidationInfo) -> bool:
        if not read_back and _is_outside(info):
            raise Unfit(_TO_THIS_MACHINE, "Leave it out: an answer of GSS alone proves nothing")
        return read_back

    @field_validator("mode")
    @classmethod
    def _is_meant(cls, mode: str, info: ValidationInfo) -> str:
        key, url = info.data.get("access_key"), info.data.get("url")
        if key is not None and url is not None:
            _check_mode(mode, key, api_url.is_loopback(url))
        return mode

    @property
    def destination(self) -> str:
        """The account and site as text, for the ledger: slips sent there are never sent elsewhere (failures.md G6).

        A sandbox account answers at the real one's address (gosweetspot-api.md 1.1): only `mode` tells them apart.
        """
        site = "" if self.site_id is None else f" site {self.site_id}"
        is_sandbox_account = self.mode == "test" and not api_url.is_loopback(self.url)
        return self.url + site + (" (test)" if is_sandbox_account else "")

    @property
    def is_unlimited(self) -> bool:
        """True when no call has to wait for the budget."""
        return self.calls_per_minute == 0 and self.calls_per_hour == 0


def _is_outside(info: ValidationInfo) -> bool:
    url = info.data.get("url")
    return url is not None and not api_url.is_loopback(url)


def _check_mode(mode: str, key: SecretReference, is_loopback: bool) -> None:
    """Refuse what says test in one place and live in another (failures.md G11).

    GSS keys don't tell what they are (a sandbox account answers at the same host, gosweetspot-api.md 1.1), so the name
    under which the key is kept must: a test store that reaches GSS itself has a key whose name says test.
    """
    words = frozenset(re.split(r"[^a-z0-9]+", key.place.rpartition("/")[2].casefold()))
    if mode == "live" and is_loopback:
        raise Unfit("doesn't go with a url on this machine", 'Leave mode out, or write "test"')
    if mode == "live" and words & _TEST_WORDS:
        raise Unfit(f"doesn't go with a key called {key}", 'Write mode = "test", or name the live key')
    if mode == "test" and words & _LIVE_WORDS:
        raise Unfit(f"doesn't go with a key called {key}", "Name the key of a sandbox account")
    if mode == "test" and not is_loopback and not words & _TEST_WORDS:
        raise Unfit(
            f"doesn't go with a key called {key}, whose name doesn't say test",
            "Keep the sandbox account's key under such a name, as in env:KIWI_GSS_TEST_KEY",
        )


class Schedule(BaseModel):
    """The [schedule] table: when the shop is read. Either every or cron; neither is every 2 minutes.

    timezone  of cron, and of the dates in exports that name none; an IANA name
    sweep     how often every open order of a live shop is looked at, whatever its change dates say
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str = "Pacific/Auckland"
    cron: str | None = Field(None, examples=["*/5 8-18 * * mon-fri"])
    every: Annotated[timedelta, PlainValidator(between("10s", "24h")), DURATION_SHAPE] | None = Field(
        default_factory=lambda before: None if before.get("cron") else timedelta(minutes=2), examples=["2m"]
    )
    sweep: Annotated[timedelta, PlainValidator(between("10m", "168h")), DURATION_SHAPE] = Field(
        timedelta(hours=24), examples=["24h"]
    )

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # OSError: "Pacific" is a folder
            raise Unfit("is no time zone", _nearest_zone(name)) from None
        return name

    @field_validator("cron")
    @classmethod
    def _comes_round(cls, cron: str | None, info: ValidationInfo) -> str | None:
        return cron if cron is None or "timezone" not in info.data else checked_cron(cron, info.data["timezone"])

    @field_validator("every")
    @classmethod
    def _is_the_only_one(cls, every: timedelta | None, info: ValidationInfo) -> timedelta | None:
        if every is not None and info.data.get("cron") is not None:
            raise Unfit("stands beside cron", "Keep one of the two")
        return every


def _nearest_zone(name: str) -> str:
    from zoneinfo import available_timezones  # reads the whole database: only when something is wrong

    zones = available_timezones()
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(zones)}
    guess = cities.get(near(name.rpartition("/")[2], cities)) or near(name, zones) or "Pacific/Auckland"
    return f"Did you mean {quoted(guess)}?"


@dataclass(frozen=True, slots=True)
class Store:
    """One store, as its file says.

    name            the file's name without .toml
    source_options  an instance of the source's own options()
    folder          the project's folder, absolute: relative paths of the file start from it
    """

    name: str
    path: Path
    folder: Path
    source_kind: str
    source_options: Any
    gosweetspot: GoSweetSpot
    schedule: Schedule
    select: SelectRules
    slip: SlipRules
    inbox: InboxOptions
    keep: KeepOptions

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return ZoneInfo(self.schedule.timezone)

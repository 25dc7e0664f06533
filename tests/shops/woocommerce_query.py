"""What a query of GET /orders asks for, checked as WordPress checks it. Knows no order."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec

from tests.shops import woocommerce_times as times
from tests.shops.woocommerce_answers import invalid, not_in_this_double

ORDERBY: Final = ("date", "id", "include", "title", "slug", "modified")
STATUSES: Final = {
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "checkout-draft": "Draft",
}
"""Slug and name (recorded: order-statuses)."""
KNOWN: Final = {
    *("page", "per_page", "offset", "order", "orderby", "status", "after", "before", "modified_after"),
    *("modified_before", "dates_are_gmt", "include", "exclude", "dp", "context", "_fields"),
}
IGNORED: Final = re.compile(r"oauth_\w+|consumer_(key|secret)|_")


class Query(msgspec.Struct, frozen=True):
    """Times aware; include and exclude empty: no such filter, also where `include=` was sent empty."""

    page: int
    per_page: int
    offset: int | None
    order: str
    orderby: str
    statuses: tuple[str, ...]
    after: datetime | None
    before: datetime | None
    modified_after: datetime | None
    modified_before: datetime | None
    include: tuple[int, ...]
    exclude: tuple[int, ...]
    fields: tuple[str, ...]


def read(raw: str, zone: ZoneInfo, more_statuses: tuple[str, ...]) -> Query:
    """Raises Refusal: 400 as WordPress does, 501 for a parameter that this double can't answer."""
    given = _given(raw)
    are_gmt = _flag(given, "dates_are_gmt")
    moments = {
        name: _moment(given, name, zone, are_gmt) for name in ("after", "before", "modified_after", "modified_before")
    }
    return Query(
        page=_number(given, "page", 1, lambda page: page >= 1, "must be greater than or equal to 1"),
        per_page=_number(
            given, "per_page", 10, lambda size: 1 <= size <= 100, "must be between 1 (inclusive) and 100 (inclusive)"
        ),
        offset=_number(given, "offset", 0, lambda _: True, "") if "offset" in given else None,
        order=_word(given, "order", "desc", ("asc", "desc"), "asc and desc"),
        orderby=_word(given, "orderby", "date", ORDERBY, "date, id, include, title, slug, and modified"),
        statuses=_statuses(given, (*STATUSES, *more_statuses)),
        include=_ids(given, "include"),
        exclude=_ids(given, "exclude"),
        fields=tuple(given.get("_fields", [])),
        **moments,
    )


def _given(raw: str) -> dict[str, list[str]]:
    """Values of each parameter: PHP's name[] and name[0], and lists with commas, are the same here."""
    given: dict[str, list[str]] = {}
    lists = {"status", "include", "exclude", "_fields"}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        bare = re.sub(r"\[\d*\]$", "", name)
        if IGNORED.fullmatch(bare):
            continue
        if bare not in KNOWN:
            raise not_in_this_double(f"parameter {bare}")
        parts = [part.strip() for part in value.split(",") if part.strip()] if bare in lists else [value]
        given[bare] = [*given.get(bare, []), *parts] if bare in lists else parts
    return given


def _number(given: dict[str, list[str]], name: str, usual: int, fits: Callable[[int], bool], rule: str) -> int:
    [text] = given.get(name, [str(usual)])
    if not re.fullmatch(r"-?\d+", text):
        raise invalid(name, "rest_invalid_type", f"{name} is not of type integer.")
    if not fits(int(text)):
        raise invalid(name, "rest_out_of_bounds", f"{name} {rule}")
    return int(text)


def _word(given: dict[str, list[str]], name: str, usual: str, known: tuple[str, ...], said: str) -> str:
    [word] = given.get(name, [usual])
    if word not in known:
        raise invalid(name, "rest_not_in_enum", f"{name} is not one of {said}.")
    return word


def _flag(given: dict[str, list[str]], name: str) -> bool:
    [word] = given.get(name, ["false"])
    if word.lower() not in ("true", "1", "false", "0"):
        raise invalid(name, "rest_invalid_type", f"{name} is not of type boolean.")
    return word.lower() in ("true", "1")


def _moment(given: dict[str, list[str]], name: str, zone: ZoneInfo, are_gmt: bool) -> datetime | None:
    if name not in given:
        return None
    moment = times.read(given[name][0], zone, are_gmt)
    if moment is None:
        raise invalid(name, "rest_invalid_date", "Invalid date.")
    return moment


def _statuses(given: dict[str, list[str]], known: tuple[str, ...]) -> tuple[str, ...]:
    asked = tuple(given.get("status", [])) or ("any",)
    for place, word in enumerate(asked):
        if word not in ("any", "trash", "auto-draft", *known):
            raise invalid(
                "status", "rest_not_in_enum", f"status[{place}] is not one of any, trash, {', '.join(known)}."
            )
    return asked


def _ids(given: dict[str, list[str]], name: str) -> tuple[int, ...]:
    for place, text in enumerate(given.get(name, [])):
        if not text.isdigit():
            raise invalid(name, "rest_invalid_type", f"{name}[{place}] is not of type integer.")
    return tuple(map(int, given.get(name, [])))

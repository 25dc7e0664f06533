"""A Notice Board shop for tests, written from its handbook and not from the source under test."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from connector.testing.shop_double import Draft
from connector.testing.shop_server import Request, Response, ShopServer

TOKEN = "board-token-5f1c9a"


class NoticeBoardDouble:
    """`with NoticeBoardDouble() as shop`. Notices are kept as the API shows them."""

    kind = "notice-board"

    def __init__(self) -> None:
        self.server: ShopServer | None = ShopServer(self._answer)
        self._notices: dict[str, dict[str, Any]] = {}
        self._hidden: dict[str, datetime] = {}
        self._clock = datetime(2026, 1, 1, tzinfo=UTC)
        self._ids = 40
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> NoticeBoardDouble:
        assert self.server
        token = Path(self._folder.name, "token")
        token.touch(0o600)
        token.write_text(TOKEN)
        self.server.__enter__()
        return self

    def __exit__(self, *problem: object) -> None:
        assert self.server
        self.server.__exit__(*problem)
        self._folder.cleanup()

    def source_table(self) -> dict[str, Any]:
        assert self.server
        return {
            "kind": self.kind,
            "url": self.server.url,
            "token": f"file:{self._folder.name}/token",
            "page_size": 5,
        }

    # What happens in the shop

    def place(self, draft: Draft, at: datetime, *, paid: bool = True) -> str:
        self._ids += 1
        self._notices[str(self._ids)] = {
            "id": self._ids,
            "title": f"N-{self._ids}",
            "placed": text(at),
            "changed": None,
            "state": "wanted" if paid else "unpaid",
            **typed(draft),
        }
        return str(self._ids)

    def pay(self, order_id: str, at: datetime) -> None:
        self._change(order_id, at, state="wanted")

    def edit(self, order_id: str, draft: Draft, at: datetime) -> None:
        self._change(order_id, at, **typed(draft))

    def touch(self, order_id: str, at: datetime) -> None:
        self._change(order_id, at)

    def cancel(self, order_id: str, at: datetime) -> None:
        self._change(order_id, at, state="withdrawn")

    def refund(self, order_id: str, at: datetime) -> None:
        self._change(order_id, at, state="money back")

    def fulfil(self, order_id: str, at: datetime) -> None:
        self._change(order_id, at, state="sent")

    def delete(self, order_id: str) -> None:
        del self._notices[order_id]

    def spoil(self, order_id: str) -> None:
        self._notices[order_id].update(buyer=None, things="?")

    def hide(self, order_id: str, until: datetime) -> None:
        self._hidden[order_id] = until

    def set_clock(self, at: datetime) -> None:
        self._clock = at

    def _change(self, order_id: str, at: datetime, **fields: Any) -> None:
        self._notices[order_id].update(fields, changed=text(at))

    # What its API says

    def _answer(self, request: Request) -> Response:
        if request.headers.get("x-board-token") != TOKEN:
            return said(401, {"error": "who are you?"})
        one = request.path.removeprefix("/api/notices/")
        if request.path == "/api/notices" and request.method == "GET":
            return said(200, self._list({name: values[0] for name, values in parse_qs(request.query).items()}))
        if one in self._notices:
            return said(200, self._notices[one])
        return said(404, {"error": "no such notice"})

    def _list(self, asked: dict[str, str]) -> dict[str, Any]:
        states = set(filter(None, asked.get("states", "").split(",")))
        since, after = asked["since"], int(asked.get("after", 0))
        rows = [one for one in self._notices.values() if self._is_shown(one) and (not states or one["state"] in states)]
        rows = [one for one in rows if (last(one) >= since if not after else (last(one), one["id"]) > (since, after))]
        rows.sort(key=lambda one: (last(one), one["id"]))
        return {"now": text(self._clock), "notices": rows[: int(asked.get("limit", 50))]}

    def _is_shown(self, notice: dict[str, Any]) -> bool:
        return self._hidden.get(str(notice["id"]), self._clock) <= self._clock


def typed(draft: Draft) -> dict[str, Any]:
    """What a buyer types, as the API shows it."""
    buyer = {
        "name": draft.name,
        "firm": draft.company,
        "street": draft.line1,
        "more": draft.line2,
        "town": draft.city,
        "region": draft.region,
        "code": draft.postcode,
        "country": draft.country,
        "mail": draft.email,
        "phone": draft.phone,
    }
    things = [{"what": "Tui mug", "code": draft.sku, "count": draft.quantity}]
    return {"buyer": buyer, "things": things, "message": draft.note}


def last(notice: dict[str, Any]) -> str:
    return str(notice["changed"] or notice["placed"])


def text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def said(status: int, value: dict[str, Any]) -> Response:
    return Response(status, json.dumps(value, ensure_ascii=False).encode())

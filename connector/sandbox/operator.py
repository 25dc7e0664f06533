"""The operator's side by HTTP: what people do in GoSweetSpot's portal, and breaking calls on demand. Knows no SQL.

No key is asked for: it is open to whoever uses this machine. Web pages of others are kept out by `refusal`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.sandbox import state
from connector.sandbox.call import JSON
from connector.sandbox.faults import AnyFault
from connector.sandbox.options import is_loopback
from connector.sandbox.service import Service
from connector.sandbox.state import Account, Order
from connector.sandbox.tidy import FIELDS
from connector.sandbox.wire import TRACKING, encode, fields_of, message

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """The order an action is about; key and site only where several accounts have that number."""

    number: str
    key: str | None = None
    site: str = ""
    fields: dict[str, str] = {}


def _ticket(service: Service, order: Order, named: Named) -> None:
    state.ticket(order)


def _untick(service: Service, order: Order, named: Named) -> None:
    state.untick(order)


def _pick(service: Service, order: Order, named: Named) -> None:
    state.pick(order, service.now())


def _deliver(service: Service, order: Order, named: Named) -> None:
    state.deliver(order, service.now())


def _delete(service: Service, order: Order, named: Named) -> None:
    state.delete(order)


def _edit(service: Service, order: Order, named: Named) -> None:
    if strangers := [name for name in named.fields if name not in FIELDS[1:]]:
        raise state.RefusedError(f"{', '.join(strangers)}: no such field. The fields are {', '.join(FIELDS[1:])}.")
    state.edit(order, named.fields)


ACTIONS: Final[Mapping[str, Callable[[Service, Order, Named], None]]] = {
    "ticket": _ticket,
    "untick": _untick,
    "pick": _pick,
    "deliver": _deliver,
    "delete": _delete,
    "edit": _edit,
}
"""What can be done to one order, by the last part of its address."""


def routes(service: Service) -> list[Route]:
    """Everything under /operator, bound to one sandbox."""

    async def orders(request: Request) -> Response:
        return _json([shown(order, service) for order in _last(list(service.book), request)])

    async def counts(request: Request) -> Response:
        return _json(service.counts())

    async def requests(request: Request) -> Response:
        return _json(_last(service.record.entries(), request))

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            return _json({"id": service.arm(msgspec.json.decode(await request.body(), type=AnyFault))})
        if request.method == "DELETE":
            service.disarm(int(request.query_params["id"]) if "id" in request.query_params else None)
        return _json([{"id": a.id, "met": a.met, "left": a.left, "fault": a.fault} for a in service.armed()])

    async def held(request: Request) -> Response:
        return _json([{"method": call.method, "numbers": call.numbers} for call in service.held])

    async def apply_held(request: Request) -> Response:
        return _json({"applied": service.apply_held()})

    async def reset(request: Request) -> Response:
        service.reset()
        return _json({})

    def action(name: str) -> Endpoint:
        async def act(request: Request) -> Response:
            named = msgspec.json.decode(await request.body(), type=Named)
            account = None if named.key is None else Account(named.key, named.site)
            order = service.book.find(named.number, account)
            ACTIONS[name](service, order, named)
            service.changed(order)
            return _json(shown(order, service))

        return act

    return [
        Route("/operator/orders", _answering(orders)),
        Route("/operator/counts", _answering(counts)),
        Route("/operator/requests", _answering(requests)),
        Route("/operator/faults", _answering(faults), methods=["GET", "POST", "DELETE"]),
        Route("/operator/held", _answering(held)),
        Route("/operator/apply-held", _answering(apply_held), methods=["POST"]),
        Route("/operator/reset", _answering(reset), methods=["POST"]),
        *(Route(f"/operator/{name}", _answering(action(name)), methods=["POST"]) for name in ACTIONS),
    ]


def _last(entries: list[T], request: Request) -> list[T]:
    """The newest `?last=N` of them, or all."""
    return entries[-int(request.query_params.get("last", 0)) :]


def shown(order: Order, service: Service) -> dict[str, Any]:
    """One order as it truly is: what was sent last, what is kept of it, and its history. Times are UTC."""
    return {
        "serial": order.serial,
        "key": order.account.key,
        "site": order.account.site,
        "number": order.number,
        "state": order.state,
        "ticketnumber": order.ticket or None,
        "trackingurl": TRACKING + order.ticket if order.ticket else None,
        "created": order.created,
        "updated": order.updated,
        "picked": order.picked,
        "delivered": order.delivered,
        "creations": order.creations,
        "updates": order.updates,
        "labels": order.labels,
        "sent": msgspec.Raw(order.sent),
        "stored": fields_of(order, service.options.tidy),
    }


def refusal(headers: Mapping[str, str], method: str) -> str | None:
    """Why a call that may come from somebody else's web page is refused; None when it may pass.

    A page elsewhere can reach this machine by its own name bound to 127.0.0.1 (so Host must be loopback), or by posting
    a form here (so a POST must be JSON, which a browser asks leave for first, and Origin must be loopback).
    """
    if not is_loopback(urlsplit(f"//{headers.get('host', '')}").hostname or ""):
        return "Host must be a loopback address."
    origin = headers.get("origin")
    if origin and not is_loopback(urlsplit(origin).hostname or ""):
        return "Origin must be a loopback address."
    if method == "POST" and not headers.get("content-type", "").startswith("application/json"):
        return "Content-Type must be application/json."
    return None


def _answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint with its errors answered: what can't be read 400, no such order 404, can't be done now 409."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except state.UnknownOrderError as error:
            return _json_bytes(message(str(error)), 404)
        except state.RefusedError as error:
            return _json_bytes(message(str(error)), 409)
        except ValueError as error:  # msgspec's errors are ValueErrors
            return _json_bytes(message(str(error)), 400)

    return answer


def _json(value: Any) -> Response:
    return _json_bytes(encode(value), 200)


def _json_bytes(body: bytes, status: int) -> Response:
    return Response(body, status, media_type=JSON)

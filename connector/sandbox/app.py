"""The sandbox as one ASGI app: the API, the operator, and the pages for people. Knows which address leads where."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.sandbox import operator
from connector.sandbox.api import customerorders
from connector.sandbox.call import JSON
from connector.sandbox.docs import docs_page
from connector.sandbox.openapi import description
from connector.sandbox.service import Service
from connector.sandbox.wire import encode, message


def app_of(service: Service) -> ASGIApp:
    """/api is the endpoint, everything else is for operators; those are refused to other people's web pages."""
    rooms = Starlette(routes=[*_pages(), *operator.routes(service)])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].lower().startswith("/api/"):
            await customerorders(service, scope, receive, send)
        elif scope["type"] == "http" and (why := operator.refusal(Request(scope).headers, scope["method"])):
            await Response(message(why), 403, media_type=JSON)(scope, receive, send)
        else:
            await rooms(scope, receive, send)

    return app


def _pages() -> list[Route]:
    page = files("connector.sandbox").joinpath("page.html").read_text(encoding="utf-8")
    openapi = description()

    async def home(request: Request) -> Response:
        return html(page)

    async def docs(request: Request) -> Response:
        return html(docs_page(openapi))

    async def openapi_json(request: Request) -> Response:
        return Response(encode(openapi), media_type=JSON)

    return [Route("/", home), Route("/docs", docs), Route("/openapi.json", openapi_json)]


def html(text: str) -> Response:
    """A page that may run its own inline scripts and styles, by their hashes, and load or be framed by nothing else."""
    policy = (
        f"default-src 'none'; script-src {_hashes(text, 'script')}; style-src {_hashes(text, 'style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(text, media_type="text/html", headers=headers)


def _hashes(text: str, tag: str) -> str:
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"

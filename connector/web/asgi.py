"""ASGI by hand: what comes in, what goes out, a body read under a limit. Knows no path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_ALWAYS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_STORED: Final = ((b"content-length", b"0"),)


class Refused(Exception):
    """The request is answered with a status other than 2xx. words  for whoever reads the answer, without names."""

    def __init__(self, status: int, words: str, *, closes: bool = False, headers: tuple[tuple[bytes, bytes], ...] = ()):
        super().__init__(words)
        self.status = status
        self.words = words
        self.closes = closes
        self.headers = headers


class Gone(Exception):
    """Whoever asked has left: there is nobody to answer."""


async def answer_stored(send: Send) -> None:
    """200 and nothing more: the shortest answer a shop takes for "I have it"."""
    await send({"type": "http.response.start", "status": 200, "headers": _STORED})
    await send({"type": "http.response.body", "body": b""})


async def answer_echo(send: Send, word: bytes) -> None:
    """200 and the word that a check of ours sent, so that it knows whose answer it has (connector.public_check)."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(word)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": word})


async def answer_refused(send: Send, refused: Refused) -> None:
    """The refusal; the connection ends with it where the rest of the body was not read."""
    headers = (*refused.headers, (b"connection", b"close")) if refused.closes else refused.headers
    await answer(send, refused.status, refused.words.encode() + b"\n", headers)


async def answer(send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """A small answer in one piece; text unless `headers` say otherwise."""
    kind = () if any(name == b"content-type" for name, _ in headers) else (_TEXT,)
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": (*kind, length, *_ALWAYS, *headers)})
    await send({"type": "http.response.body", "body": body})


class BodyReader:
    """Reads bodies under a limit each and a limit for all that are under way."""

    def __init__(self, limit: int, in_hand: int) -> None:
        self._limit = limit
        self._most_in_hand = in_hand
        self._in_hand = 0

    async def read(self, headers: list[tuple[bytes, bytes]], receive: Receive) -> bytes:
        """The whole raw body. Raises Refused (400, 411, 413, 415, 503) before reading what is too much, and Gone."""
        self._refuse(headers)
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            return self._whole(message.get("body", b""))
        return await self._pieces(message, receive)

    def _refuse(self, headers: list[tuple[bytes, bytes]]) -> None:
        length, is_chunked = None, False
        for name, value in headers:
            if name == b"content-length":
                if length is not None or not value.isdigit() or len(value) > 15:
                    raise Refused(400, "a malformed Content-Length", closes=True)
                length = int(value)
            elif name == b"transfer-encoding":
                is_chunked = True
            elif name == b"content-encoding" and value.lower() not in (b"", b"identity"):
                raise Refused(415, "no compressed bodies here", closes=True)
        if length is None and not is_chunked:
            raise Refused(411, "no Content-Length", closes=True)
        if length is not None and is_chunked:
            raise Refused(400, "Content-Length and Transfer-Encoding", closes=True)  # two readers, two requests
        if length is not None and length > self._limit:
            raise Refused(413, "the body is too large", closes=True)

    async def _pieces(self, message: Message, receive: Receive) -> bytes:
        body = bytearray()
        held = 0
        try:
            while message["type"] == "http.request":
                piece = message.get("body", b"")
                self._in_hand += len(piece)
                held += len(piece)
                if self._in_hand > self._most_in_hand:
                    raise Refused(503, "too busy", closes=True, headers=((b"retry-after", b"10"),))
                body += piece
                if len(body) > self._limit:
                    raise Refused(413, "the body is too large", closes=True)
                if not message.get("more_body"):
                    return self._whole(bytes(body))
                message = await receive()
        finally:
            self._in_hand -= held
        raise Gone

    def _whole(self, body: bytes) -> bytes:
        if not body:
            raise Refused(400, "an empty body")
        if len(body) > self._limit:
            raise Refused(413, "the body is too large", closes=True)
        return body

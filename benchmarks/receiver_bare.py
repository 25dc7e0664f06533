"""The peer of `benchmarks/receiver.py`: a bare ASGI app on the same uvicorn, with the same synced group commit.

It looks at no signature, no limit and no duplicate; it keeps the body and answers 200.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path
from typing import Any

import uvicorn

from connector.inbox.file import connect
from connector.web.server import listener


class Bare:
    """One insert a body, one commit a turn of the event loop."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        answered = asyncio.get_running_loop().create_future()
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append((body, answered))
        await answered
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def _write(self) -> None:
        group, self._waiting = self._waiting, []
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT INTO bodies (body) VALUES (?)", [(body,) for body, _ in group])
        self._db.execute("COMMIT")
        for _, answered in group:
            answered.set_result(None)


def main(folder: Path) -> None:
    """Serve until killed; the first line printed says where."""
    path = folder / "bare.sqlite3"
    path.touch(mode=0o600)
    db = connect(path)
    db.execute("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    taken = listener("127.0.0.1:0")
    sys.stdout.write(f"{taken.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        Bare(db), http="h11", loop="asyncio", ws="none", lifespan="off", log_level="critical", access_log=False
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[taken]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

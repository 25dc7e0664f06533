"""A real Chromium without a window, driven over a pipe by the DevTools protocol. Knows no page of ours.

The pipe (`--remote-debugging-pipe`: JSON ended by a NUL byte, in by handle 3, out by handle 4) needs no port, no
driver and no library. https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BINARY = "chromium"
PATIENCE_S = 20.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Page:
    """One tab. Every method waits for what it asks for, twenty seconds at the most."""

    def __init__(self, wire: Wire, session: str) -> None:
        self._wire = wire
        self._session = session

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises waited for. AssertionError with its error where it throws."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self._call("Runtime.evaluate", asked)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until the expression is true, looking fifty times a second."""
        look = f"const look = () => ({expression}) ? done(true) : setTimeout(look, 20); look();"
        self.evaluate(f"new Promise(done => {{ {look} }})")

    def text(self, selector: str) -> str:
        """What stands in an element, as text."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))

    def screenshot(self) -> bytes:
        """What is seen, as a PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", {})["data"])

    def complaints(self) -> list[str]:
        """Every error the page or the browser complained of so far: scripts, policies, failed loads."""
        self.evaluate("0")  # what was complained of before is heard before the answer
        return [*map(_complaint, self._wire.heard(self._session, "Runtime.exceptionThrown", "Log.entryAdded"))]

    def go(self, url: str, width: int, height: int) -> None:
        """Open an address in a window of that size."""
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable", {})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", size)
        self._call("Page.navigate", {"url": url})
        self.until(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        return self._wire.call(method, parameters, self._session)


def _complaint(event: Any) -> str:
    if "exceptionDetails" in event:
        details = event["exceptionDetails"]
        return str(details.get("exception", details).get("description", details))
    return f"{event['entry']['level']}: {event['entry']['text']}"


class Wire:
    """The pipe to the browser: calls out, answers and events in."""

    def __init__(self, out: int, into: int) -> None:
        self._out = out
        self._in = into
        self._last = 0
        self._unread = b""
        self._events: list[dict[str, Any]] = []

    def call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        """The result of one command; AssertionError where the browser refuses it or stays silent."""
        self.tell(method, parameters, session)
        deadline = time.monotonic() + PATIENCE_S
        while (answer := self._read(deadline)).get("id") != self._last:
            self._events.append(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def tell(self, method: str, parameters: dict[str, Any], session: str | None = None) -> None:
        """Send a command, and wait for no answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")

    def heard(self, session: str, *methods: str) -> list[Any]:
        """What happened so far in a tab, of these kinds."""
        return [
            event["params"]
            for event in self._events
            if event.get("sessionId") == session and event.get("method") in methods
        ]

    def _read(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._unread:
            left = max(deadline - time.monotonic(), 0)
            assert select.select([self._in], [], [], left)[0], "the browser stays silent"
            part = os.read(self._in, 1 << 16)
            assert part, "the browser is gone"
            self._unread += part
        whole, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(whole)
        return message


class Browser:
    """A running browser."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def open(self, url: str, width: int = 1200, height: int = 900) -> Page:
        """A new tab that shows this address, in a window of that size."""
        target = self._wire.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self._wire.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self._wire, session)
        page.go(url, width, height)
        return page

    def close(self) -> None:
        """Ask it to leave; it may be gone before it has answered."""
        self._wire.tell("Browser.close", {})


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile in that folder, for the length of a `with`."""
    commands, out = os.pipe()
    into, answers = os.pipe()
    moved = ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash"]
    process = subprocess.Popen(
        [*moved, BINARY, *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(commands, answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for handle in (commands, answers):
        os.close(handle)
    try:
        running = Browser(Wire(out, into))
        yield running
        running.close()
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
        for handle in (out, into):
            os.close(handle)

"""Do deliveries reach the receiver? Posts a signed one of our own to the public address. Stores nothing.

A proxy in front that answers 301 or 302 swallows deliveries: WooCommerce counts that as delivered (failures.md W22,
platforms.md trap W3), so the answer must be ours, word for word, at the very address the shop was given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from connector.check import Finding
from connector.exit_codes import Code
from connector.inbox.doors import Door, doors_of
from connector.problem import printable
from connector.store import Store
from connector.wire.heard import Heard, redirect_host

TIMEOUT_S: Final = 5.0
"""What shops give an answer (platforms.md 4.1)."""
HEADER: Final = "X-Connector-Check"
"""Names the check to whoever reads a proxy's log; what makes it one is its signed body."""
FIELD: Final = "connector_check"
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def public_check(store: Store, url: str, now: datetime, *, verify: str | bool = True) -> Iterator[Finding]:
    """Whether a delivery signed as this store's shop signs arrives at `url`: at the receiver, and nowhere else.

    verify  another bundle of certificates than the usual one. Never raises.
    """
    wrong = what_is_wrong(url, store.name)
    doors, problems = doors_of([store])
    for problem in problems:
        yield Finding(store.name, problem.sentence(), code=Code.USAGE)
    if wrong:
        yield Finding(store.name, *wrong, Code.USAGE)
    elif store.name in doors:
        yield _asked(store.name, doors[store.name], url, now, verify)
    elif not problems:
        yield Finding(store.name, "it takes no deliveries", "Put secret into [inbox] of its store file", Code.USAGE)


def what_is_wrong(url: str, store: str) -> tuple[str, str] | None:
    """Why no shop could be given this address, and what to do; None where one could."""
    parts = urlsplit(url)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not url.isprintable() or " " in url or parts.username or parts.query or parts.fragment:
        return "--public-url is no plain web address", f"Write it as the shop has it: https://shop.example/in/{store}"
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL):
        return "--public-url does not begin with https://", "Deliveries hold addresses of buyers: give the shop https"
    return None


def _asked(name: str, door: Door, url: str, now: datetime, verify: str | bool) -> Finding:
    from connector.wire.door import USER_AGENT
    from connector.wire.door import Door as World

    nonce = secrets.token_hex(16)
    body = json.dumps({FIELD: nonce}).encode()
    parts = urlsplit(url)
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, HEADER: "1"}
    world = World(f"{parts.scheme}://{parts.netloc}", headers, verify=verify, largest=64_000, reads=range(200, 600))
    try:
        heard = world.exchange("POST", parts.path or "/", body, TIMEOUT_S, signed(door, body, nonce, now))
    finally:
        world.close()
    return judged(name, printable(url), nonce, heard)


def signed(door: Door, body: bytes, one: str, now: datetime) -> dict[str, str]:
    """The headers by which this body is the shop's own. one  what the delivery is called, where the scheme wants it."""
    key = door.keys[0]
    if door.scheme == "standard":
        stamp = str(int(now.timestamp()))
        name = f"msg_{one}"
        signature = _hmac(key, f"{name}.{stamp}.".encode() + body)
        return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
    header = "X-Shopify-Hmac-Sha256" if door.scheme == "shopify" else "X-WC-Webhook-Signature"
    return {header: _hmac(key, body)}


def _hmac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


def judged(name: str, url: str, nonce: str, heard: Heard) -> Finding:
    """What an answer means, and what mends it."""
    if heard.status == 200 and not heard.fault and heard.body.strip() == nonce.encode():
        return Finding(name, f"a signed delivery to {url} arrives; it was a test, and is stored nowhere")
    what, mend = _wrong(heard)
    return Finding(name, f"{url}: {what}", mend, Code.UNREACHED)


def _wrong(heard: Heard) -> tuple[str, str]:
    if 300 <= heard.status < 400:
        where = redirect_host(heard.location)
        return (
            f"redirects ({heard.status}, to {where}). WooCommerce counts that as delivered, and the delivery is lost",
            "Give the shop the address it leads to, or take the path out of the proxy's redirects",
        )
    if heard.fault:
        what = heard.fault.rstrip(".")
        if "certificate" in what or "TLS" in what:
            return what, "Give the proxy a certificate for this very name, with its chain; shops refuse any other"
        if "in time" in what:
            return what, f"A shop waits {TIMEOUT_S:g} s: let the proxy reach the receiver without a detour"
        return what, "Is the proxy running, and its port open to the world?"
    return _by_status(heard.status)


def _by_status(status: int) -> tuple[str, str]:
    match status:
        case 401:
            return (
                "the receiver is reached and does not take the signature (401)",
                "The secret it runs with is another, or its path names another store, or the proxy changes bodies: "
                "restart the receiver after a change of the secret, and let the path end in /in/STORE",
            )
        case 403 | 404 | 405:
            return f"something else answers ({status})", "Let the proxy pass POST /in/ on to the receiver"
        case 413:
            return "the proxy finds a small body too large (413)", "Allow bodies of 2 MB on this path"
        case 429:
            return "the proxy lets too few requests through (429)", "Take its rate limit off this path"
        case 502 | 504:
            return f"the proxy does not reach the receiver ({status})", "Start the receiver; compare their ports"
        case 503:
            return (
                "the receiver is there and can't store (503)",
                "See its log: disk full, or the inbox can't be written",
            )
        case _ if 200 <= status < 300:
            return (
                f"something else says that all is well ({status}). Deliveries are lost there, and the shop is content",
                "Let the proxy pass POST /in/ on to the receiver, with the body as it came",
            )
        case _:
            return f"answers {status}", "See the log of the proxy"

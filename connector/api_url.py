"""Which web addresses may be GoSweetSpot's: https by name, or this machine. Knows no DNS and opens nothing.

gosweetspot-api.md 1.1: the API is https at api.gosweetspot.com; plain http would show the key and the buyers' addresses
to every router on the way. Addresses of the inside of a network (a cloud's metadata service among them) are refused
(failures.md S12, SEC9): a key and personal data would go to whatever answers there.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from connector.problem import Unfit
from connector.secret import SecretError

DEFAULT: Final = "https://api.gosweetspot.com"

_NAME: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_INSIDE: Final = (".internal", ".local", ".localhost", ".localdomain", ".lan", ".intranet", ".home.arpa")
PORTS: Final = {"https": 443, "http": 80}
_WRITE: Final = f"Write {DEFAULT}, or http://127.0.0.1:PORT for a sandbox on this machine"


def checked(text: str) -> str:
    """The address in its one form: lower case, no default port, no slash at the end. Raises Unfit or SecretError."""
    if "@" in text or "?" in text:
        raise SecretError("this address may hold a password or a key, and is not shown", f"Take it out. {_WRITE}")
    parts = split(text)
    host = parts.hostname or ""
    if parts.path not in ("", "/"):
        raise Unfit("is more than scheme and host", f"The connector adds the path itself. {_WRITE}")
    if not _is_this_machine(host):
        _check_outside(parts.scheme, host, parts.port)
    port = "" if parts.port in (None, PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def is_loopback(url: str) -> bool:
    """True when a checked address is on this machine: nothing sent there can become freight."""
    return _is_this_machine(urlsplit(url).hostname or "")


def split(text: str, write: str = _WRITE, never: str = " \\%#") -> SplitResult:
    """The parts of an http or https address. Raises Unfit, with what to write instead. never  characters it has not."""
    if not (text.isascii() and text.isprintable()) or set(text) & set(never):
        raise Unfit("holds a character that no web address has", write)
    try:
        parts = urlsplit(text)
        _ = parts.port  # read here, since a bad one raises only when it is asked for
    except ValueError:
        raise Unfit("is no web address", write) from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise Unfit("is no web address", write)
    return parts


def _check_outside(scheme: str, host: str, port: int | None) -> None:
    if scheme != "https":
        raise Unfit("is not https: the key and the addresses could be read on the way", _WRITE)
    if port not in (None, 443):
        raise Unfit("names a port; GoSweetSpot answers on the usual one only", _WRITE)
    # Numbers in any spelling (10.0.0.1, 2130706433, 0x7f.1, [::1%1]) are no names, and no public API lives at a number.
    if not _NAME.fullmatch(host) or host.endswith(_INSIDE):
        raise Unfit("is no public host: it lies inside a network, or is a number", _WRITE)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    address = _number(host)
    return address is not None and address.is_loopback


def _number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None

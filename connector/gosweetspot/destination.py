"""Destination: which GoSweetSpot account and site a store sends to, and what may be its address. Opens no connection.

Checked when it is made, so that no other module has to ask again (failures.md S11, S12, SEC9, SEC12).
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from connector import __version__

_LOOPBACK_NAMES = ("localhost", "ip6-localhost")
_ENDS_IN_A_NUMBER = re.compile(r"(?:^|\.)(?:0x[0-9a-f]*|[0-9]+)$", re.IGNORECASE)
"""Resolvers read such a host as an IPv4 address, also spelt 2130706433, 0x7f.1 (WHATWG URL 3.5)."""


class Destination(msgspec.Struct, frozen=True):
    """Where packing slips go, and as whom. Raises ValueError, saying which key and what to write, never the secret.

    url            scheme and host (`https://api.gosweetspot.com`); http only to loopback
    access_key     the key of one user on one account; it is not in `repr`
    site_id        needed where that user sees several sites; sent on every call when set
    support_email  where GSS writes to when many calls fail
    timeout_s      the longest one call may take from its first packet to the end of its answer
    verify         True for the public authorities, or the path of a bundle of one's own; it can't be switched off
    """

    url: str
    access_key: str
    site_id: int | None = None
    support_email: str | None = None
    timeout_s: float = 30.0
    verify: str | bool = True

    def __post_init__(self) -> None:
        for key, problem in (
            ("url", _problem_of_url(self.url)),
            ("access_key", _problem_of_header(self.access_key)),
            ("support_email", "" if self.support_email is None else _problem_of_header(self.support_email)),
            ("timeout_s", "" if self.timeout_s > 0 else "must be more than 0 seconds"),
            ("verify", "" if self.verify else "can't be switched off; give the path of a bundle with your authority"),
        ):
            if problem:
                raise ValueError(f"{key}: {problem}.")

    def __repr__(self) -> str:
        return f"Destination(url={self.url!r}, site_id={self.site_id!r})"

    @property
    def host(self) -> str:
        """The host's name, for messages."""
        return urlsplit(self.url).hostname or ""


def headers_of(destination: Destination) -> dict[str, str]:
    """The headers of every call; the contact's in both names that GSS's pages give it (gosweetspot-api.md 1.10)."""
    headers = {
        "access_key": destination.access_key,
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"gosweetspot-connector/{__version__}",
    }
    if destination.site_id is not None:
        headers["site_id"] = str(destination.site_id)
    if destination.support_email is not None:
        headers["support_email"] = headers["supportemail"] = destination.support_email
    return headers


def _problem_of_header(value: str) -> str:
    """Why a value can't travel in a header. `requests` would quote it in its error, so in a log (failures.md E2)."""
    if not value:
        return "is empty"
    if not all("!" <= c <= "~" for c in value):
        return "has a space, a line end or a character outside ASCII in it; copy it again, without what surrounds it"
    return ""


def _problem_of_url(url: str) -> str:
    """Why an address is refused, or "". The address itself is not quoted: somebody may have put a password into it."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "is no web address; write https://api.gosweetspot.com"
    if _problem_of_header(url) or "\\" in url or not host or parts.scheme not in ("https", "http"):
        return "is no web address; write https://api.gosweetspot.com"
    if parts.username is not None or parts.password is not None:
        return "has a user or password in it; the key belongs into access_key"
    if parts.path not in ("", "/") or "?" in url or "#" in url:
        return "must end after the host; the path is added by itself"
    if _is_loopback(host):
        return ""
    if parts.scheme == "http":
        return "is http, which sends key and addresses in the clear; write https (http is for loopback only)"
    if ":" in host or _ENDS_IN_A_NUMBER.search(host):
        return "names the host by its IP address; write its name"
    return "" if port in (None, 443) else f"has the odd port {port}; https is on 443"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in _LOOPBACK_NAMES

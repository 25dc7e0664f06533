"""What a sandbox is started with. Knows neither server nor orders."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

DEFAULT_KEY: Final = "sandbox-key"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How one sandbox behaves; there is deliberately none that names another server to pass calls on to.

    host, port  a loopback address, anything else raises NotLoopbackError; port 0 takes a free one
    data        the SQLite file that keeps orders over restarts; None keeps them in memory only
    keys        access key -> the site ids its user may act for; () means any site_id, or none, is taken as it comes
    tidy        whether stored text is rewritten as GoSweetSpot does (upper case, street moved, gaps filled)
    latency_s   how long every customerorders call takes before anything happens, in seconds
    """

    host: str = "127.0.0.1"
    port: int = 8750
    data: Path | None = None
    keys: Mapping[str, tuple[str, ...]] = MappingProxyType({DEFAULT_KEY: ()})
    tidy: bool = True
    latency_s: float = 0.0

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise NotLoopbackError(
                f"The sandbox answers on this machine only, so it cannot listen on {self.host!r}. "
                "Use 127.0.0.1, ::1 or localhost."
            )


class NotLoopbackError(ValueError):
    """The address is one that other machines could reach, or that would reach them."""


def is_loopback(host: str) -> bool:
    """True for localhost and for addresses written as numbers that never leave this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

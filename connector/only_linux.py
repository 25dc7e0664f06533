"""Says where the connector runs, before anything that would fail elsewhere is imported. Knows no command."""

from __future__ import annotations

import sys


def refusal(platform: str = "") -> str:
    """Why this system is not one to run on, and what to do; "" on Linux. platform  as sys.platform names it."""
    platform = platform or sys.platform
    if platform.startswith("linux"):
        return ""
    return (
        f"this system ({platform}) can't run the connector: that takes Linux, whose file locks and synced writes keep "
        "an order from going out twice or getting lost. Use a Linux machine or a container; on Windows, WSL 2."
    )

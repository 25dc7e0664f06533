"""Tells systemd that the daemon is ready, alive, reloading or stopping (sd_notify). Silent where there is no systemd.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html: datagrams to the socket in NOTIFY_SOCKET.
"""

from __future__ import annotations

import os
import socket
import time


class Notify:
    """alive  is to be said more often than every WatchdogSec of the unit."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")  # no child and no second notifier shall have it

    def ready(self) -> None:
        self._say("READY=1")

    def reloading(self) -> None:
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def alive(self) -> None:
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
                told.sendto(text.encode(), address)
        except OSError:
            return  # a systemd that is gone must not stop the work

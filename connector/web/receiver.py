"""Takes deliveries: read under limits, verified over the raw bytes, on disk, and only then answered 200.

The path says whose delivery it is, and so by which secret it must be signed; headers decide nothing and the body's
meaning is not looked at. Stores without a door, and those there are none of, answer as a wrong signature does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from secrets import token_bytes
from typing import Final

import msgspec

from connector.inbox.box import Inbox
from connector.inbox.delivery import Delivery, State
from connector.inbox.doors import Door
from connector.inbox.errors import InboxBusy, InboxDamaged, InboxError, InboxFull, InboxGone
from connector.inbox.signatures import CLOCK, TOLERANCE_S, header_of, verify
from connector.web.asgi import BodyReader, Receive, Refused, Scope, Send, answer_echo, answer_stored
from connector.web.group_commit import GroupCommit
from connector.web.limits import Limits
from connector.web.own_check import word_of_check
from connector.web.tally import Tally

_PING: Final = re.compile(rb"webhook_id=[0-9]{1,20}")
_WORD: Final = re.compile(rb"[A-Za-z0-9._/:-]{1,100}")
"""What is kept of headers that no signature covers; anything else is left out (I6)."""
_LABELS: Final[Mapping[str, tuple[bytes, bytes]]] = {
    "shopify": (b"x-shopify-topic", b"x-shopify-webhook-id"),
    "woocommerce": (b"x-wc-webhook-topic", b"x-wc-webhook-delivery-id"),
    "standard": (b"", b"webhook-id"),
}
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_AGAIN: Final = ((b"retry-after", b"30"),)
CLOCKS_DIFFER: Final = "clocks differ"
TROUBLES: Final[tuple[tuple[type[InboxError], str], ...]] = (
    (InboxFull, "no room"), (InboxBusy, "busy"), (InboxDamaged, "damaged"), (InboxGone, "gone"),
)  # fmt: skip


class Receiver:
    """doors  by store; put new ones in its place when store files or secrets changed
    on_stored  called with the stores' names after a commit, by the event loop: must return at once
    """

    def __init__(
        self,
        inbox: Inbox,
        doors: Mapping[str, Door],
        tally: Tally,
        now: Callable[[], datetime],
        on_stored: Callable[[set[str]], None],
        limits: Limits,
    ) -> None:
        self.doors = doors
        self._inbox = inbox
        self._tally = tally
        self._now = now
        self._commit = GroupCommit(inbox, on_stored)
        self._bodies = BodyReader(limits.body, limits.in_hand)
        self._nobody = Door("shopify", (token_bytes(32),))
        self._told: set[str] = set()

    async def deliver(self, store: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST. Raises Refused and Gone."""
        headers = scope["headers"]
        body = await self._bodies.read(headers, receive)
        door = self.doors.get(store)
        if is_ping(headers, body):
            self._tally.pings += 1
            return await answer_stored(send)
        now = self._now()
        reason = verify((door or self._nobody).scheme, (door or self._nobody).keys, headers, body, now)
        if door is None or reason is not None:
            raise self._refused(store, door, reason)
        if word := word_of_check(body):
            return await answer_echo(send, word)
        topic, one = _labels(door.scheme, headers)
        why = why_unreadable(body)
        state = State.QUARANTINED if why else State.WAITING
        trouble = await self._commit.store(Delivery(store, topic, one, now, body, state, why))
        if trouble is not None:
            self._tally.not_stored[word_of(trouble)] += 1
            raise Refused(503, "not stored; come again", headers=_AGAIN)
        self._tally.stored[store] += 1
        self._tally.quarantined[store] += bool(why)
        return await answer_stored(send)

    def close(self) -> None:
        self._commit.close()

    def _refused(self, store: str, door: Door | None, reason: str | None) -> Refused:
        self._tally.refused["unknown store" if door is None else str(reason)] += 1
        if door is not None and reason == CLOCK and store not in self._told:
            self._told.add(store)
            try:
                self._inbox.alert(CLOCKS_DIFFER, store, _clock_text(store))
            except InboxError:
                self._told.discard(store)
        return Refused(401, "not signed by whoever may deliver here")


def is_ping(headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
    """What WooCommerce sends when a webhook is saved: an unsigned form. It must hear 200 (recorded: 001-ping)."""
    if not body.startswith(b"webhook_id=") or not _PING.fullmatch(body):
        return False
    return not any(name == header_of("woocommerce") for name, _ in headers)


def why_unreadable(body: bytes) -> str:
    """Why nothing can be made of a signed body, in a person's words; "" for a JSON object. A retry can't help (W20)."""
    try:
        if not body.isascii():
            body.decode()
        _OBJECT.decode(body)
    except UnicodeDecodeError:
        return "the body is not UTF-8"
    except msgspec.ValidationError:
        return "the body is no JSON object"
    except (msgspec.DecodeError, RecursionError):
        return "the body is not JSON"
    return ""


def word_of(trouble: InboxError) -> str:
    """What kept a delivery from the disk, in a word."""
    return next((word for kind, word in TROUBLES if isinstance(trouble, kind)), "failed")


def _labels(scheme: str, headers: list[tuple[bytes, bytes]]) -> tuple[str, str]:
    wanted = _LABELS[scheme]
    found = ["", ""]
    for name, value in headers:
        if name in wanted and _WORD.fullmatch(value):
            found[wanted.index(name)] = value.decode("ascii")
    return found[0], found[1]


def _clock_text(store: str) -> str:
    return (
        f"A delivery to {store} is rightly signed and refused, since its time is more than {TOLERANCE_S // 60} minutes "
        "from ours: one of the two clocks is off, or an old delivery was sent again. Look at this machine's clock "
        "(timedatectl). Polling goes on."
    )

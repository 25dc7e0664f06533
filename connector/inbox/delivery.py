"""A delivery: what a shop sent, as it came, and what became of it. Knows no file and no shop."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple


class State(StrEnum):
    """What became of a delivery; MEANING has the words for people."""

    WAITING = "waiting"
    DONE = "done"
    QUARANTINED = "quarantined"
    ERASED = "erased"


MEANING = {
    State.WAITING: "on disk and answered; what it says is still to be looked at",
    State.DONE: "looked at: the orders it names were read again, or recorded",
    State.QUARANTINED: "signed, but nothing can be made of it; kept for a person, and never looked at again by itself",
    State.ERASED: "its body was wiped, as the law or its age asks; its fingerprint stays, so that it never comes back",
}


class Delivery(NamedTuple):
    """store        the one whose path it came to: the body never says which
    topic, delivery_id   as the headers had them; the signature does not cover them, so they decide nothing (W6)
    received_at     aware, UTC; never decides which order is newer (I15)
    body            the raw bytes that were signed
    why             for a person: why it was quarantined or erased, or is to be erased once it no longer waits
    times           how often it came
    id              its place in the inbox, the oldest first; 0 before it has one
    """

    store: str
    topic: str
    delivery_id: str
    received_at: datetime
    body: bytes
    state: State = State.WAITING
    why: str = ""
    times: int = 1
    id: int = 0

    @property
    def body_hash(self) -> bytes:
        """What makes it the same delivery as another of its store: shops' own ids do not (W9, platforms.md 7)."""
        return sha256(self.body).digest()


class Head(NamedTuple):
    """A delivery without its body, for lists. size  of the body, in bytes."""

    id: int
    store: str
    topic: str
    delivery_id: str
    received_at: datetime
    state: State
    why: str
    times: int
    size: int


class InboxAlert(NamedTuple):
    """What a person must look at. kind  a word or two; store  "" where it is the whole inbox's; opened_at  aware."""

    id: int
    kind: str
    store: str
    text: str
    opened_at: datetime

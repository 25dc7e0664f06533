"""What a CSV source remembers between two runs, as the cursor's text. Knows no file and no order."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["read", "reading", "waiting"]


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one file.

    size, mtime_ns, inode  how it looked; while that stays, it is not opened again
    sha256   of its content: a file that was only touched or copied is not parsed again
    state    read: all of it, or refused and its alert raised; reading: recorded up to `row`; waiting: its time lies
             ahead of our clock, and it is read once it has been seen twice unchanged
    """

    size: int
    mtime_ns: int
    inode: int
    sha256: str = ""
    state: State = "read"
    row: int = 0


class Cursor(msgspec.Struct):
    """files: name -> mark, for the files that are there; reading: the options they were read with."""

    reading: str = ""
    files: dict[str, Mark] = {}


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Cursor).decode


def parse(text: str, reading: str) -> Cursor:
    """The cursor; an empty one for "", for text that is none, and where the options changed: then all is read again.

    Reading again is always safe (the ledger knows what it has), while a mark that is wrong could skip an order.
    """
    try:
        cursor = _decode(text)
    except msgspec.DecodeError:
        return Cursor(reading)
    return cursor if cursor.reading == reading else Cursor(reading)


def text_of(cursor: Cursor) -> str:
    """The cursor as text."""
    return _encode(cursor).decode()

"""What a person can do about what waits for one: a sentence with the one command that mends it. Knows no screen."""

from __future__ import annotations

import shlex
from typing import Final

from connector.ledger.intake import HELD_BY_A_PERSON
from connector.ledger.machine import Alarm
from connector.ledger.queries import Need
from connector.ledger.renamed import ANOTHER_HAS_IT
from connector.ledger.states import State

_FOR_A_SLIP: Final = {
    "held": "Correct the order in the shop, or {store}'s store file, then: connector sync {store} --from-start",
    "refused": "Correct the order in the shop, or send it again: connector slips retry {slip}",
    "poison": "Correct the order in the shop, or send it again: connector slips retry {slip}",
    "late": "Stop the parcel or call the buyer, then: connector slips acknowledge {slip} --reason '...'",
    "ghost": "Look at it in GoSweetSpot, then: connector slips acknowledge {slip} --reason '...'",
    "vanished": "If it should ship: connector slips retry {slip}. If not:"
    " connector slips acknowledge {slip} --reason '...'",
    "changed at GSS": "If that was meant: connector slips acknowledge {slip} --reason '...'",
    "label deleted": "If that was meant: connector slips acknowledge {slip} --reason '...'",
    "shown twice": "Delete all but one in GoSweetSpot, then: connector slips acknowledge {slip} --reason '...'",
}

_RELEASE: Final = "Correct the order in the shop, or send it as it is: connector slips release {slip}"
_RENAMED: Final = "If {store} is that store under a new name, give its file the old name back"
_ONCE_MORE: Final = "; if the order must go out once more: connector slips release {slip}"
_LOST_LABEL: Final = (
    "Look for its label in GoSweetSpot; once seen to: connector slips acknowledge {slip} --reason '...'"
)

_FOR_A_STORE: Final = {
    "shop": "connector check {store}",
    "shop throttles": "Nothing to do while it is read again later; see: connector check {store}",
    "unauthorised": "Put the right key where the store file says, then: connector check {store}",
    "no usable answer": "connector check {store}",
    "fenced": "Once no other machine sends from a copy of this ledger: connector ledger lift-fence --reason '...'",
}

_SEEN: Final = "Once seen to: connector slips dismiss {alert} --reason '...'"


def mend_of(need: Need, *, name_store: bool = False) -> str:
    """How to mend it. name_store: the slip's name alone may be another store's too."""
    slip = shlex.quote(need.name) + (f" --store {shlex.quote(need.store)}" if name_store else "")
    words = {"{store}": shlex.quote(need.store), "{slip}": slip, "{alert}": str(need.alert)}
    sentence = _sentence(need)
    for place, word in words.items():
        sentence = sentence.replace(place, word)
    return sentence


def _sentence(need: Need) -> str:
    if not need.name:
        return _FOR_A_STORE.get(need.kind, _SEEN)
    if need.text.startswith(HELD_BY_A_PERSON):
        return "Let it go with: connector slips release {slip}"
    if need.text.startswith(ANOTHER_HAS_IT):
        return _RENAMED + (_ONCE_MORE if need.sendable else "")
    if need.sendable and need.kind in (Alarm.HELD, Alarm.POISON):
        return _RELEASE
    if need.kind == Alarm.VANISHED and need.state == State.TICKETED:
        return _LOST_LABEL
    return _FOR_A_SLIP.get(need.kind, "Once seen to: connector slips acknowledge {slip} --reason '...'")

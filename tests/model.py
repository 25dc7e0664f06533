"""The state machine of failures.md section 3, said once more and apart from the program: what the ledger is held to.

Written from the page's tables, not from the code; it knows states and guards, no database, no due times. Numbers are
those of table 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PUT, DELETE = "put", "delete"
TICKET_STATES = {"ticketed", "processed", "late"}
LEFT_NOTHING = {"not tried", "not sent", "unauthorised", "throttled", "refused", "rejected alone"}
"""What a call came to that brought nothing to GSS."""


class Illegal(AssertionError):
    """The program did what the table forbids."""


@dataclass
class Version:
    op: str
    content: str
    state: str
    may_be_there: bool = False
    strikes: int = 0
    first_strike: float = 0.0


@dataclass
class Slip:
    """One order's slip: its versions, oldest first (seq is the place), and when its last attempt ended (seconds).

    stop: "wait" or "skip" while the shop wants it no more and what GSS has of it stays.
    """

    revision: int
    seen: str
    versions: list[Version] = field(default_factory=list)
    last_end: float | None = None
    stop: str = ""

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    @property
    def ever_sent(self) -> bool:
        """Whether a call brought something there, may have, or may yet."""
        return any(version.may_be_there or version.state == "sending" for version in self.versions)


@dataclass
class Model:
    """All slips of one store. `ghost_window` in seconds; `now` is moved by the test."""

    ghost_window: float
    now: float = 0.0
    slips: dict[str, Slip] = field(default_factory=dict)
    passed: dict[str, tuple[int, str]] = field(default_factory=dict)

    # 3.2, the accept rule, and 1, 2, 25, 27, 28, 29
    def change(self, order: str, revision: int, address: str, word: str = "") -> None:
        """word: "cancel", "skip" (fulfilled by hand), "wait" (on hold), or "": it should ship."""
        seen = word + address
        slip = self.slips.get(order)
        known = (slip.revision, slip.seen) if slip else self.passed.get(order)
        if known is not None:
            if seen == known[1] and revision >= known[0]:
                self._see(order, revision, seen)
                return
            if revision < known[0]:
                return
            if revision == known[0]:
                self._tie(order, slip)
                return
        self._see(order, revision, seen)
        if slip is None:
            if word:
                self.passed[order] = (revision, seen)
            else:
                self.passed.pop(order, None)
                self.slips[order] = Slip(revision, seen, [Version(PUT, address, "owed")])
        elif word == "cancel":
            self._cancel(slip)
        elif word:
            self._stop(slip, word)
        else:
            self._edit(slip, address)

    def _see(self, order: str, revision: int, seen: str) -> None:
        if order in self.slips:
            self.slips[order].revision, self.slips[order].seen = revision, seen
        elif order in self.passed:
            self.passed[order] = (revision, seen)

    def _tie(self, order: str, slip: Slip | None) -> None:
        """Neither content is chosen by luck: held."""
        if slip is None:
            known = self.passed.pop(order)
            self.slips[order] = Slip(known[0], "a tie", [Version(PUT, "", "held")])
        elif slip.seen != "a tie":
            slip.seen, slip.stop = "a tie", ""
            self._add(slip, PUT, "", "late" if slip.newest.state in TICKET_STATES else "held")

    def _stop(self, slip: Slip, word: str) -> None:
        """Fulfilled or on hold: never sent, it is over or held at once; else what GSS has of it stays."""
        newest = slip.newest
        slip.stop = ""
        if newest.op == DELETE or newest.state in TICKET_STATES:
            return
        if slip.ever_sent:
            slip.stop = word
            newest.state = "unclear" if newest.state == "owed" else newest.state
        else:
            self._add(slip, *self._stopped(word))

    def _stopped(self, word: str) -> tuple[str, str, str]:
        return (PUT, "", "held") if word == "wait" else (DELETE, "", "withdrawn")

    def _cancel(self, slip: Slip) -> None:
        newest = slip.newest
        slip.stop = ""
        if newest.op == DELETE:
            return
        if newest.state in TICKET_STATES:
            self._add(slip, DELETE, "", "late")
        elif not slip.ever_sent:
            self._add(slip, DELETE, "", "withdrawn")
        else:
            self._add(slip, DELETE, "", "owed")

    def _edit(self, slip: Slip, address: str) -> None:
        newest = slip.newest
        slip.stop = ""
        if newest.op == PUT and newest.content == address and newest.state != "held":
            return
        self._add(slip, PUT, address, "late" if newest.state in TICKET_STATES else "owed")

    def _add(self, slip: Slip, op: str, content: str, state: str) -> None:
        if slip.newest.state not in ("sending", "unclear", "processed"):
            slip.newest.state = "superseded"
        slip.versions.append(Version(op, content, state))

    # 3
    def claimed(self, order: str, seq: int) -> None:
        slip = self.slips[order]
        if seq != len(slip.versions):
            raise Illegal(f"3: version {seq} of {order} is sent, the newest is {len(slip.versions)}")
        if slip.newest.state not in ("owed", "unclear"):
            raise Illegal(f"3: {order} is sent while {slip.newest.state}")
        if any(version.state == "sending" for version in slip.versions):
            raise Illegal(f"invariant 1: {order} has two open attempts")
        if slip.stop and slip.newest.state == "unclear":
            raise Illegal(f"{order} is sent although the shop wants it no more, and GSS may have nothing of it")
        slip.newest.state = "sending"

    # 4 to 16, and 28 for a version that is no longer the newest
    def answered(self, order: str, seq: int, event: str, others_pass: bool) -> None:
        slip = self.slips[order]
        version = slip.versions[seq - 1]
        slip.last_end = self.now
        version.may_be_there |= event not in LEFT_NOTHING
        if seq != len(slip.versions):
            unsure = event in ("no usable answer", "batch failed", "failed alone", "interrupted")
            version.state = "unclear" if unsure else "superseded"
            return
        version.state = self._state_after(version, event, others_pass)
        if slip.stop and version.state == "owed":
            version.state = "unclear"

    def _state_after(self, version: Version, event: str, others_pass: bool) -> str:
        if event in ("not tried", "not sent", "unauthorised", "throttled", "batch rejected"):
            return "owed"
        if event in ("no usable answer", "batch failed", "interrupted"):
            return "unclear"
        if event in ("taken", "gone"):
            return "accepted"
        if event == "already processed":
            return "late" if version.op == DELETE else "ticketed"
        if event == "refused":
            return "refused"
        if event == "failed alone" and not others_pass:
            return "unclear"
        version.strikes += 1
        if version.strikes == 1:
            version.first_strike = self.now
        if version.strikes >= 3 and self.now - version.first_strike >= 15 * 60:
            return "refused" if event == "rejected alone" else "held"
        return "owed" if event == "rejected alone" else "unclear"

    def window_closed(self, order: str, seq: int) -> None:
        """28: an older version's call can no longer arrive."""
        slip = self.slips[order]
        if seq == len(slip.versions) or slip.last_end is None or self.now < slip.last_end:
            raise Illegal(f"28: {order} {seq} superseded too early")
        slip.versions[seq - 1].state = "superseded"

    # 18 to 26
    def read_back(self, order: str, shown: str, ticketed: bool) -> None:
        slip = self.slips[order]
        version = slip.newest
        stays_away = {"wait": ("unclear", "accepted"), "skip": ("unclear", "accepted", "confirmed")}
        gone = shown == "nothing" and version.op == PUT and version.state in stays_away.get(slip.stop, ())
        if gone:  # 20a calls a person for what is missing and wanted: an order fulfilled otherwise is not
            if self._quiet(slip):
                version.state = "superseded"
                self._add(slip, *self._stopped(slip.stop))
                slip.stop = ""
            return
        version.state = self._state_shown(slip, version, shown, ticketed)

    def _quiet(self, slip: Slip) -> bool:
        if any(version.state == "sending" for version in slip.versions):
            return False
        return slip.last_end is None or self.now - slip.last_end >= self.ghost_window

    def _state_shown(self, slip: Slip, version: Version, shown: str, ticketed: bool) -> str:
        state, op = version.state, version.op
        quiet = self._quiet(slip)
        if state in ("held", "refused"):
            return "late" if ticketed else state
        decided = state in ("processed", "late")
        if ticketed:
            if decided:
                return state
            return "processed" if op == PUT and shown == "newest" else "late"
        if shown == "nothing":
            if decided or state == "ticketed":
                return state
            if op == DELETE:
                return "withdrawn" if quiet else "accepted"
            return "confirmed" if state == "confirmed" else "owed"
        if op == DELETE:
            return "owed"
        if shown == "newest":
            return "confirmed" if quiet else "accepted"
        if shown == "foreign" and state in ("confirmed", "accepted"):
            return state
        return "owed"

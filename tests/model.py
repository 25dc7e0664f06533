"""The state machine of failures.md section 3, said once more and apart from the program: what the ledger is held to.

Written from the page's tables, not from the code; it knows states and guards, no database, no due times. Numbers are
those of table 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PUT, DELETE = "put", "delete"
TICKET_STATES = {"ticketed", "processed", "late"}


class Illegal(AssertionError):
    """The program did what the table forbids."""


@dataclass
class Version:
    op: str
    content: str
    state: str
    attempted: bool = False
    strikes: int = 0
    first_strike: float = 0.0


@dataclass
class Slip:
    """One order's slip: its versions, oldest first (seq is the place), and when its last attempt ended (seconds)."""

    revision: int
    seen: str
    versions: list[Version] = field(default_factory=list)
    last_end: float | None = None

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    @property
    def ever_sent(self) -> bool:
        return any(version.attempted for version in self.versions)


@dataclass
class Model:
    """All slips of one store. `ghost_window` in seconds; `now` is moved by the test."""

    ghost_window: float
    now: float = 0.0
    slips: dict[str, Slip] = field(default_factory=dict)
    passed: dict[str, tuple[int, str]] = field(default_factory=dict)

    # 3.2, the accept rule, and 1, 2, 25, 27, 28, 29
    def change(self, order: str, revision: int, address: str, cancelled: bool) -> None:
        seen = "cancelled " + address if cancelled else address
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
            if cancelled:
                self.passed[order] = (revision, seen)
            else:
                self.passed.pop(order, None)
                self.slips[order] = Slip(revision, seen, [Version(PUT, address, "owed")])
        elif cancelled:
            self._cancel(slip)
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
            slip.seen = "a tie"
            self._add(slip, PUT, "", "late" if slip.newest.state in TICKET_STATES else "held")

    def _cancel(self, slip: Slip) -> None:
        newest = slip.newest
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
        slip.newest.state, slip.newest.attempted = "sending", True

    # 4 to 16, and 28 for a version that is no longer the newest
    def answered(self, order: str, seq: int, event: str, others_pass: bool) -> None:
        slip = self.slips[order]
        version = slip.versions[seq - 1]
        slip.last_end = self.now
        if seq != len(slip.versions):
            unsure = event in ("no usable answer", "batch failed", "failed alone", "interrupted")
            version.state = "unclear" if unsure else "superseded"
            return
        version.state = self._state_after(version, event, others_pass)

    def _state_after(self, version: Version, event: str, others_pass: bool) -> str:
        if event in ("not sent", "unauthorised", "throttled", "batch rejected"):
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
        version.state = self._state_shown(slip, version, shown, ticketed)

    def _state_shown(self, slip: Slip, version: Version, shown: str, ticketed: bool) -> str:
        state, op = version.state, version.op
        quiet = slip.last_end is None or self.now - slip.last_end >= self.ghost_window
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

"""A world in one process and virtual time: a shop, a network that loses, delays and doubles calls, a GSS with an
operator.

The program in it is the real one (sync, sender, read-back, ledger on SQLite in memory); only the shop, the wire and the
clock are played. One seed reproduces a history. The rules of GSS are those of customerorders-put.md and
gosweetspot-api.md 1.2 to 1.5; the faults are those of failures.md E1.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connector.consider import Rules
from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.gosweetspot.records import ReadBack, Record, proof_of
from connector.ledger.connection import Ledger, in_memory
from connector.ledger.gates import Budget
from connector.order import Address, Fulfilment, Order
from connector.packing_slip import number_key
from connector.report import Hooks
from connector.selection import SelectRules
from connector.sender import Terms
from connector.slip import SlipRules
from connector.sources.base import Page, SourceContext
from connector.sync import sync_store

GHOST_WINDOW = timedelta(minutes=5)
TICK = timedelta(seconds=60)


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Faults:
    """How unkind the world is. Each is a chance per call, or per tick."""

    lost: float = 0.10
    answer_lost: float = 0.12
    ghost: float = 0.13
    crash: float = 0.04
    server_error: float = 0.03
    stale_read: float = 0.0


@dataclass
class GssOrder:
    """What GSS has under one number; printed is the body the label was made of."""

    body: bytes
    ticket: str = ""
    printed: bytes = b""
    tickets: int = 0


@dataclass
class Gss:
    """Pending or processed, and nothing else: PUT is an upsert while pending, DELETE takes a pending order away."""

    orders: dict[str, GssOrder] = field(default_factory=dict)
    labels: list[tuple[str, bytes]] = field(default_factory=list)

    def put(self, number: str, body: bytes) -> Row:
        order = self.orders.get(number)
        if order and order.ticket:
            return Row(Verdict.PROCESSED, "already processed")
        self.orders[number] = GssOrder(body, tickets=order.tickets if order else 0)
        return Row(Verdict.TAKEN, "")

    def delete(self, number: str) -> Row:
        order = self.orders.get(number)
        if order is None:
            return Row(Verdict.GONE, "Invalid packing slip number")
        if order.ticket:
            return Row(Verdict.PROCESSED, "Cannot be deleted. Already processed.")
        del self.orders[number]
        return Row(Verdict.TAKEN, "Deleted.")

    def print_label(self, number: str) -> None:
        order = self.orders[number]
        order.ticket, order.printed = f"T{len(self.labels) + 1}", order.body
        order.tickets += 1
        self.labels.append((number, order.body))


@dataclass
class Network:
    """Carries calls between the program and GSS, badly. Late calls are applied when their time has come."""

    gss: Gss
    chance: random.Random
    faults: Faults
    clock: Clock
    late: list[tuple[datetime, str, list[tuple[str, bytes]]]] = field(default_factory=list)
    calls: int = 0

    def put(self, slips: Sequence[tuple[str, bytes]]) -> Answer:
        return self._call("put", list(slips))

    def delete(self, numbers: Sequence[str]) -> Answer:
        return self._call("delete", [(number, b"") for number in numbers])

    def _call(self, op: str, slips: list[tuple[str, bytes]]) -> Answer:
        self.calls += 1
        luck = self.chance.random()
        faults = self.faults
        self._maybe_crash()
        for threshold, happens in (
            (faults.lost, self._lost),
            (faults.answer_lost, self._answer_lost),
            (faults.ghost, self._ghost),
            (faults.server_error, self._server_error),
        ):
            if luck < threshold:
                return happens(op, slips)
            luck -= threshold
        rows = self.apply(op, slips)
        self._maybe_crash()
        return Answer(Outcome.ANSWERED, 200, rows, "", None, 0)

    def _maybe_crash(self) -> None:
        if self.chance.random() < self.faults.crash:
            raise Crash

    def _lost(self, op: str, slips: list[tuple[str, bytes]]) -> Answer:
        outcome = self.chance.choice([Outcome.NOT_SENT, Outcome.UNKNOWN])
        return Answer(outcome, 0, {}, "lost on the way", None, 0)

    def _answer_lost(self, op: str, slips: list[tuple[str, bytes]]) -> Answer:
        self.apply(op, slips)
        return Answer(Outcome.UNKNOWN, 0, {}, "the answer was lost", None, 0)

    def _ghost(self, op: str, slips: list[tuple[str, bytes]]) -> Answer:
        sleep = timedelta(seconds=self.chance.randint(1, int(GHOST_WINDOW.total_seconds()) - 1))
        self.late.append((self.clock.now() + sleep, op, slips))
        if self.chance.random() < 0.3:
            self.apply(op, slips)
        return Answer(Outcome.UNKNOWN, 0, {}, "timed out", None, 0)

    def _server_error(self, op: str, slips: list[tuple[str, bytes]]) -> Answer:
        self.apply(op, [slip for slip in slips if self.chance.random() < 0.5])
        return Answer(Outcome.SERVER_ERROR, 500, {}, "an error page", None, 0)

    def apply(self, op: str, slips: list[tuple[str, bytes]]) -> dict[str, Row]:
        return {n: self.gss.put(n, body) if op == "put" else self.gss.delete(n) for n, body in slips}

    def apply_late(self) -> None:
        due = [call for call in self.late if call[0] <= self.clock.now()]
        self.late = [call for call in self.late if call[0] > self.clock.now()]
        for _, op, slips in due:
            self.apply(op, slips)

    def may_have(self, number: str) -> bool:
        """Whether GSS has an order, or a call under way may bring it there."""
        return number in self.gss.orders or any(number in dict(slips) for _, _, slips in self.late)

    def get(self, numbers: Sequence[str]) -> ReadBack:
        if self.chance.random() < self.faults.lost:
            return ReadBack(Outcome.UNKNOWN, 0, {}, "lost", None)
        records = {number: self._records(number) for number in numbers}
        self._maybe_crash()
        return ReadBack(Outcome.ANSWERED, 200, records, "", None)

    def _records(self, number: str) -> tuple[Record, ...]:
        order = self.gss.orders.get(number)
        if order is None:
            return ()
        proof = proof_of(order.printed or order.body)
        return (Record(number, number_key(number), "", order.ticket, "", "", "", proof),)


@dataclass
class Clock:
    at: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@dataclass
class Shop:
    """Orders that are edited, cancelled, put on hold, fulfilled by hand, and brought back; what it shows arrives late,
    doubled, out of order.

    told: the newest revision of each order that the program was shown
    stays_away: orders whose hold or fulfilment the program was told of before GSS could have anything of them
    """

    chance: random.Random
    clock: Clock
    network: Network
    orders: dict[str, Order] = field(default_factory=dict)
    to_show: list[Order] = field(default_factory=list)
    edits: int = 0
    told: dict[str, str] = field(default_factory=dict)
    stays_away: set[str] = field(default_factory=set)

    def happen(self) -> None:
        luck = self.chance.random()
        if luck < 0.35 or not self.orders:
            self._keep(self._fresh(str(len(self.orders) + 1)))
            return
        order = self.orders[self.chance.choice(sorted(self.orders, key=int))]
        if luck < 0.65:
            self._keep(self._changed(order, ship_to=self._address()))
        elif luck < 0.8:
            self._keep(self._changed(order, cancelled=not order.cancelled))
        else:
            self._keep(self._changed(order, fulfilment=self._other_fulfilment(order)))

    def _other_fulfilment(self, order: Order) -> Fulfilment:
        """Put on hold or fulfilled by hand; and let go again."""
        if order.fulfilment is not Fulfilment.UNFULFILLED:
            return Fulfilment.UNFULFILLED
        return self.chance.choice([Fulfilment.ON_HOLD, Fulfilment.FULFILLED])

    def _fresh(self, order_id: str) -> Order:
        return Order(id=order_id, number=f"#{order_id}", revision=self._revision(), ship_to=self._address())

    def _changed(self, order: Order, **what: Any) -> Order:
        return msgspec.structs.replace(order, revision=self._revision(), **what)

    def _revision(self) -> str:
        self.edits += 1
        return f"{self.clock.now().isoformat()} {self.edits:06d}"

    def _address(self) -> Address:
        street = self.chance.choice(["Kowhai Road", "Rata Street", "Totara Lane", "Miro Place"])
        return Address(
            name="Aroha Example", line1=f"{self.chance.randint(1, 3)} {street}", city="Hamilton", country="NZ"
        )

    def _keep(self, order: Order) -> None:
        self.orders[order.id] = order
        self.to_show.append(order)

    def pages(self, cursor: str) -> Iterator[Page]:
        """What was not shown yet, shuffled, some of it twice; old snapshots too, for some is kept back till later."""
        shown = [order for order in self.to_show if self.chance.random() < 0.8]
        extra = [order for order in shown if self.chance.random() < 0.2]
        batch = shown + extra
        self.chance.shuffle(batch)
        self._note_who_stays_away(batch)
        yield Page(tuple(batch), cursor="x")
        self.to_show = [order for order in self.to_show if order not in shown]

    def _note_who_stays_away(self, batch: list[Order]) -> None:
        for order in sorted(batch, key=lambda order: order.revision):
            if order.revision < self.told.get(order.id, ""):
                continue
            self.told[order.id] = order.revision
            if not is_stopped(order):
                self.stays_away.discard(order.number)
            elif not self.network.may_have(order.number):
                self.stays_away.add(order.number)


def is_stopped(order: Order) -> bool:
    """On hold or fulfilled by hand: nothing more is to be sent, and what GSS has stays."""
    return not order.cancelled and order.fulfilment is not Fulfilment.UNFULFILLED


class Broken(AssertionError):
    """An invariant of failures.md 3.5 does not hold; the message names it and the order."""


class ShopSource:
    """The shop behind the source contract."""

    kind = "simulated"

    def __init__(self, options: Shop, context: SourceContext | None = None) -> None:
        self._shop = options

    @classmethod
    def options(cls) -> type[Shop]:
        return Shop

    def pages(self, cursor: str) -> Iterator[Page]:
        return self._shop.pages(cursor)


@dataclass
class History:
    """One seeded run of the world; `play` raises Broken where an invariant fails."""

    seed: int
    faults: Faults = field(default_factory=Faults)
    read_back: bool = True
    ticks: int = 25
    orders: int = 0

    def play(self) -> None:
        chance = random.Random(self.seed)
        clock = Clock()
        gss = Gss()
        network = Network(gss, chance, self.faults, clock)
        shop = Shop(chance, clock, network)
        with in_memory() as ledger:
            world = _World(self, chance, clock, gss, network, shop, ledger)
            for _ in range(self.ticks):
                world.tick()
            network.faults = Faults(0, 0, 0, 0, 0)
            world.come_to_rest()
            self.orders = len(shop.orders)
            world.check_the_end()


@dataclass
class _World:
    history: History
    chance: random.Random
    clock: Clock
    gss: Gss
    network: Network
    shop: Shop
    ledger: Ledger
    reported: dict[str, int] = field(default_factory=dict)
    printed_old: list[str] = field(default_factory=list)

    def tick(self) -> None:
        self.clock.at += TICK * self.chance.choice([1, 1, 1, 2, 7])
        self.network.apply_late()
        for _ in range(self.chance.randint(0, 2)):
            self.shop.happen()
        if self.chance.random() < 0.7:
            self.sync()
        if self.chance.random() < 0.3:
            self.operator()

    def sync(self) -> None:
        store = self.terms()
        rules = Rules("sim", SelectRules(), SlipRules())
        try:
            source = ShopSource(self.shop)
            sync_store(rules, store, source, self.ledger, self.network, Hooks(now=self.clock.now, wait=lambda _: None))
        except Crash:
            if self.ledger.db.in_transaction:  # what a dead process leaves behind is rolled back
                self.ledger.db.execute("ROLLBACK")
        self.check_now()

    def terms(self) -> Terms:
        return Terms(
            "sim",
            "https://gss.example",
            "gate",
            batch_size=self.chance.choice([1, 3, 50]),
            in_flight=1,
            budget=Budget(0, 0),
            ghost_window=GHOST_WINDOW,
            read_back=self.history.read_back,
        )

    def operator(self) -> None:
        pending = [number for number, order in self.gss.orders.items() if not order.ticket]
        if pending:
            number = self.chance.choice(sorted(pending))
            self.note_label(number)
            self.gss.print_label(number)

    def note_label(self, number: str) -> None:
        """Invariant 10: after confirmed(n) was shown, a label below n must end up late."""
        seq = self.reported.get(number)
        if seq is None:
            return
        row = self.ledger.db.execute(
            "SELECT b.body FROM versions v JOIN slips s ON s.id = v.slip_id LEFT JOIN bodies b ON b.version_id = v.id"
            " WHERE s.number = ? AND v.seq = ?",
            (number, seq),
        ).fetchone()
        if row[0] is None or proof_of(row[0].encode()) != proof_of(self.gss.orders[number].body):
            self.printed_old.append(number)

    def come_to_rest(self) -> None:
        """The faults are over: let every window close and every wait pass. The operator goes home."""
        for _ in range(16):
            self.clock.at += timedelta(minutes=31)
            self.network.apply_late()
            self.sync()

    def check_now(self) -> None:
        """Invariants 1, 3, 4, 5 after each step, and T12: what the shop held or shipped itself stays away from GSS."""
        db = self.ledger.db
        sent_anyway = sorted(self.shop.stays_away & self.gss.orders.keys())
        self._hold(not sent_anyway, f"T12: {sent_anyway} went to GSS after they were on hold or fulfilled")
        open_attempts = db.execute(
            "SELECT slip_id FROM versions WHERE state = 'sending' GROUP BY slip_id HAVING count(*) > 1"
        ).fetchall()
        self._hold(not open_attempts, "1: two open attempts for one slip")
        older = db.execute("SELECT count(*) FROM versions WHERE newest = 0 AND urgency IS NOT NULL").fetchone()[0]
        self._hold(older == 0, "3: an older version is to be sent")
        wrong = db.execute(
            "SELECT count(*) FROM versions v WHERE newest != (seq = (SELECT max(seq) FROM versions w"
            " WHERE w.slip_id = v.slip_id))"
        ).fetchone()[0]
        self._hold(wrong == 0, "3: newest is not the highest seq")
        rows = db.execute(
            "SELECT s.number, v.seq FROM versions v JOIN slips s ON s.id = v.slip_id WHERE v.state = 'confirmed'"
        ).fetchall()
        self.reported = dict(rows)

    def check_the_end(self) -> None:
        """Invariants 7 to 10 for every order, once everything has come to rest."""
        db = self.ledger.db
        numbers: dict[str, str] = {}
        for order in self.shop.orders.values():
            row = db.execute(
                "SELECT s.number, v.state, v.op, b.body, s.id FROM slips s JOIN versions v ON v.slip_id = s.id"
                " AND v.newest = 1 LEFT JOIN bodies b ON b.version_id = v.id WHERE s.order_id = ?",
                (order.id,),
            ).fetchone()
            if row is None:
                passed = db.execute("SELECT 1 FROM passed_over WHERE order_id = ?", (order.id,)).fetchone()
                self._hold(passed is not None, f"7: order {order.id} is nowhere in the ledger")
                self._hold(
                    order.cancelled or is_stopped(order), f"7: order {order.id} was passed over though it should ship"
                )
                self._hold(order.number not in self.gss.orders, f"8: order {order.id} is at GSS but not in the ledger")
                continue
            self._check_order(order, *row)
            numbers[row[0]] = row[1]
        for number in self.printed_old:
            self._hold(numbers.get(number) in ("late",), f"10: {number} was printed old after it was confirmed")
        for number, at_gss in self.gss.orders.items():
            self._hold(at_gss.tickets <= 1, f"9: {number} was ticketed twice")

    def _check_order(self, order: Order, number: str, state: str, op: str, body: str | None, slip_id: int) -> None:
        """Invariant 8, what is true in the world; and 5, that the ledger says just that."""
        at_gss = self.gss.orders.get(number)
        alerted = self.ledger.db.execute(
            "SELECT count(*) FROM alerts WHERE slip_id = ? AND closed_at IS NULL AND kind = 'late'", (slip_id,)
        ).fetchone()[0]
        if is_stopped(order):
            self._check_stopped(order, at_gss, state)
            return
        wanted = None if order.cancelled else order.ship_to.line1.upper()
        there = _street(at_gss.printed or at_gss.body) if at_gss else None
        if at_gss is not None and at_gss.ticket:
            is_late = state == "late" and bool(alerted)
            self._hold(
                there == wanted or is_late, f"8: order {order.id} was printed wrong and nobody is told ({state})"
            )
            self._claim(is_late or state == "processed", order, state, "printed")
        else:
            self._hold(there is None or wanted is not None, f"8: order {order.id} was cancelled and is still pending")
            self._hold(there is not None or wanted is None, f"8: order {order.id} is lost ({state})")
            self._hold(there == wanted, f"8: order {order.id} is pending with an old address ({state})")
            self._claim(
                state in (("withdrawn",) if wanted is None else ("confirmed", "accepted")), order, state, "at rest"
            )

    def _check_stopped(self, order: Order, at_gss: GssOrder | None, state: str) -> None:
        """What GSS had stays there, and the ledger says whether it is there."""
        if at_gss is None:
            self._claim(state in ("held", "withdrawn"), order, state, "not at GSS and not to be sent")
        elif at_gss.ticket:
            self._claim(state in ("processed", "late"), order, state, "printed")
        else:
            self._claim(state in ("confirmed", "accepted"), order, state, "left at GSS")

    def _claim(self, fits: bool, order: Order, state: str, what: str) -> None:
        """5: only a ledger that reads back is held to naming the end state; without it `accepted` is all it can say."""
        if self.history.read_back:
            self._hold(fits, f"5: order {order.id} is {what}, but {state} in the ledger")

    def _hold(self, truth: bool, what: str) -> None:
        if not truth:
            raise Broken(f"seed {self.history.seed}: {what}")


def _street(body: bytes) -> str:
    slip = json.loads(body)
    return str(slip["address2"] or slip["address1"]).upper()


def play_many(seeds: range, *, read_back: bool = True) -> tuple[int, list[str]]:
    """(orders played, the broken invariants) over these seeds."""
    orders, broken = 0, []
    for seed in seeds:
        history = History(seed, read_back=read_back)
        try:
            history.play()
        except Broken as err:
            broken.append(str(err))
        orders += history.orders
    return orders, broken

"""The state machine, row by row of failures.md 3.4 and 3.2: read down, and you have the specification."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import msgspec
import pytest

from connector.ledger.machine import (
    CYCLE,
    NOW,
    STRIKES_OVER,
    Accept,
    Alarm,
    Event,
    Move,
    Shown,
    Standing,
    accept,
    after_call,
    after_read_back,
    backoff,
)
from connector.ledger.states import MEANING, MOVES, WAITS_FOR_A_PERSON, Op, State
from tests.ledger.given import DAY, HOUR, MINUTE, G

SENT = Standing(State.SENDING, Op.PUT)
SENT_DELETE = Standing(State.SENDING, Op.DELETE)
OLD = timedelta(minutes=70)


def stands(state: State, op: Op = Op.PUT, **more: object) -> Standing:
    """A newest version whose last call ended long ago, so that none can still arrive."""
    return msgspec.structs.replace(Standing(state, op, quiet=True, age=OLD), **more)


@pytest.mark.parametrize(("tries", "wait"), [(1, timedelta(seconds=30)), (2, MINUTE), (9, MINUTE)])
def test_row_4_what_never_left_is_owed_again_after_a_short_wait_the_long_one_is_the_gate_s(
    tries: int, wait: timedelta
) -> None:
    assert after_call(msgspec.structs.replace(SENT, tries=tries), Event.NOT_SENT, G) == Move(State.OWED, send_in=wait)


def test_rows_5_7_10_without_a_usable_answer_it_is_unclear_read_back_now_and_sent_again_later() -> None:
    assert after_call(SENT, Event.UNKNOWN, G) == Move(State.UNCLEAR, send_in=timedelta(seconds=30), read_in=NOW)


@pytest.mark.parametrize("standing", [SENT, SENT_DELETE])
@pytest.mark.parametrize("event", [Event.TAKEN, Event.GONE])
def test_row_6_a_yes_is_accepted_and_proven_by_reading_back(standing: Standing, event: Event) -> None:
    assert after_call(standing, event, G) == Move(State.ACCEPTED, read_in=NOW)


def test_row_8_already_processed_waits_to_learn_which_version_was_processed() -> None:
    assert after_call(SENT, Event.PROCESSED, G) == Move(State.TICKETED, read_in=NOW)


def test_rows_8_24_a_cancel_that_came_after_the_label_is_late_and_a_person_is_called() -> None:
    assert after_call(SENT_DELETE, Event.PROCESSED, G) == Move(State.LATE, read_in=NOW, alarm=Alarm.LATE)


def test_row_9_a_no_with_a_reason_is_refused_and_a_person_is_called() -> None:
    assert after_call(SENT, Event.REFUSED, G) == Move(State.REFUSED, alarm=Alarm.REFUSED)


def test_row_11_a_batch_rejected_as_a_whole_is_split_and_owed_at_once() -> None:
    assert after_call(SENT, Event.BATCH_REJECTED, G) == Move(State.OWED, send_in=NOW, split=True)


def test_row_11_a_batch_that_failed_is_split_and_unclear_since_part_may_be_stored() -> None:
    assert after_call(SENT, Event.BATCH_FAILED, G) == Move(State.UNCLEAR, send_in=NOW, read_in=NOW, split=True)


@pytest.mark.parametrize(
    ("event", "again", "out"),
    [(Event.REJECTED_ALONE, State.OWED, State.REFUSED), (Event.FAILED_ALONE, State.UNCLEAR, State.HELD)],
)
def test_rows_12_13_a_slip_rejected_alone_is_out_only_at_the_third_strike_and_not_before_15_minutes(
    event: Event, again: State, out: State
) -> None:
    def after(strikes: int, struck: timedelta) -> Move:
        return after_call(msgspec.structs.replace(SENT, strikes=strikes, struck=struck), event, G)

    wait = timedelta(minutes=7, seconds=30)
    assert after(0, NOW) == Move(again, send_in=wait, strikes=1)
    assert after(1, STRIKES_OVER * 4) == Move(again, send_in=wait, strikes=2)
    assert after(2, STRIKES_OVER - timedelta(seconds=1)) == Move(again, send_in=wait, strikes=3)
    assert after(7, STRIKES_OVER - timedelta(seconds=1)) == Move(again, send_in=wait, strikes=8)
    assert after(2, STRIKES_OVER) == Move(out, alarm=Alarm.POISON, strikes=3)


def test_row_13_while_nothing_else_passes_either_no_slip_is_blamed() -> None:
    standing = msgspec.structs.replace(SENT, strikes=9, struck=DAY, others_pass=False, tries=3)
    assert after_call(standing, Event.FAILED_ALONE, G) == Move(State.UNCLEAR, send_in=2 * MINUTE, read_in=NOW)


@pytest.mark.parametrize("event", [Event.UNAUTHORISED, Event.THROTTLED])
def test_rows_14_15_a_revoked_key_or_a_throttle_keeps_the_destination_waiting_never_the_slip(event: Event) -> None:
    assert after_call(msgspec.structs.replace(SENT, tries=9), event, G) == Move(State.OWED, send_in=NOW)


@pytest.mark.parametrize("standing", [SENT, SENT_DELETE])
def test_rows_16_17_an_attempt_a_dead_process_left_open_is_unclear_and_sent_again_at_once(standing: Standing) -> None:
    assert after_call(standing, Event.CRASHED, G) == Move(State.UNCLEAR, send_in=NOW, read_in=NOW)


@pytest.mark.parametrize("event", [Event.UNKNOWN, Event.BATCH_FAILED, Event.FAILED_ALONE, Event.CRASHED])
def test_row_28_an_older_version_is_unclear_until_its_call_can_no_longer_arrive(event: Event) -> None:
    standing = msgspec.structs.replace(SENT, newest=False)
    assert after_call(standing, event, G) == Move(State.UNCLEAR, read_in=G)


@pytest.mark.parametrize(
    "event", [e for e in Event if e not in (Event.UNKNOWN, Event.BATCH_FAILED, Event.FAILED_ALONE, Event.CRASHED)]
)
def test_row_28_an_older_version_whose_call_is_surely_over_is_superseded(event: Event) -> None:
    assert after_call(msgspec.structs.replace(SENT, newest=False), event, G) == Move(State.SUPERSEDED)


@pytest.mark.parametrize("state", [State.UNCLEAR, State.ACCEPTED])
@pytest.mark.parametrize(("op", "shown"), [(Op.PUT, Shown.NEWEST), (Op.DELETE, Shown.NOTHING)])
def test_row_18_as_it_should_be_but_an_older_call_may_still_arrive_stays_accepted(
    state: State, op: Op, shown: Shown
) -> None:
    move = after_read_back(stands(state, op, quiet=False, age=MINUTE), shown, False, G)
    assert move == Move(State.ACCEPTED, read_in=4 * MINUTE)


@pytest.mark.parametrize("state", [State.UNCLEAR, State.ACCEPTED])
@pytest.mark.parametrize(
    ("op", "shown", "proof"), [(Op.PUT, Shown.NEWEST, State.CONFIRMED), (Op.DELETE, Shown.NOTHING, State.WITHDRAWN)]
)
def test_row_19_as_it_should_be_and_the_window_over_is_proven(state: State, op: Op, shown: Shown, proof: State) -> None:
    assert after_read_back(stands(state, op), shown, False, G) == Move(proof, read_in=CYCLE)


def test_row_19_a_read_back_that_can_not_tell_two_versions_apart_proves_nothing() -> None:
    move = after_read_back(stands(State.ACCEPTED, proven=False), Shown.NEWEST, False, G)
    assert move == Move(State.ACCEPTED, read_in=CYCLE)


@pytest.mark.parametrize("age", [MINUTE, OLD])
def test_what_was_proven_once_stays_proven_while_gss_shows_it_whatever_the_window_became(age: timedelta) -> None:
    """The ghost window may be raised in the store file, or the clock set back: that is no new doubt, and no crash."""
    for state, op, shown in (
        (State.CONFIRMED, Op.PUT, Shown.NEWEST),
        (State.WITHDRAWN, Op.DELETE, Shown.NOTHING),
    ):
        move = after_read_back(stands(state, op, quiet=False, proven=False, age=age), shown, False, DAY)
        assert move.state is state
        assert move.alarm is None


def test_the_end_of_3_4_a_proven_slip_is_looked_at_after_an_hour_then_each_cycle() -> None:
    first = after_read_back(stands(State.ACCEPTED, age=6 * MINUTE), Shown.NEWEST, False, G)
    assert first.read_in == 54 * MINUTE
    assert after_read_back(stands(State.CONFIRMED, age=HOUR), Shown.NEWEST, False, G).read_in == CYCLE
    assert after_read_back(stands(State.CONFIRMED, age=30 * DAY), Shown.NEWEST, False, G).read_in == CYCLE


def test_the_end_of_3_4_a_withdrawn_slip_is_looked_at_for_a_day_and_then_no_more() -> None:
    assert (
        after_read_back(stands(State.WITHDRAWN, Op.DELETE, age=DAY - MINUTE), Shown.NOTHING, False, G).read_in == CYCLE
    )
    assert after_read_back(stands(State.WITHDRAWN, Op.DELETE, age=DAY), Shown.NOTHING, False, G).read_in is None


@pytest.mark.parametrize("state", [State.ACCEPTED, State.UNCLEAR, State.CONFIRMED])
def test_row_20_an_older_version_at_gss_is_overwritten_and_the_fourth_time_a_person_is_called(state: State) -> None:
    """The table says the second: a second after the first, and GSS may be half a minute late to show what it took."""
    first = after_read_back(stands(state), Shown.OLDER, False, G)
    assert first == Move(State.OWED, send_in=NOW, ghosts=1)
    alarms = [after_read_back(stands(state, ghosts=n), Shown.OLDER, False, G).alarm for n in (1, 2, 3, 9)]
    assert alarms == [None, None, Alarm.GHOST, Alarm.GHOST]


def test_row_20_a_slip_that_gss_never_shows_is_sent_ever_more_rarely() -> None:
    waits = [after_read_back(stands(State.ACCEPTED, ghosts=n), Shown.OLDER, False, G).send_in for n in range(4)]
    assert waits == [NOW, MINUTE, 2 * MINUTE, 4 * MINUTE]


@pytest.mark.parametrize("shown", [Shown.OLDER, Shown.FOREIGN, Shown.NEWEST])
@pytest.mark.parametrize("state", [State.ACCEPTED, State.UNCLEAR, State.WITHDRAWN])
def test_row_20_anything_that_stands_after_a_cancel_is_cancelled_again(state: State, shown: Shown) -> None:
    assert after_read_back(stands(state, Op.DELETE), shown, False, G) == Move(State.OWED, send_in=NOW, ghosts=1)


@pytest.mark.parametrize("state", [State.ACCEPTED, State.UNCLEAR])
def test_row_20_a_slip_not_yet_confirmed_that_is_not_there_is_sent_again(state: State) -> None:
    assert after_read_back(stands(state), Shown.NOTHING, False, G) == Move(State.OWED, send_in=NOW, ghosts=1)


def test_row_20a_a_confirmed_slip_that_vanished_is_left_alone_and_a_person_is_called() -> None:
    move = after_read_back(stands(State.CONFIRMED), Shown.NOTHING, False, G)
    assert move == Move(State.CONFIRMED, read_in=CYCLE, alarm=Alarm.VANISHED)


def test_row_20a_a_confirmed_slip_that_vanished_calls_nobody_where_the_order_was_fulfilled_otherwise() -> None:
    assert after_read_back(stands(State.CONFIRMED, stop="skip"), Shown.NOTHING, False, G) == Move(State.SUPERSEDED)
    held = after_read_back(stands(State.CONFIRMED, stop="wait"), Shown.NOTHING, False, G)
    assert held == Move(State.CONFIRMED, read_in=CYCLE, alarm=Alarm.VANISHED)


@pytest.mark.parametrize("state", [State.CONFIRMED, State.ACCEPTED])
def test_row_21_a_person_s_edit_at_gss_is_never_overwritten(state: State) -> None:
    assert after_read_back(stands(state), Shown.FOREIGN, False, G) == Move(state, read_in=CYCLE, alarm=Alarm.CHANGED)


@pytest.mark.parametrize("state", [State.CONFIRMED, State.ACCEPTED, State.UNCLEAR, State.TICKETED])
def test_rows_22_23_a_label_made_of_the_newest_version_is_processed(state: State) -> None:
    assert after_read_back(stands(state), Shown.NEWEST, True, G) == Move(State.PROCESSED, read_in=CYCLE)


@pytest.mark.parametrize("shown", [Shown.OLDER, Shown.FOREIGN])
def test_row_24_a_label_made_of_anything_else_is_late(shown: Shown) -> None:
    assert after_read_back(stands(State.TICKETED), shown, True, G) == Move(State.LATE, read_in=CYCLE, alarm=Alarm.LATE)


def test_row_24_a_label_on_a_cancelled_order_is_late_whatever_it_shows() -> None:
    move = after_read_back(stands(State.WITHDRAWN, Op.DELETE), Shown.NEWEST, True, G)
    assert move == Move(State.LATE, read_in=CYCLE, alarm=Alarm.LATE)


@pytest.mark.parametrize("shown", [Shown.NEWEST, Shown.OLDER, Shown.FOREIGN])
@pytest.mark.parametrize("state", [State.PROCESSED, State.LATE])
def test_rows_23_24_what_was_decided_about_a_label_stays_decided(state: State, shown: Shown) -> None:
    assert after_read_back(stands(state), shown, True, G) == Move(state, read_in=CYCLE)


@pytest.mark.parametrize("state", [State.PROCESSED, State.LATE])
def test_row_26_a_label_deleted_at_gss_opens_the_slip_again_and_a_person_is_called(state: State) -> None:
    older = after_read_back(stands(state), Shown.OLDER, False, G)
    assert older == Move(State.OWED, send_in=NOW, alarm=Alarm.LABEL_DELETED)
    newest = after_read_back(stands(state), Shown.NEWEST, False, G)
    assert newest == Move(State.CONFIRMED, read_in=CYCLE, alarm=Alarm.LABEL_DELETED)


def test_row_26_a_label_deleted_after_a_late_cancel_lets_the_cancel_go_out_and_a_person_is_called() -> None:
    move = after_read_back(stands(State.LATE, Op.DELETE), Shown.OLDER, False, G)
    assert (move.state, move.send_in, move.alarm) == (State.OWED, NOW, Alarm.LABEL_DELETED)


@pytest.mark.parametrize("state", [State.PROCESSED, State.LATE])
def test_gss_may_forget_a_ticketed_slip_without_anything_coming_of_it(state: State) -> None:
    assert after_read_back(stands(state), Shown.NOTHING, False, G) == Move(state, read_in=CYCLE)


def test_a_slip_said_to_be_processed_that_gss_does_not_show_calls_a_person() -> None:
    move = after_read_back(stands(State.TICKETED), Shown.NOTHING, False, G)
    assert move == Move(State.TICKETED, read_in=HOUR, alarm=Alarm.VANISHED)


def test_a_processed_slip_is_watched_for_a_week_or_until_it_is_picked_up_a_late_one_until_a_person_closes_it() -> None:
    def next_look(state: State, **more: object) -> timedelta | None:
        return after_read_back(stands(state, Op.PUT, **more), Shown.NEWEST, True, G).read_in

    assert next_look(State.PROCESSED, age=30 * DAY, labelled=6 * DAY) == CYCLE
    assert next_look(State.PROCESSED, age=30 * DAY, labelled=7 * DAY) is None
    assert next_look(State.PROCESSED, watched=True) is None
    assert next_look(State.LATE, age=30 * DAY, watched=True) == CYCLE


def test_a_slip_waits_30_seconds_then_twice_as_long_each_time_up_to_an_hour() -> None:
    waits = [int(backoff(tries).total_seconds()) for tries in range(1, 10)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert backoff(100_000) == HOUR


CAN_BE_READ_BACK = (
    State.UNCLEAR, State.ACCEPTED, State.CONFIRMED, State.TICKETED, State.PROCESSED, State.LATE, State.WITHDRAWN,
)  # fmt: skip
"""States whose version may have a time to be read back; the others have none."""

EITHER = (False, True)


def test_every_move_after_a_call_is_in_the_table_of_moves() -> None:
    for op, event, newest, others, strikes, struck in product(Op, Event, EITHER, EITHER, (0, 2), (NOW, DAY)):
        standing = Standing(State.SENDING, op, newest, strikes=strikes, struck=struck, others_pass=others)
        move = after_call(standing, event, G)
        assert move.state in MOVES[State.SENDING], (standing, event)
        assert (move.state is State.OWED) <= (move.send_in is not None), "what is owed has a time to go"


def test_every_move_after_a_read_back_stays_or_is_in_the_table_of_moves() -> None:
    ages = (NOW, MINUTE, OLD, 30 * DAY, timedelta.max)
    for state, op, shown, ticketed, quiet, proven, ghosts, age, watched in product(
        CAN_BE_READ_BACK, Op, Shown, EITHER, EITHER, EITHER, (0, 1), ages, EITHER
    ):
        if (state, op) in {(State.CONFIRMED, Op.DELETE), (State.WITHDRAWN, Op.PUT), (State.PROCESSED, Op.DELETE)}:
            continue  # these states mean one op
        if state is State.TICKETED and op is Op.DELETE:
            continue  # a cancel that came after the label is late at once
        if age == timedelta.max and not quiet:
            continue  # never sent: nothing can arrive
        standing = Standing(state, op, quiet=quiet, proven=proven, ghosts=ghosts, age=age, watched=watched)
        move = after_read_back(standing, shown, ticketed and shown is not Shown.NOTHING, G)
        assert move.state is state or move.state in MOVES[state], (standing, shown, ticketed, move)
        assert (move.state is State.OWED) <= (move.send_in is not None), "what is owed has a time to go"


def test_every_state_has_its_sentence_and_its_moves_and_only_closed_is_the_end() -> None:
    assert set(MEANING) == set(MOVES) == set(State)
    assert [state for state, moves in MOVES.items() if not moves] == [State.CLOSED]
    assert all(state not in moves for state, moves in MOVES.items())
    assert all(State.SENDING not in MOVES[state] for state in WAITS_FOR_A_PERSON), "a person comes first"


OLDER, NEWER, SAME = "2026-05-03", "2026-05-05", "2026-05-04"
KNOWN = (SAME, b"a")


@pytest.mark.parametrize(
    ("known", "revision", "content", "word"),
    [
        (None, SAME, b"a", Accept.NEW),
        (KNOWN, NEWER, b"b", Accept.NEWER),
        (KNOWN, NEWER, b"a", Accept.SAME),
        (KNOWN, SAME, b"a", Accept.SAME),
        (KNOWN, SAME, b"b", Accept.TIE),
        (KNOWN, OLDER, b"a", Accept.SAME),
        (KNOWN, OLDER, b"b", Accept.STALE),
    ],
)
def test_3_2_only_the_shop_s_own_order_of_time_says_which_change_is_newest(
    known: tuple[str, bytes] | None, revision: str, content: bytes, word: Accept
) -> None:
    assert accept(known, revision, content) is word

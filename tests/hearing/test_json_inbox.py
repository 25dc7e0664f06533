"""A shop of one's own posts its orders: what its store file may say, what becomes of a body, which of two is newer."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.inbox.delivery import State
from connector.order import Address, Fulfilment, Order, OrderLine, Payment
from connector.sources.base import HearsDeliveries, LiveSource
from connector.sources.json_inbox import JsonInboxSource
from connector.sources.json_inbox_options import JsonInboxOptions
from tests.hearing.shops import context, listening

TABLE: dict[str, Any] = {
    "id": "order.id",
    "number": "order.number",
    "revision": "order.updated_at",
    "status": "order.status",
    "status_map": {"packed": "fulfilled", "ok": "paid", "off": "cancelled"},
    "name": ["order.to.first", "order.to.last"],
    "line1": "order.to.street.0",
    "line2": "order.to.street.1",
    "city": "order.to.city",
    "postcode": "order.to.postcode",
    "country": "order.to.country",
    "email": "order.email",
    "phone": "order.phone",
    "note": "order.comment",
    "lines": "order.items",
    "sku": "sku",
    "quantity": "qty",
    "item": "title",
}


def source(**more: Any) -> JsonInboxSource:
    table = {key: value for key, value in {**TABLE, **more}.items() if value is not None}
    options = JsonInboxOptions.model_validate_json(json.dumps(table), strict=True)
    return JsonInboxSource(options, context(Path()))


def body(**more: Any) -> bytes:
    order = {
        "id": 42,
        "number": "A-42",
        "updated_at": "2026-11-23T10:00:00+13:00",
        "status": "ok",
        "to": {
            "first": "Aroha",
            "last": "Ngata",
            "street": ["12 Kowhai Street", "Unit 3"],
            "city": "Hamilton",
            "postcode": 3200,
            "country": "NZ",
        },
        "email": "aroha@example.test",
        "phone": "021 555 0101",
        "comment": "Leave at the door",
        "items": [{"sku": "MUG-1", "qty": 2, "title": "Mug"}, {"sku": "TEE-M", "qty": "1", "title": "Tee"}],
    }
    return json.dumps({"order": order | more}).encode()


def order(raw: bytes, **more: Any) -> Order:
    hint = source(**more).heard("", raw)
    assert hint.fault == ""
    [found] = hint.orders
    return found


def test_the_source_hears_and_can_not_be_asked() -> None:
    assert isinstance(source(), HearsDeliveries)
    assert not isinstance(source(), LiveSource)
    assert list(source().pages("")) == []


def test_a_body_is_read_by_its_paths() -> None:
    found = order(body())
    assert (found.id, found.number, found.revision) == ("42", "A-42", "2026-11-22T21:00:00.000000Z")
    assert found.ship_to == Address(
        name="Aroha Ngata", line1="12 Kowhai Street", line2="Unit 3", city="Hamilton", postcode="3200", country="NZ",
        phone="021 555 0101",
    )  # fmt: skip
    assert (found.email, found.phone) == ("aroha@example.test", "021 555 0101")
    assert found.buyer_note == "Leave at the door"
    assert found.lines == (OrderLine("Mug", "MUG-1", Decimal(2)), OrderLine("Tee", "TEE-M", Decimal(1)))
    assert (found.payment, found.fulfilment, found.problems) == (Payment.PAID, Fulfilment.UNFULFILLED, ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"status": "off"}, (Payment.PAID, Fulfilment.UNFULFILLED, True)),
        ({"status": "Packed"}, (Payment.PAID, Fulfilment.FULFILLED, False)),
        ({"status": "pending"}, (Payment.PENDING, Fulfilment.UNFULFILLED, False)),
        ({"gone": "2026-11-23"}, (Payment.PAID, Fulfilment.UNFULFILLED, True)),
        ({"gone": False}, (Payment.PAID, Fulfilment.UNFULFILLED, False)),
        ({"gone": ""}, (Payment.PAID, Fulfilment.UNFULFILLED, False)),
        ({"gone": None}, (Payment.PAID, Fulfilment.UNFULFILLED, False)),
        ({"gone": 0.0}, (Payment.PAID, Fulfilment.UNFULFILLED, False)),
        ({"gone": "false"}, (Payment.PAID, Fulfilment.UNFULFILLED, False)),
        ({"gone": "0000-00-00 00:00:00"}, (Payment.PAID, Fulfilment.UNFULFILLED, False)),
        ({"gone": {"at": "2026-11-23"}}, (Payment.PAID, Fulfilment.UNFULFILLED, True)),
        ({"gone": 1764000000}, (Payment.PAID, Fulfilment.UNFULFILLED, True)),
    ],
)
def test_what_the_shops_words_mean(more: dict[str, Any], expected: tuple[Payment, Fulfilment, bool]) -> None:
    found = order(body(**more), cancelled="order.gone")
    assert (found.payment, found.fulfilment, found.cancelled) == expected
    assert found.problems == ()


def test_a_word_that_leaves_open_whether_the_order_is_cancelled_leaves_it_in_doubt() -> None:
    found = order(body(gone="perhaps"), cancelled="order.gone")
    assert found.doubtful
    assert found.problems == (
        'order.gone says "perhaps", which is neither a date nor yes or no: whether the order is cancelled '
        "can't be told.",
    )


@pytest.mark.parametrize("made", ["2026-11-22T10:00:00+13:00", "2026-11-22T10:00:00", "yesterday", 7, None])
def test_when_the_order_was_made_is_known_where_a_path_leads_to_it(made: object) -> None:
    at = datetime(2026, 11, 21, 21, 0, tzinfo=UTC) if str(made).startswith("2026") else None
    assert order(body(made=made), created_at="order.made").created_at == at
    assert order(body(made=made)).created_at is None


def test_payment_and_fulfilment_go_over_what_the_status_says() -> None:
    found = order(body(pay="authorized", ship="shipped"), payment="order.pay", fulfilment="order.ship")
    assert (found.payment, found.fulfilment) == (Payment.AUTHORIZED, Fulfilment.FULFILLED)


def test_an_unknown_word_for_the_payment_leaves_what_the_status_says_of_the_shipment() -> None:
    found = order(body(status="packed", pay="layby"), payment="order.pay")
    assert (found.payment, found.fulfilment, found.status) == (Payment.UNKNOWN, Fulfilment.FULFILLED, "packed")
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"status": "sideways"}, 'order.status says "sideways": say what that means in [source.status_map]'),
        ({"status": None}, "There is no word at order.status."),
        ({"items": {}}, "There is no list of lines at order.items."),
        ({"items": ["x"]}, "There is no list of lines at order.items."),
        ({"items": [{"sku": "A", "qty": "two"}]}, "Line 1 has no quantity at qty."),
        ({"items": [{"sku": "A", "qty": -1}]}, "Line 1 has no quantity at qty."),
        ({"items": [{"sku": "A"}]}, "Line 1 has no quantity at qty."),
        ({"comment": ["secret"]}, "There is no text at order.comment."),
        ({"email": True}, "There is no text at order.email."),
    ],
)
def test_what_can_not_be_read_holds_the_order_and_is_named(more: dict[str, Any], sentence: str) -> None:
    [problem] = order(body(**more)).problems
    assert problem.startswith(sentence)
    assert "secret" not in problem


def test_an_unknown_status_is_never_taken_for_paid() -> None:
    assert order(body(status="sideways")).payment is Payment.UNKNOWN
    assert order(body(ship="sideways"), fulfilment="order.ship").fulfilment is Fulfilment.UNKNOWN


def test_trap_W3_ids_past_2_to_the_53_are_exact() -> None:
    assert order(body(id=2**63 - 1)).id == str(2**63 - 1)
    assert order(body(id="A/42 b")).id == "A/42 b"


@pytest.mark.parametrize("value", [None, 0, "", 1.0, True, [1], {"x": 1}, "x" * 101, "a\nb", "\ud800"])
def test_W20_without_an_id_there_is_no_order(value: Any) -> None:
    assert "no order id at order.id" in source().heard("", body(id=value)).fault


@pytest.mark.parametrize("value", [None, 5, "yesterday", "2026-11-23", "", [], "0001-01-01T00:00:00+14:00"])
def test_without_a_revision_nothing_is_decided(value: Any) -> None:
    assert "no ISO time at order.updated_at" in source().heard("", body(updated_at=value)).fault


@pytest.mark.parametrize("value", [None, "5x", -1, 1.5, True, "٣", "1" * 21, [1]])
def test_a_counter_is_a_whole_number(value: Any) -> None:
    assert "no whole number" in source(revision_is="counter").heard("", body(updated_at=value)).fault


@given(st.lists(st.integers(0, 2**63), min_size=2, max_size=2))
def test_counters_sort_as_numbers_do(values: list[int]) -> None:
    one, other = (order(body(updated_at=value), revision_is="counter").revision for value in values)
    assert (one < other) == (values[0] < values[1])


@given(st.lists(st.integers(-(10**10), 10**11), min_size=2, max_size=2), st.integers(0, 999_999))
def test_times_sort_as_times_do(seconds: list[int], micros: int) -> None:
    moments = [datetime.fromtimestamp(second, UTC).replace(microsecond=micros) for second in seconds]
    one, other = (order(body(updated_at=moment.isoformat())).revision for moment in moments)
    assert (one < other) == (moments[0] < moments[1])


def test_a_time_without_a_zone_is_the_stores() -> None:
    assert order(body(updated_at="2026-11-23T10:00:00")).revision == "2026-11-22T21:00:00.000000Z"


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b"{", b"\xff", b'{"order": 1e99999999999999999999}', b"[" * 90_000])
def test_W20_W32_what_is_no_object_is_a_fault(raw: bytes) -> None:
    assert source().heard("", raw).fault.startswith("A signed delivery")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("id", "order", "to", "items", "qty")), inner),
    max_leaves=20,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_no_bytes_at_all_make_it_raise(raw: bytes) -> None:
    hint = source().heard("", raw)
    assert bool(hint.fault) != bool(hint.orders)


@given(st.sampled_from(("number", "status", "to", "email", "phone", "comment", "items")), JSON)
def test_whatever_stands_in_a_field_the_order_is_still_known(name: str, value: Any) -> None:
    assert order(body(**{name: value})).id == "42"


# The store file


@pytest.mark.parametrize("path", ["", ".", "a..b", ".a", "a.", "a. b", "a\nb", ".".join("abcdefghijklm"), "x" * 201])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        source(city=path)


@pytest.mark.parametrize(
    "more",
    [
        {"id": None},
        {"revision": None},
        {"revision_is": "date"},
        {"lines": None},
        {"name": []},
        {"nmae": "order.name"},
        {"status_map": {"x": "shiped"}},
        {"id": ["a", "b"]},
        {"city": 5},
    ],
)
def test_what_can_not_be_meant_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source(**more)


# Deliveries in any order, any number of times


STEPS = (
    body(updated_at="2026-11-23T10:00:00+13:00", status="pending"),
    body(updated_at="2026-11-23T10:01:00+13:00"),
    body(updated_at="2026-11-23T10:01:00.5+13:00", comment="Ring twice"),
    body(updated_at="2026-11-22T21:02:00Z", comment="Ring three times"),
)


@pytest.mark.parametrize("in_order", list(itertools.permutations(range(4))))
def test_W10_deliveries_in_any_order_end_at_the_newest(in_order: tuple[int, ...], tmp_path: Path) -> None:
    with listening(source(), tmp_path) as ear:
        for step in in_order:
            ear.told(STEPS[step])
            ear.hear()
        assert "Ring three times" in ear.bodies()[0]
        assert ear.slips() == {"42": "owed"}


def test_W10_all_in_one_lot_and_twice_end_at_the_newest(tmp_path: Path) -> None:
    with listening(source(), tmp_path) as ear:
        ear.told(STEPS[3], *STEPS, STEPS[0])
        ear.hear()
        assert "Ring three times" in ear.bodies()[0]
        assert ear.versions() == 1
        ear.told(*STEPS)
        ear.hear()
        assert ear.versions() == 1


def test_two_contents_of_one_revision_are_held_and_a_newer_one_mends_that(tmp_path: Path) -> None:
    with listening(source(), tmp_path) as ear:
        ear.told(STEPS[1])
        ear.hear()
        ear.told(body(updated_at="2026-11-23T10:01:00+13:00", comment="another"))
        ear.hear()
        assert ear.slips() == {"42": "held"}
        ear.told(STEPS[3])
        ear.hear()
        assert ear.slips() == {"42": "owed"}


def test_a_cancel_that_comes_before_what_it_cancels_wins(tmp_path: Path) -> None:
    with listening(source(), tmp_path) as ear:
        ear.told(body(updated_at="2026-11-23T11:00:00+13:00", status="off"))
        ear.hear()
        ear.told(STEPS[1])
        ear.hear()
        assert "owed" not in ear.slips().values()


def test_a_body_without_use_is_set_aside_and_hides_no_other(tmp_path: Path) -> None:
    with listening(source(), tmp_path) as ear:
        ear.told(b"nonsense", body(), body(id=None))
        ear.hear()
        assert ear.counts() == {State.QUARANTINED: 2, State.DONE: 1}
        assert ear.slips() == {"42": "owed"}
        assert list(ear.alerts()) == ["delivery quarantined"]


def test_T4_half_an_emoji_in_a_text_is_left_out(tmp_path: Path) -> None:
    with listening(source(), tmp_path) as ear:
        ear.told(body(comment="Leave it \ud83d here"))
        ear.hear()
        assert ear.slips() == {"42": "owed"}
        assert "Leave it" in ear.bodies()[0]

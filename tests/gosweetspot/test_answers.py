"""The answer reader: which words of GSS count for which slip. Read down it for the rules of failures.md 2.8."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.gosweetspot.answers import Answer, Outcome, Verdict, read_delete, read_put

TAKEN, PROCESSED, GONE, REFUSED, UNCLEAR = Verdict


def row(number: object, result: object = True, msg: object = "") -> dict[str, object]:
    return {"packingslipno": number, "result": result, "msg": msg}


def put(numbers: list[str], rows: object) -> Answer:
    return read_put(numbers, json.dumps(rows).encode())


def verdicts(heard: Answer) -> dict[str, Verdict]:
    assert heard.outcome is Outcome.ANSWERED
    return {number: said.verdict for number, said in heard.rows.items()}


def is_unknown(heard: Answer) -> bool:
    return (heard.outcome, heard.rows) == (Outcome.UNKNOWN, {}) and heard.note != ""


def test_the_example_of_the_api_page_is_read_as_it_says() -> None:
    body = b"""
    [
      { "packingslipno": "ex-1", "result": true, "msg":"" },
      { "packingslipno": "ex-2", "result": false, "msg":"already processed" }
    ]"""
    heard = read_put(["ex-1", "ex-2"], body)
    assert verdicts(heard) == {"ex-1": TAKEN, "ex-2": PROCESSED}
    assert heard.rows["ex-2"].msg == "already processed"
    assert (heard.status, heard.note, heard.strangers) == (200, "", 0)


def test_A1_slips_without_a_row_are_unclear_and_the_others_count() -> None:
    assert verdicts(put(["A", "B", "C"], [row("B")])) == {"A": UNCLEAR, "B": TAKEN, "C": UNCLEAR}


def test_A2_rows_about_other_slips_are_counted_and_never_used() -> None:
    heard = put(["A"], [row("A"), row("B"), row("C", False, "no")])
    assert verdicts(heard) == {"A": TAKEN}
    assert heard.strangers == 2
    assert heard.note == (
        "GoSweetSpot's answer has 2 row(s) about packing slips this call did not name; they were ignored."
    )


@pytest.mark.parametrize("echo", ["kiwi-1", " KIWI-1 ", "ＫＩＷＩ-1", "KIWI-\u200b1", "KIWI-1\u00a0"])
def test_A3_a_number_in_other_letters_is_matched_by_its_key(echo: str) -> None:
    assert verdicts(put(["KIWI-1", "KIWI-2"], [row(echo)])) == {"KIWI-1": TAKEN, "KIWI-2": UNCLEAR}


def test_A3_a_key_that_two_slips_of_the_call_share_matches_neither() -> None:
    heard = put(["kiwi-1", "KIWI-1", "X"], [row("Kiwi-1"), row("X")])
    assert verdicts(heard) == {"kiwi-1": UNCLEAR, "KIWI-1": UNCLEAR, "X": TAKEN}
    assert heard.strangers == 1
    assert verdicts(put(["kiwi-1", "KIWI-1"], [row("KIWI-1")])) == {"kiwi-1": UNCLEAR, "KIWI-1": TAKEN}


def test_A4_a_number_without_quotes_counts_as_its_text_and_anything_else_as_no_number() -> None:
    assert verdicts(put(["1001", "2"], [row(1001)])) == {"1001": TAKEN, "2": UNCLEAR}
    for odd in (None, {"x": 1}, ["1001"], True, ""):
        assert verdicts(put(["1001", "A"], [row(odd), row("A")])) == {"1001": UNCLEAR, "A": TAKEN}


def test_A4_a_number_with_a_fraction_keeps_its_own_text() -> None:
    heard = read_put(
        ["1.10", "A"], b'[{"packingslipno":1.10,"result":true,"msg":""},{"packingslipno":"A","result":true}]'
    )
    assert verdicts(heard) == {"1.10": TAKEN, "A": TAKEN}


def test_A5_a_slip_said_twice_counts_where_both_agree() -> None:
    assert verdicts(put(["A"], [row("A"), row("a")])) == {"A": TAKEN}
    for other in (row("A", False, "already processed"), row("A", False, "no"), row("A", None)):
        assert verdicts(put(["A"], [row("A"), other])) == {"A": UNCLEAR}
        assert verdicts(put(["A"], [other, row("A"), row("A")])) == {"A": UNCLEAR}


@pytest.mark.parametrize("result", ["true", "True", 1, 1.0, None, {}, [], [True], "", 0, "false"])
def test_A6_only_true_and_false_count(result: object) -> None:
    assert verdicts(put(["A"], [row("A", result)])) == {"A": UNCLEAR}
    assert verdicts(put(["A"], [row("A", result, "already processed")])) == {"A": UNCLEAR}


def test_A6_a_row_without_a_result_is_unclear() -> None:
    assert verdicts(put(["A"], [{"packingslipno": "A", "msg": ""}])) == {"A": UNCLEAR}


@pytest.mark.parametrize(
    "msg",
    [
        "already processed",
        "Already processed.",
        "ALREADY  PROCESSED",
        "Order has already been processed",
        "Not saved: already\u00a0processed!",
    ],
)
def test_A7_false_with_already_processed_is_processed(msg: str) -> None:
    assert verdicts(put(["A"], [row("A", False, msg)])) == {"A": PROCESSED}


@pytest.mark.parametrize("msg", ["Invalid postcode", "processed", "already deleted", "already unprocessed"])
def test_A8_false_with_another_text_is_refused_and_keeps_the_text(msg: str) -> None:
    heard = put(["A"], [row("A", False, msg)])
    assert (heard.rows["A"].verdict, heard.rows["A"].msg) == (REFUSED, msg)


@pytest.mark.parametrize("msg", ["", " ", "\n", None, 7, {}])
def test_A9_false_without_a_reason_is_unclear(msg: object) -> None:
    assert verdicts(put(["A"], [row("A", False, msg)])) == {"A": UNCLEAR}


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b"null", b"", b" \n", b"true", b'"ok"', b"1", b"[null]", b"[[]]", b'["A"]']
)
def test_A10_an_answer_without_rows_is_unknown(body: bytes) -> None:
    assert is_unknown(read_put(["A"], body))
    assert is_unknown(read_delete(["A"], body))


def test_A11_an_object_with_a_message_is_unknown_and_not_quoted() -> None:
    body = b'{"Message": "An error has occurred for Hana Example"}'
    assert is_unknown(read_put(["A"], body))
    assert is_unknown(read_delete(["A"], body))
    assert "Hana" not in read_put(["A"], body).note + read_delete(["A"], body).note


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><html>", b"\n  <html>", b"\xef\xbb\xbf<html/>", b"<?xml version='1.0'?>"]
)
def test_A12_a_web_page_is_unknown_and_says_so(body: bytes) -> None:
    heard = read_put(["A"], body)
    assert is_unknown(heard)
    assert heard.note.startswith("A web page came where GoSweetSpot's answer should be")


@pytest.mark.parametrize("indent", [None, 2])
def test_A13_no_beginning_of_an_answer_is_ever_used(indent: int | None) -> None:
    whole = json.dumps([row("A"), row("B"), row("C", False, "already processed")], indent=indent).encode()
    for end in range(len(whole)):
        assert is_unknown(read_put(["A", "B", "C"], whole[:end]))
    assert verdicts(read_put(["A", "B", "C"], whole)) == {"A": TAKEN, "B": TAKEN, "C": PROCESSED}


def test_A13_no_beginning_of_a_deletes_answer_is_ever_used() -> None:
    whole = b'{"A": "Deleted.", "B": "Deleted."}'
    assert all(is_unknown(read_delete(["A", "B"], whole[:end])) for end in range(len(whole)))


GOOD = b'[{"packingslipno":"A","result":true,"msg":""}]'


@pytest.mark.parametrize("after", [b"x", b"[]", b",", b"]", b"\x00", b"<!-- served by proxy -->", GOOD])
def test_A14_text_after_the_answer_makes_it_unknown(after: bytes) -> None:
    assert is_unknown(read_put(["A"], GOOD + after))
    assert is_unknown(read_put(["A"], GOOD + b"\n" + after))


def test_A14_a_byte_order_mark_is_allowed_and_so_is_white_space() -> None:
    assert verdicts(read_put(["A"], b"\xef\xbb\xbf" + GOOD + b"\r\n")) == {"A": TAKEN}
    assert is_unknown(read_put(["A"], GOOD.decode().encode("utf-16")))


@pytest.mark.parametrize(
    "body",
    [
        b'[{"packingslipno":"A","result":false,"result":true,"msg":""}]',
        b'[{"packingslipno":"A","result":true,"result":true,"msg":""}]',
        b'[{"packingslipno":"A","result" :false,"result"\n:true,"msg":""}]',
        b'[{"packingslipno":"B","packingslipno":"A","result":true,"msg":""}]',
        b'[{"packingslipno":"A","result":true,"msg":"","more":{"x":1,"x":2}}]',
        b'[{"packingslipno":"A","result":false,"r\\u0065sult":true,"msg":""}]',
        b'[{"packingslipno":"A","result":true,"msg":""},{"packingslipno":"B","result":true,"msg":"a","msg":"\\":"}]',
    ],
)
def test_A15_a_key_that_stands_twice_in_an_object_makes_the_whole_answer_unknown(body: bytes) -> None:
    assert is_unknown(read_put(["A"], body))


def test_A15_a_slip_that_stands_twice_in_a_deletes_answer_makes_it_unknown() -> None:
    assert is_unknown(read_delete(["A"], b'{"A": "Deleted.", "A": "Cannot be deleted. Already processed."}'))
    heard = read_delete(["A", "B"], b'{"A": "Deleted.", "a": "Cannot be deleted. Already processed."}')
    assert verdicts(heard) == {"A": UNCLEAR, "B": UNCLEAR}


def test_A15_a_text_that_looks_like_a_key_is_only_a_text() -> None:
    assert verdicts(put(["A"], [row("A", False, 'no "result": true')])) == {"A": REFUSED}


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"packingslipno":"A","result":true,"msg":'])
def test_A16_a_hundred_thousand_brackets_are_unknown(opening: bytes) -> None:
    assert is_unknown(read_put(["A"], opening * 100_000))
    closing = b"]" if opening == b"[" else b"}"
    assert is_unknown(read_put(["A"], b"[" + opening * 100_000 + closing * 100_000 + b"]"))


@pytest.mark.parametrize(
    "value", [b"9" * 5000, b"-" + b"9" * 5000, b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b"1."]
)
def test_A17_numbers_that_are_none_make_the_answer_unknown(value: bytes) -> None:
    assert is_unknown(read_put(["A"], GOOD.replace(b'""', value)))
    assert is_unknown(read_put(["A"], GOOD.replace(b"true", value)))


def test_A18_half_a_surrogate_pair_is_written_out_and_can_be_stored() -> None:
    heard = read_put(["A"], b'[{"packingslipno":"A","result":false,"msg":"bad \\ud800 \\u0101"}]')
    assert heard.rows["A"].msg == "bad \\ud800 ā"
    assert heard.rows["A"].msg.encode("utf-8")
    assert is_unknown(read_put(["A"], b'[{"packingslipno":"\\udc00","result":true,"msg":""}]'))


@pytest.mark.parametrize("text", ["x" * 1_000_000, "ā" * 1_000_000, "\ud800" * 1_000, "<b>" * 400])
def test_A19_a_long_text_is_cut_to_500_characters(text: str) -> None:
    heard = put(["A"], [row("A", False, text)])
    assert heard.rows["A"].verdict is REFUSED
    assert len(heard.rows["A"].msg) == 500
    assert len(read_delete(["A"], json.dumps({"A": text}).encode()).rows["A"].msg) == 500


def test_A22_an_answer_to_another_call_is_unknown_and_its_rows_are_counted() -> None:
    heard = put(["A", "B"], [row("X"), row("Y")])
    assert is_unknown(heard)
    assert heard.strangers == 2
    assert heard.note == "GoSweetSpot's answer names none of the packing slips that were sent."


def test_A23_rows_in_another_order_and_names_in_another_case_are_read() -> None:
    rows = [
        {"Msg": "", "Result": True, "PackingSlipNo": "B", "Extra": {"Result": False}},
        {"RESULT": False, "PACKINGSLIPNO": "A", "MSG": "already processed"},
    ]
    assert verdicts(put(["A", "B"], rows)) == {"A": PROCESSED, "B": TAKEN}


@pytest.mark.parametrize(
    "twice",
    [
        {"packingslipno": "A", "result": True, "Result": False, "msg": ""},
        {"packingslipno": "A", "result": True, "Result": True},
        {"packingslipno": "A", "PackingSlipNo": "B", "result": True},
        {"packingslipno": "B", "PackingSlipNo": None, "Packingslipno": "A", "result": True},
    ],
)
def test_A23_a_name_in_two_cases_makes_every_slip_of_its_row_unclear(twice: dict[str, object]) -> None:
    said = verdicts(
        put(["A", "B", "C"], [twice, row("C"), row("B")] if "B" not in twice.values() else [twice, row("C")])
    )
    assert (said["A"], said["C"]) == (UNCLEAR, TAKEN)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Deleted.", TAKEN),
        ("deleted", TAKEN),
        ("Cannot be deleted. Already processed.", PROCESSED),
        ("Already processed", PROCESSED),
        ("Cannot be deleted. Already deleted.", GONE),
        ("Cannot be deleted.Already deleted", GONE),
        ("already deleted.", GONE),
        ("Invalid packing slip number", GONE),
        ("Invalid packing slip number.", GONE),
        ("Not deleted.", UNCLEAR),
        ("Max delete limit is 50 packing slip numbers.", UNCLEAR),
        ("", UNCLEAR),
        (None, UNCLEAR),
        (True, UNCLEAR),
    ],
)
def test_X3_X9_each_text_of_a_delete_has_its_meaning_and_unknown_ones_none(text: object, verdict: Verdict) -> None:
    heard = read_delete(["#1001", "B"], json.dumps({"#1001": text}).encode())
    assert verdicts(heard) == {"#1001": verdict, "B": UNCLEAR}
    assert heard.rows["#1001"].msg == (text if isinstance(text, str) else "")


def test_X9_a_deletes_strangers_are_counted() -> None:
    heard = read_delete(["A"], b'{"A": "Deleted.", "Message": "Deleted."}')
    assert (verdicts(heard), heard.strangers) == ({"A": TAKEN}, 1)


SENT = ["A", "B", "1", "kiwi-1"]
numbers = st.sampled_from(["A", "a", "B", "1", "KIWI-1", "kiwi-1", "X", ""]) | st.sampled_from([1, 1.5, None, True])
names = st.sampled_from(["packingslipno", "PackingSlipNo", "result", "Result", "msg", "Msg", "other"])
words: Any = st.recursive(
    numbers | st.booleans() | st.text() | st.sampled_from(["already processed", "Deleted."]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
rows_of_any_kind = st.lists(st.dictionaries(names, words, max_size=6) | st.builds(row, numbers, words, words) | words)


@pytest.mark.no_cover
@given(st.binary() | st.text().map(str.encode))
def test_SEC11_any_bytes_are_read_without_an_error_and_take_nothing(body: bytes) -> None:
    for heard in (read_put(SENT, body), read_delete(SENT, body)):
        assert heard.outcome is Outcome.UNKNOWN


@pytest.mark.no_cover
@given(rows_of_any_kind)
def test_SEC11_a_slip_is_taken_only_where_a_row_says_true_of_it(rows: list[Any]) -> None:
    heard = put(SENT, rows)
    assert heard.rows.keys() in (set(), set(SENT))
    for number, said in heard.rows.items():
        said.msg.encode()
        if said.verdict is TAKEN:
            assert any(says_true_of(number, each) for each in rows)


def says_true_of(number: str, each: object) -> bool:
    if not isinstance(each, dict):
        return False
    lowered = [(name.lower(), value) for name, value in each.items()]
    named = [str(value).strip().casefold() for name, value in lowered if name == "packingslipno"]
    said = [value for name, value in lowered if name == "result"]
    return named == [number.casefold()] and said == [True] and said[0] is True


@pytest.mark.no_cover
@given(rows_of_any_kind, st.data())
def test_SEC11_one_byte_changed_anywhere_never_raises(rows: list[Any], data: st.DataObject) -> None:
    body = bytearray(json.dumps([row("A"), *rows]).encode())
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    read_put(SENT, bytes(body))
    read_delete(SENT, bytes(body))

"""Only what was signed with the store's own secret is believed, whatever the headers are like."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from connector.inbox import signatures
from connector.inbox.signatures import CLOCK, MALFORMED, MISSING, NO_TIME, REPEATED, WRONG, header_of, key_of, verify
from connector.secret import Secret, SecretError
from tests.inbox.given import NOW
from tests.shops.woocommerce_hooks import SECRET as WOO_SECRET

ROOT = Path(__file__).parent.parent.parent
RECORDED = ROOT.parent / "shared" / "samples" / "woocommerce-live" / "webhooks"
PLAIN = ("shopify", "woocommerce")
KEY = "a b ü".encode()
STANDARD = base64.b64encode(b"k" * 32).decode()

ODD = [
    b'{"id":1}', b'{ "id" : 1 }', b'{"id":1.0}', b'{"id":1}\n', b'{"id":"\\u00e9"}', '{"id":"é"}'.encode(),
    b"\xef\xbb\xbf{}", b"\xff\xfe{}", b"", b"\x00", b"[]", b'{"a":1,"a":2}', b'{"total":"1.00"}', b'{"total":1e2}',
    b"null", b'"text"', *(b'{"id":%d,%b"x":"%b"}' % (n, b" " * n, bytes([n + 32]) * n) for n in range(34)),
]  # fmt: skip


def signed(scheme: str, body: bytes, key: bytes = KEY) -> list[tuple[bytes, bytes]]:
    value = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest())
    return [(b"host", b"kiwi.example"), (header_of(scheme), value)]


def stamped(
    body: bytes, *, at: datetime | bytes = NOW, one: bytes = b"msg_1", secret: str = STANDARD
) -> list[tuple[bytes, bytes]]:
    """As the library of standardwebhooks.com signs; `at` as bytes: whatever stands there, rightly signed."""
    time = str(int(at.timestamp())).encode() if isinstance(at, datetime) else at
    value = base64.b64encode(hmac.digest(base64.b64decode(secret), b"%b.%b.%b" % (one, time, body), "sha256"))
    return [(b"webhook-id", one), (b"webhook-timestamp", time), (b"webhook-signature", b"v1," + value)]


def is_right(headers: list[tuple[bytes, bytes]], body: bytes = b"{}", now: datetime = NOW) -> str | None:
    return verify("standard", [base64.b64decode(STANDARD)], headers, body, now)


@pytest.mark.parametrize("scheme", PLAIN)
def test_W4_SEC1_the_raw_bytes_are_what_is_checked(scheme: str) -> None:
    assert len(ODD) == 50
    for body in ODD:
        assert verify(scheme, [KEY], signed(scheme, body), body, NOW) is None
        assert verify(scheme, [KEY], signed(scheme, body), body + b" ", NOW) == WRONG
    for body in ODD:
        assert is_right(stamped(body), body) is None


@pytest.mark.parametrize("scheme", PLAIN)
def test_W1_a_wrong_signature_is_refused(scheme: str) -> None:
    assert verify(scheme, [KEY], signed(scheme, b"{}", b"other"), b"{}", NOW) == WRONG
    assert verify(scheme, [KEY], [(header_of(scheme), b"AAAA")], b"{}", NOW) == WRONG
    hexed = hmac.digest(KEY, b"{}", "sha256").hex().encode()
    assert verify(scheme, [KEY], [(header_of(scheme), hexed)], b"{}", NOW) == WRONG


@pytest.mark.parametrize("scheme", [*PLAIN, "standard"])
def test_W2_no_signature_an_empty_one_two_or_a_long_one_are_refused(scheme: str) -> None:
    name = header_of(scheme)
    right = stamped(b"{}") if scheme == "standard" else signed(scheme, b"{}")
    key = [base64.b64decode(STANDARD)] if scheme == "standard" else [KEY]
    without = [(each, value) for each, value in right if each != name]
    assert verify(scheme, key, right, b"{}", NOW) is None
    assert verify(scheme, key, without, b"{}", NOW) == MISSING
    assert verify(scheme, key, [*without, (name, b"")], b"{}", NOW) == MISSING
    assert verify(scheme, key, [*right, right[-1]], b"{}", NOW) == REPEATED
    assert verify(scheme, key, [*without, (name, b"A" * 10_000)], b"{}", NOW) == MALFORMED


@pytest.mark.parametrize("value", ["é=".encode(), b"\xff" * 44, "٤".encode() * 10, b"\x00" * 44])
def test_W3_what_is_not_ascii_is_refused_and_no_error(value: bytes) -> None:
    for scheme in PLAIN:
        assert verify(scheme, [KEY], [(header_of(scheme), value)], b"{}", NOW) == WRONG
    assert (
        is_right([(b"webhook-id", value), (b"webhook-timestamp", b"1"), (b"webhook-signature", b"v1," + value)])
        == WRONG
    )


@pytest.mark.parametrize("scheme", PLAIN)
def test_W24_while_a_secret_is_rotated_both_are_right(scheme: str) -> None:
    for key in (b"new", b"old"):
        assert verify(scheme, [b"new", b"old"], signed(scheme, b"{}", key), b"{}", NOW) is None
    assert verify(scheme, [b"new"], signed(scheme, b"{}", b"old"), b"{}", NOW) == WRONG


def test_the_library_of_the_standard_signs_what_is_believed() -> None:
    hook = Webhook("whsec_" + STANDARD)
    value = hook.sign("msg_1", NOW.replace(tzinfo=None), '{"id":"é"}')
    headers = [(b"webhook-id", b"msg_1"), (b"webhook-timestamp", str(int(NOW.timestamp())).encode())]
    assert is_right([*headers, (b"webhook-signature", value.encode())], '{"id":"é"}'.encode()) is None
    assert (
        is_right([*headers, (b"webhook-signature", f"v1a,xx v1,bad {value}".encode())], '{"id":"é"}'.encode()) is None
    )
    assert (
        is_right([*headers, (b"webhook-signature", value.removeprefix("v1,").encode())], '{"id":"é"}'.encode()) == WRONG
    )


@pytest.mark.parametrize(
    "at", [b"nan", b"inf", b"-1", b"+1", b"1_0", "١٢٣".encode(), b" 1", b"1.0", b"1" * 13, b"", b"0x1"]
)
def test_W25_a_time_stamp_is_one_to_twelve_digits(at: bytes) -> None:
    assert is_right(stamped(b"{}", at=at)) == NO_TIME


@pytest.mark.parametrize(
    "off", [timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1), timedelta(days=9000)]
)
def test_W25_W26_a_right_signature_off_in_time_is_refused_as_the_clocks_fault(off: timedelta) -> None:
    assert is_right(stamped(b"{}", at=NOW + off)) == CLOCK
    assert is_right(stamped(b"{}", at=NOW + off, secret=base64.b64encode(b"z" * 32).decode())) == WRONG
    assert is_right(stamped(b"{}", at=NOW + off / abs(off / timedelta(seconds=299)))) is None


def test_the_id_and_the_time_are_signed() -> None:
    one, at, value = stamped(b"{}")
    assert is_right([(one[0], b"msg_2"), at, value]) == WRONG
    assert is_right([one, (at[0], str(int(NOW.timestamp()) + 1).encode()), value]) == WRONG
    assert is_right([at, value]) == MALFORMED


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded deliveries are not on this machine")
def test_every_recorded_delivery_of_woocommerce_is_believed() -> None:
    checked = 0
    for heads in sorted(RECORDED.glob("*.headers")):
        lines = [line.partition(": ") for line in heads.read_text().splitlines() if ": " in line]
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, _, value in lines]
        reason = verify("woocommerce", [WOO_SECRET.encode()], headers, heads.with_suffix(".body").read_bytes(), NOW)
        assert reason == (MISSING if "-ping" in heads.name else None), heads.name
        checked += reason is None
    assert checked == 235


@pytest.mark.parametrize("text", ["", "whsec_!!!!", "whsec_c2hvcnQ=", "plain words", "whsec_" + "A" * 400])
def test_a_secret_that_is_none_of_the_standards_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(SecretError) as caught:
        key_of("standard", Secret(text))
    assert not text or text not in str(caught.value)


def test_a_secret_of_the_standard_may_lack_its_prefix_and_its_padding() -> None:
    for text in (STANDARD, "whsec_" + STANDARD, "whsec_" + STANDARD.rstrip("=")):
        assert key_of("standard", Secret(text)) == b"k" * 32


def test_SEC1_bytes_are_compared_in_constant_time() -> None:
    tree = ast.parse(Path(signatures.__file__).read_text())
    assert "compare_digest" in ast.dump(tree)
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    names = {sub.id for node in found for sub in ast.walk(node) if isinstance(sub, ast.Name)}
    assert names.isdisjoint({"right", "given", "signature", "each"})


def test_now_is_aware() -> None:
    assert NOW.tzinfo is UTC

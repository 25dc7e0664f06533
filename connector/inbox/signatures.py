"""Whether a delivery is from who it says. Knows raw bytes and keys; no body is read, no store, no file.

Shopify and WooCommerce sign the body alone: base64(HMAC-SHA256(raw body, secret)) in one header (platforms.md 2.3).
Standard Webhooks (standardwebhooks.com, spec 1.0) signs an id, a time and the body, so a delivery can also be too old.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from connector.secret import Secret, SecretError

SCHEMES: Final = ("shopify", "woocommerce", "standard")

MISSING: Final = "no signature"
REPEATED: Final = "two signatures"
MALFORMED: Final = "malformed signature"
WRONG: Final = "wrong signature"
NO_TIME: Final = "malformed time stamp"
CLOCK: Final = "time stamp off"
REASONS: Final = (MISSING, REPEATED, MALFORMED, WRONG, NO_TIME, CLOCK)
"""Why a delivery is not believed. CLOCK is said of a right signature alone: one of the two clocks is off, or somebody
sends an old delivery again."""

_HEADERS: Final[Mapping[str, bytes]] = {
    "shopify": b"x-shopify-hmac-sha256",
    "woocommerce": b"x-wc-webhook-signature",
    "standard": b"webhook-signature",
}
_ID: Final = b"webhook-id"
_TIME: Final = b"webhook-timestamp"
_STAMP: Final = re.compile(rb"[0-9]{1,12}")
"""Nothing of what int() and float() take besides: nan, inf, 1_0, digits of other scripts (W25, measured in E2)."""
_LONGEST: Final = 1024
TOLERANCE_S: Final = 300
"""Both ways; what the specification's own libraries have."""

Headers = Iterable[tuple[bytes, bytes]]


def header_of(scheme: str) -> bytes:
    """The name of the header, in small letters, that carries the signature."""
    return _HEADERS[scheme]


def key_of(scheme: str, secret: Secret) -> bytes:
    """The bytes that sign. Raises SecretError where the secret can't be one of this scheme.

    Shopify's and WooCommerce's are their text, in UTF-8, as it was typed (recorded: woocommerce-live). A Standard
    Webhooks secret is "whsec_" and base64.
    """
    if scheme != "standard":
        return secret.reveal().encode()
    text = secret.reveal().removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 16 <= len(key) <= 256:
        what = "is no secret of Standard Webhooks (whsec_ and base64 of 24 to 64 bytes)"
        raise SecretError(what, "Copy it once more, or name the scheme the shop signs by")
    return key


def verify(scheme: str, secrets: Sequence[bytes], headers: Headers, body: bytes, now: datetime) -> str | None:
    """None where one of the secrets signed exactly these bytes; otherwise why not, one of REASONS.

    headers  as they came, names in small letters, as often as they came; now  aware, for stamped schemes only
    """
    found = _single(headers, _HEADERS[scheme])
    if isinstance(found, str):
        return found
    if scheme == "standard":
        return _standard(secrets, found[0], headers, body, now)
    return None if _is_any(secrets, body, [found[0]], _hmac) else WRONG


def _single(headers: Headers, name: bytes) -> tuple[bytes] | str:
    values = [value for key, value in headers if key == name]
    if not values or not values[0]:
        return MISSING
    if len(values) > 1:
        return REPEATED
    return (values[0],) if len(values[0]) <= _LONGEST else MALFORMED


def _standard(secrets: Sequence[bytes], signature: bytes, headers: Headers, body: bytes, now: datetime) -> str | None:
    one, at = _single(headers, _ID), _single(headers, _TIME)
    if isinstance(one, str):
        return MALFORMED
    if isinstance(at, str) or not _STAMP.fullmatch(at[0]):
        return NO_TIME
    from standardwebhooks.webhooks import hmac_data  # its verify() takes no clock, and no body that is not UTF-8

    given = [each.removeprefix(b"v1,") for each in signature.split(b" ") if each.startswith(b"v1,")]
    if not _is_any(secrets, b"%b.%b.%b" % (one[0], at[0], body), given, hmac_data):
        return WRONG
    return None if abs(now.timestamp() - int(at[0])) <= TOLERANCE_S else CLOCK


def _hmac(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(secret, signed, "sha256")


def _is_any(
    secrets: Sequence[bytes], signed: bytes, given: Sequence[bytes], mac: Callable[[bytes, bytes], bytes]
) -> bool:
    """Bytes against bytes, in constant time, and every secret is tried whichever fits."""
    fits = False
    for secret in secrets:
        right = base64.b64encode(mac(secret, signed))
        for each in given:
            fits |= hmac.compare_digest(right, each)
    return fits

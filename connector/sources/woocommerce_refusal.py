"""WooCommerce's errors as the contract's, each with its mend. Knows no order and opens nothing.

Codes as recorded (auth-*, oauth1-*, single-404, list-per-page-101). Messages are translated in shops that aren't
English, so nothing is decided by them, and none is quoted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from connector.sources import json_body
from connector.sources.base import Malformed, Unauthorised, Unreachable
from connector.wire.heard import Heard, http_date

OAUTH_WINDOW: Final = timedelta(minutes=15)
"""How far a signature's time may be from the shop's clock (recorded: oauth1-clock-14min-off, -16min-off)."""

GONE: Final = "woocommerce_rest_shop_order_invalid_id"
"""The 404 of an id that is no order's: deleted for good, or a refund's or a product's."""

_REFUSES: Final = "woocommerce_rest_authentication_error"
_UNSEEN: Final = "woocommerce_rest_cannot_view"


class Refused(Unauthorised):
    """what  happened; mend  what to do, a sentence."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what} {mend}")
        self.what, self.mend = what, mend


class Strange(Malformed):
    """what  came that WooCommerce doesn't send; mend  what to do, a sentence; status  of HTTP, or 0."""

    def __init__(self, what: str, mend: str, status: int = 0) -> None:
        super().__init__(f"{what} {mend}")
        self.what, self.mend, self.status = what, mend, status


class Broke(Unreachable):
    """HTTP 500, or what a server in front of a PHP that died or was too slow says: 502, 504, 524, 503 without a time to
    wait; or no whole answer in time. One order in the answer may be to blame (platforms.md L13), or there may be too
    many in it ("try with less products per page", https://github.com/woocommerce/woocommerce-rest-api/issues/243).

    how  it broke, in a few words; may_be_too_much  whether fewer orders may do: PHP's own 500 is about one of them
    """

    def __init__(self, what: str, how: str, *, may_be_too_much: bool = True) -> None:
        super().__init__(what)
        self.how, self.may_be_too_much = how, may_be_too_much


def broke(heard: Heard, name: str) -> Broke | None:
    """What an answer says of the shop's own trouble; None for any other."""
    if heard.status not in (500, 502, 504, 524) and (heard.status != 503 or heard.retry_after):
        return None
    how = f"HTTP {heard.status}"
    what = f"{name} had an error of its own ({how}); it is asked again later."
    return Broke(what, how, may_be_too_much=heard.status != 500)


class _Error(msgspec.Struct):
    code: str = ""


_error: Final = msgspec.json.Decoder(_Error)


def code_of(heard: Heard) -> str:
    """WordPress' code of an error; "" where the body is none of its errors."""
    try:
        return _error.decode(heard.body).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def shop_time(heard: Heard) -> datetime | None:
    """The clock of the shop's server, aware, UTC; None where the answer has no Date that can be read."""
    return http_date(heard.date)


def refused(heard: Heard, name: str, *, oauth: bool, query_auth: bool) -> Refused:
    """What a 401 or 403 means. oauth: the call was signed, by the shop's own clock where ours is too far from it, so a
    clock is never the cause; query_auth: the key was in its address."""
    code = code_of(heard)
    if code == _REFUSES:
        return _refused_secret(name, oauth=oauth)
    if code == _UNSEEN and heard.status == 401:
        return _unknown_key(name, oauth=oauth, query_auth=query_auth)
    if code == _UNSEEN:
        return Refused(
            f"{name} knows the key, but its user may not see orders (HTTP 403).",
            "In WooCommerce > Settings > Advanced > REST API, give the key to a shop manager or an administrator.",
        )
    if not code:
        return Refused(
            f"Something in front of {name} refused the call (HTTP {heard.status}, not WooCommerce's own answer).",
            "Let the connector's address through in the security plug-in or at the host.",
        )
    return Refused(
        f"{name} refuses the call (HTTP {heard.status}, {json_body.quoted(code)}).",
        "Check the key in WooCommerce > Settings > Advanced > REST API, and plug-ins that guard the REST API.",
    )


def _refused_secret(name: str, *, oauth: bool) -> Refused:
    if oauth:
        return Refused(
            f"{name} does not accept the signature: the consumer key or secret is wrong, or url is not the shop's own "
            "address.",
            "Make a new key in WooCommerce > Settings > Advanced > REST API, and copy url from Settings > General > "
            "Site Address.",
        )
    return Refused(
        f"{name} knows the consumer key, and the consumer secret is wrong.",
        "Make a new key in WooCommerce > Settings > Advanced > REST API and store both its halves.",
    )


def _unknown_key(name: str, *, oauth: bool, query_auth: bool) -> Refused:
    what = f"{name} does not know the consumer key"
    make = "Make one in WooCommerce > Settings > Advanced > REST API"
    if oauth or query_auth:
        return Refused(f"{what}.", f"{make} and store both its halves.")
    return Refused(
        f"{what}, or its host keeps the Authorization header from WordPress.",
        f"{make}, and if that is refused too, set query_auth = true.",
    )


def strange(heard: Heard, name: str) -> Strange:
    """What an answer means that is neither a success nor one of the errors above."""
    code = code_of(heard)
    if heard.status == 404:
        return Strange(
            f"{name} has no order API at this address (HTTP 404).",
            "Check url in the store file, that WooCommerce is active, and that Settings > Permalinks is anything but "
            '"Plain".',
        )
    said = f", {json_body.quoted(code)}" if code else ""
    return Strange(
        f"{name} does not take the question (HTTP {heard.status}{said}).",
        "Check the statuses in the store file, and whether a plug-in changes WooCommerce's REST API.",
        heard.status,
    )

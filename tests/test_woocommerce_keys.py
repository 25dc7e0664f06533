"""Where WooCommerce's key and secret go on the wire: into a header over https, into a signature over http."""

from __future__ import annotations

import base64
import ssl
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, unquote

from connector.sources.base import SourceContext, SourceError
from connector.sources.woocommerce import WooCommerceSource
from connector.sources.woocommerce_options import WooCommerceOptions
from tests.gosweetspot.server import answer, serving
from tests.sources.woo_shop import NOW, visiting

CERTIFICATE = Path(__file__).parent / "gosweetspot" / "localhost.pem"
KEY, SECRET = "ck_canary1", "cs_canary2"


def secure_shop() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def test_SEC15_over_https_both_go_into_the_header_and_no_address_has_either(tmp_path: Path) -> None:
    """Every way of asking a shop: a poll, a sweep, a second look, the probe."""
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "secret").write_text(SECRET)
    for name in ("key", "secret"):
        (tmp_path / name).chmod(0o600)
    empty = answer(b"[]", X_WP_Total="0", X_WP_TotalPages="0")
    with serving(*[empty] * 40, tls=secure_shop()) as server:
        table = {
            "url": f"https://localhost:{server.port}",
            "consumer_key": "file:key",
            "consumer_secret": "file:secret",
            "ca_file": str(CERTIFICATE),
        }
        options = WooCommerceOptions.model_validate(table, context={"folder": tmp_path})
        source = WooCommerceSource(options, SourceContext("kiwi", str(tmp_path), "UTC", lambda: NOW))
        for ask in (lambda: source.pages(""), source.sweep, lambda: source.reread(["101"]), source.probe):
            with suppress(SourceError):  # the shop has nothing to say; what it was asked is what counts
                list(ask())
        source.close()
        asked = list(server.requests)
    assert len(asked) >= 4
    header = f"Basic {base64.b64encode(f'{KEY}:{SECRET}'.encode()).decode()}"
    for request in asked:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["authorization"] == header
        assert "consumer_" not in request.path
        assert "canary" not in unquote(request.path)


def test_SEC15_over_http_the_secret_never_leaves_and_the_key_only_inside_a_signed_question(tmp_path: Path) -> None:
    with visiting(tmp_path) as visit:
        visit.place(3)
        for ask in (
            lambda: visit.source.pages(""),
            visit.source.sweep,
            lambda: visit.source.reread(["101"]),
            visit.source.probe,
        ):
            list(ask())
        asked = list(visit.shop.server.heard)
        key = visit.shop.key
    assert len(asked) >= 4
    for request in asked:
        told = parse_qs(request.query)
        everything = unquote(f"{request.path}?{request.query}") + str(dict(request.headers)) + str(request.body)
        assert key.secret not in everything
        assert "consumer_secret" not in told
        assert "consumer_key" not in told
        assert told["oauth_consumer_key"] == [key.key]
        assert told["oauth_signature_method"] == ["HMAC-SHA256"]

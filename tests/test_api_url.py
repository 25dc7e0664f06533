"""Which addresses may get the key and the orders: GoSweetSpot's by name over https, or this machine."""

from __future__ import annotations

import pytest

from connector.api_url import DEFAULT, checked, is_loopback
from connector.problem import Unfit
from connector.secret import SecretError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (DEFAULT, DEFAULT),
        ("HTTPS://API.GoSweetSpot.com:443/", DEFAULT),
        ("https://api.example.co.nz", "https://api.example.co.nz"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://127.8.9.1:1", "http://127.8.9.1:1"),
        ("http://localhost:8765/", "http://localhost:8765"),
        ("https://localhost:8765", "https://localhost:8765"),
        ("http://[::1]:8765", "http://[::1]:8765"),
    ],
)
def test_a_good_address_gets_its_one_form(text: str, url: str) -> None:
    assert checked(text) == url
    assert checked(url) == url
    assert is_loopback(url) == ("127." in url or "localhost" in url or "::1" in url)


REFUSED = [
    "http://api.gosweetspot.com",
    "http://127.0.0.1.example.com",
    "ftp://api.gosweetspot.com",
    "file:///etc/passwd",
    "api.gosweetspot.com",
    "https://",
    "https:///api",
    "",
    "https://api.gosweetspot.com:8443",
    "https://api.gosweetspot.com:0",
    "https://api.gosweetspot.com:99999",
    "https://api.gosweetspot.com:x",
    "https://api.gosweetspot.com/api",
    "https://api.gosweetspot.com#x",
    "https://api.gosweetspot.com\\.evil.example",
    "https://api.gosweetspot.com\n",
    "https://api gosweetspot.com",
    "https://api.gosweetsp\u043et.com",
    "https://api.gosweetspot.com.",
    "https://intranet",
    "https://-a.example.com",
    "https://gss.internal",
    "https://metadata.google.internal",
    "https://printer.local",
    "https://evil.localhost",
    "https://nas.lan",
]
INSIDE = [
    "169.254.169.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "8.8.8.8",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "127.1",
    "0177.0.0.1",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[::]",
    "[::ffff:169.254.169.254]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[::1%251]",
]


@pytest.mark.parametrize("text", REFUSED)
def test_S12_an_address_that_is_not_plain_https_to_a_public_name_is_refused(text: str) -> None:
    with pytest.raises(Unfit, match=r"Write https://api\.gosweetspot\.com, or http://127\.0\.0\.1:PORT"):
        checked(text)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", INSIDE)
def test_SEC9_numbers_and_addresses_inside_a_network_are_refused(scheme: str, host: str) -> None:
    with pytest.raises(Unfit):
        checked(f"{scheme}://{host}")


@pytest.mark.parametrize(
    "text",
    [
        "https://user:Canary@api.gosweetspot.com",
        "https://Canary@api.gosweetspot.com",
        "https://api.gosweetspot.com/?access_key=Canary",
        "https://api.gosweetspot.com@169.254.169.254/Canary",
        "http://user:Can ary@127.0.0.1",
    ],
)
def test_S12_an_address_with_a_password_or_a_key_in_it_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(SecretError) as caught:
        checked(text)
    assert "Can" not in str(caught.value)
